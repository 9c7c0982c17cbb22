package histories_test

import (
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/internal/sim/memlog"
	"github.com/pilinhub/pilin/record"
)

// The federation of every history: three bureaux, and a node that only reads.
const (
	pinghu    = record.MemberID("330482-01")
	songjiang = record.MemberID("310117-01")
	jinshan   = record.MemberID("310116-01")
	reader    = record.MemberID("310118-01")
)

var bureaux = []record.MemberID{pinghu, songjiang, jinshan}

var (
	fed     = record.FederationID{7}
	charter = record.CharterRef{Version: 1, Hash: [32]byte{7}}
	epoch   = record.EpochKey{ID: record.KeyID{1}, Key: [32]byte{1, 1}}
	signers = map[record.MemberID]*record.Signer{}
	all     = map[record.GroupID]bool{record.All: true}
)

func init() {
	for i, m := range bureaux {
		seed := make([]byte, ed25519.SeedSize)
		seed[0] = byte(i + 1)
		signers[m] = record.NewSigner(ed25519.NewKeyFromSeed(seed))
	}
}

// place is a node of a history: its log, the index that follows it, and the desk.
type place struct {
	self      record.MemberID
	log       *memlog.Log
	index     *federation.LogIndex
	register  *blacklist.Register
	followers map[record.StreamID]*record.Follower
}

func newPlace(self record.MemberID, random *rand.ChaCha8, now func() time.Time) *place {
	return placeOn(memlog.New(memlog.Config{Self: self, Federation: fed,
		Sealer:  &record.Sealer{Random: random, Current: func(record.GroupID) (record.EpochKey, bool) { return epoch, true }},
		Signer:  func(s record.StreamID, _ uint64) (*record.Signer, bool) { sg, ok := signers[s.Member()]; return sg, ok },
		Charter: func() record.CharterRef { return charter }}), self, random, now)
}

// placeOn is a node that begins with this log: nothing but the log is carried over.
func placeOn(log *memlog.Log, self record.MemberID, random *rand.ChaCha8, now func() time.Time) *place {
	return &place{self: self, log: log, index: federation.NewLogIndex(log), followers: map[record.StreamID]*record.Follower{},
		register: &blacklist.Register{Log: log, Self: self, Now: now, Random: random, Synthetic: true}}
}

func (p *place) follower(s record.StreamID) *record.Follower {
	if f := p.followers[s]; f != nil {
		return f
	}
	ctx := ctx
	f := &record.Follower{Federation: fed, Self: p.self, Head: record.Head{Stream: s, Root: record.EmptyRoot()}, Pending: map[record.PartAt]bool{},
		SignKey: func(s record.StreamID, _ uint64) (ed25519.PublicKey, bool) {
			sg, ok := signers[s.Member()]
			if !ok {
				return nil, false
			}
			return sg.Public(), true
		},
		CharterKnown: func(r record.CharterRef) bool { return r == charter },
		Key:          func(id record.KeyID) (record.EpochKey, bool) { return epoch, id == epoch.ID },
		Entitled:     func(g record.GroupID) bool { return g == record.All }, Usable: federation.Usable,
		Checkpoint: func(size uint64) ([]byte, bool) {
			gs, err := p.log.Groups(ctx, s, size-1, 1)
			if err != nil || len(gs) == 0 || gs[0].First+uint64(len(gs[0].Records)) != size {
				return nil, false
			}
			return gs[0].Checkpoint, true
		},
		Leaves:  func(from, to uint64) ([]tlog.Hash, error) { return p.log.Leaves(ctx, s, from, to) },
		Subject: func(id record.RecordID) ([]record.Stored, error) { return p.log.Subject(ctx, s, id) }}
	p.followers[s] = f
	return f
}

// take hands a frame to the node, over its own road or as late parts; a duplicate is nothing.
func (p *place) take(fr *record.Frame, late bool) error {
	f := p.follower(fr.Stream)
	d := f.Offer(fr, "kafka")
	if late {
		d = f.OfferLate(fr, "http")
	}
	switch d.Kind {
	case record.DoDuplicate:
		return nil
	case record.DoApply:
	default:
		return fmt.Errorf("%s: frame at %d: decision %d %s", p.self, fr.First, d.Kind, d.Why)
	}
	if err := p.log.Apply(ctx, *d.Apply); err != nil {
		return err
	}
	f.Applied(d.Apply)
	for _, l := range d.Apply.Late {
		p.index.Revisit(fr.Stream, l.Seq)
	}
	return p.index.CatchUp(ctx)
}

// tally is what the member says of its own penalties, reckoned from the records of this place at this level.
func (p *place) tally(of record.MemberID, q federation.Question, asOf string, level record.Level) (federation.Tally, error) {
	own := record.Stream(of, record.Records)
	found, err := p.index.Find(ctx, q, asOf, func(s record.StreamID, _ map[record.GroupID]record.Level) bool { return s == own })
	if err != nil {
		return federation.Tally{}, err
	}
	t, _, err := httpapi.Tally(own, p.register, p.index.Find)(ctx, q, asOf, found.Candidates,
		func(a map[record.GroupID]record.Level) record.Level { return min(level, a[record.All]) })
	return t, err
}

// history is one generated history: the bureaux as they lived it, and the frames as they went on the road.
type history struct {
	draw   *rand.Rand
	now    time.Time
	places map[record.MemberID]*place
	frames []*record.Frame
	levels map[record.MemberID]record.Level
	open   []*subject
	serial int
	told   map[string]int // what was done, for the report
}

func newHistory(seed uint64) *history {
	h := &history{draw: rand.New(rand.NewPCG(seed, 9)), now: time.Date(2025, 6, 2, 9, 0, 0, 0, record.CivilZone), places: map[record.MemberID]*place{},
		levels: map[record.MemberID]record.Level{}, told: map[string]int{}}
	for i, m := range bureaux {
		p := newPlace(m, chacha(seed, uint64(i)), func() time.Time { return h.now })
		h.places[m] = p
		h.levels[m] = record.L3
		if h.draw.IntN(4) == 0 {
			h.levels[m] = record.Level(1 + h.draw.IntN(2))
		}
	}
	return h
}

func chacha(seed, part uint64) *rand.ChaCha8 {
	var k [32]byte
	for i := range 8 {
		k[i], k[8+i] = byte(seed>>(8*i)), byte(part>>(8*i))
	}
	return rand.NewChaCha8(k)
}

// begin releases the own streams.
func (h *history) begin() error {
	for _, m := range bureaux {
		if err := h.places[m].log.Release(ctx, record.Stream(m, record.Records)); err != nil {
			return err
		}
	}
	return nil
}

// deliver brings what a bureau has appended to the others, at once.
func (h *history) deliver(from record.MemberID) error {
	p, s, ctx := h.places[from], record.Stream(from, record.Records), ctx
	next := uint64(0)
	for _, fr := range h.frames {
		if fr.Stream == s {
			next = fr.End()
		}
	}
	groups, err := p.log.Groups(ctx, s, next, 100)
	if err != nil {
		return err
	}
	if err := p.index.CatchUp(ctx); err != nil {
		return err
	}
	for _, g := range groups {
		fr, err := record.OpenFrame(fed, g, all)
		if err != nil {
			return err
		}
		h.frames = append(h.frames, fr)
		for _, m := range bureaux {
			if m == from {
				continue
			}
			if err := h.places[m].take(fr, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// redelivered is a node that was handed the same frames in another permitted order: the order inside a stream stands,
// frames come twice, and the parts of some come late.
func redelivered(frames []*record.Frame, draw *rand.Rand, random *rand.ChaCha8, now func() time.Time) (*place, error) {
	p := newPlace(reader, random, now)
	queues := map[record.StreamID][]*record.Frame{}
	for _, fr := range frames {
		queues[fr.Stream] = append(queues[fr.Stream], fr)
	}
	var late []*record.Frame
	for {
		var streams []record.StreamID
		for _, m := range bureaux {
			if s := record.Stream(m, record.Records); len(queues[s]) > 0 {
				streams = append(streams, s)
			}
		}
		switch {
		case len(streams) == 0 && len(late) == 0:
			return p, nil
		case len(streams) == 0 || len(late) > 0 && draw.IntN(5) == 0:
			i := draw.IntN(len(late))
			if err := p.take(late[i], true); err != nil {
				return nil, err
			}
			late = slices.Delete(late, i, i+1)
			continue
		}
		s := streams[draw.IntN(len(streams))]
		fr := queues[s][0]
		queues[s] = queues[s][1:]
		first := *fr
		if draw.IntN(3) == 0 {
			first.Boxes, late = nil, append(late, fr)
		}
		for range 1 + draw.IntN(2) {
			if err := p.take(&first, false); err != nil {
				return nil, err
			}
		}
	}
}
