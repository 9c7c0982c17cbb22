package federation

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
)

// LogIndex is the Index of a node: it reads committed records of every records stream in order, own and foreign, and keeps
// them in a match.Engine in memory. It starts empty, or from a snapshot (OpenLogIndex); CatchUp builds it. Deletions act on
// what is verified, everything else on what is applied (architecture.md §5). Parts of `home` are never looked at, so no
// question finds them.
type LogIndex struct {
	log    record.Log
	engine *match.Engine

	reading sync.Mutex // one reader of the log at a time
	mu      sync.Mutex // guards what follows
	at      map[record.StreamID]position
	moved   chan struct{} // closed and replaced when a position moves
	shelves []shelf       // by number, never taken away: there are a few for each stream
	shelved map[string]uint32
	revised map[record.StreamID]uint64 // revisions of stored records that are in the index (snapshots only)
	taken   uint64                     // records that acted, since the index was made

	snapshots sync.Mutex // one writer of a snapshot at a time
	snapped   uint64     // taken, as of the newest snapshot
}

// shelf holds subjects of one stream that are seen by the same askers.
type shelf struct {
	stream   record.StreamID
	audience map[record.GroupID]record.Level
}

// position is how far one stream is read.
type position struct {
	applied  uint64    // records before it are in the index
	verified uint64    // deletions of records before it have acted
	root     tlog.Hash // of the stream at verified: which records those were
}

var _ Index = (*LogIndex)(nil)

// NewLogIndex returns an empty index over log.
func NewLogIndex(log record.Log) *LogIndex {
	return newLogIndex(log, match.NewEngine())
}

func newLogIndex(log record.Log, engine *match.Engine) *LogIndex {
	return &LogIndex{log: log, engine: engine, at: map[record.StreamID]position{}, moved: make(chan struct{}), shelved: map[string]uint32{},
		revised: map[record.StreamID]uint64{}}
}

// CatchUp reads what the log has committed since the last time, of every stream. The node calls it at start, before it is
// ready, and whenever a commit may have happened.
func (x *LogIndex) CatchUp(ctx context.Context) error {
	heads, err := x.log.Heads(ctx)
	if err != nil {
		return fmt.Errorf("catch up index: %w", err)
	}
	for _, h := range heads {
		if h.Stream.Kind() != record.Records || x.position(h.Stream) == (position{h.Applied, h.Size, h.Root}) {
			continue // nothing moved: with every frame that comes this is so of all streams but one
		}
		if err := x.follow(ctx, h.Stream, math.MaxUint64); err != nil {
			return err
		}
	}
	return nil
}

// Applied returns the sequence before which all records of s are in the index.
func (x *LogIndex) Applied(s record.StreamID) uint64 { return x.position(s).applied }

// Wait reads the log itself if it is behind seq, and otherwise waits for CatchUp.
func (x *LogIndex) Wait(ctx context.Context, s record.StreamID, seq uint64) error {
	if bugIndexBeforeCommit {
		x.move(s, position{applied: seq, verified: seq})
		return nil
	}
	for {
		x.mu.Lock()
		moved := x.moved
		x.mu.Unlock()
		if x.Applied(s) >= seq {
			return nil
		}
		if err := x.follow(ctx, s, seq); err != nil {
			return err
		}
		if x.Applied(s) >= seq {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("wait for index of %s: %w", s, ctx.Err())
		}
	}
}

// readAtOnce is how many records one read of the log brings.
const readAtOnce = 500

// follow reads one stream up to its head, unless whoever read before it brought all records before seq: of many that wait
// one reads for them all.
func (x *LogIndex) follow(ctx context.Context, s record.StreamID, seq uint64) error {
	x.reading.Lock()
	defer x.reading.Unlock()
	if x.Applied(s) >= seq {
		return nil
	}
	h, err := x.log.Head(ctx, s)
	if err != nil {
		return fmt.Errorf("catch up index of %s: %w", s, err)
	}
	p := x.position(s)
	from := p.verified // nothing new is applied: only deletions of new records act
	if h.Applied > p.applied {
		from = p.applied // reading a record twice changes nothing
	}
	for from < h.Size {
		groups, err := x.log.Groups(ctx, s, from, readAtOnce)
		if err != nil {
			return fmt.Errorf("catch up index of %s: %w", s, err)
		}
		if len(groups) == 0 {
			break
		}
		for _, g := range groups {
			for _, st := range g.Records {
				x.take(st, st.Seq < h.Applied)
			}
			x.mu.Lock()
			x.taken += uint64(len(g.Records))
			x.mu.Unlock()
			from = g.First + uint64(len(g.Records))
		}
	}
	x.move(s, position{applied: h.Applied, verified: h.Size, root: h.Root})
	return nil
}

// Revisit makes the index read records from seq on again. The node calls it when late parts of records arrived that were
// withheld or pending before: they may stand before what the index has read.
func (x *LogIndex) Revisit(s record.StreamID, seq uint64) {
	x.reading.Lock()
	defer x.reading.Unlock()
	p := x.position(s)
	p.applied = min(p.applied, seq)
	x.move(s, p)
}

func (x *LogIndex) position(s record.StreamID) position {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.at[s]
}

func (x *LogIndex) move(s record.StreamID, p position) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.at[s] == p {
		return
	}
	x.at[s] = p
	close(x.moved)
	x.moved = make(chan struct{})
}

// take lets one record act. A record that is verified but not applied only deletes.
func (x *LogIndex) take(st record.Stored, applied bool) {
	m := st.Meaning
	if st.Unusable != "" || m.IsZero() {
		return
	}
	subject, _ := m.Subject()
	change, changes := m.Change()
	switch {
	case changes && change.Rel.Ends():
		x.engine.Delete(match.Ref{Stream: string(st.Stream), Subject: subject}, st.Seq)
		return
	case changes && change.Rel == record.Supersedes && st.Seq > 0:
		// The content before this record is gone, whether or not its own is here yet: Put may follow at this sequence.
		x.engine.Delete(match.Ref{Stream: string(st.Stream), Subject: subject}, st.Seq-1)
	case changes && change.Rel == record.Follows:
		return // no content is replaced
	}
	if !applied {
		return
	}
	t, ok := schemas.Lookup(m.Type, m.Schema)
	if !ok {
		return // kept by the log; read again by the index of a version that knows the type
	}
	parts := map[string][]byte{}
	for _, p := range st.Parts {
		if p.State == record.PartPresent && (p.Name == record.Card || p.Name == record.Body) {
			parts[string(p.Name)] = p.Bytes
		}
	}
	ids := t.Identifiers(parts)
	if len(ids) == 0 {
		return
	}
	e := match.Doc{Stream: string(st.Stream), Subject: subject, Seq: st.Seq, Identifiers: ids}.Entry()
	e.Shelf = x.shelf(st.Stream, m.Audience)
	x.engine.Put(e)
}

// shelf returns the number of the shelf for subjects of a stream with an audience.
func (x *LogIndex) shelf(s record.StreamID, audience map[record.GroupID]record.Level) uint32 {
	key := string(s)
	for _, g := range slices.SortedFunc(maps.Keys(audience), func(a, b record.GroupID) int { return cmp.Compare(a, b) }) {
		key += fmt.Sprintf("\x00%s\x00%d", g, audience[g])
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	n, ok := x.shelved[key]
	if !ok {
		n = uint32(len(x.shelves))
		x.shelves, x.shelved[key] = append(x.shelves, shelf{s, maps.Clone(audience)}), n
	}
	return n
}

// Find asks the engine among the shelves that in accepts.
func (x *LogIndex) Find(_ context.Context, q Question, asOf string, in In) (Findings, error) {
	x.mu.Lock()
	shelves := x.shelves
	x.mu.Unlock()
	open, any := make([]bool, len(shelves)), false
	for i, s := range shelves {
		open[i] = in(s.stream, s.audience)
		any = any || open[i]
	}
	if !any {
		return Findings{}, nil
	}
	a := x.engine.AskWithin(q.engineQuestion(asOf), match.Within{Limit: MaxHits + 1, Weighed: true,
		In: func(n uint32) bool { return int(n) < len(open) && open[n] }})
	out := Findings{Namesakes: a.Namesakes, Truncated: a.Truncated}
	for _, c := range a.Candidates {
		out.Candidates = append(out.Candidates, Candidate{Place: placeOf(c.Ref), Outcome: Outcome(c.Outcome), Score: c.Score, Lines: c.Lines})
	}
	slices.SortStableFunc(out.Candidates, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(b.Score, a.Score), bytes.Compare(a.Subject[:], b.Subject[:])) // hit before possible
	})
	for _, r := range a.Same {
		out.Same = append(out.Same, placeOf(r))
	}
	return out, nil
}

func placeOf(r match.Ref) Place { return Place{record.StreamID(r.Stream), r.Subject} }
