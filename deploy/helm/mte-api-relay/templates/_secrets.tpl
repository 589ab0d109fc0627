{{- define "mte-api-relay.secretName" -}}
{{- default (printf "%s-secret" (include "mte-api-relay.fullname" .)) .Values.secrets.existing -}}
{{- end -}}

{{/* The variable whose file has the secret of each name in values.yaml. */}}
{{- define "mte-api-relay.secretVariables" -}}
adminToken: ADMIN_TOKEN
clientIdSecret: CLIENT_ID_SECRET
clientIdSecretAlt: CLIENT_ID_SECRET_ALT
otlpHeaders: OTEL_EXPORTER_OTLP_HEADERS
outboundToken: OUTBOUND_TOKEN
outboundTokenAlt: OUTBOUND_TOKEN_ALT
peerProxyUrl: PEER_PROXY_URL
redisUrl: REDIS_URL
{{- end -}}

{{/* The names in values.yaml of the secrets that this relay cannot start without. */}}
{{- define "mte-api-relay.requiredSecrets" -}}
{{- $required := list -}}
{{- if not (include "mte-api-relay.hasConfigFile" .) -}}
{{- $required = list "clientIdSecret" "outboundToken" -}}
{{- end -}}
{{- if and (include "mte-api-relay.receives" .) (not .Values.redis.url) -}}
{{- $required = append $required "redisUrl" -}}
{{- end -}}
{{- join " " $required -}}
{{- end -}}

{{/*
The key of the Secret for each variable that is read from it. A configFile replaces the secrets of peers and the tokens of
clients.
*/}}
{{- define "mte-api-relay.secretFiles" -}}
{{- $values := .Values.secrets -}}
{{- $files := dict -}}
{{- range $name, $variable := include "mte-api-relay.secretVariables" . | fromYaml -}}
{{- $key := kebabcase $name -}}
{{- if $values.existing -}}
{{- $key = get $values.keys $name -}}
{{- else if not (get $values.create $name) -}}
{{- $key = "" -}}
{{- end -}}
{{- $isReplaced := and (regexMatch "^(clientIdSecret|outboundToken)" $name) (include "mte-api-relay.hasConfigFile" $) -}}
{{- if and $key (not $isReplaced) -}}
{{- $_ := set $files $variable $key -}}
{{- end -}}
{{- end -}}
{{- toYaml $files -}}
{{- end -}}
