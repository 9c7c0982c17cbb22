package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestRound(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":          "module sample\n\ngo 1.26.0\n",
		"a/a.go":          "package a\n\n// FuzzNot is no target.\nfunc FuzzNot(n int) {}\n",
		"a/a_test.go":     "package a\nimport \"testing\"\nfunc FuzzGood(f *testing.F) { f.Fuzz(func(*testing.T, []byte) {}) }\nfunc TestA(t *testing.T) {}\n",
		"b/ext_test.go":   "package b_test\nimport \"testing\"\nfunc FuzzBad(f *testing.F) { f.Add(1); f.Fuzz(func(t *testing.T, n int) { if n == 1 { t.Error(n) } }) }\n",
		"b/b.go":          "package b\n",
		"none/nothing.go": "package none\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	found, err := find([]string{"./..."})
	if err != nil || !slices.Equal(found, []target{{"sample/a", "FuzzGood"}, {"sample/b", "FuzzBad"}}) {
		t.Fatalf("found %v, %v", found, err)
	}
	for _, c := range []struct {
		name    string
		targets []target
		want    int
	}{{"passing", found[:1], 0}, {"failing", found[1:], 1}, {"none", nil, 1}} {
		if got := round(c.targets, time.Second, 0); got != c.want {
			t.Errorf("%s: exit %d, want %d", c.name, got, c.want)
		}
	}
}
