package archtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Package is what the check knows of one package.
type Package struct {
	Path        string
	Imports     []string // of its code
	TestImports []string // of its tests, inside and outside the package
}

// Violation is one edge that the table forbids, or a package that it does not know.
type Violation struct {
	From string   // our package
	To   string   // import path; empty when the table does not know From
	Via  []string // the road from From to To, both included, when it is not direct
	Test bool     // only its tests have the edge
}

// String says what is wrong in one line.
func (v Violation) String() string {
	switch {
	case v.To == "":
		return v.From + " is missing from the import table"
	case len(v.Via) > 2:
		return fmt.Sprintf("%s must not reach %s: %s", v.From, v.To, strings.Join(v.Via, " → "))
	case v.Test:
		return fmt.Sprintf("tests of %s must not import %s", v.From, v.To)
	default:
		return fmt.Sprintf("%s must not import %s", v.From, v.To)
	}
}

// Load asks the go command for the packages of the module in dir and everything that they import.
func Load(ctx context.Context, dir string) ([]Package, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-e", "-deps", "-json=ImportPath,Imports,TestImports,XTestImports,Error", "./...")
	cmd.Dir = dir
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, complaints.String())
	}
	var packages []Package
	for d := jsontext.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
			Error                              *struct{ Err string }
		}
		if err := json.UnmarshalDecode(d, &p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("read go list: %w", err)
		}
		if p.Error != nil {
			return nil, fmt.Errorf("go list %s: %s", p.ImportPath, p.Error.Err)
		}
		packages = append(packages, Package{Path: p.ImportPath, Imports: p.Imports, TestImports: append(p.TestImports, p.XTestImports...)})
	}
}

// Check holds packages against the table.
func Check(packages []Package) []Violation {
	imports := map[string][]string{}
	for _, p := range packages {
		imports[p.Path] = p.Imports
	}
	var found []Violation
	for _, p := range packages {
		name, isOurs := short(p.Path)
		if !isOurs {
			continue
		}
		r, known := table[name]
		if !known {
			found = append(found, Violation{From: name})
			continue
		}
		found = append(found, checkEdges(name, r, p)...)
		found = append(found, checkReach(name, r, p.Path, imports)...)
	}
	return found
}

// checkEdges looks at what the package and its tests import themselves.
func checkEdges(name string, r rule, p Package) []Violation {
	var found []Violation
	for _, i := range p.Imports {
		if to, isOurs := short(i); isOurs && !permits(r, to) {
			found = append(found, Violation{From: name, To: i})
		}
		if within(i, r.direct) {
			found = append(found, Violation{From: name, To: i})
		}
	}
	if !r.tests {
		return found
	}
	for _, i := range p.TestImports {
		to, isOurs := short(i)
		if isOurs && to != name && !permits(r, to) && !slices.Contains(testOnly, to) || within(i, r.reach) {
			found = append(found, Violation{From: name, To: i, Test: true})
		}
	}
	return found
}

// checkReach follows imports of imports and reports one road to each forbidden place.
func checkReach(name string, r rule, start string, imports map[string][]string) []Violation {
	if len(r.reach) == 0 {
		return nil
	}
	var found []Violation
	from := map[string]string{start: ""}
	for queue := []string{start}; len(queue) > 0; queue = queue[1:] {
		for _, next := range imports[queue[0]] {
			if _, seen := from[next]; seen {
				continue
			}
			from[next] = queue[0]
			if within(next, r.reach) {
				found = append(found, Violation{From: name, To: next, Via: road(from, next)})
				continue // what lies behind it is its own business
			}
			queue = append(queue, next)
		}
	}
	return found
}

func road(from map[string]string, to string) []string {
	var via []string
	for at := to; at != ""; at = from[at] {
		via = append(via, at)
	}
	slices.Reverse(via)
	return via
}

func permits(r rule, to string) bool {
	return slices.Contains(r.may, to) || slices.Contains(r.may, anything)
}

// short returns the name of one of our packages without the module path. The module's root has no package.
func short(path string) (string, bool) { return strings.CutPrefix(path, Module+"/") }

// within reports whether path is one of roots or lies below one.
func within(path string, roots []string) bool {
	for _, root := range roots {
		if path == root || strings.HasPrefix(path, root+"/") {
			return true
		}
	}
	return false
}
