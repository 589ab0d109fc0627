{{/* What the names of all objects of the release begin with. */}}
{{- define "mte-api-relay.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" (.Release.Name | trunc 26 | trimSuffix "-") .Chart.Name -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods of this release and no others. */}}
{{- define "mte-api-relay.selector" -}}
app: mte-api-relay
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "mte-api-relay.labels" -}}
{{ include "mte-api-relay.selector" . }}
app.kubernetes.io/name: mte-api-relay
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* By which clients in the cluster reach the relay. */}}
{{- define "mte-api-relay.clientUrl" -}}
{{- $scheme := ternary "https" "http" (hasKey .Values.settings "TLS_CERT_FILE") -}}
{{- $port := .Values.service.port | int -}}
{{- $isDefault := eq $port (ternary 443 80 (eq $scheme "https")) -}}
{{- printf "%s://%s-service.%s.svc.cluster.local" $scheme (include "mte-api-relay.fullname" .) .Release.Namespace -}}
{{- if not $isDefault -}}:{{ $port }}{{- end -}}
{{- end -}}

{{- define "mte-api-relay.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{- define "mte-api-relay.serviceAccountName" -}}
{{- $own := ternary (include "mte-api-relay.fullname" .) "" .Values.serviceAccount.create -}}
{{- default $own .Values.serviceAccount.name -}}
{{- end -}}

{{- define "mte-api-relay.tlsSecretName" -}}
{{- default (printf "%s-tls" (include "mte-api-relay.fullname" .)) .Values.ingress.tlsSecret -}}
{{- end -}}
