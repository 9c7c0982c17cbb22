package match_test

import (
	"maps"
	"math"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/match/develop"
	"github.com/pilinhub/pilin/schemas"
)

// people are the first n entries of the development registry that have a number, a birth date and an address.
func people(seed uint64, n int) []match.Entry {
	var out []match.Entry
	for l := range develop.Registry(seed, 10*n) {
		if l.Type != "person" || len(l.IDNo) != 18 || l.Birth == "" || l.Address == "" {
			continue
		}
		if out = append(out, l.Entry(len(out))); len(out) == n {
			break
		}
	}
	return out
}

func init() { match.ProvideDevelopment(people, questions) }

// questions are each of every kind, about no entry in particular.
func questions(_ []match.Entry, seed uint64, each int) []match.Question {
	var out []match.Question
	n := map[string]int{}
	for _, q := range develop.Queries(seed, develop.Sample(seed, 4000), 1) {
		if n[q.Kind]++; n[q.Kind] <= each {
			out = append(out, q.Question())
		}
	}
	return out
}

func ref(n byte) match.Ref { return match.Ref{"310116-01/records", [16]byte{n}} }

func TestEngineChanges(t *testing.T) {
	e := match.NewEngine()
	q := match.Question{Name: "王测试", Birth: "1901-02-03"}
	found := func(want int) {
		t.Helper()
		if a := e.Ask(q); len(a.Candidates) != want || a.Namesakes != want {
			t.Errorf("found %d with %d namesakes, want %d", len(a.Candidates), a.Namesakes, want)
		}
	}
	found(0)
	e.Put(match.Entry{Ref: ref(1), Seq: 2, Name: "王测试", Birth: "1901-02-03"})
	found(1)
	e.Put(match.Entry{Ref: ref(1), Seq: 1, Name: "李样例"}) // older: changes nothing
	found(1)
	e.Put(match.Entry{Ref: ref(1), Seq: 3, Name: "李样例"})
	found(0)
	e.Put(match.Entry{Ref: ref(1), Seq: 4, Name: "王测试", Birth: "1901-02-03"})
	e.Delete(ref(1), 3) // older
	found(1)
	e.Delete(ref(1), 5)
	found(0)
	e.Put(match.Entry{Ref: ref(1), Seq: 5, Name: "王测试", Birth: "1901-02-03"})
	found(0)
	e.Put(match.Entry{Ref: ref(1), Seq: 6, Name: "王测试", Birth: "1901-02-03"})
	found(1)
	if e.Len() != 1 {
		t.Errorf("%d subjects, want 1", e.Len())
	}
}

func TestDocEntry(t *testing.T) {
	d := match.Doc{Stream: "310116-01/records", Subject: [16]byte{1}, Seq: 1, Identifiers: []schemas.Identifier{{Kind: "name", Value: "王测试"}, {Kind: "resident_id", Value: "310116190001010016", Strong: true},
		{Kind: "passport", Value: "XXX:E99999999", Strong: true}, {Kind: "uscc", Value: "91310116MAXXXX015C"}}}
	e := match.NewEngine()
	e.Put(d.Entry())
	for _, q := range []match.Question{{ID: "310116000101001"}, {Documents: []string{"passport:XXX:E99999999"}}} {
		if a := e.Ask(q); len(a.Candidates) != 1 || a.Candidates[0].Outcome != match.Hit {
			t.Errorf("%d candidates by a strong number, want a hit", len(a.Candidates))
		}
	}
	if a := e.Ask(match.Question{Documents: []string{"uscc:91310116MAXXXX015C"}}); len(a.Candidates) != 0 {
		t.Error("a code with a wrong check character identifies")
	}
}

// TestSharedValues: what belongs to many tells nobody apart.
func TestSharedValues(t *testing.T) {
	e := match.NewEngine()
	for i := range 25 {
		en := match.Entry{Ref: ref(byte(i)), Name: "王测试"}
		if i < 3 {
			en.Phones = []string{"15400000003"}
		}
		en.Phones = append(en.Phones, "15400000025")
		e.Put(en)
	}
	e.Put(match.Entry{Ref: ref(99), Name: "李样例", Phones: []string{"15400000003"}})
	for _, c := range e.Ask(match.Question{Phone: "15400000003"}).Candidates {
		if c.Outcome == match.Hit {
			t.Error("a phone of four is a hit without a name")
		}
	}
	if a := e.Ask(match.Question{Name: "李样例", Phone: "15400000003"}); len(a.Candidates) == 0 || a.Candidates[0].Ref != ref(99) || a.Candidates[0].Outcome != match.Hit {
		t.Errorf("the one of four who bears the name: %+v", a.Candidates)
	}
	for _, c := range e.Ask(match.Question{Name: "王测试", Phone: "15400000025"}).Candidates {
		if c.Outcome == match.Hit || !slices.ContainsFunc(c.Lines, func(l match.Evidence) bool { return l.Code == "phone_shared" && l.Bits == 0 }) {
			t.Errorf("a phone of 25: %s %+v", c.Outcome, c.Lines)
		}
	}
}

// TestEngineSegments: how often the engine merged does not change what it answers.
func TestEngineSegments(t *testing.T) {
	registry := people(5, 1500)
	one, many := match.NewEngine(), match.NewEngine()
	one.Load(registry)
	for i := range registry {
		many.Put(registry[i])
		if i%400 == 399 {
			many.Merge()
		}
	}
	for i := range registry {
		if i%3 == 0 {
			one.Delete(registry[i].Ref, 1)
			many.Delete(registry[i].Ref, 1)
		}
	}
	for i := 0; i < len(registry); i += 17 {
		en := &registry[i]
		q := match.Question{Name: en.Name, Birth: en.Birth, ID: en.IDs[0]}
		a, b := one.Ask(q), many.Ask(q)
		same := slices.EqualFunc(a.Candidates, b.Candidates, func(x, y match.Candidate) bool { return x.Score == y.Score && x.Outcome == y.Outcome })
		if !same || a.Namesakes != b.Namesakes {
			t.Fatalf("%v: %d candidates in one segment, %d in many", en, len(a.Candidates), len(b.Candidates))
		}
		gone := i%3 == 0
		if got := len(a.Candidates) > 0 && a.Candidates[0].Ref == en.Ref; got == gone {
			t.Fatalf("%v: first is right %t, deleted %t", en, got, gone)
		}
	}
}

func TestEngineManyAtOnce(t *testing.T) {
	e := match.NewEngine()
	registry := people(9, 400)
	var wg sync.WaitGroup
	for k := range 4 {
		wg.Go(func() {
			for i := range registry {
				switch {
				case k == 0:
					e.Put(registry[i])
				case k == 1 && i%5 == 0:
					e.Delete(registry[i].Ref, 1)
				default:
					e.Ask(match.Question{Name: registry[i].Name, Birth: registry[i].Birth})
				}
			}
		})
	}
	wg.Wait()
	if n := e.Len(); n != 320 {
		t.Errorf("%d subjects are left, want 320", n)
	}
}

// TestPromises: what no question may do, whatever is asked.
func TestPromises(t *testing.T) {
	registry := people(13, 500)
	e := match.NewEngine()
	e.Load(registry)
	rapid.Check(t, func(rt *rapid.T) {
		en := registry[rapid.IntRange(0, len(registry)-1).Draw(rt, "who")]
		other := registry[rapid.IntRange(0, len(registry)-1).Draw(rt, "other")]
		pick := func(a, b, label string) string { return rapid.SampledFrom([]string{a, b, ""}).Draw(rt, label) }
		q := match.Question{Name: pick(en.Name, other.Name, "name"), Birth: pick(en.Birth, other.Birth, "birth"), ID: pick(en.IDs[0], other.IDs[0], "id"),
			Sex: pick("1", "2", "sex"), Address: pick(en.Addresses[0], other.Addresses[0], "address")}
		byRef := map[match.Ref]match.Entry{en.Ref: en, other.Ref: other}
		last := math.Inf(1)
		for _, c := range e.Ask(q).Candidates {
			if c.Score > last {
				rt.Fatalf("%.1f stands behind %.1f", c.Score, last)
			}
			last = c.Score
			sum := 0.0
			for _, l := range c.Lines {
				sum += l.Bits
				if l.Text == "" || l.Code == "" {
					rt.Fatalf("a line without words: %+v", l)
				}
			}
			if math.Abs(sum-c.Score) > 0.05 {
				rt.Fatalf("lines add up to %.2f, the score is %.2f", sum, c.Score)
			}
			if c.Outcome != match.Hit {
				continue
			}
			if q.ID == "" && q.Birth == "" && q.Address == "" {
				rt.Fatal("a name alone is a hit")
			}
			if f, ok := byRef[c.Ref]; ok && q.ID != "" && f.IDs[0] != q.ID {
				rt.Fatal("a hit against another valid number")
			}
		}
	})
}

func FuzzAsk(f *testing.F) {
	e := match.NewEngine()
	e.Load(people(17, 200))
	f.Add("张伟", "1901-02-03", "310116********0016", "154", "样例镇测试村3组")
	f.Add("Zhang'an", "19010203", "3101161900010100l6", "+86", "88弄6号")
	f.Fuzz(func(t *testing.T, name, birth, id, phone, address string) {
		q := match.Question{Name: name, Birth: birth, ID: id, Phone: phone, Plate: phone, Address: address, Org: address}
		if n := len(e.Ask(q).Candidates); n > match.Shown {
			t.Fatalf("%d candidates", n)
		}
		match.ReadKeys(&match.Entry{Name: name, Aliases: []string{address}, Birth: birth, IDs: []string{id}, Phones: []string{phone}, Plates: []string{phone}, Addresses: []string{address}})
	})
}

func BenchmarkAsk(b *testing.B) {
	sample := develop.Sample(7, 100000)
	lines := make([]match.RegistryLine, len(sample))
	for i := range sample {
		lines[i] = sample[i].Line
	}
	e := match.NewEvaluation(lines).Engine
	byKind := map[string][]match.Question{}
	for _, q := range develop.Queries(7, sample, 1) {
		if !q.Negative {
			byKind[q.Kind] = append(byKind[q.Kind], q.Question())
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		b.Run(kind, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				e.Ask(byKind[kind][i%len(byKind[kind])])
			}
		})
	}
}
