package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// module is something that is linked into the binary, with the texts under which it may be.
type module struct {
	path, version, sum string
	licences           []string // SPDX ids, sorted
	texts              []file
}

// modulesOf finds the licences of everything that a binary says is linked into it, the standard library included. A module
// without a licence text, or under one that we do not know, fails the build.
func modulesOf(ctx context.Context, info *buildinfo.BuildInfo) ([]module, error) {
	root, err := goTool(ctx, nil, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	all := []module{{path: "std", version: strings.TrimPrefix(info.GoVersion, "go")}}
	folders := []string{strings.TrimSpace(string(root))}
	for _, d := range info.Deps {
		if d.Replace != nil {
			return nil, fmt.Errorf("%s is replaced: a bundle is of published modules alone", d.Path)
		}
		all = append(all, module{path: d.Path, version: d.Version, sum: d.Sum})
	}
	listed, err := goTool(ctx, nil, "list", "-m", "-json", "all")
	if err != nil {
		return nil, err
	}
	folder := map[string]string{}
	for dec := jsontext.NewDecoder(bytes.NewReader(listed)); dec.PeekKind() == '{'; {
		var m struct{ Path, Dir string }
		if err := json.UnmarshalDecode(dec, &m); err != nil {
			return nil, fmt.Errorf("list of modules: %w", err)
		}
		folder[m.Path] = m.Dir
	}
	for _, m := range all[1:] {
		folders = append(folders, folder[m.path])
	}
	for i := range all {
		if err := all[i].readTexts(folders[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// readTexts reads the licence and notice files of a module's folder.
func (m *module) readTexts(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("licence of %s: %w", m.path, err)
	}
	for _, e := range entries {
		upper := strings.ToUpper(e.Name())
		licence := strings.HasPrefix(upper, "LICENSE") || strings.HasPrefix(upper, "LICENCE") || strings.HasPrefix(upper, "COPYING")
		if e.IsDir() || !licence && !strings.HasPrefix(upper, "NOTICE") && !strings.HasPrefix(upper, "PATENTS") || strings.HasSuffix(upper, ".GO") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return fmt.Errorf("licence of %s: %w", m.path, err)
		}
		m.texts = append(m.texts, file{"licences/" + m.path + "/" + e.Name(), b, 0o644})
		if !licence {
			continue
		}
		id, err := licenceOf(string(b))
		name, _, _ := strings.Cut(upper, ".")
		if qualified := name != "LICENSE" && name != "LICENCE" && name != "COPYING"; err != nil && qualified && !strings.Contains(strings.ToLower(string(b)), "gnu ") {
			continue // of a logo or a borrowed file: handed on with the rest
		}
		if err != nil {
			return fmt.Errorf("%s of %s: %w", e.Name(), m.path, err)
		}
		if !slices.Contains(m.licences, id) {
			m.licences = append(m.licences, id)
		}
	}
	slices.Sort(m.licences)
	if len(m.licences) == 0 {
		return fmt.Errorf("%s has no licence text", m.path)
	}
	return nil
}

var errUnknownLicence = errors.New("unknown licence: read it, and name it in licences.go only if it may be linked and handed on")

// licenceOf names a licence by the words that only it has. Copyleft that reaches our own code is not among them.
func licenceOf(text string) (string, error) {
	t := strings.Join(strings.Fields(strings.ToLower(text)), " ")
	has := func(s string) bool { return strings.Contains(t, s) }
	switch {
	case has("apache license version 2.0") || has("apache license, version 2.0"):
		return "Apache-2.0", nil
	case has("mozilla public license version 2.0"):
		return "MPL-2.0", nil
	case has("permission to use, copy, modify, and/or distribute this software") || has("permission to use, copy, modify, and distribute this software for any purpose with or without fee"):
		return "ISC", nil
	case has("gnu general public license") || has("gnu affero") || has("gnu lesser"):
		return "", errUnknownLicence
	case has("redistributions of source code must retain"):
		if has("neither the name") || has("may not be used to endorse") || has("names of its contributors") {
			return "BSD-3-Clause", nil
		}
		return "BSD-2-Clause", nil
	case has("permission is hereby granted, free of charge"):
		return "MIT", nil
	case has("this is free and unencumbered software released into the public domain"):
		return "Unlicense", nil
	}
	return "", errUnknownLicence
}
