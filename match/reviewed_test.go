package match_test

import (
	"fmt"
	"testing"

	"github.com/pilinhub/pilin/match"
)

// TestNoHit: what stands near, or contradicts, is no hit. All people are invented.
func TestNoHit(t *testing.T) {
	for _, tt := range []struct {
		about string
		entry match.Entry
		q     match.Question
	}{
		{"the same numbers of other kinds: lane", match.Entry{Addresses: []string{"平湖市样例街道示范路5弄3号"}}, match.Question{Address: "平湖市样例街道示范路5号3室"}},
		{"the same numbers of other kinds: group", match.Entry{Addresses: []string{"平湖市样例镇测试村3组12号"}}, match.Question{Address: "平湖市样例镇测试村3号12室"}},
		{"the room next door", match.Entry{Name: "王测试", Birth: "1950-02-03", Addresses: []string{"平湖市样例街道示范路88弄6号102室"}}, match.Question{Name: "王测试", Birth: "1950", Address: "平湖市样例街道示范路88弄6号101室"}},
		{"known digits contradict", match.Entry{Name: "王测试", Birth: "1901-02-03", IDs: []string{"310116190102039014"}, County: "310116"}, match.Question{Name: "王测试", Birth: "1901-02-03", County: "310116", ID: "310116********0027"}},
		{"a plate without its province that two bear", match.Entry{Plates: []string{"浙A00000"}}, match.Question{Plate: "A00000"}},
		{"equal masks", match.Entry{Name: "王测试", Phones: []string{"154****0001"}}, match.Question{Phone: "154****0001"}},
		{"the same left unsaid", match.Entry{Name: "王某", Birth: "1901-02-03"}, match.Question{Name: "王某", Birth: "1901-02-03"}},
		{"a surname in letters", match.Entry{Name: "Wang", Birth: "1901-02-03"}, match.Question{Name: "王某", Birth: "1901-02-03"}},
	} {
		e := match.NewEngine()
		e.Load(people(3, 300))
		e.Put(match.Entry{Ref: ref(2), Plates: []string{"沪A00000"}})
		tt.entry.Ref = ref(1)
		e.Put(tt.entry)
		for _, c := range e.Ask(tt.q).Candidates {
			if c.Outcome == match.Hit && (c.Ref == ref(1) || c.Ref == ref(2)) {
				t.Errorf("%s: %.1f %s", tt.about, c.Score, c.Explain())
			}
		}
	}
}

// TestHiddenChangeNothing: who may not be found crowds nobody out, however many they are and wherever they stand.
func TestHiddenChangeNothing(t *testing.T) {
	e := match.NewEngine()
	e.Put(match.Entry{Ref: ref(1), Name: "王测", Birth: "1901-02-03", Shelf: 1})
	var hidden []match.Entry
	for i := range 2500 {
		r := match.Ref{Stream: "330482-01/records"}
		r.Subject[14], r.Subject[15] = byte(i>>8), byte(i)
		hidden = append(hidden, match.Entry{Ref: r, Name: "王测", Birth: "1901-02-03", Shelf: 2})
	}
	in := match.Within{In: func(s uint32) bool { return s == 1 }}
	q := match.Question{Name: "王测", Birth: "1901-02-03"}
	alone := e.AskWithin(q, in)
	e.Load(hidden)
	e.Merge()
	// How common characters and years are is taken from all, so scores may move a little.
	if a := e.AskWithin(q, in); len(a.Candidates) != 1 || len(alone.Candidates) != 1 || a.Candidates[0].Ref != alone.Candidates[0].Ref || a.Candidates[0].Outcome != match.Hit || a.Namesakes != alone.Namesakes || a.Truncated {
		t.Errorf("%+v beside hidden ones, %+v alone", a, alone)
	}
}

// TestWeedKeepsShelves: a block that is made smaller keeps who may see what.
func TestWeedKeepsShelves(t *testing.T) {
	e := match.NewEngine()
	var all []match.Entry
	for i := range 9000 {
		r := match.Ref{Stream: "310116-01/records"}
		r.Subject[14], r.Subject[15] = byte(i>>8), byte(i)
		all = append(all, match.Entry{Ref: r, Seq: 1, Phones: []string{fmt.Sprintf("154%08d", i)}, Shelf: 1})
	}
	e.Load(all)
	for i := range 4000 {
		if i != 7 {
			e.Delete(all[i].Ref, 2)
		}
	}
	for i := range 100 {
		all[8000+i].Seq = 3
		e.Put(all[8000+i])
	}
	e.Merge()
	e.Settle()
	for shelf, want := range map[uint32]int{0: 0, 1: 1} {
		if a := e.AskWithin(match.Question{Phone: all[7].Phones[0]}, match.Within{In: func(s uint32) bool { return s == shelf }}); len(a.Candidates) != want {
			t.Errorf("%d on shelf %d, want %d", len(a.Candidates), shelf, want)
		}
	}
}
