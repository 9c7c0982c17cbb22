{{/* The name of all objects: one release is one node. */}}
{{- define "pilin.name" -}}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{- end }}

{{- define "pilin.selector" -}}
app.kubernetes.io/name: pilin
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "pilin.labels" -}}
{{ include "pilin.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "pilin.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{/* The configuration file: what these values say, and on top of it .Values.config. */}}
{{- define "pilin.config" -}}
{{- $v := .Values }}
{{- $secrets := "/run/secrets/pilin" }}
{{- $c := dict "member" (required "member: this bureau's code in the charter" $v.member) "data" "/var/lib/pilin/node" }}
{{- $database := dict "driver" $v.database.driver }}
{{- if eq $v.database.driver "postgres" }}
{{- $_ := required "database.dsnSecret.name: the Secret that holds the DSN" $v.database.dsnSecret.name }}
{{- $_ := set $database "dsn_file" (printf "%s/dsn" $secrets) }}
{{- end }}
{{- $_ := set $c "database" $database }}
{{- if $v.kafka.brokers }}
{{- $kafka := dict "brokers" $v.kafka.brokers "tls" true "user" ($v.kafka.user | default $v.member) "password_file" (printf "%s/kafka-password" $secrets) }}
{{- $_ := required "kafka.passwordSecret.name: the Secret that holds the broker's password" $v.kafka.passwordSecret.name }}
{{- if $v.kafka.caConfigMap }}{{ $_ := set $kafka "ca_file" "/etc/pilin/kafka/ca.crt" }}{{ end }}
{{- $_ := set $c "kafka" $kafka }}
{{- end }}
{{- if $v.redis.urlSecret.name }}{{ $_ := set $c "redis" (dict "url_file" (printf "%s/redis-url" $secrets)) }}{{ end }}
{{- $people := dict "listen" ":8080" "cert_file" (printf "%s/tls.crt" $secrets) "key_file" (printf "%s/tls.key" $secrets) }}
{{- if $v.people.metricsFrom }}{{ $_ := set $people "metrics_from" $v.people.metricsFrom }}{{ end }}
{{- $_ := set $c "people" $people }}
{{- $_ := set $c "members" (dict "listen" ":8443") }}
{{- mergeOverwrite $c $v.config | toYaml }}
{{- end }}

{{/* Where secrets and certificates lie, of node and desk alike. */}}
{{- define "pilin.volumes" -}}
- name: data
  persistentVolumeClaim:
    claimName: {{ include "pilin.name" . }}-data
- name: config
  configMap:
    name: {{ include "pilin.name" . }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ required "people.tlsSecret: the certificate of the people's listener" .Values.people.tlsSecret }}
          items: [{ key: tls.crt, path: tls.crt }, { key: tls.key, path: tls.key }]
      {{- if eq .Values.database.driver "postgres" }}
      - secret:
          name: {{ .Values.database.dsnSecret.name }}
          items: [{ key: {{ .Values.database.dsnSecret.key }}, path: dsn }]
      {{- end }}
      {{- if .Values.kafka.brokers }}
      - secret:
          name: {{ .Values.kafka.passwordSecret.name }}
          items: [{ key: {{ .Values.kafka.passwordSecret.key }}, path: kafka-password }]
      {{- end }}
      {{- if .Values.redis.urlSecret.name }}
      - secret:
          name: {{ .Values.redis.urlSecret.name }}
          items: [{ key: {{ .Values.redis.urlSecret.key }}, path: redis-url }]
      {{- end }}
{{- if and .Values.kafka.brokers .Values.kafka.caConfigMap }}
- name: kafka-ca
  configMap:
    name: {{ .Values.kafka.caConfigMap }}
{{- end }}
{{- if .Values.database.caConfigMap }}
- name: database-ca
  configMap:
    name: {{ .Values.database.caConfigMap }}
{{- end }}
- name: tmp
  emptyDir: { medium: Memory, sizeLimit: 256Mi }
{{- end }}

{{- define "pilin.mounts" -}}
- { name: data, mountPath: /var/lib/pilin }
- { name: config, mountPath: /etc/pilin/pilin.yaml, subPath: pilin.yaml, readOnly: true }
- { name: secrets, mountPath: /run/secrets/pilin, readOnly: true }
{{- if and .Values.kafka.brokers .Values.kafka.caConfigMap }}
- { name: kafka-ca, mountPath: /etc/pilin/kafka, readOnly: true }
{{- end }}
{{- if .Values.database.caConfigMap }}
- { name: database-ca, mountPath: /etc/pilin/db, readOnly: true }
{{- end }}
- { name: tmp, mountPath: /tmp }
{{- end }}

{{- define "pilin.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
# The group of a new volume. Only when it is new: to open keys.json to a group at each mount would make the node refuse it.
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "pilin.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}
