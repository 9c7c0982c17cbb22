package match

import (
	"sync"

	"github.com/pilinhub/pilin/match/normal"
)

// lookup is the memory of one question, used again by later ones.
type lookup struct {
	e     *Engine
	in    *Within
	limit int
	seen  map[uint32]bool // what in said of a shelf
	keys  []sought
	spans []place
	want  wanted
	x     scratch
	near  []uint32
	hopes []hopeful
	marks []mark
	stage int
	found seen // in this stage
	known seen // ranked, or not worth it
	pairs pairs
	one   normal.Name
	chars [markChars]rune // of one
}

// span is a part of an index.
type span struct{ lo, hi int }

// place is where a key stands: in the base, in the recent part, in the deltas.
type place struct {
	base, recent span
	frozen, late uint32
}

// place says where to look for a filed key; nothing is read there yet.
func (e *Engine) place(key uint64) place {
	p := place{recent: e.recent.bucket(key), late: e.delta.head(key)}
	if s := e.base; s.width > 0 {
		b := s.bucket(key)
		p.base = span{int(s.start(b)), int(s.start(b + 1))}
	}
	if e.frozen != nil {
		p.frozen = e.frozen.head(key)
	}
	return p
}

var lookups = sync.Pool{New: func() any { return &gather{} }}

func (e *Engine) gather(q *posed, w *Within) *gather {
	g := lookups.Get().(*gather)
	g.e, g.want, g.truncated, g.stage = e, q.wants(), false, 0
	g.in, g.limit, g.seen = w, w.limit(), nil
	if w.In != nil {
		g.seen = map[uint32]bool{}
	}
	g.found.fit(e.store.n)
	g.known.fit(e.store.n)
	g.pairs.asked++
	return g
}

// done gives the memory back.
func (g *gather) done() {
	g.e, g.in = nil, nil
	g.known.empty()
	lookups.Put(g)
}

// absent reports a subject that is gone or that the question may not find.
func (g *gather) absent(id uint32) bool {
	if g.e.store.mark(id).gone() {
		return true
	}
	if g.seen == nil {
		return false
	}
	shelf := g.e.store.shelf(id)
	in, ok := g.seen[shelf]
	if !ok {
		in = g.in.has(shelf)
		g.seen[shelf] = in
	}
	return !in
}

// subject reads a subject; nil if it is absent. It holds until the next is read.
func (g *gather) subject(id uint32) *subject {
	if g.absent(id) {
		return nil
	}
	return g.e.store.read(id, g.want, &g.x)
}

// flush looks all keys up that were probed, together: one waits for memory while the next is already asked for. They count
// in their order.
func (g *gather) flush() {
	base := g.e.base
	g.spans = grown(g.spans, len(g.keys))
	for i := range g.keys {
		k := &g.keys[i].key
		*k = g.e.secret.file(*k)
		g.spans[i] = g.e.place(*k)
	}
	for i := range g.spans {
		s := &g.spans[i].base
		s.lo, s.hi = base.within(s.lo, s.hi, base.check(g.keys[i].key))
	}
	for i := range g.spans {
		if len(g.ids) >= maxCandidates {
			g.truncated = true
			break
		}
		s := g.spans[i].base
		g.scratch = g.e.lately(g.spans[i], g.keys[i].key, g.scratch[:0])
		if s.hi-s.lo+len(g.scratch) > maxLooked {
			g.truncated = true
			continue
		}
		before := len(g.ids) // who is absent does not make a key crowded: hidden ones change nothing, and gone ones depend on when the index merged
		for j := s.lo; j < s.hi; j++ {
			if id := base.id(j); !g.absent(id) {
				g.ids = append(g.ids, id)
			}
		}
		for _, id := range g.scratch {
			if !g.absent(id) {
				g.ids = append(g.ids, id)
			}
		}
		if len(g.ids)-before > g.keys[i].most {
			g.ids, g.truncated = g.ids[:before], true
		}
	}
	g.keys = g.keys[:0]
}

// find lists the subjects under key; some may be gone, and a few strangers may be among them.
func (e *Engine) find(key uint64, out []uint32) []uint32 {
	key = e.secret.file(key)
	p := e.place(key)
	lo, hi := e.base.within(p.base.lo, p.base.hi, e.base.check(key))
	for i := lo; i < hi; i++ {
		out = append(out, e.base.id(i))
	}
	return e.lately(p, key, out)
}

// lately lists the subjects under a filed key that the base does not know.
func (e *Engine) lately(p place, key uint64, out []uint32) []uint32 {
	out = e.recent.find(p.recent, key, out)
	if e.frozen != nil {
		out = e.frozen.find(p.frozen, key, out)
	}
	return e.delta.find(p.late, key, out)
}
