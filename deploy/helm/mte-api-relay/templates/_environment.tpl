{{/* Helm reads every number as a fraction, of which large ones would be written as 2.68435456e+08. */}}
{{- define "mte-api-relay.text" -}}
{{- ternary (toJson .) (toString .) (kindIs "float64" .) -}}
{{- end -}}

{{/* RELAY_AUDIENCE. */}}
{{- define "mte-api-relay.audience" -}}
{{- $hosts := list -}}
{{- if .Values.ingress.enabled -}}
{{- range .Values.ingress.hosts -}}
{{- $hosts = append $hosts (printf "https://%s" .) -}}
{{- end -}}
{{- end -}}
{{- default $hosts .Values.audience | join "," -}}
{{- end -}}

{{/* The variables that are no secrets, by their names. */}}
{{- define "mte-api-relay.variables" -}}
{{- $variables := dict -}}
{{- range $name, $value := .Values.settings -}}
{{- $_ := set $variables $name $value -}}
{{- end -}}
{{- with .Values.shutdown -}}
{{- $_ := set $variables "SHUTDOWN_DELAY_MS" .delayMs -}}
{{- $_ := set $variables "SHUTDOWN_TIMEOUT_MS" .timeoutMs -}}
{{- end -}}
{{- $channels := dict
  "transport" "TUNNEL_TRANSPORT"
  "perPeer" "CHANNELS_PER_PEER"
  "maxPerPeer" "MAX_CHANNELS_PER_PEER"
  "lifetimeSeconds" "CHANNEL_LIFETIME_SECONDS"
  "bufferBytes" "CHANNEL_BUFFER_BYTES" -}}
{{- range $name, $value := .Values.channels -}}
{{- $_ := set $variables (get $channels $name) $value -}}
{{- end -}}
{{- $_ := set $variables "ADMIN_PORT" .Values.admin.port -}}
{{- with .Values.traces.endpoint -}}
{{- $_ := set $variables "OTEL_EXPORTER_OTLP_ENDPOINT" . -}}
{{- end -}}
{{- if .Values.redis.url -}}
{{- $_ := set $variables "REDIS_URL" .Values.redis.url -}}
{{- else if not (hasKey (include "mte-api-relay.secretFiles" . | fromYaml) "REDIS_URL") -}}
{{- $_ := set $variables "REDIS_URL" "memory://" -}}
{{- end -}}
{{- if not (include "mte-api-relay.hasConfigFile" .) -}}
{{- if include "mte-api-relay.receives" . -}}
{{- $_ := set $variables "UPSTREAM" .Values.upstream -}}
{{- $_ := set $variables "RELAY_AUDIENCE" (include "mte-api-relay.audience" .) -}}
{{- else -}}
{{- /* There is no API behind it, and no peer that may reach it. */ -}}
{{- $_ := set $variables "UPSTREAM" "http://127.0.0.1:9" -}}
{{- $_ := set $variables "RELAY_AUDIENCE" "http://nobody.invalid" -}}
{{- end -}}
{{- /* Without clients, its token must not open a way to any relay. */ -}}
{{- $allowed := default (list "http://nobody.invalid") .Values.allowedUpstreams | join "," -}}
{{- $_ := set $variables "OUTBOUND_ALLOWED_UPSTREAMS" $allowed -}}
{{- end -}}
{{- range $name, $value := $variables }}
{{ $name }}: {{ include "mte-api-relay.text" $value | quote }}
{{- end -}}
{{- end -}}
