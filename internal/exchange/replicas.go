package exchange

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/pilinhub/pilin/record"
)

// Result says what became of an offered frame.
type Result int

// The results.
const (
	Applied   Result = iota // stored; frames that had waited for it may be stored too
	Duplicate               // nothing new in it
	Held                    // proven to come too early, or its charter is missing: kept in memory
	Dropped                 // refused; see Why
	Forked                  // proves a fork: evidence is kept, the stream is frozen
	Failed                  // this node's store did not answer; nothing is known to be stored, offer the same again
)

// String returns a stable word for logs.
func (r Result) String() string {
	return [...]string{"applied", "duplicate", "held", "dropped", "forked", "failed"}[r]
}

// Reasons of Dropped beside the Follower's codes.
const (
	WhyForeign  = "foreign"   // the stream of nobody in the charter, or not a records stream
	WhyOwn      = "own"       // this node's own stream on a topic; only Release takes records of it back
	WhyHeldFull = "held_full" // no room to keep it; it is fetched when its turn comes
	WhyBehind   = "behind"    // held and applied in the meantime
)

// Outcome is what Replicas made of one frame.
type Outcome struct {
	Result Result
	Stream record.StreamID
	Why    string // of Dropped
	Size   uint64 // records stored now
	New    int    // records stored by this call, held frames included
	Parts  bool   // parts of records stored before became present or gone
	Sealed bool   // a new record has a part that is sealed under keys that this node lacks
	Gap    uint64 // the stream is known to have at least so many records, more than we hold; 0 if unknown
	Doubt  bool   // bytes did not prove: somebody else's are wanted, if not of this frame then of what was to come
	// Charter is a version that a frame names and this node lacks.
	Charter *record.CharterRef
	// Suspect is a checkpoint that is well signed and does not fit: the leaves under it would prove a fork or show that
	// only the bytes were bad.
	Suspect []byte
	Err     error // of Failed
}

// merge adds what a later frame of the same call did.
func (o *Outcome) merge(p Outcome) {
	o.New += p.New
	o.Size = p.Size
	o.Parts = o.Parts || p.Parts
	o.Sealed = o.Sealed || p.Sealed
	o.Gap = max(o.Gap, p.Gap)
	o.Doubt = o.Doubt || p.Doubt
	if p.Charter != nil {
		o.Charter = p.Charter
	}
	if p.Suspect != nil {
		o.Suspect = p.Suspect
	}
	if p.Result == Forked || p.Result == Failed {
		o.Result, o.Why, o.Err = p.Result, p.Why, p.Err
	}
}

// Replicas holds one record.Follower for each foreign records stream. Any number of goroutines may call it; each stream
// has its own lock, so that a poisoned stream delays no other.
type Replicas struct {
	Log    record.Log
	Roster *Roster
	Count  *Counters
	// Alarm is called while a stream is locked; it must neither block nor call back. nil drops alarms.
	Alarm func(Alarm)

	mu      sync.Mutex
	streams map[record.StreamID]*replica
}

// cursorEvery is after how many messages without effect a courier position is stored by itself.
const cursorEvery = 64

// get returns the replica of a stream.
func (rs *Replicas) get(s record.StreamID) *replica {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.streams[s]
	if r == nil {
		if rs.streams == nil {
			rs.streams = map[record.StreamID]*replica{}
		}
		r = &replica{stream: s}
		rs.streams[s] = r
	}
	return r
}

// locked runs f with a stream's replica loaded and locked.
func (rs *Replicas) locked(ctx context.Context, s record.StreamID, f func(*replica) error) error {
	r := rs.get(s)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.load(ctx, rs.Log); err != nil {
		return err
	}
	return f(r)
}

func (rs *Replicas) alarm(code string, s record.StreamID, peer record.MemberID) {
	if rs.Alarm != nil {
		rs.Alarm(Alarm{Code: code, Stream: s, Peer: peer})
	}
}

// Load reads the heads of all foreign streams that the log knows; without it each is read at its first use.
func (rs *Replicas) Load(ctx context.Context) error {
	heads, err := rs.Log.Heads(ctx)
	if err != nil {
		return fmt.Errorf("read heads: %w", err)
	}
	for _, h := range heads {
		if !rs.Roster.replicated(h.Stream) {
			continue
		}
		if err := rs.locked(ctx, h.Stream, func(*replica) error { return nil }); err != nil {
			return err
		}
	}
	return nil
}

// Streams returns the foreign streams that are followed, sorted.
func (rs *Replicas) Streams() []record.StreamID {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	var all []record.StreamID
	for s := range rs.streams {
		if s.Member() != rs.Roster.Self {
			all = append(all, s)
		}
	}
	slices.Sort(all)
	return all
}

// Head returns how far a foreign stream is here.
func (rs *Replicas) Head(ctx context.Context, s record.StreamID) (record.Head, error) {
	var h record.Head
	err := rs.locked(ctx, s, func(r *replica) error {
		h = r.head
		return nil
	})
	return h, err
}

// newest returns the checkpoint of the largest size that this node has of a foreign stream, stored or in a frame that
// waits in memory: what the stream's member must not sign anything beside.
func (rs *Replicas) newest(ctx context.Context, s record.StreamID) (note []byte, err error) {
	err = rs.locked(ctx, s, func(r *replica) error {
		note = r.head.Checkpoint
		size := r.head.Size
		for _, e := range r.held {
			if e.frame.End() <= size {
				continue
			}
			key, ok := rs.Roster.SignKey(s, lastSeq(e.frame.End()))
			if !ok {
				continue
			}
			if _, err := record.VerifyCheckpoint(e.frame.Checkpoint, key); err == nil { // while its charter is missing nobody has
				size, note = e.frame.End(), e.frame.Checkpoint
			}
		}
		return nil
	})
	return note, err
}

// firstPending returns the head and the first sequence with a pending part; ok is false if there is none.
func (rs *Replicas) firstPending(ctx context.Context, s record.StreamID) (h record.Head, seq uint64, ok bool, err error) {
	if s.Member() == rs.Roster.Self {
		r := rs.get(s)
		r.mu.Lock()
		r.loaded = false // appends go past the replica
		r.mu.Unlock()
	}
	err = rs.locked(ctx, s, func(r *replica) error {
		h = r.head
		for at := range r.pending {
			if !ok || at.Seq < seq {
				seq, ok = at.Seq, true
			}
		}
		return nil
	})
	return h, seq, ok, err
}

// Flush stores the courier positions that are ahead of the stored ones; for an orderly stop.
func (rs *Replicas) Flush(ctx context.Context) error {
	for _, s := range rs.Streams() {
		if err := rs.locked(ctx, s, func(r *replica) error { return rs.flush(ctx, r) }); err != nil {
			return err
		}
	}
	return nil
}

// Rewound tells that a topic is read from another place than the last message's end: it was trimmed or made again.
// Positions noted for its frames no longer mean anything.
func (rs *Replicas) Rewound(ctx context.Context, s record.StreamID, c record.Cursor) error {
	return rs.locked(ctx, s, func(r *replica) error {
		r.at = nil
		for first, e := range r.held {
			e.at = -1
			r.held[first] = e
		}
		if err := rs.Log.SetCursor(ctx, c); err != nil {
			return fmt.Errorf("store position in %s: %w", c.Topic, err)
		}
		rs.Count.Add(CountLives, "", 1)
		return nil
	})
}

// ownStreams returns the own records streams of the log.
func (rs *Replicas) ownStreams(ctx context.Context) ([]record.StreamID, error) {
	heads, err := rs.Log.Heads(ctx)
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	var own []record.StreamID
	for _, h := range heads {
		if h.Stream.Member() == rs.Roster.Self && h.Stream.Kind() == record.Records {
			own = append(own, h.Stream)
		}
	}
	return own, nil
}

// Rekeyed is called when a charter or an agreement came: parts whose key is known now become pending, and frames that
// waited for it are offered again. The outcomes are of streams where something happened.
func (rs *Replicas) Rekeyed(ctx context.Context) ([]Outcome, error) {
	var all []Outcome
	has := func(id record.KeyID) bool { _, ok := rs.Roster.Key(id); return ok }
	own, err := rs.ownStreams(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range own {
		if _, err := rs.Log.Rekey(ctx, s, has); err != nil {
			return nil, fmt.Errorf("rekey %s: %w", s, err)
		}
	}
	for _, s := range rs.Streams() {
		err := rs.locked(ctx, s, func(r *replica) error {
			n, err := rs.Log.Rekey(ctx, s, has)
			if err != nil {
				return fmt.Errorf("rekey %s: %w", s, err)
			}
			if n > 0 {
				r.loaded = false
				if err := r.load(ctx, rs.Log); err != nil {
					return err
				}
			}
			o := Outcome{Stream: s, Size: r.head.Size, Result: Duplicate}
			rs.drain(ctx, r, &o)
			if n > 0 || o.New > 0 || o.Result != Duplicate {
				all = append(all, o)
			}
			return o.Err
		})
		if err != nil {
			return all, err
		}
	}
	return all, nil
}
