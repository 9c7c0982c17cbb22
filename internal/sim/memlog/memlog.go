// Package memlog is a record.Log in memory for the simulator: deterministic, without goroutines, and with a disk that
// loses what was not committed. It passes record/recordtest. A commit replaces one immutable state by the next, so a
// crash is a look at the last state and an older copy of the disk is an older state.
package memlog

import (
	"maps"
	"slices"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// Config says what a log belongs to; the fields are those of the SQL store.
type Config struct {
	Self       record.MemberID
	Federation record.FederationID
	Sealer     *record.Sealer
	Signer     func(record.StreamID, uint64) (*record.Signer, bool)
	Charter    func() record.CharterRef
}

// Log is one node's log. It is safe for use by several goroutines; calls are served one by one.
type Log struct {
	cfg      Config
	mu       sync.Mutex
	disk     *state
	released map[record.StreamID]bool    // of this process
	issued   map[record.StreamID]*uint64 // of this process, for record.NextSeq alone
	full     bool
}

var _ record.Log = (*Log)(nil)

// New returns an empty log.
func New(c Config) *Log {
	return open(c, newState())
}

func open(c Config, disk *state) *Log {
	return &Log{cfg: c, disk: disk, released: map[record.StreamID]bool{}, issued: map[record.StreamID]*uint64{}}
}

// Crash returns the log as a new process finds it: committed state, nothing released.
func (l *Log) Crash() *Log {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := open(l.cfg, l.disk)
	next.full = l.full
	return next
}

// Disk is a copy of everything that was committed at one moment.
type Disk struct{ s *state }

// Copy returns the disk as it is now; it costs nothing, states never change.
func (l *Log) Copy() Disk {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Disk{l.disk}
}

// Restore returns the log of a new process on an older copy of the disk.
func (l *Log) Restore(d Disk) *Log {
	l.mu.Lock()
	defer l.mu.Unlock()
	return open(l.cfg, d.s)
}

// SetFull makes every write fail with record.ErrStorageFull, or stop failing.
func (l *Log) SetFull(full bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.full = full
}

// state is one committed state. It is never changed: a transaction works on a clone.
type state struct {
	streams  map[record.StreamID]*stream
	slots    map[[2]string]slot
	used     map[[2]string]int64
	floor    int64
	receipts map[record.StreamID]map[record.MemberID]kept
	cosigned map[record.StreamID]cosigned
	evidence map[record.StreamID][]byte
	cursors  map[string]int64
	tail     []record.Draft
}

type stream struct {
	head    record.Head
	records []record.Stored
	ends    []uint64 // sizes at which groups end
	notes   [][]byte // checkpoint of each group; nil while unsigned
	// restricted is content of own records that a later one superseded: kept, read by nothing but what takes a tail off.
	restricted map[record.PartAt]record.StoredPart
}

type slot struct {
	hash   [32]byte
	answer []byte
}

type kept struct {
	size    uint64
	receipt []byte
}

type cosigned struct {
	size uint64
	root tlog.Hash
}

func newState() *state {
	return &state{streams: map[record.StreamID]*stream{}, slots: map[[2]string]slot{}, used: map[[2]string]int64{},
		receipts: map[record.StreamID]map[record.MemberID]kept{}, cosigned: map[record.StreamID]cosigned{},
		evidence: map[record.StreamID][]byte{}, cursors: map[string]int64{}}
}

func (s *state) clone() *state {
	return &state{streams: maps.Clone(s.streams), slots: maps.Clone(s.slots), used: maps.Clone(s.used), floor: s.floor,
		receipts: maps.Clone(s.receipts), cosigned: maps.Clone(s.cosigned), evidence: maps.Clone(s.evidence),
		cursors: maps.Clone(s.cursors), tail: slices.Clone(s.tail)}
}

// stream returns a copy of a stream that the transaction may change.
func (s *state) stream(id record.StreamID) *stream {
	old := s.streams[id]
	if old == nil {
		old = &stream{head: record.Head{Stream: id, Root: record.EmptyRoot()}}
	}
	c := &stream{head: old.head, records: slices.Clone(old.records), ends: slices.Clone(old.ends), notes: slices.Clone(old.notes),
		restricted: maps.Clone(old.restricted)}
	s.streams[id] = c
	return c
}

func (s *state) look(id record.StreamID) *stream {
	if x := s.streams[id]; x != nil {
		return x
	}
	return &stream{head: record.Head{Stream: id, Root: record.EmptyRoot()}}
}

// write runs f on a clone of the disk and commits it unless f fails.
func (l *Log) write(f func(*state) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full {
		return record.ErrStorageFull
	}
	next := l.disk.clone()
	if err := f(next); err != nil {
		return err
	}
	l.disk = next
	return nil
}

// read returns the committed state.
func (l *Log) read() *state {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.disk
}
