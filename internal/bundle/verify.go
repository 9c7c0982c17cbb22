package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// needed are what an operator must find in a bundle, whatever else is in it.
var needed = []string{"bin/pilin", "install.sh", "sbom.cdx.json", "SHA256SUMS", "README.md", "CHANGELOG.md",
	"deploy/README.md", "deploy/pilin.example.yaml", "deploy/systemd/pilin.service", "deploy/kafka/topics.yaml", "deploy/prometheus/alerts.yaml",
	"docs/operate.zh.md", "docs/operate.en.md", "schemas/openapi.yaml", "schemas/asyncapi.yaml",
	"completion/pilin.bash", "completion/_pilin", "completion/pilin.fish", "licences/std/LICENSE"}

// verify reads an archive back and finds out whether it is whole: the files, their checksums, a static binary for the right
// machine, and a bill with the licence of everything that is linked into it.
func verify(archive []byte, folder, arch string) error {
	files, err := unpack(archive, folder)
	if err != nil {
		return err
	}
	for _, name := range needed {
		if len(files[name].data) == 0 {
			return fmt.Errorf("%s is missing or empty", name)
		}
	}
	for _, name := range []string{"bin/pilin", "install.sh"} {
		if files[name].mode != 0o755 {
			return fmt.Errorf("%s cannot be run: mode %o", name, files[name].mode)
		}
	}
	if err := checkSums(files); err != nil {
		return err
	}
	binary := files["bin/pilin"].data
	if err := checkStatic(binary, arch); err != nil {
		return fmt.Errorf("bin/pilin: %w", err)
	}
	info, err := buildinfo.Read(bytes.NewReader(binary))
	if err != nil {
		return fmt.Errorf("bin/pilin: %w", err)
	}
	return checkBill(files, info, arch)
}

// unpack returns the files of an archive by their names below folder; in it lies nothing else, and no link.
func unpack(archive []byte, folder string) (map[string]file, error) {
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	files := map[string]file{}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		name, below := strings.CutPrefix(h.Name, folder+"/")
		if _, twice := files[name]; !below || twice || h.Typeflag != tar.TypeReg || strings.Contains(name, "..") {
			return nil, fmt.Errorf("%s does not belong into the archive", h.Name)
		}
		b, err := io.ReadAll(t)
		if err != nil {
			return nil, err
		}
		files[name] = file{name, b, h.Mode}
	}
}

// checkSums finds files that SHA256SUMS does not list, lists wrongly, or lists without their being there.
func checkSums(files map[string]file) error {
	var want strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if name != "SHA256SUMS" {
			fmt.Fprintf(&want, "%x  %s\n", sha256.Sum256(files[name].data), name)
		}
	}
	if want.String() != string(files["SHA256SUMS"].data) {
		return errors.New("SHA256SUMS does not say what is there")
	}
	return nil
}

// checkStatic wants a Linux binary for a machine that loads no library.
func checkStatic(binary []byte, arch string) error {
	f, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		return err
	}
	machines := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}
	if want, ok := machines[arch]; !ok || f.Machine != want {
		return fmt.Errorf("it is for %s, not for %s", f.Machine, arch)
	}
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC }) {
		return errors.New("it is linked with libraries of the machine")
	}
	return nil
}

// checkBill wants every module of the binary in the bill, at its version and sum, with a licence whose text is there too.
func checkBill(files map[string]file, info *buildinfo.BuildInfo, arch string) error {
	var b bill
	if err := json.Unmarshal(files["sbom.cdx.json"].data, &b); err != nil {
		return fmt.Errorf("sbom.cdx.json: %w", err)
	}
	if !slices.Contains(b.Metadata.Component.Properties, property{"pilin:arch", "linux/" + arch}) {
		return fmt.Errorf("sbom.cdx.json is not about linux/%s", arch)
	}
	listed := map[string]component{}
	for _, c := range b.Components {
		listed[c.Name] = c
	}
	if len(listed) != len(info.Deps)+1 { // and the standard library
		return fmt.Errorf("sbom.cdx.json lists %d modules, %d are linked", len(listed), len(info.Deps)+1)
	}
	for _, d := range info.Deps {
		if c, ok := listed[d.Path]; !ok || c.Version != d.Version || !slices.Contains(c.Properties, property{"go:sum", d.Sum}) {
			return fmt.Errorf("sbom.cdx.json does not list %s %s as it is linked", d.Path, d.Version)
		}
	}
	for name, c := range listed {
		text := slices.ContainsFunc(slices.Collect(maps.Keys(files)), func(f string) bool { return strings.HasPrefix(f, "licences/"+name+"/") })
		if len(c.Licences) == 0 || !text {
			return fmt.Errorf("%s: no licence, or its text is missing", name)
		}
	}
	return nil
}
