{{- /* The kubelet's gRPC probes know no TLS. */ -}}
{{- define "backlog-scaler.readiness" -}}
{{- if .Values.tls.enabled -}}
httpGet: { path: /readyz, port: admin }
{{- else -}}
grpc: { port: {{ .Values.service.port }}, service: externalscaler.ExternalScaler }
{{- end -}}
{{- end -}}

{{- /* Where pods may run: the scaler's, and that of `helm test`. */ -}}
{{- define "backlog-scaler.placement" -}}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "backlog-scaler.volumeMounts" -}}
- { name: config, mountPath: /etc/backlog-scaler, readOnly: true }
{{- range .Values.secretMounts }}
- { name: secret-{{ .name }}, mountPath: {{ default (printf "/etc/backlog-scaler-%s" .name) .mountPath | quote }}, readOnly: true }
{{- end }}
{{- if .Values.tls.enabled }}
- { name: tls, mountPath: /etc/backlog-scaler-tls, readOnly: true }
{{- if include "backlog-scaler.clientCaSecret" . }}
- { name: client-ca, mountPath: /etc/backlog-scaler-client-ca, readOnly: true }
{{- end }}
{{- end }}
{{- if eq (include "backlog-scaler.eventLog" .) "file" }}
- { name: events, mountPath: /var/lib/backlog-scaler }
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "backlog-scaler.volumes" -}}
- name: config
  configMap:
    name: {{ include "backlog-scaler.fullname" . }}
{{- range .Values.secretMounts }}
- name: secret-{{ .name }}
  secret:
    secretName: {{ .secretName | quote }}
    defaultMode: 0440
    {{- with .items }}
    items:
      {{- toYaml . | nindent 6 }}
    {{- end }}
{{- end }}
{{- if .Values.tls.enabled }}
- name: tls
  secret:
    secretName: {{ include "backlog-scaler.tlsSecret" . | quote }}
    defaultMode: 0440
{{- with include "backlog-scaler.clientCaSecret" . }}
- name: client-ca
  secret:
    secretName: {{ . | quote }}
    items: [{ key: ca.crt, path: ca.crt }]
{{- end }}
{{- end }}
{{- if eq (include "backlog-scaler.eventLog" .) "file" }}
- name: events
  {{- if .Values.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ default (printf "%s-events" (include "backlog-scaler.fullname" .)) .Values.persistence.existingClaim | quote }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ .Values.persistence.size | quote }}
  {{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
