package match

import (
	"reflect"
	"testing"
	"testing/quick"

	"pgregory.net/rapid"

	"github.com/pilinhub/pilin/match/normal"
)

// settled takes what is nil and what is empty to the same.
func settled(s subject) subject {
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i))
			}
		case reflect.Slice:
			if v.Len() == 0 && v.CanSet() {
				v.SetZero()
			}
			for i := range v.Len() {
				walk(v.Index(i))
			}
		}
	}
	out := struct {
		Names  []normal.Name
		IDs    []normal.ID
		Papers []string
		Phones []string
		Plates []normal.Plate
		Places []normal.Address
		Orgs   []normal.Institution
	}{s.names, s.ids, s.papers, s.phones, s.plates, s.places, s.orgs}
	walk(reflect.ValueOf(&out).Elem())
	s.names, s.ids, s.papers, s.phones, s.plates, s.places, s.orgs = out.Names, out.IDs, out.Papers, out.Phones, out.Plates, out.Places, out.Orgs
	return s
}

func repacked(t interface{ Fatalf(string, ...any) }, s *subject, x *scratch) {
	packed := string(s.pack(nil, 3))
	if stream := x.unpack(packed, wantAll); stream != 3 {
		t.Fatalf("stream %d", stream)
	}
	x.ref.Stream = s.ref.Stream
	if got, want := settled(x.subject), settled(*s); !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v\nwant %+v", got, want)
	}
}

// TestPackedFields: every field of what the normaliser gives comes back, also one that is added to it later.
func TestPackedFields(t *testing.T) {
	var x scratch
	err := quick.Check(func(names []normal.Name, ids []normal.ID, papers, phones []string, plates []normal.Plate, places []normal.Address, orgs []normal.Institution, birth, county string) bool {
		for i := range ids {
			ids[i].Sex &= 3
		}
		for i := range names {
			n := &names[i]
			n.Form, n.Surname = n.Form&15, n.Surname&63
			for j := range n.Parts {
				n.Parts[j] &= 0xffff
			}
			for _, rs := range [][]rune{n.Chars, n.Written} {
				for j := range rs {
					rs[j] &= 0x10ffff
				}
			}
		}
		repacked(t, &subject{names: names, main: len(names) / 2, ids: ids, papers: papers, phones: phones, plates: plates, places: places, orgs: orgs, birth: birth, county: county, seq: 1 << 63}, &x)
		return true
	}, &quick.Config{MaxCount: 300})
	if err != nil {
		t.Error(err)
	}
}

func TestPackedDevelopment(t *testing.T) {
	var x scratch
	for _, en := range devRegistry(41, 2000) {
		en.Aliases = []string{"老神医", "阿不都热依木·买买提", "张骉 zhe", "Zhang Xiaoming", "示范诊所"}
		repacked(t, readEntry(&en), &x)
	}
}

// TestPackedWanted: what a question has no use for changes nothing in how a subject is weighed.
func TestPackedWanted(t *testing.T) {
	registry := devRegistry(43, 3000)
	e := NewEngine()
	e.Load(registry)
	var all, some scratch
	for i, question := range devQuestions(registry, 47, 60) {
		q := readQuestion(question)
		c := &context{n: 3000, prior: -12, nameBits: 9, phoneOwners: 1, placeOwners: 1, orgOwners: 1}
		id := uint32(i * 7 % 3000)
		a := e.weigh(&q, e.store.read(id, wantAll, &all), c, true)
		if b := e.weigh(&q, e.store.read(id, q.wants(), &some), c, true); !reflect.DeepEqual(a, b) {
			t.Fatalf("%+v, in part %+v", a, b)
		}
	}
}

// TestTiers: an index of a base, a recent part and a delta finds what a map of all keys finds, however they merged.
func TestTiers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := secretOf(rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(t, "secret"))
		keys := rapid.Uint64Range(1, 300)
		want := map[uint64][]uint32{} // by filed key
		gone := map[uint32]bool{}
		alive := func(id uint32) bool { return !gone[id] }
		base, lately, d := &segment{}, &recent{}, &delta{}
		next := uint32(0)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0:
				lately, d = lately.with(d, alive), &delta{}
			case 1:
				if base.width == 0 {
					base = lately.segment()
				} else {
					base = base.with(lately, alive)
				}
				lately = &recent{}
			case 2:
				if next > 0 {
					gone[rapid.Uint32Range(0, next-1).Draw(t, "gone")] = true
				}
			default:
				for range rapid.IntRange(1, 200).Draw(t, "many") {
					k := s.file(keys.Draw(t, "key"))
					d.add(k, next)
					want[k] = append(want[k], next)
					next++
				}
			}
		}
		e := &Engine{secret: s, base: base, recent: lately, delta: d}
		for m := range uint64(300) {
			var got, left []uint32
			for _, id := range e.find(m, nil) {
				if alive(id) {
					got = append(got, id)
				}
			}
			for _, id := range want[s.file(m)] {
				if alive(id) {
					left = append(left, id)
				}
			}
			found := map[uint32]bool{}
			for _, id := range got {
				found[id] = true
			}
			for _, id := range left {
				if !found[id] {
					t.Fatalf("key %d: subject %d is lost; %d found of %d", m, id, len(got), len(left))
				}
			}
			if len(got) > len(left)+1 { // a stranger may stand there, one key of a million
				t.Fatalf("key %d: %d found of %d", m, len(got), len(left))
			}
		}
	})
}

// TestFiling: a segment built at once, through the sorted parts, holds every posting once.
func TestFiling(t *testing.T) {
	s := secretOf([]byte("x"))
	var f filing
	const n = 200000
	for id := range uint32(n) {
		f.add(s.file(uint64(id%50000)), id)
		f.add(s.file(99999), id) // crowded
	}
	seg := f.segment(func(id uint32) bool { return id%3 != 0 })
	e := &Engine{secret: s, base: seg, recent: &recent{}, delta: &delta{}}
	for m := range uint32(50000) {
		var want []uint32
		for id := m; id < n; id += 50000 {
			if id%3 != 0 {
				want = append(want, id)
			}
		}
		if got := e.find(uint64(m), nil); len(got) < len(want) || len(got) > len(want)+2 {
			t.Fatalf("key %d: %v, want %v", m, got, want)
		}
	}
	if got := e.find(99999, nil); len(got) < n-n/3-1 || len(got) > n-n/3+8 {
		t.Fatalf("%d under the crowded key", len(got))
	}
}

// TestSipHash against the vector of its paper (Aumasson, Bernstein 2012, appendix A): key 00..0f, message 00..07.
func TestSipHash(t *testing.T) {
	s := secret{0x0706050403020100, 0x0f0e0d0c0b0a0908, nil}
	if got := s.file(0x0706050403020100); got != 0x93f5f5799a932462 {
		t.Errorf("%x", got)
	}
}
