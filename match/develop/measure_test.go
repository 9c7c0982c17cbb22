package develop

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/pilinhub/pilin/match"
)

func evaluation(n int) ([]Record, *match.Evaluation) {
	sample := Sample(1, n)
	lines := make([]match.RegistryLine, n)
	for i := range sample {
		lines[i] = sample[i].Line
	}
	return sample, match.NewEvaluation(lines)
}

// checked answers and fails where the bits shown do not add up to the score, the order is wrong, or there are over ten.
func checked(t *testing.T, ev *match.Evaluation) func(match.QueryLine) match.ResultLine {
	return func(q match.QueryLine) match.ResultLine {
		a := ev.Answer(q)
		if len(a.Results) > 10 {
			t.Errorf("%s: %d results", q.QID, len(a.Results))
		}
		for i, e := range a.Results {
			sum := 0.0
			for _, l := range e.Lines {
				sum += l.Bits
			}
			if math.Abs(sum-e.Score) > 0.05 {
				t.Errorf("%s: lines of %s add up to %.2f, the score is %.2f", q.QID, e.ID, sum, e.Score)
			}
			if i > 0 && e.Score > a.Results[i-1].Score {
				t.Errorf("%s: %.1f stands behind %.1f", q.QID, e.Score, a.Results[i-1].Score)
			}
		}
		return a
	}
}

// TestMatchEval is the small one: what must hold on any registry.
func TestMatchEval(t *testing.T) {
	sample, ev := evaluation(4000)
	got := Measure(Queries(1, sample, 0.2), checked(t, ev)).Kinds
	for _, k := range []string{"exact", "id15", "phone_format", "id_partial"} {
		if got[k].First < 100 {
			t.Errorf("%s: %.1f %% stand first", k, got[k].First)
		}
	}
	if got["all"].Ten < 95 {
		t.Errorf("%.1f %% are among the ten", got["all"].Ten)
	}
	if got["all negatives"].FalseHit > 1 {
		t.Errorf("%.1f %% false hits", got["all negatives"].FalseHit)
	}
}

// TestLong_MatchEval: no kind falls more than half a point below the best figures of best.json. What is meant to fall is
// accepted by `make match-eval EVAL=-accept`.
func TestLong_MatchEval(t *testing.T) {
	best, err := Committed()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{20000, 200000} {
		if len(best[fmt.Sprint(n)]) < len(kinds()) {
			t.Fatalf("best.json has %d kinds of %d entries", len(best[fmt.Sprint(n)]), n)
		}
		sample, ev := evaluation(n)
		for _, d := range best.Drops(n, Measure(Queries(1, sample, 1), checked(t, ev)).Kinds) {
			t.Errorf("%d entries: %s", n, d)
		}
	}
}

// TestMeasure counts three questions by hand.
func TestMeasure(t *testing.T) {
	hit := func(id string) match.ResultEntry { return match.ResultEntry{ID: id, Hit: true} }
	answers := map[string][]match.ResultEntry{"1": {hit("A"), hit("B")}, "2": {{ID: "B"}, {ID: "A"}}, "3": nil, "4": {hit("B")}}
	queries := []Query{{Kind: "exact", Want: "A", Strong: true}, {Kind: "exact", Want: "A", Strong: true}, {Kind: "exact", Want: "A"}, {Kind: "next_door", Negative: true}}
	for i := range queries {
		queries[i].QID = fmt.Sprint(i + 1)
	}
	got := Measure(queries, func(q match.QueryLine) match.ResultLine { return match.ResultLine{QID: q.QID, Results: answers[q.QID]} })
	third := 100.0 / 3
	want := Figures{N: 3, First: third, Ten: 2 * third, Precision: 50, HitRecall: 50, Strong: 2}
	if f := got.Kinds["exact"]; math.Abs(f.First-want.First) > 1e-9 || math.Abs(f.Ten-want.Ten) > 1e-9 || f.Precision != 50 || f.HitRecall != 50 || f.Strong != 2 || f.N != 3 {
		t.Errorf("%+v, want %+v", f, want)
	}
	if f := got.Kinds["all negatives"]; f.FalseHit != 100 || f.N != 1 {
		t.Errorf("%+v", f)
	}
	if len(got.Missed) != 4 {
		t.Errorf("%d went wrong, want all 4", len(got.Missed))
	}
}

func TestDrops(t *testing.T) {
	best := Best{"100": {"exact": {N: 10, First: 90, Ten: 95, Precision: 99}, "next_door": {N: 10, Negative: true}}}
	now := map[string]Figures{"exact": {N: 10, First: 89.4, Ten: 95.2, Precision: 98.6}, "next_door": {N: 10, FalseHit: 0.6, Negative: true}}
	if d := best.Drops(100, now); len(d) != 2 {
		t.Errorf("%q, want recall@1 and false hits", d)
	}
	best.Raise(100, now, false)
	if f := best["100"]["exact"]; f.First != 90 || f.Ten != 95.2 || best["100"]["next_door"].FalseHit != 0 {
		t.Errorf("raised to %+v", best)
	}
	best.Raise(100, now, true)
	if d := best.Drops(100, now); len(d) > 0 || best["100"]["exact"].First != 89.4 {
		t.Errorf("accepted %+v, %q", best, d)
	}
	if d := best.Drops(100, map[string]Figures{"exact": {N: 11, First: 100, Ten: 100, Precision: 100}}); len(d) != 2 {
		t.Errorf("%q, want other questions and a kind that is gone", d)
	}
	out, err := best.Format()
	if err != nil {
		t.Fatal(err)
	}
	if back, err := ParseBest(out); err != nil || !slices.Equal(back.Drops(100, now), best.Drops(100, now)) {
		t.Errorf("%v %v", back, err)
	}
}
