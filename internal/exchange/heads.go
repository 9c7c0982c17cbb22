package exchange

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pilinhub/pilin/record"
)

// MaxSkew is how far a peer's clock may differ from ours before it is an alarm. Nothing is decided by it.
const MaxSkew = 5 * time.Minute

// Heads makes and takes head exchanges. Both sides of an exchange learn from it: gaps, forks, receipts, newer charters,
// agreements, and, while a node is not released, what others hold of its own streams.
type Heads struct {
	Log      record.Log
	Roster   *Roster
	Replicas *Replicas
	Gaps     *GapFiller
	Receipts *Receipts
	Release  *Release
	Signer   *record.Signer
	Count    *Counters
	Alarm    func(Alarm)
	// Agreements returns the ids of agreements that name m; HasAgreement reports whether one is held. nil: none.
	Agreements   func(m record.MemberID) [][32]byte
	HasAgreement func(id [32]byte) bool
	// Statements returns the member statements in force that no charter version holds yet; nil: none.
	Statements func() [][]byte
	// State takes the statements that a peer says are in force, before anything else of the exchange is looked at: its
	// checkpoints and receipts may be under keys that they bring. The directory decides which count. nil: none.
	State func(ctx context.Context, notes [][]byte)
	// Wall is the clock that answers print and peers' are compared with; nil: the hour that the methods are given.
	Wall func() time.Time
	// Software is this node's release, told to peers that ask; empty tells nothing.
	Software string

	mu       sync.Mutex
	standing map[record.MemberID]Standing
	same     map[shownAt]string // the checkpoint that a peer last showed and that fitted: it need not be verified again
}

type shownAt struct {
	peer   record.MemberID
	stream record.StreamID
}

// Wanted is what a head exchange showed that the peer has and this node lacks.
type Wanted struct {
	Charter    bool // the peer holds a newer version, or shows checkpoints that name one
	Agreements [][32]byte
}

// Request returns what to ask a peer with; nonce is random and kept until the answer.
func (h *Heads) Request(ctx context.Context, nonce [32]byte) (HeadsRequest, error) {
	heads, receipts, err := h.ours(ctx)
	return HeadsRequest{Nonce: nonce, Charter: h.Roster.Charter(), Heads: heads, Receipts: receipts, Statements: h.statements()}, err
}

func (h *Heads) statements() [][]byte {
	if h.Statements == nil {
		return nil
	}
	return h.Statements()
}

// ours returns the newest checkpoint of every records stream, the own ones only once released, and this node's receipts.
func (h *Heads) ours(ctx context.Context) (heads, receipts [][]byte, err error) {
	all, err := h.Log.Heads(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("read heads: %w", err)
	}
	released := h.Release.Released()
	for _, x := range all {
		own := x.Stream.Member() == h.Roster.Self
		if x.Stream.Kind() != record.Records || x.Checkpoint == nil || own && !released {
			continue
		}
		heads = append(heads, x.Checkpoint)
		if own || !released {
			continue
		}
		kept, err := h.Log.Receipts(ctx, x.Stream)
		if err != nil {
			return nil, nil, fmt.Errorf("read receipts of %s: %w", x.Stream, err)
		}
		if mine := kept[h.Roster.Self]; mine != nil {
			receipts = append(receipts, mine)
		}
	}
	return heads, receipts, nil
}

// Answer takes a peer's request and returns the signed answer, which shows that its statements are in force here.
func (h *Heads) Answer(ctx context.Context, now time.Time, from record.MemberID, r HeadsRequest) ([]byte, Wanted, error) {
	h.state(ctx, r.Statements)
	w, err := h.take(ctx, now, from, r.Charter, r.Heads, r.Receipts)
	if err != nil {
		return nil, w, err
	}
	h.stood(from, func(s *Standing) { s.Charter = r.Charter })
	a := HeadsAnswer{Nonce: r.Nonce, Charter: h.Roster.Charter(), Time: wall(h.Wall, now), Statements: h.statements(), Release: h.Software}
	if a.Heads, a.Receipts, err = h.ours(ctx); err != nil {
		return nil, w, err
	}
	if a.Yours, err = h.yours(ctx, from); err != nil {
		return nil, w, err
	}
	if h.Agreements != nil {
		a.Agreements = h.Agreements(from)
	}
	h.Count.Add(CountHeads, "answered", 1)
	b, err := a.Sign(h.Signer, h.Roster.Federation, h.Roster.Self)
	return b, w, err
}

func (h *Heads) state(ctx context.Context, notes [][]byte) {
	if h.State != nil && len(notes) > 0 {
		h.State(ctx, notes)
	}
}

// yours returns what is held of the asker's records streams, in memory too; of the first one always something, none
// included.
func (h *Heads) yours(ctx context.Context, asker record.MemberID) ([]Yours, error) {
	streams := []record.StreamID{record.Stream(asker, record.Records)}
	all, err := h.Log.Heads(ctx)
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	for _, x := range all {
		if x.Stream.Member() == asker && x.Stream.Kind() == record.Records {
			streams = append(streams, x.Stream)
		}
	}
	for _, s := range h.Replicas.Streams() {
		if s.Member() == asker {
			streams = append(streams, s)
		}
	}
	slices.Sort(streams)
	var out []Yours
	for _, s := range slices.Compact(streams) {
		note, err := h.Replicas.newest(ctx, s)
		if err != nil {
			return nil, err
		}
		out = append(out, Yours{Stream: s, Checkpoint: note})
	}
	return out, nil
}

// Answered takes the answer to the request with this nonce. A false answer changes nothing and is an error.
func (h *Heads) Answered(ctx context.Context, now time.Time, peer record.MemberID, nonce [32]byte, body []byte) (Wanted, error) {
	a, err := OpenHeadsAnswer(body, h.Roster.Federation, peer, h.Roster.NoteKeys(peer), nonce)
	if err != nil {
		return Wanted{}, err
	}
	offset := a.Time.Sub(wall(h.Wall, now)).Round(time.Second)
	h.stood(peer, func(s *Standing) { *s = Standing{Charter: a.Charter, Offset: offset, Known: true, Release: a.Release} })
	if offset > MaxSkew || offset < -MaxSkew {
		h.alarm(AlarmClock, "", peer)
	}
	h.Count.Add(CountHeads, "asked", 1)
	h.state(ctx, a.Statements)
	if err := h.Release.Answered(now, peer, a.Yours); err != nil {
		return Wanted{}, err
	}
	w, err := h.take(ctx, now, peer, a.Charter, a.Heads, a.Receipts)
	for _, id := range a.Agreements {
		if h.HasAgreement != nil && !h.HasAgreement(id) {
			w.Agreements = append(w.Agreements, id)
		}
	}
	return w, err
}

func (h *Heads) alarm(code string, s record.StreamID, peer record.MemberID) {
	if h.Alarm != nil {
		h.Alarm(Alarm{Code: code, Stream: s, Peer: peer})
	}
}

// take works on a peer's charter, heads and receipts. Errors are of this node's store.
func (h *Heads) take(ctx context.Context, now time.Time, peer record.MemberID, c record.CharterRef, heads, receipts [][]byte) (Wanted, error) {
	var w Wanted
	mine := h.Roster.Charter()
	switch {
	case c.Version > mine.Version:
		w.Charter = true
	case c.Version == mine.Version && c.Hash != mine.Hash:
		w.Charter = true
		h.alarm(AlarmCharterSplit, "", peer)
	}
	for _, note := range heads {
		if err := h.takeHead(ctx, now, peer, note, &w); err != nil {
			return w, err
		}
	}
	for _, b := range receipts {
		s, checkpoint, err := h.Receipts.Take(ctx, peer, b)
		if err != nil {
			return w, err
		}
		if checkpoint == nil {
			continue
		}
		if s.Member() == h.Roster.Self {
			_, err = h.Release.Shown(ctx, peer, checkpoint)
		} else {
			_, _, err = h.Replicas.Compare(ctx, checkpoint)
		}
		if err != nil {
			return w, err
		}
	}
	return w, nil
}

// fitted reports whether the peer showed this very checkpoint before and it fitted.
func (h *Heads) fitted(peer record.MemberID, s record.StreamID, note []byte) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.same[shownAt{peer, s}] == string(note)
}

func (h *Heads) remember(peer record.MemberID, s record.StreamID, note []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.same == nil {
		h.same = map[shownAt]string{}
	}
	h.same[shownAt{peer, s}] = string(note)
}

func (h *Heads) takeHead(ctx context.Context, now time.Time, peer record.MemberID, note []byte, w *Wanted) error {
	c, err := record.ParseCheckpoint(note)
	if err != nil || c.Federation != h.Roster.Federation {
		return nil //nolint:nilerr // a peer's line that is no checkpoint of ours says nothing; the others still count
	}
	if h.fitted(peer, c.Stream, note) {
		return nil
	}
	if c.Stream.Member() == h.Roster.Self {
		fits, err := h.Release.Shown(ctx, peer, note)
		if fits {
			h.remember(peer, c.Stream, note)
		}
		return err
	}
	fit, c, err := h.Replicas.Compare(ctx, note)
	if err != nil {
		return err
	}
	switch fit {
	case FitSame:
		h.Gaps.SawHead(now, peer, c.Stream, c.Size)
		h.remember(peer, c.Stream, note)
	case FitAhead:
		h.Gaps.SawHead(now, peer, c.Stream, c.Size)
	case FitCharter:
		w.Charter = true
	case FitForked, FitUnsound:
	}
	return nil
}

// wall returns the hour to print: a clock that people set, which may jump, beside the one that hours are counted by.
func wall(clock func() time.Time, now time.Time) time.Time {
	if clock == nil {
		return now
	}
	return clock()
}
