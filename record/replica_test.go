package record_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"maps"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

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
