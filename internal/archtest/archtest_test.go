package archtest_test

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/internal/archtest"
)

// TestTree holds the real tree against the import table.
func TestTree(t *testing.T) {
	packages, err := archtest.Load(t.Context(), "../..")
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) < 50 {
		t.Fatalf("only %d packages seen, dependencies included", len(packages))
	}
	for _, v := range archtest.Check(packages) {
		t.Error(v)
	}
}

// TestLoad_sees_a_real_forbidden_import shows that loader and check together find what is on disk.
func TestLoad_sees_a_real_forbidden_import(t *testing.T) {
	packages, err := archtest.Load(t.Context(), filepath.Join("testdata", "badmodule"))
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, v := range archtest.Check(packages) {
		said = append(said, v.String())
	}
	slices.Sort(said)
	want := []string{"match must not import net/http", "stray is missing from the import table"}
	if !slices.Equal(said, want) {
		t.Errorf("said %q, want %q", said, want)
	}
}

// fixture is one forbidden edge of testdata/forbidden.txt.
type fixture struct {
	kind, from string
	to         string // import path
}

func fixtures(t *testing.T) []fixture {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "forbidden.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []fixture
	sets := map[string][]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		head, rest, ok := strings.Cut(line, ":")
		kind, from, ok2 := strings.Cut(head, " ")
		if !ok || !ok2 {
			t.Fatalf("fixture line %q: want KIND FROM: NAMES", line)
		}
		var names []string
		for _, name := range strings.Fields(rest) {
			if set, ok := strings.CutPrefix(name, "@"); ok {
				names = append(names, sets[set]...)
			} else {
				names = append(names, name)
			}
		}
		switch kind {
		case "set":
			sets[from] = names
		case "edge", "test":
			for _, to := range archtest.Names() {
				if to != from && !slices.Contains(names, to) {
					all = append(all, fixture{kind, from, path(to)})
				}
			}
		case "reach", "direct":
			for _, to := range names {
				if name, ok := strings.CutPrefix(to, "~"); ok {
					to = path(name)
				}
				all = append(all, fixture{kind, from, to})
			}
		default:
			t.Fatalf("fixture line %q: unknown kind", line)
		}
	}
	for _, f := range slices.Clone(all) {
		// The tests of a domain package must not reach out either.
		if f.kind == "reach" && slices.ContainsFunc(all, func(g fixture) bool { return g.kind == "test" && g.from == f.from }) {
			all = append(all, fixture{"test", f.from, f.to})
		}
	}
	return all
}

func path(name string) string { return archtest.Module + "/" + name }

// reports is whether the check names exactly this edge in a tree that has nothing else.
func reports(from, to string, packages ...archtest.Package) bool {
	for _, v := range archtest.Check(packages) {
		if v.From == from && v.To == to {
			return true
		}
	}
	return false
}

func TestForbiddenEdges(t *testing.T) {
	const other = "example.org/harmless"
	all := fixtures(t)
	for _, f := range all {
		to := f.to
		alone := archtest.Package{Path: path(f.from), Imports: []string{to}}
		through := []archtest.Package{{Path: path(f.from), Imports: []string{other}}, {Path: other, Imports: []string{to}}}
		if f.kind == "test" {
			alone = archtest.Package{Path: path(f.from), TestImports: []string{to}}
		}
		if !reports(f.from, to, alone) {
			t.Errorf("%s: %s imports %s: not reported", f.kind, f.from, to)
		}
		if f.kind == "reach" && !reports(f.from, to, through...) {
			t.Errorf("%s reaches %s: not reported", f.from, to)
		}
	}
	if len(all) < 700 {
		t.Errorf("only %d fixtures", len(all))
	}
}

// TestEveryPairIsDecided shows that table and fixtures are each other's complement: an edge between two of our packages is
// either allowed by the table or has a fixture, never both, never neither.
func TestEveryPairIsDecided(t *testing.T) {
	forbidden := map[[2]string]bool{}
	for _, f := range fixtures(t) {
		if f.kind == "edge" {
			forbidden[[2]string{f.from, strings.TrimPrefix(f.to, archtest.Module+"/")}] = true
		}
	}
	for _, from := range archtest.Names() {
		for _, to := range archtest.Names() {
			if from == to {
				continue
			}
			reported := reports(from, path(to), archtest.Package{Path: path(from), Imports: []string{path(to)}})
			if reported != forbidden[[2]string{from, to}] {
				t.Errorf("%s imports %s: the table forbids it: %v, the fixtures: %v", from, to, reported, !reported)
			}
		}
	}
}

// TestAllowed shows that the check does not refuse everything.
func TestAllowed(t *testing.T) {
	packages := []archtest.Package{
		{Path: path("blacklist"), Imports: []string{path("record"), "fmt"}, TestImports: []string{path("record/recordtest"), path("blacklist"), "pgregory.net/rapid"}},
		{Path: path("internal/kafkabus"), Imports: []string{path("record"), "github.com/segmentio/kafka-go"}, TestImports: []string{path("internal/testsvc"), "database/sql"}},
		{Path: path("cmd/pilin"), Imports: []string{path("internal/node")}},
		{Path: path("internal/node"), Imports: []string{path("internal/sqlstore")}},
		{Path: path("internal/sqlstore"), Imports: []string{path("record"), "database/sql"}},
		{Path: path("record"), Imports: []string{path("schemas"), "golang.org/x/mod/sumdb/tlog"}},
	}
	if found := archtest.Check(packages); len(found) != 0 {
		t.Errorf("reported %v", found)
	}
}
