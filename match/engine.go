package match

import (
	"math"
	"slices"
	"strconv"
	"sync"

	"github.com/pilinhub/pilin/match/internal/hanzi"
	"github.com/pilinhub/pilin/match/normal"
)

// Engine finds subjects by anything that is known of them and says why. It keeps immutable segments of postings and a
// small mutable part; what is gone is left out at once and dropped when segments merge. The zero Engine is not ready: use
// NewEngine. It may be used by any number of goroutines.
type Engine struct {
	writer sync.Mutex // one change at a time; a merge holds it, questions do not wait for it

	mu       sync.RWMutex
	subjects []*subject // nil once gone
	years    []uint8    // birth year of each, from 1851; 0 unknown
	at       map[Ref]uint32
	gone     map[Ref]uint64 // so that an older record that comes late does not return
	segments []span
	delta    map[uint64][]uint32
	first    uint32 // the first subject that only delta knows
	live     int
	counts   counts
}

// span is a segment and the subjects it files.
type span struct {
	*segment
	from, to uint32
}

// counts are the registry's own frequencies, by which rare agreement weighs more.
type counts struct {
	surname, given, sound []uint32 // by character, and by syllable
	names, chars          float64
	years                 [256]uint32 // birth years from 1850
	births                float64
}

const charLimit = 0x32400

// NewEngine returns an empty engine.
func NewEngine() *Engine {
	return &Engine{at: map[Ref]uint32{}, gone: map[Ref]uint64{}, delta: map[uint64][]uint32{},
		counts: counts{surname: make([]uint32, charLimit), given: make([]uint32, charLimit), sound: make([]uint32, 4096)}}
}

// deltaLimit is how many subjects stand in the mutable part before they become a segment.
const deltaLimit = 8192

// Put makes en the entry of its subject, unless a newer change is known. Equal Seq replaces.
func (e *Engine) Put(en Entry) {
	s := readEntry(&en)
	e.writer.Lock()
	defer e.writer.Unlock()
	e.mu.Lock()
	if e.take(s) {
		id := uint32(len(e.subjects) - 1)
		for _, k := range s.keys() {
			e.delta[k] = append(e.delta[k], id)
		}
	}
	full := len(e.subjects)-int(e.first) >= deltaLimit
	e.mu.Unlock()
	if full {
		e.merge()
	}
}

// Load puts many entries at once and leaves them in one segment.
func (e *Engine) Load(all []Entry) {
	read := make([]*subject, len(all))
	parallel(len(all), func(from, to int) {
		for i := from; i < to; i++ {
			read[i] = readEntry(&all[i])
		}
	})
	e.writer.Lock()
	defer e.writer.Unlock()
	e.mu.Lock()
	for _, s := range read {
		e.take(s)
	}
	e.mu.Unlock()
	e.merge()
}

// take files a subject without its keys; false if a newer change is known.
func (e *Engine) take(s *subject) bool {
	if seq, ok := e.gone[s.ref]; ok && s.seq <= seq {
		return false
	}
	if id, ok := e.at[s.ref]; ok {
		if old := e.subjects[id]; s.seq < old.seq {
			return false
		}
		e.drop(id)
	}
	delete(e.gone, s.ref)
	e.at[s.ref] = uint32(len(e.subjects))
	e.subjects = append(e.subjects, s)
	e.years = append(e.years, yearColumn(s.birth))
	e.live++
	e.counts.count(s, 1)
	return true
}

func (e *Engine) drop(id uint32) {
	e.counts.count(e.subjects[id], -1)
	e.subjects[id] = nil
	e.live--
}

// Delete takes a subject out, as of the record with sequence seq. A Put of that sequence or an older one does not bring
// it back.
func (e *Engine) Delete(r Ref, seq uint64) {
	e.writer.Lock()
	defer e.writer.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	if id, ok := e.at[r]; ok {
		if seq < e.subjects[id].seq {
			return
		}
		e.drop(id)
		delete(e.at, r)
	}
	e.gone[r] = max(e.gone[r], seq)
}

// Len returns the number of subjects.
func (e *Engine) Len() int {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.live
}

// merge makes a segment of what only delta knows, together with the segments that are not at least twice as large. The
// writer's lock is held; questions go on meanwhile.
func (e *Engine) merge() {
	from, to := e.first, uint32(len(e.subjects))
	keep := len(e.segments)
	for keep > 0 && e.segments[keep-1].to-e.segments[keep-1].from < 2*(to-from) {
		keep--
		from = e.segments[keep].from
	}
	if from == to {
		return
	}
	seg := newSegment(postings(e.subjects, from, to))
	e.mu.Lock()
	e.segments = append(slices.Clone(e.segments[:keep]), span{seg, from, to})
	e.delta, e.first = map[uint64][]uint32{}, to
	e.mu.Unlock()
}

func postings(subjects []*subject, from, to uint32) []posting {
	var mu sync.Mutex
	var all []posting
	parallel(int(to-from), func(a, b int) {
		var mine []posting
		for i := a; i < b; i++ {
			id := from + uint32(i)
			if s := subjects[id]; s != nil {
				for _, k := range s.keys() {
					mine = append(mine, posting{k, id})
				}
			}
		}
		mu.Lock()
		all = append(all, mine...)
		mu.Unlock()
	})
	return all
}

// parallel cuts 0..n into two halves that run side by side.
func parallel(n int, do func(from, to int)) {
	var wg sync.WaitGroup
	wg.Go(func() { do(0, n/2) })
	do(n/2, n)
	wg.Wait()
}

func (c *counts) count(s *subject, by int) {
	if y, ok := yearIndex(s.birth); ok {
		c.years[y] += uint32(by)
		c.births += float64(by)
	}
	for i := range s.names[:s.main] {
		n := &s.names[i]
		if n.Form != normal.Han {
			continue
		}
		c.names += float64(by)
		for j, r := range n.Chars {
			if r < 0 || r >= charLimit {
				continue
			}
			at := c.given
			if j < n.Surname {
				at = c.surname
			}
			at[r] += uint32(by)
			c.chars += float64(by)
			if f := hanzi.First(r); int(f) < len(c.sound) {
				c.sound[f] += uint32(by)
			}
		}
	}
}

func yearIndex(birth string) (int, bool) {
	if len(birth) < 4 {
		return 0, false
	}
	y, err := strconv.Atoi(birth[:4])
	return y - 1850, err == nil && y >= 1850 && y < 2106
}

func yearColumn(birth string) uint8 {
	if y, ok := yearIndex(birth); ok && y > 0 {
		return uint8(y)
	}
	return 0
}

// yearBits is the information in the same birth year, smoothed towards sixty years.
func (c *counts) yearBits(birth string) float64 {
	y, ok := yearIndex(birth)
	if !ok {
		return 5.3
	}
	return min(8, math.Log2((c.births+600)/(float64(c.years[y])+10)))
}

// bitsOf is the information in one character being the same: the rarer the more. Counts are smoothed towards a list of
// 3,000 characters, so that a small registry does not think everything rare.
func (c *counts) bitsOf(r rune, surname bool) float64 {
	n, total := uint32(0), c.chars-c.names
	at := c.given
	if surname {
		at, total = c.surname, c.names
	}
	if r >= 0 && r < charLimit {
		n = at[r]
	}
	return math.Log2((total + 600) / (float64(n) + 0.2))
}

// soundBits is the information in one toneless syllable being the same.
func (c *counts) soundBits(s hanzi.Syllable) float64 {
	n := uint32(0)
	if int(s) < len(c.sound) {
		n = c.sound[s]
	}
	return math.Log2((c.chars + 200) / (float64(n) + 0.5))
}

// find lists the subjects under key in all segments and the mutable part.
func (e *Engine) find(key uint64, out []uint32) []uint32 {
	for i := range e.segments {
		out = append(out, e.segments[i].find(key)...)
	}
	return append(out, e.delta[key]...)
}
