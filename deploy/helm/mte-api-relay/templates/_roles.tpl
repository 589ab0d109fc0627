{{/* Each of these is "true" or empty, which is how a template returns a boolean. */}}
{{- define "mte-api-relay.sends" -}}
{{- if has .Values.role (list "send" "both") -}}true{{- end -}}
{{- end -}}

{{- define "mte-api-relay.receives" -}}
{{- if has .Values.role (list "receive" "both") -}}true{{- end -}}
{{- end -}}

{{- define "mte-api-relay.hasConfigFile" -}}
{{- with .Values.configFile -}}
{{- if or .content .configMap .secret -}}true{{- end -}}
{{- end -}}
{{- end -}}
