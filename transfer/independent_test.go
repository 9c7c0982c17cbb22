package transfer_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pilinhub/pilin/transfer"
)

// published is what the format of `pilin count` says of an answer; of an error only where it lies.
type published struct {
	ID         int                      `json:"id"`
	Error      struct{ Pointer string } `json:"error"`
	Basic      int                      `json:"basic"`
	Strict     int                      `json:"strict"`
	Pending    int                      `json:"pending"`
	Potential  int                      `json:"potential"`
	Again      bool                     `json:"again"`
	Alert      string                   `json:"alert"`
	Also       []string                 `json:"also"`
	Candidate  bool                     `json:"candidate"`
	Incomplete bool                     `json:"incomplete"`
	Leads      []string                 `json:"leads"`
	Rule       string                   `json:"rule"`
	Released   []struct{ Decision, By string }
	Verdicts   []struct {
		Decision, Verdict, Reason, Level, Doc string
		Merged                                []string
		ServedAt                              *string `json:"served_at"`
		Flags                                 []string
		FinalAt                               *string `json:"final_at"`
		Strict                                bool
	} `json:"verdicts"`
}

// script runs one of the two programs of testdata/reference (Python, standard library). The reading ends with 1 when it
// refused a line, as the command does.
func script(t *testing.T, in []byte, refuses bool, name string, args ...string) []byte {
	t.Helper()
	c := exec.CommandContext(t.Context(), "python3", append([]string{"-B", "testdata/reference/" + name}, args...)...)
	c.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if refused := c.ProcessState != nil && c.ProcessState.ExitCode() == 1 && stderr.Len() == 0; err != nil && (!refuses || !refused) {
		t.Fatalf("%s: %v\n%s", name, err, stderr.Bytes())
	}
	return out
}

// seen opens the scripts, because the cache of go test knows only the files that the test itself has opened.
func seen(t *testing.T) {
	t.Helper()
	names, err := filepath.Glob("testdata/reference/*.py")
	if err != nil || len(names) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, n := range names {
		if _, err := os.ReadFile(n); err != nil {
			t.Fatal(err)
		}
	}
}

// compareIndependent answers generated inputs by a reading of the text that was written without sight of this package,
// and by the function that serves the command; whole answers must be equal, refusals in where they point.
func compareIndependent(t *testing.T, n int, count, seed string) {
	t.Helper()
	seen(t)
	in := script(t, nil, false, "generate.py", count, seed)
	want := strings.Split(strings.TrimSpace(string(script(t, in, true, "count.py"))), "\n")
	lines := bytes.Split(bytes.TrimSpace(in), []byte("\n"))
	if len(lines) != n || len(want) != n {
		t.Fatalf("%d inputs, %d answers, want %d", len(lines), len(want), n)
	}
	differ := 0
	for i, line := range lines {
		answer, ok := transfer.Answer(line, true)
		var expected, got published
		if err := json.Unmarshal([]byte(want[i]), &expected, json.MatchCaseInsensitiveNames(true)); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(answer, &got, json.MatchCaseInsensitiveNames(true)); err != nil {
			t.Fatal(err)
		}
		diff := cmp.Diff(expected, got, cmpopts.EquateEmpty())
		if ok != (expected.Error.Pointer == "") {
			diff += "one refuses, the other does not"
		}
		if diff != "" {
			if differ++; differ <= 5 {
				t.Errorf("input %d of seed %s (-independent +ours):\n%s", i, seed, diff)
			}
		}
	}
	if differ > 0 {
		t.Errorf("seed %s: %d of %d differ", seed, differ, n)
	}
}

func TestCount_against_an_independent_reading(t *testing.T) { compareIndependent(t, 1000, "1000", "1") }

// TestLongIndependent compares more of them; it runs alone.
func TestLongIndependent(t *testing.T) {
	for _, seed := range []string{"11", "12", "13"} {
		compareIndependent(t, 4000, "4000", seed)
	}
}
