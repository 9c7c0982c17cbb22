package httpapi_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/pilinhub/pilin/internal/httpapi"
)

var update = flag.Bool("update", false, "write schemas/openapi.yaml anew")

const openapiFile = "../../schemas/openapi.yaml"

// TestOpenAPI_is_committed fails when the document that the code emits is not the one in the repository.
func TestOpenAPI_is_committed(t *testing.T) {
	got, err := httpapi.OpenAPI()
	must(t, err)
	if *update {
		must(t, os.WriteFile(openapiFile, got, 0o644))
	}
	want, err := os.ReadFile(openapiFile)
	must(t, err)
	if line, ok := firstDifference(want, got); !ok {
		t.Errorf("schemas/openapi.yaml is not what the code emits; first difference: %s\nrun go test ./internal/httpapi -run OpenAPI -update, and look at what clients will notice", line)
	}
}

func firstDifference(a, b []byte) (string, bool) {
	if bytes.Equal(a, b) {
		return "", true
	}
	as, bs := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range as {
		if i >= len(bs) || as[i] != bs[i] {
			return strings.TrimSpace(as[i]), false
		}
	}
	return strings.TrimSpace(bs[len(as)]), false
}

// A changed field name is a difference: the comparison is red for it.
func TestOpenAPI_a_renamed_field_shows(t *testing.T) {
	got, err := httpapi.OpenAPI()
	must(t, err)
	renamed := bytes.Replace(got, []byte("work_ref:"), []byte("workref:"), 1)
	if line, ok := firstDifference(renamed, got); ok || line != "workref:" {
		t.Errorf("%q %v", line, ok)
	}
}

func TestOpenAPI_is_complete(t *testing.T) {
	got, err := httpapi.OpenAPI()
	must(t, err)
	again, err := httpapi.OpenAPI()
	must(t, err)
	if !bytes.Equal(got, again) {
		t.Error("two emissions differ")
	}
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string `yaml:"operationId"`
			Summary     string
			Security    []map[string][]string
			Parameters  []struct{ Name, In string }
		}
	}
	must(t, yaml.Unmarshal(got, &doc))
	if doc.OpenAPI != "3.1.0" || len(doc.Paths) < 30 {
		t.Fatalf("%s, %d paths", doc.OpenAPI, len(doc.Paths))
	}
	open := map[string]bool{"sign-in": true, "refresh": true, "set-password": true}
	writes := []string{"entries", "penalties", "operations"}
	seen := map[string]bool{}
	for path, ops := range doc.Paths {
		for method, op := range ops {
			if op.OperationID == "" || op.Summary == "" || seen[op.OperationID] {
				t.Errorf("%s %s: operation id %q", method, path, op.OperationID)
			}
			seen[op.OperationID] = true
			if len(op.Security) == 0 != open[op.OperationID] {
				t.Errorf("%s: security %v", op.OperationID, op.Security)
			}
			if method != "post" {
				continue
			}
			for _, w := range writes {
				if !strings.HasPrefix(path, "/api/v1/"+w) {
					continue
				}
				key := false
				for _, p := range op.Parameters {
					key = key || p.Name == "Idempotency-Key" && p.In == "header"
				}
				if !key {
					t.Errorf("%s writes without an idempotency key", op.OperationID)
				}
			}
		}
	}
	for _, d := range []string{"application/problem+json", "Idempotency-Key"} {
		if !bytes.Contains(got, []byte(d)) {
			t.Errorf("%s is not described", d)
		}
	}
}
