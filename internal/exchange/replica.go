package exchange

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// Bounds of what one stream may keep in memory while something before it is missing.
const (
	MaxHeldFrames = 1000
	MaxHeldBytes  = 16 << 20
)

// replica is one stream as this node follows it: what is stored of it, and frames that came too early. Its lock is held
// while a decision is made and stored, so that a stream waits for itself only.
type replica struct {
	mu      sync.Mutex
	stream  record.StreamID
	loaded  bool
	head    record.Head
	pending map[record.PartAt]bool

	held      map[uint64]early // by first sequence
	heldBytes int

	at    *record.Cursor // behind the last message that the courier handed over
	steps int            // messages since a cursor was last stored

	listed   bool // unusable is complete up to head.Size
	unusable map[uint64]bool
}

// early is a frame that waits for what is before it or for a charter.
type early struct {
	frame *record.Frame
	via   string
	size  int
	at    int64 // its offset in the topic; -1 if it came otherwise or the topic was made again
}

// load reads the stored state unless it is known.
func (r *replica) load(ctx context.Context, log record.Log) error {
	if r.loaded {
		return nil
	}
	h, err := log.Head(ctx, r.stream)
	if err != nil {
		return fmt.Errorf("read head of %s: %w", r.stream, err)
	}
	parts, err := log.Pending(ctx, r.stream)
	if err != nil {
		return fmt.Errorf("read pending parts of %s: %w", r.stream, err)
	}
	r.head, r.pending, r.loaded, r.listed = h, make(map[record.PartAt]bool, len(parts)), true, false
	r.head.Stream = r.stream
	for _, p := range parts {
		r.pending[p] = true
	}
	return nil
}

// follower returns the Follower at the stored state. It is made for one call: its questions to the log carry that
// call's context.
func (r *replica) follower(ctx context.Context, log record.Log, ro *Roster) *record.Follower {
	mine := ro.Groups(ro.Self)
	return &record.Follower{
		Federation: ro.Federation, Self: ro.Self, Head: r.head, Pending: r.pending,
		SignKey:      func(s record.StreamID, seq uint64) (ed25519.PublicKey, bool) { return ro.SignKey(s, seq) },
		CharterKnown: ro.CharterKnown,
		Key:          ro.Key,
		Entitled:     func(g record.GroupID) bool { return mine[g] },
		Usable:       ro.Usable,
		Checkpoint: func(size uint64) ([]byte, bool) {
			b, err := checkpointAt(ctx, log, r.stream, size)
			return b, err == nil && b != nil
		},
		Leaves:  func(from, to uint64) ([]tlog.Hash, error) { return log.Leaves(ctx, r.stream, from, to) },
		Subject: func(id record.RecordID) ([]record.Stored, error) { return log.Subject(ctx, r.stream, id) },
		Subjects: func(ids []record.RecordID) (map[record.RecordID][]record.Stored, error) {
			return log.Subjects(ctx, r.stream, ids)
		},
	}
}

// checkpointAt returns the stored checkpoint of exactly this size, nil if no commit group ends there.
func checkpointAt(ctx context.Context, log record.Log, s record.StreamID, size uint64) ([]byte, error) {
	if size == 0 {
		return nil, nil
	}
	gs, err := log.Groups(ctx, s, size-1, 1)
	if err != nil {
		return nil, fmt.Errorf("read group of %s at %d: %w", s, size-1, err)
	}
	if len(gs) == 0 || gs[0].First+uint64(len(gs[0].Records)) != size {
		return nil, nil
	}
	return gs[0].Checkpoint, nil
}

// store applies a decision in one transaction with the courier's position, and takes it over.
func (r *replica) store(ctx context.Context, log record.Log, f *record.Follower, a *record.Apply) error {
	c := r.cursor()
	if bugCursorBeforeEffect && c != nil {
		if err := log.SetCursor(ctx, *c); err != nil {
			return err
		}
	}
	a.Cursor = c
	if err := log.Apply(ctx, *a); err != nil {
		if errors.Is(err, record.ErrStale) {
			r.loaded = false
		}
		return fmt.Errorf("apply to %s at %d: %w", r.stream, a.From, err)
	}
	f.Applied(a)
	r.head, r.pending, r.steps = f.Head, f.Pending, 0
	if r.listed {
		r.list(a)
	}
	return nil
}

// list keeps the set of unusable records in step with an apply.
func (r *replica) list(a *record.Apply) {
	var records []record.Stored
	if a.Group != nil {
		records = a.Group.Records
	}
	for _, st := range slices.Concat(records, a.Late) {
		if st.Unusable != "" {
			r.unusable[st.Seq] = true
		} else {
			delete(r.unusable, st.Seq)
		}
	}
}

// hold keeps a frame for later; false if there is no room.
func (r *replica) hold(fr *record.Frame, via string, at *record.Cursor) bool {
	size := len(fr.Checkpoint)
	for _, h := range fr.Headers {
		size += len(h)
	}
	for _, b := range fr.Boxes {
		size += len(b.Data) + 64*len(b.Wraps)
	}
	e := early{frame: fr, via: via, size: size, at: -1}
	if at != nil {
		e.at = at.Offset - 1
	}
	if old, ok := r.held[fr.First]; ok {
		if old.at >= 0 && (e.at < 0 || old.at < e.at) {
			e.at = old.at // the position stays before the first copy
		}
		r.heldBytes -= old.size
		delete(r.held, fr.First)
	}
	if len(r.held) >= MaxHeldFrames || r.heldBytes+size > MaxHeldBytes {
		return false
	}
	if r.held == nil {
		r.held = map[uint64]early{}
	}
	r.held[fr.First] = e
	r.heldBytes += size
	return true
}

// next takes the earliest held frame that begins at or below size.
func (r *replica) next(size uint64) (early, bool) {
	if len(r.held) == 0 {
		return early{}, false
	}
	first := slices.Min(slices.Collect(maps.Keys(r.held)))
	if first > size {
		return early{}, false
	}
	e := r.held[first]
	delete(r.held, first)
	r.heldBytes -= e.size
	return e, true
}

// reached notes how far the courier has read.
func (r *replica) reached(at *record.Cursor) {
	if at == nil {
		return
	}
	if r.at != nil && (at.Topic != r.at.Topic || at.Offset < r.at.Offset) {
		for first, e := range r.held { // the topic is read anew: old offsets say nothing
			e.at = -1
			r.held[first] = e
		}
	}
	c := *at
	r.at = &c
}

// notReached takes back that the courier has read past a message that is neither stored nor kept: it is handed over again.
func (r *replica) notReached(at *record.Cursor) {
	if at != nil {
		r.at = &record.Cursor{Topic: at.Topic, Offset: at.Offset - 1}
	}
}

// cursor is the position that may be stored now: not past a frame that only memory holds.
func (r *replica) cursor() *record.Cursor {
	if r.at == nil {
		return nil
	}
	c := *r.at
	for _, e := range r.held {
		if e.at >= 0 {
			c.Offset = min(c.Offset, e.at)
		}
	}
	return &c
}
