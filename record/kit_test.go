package record_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// Groups and members of the tests. All are synthetic.
const (
	groupA record.GroupID  = "a0000000000000000000000000000001"
	groupB record.GroupID  = "b0000000000000000000000000000002"
	origin record.MemberID = "310116-01"
	other  record.MemberID = "330482-01"
)

// seeded returns repeatable randomness.
func seeded(name string) *rand.ChaCha8 {
	return rand.NewChaCha8(sha256.Sum256([]byte(name)))
}

func keyOf(name string) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, name)
	return ed25519.NewKeyFromSeed(seed)
}

// federation is what a charter would say.
type federation struct {
	id      record.FederationID
	charter record.CharterRef
	signers map[record.MemberID]*record.Signer
	epochs  map[record.GroupID]record.EpochKey
}

func newFederation() *federation {
	f := &federation{
		id:      record.FederationID{0xfe, 0xd0},
		charter: record.CharterRef{Version: 1, Hash: [32]byte{0xfe, 0xd0}},
		signers: map[record.MemberID]*record.Signer{},
		epochs:  map[record.GroupID]record.EpochKey{},
	}
	for _, m := range []record.MemberID{origin, other} {
		f.signers[m] = record.NewSigner(keyOf("sign " + string(m)))
	}
	for i, g := range []record.GroupID{record.All, groupA, groupB} {
		f.epochs[g] = record.EpochKey{ID: record.KeyID{byte(0xe0 + i)}, Key: [32]byte{byte(i), 7}}
	}
	return f
}

func (f *federation) signKey(s record.StreamID, _ uint64) (ed25519.PublicKey, bool) {
	sg, ok := f.signers[s.Member()]
	if !ok {
		return nil, false
	}
	return sg.Public(), true
}

// keys returns the epoch keys of a member of the groups.
func (f *federation) keys(groups map[record.GroupID]bool) func(record.KeyID) (record.EpochKey, bool) {
	return func(id record.KeyID) (record.EpochKey, bool) {
		for g, e := range f.epochs {
			if e.ID == id && groups[g] {
				return e, true
			}
		}
		return record.EpochKey{}, false
	}
}

var everyGroup = map[record.GroupID]bool{record.All: true, groupA: true, groupB: true}

// author is the origin of one stream: it seals, groups and signs, and keeps what an origin keeps.
type author struct {
	tb     testing.TB
	fed    *federation
	stream record.StreamID
	seal   record.Sealer
	random *rand.ChaCha8
	signer *record.Signer
	groups []record.Group
	leaves []tlog.Hash
	tree   record.Tree
}

func newAuthor(tb testing.TB, fed *federation) *author {
	a := &author{tb: tb, fed: fed, stream: record.Stream(origin, record.Records), random: seeded(tb.Name()), signer: fed.signers[origin]}
	a.seal = record.Sealer{Random: a.random, Current: func(g record.GroupID) (record.EpochKey, bool) {
		e, ok := fed.epochs[g]
		return e, ok
	}}
	return a
}

// twin returns an author with the same past that goes on by itself: what a fork is made of.
func (a *author) twin() *author {
	b := newAuthor(a.tb, a.fed)
	b.random = seeded(a.tb.Name() + " twin")
	b.seal.Random = b.random
	b.groups, b.leaves, b.tree = slices.Clone(a.groups), slices.Clone(a.leaves), a.tree
	return b
}

func (a *author) id() record.RecordID {
	id, err := record.NewBits128(a.random)
	if err != nil {
		a.tb.Fatal(err)
	}
	return id
}

// draft is a small record; the parts tell the levels apart.
func (a *author) draft(audience map[record.GroupID]record.Level, refs ...record.Ref) record.Draft {
	id := a.id()
	return record.Draft{
		Stream: a.stream, ID: id, Type: "blacklist.person", Schema: "1", Day: "2026-03-13", Audience: audience, Refs: refs,
		Parts: map[record.PartName][]byte{
			record.Card: fmt.Appendf(nil, `{"card":"%s"}`, id),
			record.Body: fmt.Appendf(nil, `{"body":"%s"}`, id),
			record.Home: fmt.Appendf(nil, `{"home":"%s"}`, id),
		},
	}
}

func toAll(l record.Level) map[record.GroupID]record.Level {
	return map[record.GroupID]record.Level{record.All: l}
}

func toA(l record.Level) map[record.GroupID]record.Level {
	return map[record.GroupID]record.Level{groupA: l}
}

// commit appends the drafts as one signed commit group.
func (a *author) commit(drafts ...record.Draft) record.Group {
	a.tb.Helper()
	var records []record.Stored
	for i, d := range drafts {
		st, err := a.seal.Seal(d, a.tree.Size+uint64(i))
		if err != nil {
			a.tb.Fatal(err)
		}
		records = append(records, st)
	}
	return a.commitStored(records...)
}

// commitHeaders appends arbitrary bytes as records, as only a hostile or newer origin would.
func (a *author) commitHeaders(headers ...[]byte) record.Group {
	a.tb.Helper()
	var records []record.Stored
	for i, h := range headers {
		records = append(records, record.Stored{Stream: a.stream, Seq: a.tree.Size + uint64(i), Header: h, Leaf: record.Leaf(h)})
	}
	return a.commitStored(records...)
}

func (a *author) commitStored(records ...record.Stored) record.Group {
	a.tb.Helper()
	g := record.Group{Stream: a.stream, First: a.tree.Size, Records: records}
	for _, st := range records {
		a.leaves = append(a.leaves, st.Leaf)
		a.tree = a.tree.Add(st.Leaf)
	}
	g.Checkpoint = a.checkpoint(a.tree)
	a.groups = append(a.groups, g)
	return g
}

func (a *author) checkpoint(t record.Tree) []byte {
	b, err := record.SignCheckpoint(a.signer, record.Checkpoint{
		Federation: a.fed.id, Stream: a.stream, Size: t.Size, Root: t.Root(), Charter: a.fed.charter,
	})
	if err != nil {
		a.tb.Fatal(err)
	}
	return b
}

// kafka returns the group's frame as it comes out of the topic.
func (a *author) kafka(g record.Group) *record.Frame {
	a.tb.Helper()
	f, err := record.SealedFrame(a.fed.id, g, a.fed.keys(everyGroup))
	if err != nil {
		a.tb.Fatal(err)
	}
	b, err := f.Encode()
	if err != nil {
		a.tb.Fatal(err)
	}
	f, err = record.DecodeFrame(b)
	if err != nil {
		a.tb.Fatal(err)
	}
	return f
}

// answer returns the group's frame as a member of the groups gets it by range.
func (a *author) answer(g record.Group, groups map[record.GroupID]bool) *record.Frame {
	a.tb.Helper()
	f, err := record.OpenFrame(a.fed.id, g, groups)
	if err != nil {
		a.tb.Fatal(err)
	}
	b, err := record.EncodeRange([]*record.Frame{f})
	if err != nil {
		a.tb.Fatal(err)
	}
	fs, err := record.DecodeRange(b)
	if err != nil {
		a.tb.Fatal(err)
	}
	return fs[0]
}

// bare returns the frame without boxes: all that a holder that is entitled to nothing hands over.
func bare(f *record.Frame) *record.Frame {
	c := *f
	c.Boxes = nil
	return &c
}
