package develop

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/pilinhub/pilin/match"
)

// Calibration counts what each line of evidence is worth, and what a sum of bits is (Fellegi and Sunter 1969; matching.md
// §4). The zero Calibration is empty; Add adds a set.
type Calibration struct {
	codes        map[string]*codeCount
	same, random map[string]int // pairs in which a field could be compared
	points       []point
}

// codeCount counts the pairs with a line.
type codeCount struct {
	same, random int
	less         float64 // sum of 2^-bits over the true pairs
}

// point is a candidate of an answer.
type point struct {
	bits       float64
	gate, same bool
}

// Evidence is what was counted of one code.
type Evidence struct {
	Code, Field string
	True        int     // true pairs with the line
	Random      int     // random pairs with it
	M, U        float64 // the same as shares of the pairs in which the field could be compared
	// Engine is what the line counts now. Where it depends on the value it is the one weight that would count as much: a
	// line of b bits is as rare among random pairs as 2^-b of the true pairs, so it is -log2 of their mean of 2^-b.
	Engine float64
	// Fitted is log2(M/U). Without a random pair it is what three of them would give, and a lower bound (the rule of three).
	Fitted float64
	Bound  bool
}

// field is what a code compares: its first word, but for those that only one of two words can have.
func field(code string) string {
	f, _, _ := strings.Cut(code, "_")
	switch f {
	case "doc", "decision", "uscc":
		return "document"
	}
	return f
}

// Add counts over a set of questions: every question beside the entry that is meant and beside so many entries drawn by
// chance, and all candidates of its answer.
func (c *Calibration) Add(seed uint64, ev *match.Evaluation, sample []Record, queries []Query, random int) {
	if c.codes == nil {
		*c = Calibration{codes: map[string]*codeCount{}, same: map[string]int{}, random: map[string]int{}}
	}
	place := make(map[string]int, len(sample))
	for i := range sample {
		place[sample[i].Line.ID] = i
	}
	d := rand.New(rand.NewPCG(seed, 1<<60))
	places := make([]int, 0, random)
	for i := range queries {
		q := &queries[i]
		want := -1
		if !q.Negative {
			want = place[q.Want]
			ev.Beside(q.QueryLine, []int{want}, func(_ int, p match.Pair) { c.count(p.Lines, true) })
		}
		places = places[:0]
		for range random {
			if i := d.IntN(len(sample)); i != want {
				places = append(places, i)
			}
		}
		ev.Beside(q.QueryLine, places, func(_ int, p match.Pair) { c.count(p.Lines, false) })
		places = places[:0]
		for _, r := range ev.Answer(q.QueryLine).Results {
			places = append(places, place[r.ID])
		}
		ev.Beside(q.QueryLine, places, func(_ int, p match.Pair) {
			c.points = append(c.points, point{p.Score, p.Gate, p.ID == q.Want})
		})
	}
}

func (c *Calibration) count(lines []match.Evidence, same bool) {
	of := c.random
	if same {
		of = c.same
	}
	for _, l := range lines {
		if l.Code == "prior" || l.Code == "id_other_name" { // no comparison of a field
			continue
		}
		n := c.codes[l.Code]
		if n == nil {
			n = &codeCount{}
			c.codes[l.Code] = n
		}
		of[field(l.Code)]++
		if same {
			n.same++
			n.less += math.Exp2(-l.Bits)
		} else {
			n.random++
		}
	}
}

// Evidence returns what was counted, by code.
func (c *Calibration) Evidence() []Evidence {
	var out []Evidence
	for code, n := range c.codes {
		f := field(code)
		e := Evidence{Code: code, Field: f, True: n.same, Random: n.random, Engine: math.NaN(), Fitted: math.NaN()}
		e.M, e.U = share(n.same, c.same[f]), share(n.random, c.random[f])
		if n.same > 0 {
			e.Engine = -math.Log2(n.less / float64(n.same))
			e.Bound = n.random == 0
			e.Fitted = math.Log2(e.M / share(max(n.random, 1), c.random[f]))
			if e.Bound {
				e.Fitted = math.Log2(e.M / share(3, c.random[f]))
			}
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Evidence) int { return cmp.Compare(a.Code, b.Code) })
	return out
}

// A share of fewer pairs is no basis for a weight.
const (
	leastTrue   = 30
	leastRandom = 10
)

// Fit writes what was counted beside every weight and sets the bits of those that are fitted: by as much as the line counts
// too little now. A line of which too few pairs were seen keeps its bits.
func (c *Calibration) Fit(w *match.Weights) {
	by := map[string]Evidence{}
	for _, e := range c.Evidence() {
		by[e.Code] = e
	}
	for i := range w.Lines {
		l := &w.Lines[i]
		e := by[l.Line]
		l.M, l.U, l.Fitted = e.M, e.U, math.NaN()
		if e.True < leastTrue || e.Random < leastRandom {
			continue
		}
		l.Fitted = tenth(l.Bits + e.Fitted - e.Engine)
		if l.Fit {
			l.Bits = l.Fitted
		}
	}
}

func share(n, of int) float64 { return float64(n) / float64(max(of, 1)) }

// Step is a stretch of the curve from bits to the chance that a candidate is the one who is meant.
type Step struct {
	From, To float64 // bits, both inside
	N, True  int
}

// P is the share of true ones.
func (s Step) P() float64 { return share(s.True, s.N) }

// Curve is the isotonic regression of the candidates (pool adjacent violators; Barlow and others 1972): the rising steps
// that lie nearest to what was counted. gated leaves those whose bits decide whether they are hits.
func (c *Calibration) Curve(gated bool) []Step {
	points := make([]point, 0, len(c.points))
	for _, p := range c.points {
		if p.gate || !gated {
			points = append(points, p)
		}
	}
	slices.SortStableFunc(points, func(a, b point) int { return cmp.Compare(a.bits, b.bits) })
	var out []Step
	for _, p := range points {
		s := Step{From: p.bits, To: p.bits, N: 1}
		if p.same {
			s.True = 1
		}
		if n := len(out); n > 0 && out[n-1].To == p.bits { // the same bits are one value
			s = Step{out[n-1].From, p.bits, out[n-1].N + 1, out[n-1].True + s.True}
			out = out[:n-1]
		}
		for n := len(out); n > 0 && out[n-1].P() >= s.P(); n = len(out) {
			s = Step{out[n-1].From, s.To, out[n-1].N + s.N, out[n-1].True + s.True}
			out = out[:n-1]
		}
		out = append(out, s)
	}
	return out
}

// Bins counts the candidates in stretches of so many bits, the first step ending below from: where a curve is one long
// step, they show how many it rests on.
func (c *Calibration) Bins(gated bool, from, width, to float64) []Step {
	out := []Step{{From: math.Inf(-1), To: from}}
	for at := from; at < to; at += width {
		out = append(out, Step{From: at, To: at + width})
	}
	for _, p := range c.points {
		if i := int(math.Floor((p.bits-from)/width)) + 1; (p.gate || !gated) && i < len(out) {
			s := &out[max(i, 0)]
			s.N++
			if p.same {
				s.True++
			}
		}
	}
	return out
}

// Threshold is the least number of bits from which on the curve says at least p.
func Threshold(curve []Step, p float64) (bits float64, ok bool) {
	for _, s := range curve {
		if s.P() >= p {
			return s.From, true
		}
	}
	return 0, false
}
