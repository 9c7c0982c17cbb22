package match

import (
	"slices"
	"strings"

	"github.com/pilinhub/pilin/match/internal/hanzi"
	"github.com/pilinhub/pilin/match/normal"
)

// Limits of one question.
const (
	crowded       = 2000 // a key with more subjects is used only beside others
	maxCandidates = 4000
)

// gather collects candidates, the most selective keys first.
type gather struct {
	e         *Engine
	ids       []uint32
	scratch   []uint32
	truncated bool
}

func (g *gather) probe(key uint64) {
	if len(g.ids) >= maxCandidates {
		g.truncated = true
		return
	}
	g.scratch = g.e.find(key, g.scratch[:0])
	if len(g.scratch) > crowded {
		g.truncated = true
		return
	}
	g.ids = append(g.ids, g.scratch...)
}

// fallback uses a crowded key for lack of a better one: its first subjects.
func (g *gather) fallback(key uint64) {
	g.scratch = g.e.find(key, g.scratch[:0])
	g.ids = append(g.ids, g.scratch[:min(len(g.scratch), crowded)]...)
}

// count is how many subjects stand under a key; a few strangers may be among them.
func (g *gather) count(key uint64) int {
	g.scratch = g.e.find(key, g.scratch[:0])
	return len(g.scratch)
}

func (g *gather) run(q *posed) {
	g.numbers(q)
	if q.plate.Bare != "" {
		g.probe(keyOf(byPlate, q.plate.Full))
		g.probe(keyOf(byPlateSkeleton, q.plate.Skeleton()))
		g.probe(keyOf(byPlateBare, q.plate.Bare))
	}
	g.place(q)
	if q.org.Core != "" {
		var k keySet
		orgKeys(&k, q.org)
		for _, key := range k {
			g.probe(key)
		}
	}
	g.name(q)
	slices.Sort(g.ids)
	g.ids = slices.Compact(g.ids)
	if len(g.ids) > maxCandidates {
		g.truncated = true
	}
}

func (g *gather) numbers(q *posed) {
	id := q.id
	if id.Whole {
		g.probe(keyOf(byNumber, id.Number))
		if !id.Valid {
			for i := range id.Number {
				g.probe(keyOf(byNumberLess, id.Number[:i]+id.Number[i+1:]))
			}
		}
	}
	if n := id.Number; n != "" && !id.Whole {
		for _, t := range []struct {
			kind keyKind
			part string
		}{{byHead14, n[:14]}, {byTail6, n[12:]}, {byHeadTail, n[:4] + n[14:]}, {byTail4, n[14:]}} {
			if !strings.Contains(t.part, "*") {
				g.probe(keyOf(t.kind, t.part))
			}
		}
	}
	if p := id.Part; p != "" {
		if len(p) == 17 {
			g.probe(keyOf(byNumberLess, p))
		}
		if len(p) == 19 {
			for i := range p {
				g.probe(keyOf(byNumber, p[:i]+p[i+1:]))
			}
		}
		if len(p) >= 6 {
			g.probe(keyOf(byTail6, p[len(p)-6:]))
		}
		if len(p) >= 14 {
			g.probe(keyOf(byHead14, p[:14]))
		}
		if len(p) == 4 || len(p) == 5 {
			g.probe(keyOf(byTail4, p[len(p)-4:]))
		}
	}
	p := q.phone.Number
	if p == "" {
		return
	}
	g.probe(keyOf(byPhone, p))
	if q.phone.Masked {
		i, j := strings.IndexByte(p, '*'), strings.LastIndexByte(p, '*')
		tail := p[j+1:]
		switch {
		case len(tail) >= 7:
			g.probe(keyOf(byPhone7, tail[len(tail)-7:]))
		case len(tail) >= 4:
			g.probe(keyOf(byPhone4, tail[len(tail)-4:]))
		}
		if i >= 7 {
			g.probe(keyOf(byPhoneHead7, p[:7]))
		}
		return
	}
	if q.phone.Mobile {
		for i := 1; i < len(p); i++ {
			g.probe(keyOf(byPhoneLess, p[:i]+p[i+1:]))
		}
	}
	if q.phone.Part {
		switch {
		case len(p) == 10 && p[0] == '1':
			g.probe(keyOf(byPhoneLess, p))
		case len(p) >= 8:
			g.probe(keyOf(byPhone8, p[len(p)-8:]))
		case len(p) == 7:
			g.probe(keyOf(byPhone7, p))
			g.probe(keyOf(byPhoneHead7, p))
		case len(p) >= 4:
			g.probe(keyOf(byPhone4, p[len(p)-4:]))
		}
	} else if !q.phone.Mobile {
		g.probe(keyOf(byPhone7, p[len(p)-7:]))
	}
}

func (g *gather) place(q *posed) {
	a := &q.place
	if a.IsZero() {
		return
	}
	var k keySet
	placeKeys(&k, a)
	for _, key := range k {
		g.probe(key)
	}
	for _, area := range a.Areas { // the building or house alone, where the record stops there
		n := a.Numbers()
		if i := strings.IndexByte(n, '-'); i > 0 {
			g.probe(keyOf(byPlaceBare, area, n[:i]))
			g.probe(keyOf(byPlaceBare, area, n[i+1:]))
		}
		if j := strings.LastIndexByte(n, '-'); j > 0 {
			g.probe(keyOf(byPlaceBare, area, n[:j]))
		}
	}
}

// name adds candidates by the name, nearest first.
func (g *gather) name(q *posed) {
	n := &q.name
	before := len(g.ids)
	y := year(q.birth)
	switch n.Form {
	case normal.NoName:
		return
	case normal.Han:
		g.han(n, y)
	case normal.Nick:
		g.probe(keyOf(byWords, n.Whole))
	case normal.Mono:
		var k keySet
		nameKeys(&k, n, "", "")
		for _, key := range k {
			g.probe(key)
		}
	case normal.Latin:
		g.latin(q)
	}
	if n.Form == normal.Han && len(g.ids) == before && g.truncated {
		g.fallback(charKey(n.Chars))
	}
}

// context looks by single characters beside birth year or county, unless somebody has been found who must be meant. The
// new candidates alone stand in ids afterwards.
func (g *gather) context(q *posed, top []ranked) bool {
	if len(top) > 0 && top[0].sure {
		return false
	}
	n, y, county := &q.name, year(q.birth), q.county
	g.ids = g.ids[:0]
	for i, c := range n.Chars {
		if c == normal.Wild {
			continue
		}
		if i == 0 {
			c = normal.SurnameClass(c)
		}
		if y != "" {
			g.probe(start(byCharYear).add(uint64(c)).str(y).sum())
			g.probe(start(byFuzzyYear).add(uint64(hanzi.First(c).Fuzzy())).str(y).sum())
		}
		if county != "" && (n.Form == normal.Nick || n.Wilds() > 0 || len(n.Chars) == 2) {
			g.probe(start(byCharCounty).add(uint64(c)).str(county).sum())
		}
	}
	slices.Sort(g.ids)
	g.ids = slices.Compact(g.ids)
	return len(g.ids) > 0
}

func (g *gather) han(n *normal.Name, y string) {
	c := n.Chars
	seqs := sequences(n, 8)
	g.probe(charKey(c))
	g.probe(bagKey(c))
	for _, s := range seqs {
		if y != "" {
			g.probe(start(bySoundYear).add(soundKey(s)).str(y).sum())
		}
		g.probe(soundKey(s))
	}
	for i := range c { // look-alikes are tried here, not filed: the index does not grow by them
		if c[i] == normal.Wild {
			continue
		}
		other := slices.Clone(c)
		for _, l := range hanzi.Lookalikes(c[i]) {
			other[i] = l
			g.probe(charKey(other))
		}
	}
	for _, s := range seqs {
		g.probe(classKey(byFuzzy, classes(s, hanzi.Syllable.Fuzzy)))
	}
	if len(c) >= 3 {
		for i := range c {
			g.probe(charKey(without(c, i)))
		}
		for _, s := range seqs[:min(2, len(seqs))] {
			f := classes(s, hanzi.Syllable.Fuzzy)
			for i := range f {
				g.probe(classKey(byFuzzy, without(f, i)))
			}
		}
	}
	if len(c) >= 4 { // a transcription without its dot
		var k keySet
		n.Parts = []int{0}
		monoKeys(&k, n)
		for _, key := range k {
			g.probe(key)
		}
	}
}

func (g *gather) latin(q *posed) {
	g.probe(wordsKey(q.name.Words))
	for _, s := range q.spelled {
		if len(s.jyutping) > 0 {
			g.probe(keyOf(byCantonese, s.jyutping...))
			continue
		}
		g.probe(soundKey(s.syllables))
	}
	for _, s := range q.spelled {
		if len(s.jyutping) == 0 && !s.wade {
			g.probe(classKey(byFuzzy, classes(s.syllables, hanzi.Syllable.Fuzzy)))
			if len(s.syllables) >= 4 {
				g.probe(classKey(byCoarse, classes(s.syllables, hanzi.Syllable.Coarse)))
			}
		}
	}
	if y := year(q.birth); y != "" {
		for _, w := range q.name.Words {
			g.probe(keyOf(byCharYear, w, y))
		}
	}
}
