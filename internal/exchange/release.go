package exchange

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pilinhub/pilin/internal/fault"
	"github.com/pilinhub/pilin/record"
)

// Times of the release rule (architecture.md §5, "Never a self-fork").
const (
	// HeardWithin is how long a member may take to answer before it counts as not reachable.
	HeardWithin = 2 * time.Second
	// AskAgainFirst and AskAgainLast bound the wait before a member that did not answer is asked again.
	AskAgainFirst = 500 * time.Millisecond
	AskAgainLast  = 15 * time.Second
)

// Phase is how far a node is with being released.
type Phase int

// The phases.
const (
	Asking     Phase = iota // nobody, or not everybody reachable, has said what it holds of us
	TakingBack              // somebody holds records of ours that our log lacks
	Waiting                 // everything is known; an operator must confirm, because the database was restored
	Open                    // released
	Stuck                   // somebody holds a tree under our key that does not fit our log
)

// String returns a stable word.
func (p Phase) String() string {
	return [...]string{"asking", "taking_back", "waiting", "open", "stuck"}[p]
}

// Release keeps a node from forking itself: forking needs bytes that left, so after each start nothing of the own records
// leaves until those who could have seen more were asked. It makes no request: Step says what to do, the other methods
// take the ends.
type Release struct {
	Log    record.Log
	Roster *Roster
	Count  *Counters
	Alarm  func(Alarm)
	// Local keeps a draft whose version is taken now as a local draft and tells its author. It is called again after a
	// crash, so it must bear repeats.
	Local func(ctx context.Context, d record.Draft) error
	// Rewind tells that records of an own stream at seq and behind it were taken off, and that others will stand there:
	// whoever follows the log by sequence, as the index does, must read again from seq. nil: nobody does.
	Rewind func(s record.StreamID, seq uint64)

	mu        sync.Mutex
	phase     Phase
	restored  bool // the database is behind the released-size file
	confirmed bool
	heard     bool // at least one member has answered
	peers     map[record.MemberID]*askedPeer
	topic     topicState
	shown     map[record.StreamID][]shownSize
	tail      []record.Draft           // taken off the own streams, to be appended again
	lost      map[record.RecordID]bool // subjects of which a draft could not be appended again
	fetching  bool
	holders   map[record.MemberID]attempt // of the taking back; "" is the own topic
}

// Do is what Step wants done now. Each request's end is told by Answered or Failed, TopicEnd, Fetched.
type Do struct {
	Ask   []record.MemberID // head exchanges
	Topic bool              // read the last messages of the own topic
	// Fetch is a range of an own stream, from a peer; with an empty Peer the own topic is read from its first offset and
	// all frames that end behind From are handed over.
	Fetch *Task
	Open  bool // the node has just been released
}

// Begin starts the rule anew, at each start of the process and before anything is appended. restored says that the
// database is behind the released-size file.
func (r *Release) Begin(ctx context.Context, restored bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.phase, r.restored, r.confirmed, r.heard = Asking, restored, false, false
	r.peers, r.topic, r.shown, r.holders = map[record.MemberID]*askedPeer{}, topicState{}, map[record.StreamID][]shownSize{}, map[record.MemberID]attempt{}
	r.tail, r.lost, r.fetching = nil, map[record.RecordID]bool{}, false
	streams, err := r.streams(ctx)
	if err != nil {
		return err
	}
	for _, s := range streams { // what a crash left between taking off and appending again
		if err := r.takeOff(ctx, s); err != nil {
			return err
		}
	}
	return r.putBack(ctx)
}

// Released reports whether frames, ranges, receipts and full answers may leave the node.
func (r *Release) Released() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.phase == Open
}

// Phase returns how far the rule is.
func (r *Release) Phase() Phase {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.phase
}

// Heard returns the active members that have said what they hold of us, ascending: what an operator looks at before Confirm.
func (r *Release) Heard() []record.MemberID {
	r.mu.Lock()
	defer r.mu.Unlock()
	var heard []record.MemberID
	for _, m := range r.Roster.Peers() {
		if p := r.peers[m]; p != nil && p.heard {
			heard = append(heard, m)
		}
	}
	return heard
}

// Confirm is the operator's word after a restore (pilin rejoin).
func (r *Release) Confirm() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.confirmed = true
}

// streams returns the own records streams: the first one always, and those that the log or a peer knows of.
func (r *Release) streams(ctx context.Context) ([]record.StreamID, error) {
	heads, err := r.Log.Heads(ctx)
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	all := []record.StreamID{record.Stream(r.Roster.Self, record.Records)}
	for _, h := range heads {
		if h.Stream.Member() == r.Roster.Self && h.Stream.Kind() == record.Records {
			all = append(all, h.Stream)
		}
	}
	for s := range r.shown {
		all = append(all, s)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// Step says what is to be done now, and decides when enough is known. An error is of this node's store; step again.
func (r *Release) Step(ctx context.Context, now time.Time) (Do, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch r.phase {
	case Open, Stuck:
		return Do{}, nil
	case TakingBack:
		return r.takeBack(ctx, now)
	case Asking, Waiting:
	}
	if r.Roster.alone() {
		return r.open(ctx)
	}
	if !r.known(now) { // looked at before anybody is asked again: who was silent long enough is not reachable
		r.phase = Asking
		return r.ask(now), nil
	}
	behind, err := r.behind(ctx)
	switch {
	case errors.Is(err, errStuck):
		r.phase = Stuck
		return Do{}, nil
	case err != nil:
		return Do{}, err
	case len(behind) > 0:
		r.phase = TakingBack
		r.alarm(AlarmTakenBack, behind[0], "")
		return r.takeBack(ctx, now)
	case r.restored && !r.confirmed:
		r.phase = Waiting
		return r.ask(now), nil
	}
	return r.open(ctx)
}

var errStuck = errors.New("own stream forked")

// behind returns the own streams of which somebody holds more than our log; errStuck if somebody holds something else.
func (r *Release) behind(ctx context.Context) ([]record.StreamID, error) {
	streams, err := r.streams(ctx)
	if err != nil {
		return nil, err
	}
	var out []record.StreamID
	for _, s := range streams {
		h, err := r.Log.Head(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("read head of %s: %w", s, err)
		}
		h.Stream = s
		more := false
		for _, x := range r.shown[s] {
			if x.c.Size > h.Signed {
				more = true
				continue
			}
			if err := r.fit(ctx, h, x); err != nil {
				return nil, err
			}
		}
		if more {
			out = append(out, s)
		}
	}
	return out, nil
}

// fit checks a checkpoint of ours at or below our signed size.
func (r *Release) fit(ctx context.Context, h record.Head, x shownSize) error {
	if x.c.Size == 0 {
		return nil
	}
	_, same, err := fits(ctx, r.Log, h, x.c, x.note)
	if err != nil || same {
		return err
	}
	r.alarm(AlarmSelfFork, h.Stream, x.peer)
	return errStuck
}

// Shown takes a checkpoint of one of our streams that a peer shows at any time. Before the release it counts as an
// answer would; after it, one that does not fit is an alarm, because nothing can be taken back any more. fits says that
// it is of our log, for good.
func (r *Release) Shown(ctx context.Context, peer record.MemberID, note []byte) (fits bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := record.ParseCheckpoint(note)
	if err != nil || c.Stream.Member() != r.Roster.Self || c.Stream.Kind() != record.Records || r.phase == Stuck {
		return false, nil
	}
	h, err := r.Log.Head(ctx, c.Stream)
	if err != nil {
		return false, fmt.Errorf("read head of %s: %w", c.Stream, err)
	}
	h.Stream = c.Stream
	if r.phase == Open && bytes.Equal(note, h.Checkpoint) {
		return true, nil // what almost every exchange shows; nothing to verify
	}
	if _, err := r.ours(note); err != nil {
		return false, nil
	}
	if r.phase != Open {
		r.show(shownSize{peer, c, note})
		return false, nil
	}
	if c.Size > h.Signed {
		r.alarm(AlarmSelfFork, c.Stream, peer)
		return false, nil
	}
	err = r.fit(ctx, h, shownSize{peer, c, note})
	if errors.Is(err, errStuck) {
		return false, nil // the alarm is raised
	}
	return err == nil, err
}

func (r *Release) alarm(code string, s record.StreamID, peer record.MemberID) {
	if r.Alarm != nil {
		r.Alarm(Alarm{Code: code, Stream: s, Peer: peer})
	}
}

// open signs what was appended meanwhile and lets the streams go.
func (r *Release) open(ctx context.Context) (Do, error) {
	if err := r.putBack(ctx); err != nil {
		return Do{}, err
	}
	streams, err := r.streams(ctx)
	if err != nil {
		return Do{}, err
	}
	fault.Point(fault.ReleaseBeforeSign)
	for _, s := range streams {
		if err := r.Log.Release(ctx, s); err != nil {
			return Do{}, fmt.Errorf("release %s: %w", s, err)
		}
	}
	r.phase = Open
	return Do{Open: true}, nil
}
