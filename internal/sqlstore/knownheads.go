package sqlstore

import (
	"cmp"
	"database/sql"
	"slices"
	"sync"

	"github.com/pilinhub/pilin/record"
)

// knownHeads is a copy of the table of heads in memory: only the process that holds the epoch writes that table, and
// nearly everything that a node does asks for a head. What decides an append or an apply is read under lock, never here.
type knownHeads struct {
	mu     sync.Mutex
	on     bool // all heads are known
	n      uint64
	known  map[record.StreamID]knownHead
	staged map[*sql.Tx][]knownHead
}

// knownHead is a head and the number of the write that made it: writes of one stream are numbered under its lock, so that
// the higher number is the newer head, whichever commit is told of first.
type knownHead struct {
	record.Head
	n    uint64
	lost bool // whether the write took effect nobody knows: the database is asked until the next one
}

// begin takes all heads over; before that none is known.
func (k *knownHeads) begin(all []record.Head) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.on, k.known, k.staged = true, make(map[record.StreamID]knownHead, len(all)), map[*sql.Tx][]knownHead{}
	for _, h := range all {
		k.known[h.Stream] = knownHead{Head: h}
	}
}

// stage notes a head that a transaction writes; it holds the stream's lock.
func (k *knownHeads) stage(tx *sql.Tx, h record.Head) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.on {
		k.n++
		k.staged[tx] = append(k.staged[tx], knownHead{Head: mine(h), n: k.n})
	}
}

// ended takes over what a transaction wrote: if it was committed, or lost says that nobody knows.
func (k *knownHeads) ended(tx *sql.Tx, committed, lost bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, h := range k.staged[tx] {
		if h.lost = lost; (committed || lost) && k.known[h.Stream].n < h.n {
			k.known[h.Stream] = h
		}
	}
	delete(k.staged, tx)
}

// head returns a stream's head; false if the database must be asked.
func (k *knownHeads) head(s record.StreamID) (record.Head, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	h, ok := k.known[s]
	if !ok {
		return record.Head{Stream: s, Root: record.EmptyRoot()}, k.on
	}
	return mine(h.Head), !h.lost
}

// all returns all heads, sorted by stream; false if the database must be asked.
func (k *knownHeads) all() ([]record.Head, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make([]record.Head, 0, len(k.known))
	for _, h := range k.known {
		if h.lost {
			return nil, false
		}
		out = append(out, mine(h.Head))
	}
	slices.SortFunc(out, func(a, b record.Head) int { return cmp.Compare(a.Stream, b.Stream) })
	return out, k.on
}

// mine returns a head that shares nothing that a caller may write.
func mine(h record.Head) record.Head {
	h.Frontier, h.Checkpoint = slices.Clone(h.Frontier), slices.Clone(h.Checkpoint)
	return h
}
