{{- define "backlog-scaler.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "backlog-scaler.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "backlog-scaler.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "backlog-scaler.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "backlog-scaler.selectorLabels" -}}
app.kubernetes.io/name: {{ include "backlog-scaler.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "backlog-scaler.labels" -}}
{{ include "backlog-scaler.labelsOf" (dict "root" .) }}
{{- end -}}

{{- /* The labels of a `component`, with `more` of its own. Selectors go by the chart's, so nobody's take their place. */ -}}
{{- define "backlog-scaler.labelsOf" -}}
{{- $labels := include "backlog-scaler.selectorLabels" .root | fromYaml -}}
{{- with .component }}{{ $_ := set $labels "app.kubernetes.io/component" . }}{{ end -}}
{{- $_ := set $labels "app.kubernetes.io/version" .root.Chart.AppVersion -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" .root.Release.Service -}}
{{- $chart := printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" -}}
{{- $_ := set $labels "helm.sh/chart" $chart -}}
{{- toYaml (merge $labels (default dict .more) (default dict .root.Values.commonLabels)) -}}
{{- end -}}

{{- /* The pods that serve, not the pod of `helm test`. */ -}}
{{- define "backlog-scaler.podSelector" -}}
{{ include "backlog-scaler.selectorLabels" . }}
app.kubernetes.io/component: scaler
{{- end -}}

{{- define "backlog-scaler.serviceAccountName" -}}
{{- default (ternary (include "backlog-scaler.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "backlog-scaler.image" -}}
{{- $image := .Values.image -}}
{{- with default $image.registry .Values.global.imageRegistry }}{{ . }}/{{ end -}}
{{- $image.repository -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ default .Chart.AppVersion $image.tag }}{{ end -}}
{{- end -}}

{{- /* Other charts' `global` has names, or `{ name: … }`. */ -}}
{{- define "backlog-scaler.imagePullSecrets" -}}
{{- $names := list -}}
{{- range concat (default list .Values.imagePullSecrets) (default list .Values.global.imagePullSecrets) -}}
{{- if kindIs "string" . }}{{ $names = append $names . }}{{ else }}{{ $names = append $names .name }}{{ end -}}
{{- end -}}
{{- range uniq $names }}
- name: {{ . | quote }}
{{- end -}}
{{- end -}}

{{- /* How many pods there may come to be. */ -}}
{{- define "backlog-scaler.mostReplicas" -}}
{{- ternary .Values.autoscaling.maxReplicas .Values.replicaCount .Values.autoscaling.enabled -}}
{{- end -}}

{{- define "backlog-scaler.host" -}}
{{ include "backlog-scaler.fullname" . }}.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}
{{- end -}}
