package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const shipped = "../../deploy"

// What is shipped is sound, and each of these slips is found.
func TestCheck(t *testing.T) {
	var c complaints
	configs, err := check(t.Context(), shipped, &c)
	if err != nil || len(c) > 0 || len(configs) < 4 {
		t.Fatalf("what is shipped: %v, %v, %d configurations", err, c, len(configs))
	}
	const chart, compose = "helm/pilin/templates/", "compose/compose.yaml"
	for _, slip := range []struct{ file, old, new, found string }{
		{compose, "  node:\n    <<: *locked", "  node:\n    <<: *locked\n    imgae: x", "imgae"},
		{compose, "    tmpfs: [\"/tmp:size=256m", "    read_only: false\n    tmpfs: [\"/tmp:size=256m", "node: its file system can be written"},
		{compose, "cap_drop: [ALL]", "cap_drop: [NET_RAW]", "has rights that it does not need"},
		{compose, "POSTGRES_PASSWORD_FILE: /run/secrets/postgres-password", "POSTGRES_PASSWORD: x", "a secret in the environment"},
		{compose, "limits: { cpus: \"2\", memory: 4g, pids: 512 }", "limits: { cpus: \"2\" }", "without limit"},
		{compose, "user: \"999:999\"", "user: \"0:0\"", "runs as root"},
		{compose, "secrets: [dsn, redis-url,", "secrets: [redis-url,", "names /run/secrets/dsn"},
		{compose, "redis:7-bookworm", "redis", "has no version"},
		{compose, "condition: service_healthy", "condition: healthy", "condition"},
		{compose, "    tty: true\n    depends_on:\n      postgres: { condition: service_healthy }\n", "    tty: true\n", "desk: does not wait for the database"},
		{compose, "      test: [CMD, pg_isready", "      tset: [CMD, pg_isready", "tset"},
		{chart + "statefulset.yaml", "readinessProbe:", "readinesProbe:", "readinesProbe"},
		{chart + "statefulset.yaml", "livenessProbe:\n            httpGet: { path: /livez, port: people, scheme: HTTPS }", "livenessProbe:\n            httpGet: { path: /livez, port: people }", "no probe of /livez"},
		{chart + "statefulset.yaml", "ternary 0 1", "ternary 1 1", "2 pods on one volume"},
		{chart + "_helpers.tpl", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "has rights"},
		{chart + "_helpers.tpl", "path: redis-url }", "path: redis }", "names /run/secrets/pilin/redis-url"},
		{chart + "_helpers.tpl", "{{- end }}\n\n{{- define \"pilin.selector\"", "\n\n{{- define \"pilin.selector\"", "_helpers.tpl"},
		{chart + "networkpolicy.yaml", "- from: {{- toYaml . | nindent 8 }}\n      ports", "- ports", "lets everybody in"},
		{chart + "pdb.yaml", "maxUnavailable", "maxUnavailabel", "maxUnavailabel"},
		{chart + "serviceaccount.yaml", "kind: ServiceAccount", "kind: Secret", "secrets are named, not made"},
		{"helm/pilin/ci/small-values.yaml", "member: 330482-01", "member: jinshan", "member"},
		{"helm/pilin/ci/small-values.yaml", "driver: sqlite", "drvier: sqlite", "drvier"},
		{"helm/pilin/ci/full-values.yaml", "tlsSecret: pilin-people", "tlsSecret: \"\"", "tlsSecret"},
		{"prometheus/alerts.yaml", "expr: pilin_disk_used_ratio > 0.8", "expr: pilin_disk_used_ratio >> 0.8", "could not parse expression"},
		{"prometheus/alerts.yaml", "{{ $labels.place }}", "{{ $labels.place }", "template"},
		{"prometheus/alerts.yaml", "for: 15m", "fro: 15m", "fro"},
		{"prometheus/alerts.yaml", "severity: page }", "severity: now }", "want a severity"},
		{"helm/pilin/Chart.yaml", "version: 0.1.0", "version: one", "version"},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(shipped)); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, slip.file)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		spoilt := strings.Replace(string(b), slip.old, slip.new, 1)
		if spoilt == string(b) {
			t.Errorf("%s: no %q to spoil", slip.file, slip.old)
			continue
		}
		if err := os.WriteFile(file, []byte(spoilt), 0o600); err != nil {
			t.Fatal(err)
		}
		var c complaints
		_, err = check(t.Context(), dir, &c)
		said := strings.Join(c, "\n")
		if err != nil {
			said += "\n" + err.Error()
		}
		if !strings.Contains(said, slip.found) {
			t.Errorf("%s: %q for %q is not found: %s", slip.file, slip.new, slip.old, said)
		}
	}
}
