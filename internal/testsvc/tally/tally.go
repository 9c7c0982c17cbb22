package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// event is one line of `go test -json` (go doc test2json; build events: go help buildjson).
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
	Elapsed    float64 // seconds
}

// test names one test of one package.
type test struct{ pkg, name string }

// tally counts tests. A test that has subtests is counted by them, a fuzz target's seeds by the target.
type tally struct {
	out     io.Writer
	output  map[test][]string   // of tests that have not ended; name "" for the package's own
	parents map[test]bool       // tests that have subtests
	seconds map[test]float64    // of tests that ended
	passed  int                 // leaves
	failed  []string            // leaves, packages, commands
	skipped map[string][]string // reason → tests
	failing map[string]bool     // packages with a failed test or build, until their own fail event
	fails   int                 // failures of the command that runs
}

func newTally(out io.Writer) *tally {
	return &tally{out: out, output: map[test][]string{}, parents: map[test]bool{}, seconds: map[test]float64{},
		skipped: map[string][]string{}, failing: map[string]bool{}}
}

// line takes one line of a command. What is no event is shown as it is.
func (t *tally) line(s string) {
	var e event
	if !strings.HasPrefix(s, "{") || json.Unmarshal([]byte(s), &e) != nil {
		fmt.Fprint(t.out, s)
		return
	}
	at := test{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		fmt.Fprint(t.out, e.Output)
	case "run":
		if i := strings.LastIndexByte(e.Test, '/'); i > 0 {
			t.parents[test{e.Package, e.Test[:i]}] = true
		}
	case "output":
		t.output[at] = append(t.output[at], e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			t.packageEnded(e)
		} else {
			t.testEnded(at, e)
		}
		delete(t.output, at)
	}
}

func (t *tally) testEnded(at test, e event) {
	t.seconds[at] = e.Elapsed
	if e.Action == "fail" {
		t.show(at)
		t.failing[at.pkg] = true
	}
	if t.parents[at] && !isFuzz(at.name) || isFuzz(at.name) && strings.Contains(at.name, "/") {
		if e.Action != "fail" || t.childFailed(at) {
			return // counted by its subtests, or by its fuzz target
		}
	}
	switch e.Action {
	case "pass":
		t.passed++
	case "skip":
		reason := reasonOf(t.output[at])
		t.skipped[reason] = append(t.skipped[reason], at.String())
	case "fail":
		t.fail(at.String())
	}
}

// childFailed reports whether a failure below at has been counted, so that the parent's is only its echo.
func (t *tally) childFailed(at test) bool {
	return slices.ContainsFunc(t.failed, func(f string) bool { return strings.HasPrefix(f, at.String()+"/") })
}

func isFuzz(name string) bool { return strings.HasPrefix(name, "Fuzz") }

func (t *tally) packageEnded(e event) {
	at := test{e.Package, ""}
	switch e.Action {
	case "pass":
		fmt.Fprintf(t.out, "ok    %s  %.1f s\n", e.Package, e.Elapsed)
	case "skip":
		// A package without tests.
	case "fail":
		if !t.failing[e.Package] {
			// It did not build, or ended without saying which test: show all that it said.
			for _, unfinished := range slices.SortedFunc(maps.Keys(t.output), compareTests) {
				if unfinished.pkg == e.Package && unfinished.name != "" {
					t.show(unfinished)
				}
			}
			t.fail(e.Package)
		}
		t.show(at)
		fmt.Fprintf(t.out, "FAIL  %s  %.1f s\n", e.Package, e.Elapsed)
	}
	delete(t.failing, e.Package)
}

func (t *tally) fail(what string) {
	t.failed = append(t.failed, what)
	t.fails++
}

// commandFailed notes that a command ended with an error; if a failure of it was counted that is only its echo.
func (t *tally) commandFailed(err error) {
	if t.fails == 0 {
		fmt.Fprintf(t.out, "FAIL  %v\n", err)
		t.fail(err.Error())
	}
	t.fails = 0
}

func (t *tally) show(at test) {
	for _, o := range t.output[at] {
		fmt.Fprint(t.out, o)
	}
}

func (at test) String() string {
	if at.name == "" {
		return at.pkg
	}
	return at.pkg + "." + at.name
}

func compareTests(a, b test) int {
	return cmp.Or(cmp.Compare(a.pkg, b.pkg), cmp.Compare(a.name, b.name))
}

var position = regexp.MustCompile(`^\s*[\w.-]+\.go:\d+: `)

// reasonOf is what a skipped test said last, without the place where it said it.
func reasonOf(output []string) string {
	for _, line := range slices.Backward(output) {
		line = strings.TrimRight(line, "\n")
		if trimmed := strings.TrimSpace(line); trimmed == "" || strings.HasPrefix(trimmed, "--- ") || strings.HasPrefix(trimmed, "=== ") {
			continue
		}
		return strings.TrimSpace(position.ReplaceAllString(line, ""))
	}
	return "no reason given"
}

// close prints the count and returns the exit code.
func (t *tally) close(require bool) int {
	skips := 0
	for _, tests := range t.skipped {
		skips += len(tests)
	}
	fmt.Fprintln(t.out, "slowest:")
	slow := slices.SortedFunc(maps.Keys(t.seconds), func(a, b test) int {
		return cmp.Or(cmp.Compare(t.seconds[b], t.seconds[a]), compareTests(a, b))
	})
	for _, at := range slow[:min(8, len(slow))] {
		fmt.Fprintf(t.out, "  %7.1f s  %s\n", t.seconds[at], at)
	}
	fmt.Fprintf(t.out, "ran %d\n", t.passed+len(t.failed))
	fmt.Fprintf(t.out, "failed %d\n", len(t.failed))
	for _, f := range t.failed {
		fmt.Fprintf(t.out, "  %s\n", f)
	}
	fmt.Fprintf(t.out, "skipped %d\n", skips)
	for _, reason := range slices.Sorted(maps.Keys(t.skipped)) {
		fmt.Fprintf(t.out, "  %d because: %s\n", len(t.skipped[reason]), reason)
		for _, name := range t.skipped[reason] {
			fmt.Fprintf(t.out, "      %s\n", name)
		}
	}
	code := 0
	switch {
	case len(t.failed) > 0:
		code = 1
	case t.passed == 0:
		fmt.Fprintln(t.out, "no test ran")
		code = 1
	case require && skips > 0:
		fmt.Fprintln(t.out, "skips count as failures here (PILIN_REQUIRE_SERVICES=1)")
		code = 1
	}
	fmt.Fprintf(t.out, "%d passed, %d failed, %d skipped\n", t.passed, len(t.failed), skips)
	return code
}
