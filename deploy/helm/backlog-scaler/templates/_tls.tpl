{{- /* The Secret with the server's tls.crt and tls.key. */ -}}
{{- define "backlog-scaler.tlsSecret" -}}
{{- if .Values.tls.certManager.enabled -}}
{{ include "backlog-scaler.fullname" . }}-tls
{{- else -}}
{{- required "tls.existingSecret: name a Secret with tls.crt and tls.key, or set tls.certManager.enabled" .Values.tls.existingSecret -}}
{{- end -}}
{{- end -}}

{{- /* The Secret with the ca.crt that vouches for clients; nothing where clients show no certificate. */ -}}
{{- define "backlog-scaler.clientCaSecret" -}}
{{- if .Values.tls.enabled -}}
{{- if .Values.tls.clientCaSecret -}}
{{ .Values.tls.clientCaSecret }}
{{- else if and .Values.tls.certManager.enabled .Values.tls.certManager.client.enabled -}}
{{ include "backlog-scaler.tlsSecret" . }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* An authority of cert-manager's vouches for more than KEDA: of its certificates, only KEDA's may call. */ -}}
{{- define "backlog-scaler.allowedClientNames" -}}
{{- $own := list -}}
{{- if and (include "backlog-scaler.makesClientSecret" .) (not .Values.tls.clientCaSecret) -}}
{{- $own = list .Values.tls.certManager.client.commonName -}}
{{- end -}}
{{- default $own .Values.tls.allowedClientNames | toYaml -}}
{{- end -}}

{{- define "backlog-scaler.clientNamespace" -}}
{{- default .Values.keda.namespace .Values.tls.certManager.client.namespace -}}
{{- end -}}

{{- define "backlog-scaler.clientSecret" -}}
{{ include "backlog-scaler.fullname" . }}-client-tls
{{- end -}}

{{- define "backlog-scaler.makesClientSecret" -}}
{{- if and .Values.tls.certManager.enabled .Values.tls.certManager.client.enabled }}true{{ end -}}
{{- end -}}

{{- /* What KEDA needs to call by TLS, as NOTES.txt prints it: `kind` for one namespace or for all. */ -}}
{{- define "backlog-scaler.triggerAuthentication" -}}
{{- $secret := ternary (include "backlog-scaler.clientSecret" .root) "backlog-scaler-client" (ne (include "backlog-scaler.makesClientSecret" .root) "") -}}
apiVersion: keda.sh/v1alpha1
kind: {{ .kind }}
metadata:
  name: {{ include "backlog-scaler.fullname" .root }}
spec:
  secretTargetRef:
    - { parameter: caCert, name: {{ $secret }}, key: ca.crt }
    {{- if include "backlog-scaler.clientCaSecret" .root }}
    - { parameter: tlsClientCert, name: {{ $secret }}, key: tls.crt }
    - { parameter: tlsClientKey, name: {{ $secret }}, key: tls.key }
    {{- end }}
{{- end -}}
