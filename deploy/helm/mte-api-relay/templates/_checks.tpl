{{/* What values.schema.json cannot say, or not in words that name the value to change. */}}
{{- define "mte-api-relay.checks" -}}
{{- include "mte-api-relay.checkName" . -}}
{{- include "mte-api-relay.checkNetwork" . -}}
{{- include "mte-api-relay.checkPorts" . -}}
{{- include "mte-api-relay.checkConfigFile" . -}}
{{- include "mte-api-relay.checkRole" . -}}
{{- include "mte-api-relay.checkSecrets" . -}}
{{- include "mte-api-relay.checkReadable" . -}}
{{- include "mte-api-relay.checkRedis" . -}}
{{- end -}}

{{/* Names of releases may be more than names of services. */}}
{{- define "mte-api-relay.checkName" -}}
{{- if not (regexMatch "^[a-z][-a-z0-9]*$" (include "mte-api-relay.fullname" .)) -}}
{{- fail (printf "fullnameOverride is required for a release called %s: the name of a service begins with a letter, and has no dot" .Release.Name) -}}
{{- end -}}
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
{{- if contains "*" (include "mte-api-relay.audience" .) -}}
{{- fail "audience is required if a host of ingress.hosts has a *: the relay must know the origins by which peers reach it" -}}
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

{{/* What is in the ConfigMap, everyone may read who may look at the pods. */}}
{{- define "mte-api-relay.checkReadable" -}}
{{- range $url := list
  (list "redis.url" .Values.redis.url "redisUrl" "the URL")
  (list "settings.PEER_PROXY_URL" .Values.settings.PEER_PROXY_URL "peerProxyUrl" "the URL")
  (list "traces.endpoint" .Values.traces.endpoint "otlpHeaders" "a header authorization")
  (list "settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" .Values.settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT "otlpHeaders" "a header authorization") -}}
{{- if contains "@" (toString (index $url 1)) -}}
{{- fail (printf "%s must not have a password, which would be readable: put %s into the Secret, as its key secrets.keys.%s or as secrets.create.%s" (index $url 0) (index $url 3) (index $url 2) (index $url 2)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "mte-api-relay.checkRedis" -}}
{{- $replicas := ternary .Values.autoscaling.maxReplicas .Values.replicas .Values.autoscaling.enabled | int -}}
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
{{- if .Values.service.listeners -}}
{{- if not (include "mte-api-relay.sends" .) -}}
{{- fail "service.listeners is for the roles send and both: a relay that receives has no clients" -}}
{{- end -}}
{{- if ne .Values.service.type "ClusterIP" -}}
{{- fail "service.type must be ClusterIP with service.listeners: who reaches a listener needs no token" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The main listener has port 8080 of the pod, and service.port of the service; each of the others has one port in both. */}}
{{- define "mte-api-relay.checkPorts" -}}
{{- $admin := int .Values.admin.port -}}
{{- if eq $admin 8080 -}}
{{- fail "admin.port must not be 8080, the port of the main listener" -}}
{{- end -}}
{{- $taken := list 8080 $admin (int .Values.service.port) -}}
{{- range .Values.service.listeners -}}
{{- if has (int .port) $taken -}}
{{- fail (printf "service.listeners: port %d of %s is taken, as are 8080, admin.port, service.port and those of other listeners" (int .port) .name) -}}
{{- end -}}
{{- $taken = append $taken (int .port) -}}
{{- end -}}
{{- end -}}
