{{- /* The whole configuration: the user's, with the chart's addresses and certificates. */ -}}
{{- define "backlog-scaler.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- include "backlog-scaler.refuseSecrets" (dict "node" $config "at" "config" "keys" (include "backlog-scaler.sources" . | fromYaml).secretKeys) -}}
{{- $grpc := merge (dict "port" .Values.service.port) (default dict $config.grpc) -}}
{{- if and (gt (include "backlog-scaler.mostReplicas" . | int) 1) (not (hasKey $grpc "maxConnectionAgeSeconds")) -}}
{{- $_ := set $grpc "maxConnectionAgeSeconds" 1800 -}}
{{- end -}}
{{- if .Values.tls.enabled -}}
{{- $tls := dict "certFile" "/etc/backlog-scaler-tls/tls.crt" "keyFile" "/etc/backlog-scaler-tls/tls.key" -}}
{{- if include "backlog-scaler.clientCaSecret" . -}}
{{- $_ := set $tls "clientCaFile" "/etc/backlog-scaler-client-ca/ca.crt" -}}
{{- end -}}
{{- with include "backlog-scaler.allowedClientNames" . | fromYamlArray }}{{ $_ := set $tls "allowedClientNames" . }}{{ end -}}
{{- $_ := set $grpc "tls" $tls -}}
{{- end -}}
{{- $_ := set $config "grpc" $grpc -}}
{{- $_ := set $config "admin" (merge (dict "port" .Values.admin.port) (default dict $config.admin)) -}}
{{- $_ := set $config "ingest" (merge (dict "port" .Values.ingest.port) (default dict $config.ingest)) -}}
{{- with .Values.listenHost -}}
{{- range $server := list "grpc" "admin" "ingest" }}{{ $_ := set (get $config $server) "host" $.Values.listenHost }}{{ end -}}
{{- end -}}
{{- if eq (include "backlog-scaler.eventLog" .) "file" -}}
{{- $_ := set $config.eventLog "dir" "/var/lib/backlog-scaler" -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{- /* The files that the configuration names and no mount holds: a line each. */ -}}
{{- define "backlog-scaler.unmounted" -}}
{{- $at := .at -}}
{{- $mounts := .mounts -}}
{{- if kindIs "map" .node -}}
{{- range $key, $value := .node -}}
{{- $path := printf "%s.%s" $at $key -}}
{{- if regexMatch "Files?$" $key -}}
{{- range $file := (kindIs "slice" $value | ternary $value (list $value)) -}}
{{- $held := false -}}
{{- range $mount := $mounts -}}
{{- if hasPrefix (printf "%s/" $mount) (printf "%s/" (toString $file)) }}{{ $held = true }}{{ end -}}
{{- end -}}
{{- if and (hasPrefix "/" (toString $file)) (not $held) }}
  {{ $path }}: {{ $file }}
{{- end -}}
{{- end -}}
{{- else -}}
{{- include "backlog-scaler.unmounted" (dict "node" $value "at" $path "mounts" $mounts) -}}
{{- end -}}
{{- end -}}
{{- else if kindIs "slice" .node -}}
{{- range $i, $value := .node -}}
{{- include "backlog-scaler.unmounted" (dict "node" $value "at" (printf "%s[%d]" $at $i) "mounts" $mounts) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "backlog-scaler.eventLog" -}}
{{- dig "eventLog" "type" "memory" .Values.config -}}
{{- end -}}

{{- /* What the sources' manifests say: `sources` by name, and `secretKeys`. */ -}}
{{- define "backlog-scaler.sources" -}}
{{- .Files.Get "files/sources.yaml" -}}
{{- end -}}

{{- /* What the scaler reads only at its start (`startSettings` of src/config/schema.ts). */ -}}
{{- define "backlog-scaler.restartChecksum" -}}
{{- $config := include "backlog-scaler.config" . | fromYaml -}}
{{- $admin := pick $config.admin "host" "port" -}}
{{- $ingest := pick $config.ingest "host" "port" -}}
{{- $parts := dict "grpc" $config.grpc "admin" $admin "ingest" $ingest "eventLog" (default dict $config.eventLog) -}}
{{- ternary $config $parts .Values.restartOnConfigChange | toJson | sha256sum -}}
{{- end -}}

{{- /* A ConfigMap is no place for a secret. A variable, `${NAME}`, is none. */ -}}
{{- define "backlog-scaler.refuseSecrets" -}}
{{- $at := .at -}}
{{- $secrets := .keys -}}
{{- if kindIs "map" .node -}}
{{- range $key, $value := .node -}}
{{- $path := printf "%s.%s" $at $key -}}
{{- if and (has $key $secrets) (not (kindIs "map" $value)) -}}
{{- range (kindIs "slice" $value | ternary $value (list $value)) -}}
{{- if not (regexMatch "^\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}$" (toString .)) -}}
{{- $inFile := ternary (printf "%sFiles" (trimSuffix "s" $key)) (printf "%sFile" $key) (kindIs "slice" $value) -}}
{{- fail (printf "%s: a secret cannot be in a ConfigMap; write %s with a path in secretMounts, or ${NAME} with extraEnv" $path $inFile) -}}
{{- end -}}
{{- end -}}
{{- else if and (kindIs "string" $value) (contains "PRIVATE KEY-----" $value) -}}
{{- fail (printf "%s: a private key cannot be in a ConfigMap; write %sFile with a path in secretMounts" $path $key) -}}
{{- else -}}
{{- include "backlog-scaler.refuseSecrets" (dict "node" $value "at" $path "keys" $secrets) -}}
{{- end -}}
{{- end -}}
{{- else if kindIs "slice" .node -}}
{{- range $i, $value := .node -}}
{{- include "backlog-scaler.refuseSecrets" (dict "node" $value "at" (printf "%s[%d]" $at $i) "keys" $secrets) -}}
{{- end -}}
{{- end -}}
{{- end -}}
