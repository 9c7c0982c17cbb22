package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sample is a module whose tests pass, fail, skip, panic, do not build, and are fuzz targets.
var sample = map[string]string{
	"go.mod":    "module sample\n\ngo 1.26.0\n",
	"a/a.go":    "package a\n",
	"none/n.go": "package none\n",
	"a/a_test.go": `package a
import "testing"
func TestPass(t *testing.T) { t.Run("one", func(*testing.T) {}); t.Run("two", func(*testing.T) {}) }
func TestSkip(t *testing.T) { t.Skip("service missing: X is not set") }
func TestSkipToo(t *testing.T) { t.Log("noise"); t.Skip("service missing: X is not set") }
func FuzzF(f *testing.F) { f.Add(1); f.Add(2); f.Fuzz(func(*testing.T, int) {}) }
`,
	"b/b_test.go": `package b
import "testing"
func TestBad(t *testing.T) { t.Run("child", func(t *testing.T) { t.Error("told so") }) }
func TestGood(t *testing.T) {}
`,
	"c/c_test.go": "package c\nimport \"testing\"\nfunc TestC(t *testing.T) { undefined() }\n",
	"d/d_test.go": "package d\nimport (\"os\"; \"testing\")\nfunc TestD(t *testing.T) { t.Log(\"last words\"); os.Exit(3) }\n",
}

func tallyOf(t *testing.T, require bool, commands ...string) (int, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range sample {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	var out strings.Builder
	code := run(strings.Fields(strings.Join(commands, " ::: ")), &out, require)
	return code, out.String()
}

func TestTally(t *testing.T) {
	const a, b = "go test -json ./a ./none", "go test -json ./b"
	for _, c := range []struct {
		name     string
		require  bool
		commands []string
		code     int
		last     string
		says     []string
	}{
		{"skips by reason", false, []string{a}, 0, "3 passed, 0 failed, 2 skipped", []string{"2 because: service missing: X is not set", "ran 3"}},
		{"skips where services are required", true, []string{a}, 1, "3 passed, 0 failed, 2 skipped", nil},
		{"failures over two commands", false, []string{b, a}, 1, "4 passed, 1 failed, 2 skipped", []string{"told so", "  sample/b.TestBad/child\n"}},
		{"a package that does not build", false, []string{"go test -json ./a ./c"}, 1, "3 passed, 1 failed, 2 skipped", []string{"undefined: undefined"}},
		{"a test that ends its process", false, []string{"go test -json ./d"}, 1, "0 passed, 1 failed, 0 skipped", []string{"last words"}},
		{"a command that is not there", false, []string{a, "no-such-command"}, 1, "3 passed, 1 failed, 2 skipped", nil},
		{"nothing ran", false, []string{"go test -json ./none"}, 1, "0 passed, 0 failed, 0 skipped", []string{"no test ran"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out := tallyOf(t, c.require, c.commands...)
			lines := strings.Split(strings.TrimSpace(out), "\n")
			if code != c.code || lines[len(lines)-1] != c.last {
				t.Errorf("exit %d, want %d; output:\n%s", code, c.code, out)
			}
			for _, s := range c.says {
				if !strings.Contains(out, s) {
					t.Errorf("does not say %q:\n%s", s, out)
				}
			}
		})
	}
}
