package exchange

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// Times of gap filling.
const (
	// GapAfter is how long a head that a peer showed may be missing before it is a gap: Kafka may be bringing it.
	GapAfter = 2 * time.Second
	// RetryFirst and RetryLast bound the wait before a holder that failed is asked again about the same stream.
	RetryFirst = time.Second
	RetryLast  = 30 * time.Second
	// OwnEvery is how often own streams are searched for parts that are missing since they were taken back.
	OwnEvery = 15 * time.Second
)

// Task is one range request that should be made now.
type Task struct {
	Peer   record.MemberID
	Stream record.StreamID
	From   uint64
	Late   bool // for pending parts of stored records
}

// LeavesTask is one request for leaves that should be made now: they decide about a suspect checkpoint.
type LeavesTask struct {
	Peer    record.MemberID
	Stream  record.StreamID
	Size    uint64
	Suspect []byte
}

// GapFiller decides what to fetch from whom. It asks for at most one range per peer and per stream at a time, goes round
// the holders, and waits longer for one that failed. It makes no request: Next says which, Finish takes the end of each.
type GapFiller struct {
	Replicas *Replicas
	Roster   *Roster
	Count    *Counters

	mu      sync.Mutex
	streams map[record.StreamID]*gap
	busy    map[record.MemberID]bool
	own     []record.StreamID // own streams with pending parts
	ownNext time.Time
}

// gap is what is known about what is missing of one stream.
type gap struct {
	claims map[record.MemberID]claim // verified checkpoints that peers showed
	tried  map[asked]attempt         // holders that were asked
	want   uint64                    // a frame proved that the stream has so many records
	poke   bool                      // bytes were lost or bad: ask somebody once
	flying bool
}

// asked tells requests for what comes next from those for late parts: a holder may have the one and not the other.
type asked struct {
	peer record.MemberID
	late bool
}

type claim struct {
	size uint64
	at   time.Time // when this size was first shown
}

type attempt struct {
	last  time.Time
	fails int
	until time.Time // not to be asked before
}

func (g *GapFiller) stream(s record.StreamID) *gap {
	if g.streams == nil {
		g.streams, g.busy = map[record.StreamID]*gap{}, map[record.MemberID]bool{}
	}
	st := g.streams[s]
	if st == nil {
		st = &gap{claims: map[record.MemberID]claim{}, tried: map[asked]attempt{}}
		g.streams[s] = st
	}
	return st
}

// SawHead tells that peer showed a well signed checkpoint of this size.
func (g *GapFiller) SawHead(now time.Time, peer record.MemberID, s record.StreamID, size uint64) {
	if !g.Roster.replicated(s) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if st := g.stream(s); st.claims[peer].size < size {
		st.claims[peer] = claim{size, now}
	}
}

// Note tells what became of an offered frame.
func (g *GapFiller) Note(o Outcome) {
	if !g.Roster.replicated(o.Stream) || o.Gap == 0 && !o.Doubt {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	st := g.stream(o.Stream)
	st.want = max(st.want, o.Gap)
	st.poke = st.poke || o.Doubt
}

// Next returns the range requests to make now, and counts them as made. courier says whether Kafka may still bring what
// is missing; if not, a newer head is a gap at once.
func (g *GapFiller) Next(ctx context.Context, now time.Time, courier bool) ([]Task, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var tasks []Task
	if err := g.lookAtOwn(ctx, now); err != nil {
		return nil, err
	}
	for _, s := range g.known() {
		h, pending, late, err := g.Replicas.firstPending(ctx, s)
		if err != nil {
			return tasks, err
		}
		st := g.stream(s)
		if st.flying || h.Frozen != "" {
			continue
		}
		t := Task{Stream: s, From: h.Size}
		ok := false
		if s.Member() != g.Roster.Self && st.missing(h.Size, now, courier) {
			t.Peer, ok = g.holder(now, st, t)
		}
		if !ok && late {
			t.From, t.Late = pending, true
			t.Peer, ok = g.holder(now, st, t)
		}
		if !ok {
			continue
		}
		who := asked{t.Peer, t.Late}
		a := st.tried[who]
		a.last = now
		st.tried[who], st.flying, g.busy[t.Peer] = a, true, true
		tasks = append(tasks, t)
	}
	return tasks, nil
}

// lookAtOwn searches own streams for pending parts: records that were taken back from somebody who could not give all of
// them.
func (g *GapFiller) lookAtOwn(ctx context.Context, now time.Time) error {
	if now.Before(g.ownNext) {
		return nil
	}
	own, err := g.Replicas.ownStreams(ctx)
	if err != nil {
		return err
	}
	g.own = nil
	for _, s := range own {
		_, _, late, err := g.Replicas.firstPending(ctx, s)
		if err != nil {
			return err
		}
		if late {
			g.own = append(g.own, s)
		}
	}
	g.ownNext = now.Add(OwnEvery)
	return nil
}

// known returns every stream that something may be fetched of, sorted.
func (g *GapFiller) known() []record.StreamID {
	all := append(g.Replicas.Streams(), g.own...)
	for s := range g.streams {
		if s.Member() != g.Roster.Self {
			all = append(all, s)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// missing reports whether something is to be fetched behind size.
func (st *gap) missing(size uint64, now time.Time, courier bool) bool {
	if st.want > size || st.poke {
		return true
	}
	for _, c := range st.claims {
		if c.size > size && (!courier || now.Sub(c.at) >= GapAfter) {
			return true
		}
	}
	return false
}

// holder chooses whom to ask for t: whoever was asked longest ago of those that showed that
// much, the origin first; nobody who is busy or whose time has not come.
func (g *GapFiller) holder(now time.Time, st *gap, t Task) (record.MemberID, bool) {
	origin := t.Stream.Member()
	var can []record.MemberID
	for _, p := range g.Roster.Peers() {
		if g.busy[p] || now.Before(st.tried[asked{p, t.Late}].until) {
			continue
		}
		if p == origin || origin == g.Roster.Self || st.claims[p].size > t.From {
			can = append(can, p)
		}
	}
	if len(can) == 0 {
		return "", false
	}
	return slices.MinFunc(can, func(a, b record.MemberID) int {
		if c := st.tried[asked{a, t.Late}].last.Compare(st.tried[asked{b, t.Late}].last); c != 0 {
			return c
		}
		if a == origin || b == origin {
			return cmp.Compare(boolRank(a == origin), boolRank(b == origin))
		}
		return cmp.Compare(a, b)
	}), true
}

func boolRank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// Finished is what a range answer led to.
type Finished struct {
	Outcomes []Outcome
	Leaves   *LeavesTask // a request to make now
	Charter  *record.CharterRef
	Err      error // this node's store failed; the answer was not used up
}

// Finish takes the end of a request that Next returned: the frames, or the error that the request ended with.
func (g *GapFiller) Finish(ctx context.Context, now time.Time, t Task, frames []*record.Frame, fetchErr error) Finished {
	var res Finished
	progress, doubt := false, false
	before, _ := g.Replicas.Head(ctx, t.Stream)
	for _, fr := range frames {
		if fr.Stream != t.Stream {
			doubt = true
			break
		}
		o := g.Replicas.Offer(ctx, fr, ViaHTTP, nil)
		res.Outcomes = append(res.Outcomes, o)
		if o.Charter != nil {
			res.Charter = o.Charter
		}
		if o.Suspect != nil {
			if c, err := record.ParseCheckpoint(o.Suspect); err == nil {
				res.Leaves = &LeavesTask{Peer: t.Peer, Stream: t.Stream, Size: c.Size, Suspect: o.Suspect}
			}
		}
		if o.Result == Failed {
			res.Err = o.Err
			break
		}
		progress = progress || o.New > 0 || o.Parts
		if o.Doubt {
			doubt = true
			break
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	st := g.stream(t.Stream)
	st.flying = false
	delete(g.busy, t.Peer)
	who := asked{t.Peer, t.Late}
	a := st.tried[who]
	result := "ok"
	switch {
	case fetchErr != nil:
		result = "error"
	case doubt:
		result = "unproven"
		g.Replicas.alarm(AlarmUnproven, t.Stream, t.Peer)
	case !progress:
		result = "empty"
	}
	g.Count.Add(CountFetched, result, 1)
	if progress && !doubt {
		a.fails, a.until = 0, time.Time{}
	} else {
		a.fails++
		a.until = now.Add(min(RetryFirst<<min(a.fails-1, 10), RetryLast))
	}
	st.tried[who] = a
	if fetchErr == nil && !doubt && res.Err == nil {
		st.poke = false
		if after, err := g.Replicas.Head(ctx, t.Stream); err == nil && after.Size == before.Size && t.Peer == t.Stream.Member() && !t.Late {
			st.want = min(st.want, after.Size) // the origin itself has no more than we do
		}
	}
	return res
}

// FinishLeaves takes the end of a LeavesTask.
func (g *GapFiller) FinishLeaves(ctx context.Context, t LeavesTask, leaves []tlog.Hash, fetchErr error) Outcome {
	if fetchErr != nil {
		return Outcome{Result: Dropped, Stream: t.Stream, Why: record.WhyEmpty}
	}
	return g.Replicas.OfferLeaves(ctx, t.Suspect, leaves)
}

// FetchFunc asks a peer for a range (wire.md §3).
type FetchFunc func(ctx context.Context, peer record.MemberID, s record.StreamID, from uint64) ([]*record.Frame, error)

// LeavesFunc asks a peer for the leaves of a stream at a size.
type LeavesFunc func(ctx context.Context, peer record.MemberID, s record.StreamID, size uint64) ([]tlog.Hash, error)

// Run does a task to its end with real requests, the leaves that it leads to included. ctx bounds the requests.
func (g *GapFiller) Run(ctx context.Context, now func() time.Time, t Task, fetch FetchFunc, leaves LeavesFunc) Finished {
	frames, err := fetch(ctx, t.Peer, t.Stream, t.From)
	res := g.Finish(context.WithoutCancel(ctx), now(), t, frames, err)
	if res.Leaves == nil {
		return res
	}
	hashes, err := leaves(ctx, res.Leaves.Peer, res.Leaves.Stream, res.Leaves.Size)
	res.Outcomes = append(res.Outcomes, g.FinishLeaves(context.WithoutCancel(ctx), *res.Leaves, hashes, err))
	return res
}
