package record_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/record"
)

// Seeds are rows of the bad-input catalogue that a mutation would find slowly. What a decoder accepts must verify again
// after it was written again.
var jsonSeeds = []string{
	"", "null", "{}", "[]", `{"v":2}`, "\ufeff{}", `{"v":1}{}`, `{"v":1,"v":1}`, `{"v":NaN}`, `{"x":"\ud800"}`, "{\"x\":\"\xff\"}",
	`{"v":9007199254740993}`, `{"v":1e400}`, `{"v":-0}`, strings.Repeat("[", 33), `{"x":"` + strings.Repeat("a", 9000) + `"}`,
}

func FuzzHeader(f *testing.F) {
	for _, s := range append(jsonSeeds, openHeader, sealedHeader) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := record.DecodeHeader(b)
		if err != nil {
			return
		}
		again, err := h.Encode()
		if err != nil {
			t.Fatalf("read but not written: %v", err)
		}
		h2, err := record.DecodeHeader(again)
		if err != nil || !reflect.DeepEqual(h, h2) {
			t.Errorf("%+v, then %+v %v", h, h2, err)
		}
		if h.Sealed() {
			_, _ = h.Meaning([]byte(sealedMeta)) // mostly another header's meta; it must not panic
		} else if _, err = h.Meaning(nil); err != nil {
			t.Errorf("open header without meaning: %v", err)
		}
	})
}

func FuzzMeta(f *testing.F) {
	for _, s := range append(jsonSeeds, sealedMeta) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := record.DecodeMeta(b)
		if err != nil {
			return
		}
		if _, ok := m.Audience[record.All]; ok || m.Type == "" || m.Day == "" || len(m.Audience) > 16 {
			t.Errorf("accepted %+v", m)
		}
	})
}

func FuzzFrame(f *testing.F) {
	fed := newFederation()
	a := newAuthor(f, fed)
	for _, drafts := range [][]record.Draft{{a.draft(toAll(record.L3))}, {a.draft(toA(record.L2)), a.draft(nil)}} {
		b, err := a.kafka(a.commit(drafts...)).Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("PILINF\x00\x01\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, err := record.DecodeFrame(b)
		if err != nil {
			return
		}
		again, err := fr.Encode()
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("a frame has one form: %v", err)
		}
	})
}

func FuzzRange(f *testing.F) {
	fed := newFederation()
	a := newAuthor(f, fed)
	var fs []*record.Frame
	for range 2 {
		fs = append(fs, a.answer(a.commit(a.draft(toAll(record.L3)), a.draft(toA(record.L1))), everyGroup))
	}
	b, err := record.EncodeRange(fs)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("PILINR\x00\x01\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fs, err := record.DecodeRange(b)
		if err != nil {
			return
		}
		again, err := record.EncodeRange(fs)
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("a range has one form: %v", err)
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	fed := newFederation()
	a := newAuthor(f, fed)
	f.Add(a.commit(a.draft(nil)).Checkpoint)
	f.Add([]byte("\n\n"))
	f.Add([]byte("pilin/x\n0\n\ncharter 1 \n\n— n AAAAAAA=\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := record.ParseCheckpoint(b)
		if err != nil {
			return
		}
		if !bytes.HasPrefix(b, []byte(c.Text)) || !strings.HasPrefix(c.Text, record.Origin(c.Federation, c.Stream)+"\n") {
			t.Errorf("text %q", c.Text)
		}
		if v, err := record.VerifyCheckpoint(b, a.signer.Public()); err == nil && v != c {
			t.Errorf("parsed %+v, verified %+v", c, v)
		}
		signed, err := record.SignCheckpoint(a.signer, c)
		if err != nil {
			t.Fatalf("read but not signed: %v", err)
		}
		if _, err := record.VerifyCheckpoint(signed, a.signer.Public()); err != nil {
			t.Error(err)
		}
	})
}

func FuzzReceipt(f *testing.F) {
	fed := newFederation()
	a := newAuthor(f, fed)
	g := a.commit(a.draft(nil), a.draft(nil))
	sg := fed.signers[other]
	good, err := record.SignReceipt(sg, fed.id, other, g.Checkpoint, []record.HeldBack{{Seq: 1, Reason: record.HeldPending}}, 5)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	for _, s := range jsonSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := record.VerifyReceipt(b, fed.id, other, sg.Public(), fed.signKey)
		if err == nil && (r.Size != 2 || r.Time != 5 || r.Covers(1) || !r.Covers(0)) {
			t.Errorf("a receipt that nobody signed: %+v", r)
		}
	})
}

func FuzzEvidence(f *testing.F) {
	fed := newFederation()
	a := newAuthor(f, fed)
	g := a.commit(a.draft(nil), a.draft(nil))
	b, err := record.Evidence{A: g.Checkpoint, B: a.commit(a.draft(nil)).Checkpoint, Leaves: a.leaves}.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	for _, s := range jsonSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := record.DecodeEvidence(b)
		if err != nil {
			return
		}
		if e.Verify(fed.signKey) == nil {
			t.Error("a fork of an honest origin is proven")
		}
		again, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if e2, err := record.DecodeEvidence(again); err != nil || !reflect.DeepEqual(e, e2) {
			t.Errorf("%+v, then %+v %v", e, e2, err)
		}
	})
}

// FuzzFollower offers arbitrary frames and range answers to a replica that holds something; replica.check proves after
// each step that nothing unproven came in.
func FuzzFollower(f *testing.F) {
	fed := newFederation()
	a := newAuthor(f, fed)
	v1 := a.draft(toAll(record.L2))
	a.commit(v1, a.draft(toA(record.L3)))
	a.commit(a.draft(toAll(record.L1), change(record.Withdraws, v1.ID, 1)))
	for _, g := range a.groups {
		b, err := a.kafka(g).Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		b, err = record.EncodeRange([]*record.Frame{a.answer(g, everyGroup)})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	var frames []*record.Frame
	for _, g := range a.groups {
		frames = append(frames, bare(a.kafka(g)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var fs []*record.Frame
		if fr, err := record.DecodeFrame(b); err == nil {
			fs = append(fs, fr)
		} else if fs, err = record.DecodeRange(b); err != nil {
			return
		}
		for held := range len(frames) + 1 {
			r := newReplica(t, fed, record.All, groupA)
			for _, fr := range frames[:held] {
				r.offer(fr)
			}
			for _, fr := range fs {
				r.offerLate(fr)
				if d := r.offer(fr); d.Kind == record.DoForked && d.Evidence.Verify(fed.signKey) == nil {
					t.Fatal("a fork of an honest origin is proven")
				}
			}
		}
	})
}
