package match

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/pilinhub/pilin/match/normal"
)

// EngineVersion names keys, weights and gates together. Who keeps an answer keeps it beside it.
const EngineVersion = "match-v3+" + normal.Version

// Gates; docs/design/matching.md says why the calibration left them.
const (
	hitBits      = 4.3 // log2(0.95/0.05): the chance of a wrong hit that a gate may leave
	possibleBits = -2  // log2(0.2/0.8)
	shown        = 10
)

// Candidate is one subject that may be meant.
type Candidate struct {
	Ref     Ref
	Score   float64 // bits: the sum of Lines
	Outcome Outcome
	Lines   []Evidence
}

// Answer is what a question found.
type Answer struct {
	Candidates []Candidate // best first, at most ten or as many as were wanted
	Namesakes  int         // subjects with exactly this name: 同名 N 人, never a hit
	Same       []Ref       // which they are, as many as candidates were wanted
	Truncated  bool        // a key was too crowded or too many were found: there may be more
	CheckDigit bool        // 校验位不符,按相近号码查: the number asked for has a wrong check digit
}

// context is what the whole question knows before subjects are weighed.
type context struct {
	n           float64
	prior       float64
	nameBits    float64 // at most so much for the exact name: the registry's own count of it
	partBits    float64 // the same for a name that is part of others
	phoneOwners int
	plateOwners int // of a plate without its province
	placeOwners int
	orgOwners   int
}

// Ask finds who may be meant. It never refuses: what cannot be read finds nothing by it.
func (e *Engine) Ask(question Question) Answer { return e.AskWithin(question, Within{}) }

// AskWithin is Ask among the subjects that w accepts.
func (e *Engine) AskWithin(question Question, w Within) Answer {
	q := readQuestion(question)
	e.mu.RLock()
	defer e.mu.RUnlock()
	g := e.gather(&q, &w)
	defer g.done()
	out := Answer{CheckDigit: q.id.Whole && !q.id.Valid}
	c := e.context(&q, g, &out)
	var top []ranked
	for i, stage := range stages {
		g.run(stage, &q)
		top = g.rank(&q, c, g.sameYears(&q), top)
		if w.enough(i, &q, top) {
			break
		}
	}
	out.Truncated = g.truncated
	for _, x := range top {
		s := g.subject(x.id)
		t := e.weigh(&q, s, c, true)
		if w.Weighed && !t.worth() {
			continue
		}
		out.Candidates = append(out.Candidates, Candidate{s.ref, tenth(t.bits), t.outcome(&q), t.lines})
	}
	return out
}

func (e *Engine) context(q *posed, g *gather, out *Answer) *context {
	of := e.store.live
	if g.seen != nil {
		of = 0
		for shelf, n := range e.shelved {
			if g.in.has(shelf) {
				of += n
			}
		}
	}
	c := &context{n: float64(max(of, 2))}
	c.prior = -1 - math.Log2(c.n)
	parts := 0
	if n := q.name.Form; n == normal.Han || n == normal.Mono {
		var same []uint32
		same, parts = g.namesakes(&q.name)
		out.Namesakes = len(same)
		for _, id := range same[:min(len(same), g.limit)] {
			out.Same = append(out.Same, e.store.ref(id))
		}
		slices.SortFunc(out.Same, func(a, b Ref) int {
			return cmp.Or(strings.Compare(a.Stream, b.Stream), bytes.Compare(a.Subject[:], b.Subject[:]))
		})
	}
	c.nameBits = share(c.n, out.Namesakes)
	c.partBits = share(c.n, parts)
	if q.phone.Number != "" {
		c.phoneOwners = g.count(keyOf(byPhone, q.phone.Number), func(s *subject) bool { return slices.Contains(s.phones, q.phone.Number) })
	}
	if q.plate.Bare != "" {
		c.plateOwners = g.count(keyOf(byPlateBare, q.plate.Bare), func(s *subject) bool {
			return slices.ContainsFunc(s.plates, func(p normal.Plate) bool { return p.Bare == q.plate.Bare })
		})
	}
	if len(q.place.Areas) > 0 {
		key := keyOf(byPlaceBare, q.place.Areas[len(q.place.Areas)-1], q.place.Numbers())
		if q.place.County != "" {
			key = keyOf(byPlace, q.place.County, q.place.Areas[len(q.place.Areas)-1], q.place.Numbers())
		}
		c.placeOwners = g.count(key, func(s *subject) bool {
			var k keySet
			for i := range s.places {
				placeKeys(&k, &s.places[i])
			}
			return slices.Contains(k, key)
		})
	}
	if q.org.Core != "" {
		key := keyOf(byOrg, q.org.Core)
		c.orgOwners = g.count(key, func(s *subject) bool {
			var k keySet
			for _, o := range s.orgs {
				orgKeys(&k, o)
			}
			return slices.Contains(k, key)
		})
	}
	return c
}

// outcome judges a candidate: a hit only through a gate, never by a name alone.
func (t *tally) outcome(q *posed) Outcome {
	named := t.name != nameUnsaid
	agrees := t.name >= nameSound
	if t.veto || t.sexNo && !t.idEqual || t.birthNo && !t.idEqual || t.idNo && !t.idEqual || t.name == nameOther {
		return Possible
	}
	switch {
	case t.idEqual && !t.doubted, // the number itself
		t.numbers && (!named || t.name >= nameNear || t.name == nameFaint): // phone or plate, no name against it
		return Hit
	case t.placeOK: // the address itself, where one lives there or the name agrees
		return Hit
	case t.bits < hitBits:
		return Possible
	case agrees && t.full && (!t.doubted || q.birthOwn): // name and full birth date
		return Hit
	case t.name >= nameNear && t.support >= 2: // name and two supports
		return Hit
	case !named && t.org == nameSame && t.support >= 1: // an institution by name and, say, its address
		return Hit
	}
	return Possible
}

// Explain joins the lines of a candidate for people.
func (c Candidate) Explain() string {
	var out []string
	for _, l := range c.Lines {
		out = append(out, l.Text)
	}
	return strings.Join(out, ";")
}
