package develop

import (
	"github.com/pilinhub/pilin/match"
)

// Figures are what an engine reached on one kind of questions, in percent.
type Figures struct {
	N         int     `json:"n"`
	First     float64 `json:"recall_1"`             // the entry that is meant stands first
	Ten       float64 `json:"recall_10"`            // it is among the ten
	Precision float64 `json:"precision,omitempty"`  // of the hits, those of the entry that is meant; 100 without hits
	HitRecall float64 `json:"hit_recall,omitempty"` // of the strong questions, those whose entry is a hit
	FalseHit  float64 `json:"false_hit,omitempty"`  // of the negatives, those with any hit
	Strong    int     `json:"strong,omitempty"`
	Negative  bool    `json:"negative,omitempty"`
}

// Result is what was measured over one registry: by kind, and "all", "all negatives" and the forms of romanised names.
type Result struct {
	Kinds map[string]Figures
	// Missed are questions whose entry is not first, or not among the ten, or that have a hit which is none.
	Missed []Miss
}

// Miss is a question that went wrong.
type Miss struct {
	Query  Query
	Rank   int // of the entry that is meant, from 1; 0 when it is not among the ten
	Answer match.ResultLine
}

// tally counts for Figures.
type tally struct {
	n, first, ten, hits, right, strong, found, falsely int
	negative                                           bool
}

func (t *tally) figures() Figures {
	of := func(a, b int) float64 {
		if b == 0 {
			return 0
		}
		return 100 * float64(a) / float64(b)
	}
	f := Figures{N: t.n, Negative: t.negative, Strong: t.strong}
	if t.negative {
		f.FalseHit = of(t.falsely, t.n)
		return f
	}
	f.First, f.Ten, f.HitRecall = of(t.first, t.n), of(t.ten, t.n), of(t.found, t.strong)
	f.Precision = 100
	if t.hits > 0 {
		f.Precision = of(t.right, t.hits)
	}
	return f
}

// Measure asks all questions.
func Measure(queries []Query, answer func(match.QueryLine) match.ResultLine) Result {
	out := Result{Kinds: map[string]Figures{}}
	counts := map[string]*tally{}
	of := func(name string, negative bool) *tally {
		if counts[name] == nil {
			counts[name] = &tally{negative: negative}
		}
		return counts[name]
	}
	for _, q := range queries {
		a := answer(q.QueryLine)
		all := "all"
		if q.Negative {
			all = "all negatives"
		}
		to := []*tally{of(q.Kind, q.Negative), of(all, q.Negative)}
		if q.Kind == "romanised" {
			to = append(to, of("romanised: "+q.Form, false))
		}
		rank, hit, other := 0, false, 0
		for i, e := range a.Results {
			if e.ID == q.Want {
				rank, hit = i+1, e.Hit
			} else if e.Hit {
				other++
			}
		}
		for _, t := range to {
			t.count(q, rank, hit, other)
		}
		if q.Negative && other > 0 || !q.Negative && (rank != 1 || other > 0 || q.Strong && !hit) {
			out.Missed = append(out.Missed, Miss{q, rank, a})
		}
	}
	for name, t := range counts {
		out.Kinds[name] = t.figures()
	}
	return out
}

func (t *tally) count(q Query, rank int, hit bool, other int) {
	t.n++
	if q.Negative {
		if other > 0 {
			t.falsely++
		}
		return
	}
	if rank == 1 {
		t.first++
	}
	if rank > 0 {
		t.ten++
	}
	t.hits += other
	if hit {
		t.hits++
		t.right++
	}
	if q.Strong {
		t.strong++
		if hit {
			t.found++
		}
	}
}
