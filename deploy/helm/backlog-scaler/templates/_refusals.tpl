{{- /* Refuses values that would be installed and not work. */ -}}
{{- define "backlog-scaler.refuse" -}}
{{- include "backlog-scaler.refuseReplicas" . -}}
{{- $ports := list .Values.service.port .Values.admin.port .Values.ingest.port -}}
{{- if lt (len (uniq $ports)) 3 -}}
{{- fail "service.port, admin.port and ingest.port: must differ, since they are ports of one pod" -}}
{{- end -}}
{{- if and .Values.tls.enabled .Values.tls.allowedClientNames (not (include "backlog-scaler.clientCaSecret" .)) -}}
{{- fail "tls.allowedClientNames: needs tls.clientCaSecret, since clients show no certificate without it" -}}
{{- end -}}
{{- include "backlog-scaler.refuseVolumes" . -}}
{{- end -}}

{{- define "backlog-scaler.refuseVolumes" -}}
{{- $taken := list -}}
{{- range include "backlog-scaler.volumes" . | fromYamlArray }}{{ $taken = append $taken .name }}{{ end -}}
{{- range include "backlog-scaler.volumeMounts" . | fromYamlArray }}{{ $taken = append $taken (trimSuffix "/" .mountPath) }}{{ end -}}
{{- range $i, $name := $taken -}}
{{- if has $name (slice $taken 0 $i) -}}
{{- fail (printf "%s: two volumes use it; give an entry of secretMounts another name or mountPath" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Why the scaler can have one pod only; empty if it can have several (docs/pods.md). */ -}}
{{- define "backlog-scaler.needsOnePod" -}}
{{- if ne (include "backlog-scaler.eventLog" .) "nats" -}}
{{- $why := list -}}
{{- if eq (include "backlog-scaler.eventLog" .) "file" }}{{ $why = append $why "the event log on a volume" }}{{ end -}}
{{- if or .Values.ingest.enabled (dig "ingest" "tokens" list .Values.config) }}{{ $why = append $why "ingest" }}{{ end -}}
{{- $sources := (include "backlog-scaler.sources" . | fromYaml).sources -}}
{{- range $name, $connection := .Values.config.connections -}}
{{- if or (get $sources $connection.source).filledBy $connection.snsTopics -}}
{{- $why = append $why (printf "connection %s" $name) -}}
{{- end -}}
{{- end -}}
{{- join ", " $why -}}
{{- end -}}
{{- end -}}

{{- define "backlog-scaler.refuseReplicas" -}}
{{- $why := include "backlog-scaler.needsOnePod" . -}}
{{- if and $why (gt (include "backlog-scaler.mostReplicas" . | int) 1) -}}
{{- $value := ternary "autoscaling.maxReplicas" "replicaCount" .Values.autoscaling.enabled -}}
{{- fail (printf "%s: must be 1 because of %s. An event log of type %s belongs to one pod; several pods need config.eventLog.type nats" $value $why (include "backlog-scaler.eventLog" .)) -}}
{{- end -}}
{{- end -}}
