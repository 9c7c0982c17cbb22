package match

import (
	"encoding/binary"
	"math"
)

// Pair is a question beside one entry of the registry, whether or not a key would have found it. Calibration counts pairs:
// of a question and the entry that is meant, and of a question and any entry.
type Pair struct {
	ID    string
	Score float64
	// Gate reports that a gate holds if there are bits enough: they decide whether the entry is a hit. It does not where a
	// number, plate or house makes it a hit however few there are.
	Gate  bool
	Lines []Evidence // as in an answer; county_other with 0 bits where both name a county and it is not the same
}

// Beside weighs a question beside the entries at these places of the registry.
func (ev *Evaluation) Beside(l QueryLine, places []int, yield func(place int, p Pair)) {
	e := ev.Engine
	q := readQuestion(l.Question())
	e.writer.Lock()
	defer e.writer.Unlock()
	e.mu.RLock()
	defer e.mu.RUnlock()
	g := e.gather(&q, &Within{})
	defer g.done()
	c := e.context(&q, g, &Answer{})
	for _, i := range places {
		id, ok := ev.stored(i)
		if !ok {
			continue
		}
		s := g.subject(id)
		t := e.weigh(&q, s, c, true)
		if q.county != "" && q.place.IsZero() && s.county != "" && s.county != q.county {
			t.lines = append(t.lines, Evidence{Code: "county_other"})
		}
		p := Pair{ID: ev.ids[i], Score: tenth(t.bits), Lines: t.lines}
		t.bits = math.Inf(-1)
		sure := t.outcome(&q) == Hit
		t.bits = math.Inf(1)
		p.Gate = t.outcome(&q) == Hit && !sure
		yield(i, p)
	}
}

// stored finds the entry that stood at a place of the registry. The writer's lock is held.
func (ev *Evaluation) stored(place int) (id uint32, ok bool) {
	e := ev.Engine
	p := where{stream: e.store.number[ev.members[place]]}
	binary.BigEndian.PutUint64(p.subject[8:], uint64(place))
	_, id, ok = e.at.find(e.secret.place(p), p, &e.store)
	return id, ok
}
