package main

import (
	"bytes"
	"debug/buildinfo"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// program builds a program of nothing for a machine type, as contents builds ours.
func program(t *testing.T, arch string) []byte {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module nothing\n", "main.go": "package main\n\nfunc main() {}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := goTool(t.Context(), []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + arch, "GOFLAGS=", "GOWORK=off"}, "-C", dir, "build", "-trimpath", "-buildvcs=false", "-o", "program"); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "program"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A bundle of either machine type is taken when it is whole, and for nothing less.
func TestVerify(t *testing.T) {
	binaries := map[string][]byte{"amd64": program(t, "amd64"), "arm64": program(t, "arm64")}
	stamp := time.Date(2026, 3, 13, 9, 0, 0, 0, time.UTC)
	for arch, other := range map[string]string{"amd64": "arm64", "arm64": "amd64"} {
		info, err := buildinfo.Read(bytes.NewReader(binaries[arch]))
		if err != nil {
			t.Fatal(err)
		}
		std := module{path: "std", version: "1.26", licences: []string{"BSD-3-Clause"}}
		for name, spoil := range map[string]func(f []file) []file{
			"": func(f []file) []file { return withSums(f) },
			"is missing or empty": func(f []file) []file {
				return withSums(slices.DeleteFunc(f, func(x file) bool { return x.name == "docs/operate.zh.md" }))
			},
			"cannot be run":              func(f []file) []file { f[0].mode = 0o644; return withSums(f) },
			"does not say what is there": func(f []file) []file { return append(withSums(f), file{"docs/more.md", []byte("x"), 0o644}) },
			"does not belong into":       func(f []file) []file { return append(withSums(f), file{"../../etc/passwd", []byte("x"), 0o644}) },
			"not for " + arch:            func(f []file) []file { f[0].data = binaries[other]; return withSums(f) },
			"text is missing": func(f []file) []file {
				bill, err := billOf([]module{{path: "std", version: "1.26"}}, info, arch, stamp) // without a licence
				if err != nil {
					t.Fatal(err)
				}
				f[1].data = bill
				return withSums(f)
			},
			"modules, 1 are linked": func(f []file) []file {
				bill, err := billOf([]module{std, {path: "example.org/x", version: "v1.0.0"}}, info, arch, stamp)
				if err != nil {
					t.Fatal(err)
				}
				f[1].data = bill
				return withSums(f)
			},
		} {
			bill, err := billOf([]module{std}, info, arch, stamp)
			if err != nil {
				t.Fatal(err)
			}
			files := []file{{"bin/pilin", binaries[arch], 0o755}, {"sbom.cdx.json", bill, 0o644}, {"install.sh", []byte("#!/bin/sh"), 0o755}}
			for _, n := range needed {
				if n != "SHA256SUMS" && !slices.ContainsFunc(files, func(x file) bool { return x.name == n }) {
					files = append(files, file{n, []byte(n), 0o644})
				}
			}
			var b bytes.Buffer
			if err := pack(&b, "pilin-x", spoil(files), stamp); err != nil {
				t.Fatal(err)
			}
			if err := verify(b.Bytes(), "pilin-x", arch); (err == nil) != (name == "") || err != nil && !strings.Contains(err.Error(), name) {
				t.Errorf("%s, %q: %v", arch, name, err)
			}
		}
	}
}

// The bill of what is really linked is held against the binary itself.
func TestCheckBill_ofThisBinary(t *testing.T) {
	info, linked := thisBinary(t)
	stamp := time.Date(2026, 3, 13, 9, 0, 0, 0, time.UTC)
	text, err := billOf(linked, info, "amd64", stamp)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]file{"sbom.cdx.json": {data: text}}
	for _, m := range linked {
		for _, f := range m.texts {
			files[f.name] = f
		}
	}
	if err := checkBill(files, info, "amd64"); err != nil {
		t.Error(err)
	}
	var b bill
	if err := json.Unmarshal(text, &b); err != nil {
		t.Fatal(err)
	}
	b.Components[1].Version += ".1"
	if text, err = json.Marshal(b); err != nil {
		t.Fatal(err)
	}
	files["sbom.cdx.json"] = file{data: text}
	if err := checkBill(files, info, "amd64"); err == nil || !strings.Contains(err.Error(), b.Components[1].Name) {
		t.Errorf("another version than is linked: %v", err)
	}
}
