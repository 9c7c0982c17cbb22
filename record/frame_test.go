package record_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/pilinhub/pilin/record"
)

func TestFrame_RoundTrip(t *testing.T) {
	fed := newFederation()
	rapid.Check(t, func(rt *rapid.T) {
		a := newAuthor(t, fed)
		var drafts []record.Draft
		for range rapid.IntRange(1, 4).Draw(rt, "records") {
			d := drawDraft(rt)
			d.ID = a.id()
			drafts = append(drafts, d)
		}
		g := a.commit(drafts...)
		f, err := record.SealedFrame(fed.id, g, fed.keys(everyGroup))
		if err != nil {
			rt.Fatal(err)
		}
		b, err := f.Encode()
		if err != nil {
			rt.Fatal(err)
		}
		got, err := record.DecodeFrame(b)
		if err != nil {
			rt.Fatal(err)
		}
		if !reflect.DeepEqual(got, f) {
			rt.Errorf("decoded %+v\nwant    %+v", got, f)
		}
		rebuilt, err := record.SealedFrame(fed.id, g, fed.keys(everyGroup))
		if err != nil {
			rt.Fatal(err)
		}
		if again, err := rebuilt.Encode(); err != nil || !bytes.Equal(again, b) {
			rt.Error("a rebuilt frame is not byte-identical")
		}
		for _, box := range got.Boxes {
			st := g.Records[box.Index]
			salt, data, err := record.OpenBox(st.Leaf, box.Part, box.Data, box.Wraps, fed.keys(everyGroup))
			if err != nil || box.Part == record.Home {
				rt.Fatalf("box %s: %v", box.Part, err)
			}
			for i, p := range st.Parts {
				if p.Name == box.Part && (p.Salt != salt || !bytes.Equal(p.Bytes, data)) {
					rt.Errorf("part %d opened to other bytes", i)
				}
			}
			if _, _, err := record.OpenBox(st.Leaf, box.Part, box.Data, box.Wraps, fed.keys(nil)); !errors.Is(err, record.ErrNoKey) {
				rt.Errorf("without a key: %v", err)
			}
		}
	})
}

func TestFrame_Ladder(t *testing.T) {
	fed := newFederation()
	steps := map[int]bool{}
	for _, n := range []int{1, 1500, 10_000, 50_000, 200_000, 250_000} {
		a := newAuthor(t, fed)
		d := a.draft(toAll(record.L2))
		d.Parts[record.Card] = bytes.Repeat([]byte("x"), n)
		b, err := a.kafka(a.commit(d)).Encode()
		if err != nil {
			t.Fatal(err)
		}
		steps[len(b)] = true
	}
	want := map[int]bool{4 << 10: true, 16 << 10: true, 64 << 10: true, 256 << 10: true}
	if !reflect.DeepEqual(steps, want) {
		t.Errorf("sizes %v", steps)
	}
	a := newAuthor(t, fed)
	var drafts []record.Draft
	for range 3 {
		d := a.draft(toAll(record.L2))
		d.Parts[record.Card] = make([]byte, 200_000)
		drafts = append(drafts, d)
	}
	f, err := record.SealedFrame(fed.id, a.commit(drafts...), fed.keys(everyGroup))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Encode(); !errors.Is(err, record.ErrTooLarge) {
		t.Errorf("a frame over the ladder: %v", err)
	}
}

func TestFrame_LeavesOut(t *testing.T) {
	fed := newFederation()
	a := newAuthor(t, fed)
	g := a.commit(a.draft(toAll(record.L3)))
	g.Records[0].Parts[2].Keys = g.Records[0].Parts[0].Keys // home stays at home even so
	g.Records[0].Parts[0] = record.StoredPart{Name: record.Card, State: record.PartGone, GoneBy: 5}
	if f := a.kafka(g); len(f.Boxes) != 1 || f.Boxes[0].Part != record.Body {
		t.Errorf("boxes %+v", f.Boxes)
	}
	f := a.answer(g, everyGroup)
	if len(f.Boxes) != 2 || f.Boxes[0].Kind != record.BoxGone || binary.BigEndian.Uint64(f.Boxes[0].Data) != 5 || f.Boxes[1].Kind != record.BoxOpen {
		t.Errorf("boxes %+v", f.Boxes)
	}
	if f := a.answer(g, nil); len(f.Boxes) != 0 {
		t.Errorf("boxes for nobody: %+v", f.Boxes)
	}
	if _, err := record.SealedFrame(fed.id, g, fed.keys(nil)); !errors.Is(err, record.ErrNoKey) {
		t.Errorf("without the epoch key: %v", err)
	}
	g.Checkpoint = nil
	if _, err := record.OpenFrame(fed.id, g, everyGroup); !errors.Is(err, record.ErrUnreleased) {
		t.Errorf("unreleased: %v", err)
	}
	g.Stream = record.Stream(origin, record.Audit)
	if _, err := record.SealedFrame(fed.id, g, fed.keys(everyGroup)); err == nil {
		t.Error("a frame of an audit stream")
	}
}

func TestDecodeFrame_Refuses(t *testing.T) {
	fed := newFederation()
	a := newAuthor(t, fed)
	good, err := a.kafka(a.commit(a.draft(toAll(record.L3)))).Encode()
	if err != nil {
		t.Fatal(err)
	}
	body := int(binary.BigEndian.Uint32(good[8:])) + 12
	cases := map[string]func(b []byte) []byte{
		"empty":                   func([]byte) []byte { return nil },
		"another magic":           func(b []byte) []byte { b[7] = 2; return b },
		"truncated":               func(b []byte) []byte { return b[:body-1] },
		"without padding":         func(b []byte) []byte { return b[:body] },
		"padding with a secret":   func(b []byte) []byte { b[len(b)-1] = 1; return b },
		"padded too far":          func(b []byte) []byte { return append(b, make([]byte, 16<<10-len(b))...) },
		"longer than it says":     func(b []byte) []byte { binary.BigEndian.PutUint32(b[8:], uint32(body-12-1)); return b },
		"much longer than it is":  func(b []byte) []byte { binary.BigEndian.PutUint32(b[8:], 1<<31); return b },
		"no records":              func(b []byte) []byte { binary.BigEndian.PutUint16(b[12+32+1+17+8:], 0); return b },
		"201 records":             func(b []byte) []byte { binary.BigEndian.PutUint16(b[12+32+1+17+8:], 201); return b },
		"header of 4 GiB":         func(b []byte) []byte { binary.BigEndian.PutUint32(b[12+32+1+17+8+2:], 1<<32-1); return b },
		"first that does not fit": func(b []byte) []byte { b[12+32+1+17+7] = 9; return b },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			if f, err := record.DecodeFrame(change(bytes.Clone(good))); err == nil {
				t.Errorf("accepted %+v", f)
			}
		})
	}
}

func TestFrame_EncodeRefuses(t *testing.T) {
	fed := newFederation()
	a := newAuthor(t, fed)
	g := a.commit(a.draft(toAll(record.L3)), a.draft(toA(record.L2)))
	for name, change := range map[string]func(*record.Frame){
		"boxes out of order": func(f *record.Frame) { f.Boxes[0], f.Boxes[1] = f.Boxes[1], f.Boxes[0] },
		"a box twice":        func(f *record.Frame) { f.Boxes[1] = f.Boxes[0] },
		"no wrap":            func(f *record.Frame) { f.Boxes[0].Wraps = nil },
		"17 wraps":           func(f *record.Frame) { f.Boxes[0].Wraps = make([][64]byte, 17) },
		"wraps out of order": func(f *record.Frame) { f.Boxes[0].Wraps = append(f.Boxes[0].Wraps, f.Boxes[0].Wraps[0]) },
		"short box":          func(f *record.Frame) { f.Boxes[0].Data = f.Boxes[0].Data[:47] },
		"unknown kind":       func(f *record.Frame) { f.Boxes[0].Kind = 3 },
		"open box":           func(f *record.Frame) { f.Boxes[0].Kind, f.Boxes[0].Wraps = record.BoxOpen, nil },
		"part with a space":  func(f *record.Frame) { f.Boxes[0].Part = "a b" },
		"no checkpoint":      func(f *record.Frame) { f.Checkpoint = nil },
		"other checkpoint":   func(f *record.Frame) { f.Checkpoint = []byte("\n\n") },
		"no stream":          func(f *record.Frame) { f.Stream = "x" },
		"no header":          func(f *record.Frame) { f.Headers = nil },
		"a header too few":   func(f *record.Frame) { f.Headers, f.Boxes = f.Headers[:1], nil },
		"header of 9 KiB":    func(f *record.Frame) { f.Headers[0] = make([]byte, 9<<10) },
	} {
		t.Run(name, func(t *testing.T) {
			f := a.kafka(g)
			change(f)
			if _, err := f.Encode(); err == nil {
				t.Error("encoded")
			}
		})
	}
}

func TestRange(t *testing.T) {
	fed := newFederation()
	a := newAuthor(t, fed)
	var fs []*record.Frame
	for range 3 {
		fs = append(fs, a.answer(a.commit(a.draft(toAll(record.L3))), everyGroup))
	}
	b, err := record.EncodeRange(fs)
	if err != nil {
		t.Fatal(err)
	}
	got, err := record.DecodeRange(b)
	if err != nil || !reflect.DeepEqual(got, fs) {
		t.Fatalf("decoded %v %v", got, err)
	}
	if none, err := record.DecodeRange(b[:8]); err != nil || len(none) != 0 {
		t.Errorf("empty range: %v %v", none, err)
	}
	for name, bad := range map[string][]byte{
		"no magic": b[1:], "truncated": b[:len(b)-1], "a byte too many": append(bytes.Clone(b), 0),
		"length past the end": append(bytes.Clone(b), 0, 0, 0, 9, 1),
	} {
		if _, err := record.DecodeRange(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := record.EncodeRange([]*record.Frame{fs[0], fs[2]}); err == nil {
		t.Error("encoded a gap")
	}
	if _, err := record.EncodeRange([]*record.Frame{a.kafka(a.groups[0])}); err == nil {
		t.Error("encoded sealed boxes")
	}
	big := newAuthor(t, fed)
	fs = nil
	for range 6 {
		var drafts []record.Draft
		for range 200 {
			drafts = append(drafts, big.draft(toAll(record.L1)))
		}
		fs = append(fs, big.answer(big.commit(drafts...), nil))
	}
	if _, err := record.EncodeRange(fs[:5]); err != nil {
		t.Errorf("1,000 records: %v", err)
	}
	if _, err := record.EncodeRange(fs); !errors.Is(err, record.ErrTooLarge) {
		t.Errorf("1,200 records: %v", err)
	}
}
