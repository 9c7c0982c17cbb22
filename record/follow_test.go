package record_test

import (
	"crypto/ed25519"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

func TestFollower_Offer(t *testing.T) {
	fed := newFederation()
	a := newAuthor(t, fed)
	first := a.commit(a.draft(toAll(record.L3)), a.draft(toAll(record.L2)), a.draft(toAll(record.L1)))
	second := a.commit(a.draft(toA(record.L3)), a.draft(map[record.GroupID]record.Level{groupA: record.L1, groupB: record.L2}))

	t.Run("levels and seals decide the parts", func(t *testing.T) {
		r := newReplica(t, fed, record.All, groupB)
		wantKind(t, r.offer(a.kafka(first)), record.DoApply, "")
		wantKind(t, r.offer(a.kafka(second)), record.DoApply, "")
		r.wantStates(0, "card:present body:present home:none")
		r.wantStates(1, "card:present body:none home:none")
		r.wantStates(2, "card:none body:none home:none")
		r.wantStates(3, "meta:withheld card:withheld body:withheld home:none")
		r.wantStates(4, "meta:present card:present body:none home:none")
		if r.f.Head.Applied != 5 {
			t.Errorf("applied %d: a withheld part must not stop it", r.f.Head.Applied)
		}
	})
	t.Run("a gap is named and not skipped", func(t *testing.T) {
		r := newReplica(t, fed, record.All)
		d := r.offer(a.kafka(second))
		wantKind(t, d, record.DoNeed, "")
		if d.From != 0 || d.To != 3 {
			t.Errorf("need [%d,%d), want [0,3)", d.From, d.To)
		}
	})
	t.Run("a replayed topic is cheap", func(t *testing.T) {
		r := newReplica(t, fed, record.All)
		r.offer(a.kafka(first))
		r.offer(a.kafka(second))
		r.keyCalls = 0
		wantKind(t, r.offer(a.kafka(first)), record.DoDuplicate, "")
		wantKind(t, r.offer(a.kafka(second)), record.DoDuplicate, "")
		if r.keyCalls != 0 {
			t.Errorf("%d signatures verified for duplicates", r.keyCalls)
		}
	})
	t.Run("other grouping of the same tree is a duplicate", func(t *testing.T) {
		b := newAuthor(t, fed)
		for _, st := range first.Records[:2] {
			b.commitStored(st)
		}
		r := newReplica(t, fed, record.All)
		r.offer(a.kafka(first))
		wantKind(t, r.offer(b.kafka(b.groups[0])), record.DoDuplicate, "")
		wantKind(t, r.offer(b.kafka(b.groups[1])), record.DoDuplicate, "")
	})
	t.Run("an overlap with our leaves brings the rest", func(t *testing.T) {
		b := newAuthor(t, fed)
		b.commitStored(first.Records[0])
		r := newReplica(t, fed, record.All)
		r.offer(b.kafka(b.groups[0]))
		d := r.offer(a.kafka(first))
		wantKind(t, d, record.DoApply, "")
		if d.Apply.Group.First != 1 || len(d.Apply.Group.Records) != 2 || r.f.Head.Size != 3 {
			t.Errorf("group %d+%d, head %d", d.Apply.Group.First, len(d.Apply.Group.Records), r.f.Head.Size)
		}
		r.wantStates(1, "card:present body:none home:none")
	})
	t.Run("offering changes nothing", func(t *testing.T) {
		r := newReplica(t, fed, record.All)
		for range 2 {
			wantKind(t, r.f.Offer(a.kafka(first), "kafka"), record.DoApply, "")
		}
		if r.f.Head.Size != 0 {
			t.Error("Offer moved the head")
		}
	})
}

func TestFollower_Refuse(t *testing.T) {
	fed := newFederation()
	a := newAuthor(t, fed)
	g := a.commit(a.draft(toAll(record.L3)), a.draft(toAll(record.L3)))
	resign := func(sg *record.Signer, c record.Checkpoint) []byte {
		b, err := record.SignCheckpoint(sg, c)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good, err := record.ParseCheckpoint(g.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name, why string
		change    func(*record.Frame, *record.Follower)
	}{
		{"no records", record.WhyEmpty, func(f *record.Frame, _ *record.Follower) { f.Headers = nil }},
		{"other stream", record.WhyWrongStream, func(f *record.Frame, _ *record.Follower) { f.Stream = record.Stream(other, record.Records) }},
		{"other federation", record.WhyWrongFederation, func(f *record.Frame, _ *record.Follower) { f.Federation[0]++ }},
		{"checkpoint of another stream", record.WhyWrongStream, func(f *record.Frame, _ *record.Follower) {
			c := good
			c.Stream = record.Stream(other, record.Records)
			f.Checkpoint = resign(fed.signers[other], c)
		}},
		{"checkpoint of another federation", record.WhyWrongFederation, func(f *record.Frame, _ *record.Follower) {
			c := good
			c.Federation[3]++
			f.Checkpoint = resign(a.signer, c)
		}},
		{"checkpoint of another size", record.WhyMalformed, func(f *record.Frame, _ *record.Follower) {
			c := good
			c.Size++
			f.Checkpoint = resign(a.signer, c)
		}},
		{"frozen", record.WhyFrozen, func(_ *record.Frame, fo *record.Follower) { fo.Head.Frozen = "forked" }},
		{"unknown charter", record.WhyUnknownCharter, func(f *record.Frame, _ *record.Follower) {
			c := good
			c.Charter.Version = 2
			f.Checkpoint = resign(a.signer, c)
		}},
		{"key revoked from here on", record.WhyUnknownKey, func(_ *record.Frame, fo *record.Follower) {
			fo.SignKey = func(record.StreamID, uint64) (ed25519.PublicKey, bool) { return nil, false }
		}},
		{"signed by another key", record.WhyUnknownSuite, func(f *record.Frame, _ *record.Follower) { f.Checkpoint = resign(fed.signers[other], good) }},
		{"signature of another text", record.WhyBadSignature, func(f *record.Frame, _ *record.Follower) {
			f.Checkpoint = swapText(t, f.Checkpoint, resign(a.signer, record.Checkpoint{
				Federation: fed.id, Stream: a.stream, Size: 2, Root: tlog.Hash{1}, Charter: fed.charter,
			}))
		}},
		{"header changed", record.WhyBadRoot, func(f *record.Frame, _ *record.Follower) {
			f.Headers[1] = append([]byte{}, f.Headers[1]...)
			f.Headers[1][len(f.Headers[1])-5] ^= 1
		}},
		{"headers swapped", record.WhyBadRoot, func(f *record.Frame, _ *record.Follower) {
			f.Headers[0], f.Headers[1] = f.Headers[1], f.Headers[0]
		}},
		{"another first", record.WhyMalformed, func(f *record.Frame, _ *record.Follower) { f.First = 1 }},
		{"box past the records", record.WhyMalformed, func(f *record.Frame, _ *record.Follower) { f.Boxes[0].Index = 7 }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newReplica(t, fed, record.All)
			f := a.kafka(g)
			c.change(f, r.f)
			wantKind(t, r.offer(f), record.DoRefuse, c.why)
			if r.f.Head.Size != 0 {
				t.Error("the stream moved")
			}
		})
	}
	r := newReplica(t, fed, record.All)
	r.offer(a.kafka(g))
	r.f.Head.Signed-- // an own stream with an unsigned tail
	wantKind(t, r.offer(a.kafka(a.commit(a.draft(toAll(record.L3))))), record.DoRefuse, record.WhyStore)
	if d := newReplica(t, fed).offer(nil); d.Why != record.WhyEmpty {
		t.Errorf("nil frame: %q", d.Why)
	}
}

// swapText puts the signature lines of one note under the text of another.
func swapText(t *testing.T, lines, text []byte) []byte {
	t.Helper()
	c, err := record.ParseCheckpoint(text)
	if err != nil {
		t.Fatal(err)
	}
	old, err := record.ParseCheckpoint(lines)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte(c.Text), lines[len(old.Text):]...)
}

func TestFollower_Fork(t *testing.T) {
	fed := newFederation()
	cases := []struct {
		name string
		// ours are the groups that the replica holds, theirs the frame that shows the fork.
		run func(t *testing.T, a *author, r *replica) record.Decision
	}{
		{"same size, other root", func(t *testing.T, a *author, r *replica) record.Decision {
			b := a.twin()
			r.offer(a.kafka(a.commit(a.draft(toAll(record.L1)))))
			return r.offer(b.kafka(b.commit(b.draft(toAll(record.L1)))))
		}},
		{"smaller than ours, between our checkpoints", func(t *testing.T, a *author, r *replica) record.Decision {
			b := a.twin()
			r.offer(a.kafka(a.commit(a.draft(toAll(record.L1)), a.draft(toAll(record.L1)))))
			r.offer(a.kafka(a.commit(a.draft(toAll(record.L1)))))
			return r.offer(b.kafka(b.commit(b.draft(toAll(record.L1)))))
		}},
		{"longer than ours, over our records", func(t *testing.T, a *author, r *replica) record.Decision {
			b := a.twin()
			r.offer(a.kafka(a.commit(a.draft(toAll(record.L1)))))
			return r.offer(b.kafka(b.commit(b.draft(toAll(record.L1)), b.draft(toAll(record.L1)))))
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := newAuthor(t, fed)
			r := newReplica(t, fed, record.All)
			r.offer(a.kafka(a.commit(a.draft(toAll(record.L1)), a.draft(toAll(record.L1)))))
			d := c.run(t, a, r)
			wantKind(t, d, record.DoForked, "")
			b, err := d.Evidence.Encode()
			if err != nil {
				t.Fatal(err)
			}
			e, err := record.DecodeEvidence(b)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Verify(fed.signKey); err != nil {
				t.Errorf("evidence does not convince: %v", err)
			}
		})
	}
	t.Run("an unsigned lie is no fork", func(t *testing.T) {
		a := newAuthor(t, fed)
		r := newReplica(t, fed, record.All)
		b := a.twin()
		r.offer(a.kafka(a.commit(a.draft(toAll(record.L1)))))
		b.signer = fed.signers[other]
		wantKind(t, r.offer(b.kafka(b.commit(b.draft(toAll(record.L1))))), record.DoRefuse, record.WhyUnknownSuite)
	})
	t.Run("a longer fork behind our head proves nothing yet", func(t *testing.T) {
		a := newAuthor(t, fed)
		r := newReplica(t, fed, record.All)
		b := a.twin()
		r.offer(a.kafka(a.commit(a.draft(toAll(record.L1)))))
		b.commit(b.draft(toAll(record.L1)))
		wantKind(t, r.offer(b.kafka(b.commit(b.draft(toAll(record.L1))))), record.DoRefuse, record.WhyBadRoot)
	})
}

func TestFollower_Parts(t *testing.T) {
	fed := newFederation()
	setup := func(t *testing.T) (*author, *replica, record.Group) {
		a := newAuthor(t, fed)
		return a, newReplica(t, fed, record.All, groupA), a.commit(a.draft(toAll(record.L3)), a.draft(toA(record.L3)))
	}
	damage := map[string]func(*record.FrameBox){
		"box damaged":        func(b *record.FrameBox) { b.Data[5] ^= 1 },
		"wrap damaged":       func(b *record.FrameBox) { b.Wraps[0][20] ^= 1 },
		"wrap of other key":  func(b *record.FrameBox) { b.Wraps[0][0] ^= 1 },
		"box of another one": func(b *record.FrameBox) { b.Data = make([]byte, len(b.Data)) },
	}
	for name, change := range damage {
		t.Run(name, func(t *testing.T) {
			a, r, g := setup(t)
			f := a.kafka(g)
			for i := range f.Boxes {
				change(&f.Boxes[i])
			}
			wantKind(t, r.offer(f), record.DoApply, "")
			r.wantStates(0, "card:pending body:pending home:none")
			r.wantStates(1, "meta:pending card:pending body:pending home:none")
			if r.f.Head.Applied != 0 || r.f.Head.Size != 2 {
				t.Errorf("applied %d of %d", r.f.Head.Applied, r.f.Head.Size)
			}
			wantKind(t, r.offerLate(a.answer(g, everyGroup)), record.DoApply, "")
			r.wantStates(0, "card:present body:present home:none")
			r.wantStates(1, "meta:present card:present body:present home:none")
			if r.f.Head.Applied != 2 {
				t.Errorf("applied %d", r.f.Head.Applied)
			}
			wantKind(t, r.offerLate(a.answer(g, everyGroup)), record.DoDuplicate, "")
		})
	}
	t.Run("open box that lies", func(t *testing.T) {
		a, r, g := setup(t)
		f := a.answer(g, everyGroup)
		for i := range f.Boxes {
			f.Boxes[i].Data = append([]byte{}, f.Boxes[i].Data...)
			f.Boxes[i].Data[40] ^= 1
		}
		r.offer(f)
		r.wantStates(0, "card:pending body:pending home:none")
	})
	t.Run("late header that is not ours", func(t *testing.T) {
		a, r, g := setup(t)
		r.offer(bare(a.kafka(g)))
		b := newAuthor(t, fed)
		b.random.Read(make([]byte, 3))
		wantKind(t, r.offerLate(b.answer(b.commit(b.draft(toAll(record.L3))), everyGroup)), record.DoRefuse, record.WhyWrongHeader)
	})
	t.Run("late parts in two answers", func(t *testing.T) {
		a, r, g := setup(t)
		r.offer(bare(a.kafka(g)))
		full := a.answer(g, everyGroup)
		some := *full
		some.Boxes = full.Boxes[:1]
		wantKind(t, r.offerLate(&some), record.DoApply, "")
		r.wantStates(0, "card:present body:pending home:none")
		some.Boxes = full.Boxes[2:3]
		wantKind(t, r.offerLate(&some), record.DoApply, "")
		r.wantStates(0, "card:present body:pending home:none") // what is here stays, though this answer lacks it
		r.wantStates(1, "meta:present card:pending body:pending home:none")
		wantKind(t, r.offerLate(full), record.DoApply, "")
		if r.f.Head.Applied != 2 {
			t.Errorf("applied %d", r.f.Head.Applied)
		}
	})
	t.Run("a newcomer to a group gets old parts by range, without the old key", func(t *testing.T) {
		a, r, g := setup(t)
		r.f.Key = func(record.KeyID) (record.EpochKey, bool) { return record.EpochKey{}, false }
		r.offer(a.kafka(g))
		r.wantStates(1, "meta:withheld card:withheld body:withheld home:none")
		r.wantStates(0, "card:pending body:pending home:none")
		wantKind(t, r.offerLate(a.answer(g, everyGroup)), record.DoApply, "")
		r.wantStates(1, "meta:present card:present body:present home:none")
	})
	t.Run("handed over before the agreement, everything waits for the key", func(t *testing.T) {
		a, r, g := setup(t)
		key, entitled := r.f.Key, r.f.Entitled
		r.f.Key = func(record.KeyID) (record.EpochKey, bool) { return record.EpochKey{}, false }
		r.f.Entitled = func(id record.GroupID) bool { return id == record.All }
		r.offer(a.answer(g, everyGroup))
		r.wantStates(1, "meta:withheld card:withheld body:withheld home:none")
		r.f.Key, r.f.Entitled = key, entitled
		for _, part := range []record.PartName{record.Meta, record.Card, record.Body} {
			r.f.Pending[record.PartAt{Seq: 1, Part: part}] = true // as Log.Rekey does
		}
		wantKind(t, r.offerLate(a.answer(g, everyGroup)), record.DoApply, "")
		r.wantStates(1, "meta:present card:present body:present home:none")
	})
	t.Run("who is not in the group keeps meta at most", func(t *testing.T) {
		a, r, g := setup(t)
		r.f.Entitled = func(id record.GroupID) bool { return id == record.All }
		r.offer(a.kafka(g))
		r.wantStates(1, "meta:present card:none body:none home:none")
	})
	t.Run("own stream taken back", func(t *testing.T) {
		a, r, g := setup(t)
		r.f.Self = origin
		r.offer(a.answer(g, everyGroup))
		r.wantStates(0, "card:present body:present home:lost")
	})
}
