{{/* What values.schema.json cannot say, or not in words that name the value to change. */}}
{{- define "mte-api-relay.checks" -}}
{{- include "mte-api-relay.checkNetwork" . -}}
{{- include "mte-api-relay.checkConfigFile" . -}}
{{- include "mte-api-relay.checkRole" . -}}
{{- include "mte-api-relay.checkSecrets" . -}}
{{- include "mte-api-relay.checkRedis" . -}}
{{- end -}}

{{- define "mte-api-relay.checkRole" -}}
{{- if not (include "mte-api-relay.hasConfigFile" .) -}}
{{- if include "mte-api-relay.receives" . -}}
{{- if not .Values.upstream -}}
{{- fail (printf "upstream is required for role %s: the URL of the API behind this relay" .Values.role) -}}
{{- end -}}
{{- if not (include "mte-api-relay.audience" .) -}}
{{- fail (printf "audience is required for role %s: the origins by which peers reach this relay, such as https://relay.example.com" .Values.role) -}}
{{- end -}}
{{- else if or .Values.upstream .Values.audience -}}
{{- fail "upstream and audience are for the roles receive and both: a relay that sends has no API behind it" -}}
{{- end -}}
{{- if include "mte-api-relay.sends" . -}}
{{- if not .Values.allowedUpstreams -}}
{{- fail (printf "allowedUpstreams is required for role %s: the origins of the relays that clients may name" .Values.role) -}}
{{- end -}}
{{- else if .Values.allowedUpstreams -}}
{{- fail "allowedUpstreams is for the roles send and both: a relay that receives has no clients" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "mte-api-relay.checkConfigFile" -}}
{{- $file := .Values.configFile -}}
{{- if gt (len (compact (list $file.content $file.configMap $file.secret))) 1 -}}
{{- fail "configFile.content, configFile.configMap and configFile.secret exclude each other: the file comes from one of them" -}}
{{- end -}}
{{- if include "mte-api-relay.hasConfigFile" . -}}
{{- range $name := list "upstream" "audience" "allowedUpstreams" -}}
{{- if get $.Values $name -}}
{{- fail (printf "%s must not be set together with configFile, which says the same" $name) -}}
{{- end -}}
{{- end -}}
{{- range $name := list "clientIdSecret" "clientIdSecretAlt" "outboundToken" "outboundTokenAlt" -}}
{{- if hasKey $.Values.secrets.create $name -}}
{{- fail (printf "secrets.create.%s must not be set together with configFile, which says the same" $name) -}}
{{- end -}}
{{- end -}}
{{- else if $file.peerSecrets -}}
{{- fail "configFile.peerSecrets is for a file: set configFile.content, configFile.configMap or configFile.secret" -}}
{{- else if .Values.service.listeners -}}
{{- fail "service.listeners is for listeners that a configFile opens: set configFile.content, configFile.configMap or configFile.secret" -}}
{{- end -}}
{{- end -}}

{{- define "mte-api-relay.checkSecrets" -}}
{{- $secrets := .Values.secrets -}}
{{- if and $secrets.existing $secrets.create -}}
{{- fail "secrets.existing and secrets.create exclude each other: the chart changes no Secret of yours" -}}
{{- end -}}
{{- range $name := compact (splitList " " (include "mte-api-relay.requiredSecrets" .)) -}}
{{- $hint := ternary ", or redis.url" "" (eq $name "redisUrl") -}}
{{- if not $secrets.existing -}}
{{- if not (get $secrets.create $name) -}}
{{- fail (printf "secrets.existing is required: the name of a Secret with the key %s; or secrets.create.%s%s" (get $secrets.keys $name) $name $hint) -}}
{{- end -}}
{{- else if not (get $secrets.keys $name) -}}
{{- fail (printf "secrets.keys.%s is required: the key of the Secret %s%s" $name $secrets.existing $hint) -}}
{{- end -}}
{{- end -}}
{{- range $variable, $key := include "mte-api-relay.secretFiles" . | fromYaml -}}
{{- if hasKey $.Values.settings $variable -}}
{{- fail (printf "settings.%s must not be set: the Secret has it" $variable) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "mte-api-relay.checkRedis" -}}
{{- $replicas := ternary .Values.autoscaling.maxReplicas .Values.replicas .Values.autoscaling.enabled | int -}}
{{- if contains "@" .Values.redis.url -}}
{{- fail "redis.url must not have a password, which would be readable: put the URL into the Secret, as its key secrets.keys.redisUrl or as secrets.create.redisUrl" -}}
{{- end -}}
{{- $isInSecret := hasKey (include "mte-api-relay.secretFiles" . | fromYaml) "REDIS_URL" -}}
{{- if and .Values.redis.url $isInSecret -}}
{{- fail "redis.url must not be set: the Secret has it, by secrets.keys.redisUrl or secrets.create.redisUrl" -}}
{{- end -}}
{{- if and (not $isInSecret) (has .Values.redis.url (list "" "memory://")) (ne (toString (default 1 .Values.settings.WORKERS)) "1") -}}
{{- fail "settings.WORKERS needs a Redis, in which workers share their sessions: redis.url, or secrets.keys.redisUrl" -}}
{{- end -}}
{{- if and (eq .Values.redis.url "memory://") (include "mte-api-relay.receives" .) (gt $replicas 1) -}}
{{- fail (printf "redis.url must be a Redis for role %s with up to %d replicas, which share their sessions: memory:// needs autoscaling.enabled: false and replicas: 1" .Values.role $replicas) -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "autoscaling.minReplicas must not be greater than autoscaling.maxReplicas" -}}
{{- end -}}
{{- end -}}

{{- define "mte-api-relay.checkNetwork" -}}
{{- if .Values.ingress.enabled -}}
{{- if not (include "mte-api-relay.receives" .) -}}
{{- fail "ingress.enabled must be false for role send: only clients in the cluster use it" -}}
{{- end -}}
{{- if not .Values.ingress.hosts -}}
{{- fail "ingress.hosts is required with ingress.enabled: the names by which peers reach this relay" -}}
{{- end -}}
{{- end -}}
{{- if and (ne .Values.service.type "ClusterIP") (eq .Values.role "send") -}}
{{- fail "service.type must be ClusterIP for role send: its clients send their token in plaintext" -}}
{{- end -}}
{{- end -}}
