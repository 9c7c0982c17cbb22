package exchange_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/internal/sim/memlog"
	"github.com/pilinhub/pilin/record"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)
	fed   = record.FederationID{0xfe, 0xd0}
	first = record.CharterRef{Version: 1, Hash: fed}
)

// The members of the tests and a group that the last one is not in.
const (
	a      record.MemberID = "310116-01"
	b      record.MemberID = "310117-01"
	c      record.MemberID = "310118-01"
	circle record.GroupID  = "c0000000000000000000000000000001"
)

var epochs = map[record.GroupID]record.EpochKey{
	record.All: {ID: record.KeyID{1}, Key: [32]byte{1}},
	circle:     {ID: record.KeyID{2}, Key: [32]byte{2}},
}

func signer(m record.MemberID) *record.Signer {
	seed := sha256.Sum256([]byte(m))
	return record.NewSigner(ed25519.NewKeyFromSeed(seed[:]))
}

// node is one member with everything of this package over a log in memory.
type node struct {
	testing.TB
	id       record.MemberID
	log      *memlog.Log
	roster   *exchange.Roster
	replicas *exchange.Replicas
	gaps     *exchange.GapFiller
	receipts *exchange.Receipts
	release  *exchange.Release
	heads    *exchange.Heads
	count    *exchange.Counters
	alarms   []exchange.Alarm
	charters []record.CharterRef // known versions
	random   *rand.ChaCha8
	locals   []record.Draft
}

func newNode(t testing.TB, id record.MemberID) *node {
	n := &node{TB: t, id: id, charters: []record.CharterRef{first}, random: rand.NewChaCha8(sha256.Sum256([]byte(t.Name() + string(id)))), count: &exchange.Counters{}}
	n.log = memlog.New(memlog.Config{
		Self: id, Federation: fed,
		Sealer:  &record.Sealer{Random: n.random, Current: func(g record.GroupID) (record.EpochKey, bool) { return epochs[g], n.in(g, id) }},
		Signer:  func(record.StreamID, uint64) (*record.Signer, bool) { return signer(id), true },
		Charter: func() record.CharterRef { return n.charters[len(n.charters)-1] },
	})
	n.boot()
	return n
}

func (n *node) in(g record.GroupID, m record.MemberID) bool { return g == record.All || m != c }

// boot makes the state machines of a new process.
func (n *node) boot() {
	key := func(id record.KeyID) (record.EpochKey, bool) {
		for g, e := range epochs {
			if e.ID == id {
				return e, n.in(g, n.id)
			}
		}
		return record.EpochKey{}, false
	}
	n.roster = &exchange.Roster{
		Federation: fed, Self: n.id,
		Members:      func() []record.MemberID { return []record.MemberID{a, b, c} },
		Known:        func(m record.MemberID) bool { return m == a || m == b || m == c },
		Charter:      func() record.CharterRef { return n.charters[len(n.charters)-1] },
		CharterKnown: func(r record.CharterRef) bool { return slices.Contains(n.charters, r) },
		SignKey: func(s record.StreamID, _ uint64) (ed25519.PublicKey, bool) {
			return signer(s.Member()).Public(), true
		},
		NoteKeys: func(m record.MemberID) []ed25519.PublicKey { return []ed25519.PublicKey{signer(m).Public()} },
		Key:      key, SealKey: key,
		Groups: func(m record.MemberID) map[record.GroupID]bool {
			return map[record.GroupID]bool{record.All: true, circle: n.in(circle, m)}
		},
	}
	alarm := func(x exchange.Alarm) { n.alarms = append(n.alarms, x) }
	n.replicas = &exchange.Replicas{Log: n.log, Roster: n.roster, Count: n.count, Alarm: alarm}
	n.gaps = &exchange.GapFiller{Replicas: n.replicas, Roster: n.roster, Count: n.count}
	n.release = &exchange.Release{Log: n.log, Roster: n.roster, Count: n.count, Alarm: alarm, Local: func(_ context.Context, d record.Draft) error {
		n.locals = append(n.locals, d)
		return nil
	}}
	n.receipts = &exchange.Receipts{Log: n.log, Roster: n.roster, Replicas: n.replicas, Signer: signer(n.id), Count: n.count, Alarm: alarm, Released: n.release.Released}
	n.heads = &exchange.Heads{Log: n.log, Roster: n.roster, Replicas: n.replicas, Gaps: n.gaps, Receipts: n.receipts, Release: n.release, Signer: signer(n.id), Count: n.count, Alarm: alarm}
	n.ok(n.release.Begin(ctx, false))
}

func (n *node) ok(err error) {
	n.Helper()
	if err != nil {
		n.Fatal(err)
	}
}

func (n *node) stream() record.StreamID { return record.Stream(n.id, record.Records) }

// open releases the node: everybody says that he holds what the node has.
func (n *node) open() *node {
	n.Helper()
	for _, m := range n.roster.Peers() {
		n.ok(n.release.Answered(start, m, nil))
	}
	n.release.TopicEnd(nil, nil)
	do, err := n.release.Step(ctx, start)
	n.ok(err)
	if !do.Open {
		n.Fatalf("%s is %s", n.id, n.release.Phase())
	}
	return n
}

func (n *node) draft(group record.GroupID, refs ...record.Ref) record.Draft {
	id, err := record.NewBits128(n.random)
	n.ok(err)
	return record.Draft{
		Stream: n.stream(), ID: id, Type: "penalty", Schema: "1", Day: "2026-03-02", Refs: refs,
		Audience: map[record.GroupID]record.Level{group: record.L3},
		Parts:    map[record.PartName][]byte{record.Card: fmt.Appendf(nil, `{"card":"%s"}`, id), record.Body: fmt.Appendf(nil, `{"body":"%s"}`, id)},
	}
}

// publish appends count records for everybody, each its own commit group, and returns the last one's id.
func (n *node) publish(count int) (id record.RecordID) {
	n.Helper()
	for range count {
		d := n.draft(record.All)
		_, err := n.log.Append(ctx, record.Append{Drafts: []record.Draft{d}})
		n.ok(err)
		id = d.ID
	}
	return id
}

// frames returns the node's own stream as Kafka carries it.
func (n *node) frames() [][]byte {
	n.Helper()
	gs, err := n.log.Groups(ctx, n.stream(), 0, 1000)
	n.ok(err)
	var out [][]byte
	for _, g := range gs {
		fr, err := record.SealedFrame(fed, g, n.roster.SealKey)
		n.ok(err)
		data, err := fr.Encode()
		n.ok(err)
		out = append(out, data)
	}
	return out
}

// ranges returns a stream as the node hands it to a peer.
func (n *node) ranges(peer record.MemberID, s record.StreamID, from uint64) []*record.Frame {
	n.Helper()
	body, err := exchange.ServeRange(ctx, n.log, n.roster, n.release.Released(), peer, s, from)
	n.ok(err)
	frames, err := record.DecodeRange(body)
	n.ok(err)
	return frames
}

// take offers messages of a member's topic from an offset on and returns the last outcome.
func (n *node) take(from record.MemberID, at int64, messages ...[]byte) (o exchange.Outcome) {
	n.Helper()
	for i, m := range messages {
		o = n.replicas.OfferBytes(ctx, from, m, &record.Cursor{Topic: topicOf(from), Offset: at + int64(i) + 1})
	}
	return o
}

func topicOf(m record.MemberID) string { return "pilin." + string(m) + ".log" }

func (n *node) size(s record.StreamID) uint64 {
	n.Helper()
	h, err := n.log.Head(ctx, s)
	n.ok(err)
	return h.Size
}

func (n *node) position(m record.MemberID) int64 {
	c, err := n.log.Cursor(ctx, topicOf(m))
	if err != nil {
		return -1
	}
	return c.Offset
}

func (n *node) wantResult(o exchange.Outcome, r exchange.Result, why string) {
	n.Helper()
	if o.Result != r || o.Why != why {
		n.Fatalf("outcome %s %q (%v), want %s %q", o.Result, o.Why, o.Err, r, why)
	}
}

func (n *node) wantAlarm(code string) {
	n.Helper()
	if !slices.ContainsFunc(n.alarms, func(x exchange.Alarm) bool { return x.Code == code }) {
		n.Fatalf("no alarm %s in %v", code, n.alarms)
	}
}

// flipped returns a copy with one bit changed.
func flipped(data []byte, at int) []byte {
	data = slices.Clone(data)
	data[at] ^= 1
	return data
}

var keysOfB = []ed25519.PublicKey{signer(b).Public()}
