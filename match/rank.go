package match

import (
	"math"
	"slices"

	"github.com/pilinhub/pilin/match/normal"
)

// manyFound is above how many candidates those of the birth year asked are weighed alone.
const manyFound = 150

// sameYears leaves of many candidates those whose birth year is the one asked, a year off or not known: others could come
// first only where these are few, and then all stay.
func (g *gather) sameYears(q *posed) []uint32 {
	y := int(yearColumn(q.birth))
	if y == 0 || len(g.ids) <= manyFound {
		return g.ids
	}
	near, there := g.near[:0], 0
	for _, id := range g.ids {
		if g.absent(id) {
			continue
		}
		m := g.e.store.mark(id)
		there++
		if o := int(m.year()); o == 0 || o-y <= 1 && y-o <= 1 {
			near = append(near, id)
		}
	}
	g.near = near
	if there > manyFound && len(near) >= g.limit {
		return near
	}
	return g.ids
}

// ranked is a candidate before its lines are written.
type ranked struct {
	id    uint32
	stage int
	bits  float64
	sure  bool // another key could bring nobody better
}

// before orders candidates: more bits first, then who was found earlier, then the lower number.
func (r *ranked) before(bits float64, stage int, id uint32) bool {
	switch {
	case r.bits != bits:
		return r.bits > bits
	case r.stage != stage:
		return r.stage < stage
	}
	return r.id < id
}

// hopeful is a candidate that was not weighed yet: the most it may come to, or, where its mark says all that is asked for,
// what it comes to.
type hopeful struct {
	id    uint32
	most  float64
	exact bool
	sure  bool // if exact
}

// rank weighs subjects and keeps the best. Where the question is a name, with birth, sex or county at most, a bound is made
// from a subject's mark first, and who cannot come among the ten is not read at all; with a birth year at most, nobody is.
func (g *gather) rank(q *posed, c *context, ids []uint32, top []ranked) []ranked {
	g.stage++
	g.marks = grown(g.marks, len(ids))
	for i, id := range ids { // nothing else in this loop: the loads of several go on at once
		g.marks[i] = g.e.store.mark(id)
	}
	g.hopes = g.hopes[:0]
	b := g.bounding(q, c)
	for i, id := range ids {
		if g.marks[i].gone() || g.known.has(id) || g.seen != nil && g.absent(id) {
			continue // ranked in an earlier stage, or seen to come to nothing
		}
		g.known.set(id)
		h, ok := b.hope(id, g.marks[i])
		if !ok || len(top) == g.limit && top[g.limit-1].before(h.most, g.stage, h.id) {
			continue
		}
		if h.exact {
			top = g.placed(ranked{h.id, g.stage, h.most, h.sure}, top)
			continue
		}
		g.hopes = append(g.hopes, h)
	}
	for rest, round := g.hopes, 2*g.limit; len(rest) > 0; round *= 2 {
		if len(top) == g.limit {
			worst := top[g.limit-1]
			rest = slices.DeleteFunc(rest, func(h hopeful) bool { return worst.before(h.most, g.stage, h.id) })
		}
		n := sift(rest, round)
		for _, h := range rest[:n] {
			top = g.weighed(q, c, h, top)
		}
		rest = rest[n:]
	}
	return top
}

// weighed reads a subject and takes it in where it belongs.
func (g *gather) weighed(q *posed, c *context, h hopeful, top []ranked) []ranked {
	if len(top) == g.limit && top[g.limit-1].before(h.most, g.stage, h.id) {
		return top
	}
	t := g.e.weigh(q, g.subject(h.id), c, false)
	if t.chance() {
		return top
	}
	return g.placed(ranked{h.id, g.stage, t.bits, t.sure()}, top)
}

// chance: nothing speaks for the subject.
func (t *tally) chance() bool { return t.other <= 0 && t.name <= nameOther }

// sure: another key could bring nobody better.
func (t *tally) sure() bool {
	return t.bits >= hitBits && t.name >= nameSound && !t.birthNo || t.numbers && t.name != nameOther
}

// placed takes r in where it belongs, if it does.
func (g *gather) placed(r ranked, top []ranked) []ranked {
	if len(top) == g.limit && top[g.limit-1].before(r.bits, r.stage, r.id) {
		return top
	}
	i := len(top)
	for i > 0 && !top[i-1].before(r.bits, r.stage, r.id) {
		i--
	}
	return slices.Insert(top, i, r)[:min(g.limit, len(top)+1)]
}

func byHope(a, b hopeful) int {
	switch {
	case a.most > b.most:
		return -1
	case a.most < b.most:
		return 1
	}
	return int(a.id) - int(b.id)
}

// sift brings the n most hopeful to the front, in order, and says how many these are.
func sift(h []hopeful, n int) int {
	if n >= len(h) || n > 100 {
		slices.SortFunc(h, byHope)
		return len(h)
	}
	slices.SortFunc(h[:n], byHope)
	for i := n; i < len(h); i++ {
		if byHope(h[i], h[n-1]) >= 0 {
			continue
		}
		x := h[i]
		h[i] = h[n-1]
		j := n - 1
		for j > 0 && byHope(x, h[j-1]) < 0 {
			h[j] = h[j-1]
			j--
		}
		h[j] = x
	}
	return n
}

// A bound is the most that weighing can give, from the mark alone: the name, compared as weighing does, and what a birth
// may come to. It has to follow the evidence: TestBound fails when a subject comes to more.
type bound struct {
	g      *gather
	q      *posed
	c      *context
	none   bool // a mark says nothing of what is asked
	exact  bool // a simple mark says all that is asked
	year   int
	birth  float64 // at most for the same year
	beside float64 // at most for what a mark does not tell
}

func (g *gather) bounding(q *posed, c *context) bound {
	b := bound{g: g, q: q, c: c}
	if b.none = q.name.Form != normal.Han || len(q.name.Chars) > markChars+1 || g.want != 0 || q.id.Number != ""; b.none {
		return b
	}
	b.exact = q.birth == ""
	switch y, ok := yearIndex(q.birth); {
	case ok && y > 0:
		b.year = y
		b.exact = len(q.birth) == 4
		year := g.e.counts.yearBits(q.birth)
		b.birth = year + weights.birthYear
		if len(q.birth) == 10 {
			b.birth = max(b.birth, year+weights.birthDay)
		}
	case q.birth != "": // a year that no mark tells
		b.beside += max(0, weights.birthYearNear)
	}
	if q.sex != 0 {
		b.exact = false
		b.beside += max(0, weights.sexEqual)
	}
	if q.county != "" {
		b.exact = false
		b.beside += max(0, weights.county)
	}
	return b
}

func tenth(bits float64) float64 { return math.Round(bits*10) / 10 }

// hope is what a subject may come to; false if nothing can speak for it.
func (b *bound) hope(id uint32, m mark) (hopeful, bool) {
	if b.none || !m.simple() {
		return hopeful{id: id, most: math.Inf(1)}, true
	}
	v := b.name(m)
	level, bits := v.level(), v.bits
	if m.two() {
		w := b.name(b.g.e.store.second(id))
		if w.level() > nameOther {
			w.bits += weights.alias
		}
		if nearer(w.level(), w.bits, level, bits) {
			v, level, bits = w, w.level(), w.bits
		}
	}
	bits = inList(level, bits, v.how == hanOneOther, b.c)
	t := tally{name: level}
	t.add("", b.c.prior, "")
	t.add("", bits, "")
	if y := int(m.year()); b.year != 0 && y != 0 {
		switch d := max(y-b.year, b.year-y); d {
		case 0:
			t.other = b.birth
			t.add("", b.birth, "")
		case 1:
			t.add("", weights.birthYearNear, "")
		default:
			t.birthNo = true
			t.add("", weights.birthOther, "")
		}
	}
	if !b.exact {
		return hopeful{id: id, most: t.bits + b.beside + 0.05}, true
	}
	return hopeful{id, t.bits, true, t.sure()}, !t.chance()
}

// name compares the question's name with that of a mark.
func (b *bound) name(m mark) hanVerdict {
	g := b.g
	n := m.chars(&g.chars)
	g.one.Form, g.one.Surname, g.one.Chars, g.one.Written = normal.Han, 1, g.chars[:n], g.chars[:n]
	p := pairing{g.e, &b.q.name, &g.one, &g.pairs}
	return p.compare(b.c)
}

// pairs remembers what characters beside each other gave in this question.
type pairs struct {
	slots [pairSlots]struct {
		key  uint64 // question above place and characters; 0 empty
		bits float64
		code pairCode
	}
	asked uint64
}

const pairSlots = 4096

// worth is for names written as they are folded, the record's with a surname of one character.
func (k *pairs) worth(p *pairing, i, j int) (float64, pairCode) {
	first, c := uint64(0), uint64(p.r.Chars[j])
	if j == 0 {
		first = 1
	}
	key := k.asked<<24 | uint64(i)<<18 | first<<17 | c
	slot := &k.slots[(c*0x9e3779b1+uint64(i)*0x85ebca6b+first)>>7%pairSlots]
	if slot.key != key {
		v := p.pair(i, j)
		slot.key, slot.bits, slot.code = key, v.bits, v.code
	}
	return slot.bits, slot.code
}

// namesakes counts the subjects with exactly this name, and those who bear it at least as a part of theirs.
func (g *gather) namesakes(n *normal.Name) (same []uint32, parts int) {
	if n.Wilds() > 0 {
		return nil, 0
	}
	g.scratch = g.e.find(charKey(n.Chars), g.scratch[:0])
	for _, id := range g.scratch {
		m := g.e.store.mark(id)
		if g.absent(id) {
			continue
		}
		parts++
		if m.simple() {
			var r [markChars]rune
			equal := slices.Equal(r[:m.chars(&r)], n.Chars)
			if !equal && m.two() {
				second := g.e.store.second(id)
				equal = slices.Equal(r[:second.chars(&r)], n.Chars)
			}
			if equal {
				same = append(same, id)
			}
			continue
		}
		s := g.subject(id)
		for i := range s.names {
			if slices.Equal(s.names[i].Chars, n.Chars) {
				same = append(same, id)
				break
			}
		}
	}
	slices.Sort(same) // the delta gives the newest first
	return same, parts
}

// seen is a set of subjects that is emptied by going through who is in it.
type seen struct {
	words []uint64
	in    []uint32
}

func (s *seen) fit(n int) {
	if len(s.words) < n/64+1 {
		s.words = make([]uint64, n/64+n/512+64)
	}
}

func (s *seen) has(id uint32) bool { return s.words[id/64]>>(id%64)&1 != 0 }

func (s *seen) set(id uint32) {
	s.words[id/64] |= 1 << (id % 64)
	s.in = append(s.in, id)
}

func (s *seen) empty() {
	for _, id := range s.in {
		s.words[id/64] = 0
	}
	s.in = s.in[:0]
}

// distinct leaves each of ids once.
func (s *seen) distinct(ids []uint32) []uint32 {
	out := ids[:0]
	for _, id := range ids {
		if !s.has(id) {
			s.set(id)
			out = append(out, id)
		}
	}
	s.empty()
	return out
}
