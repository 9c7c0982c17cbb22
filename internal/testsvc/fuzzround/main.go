// Command fuzzround runs every fuzz target of the module for a while:
//
//	fuzzround -each 30s -total 8m [PACKAGE...]
//
// Targets are found in the test files; -total bounds the whole round, builds included, and is shared out fairly. The exit
// code is 1 if a target failed (go test then left the input under testdata/fuzz) or if there is none.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	each := flag.Duration("each", 30*time.Second, "longest time for one target")
	total := flag.Duration("total", 8*time.Minute, "longest time for all targets, builds included; 0 = no bound")
	flag.Parse()
	patterns := flag.Args()
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	targets, err := find(patterns)
	if err != nil {
		fmt.Fprintln(os.Stderr, "fuzzround:", err)
		os.Exit(1)
	}
	os.Exit(round(targets, *each, *total))
}

// target is one fuzz target.
type target struct{ pkg, name string }

// find lists the fuzz targets of packages.
func find(patterns []string) ([]target, error) {
	list := exec.Command("go", append([]string{"list", "-f",
		`{{$d := .Dir}}{{$p := .ImportPath}}{{range .TestGoFiles}}{{$p}} {{$d}} {{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$p}} {{$d}} {{.}}{{"\n"}}{{end}}`}, patterns...)...)
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var targets []target
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		names, err := fuzzFunctions(filepath.Join(f[1], f[2]))
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			targets = append(targets, target{f[0], n})
		}
	}
	return targets, nil
}

// fuzzFunctions returns the names of functions of the form FuzzX(*testing.F) in a file.
func fuzzFunctions(file string) ([]string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	var names []string
	for _, d := range parsed.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Fuzz") || len(f.Type.Params.List) != 1 {
			continue
		}
		if star, ok := f.Type.Params.List[0].Type.(*ast.StarExpr); ok {
			if s, ok := star.X.(*ast.SelectorExpr); ok && s.Sel.Name == "F" {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names, nil
}

// round fuzzes each target and returns the exit code.
func round(targets []target, each, total time.Duration) int {
	if len(targets) == 0 {
		fmt.Println("fuzzround: no fuzz target found")
		return 1
	}
	begun := time.Now()
	overhead := 5 * time.Second // what building and starting cost the last target
	var failed []target
	for i, t := range targets {
		spend := each
		if total > 0 {
			share := (total - time.Since(begun)) / time.Duration(len(targets)-i)
			spend = max(min(each, share-overhead), time.Second).Round(time.Second)
		}
		started := time.Now()
		// Without a bound Go spends up to a minute, beyond -fuzztime, on making one interesting input smaller.
		cmd := exec.Command("go", "test", "-run", "^$", "-fuzz", "^"+t.name+"$", "-fuzztime", spend.String(), "-fuzzminimizetime", "10x", t.pkg)
		out, err := cmd.CombinedOutput()
		took := time.Since(started)
		overhead = max(took-spend, time.Second)
		if err != nil {
			failed = append(failed, t)
			fmt.Printf("FAIL  %s.%s after %s: %v\n%s", t.pkg, t.name, took.Round(time.Second), err, out)
			continue
		}
		fmt.Printf("ok    %s.%s  fuzzed %s (with build %s)  %s\n", t.pkg, t.name, spend, took.Round(time.Second), lastCount(out))
	}
	fmt.Printf("fuzzed %d targets in %s, %d failed\n", len(targets), time.Since(begun).Round(time.Second), len(failed))
	if len(failed) > 0 {
		return 1
	}
	return 0
}

// lastCount picks the number of executions out of go test's last progress line.
func lastCount(out []byte) string {
	i := bytes.LastIndex(out, []byte("execs: "))
	if i < 0 {
		return ""
	}
	line, _, _ := bytes.Cut(out[i:], []byte("\n"))
	return string(line)
}
