package match

import (
	"math"
	"slices"
	"strings"

	"github.com/pilinhub/pilin/match/normal"
)

// EngineVersion names keys, weights and gates together. Who keeps an answer keeps it beside it.
const EngineVersion = "match-v2+" + normal.Version

// Gates. Figures are the starting values of the design; a calibration replaces them under a new version.
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
	Candidates []Candidate // best first, at most ten
	Namesakes  int         // subjects with exactly this name: 同名 N 人, never a hit
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
	placeOwners int
	orgOwners   int
}

// Ask finds who may be meant. It never refuses: what cannot be read finds nothing by it.
func (e *Engine) Ask(question Question) Answer {
	q := readQuestion(question)
	e.mu.RLock()
	defer e.mu.RUnlock()
	g := e.gather(&q)
	defer g.done()
	out := Answer{CheckDigit: q.id.Whole && !q.id.Valid}
	c := e.context(&q, g, &out)
	var top []ranked
	for _, stage := range stages {
		g.run(stage, &q)
		top = g.rank(&q, c, e.sameYears(&q, g.ids), top)
		if len(top) > 0 && top[0].sure || len(top) == shown && q.nameAlone {
			break // by a name alone nothing fainter comes before ten who bear it
		}
	}
	out.Truncated = g.truncated
	for _, x := range top {
		s := g.subject(x.id)
		t := e.weigh(&q, s, c, true)
		out.Candidates = append(out.Candidates, Candidate{s.ref, math.Round(t.bits*10) / 10, t.outcome(&q), t.lines})
	}
	return out
}

// Limits of what is weighed when a birth year was asked.
const (
	manyFound  = 150 // above so many, those of the year asked are weighed
	otherYears = 100 // and at most so many others when they are few
)

// sameYears leaves of many candidates those whose birth year is the one asked, a year off or not known: others could come
// first only where these are few, and then some of them stay.
func (e *Engine) sameYears(q *posed, ids []uint32) []uint32 {
	y := int(yearColumn(q.birth))
	if y == 0 || len(ids) <= manyFound {
		return ids
	}
	near := make([]uint32, 0, len(ids))
	for _, id := range ids {
		if o := int(e.store.year(id)); o == 0 || o-y <= 1 && y-o <= 1 {
			near = append(near, id)
		}
	}
	if len(near) >= shown {
		return near
	}
	for _, id := range ids[:min(len(ids), otherYears)] {
		if !slices.Contains(near[:min(len(near), shown)], id) {
			near = append(near, id)
		}
	}
	return near
}

// ranked is a candidate before its lines are written.
type ranked struct {
	id   uint32
	bits float64
	sure bool // another key could bring nobody better
}

// rank weighs subjects and keeps the best.
func (g *gather) rank(q *posed, c *context, ids []uint32, top []ranked) []ranked {
	for _, id := range ids {
		s := g.subject(id)
		if s == nil {
			continue
		}
		t := g.e.weigh(q, s, c, false)
		if t.other <= 0 && t.name <= nameOther {
			continue // found by chance: nothing speaks for it
		}
		if len(top) == shown && t.bits <= top[shown-1].bits || slices.ContainsFunc(top, func(x ranked) bool { return x.id == id }) {
			continue
		}
		i := len(top)
		for i > 0 && top[i-1].bits < t.bits {
			i--
		}
		sure := t.bits >= hitBits && t.name >= nameSound && !t.birthNo || t.numbers && t.name != nameOther
		top = slices.Insert(top, i, ranked{id, t.bits, sure})
		top = top[:min(shown, len(top))]
	}
	return top
}

// manyBearers is above how many bearers of a name are counted by their key alone.
const manyBearers = 400

func (e *Engine) context(q *posed, g *gather, out *Answer) *context {
	c := &context{n: float64(max(e.store.live, 2))}
	c.prior = -1 - math.Log2(c.n)
	parts := 0
	if n := q.name.Form; n == normal.Han || n == normal.Mono {
		bearers := e.find(charKey(q.name.Chars), nil)
		if len(bearers) > manyBearers { // few strangers stand under a key
			out.Namesakes, bearers = len(bearers), nil
		}
		parts = max(len(bearers), out.Namesakes)
		for _, id := range bearers {
			if s := g.subject(id); s != nil {
				for i := range s.names {
					if slices.Equal(s.names[i].Chars, q.name.Chars) && q.name.Wilds() == 0 {
						out.Namesakes++
						break
					}
				}
			}
		}
	}
	c.nameBits = share(c.n, out.Namesakes)
	c.partBits = share(c.n, parts)
	if q.phone.Number != "" {
		c.phoneOwners = g.count(keyOf(byPhone, q.phone.Number), func(s *subject) bool { return slices.Contains(s.phones, q.phone.Number) })
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
	if t.veto || t.sexNo && !t.idEqual || t.birthNo && !t.idEqual || t.name == nameOther {
		return Possible
	}
	switch {
	case t.idEqual && !t.doubted, // the number itself
		t.numbers && (!named || t.name >= nameNear || t.name == nameFaint): // phone or plate, no name against it
		return Hit
	case t.placeOK && (!named || t.name >= nameNear): // the address itself, where one lives there or the name agrees
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
