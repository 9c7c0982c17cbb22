package record_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"maps"
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

// replica is a Follower with the smallest store that keeps its promises. Each step is checked from outside.
type replica struct {
	tb          testing.TB
	fed         *federation
	f           *record.Follower
	records     []record.Stored
	checkpoints map[uint64][]byte
	keyCalls    int // how often a signing key was asked for, that is, signatures verified
}

func newReplica(tb testing.TB, fed *federation, groups ...record.GroupID) *replica {
	in := map[record.GroupID]bool{}
	for _, g := range groups {
		in[g] = true
	}
	r := &replica{tb: tb, fed: fed, checkpoints: map[uint64][]byte{}}
	r.f = &record.Follower{
		Federation: fed.id, Self: other, Head: record.Head{Stream: record.Stream(origin, record.Records)},
		SignKey: func(s record.StreamID, seq uint64) (ed25519.PublicKey, bool) {
			r.keyCalls++
			return fed.signKey(s, seq)
		},
		CharterKnown: func(c record.CharterRef) bool { return c == fed.charter },
		Key:          fed.keys(in),
		Entitled:     func(g record.GroupID) bool { return in[g] },
		Checkpoint: func(size uint64) ([]byte, bool) {
			b, ok := r.checkpoints[size]
			return b, ok
		},
		Leaves: func(from, to uint64) ([]tlog.Hash, error) {
			var leaves []tlog.Hash
			for _, st := range r.records[from:min(to, uint64(len(r.records)))] {
				leaves = append(leaves, st.Leaf)
			}
			return leaves, nil
		},
		Subject: r.subject,
	}
	return r
}

// subject is Log.Subject.
func (r *replica) subject(id record.RecordID) ([]record.Stored, error) {
	var out []record.Stored
	for _, st := range r.records {
		if st.Meaning.IsZero() {
			h, err := record.DecodeHeader(st.Header)
			if st.Unusable == "" && err == nil && h.ID == id {
				out = append(out, cloned(st))
			}
			continue
		}
		if s, _ := st.Meaning.Subject(); s == id {
			out = append(out, cloned(st))
		}
	}
	return out, nil
}

func cloned(st record.Stored) record.Stored {
	st.Parts = slices.Clone(st.Parts)
	return st
}

// offer offers a frame and stores what is decided.
func (r *replica) offer(f *record.Frame) record.Decision {
	r.tb.Helper()
	d := r.f.Offer(f, "kafka")
	if d.Kind == record.DoApply {
		r.apply(d.Apply)
	}
	return d
}

func (r *replica) offerLate(f *record.Frame) record.Decision {
	r.tb.Helper()
	d := r.f.OfferLate(f, "http")
	if d.Kind == record.DoApply {
		r.apply(d.Apply)
	}
	return d
}

func (r *replica) apply(a *record.Apply) {
	r.tb.Helper()
	if a.From != uint64(len(r.records)) {
		r.tb.Fatalf("apply from %d at %d", a.From, len(r.records))
	}
	if a.Group != nil {
		for _, st := range a.Group.Records {
			r.records = append(r.records, cloned(st))
		}
		r.checkpoints[a.NewHead.Size] = a.Group.Checkpoint
	}
	for _, late := range a.Late {
		st := &r.records[late.Seq]
		st.Meaning, st.Unusable = late.Meaning, late.Unusable
		for _, p := range late.Parts {
			r.put(late.Seq, p)
		}
	}
	for _, d := range a.Deletes {
		for _, at := range d.Parts {
			r.put(at.Seq, record.StoredPart{Name: at.Part, State: record.PartGone, GoneBy: d.By})
		}
	}
	r.f.Applied(a)
	r.check()
}

func (r *replica) put(seq uint64, p record.StoredPart) {
	for i, old := range r.records[seq].Parts {
		if old.Name == p.Name {
			r.records[seq].Parts[i] = p
			return
		}
	}
	r.tb.Fatalf("record %d has no part %s", seq, p.Name)
}

// check trusts nothing that the Follower said: root, frontier, signature, commitments and the applied head again.
func (r *replica) check() {
	r.tb.Helper()
	h := r.f.Head
	var tree record.Tree
	applied := uint64(len(r.records))
	pending := map[record.PartAt]bool{}
	for i, st := range r.records {
		if st.Seq != uint64(i) || st.Leaf != record.Leaf(st.Header) {
			r.tb.Fatalf("record %d: wrong place or leaf", i)
		}
		tree = tree.Add(st.Leaf)
		for j, p := range st.Parts {
			switch p.State {
			case record.PartPending:
				applied = min(applied, st.Seq)
				pending[record.PartAt{Seq: st.Seq, Part: p.Name}] = true
				fallthrough
			default:
				if p.Bytes != nil {
					r.tb.Fatalf("record %d: %s is %d and has bytes", i, p.Name, p.State)
				}
			case record.PartPresent:
				hd, err := record.DecodeHeader(st.Header)
				if err != nil || p.Name == record.Home || !record.Check(hd.Parts[j], p.Salt, p.Bytes) {
					r.tb.Fatalf("record %d: %s present and not proven", i, p.Name)
				}
			}
		}
	}
	c, err := record.VerifyCheckpoint(h.Checkpoint, r.fed.signers[origin].Public())
	if err != nil || c.Size != tree.Size || c.Root != tree.Root() {
		r.tb.Fatalf("head without a proof: %v", err)
	}
	if h.Size != tree.Size || h.Signed != tree.Size || h.Root != tree.Root() || !slices.Equal(h.Frontier, tree.Frontier) {
		r.tb.Fatalf("head %+v does not fit the records", h)
	}
	if h.Applied != applied || !maps.Equal(pending, r.f.Pending) {
		r.tb.Fatalf("applied %d, want %d; pending %v, want %v", h.Applied, applied, r.f.Pending, pending)
	}
}

// states prints the part states of a record in part order.
func (r *replica) states(seq uint64) string {
	var b bytes.Buffer
	names := map[record.PartState]string{
		record.PartNone: "none", record.PartPresent: "present", record.PartPending: "pending",
		record.PartWithheld: "withheld", record.PartGone: "gone", record.PartLost: "lost",
	}
	for i, p := range r.records[seq].Parts {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%s:%s", p.Name, names[p.State])
		if p.State == record.PartGone {
			fmt.Fprintf(&b, "(%d)", p.GoneBy)
		}
	}
	return b.String()
}

func (r *replica) wantStates(seq uint64, want string) {
	r.tb.Helper()
	if got := r.states(seq); got != want {
		r.tb.Errorf("record %d: %s, want %s", seq, got, want)
	}
}

func (r *replica) wantUnusable(seq uint64, want string) {
	r.tb.Helper()
	if got := r.records[seq].Unusable; got != want {
		r.tb.Errorf("record %d: unusable %q, want %q", seq, got, want)
	}
}

func wantKind(tb testing.TB, d record.Decision, kind record.Kind, why string) {
	tb.Helper()
	if d.Kind != kind || d.Why != why {
		tb.Fatalf("decision %d %q, want %d %q", d.Kind, d.Why, kind, why)
	}
}
