package transfer_test

import (
	"bufio"
	"bytes"
	"os/exec"
	"slices"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/pilinhub/pilin/transfer"
)

// answered is what both readings of the rule must agree on.
type answered struct {
	Basic      int                  `json:"basic"`
	Strict     int                  `json:"strict"`
	Pending    int                  `json:"pending"`
	Again      bool                 `json:"again"`
	Alert      string               `json:"alert"`
	Also       []string             `json:"also"`
	Candidate  bool                 `json:"candidate"`
	Incomplete bool                 `json:"incomplete"`
	Released   [][2]string          `json:"released"`
	Verdicts   map[string][2]string `json:"verdicts"`
}

// reading runs testdata/reference.py, the second reading of the rule (Python standard library).
func reading(t *testing.T, in []byte, args ...string) []byte {
	t.Helper()
	c := exec.CommandContext(t.Context(), "python3", append([]string{"testdata/reference.py"}, args...)...)
	c.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	return out
}

// compareReadings answers drawn questions with both readings and returns in how many they differ.
func compareReadings(t *testing.T, n, seed string) (questions, differ int) {
	t.Helper()
	drawn := reading(t, nil, "generate", n, seed)
	want := bufio.NewScanner(bytes.NewReader(reading(t, drawn, "answer")))
	want.Buffer(nil, 1<<20)
	for line := range bytes.Lines(drawn) {
		q, err := transfer.Decode(line)
		if err != nil {
			t.Fatalf("question %d: %v", questions, err)
		}
		r := transfer.Count(q)
		got := answered{Basic: r.Basic, Strict: r.Strict, Pending: r.Pending, Again: r.Again, Alert: string(r.Alert), Also: []string{}, Candidate: r.Candidate,
			Incomplete: r.Incomplete(), Released: [][2]string{}, Verdicts: map[string][2]string{}}
		for _, a := range r.Also {
			got.Also = append(got.Also, string(a))
		}
		for _, p := range r.Released {
			got.Released = append(got.Released, [2]string{p.Decision, p.By})
		}
		for _, v := range r.Verdicts {
			got.Verdicts[v.Decision] = [2]string{string(v.Verdict), string(v.Reason)}
		}
		var expected answered
		if !want.Scan() {
			t.Fatalf("the reference answered only %d: %v", questions, want.Err())
		}
		if err := json.Unmarshal(want.Bytes(), &expected); err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(expected.Released, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
		if diff := cmp.Diff(expected, got); diff != "" {
			if differ++; differ <= 5 {
				t.Errorf("question %d of seed %s (-reference +ours):\n%s", questions, seed, diff)
			}
		}
		questions++
	}
	return questions, differ
}

func TestReference(t *testing.T) {
	if n, differ := compareReadings(t, "300", "1"); n != 300 || differ > 0 {
		t.Errorf("%d of %d differ", differ, n)
	}
}

// TestLongReference compares more of them; it runs alone.
func TestLongReference(t *testing.T) {
	for _, seed := range []string{"2", "3", "4"} {
		if n, differ := compareReadings(t, "3000", seed); n != 3000 || differ > 0 {
			t.Errorf("seed %s: %d of %d differ", seed, differ, n)
		}
	}
}
