package match

import (
	"slices"
	"sync"
)

// Engine finds subjects by anything that is known of them and says why. Keys stand in three places: the base, which is
// immutable and holds nearly all, a recent part of at most a sixteenth of it, and a small mutable delta. What is gone is
// left out at once and dropped when they merge. The zero Engine is not ready: use NewEngine. It may be used by any number
// of goroutines.
type Engine struct {
	secret secret
	writer sync.Mutex // one change at a time; questions do not wait for it
	at     refs       // writers only
	gone   map[where]uint64
	merges sync.WaitGroup

	mu      sync.RWMutex
	store   store
	shelved map[uint32]int // subjects on each shelf
	counts  counts
	base    *segment
	recent  *recent
	frozen  *delta // being merged; nil if nothing is
	delta   *delta
	first   int // subjects below are in base or recent, or being merged
}

// Option changes what NewEngine makes.
type Option func(*Engine)

// WithSecret keys the index: postings are filed under a key derived from the secret, and snapshots are sealed under
// another. Sixteen bytes or more, the same at every start of the node. Without it there are no snapshots.
func WithSecret(s []byte) Option {
	return func(e *Engine) { e.secret = secretOf(slices.Clone(s)) }
}

// NewEngine returns an empty engine.
func NewEngine(options ...Option) *Engine {
	e := &Engine{gone: map[where]uint64{}, shelved: map[uint32]int{}, base: &segment{}, recent: &recent{}, delta: &delta{}, counts: newCounts()}
	for _, o := range options {
		o(e)
	}
	return e
}

// Limits of the mutable part, in subjects.
const (
	deltaLimit = 8192           // so many make a merge worth while
	deltaMost  = 8 * deltaLimit // with so many a Put waits for the merge that runs
	recentPart = 16             // the recent part is at most this part of the base
)

// arrival is an entry on its way in.
type arrival struct {
	subject *subject
	keys    []uint64 // where it is filed
	mark    mark
	second  mark // of an alias
}

func (e *Engine) read(en *Entry) arrival {
	s := readEntry(en)
	k := s.keys()
	for i := range k {
		k[i] = e.secret.file(k[i])
	}
	m, second := s.markOf()
	return arrival{s, k, m, second}
}

// Put makes en the entry of its subject, unless a newer change is known. Equal Seq replaces.
func (e *Engine) Put(en Entry) {
	r := e.read(&en)
	e.writer.Lock()
	defer e.writer.Unlock()
	if e.take(&r, func(key uint64, id uint32) { e.delta.add(key, id) }) && e.store.n-e.first >= deltaLimit {
		e.merge()
	}
}

// take files a subject; false if a newer change is known. The writer's lock is held.
func (e *Engine) take(r *arrival, file func(key uint64, id uint32)) bool {
	s := r.subject
	e.mu.Lock()
	p := where{e.store.stream(s.ref.Stream), s.ref.Subject}
	e.mu.Unlock()
	if seq, ok := e.gone[p]; ok && s.seq <= seq {
		return false
	}
	h := e.secret.place(p)
	e.mu.RLock() // a merge may be putting smaller blocks in place
	slot, old, known := e.at.find(h, p, &e.store)
	var was *subject
	if known {
		was = e.store.read(old, 0, &scratch{})
	}
	e.mu.RUnlock()
	if known && s.seq < was.seq {
		return false
	}
	delete(e.gone, p)
	packed := string(s.pack(nil, p.stream))
	e.mu.Lock()
	defer e.mu.Unlock()
	if known {
		e.drop(was, old)
	}
	e.shelved[s.shelf]++
	id := e.store.append(packed, r.mark, r.second, s.shelf)
	e.at.set(slot, h, id)
	e.counts.count(s, 1)
	for _, k := range r.keys {
		file(k, id)
	}
	return true
}

// Delete takes a subject out, as of the record with sequence seq. A Put of that sequence or an older one does not bring
// it back.
func (e *Engine) Delete(r Ref, seq uint64) {
	e.writer.Lock()
	defer e.writer.Unlock()
	e.mu.Lock()
	p := where{e.store.stream(r.Stream), r.Subject}
	e.mu.Unlock()
	e.mu.RLock()
	slot, id, ok := e.at.find(e.secret.place(p), p, &e.store)
	var was *subject
	if ok {
		was = e.store.read(id, 0, &scratch{})
	}
	e.mu.RUnlock()
	if ok {
		if seq < was.seq {
			return
		}
		e.mu.Lock()
		e.drop(was, id)
		e.mu.Unlock()
		e.at.remove(slot)
	}
	e.gone[p] = max(e.gone[p], seq)
}

// drop takes a subject that was read out of the store and the counts.
func (e *Engine) drop(was *subject, id uint32) {
	e.counts.count(was, -1)
	if e.shelved[was.shelf]--; e.shelved[was.shelf] == 0 {
		delete(e.shelved, was.shelf)
	}
	e.store.drop(id)
}

// Len returns the number of subjects.
func (e *Engine) Len() int {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.store.live
}
