package schemas_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/schemas"
)

// asOf is the last day of the demo story (domain.md §7.3).
const asOf = "2026-05-29"

type example struct {
	typ  *schemas.Type
	path string
	data []byte
}

func (e example) name() string { return e.typ.Name() + "/" + filepath.Base(e.path) }

// examples reads the examples of every type; a type without any of the kind fails the test.
func examples(t testing.TB, kind string) []example {
	t.Helper()
	var out []example
	for _, typ := range schemas.Types() {
		paths, err := filepath.Glob(filepath.Join(typ.Name(), "examples", kind, "*.json"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s has no %s example (%v)", typ.Name(), kind, err)
		}
		for _, p := range paths {
			b, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, example{typ, p, b})
		}
	}
	return out
}

func TestGoodExamples(t *testing.T) {
	for _, e := range examples(t, "good") {
		t.Run(e.name(), func(t *testing.T) {
			if vs := e.typ.Ready(e.data, asOf); len(vs) > 0 {
				t.Errorf("refused: %v", vs)
			}
		})
	}
}

// TestBadExamples: each bad example is refused at exactly the pointers and with exactly the codes of its .want file.
func TestBadExamples(t *testing.T) {
	for _, e := range examples(t, "bad") {
		t.Run(e.name(), func(t *testing.T) {
			b, err := os.ReadFile(strings.TrimSuffix(e.path, ".json") + ".want")
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
			var got []string
			for _, v := range e.typ.Validate(e.data, asOf) {
				got = append(got, v.Pointer+" "+v.Code)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
			}
		})
	}
}
