package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// An archive's bytes depend on files and stamp alone, and it holds checksums that sha256sum takes.
func TestPack_isReproducibleAndChecks(t *testing.T) {
	stamp := time.Date(2026, 3, 13, 9, 0, 0, 0, time.UTC)
	files := func() []file {
		return withSums([]file{{"docs/" + strings.Repeat("long/", 22) + "b.md", []byte("b"), 0o644}, {"bin/pilin", []byte("a"), 0o755}})
	}
	var one, two, later bytes.Buffer
	for w, at := range map[*bytes.Buffer]time.Time{&one: stamp, &two: stamp, &later: stamp.Add(time.Second)} {
		if err := pack(w, "pilin-x", files(), at); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) || bytes.Equal(one.Bytes(), later.Bytes()) {
		t.Error("the bytes are not a function of files and stamp")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.tar.gz"), one.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sh", "-c", fmt.Sprintf("cd %s && tar xzf x.tar.gz && cd pilin-x && sha256sum -c --strict --quiet SHA256SUMS && test -x bin/pilin && find . -type f | wc -l", dir)).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "3" {
		t.Errorf("unpacked: %v %s", err, out)
	}
}

// The bill and the licences are of what this very binary is linked from.
func TestModules_ofThisBinary(t *testing.T) {
	info, linked := thisBinary(t)
	find := func(path string) module {
		i := slices.IndexFunc(linked, func(m module) bool { return m.path == path })
		if i < 0 {
			t.Fatalf("%s is not listed", path)
		}
		return linked[i]
	}
	for path, id := range map[string]string{"std": "BSD-3-Clause", "github.com/labstack/echo/v4": "MIT", "modernc.org/sqlite": "BSD-3-Clause", "github.com/prometheus/client_golang": "Apache-2.0"} {
		if m := find(path); !slices.Contains(m.licences, id) || len(m.texts) == 0 || m.version == "" {
			t.Errorf("%s: %v", path, m.licences)
		}
	}
	stamp := time.Date(2026, 3, 13, 9, 0, 0, 0, time.UTC)
	b, err := billOf(linked, info, "amd64", stamp)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := billOf(linked, info, "amd64", stamp)
	other, _ := billOf(linked, info, "arm64", stamp)
	if sha256.Sum256(b) != sha256.Sum256(again) || bytes.Equal(b, other) {
		t.Error("one build, one bill")
	}
	var back bill
	if err := json.Unmarshal(b, &back, json.RejectUnknownMembers(true)); err != nil || len(back.Components) != len(linked) || back.Spec != "1.5" {
		t.Errorf("%v, %d components", err, len(back.Components))
	}
}

// A text that we do not know, or that would bind our own code, stops the build.
func TestLicenceOf(t *testing.T) {
	for text, want := range map[string]string{
		"Permission is hereby granted, free of charge, to any person":                   "MIT",
		"Redistributions of source code must retain the above":                          "BSD-2-Clause",
		"Redistributions of source code must retain the above. Neither the name of the": "BSD-3-Clause",
		"Apache License\n  Version 2.0, January 2004":                                   "Apache-2.0",
		"Mozilla Public License Version 2.0 … GNU Affero General Public License":        "MPL-2.0",
		"GNU AFFERO GENERAL PUBLIC LICENSE":                                             "",
		"GNU LESSER GENERAL PUBLIC LICENSE":                                             "",
		"All rights reserved.":                                                          "",
	} {
		if got, err := licenceOf(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%.40q: %q %v", text, got, err)
		}
	}
}

// thisBinary is what the test itself is linked from.
func thisBinary(t *testing.T) (*buildinfo.BuildInfo, []module) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	linked, err := modulesOf(t.Context(), info)
	if err != nil {
		t.Fatal(err)
	}
	return info, linked
}
