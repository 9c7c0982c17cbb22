package match

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// said is an answer without the order of those who stand equal, and without the number behind a subject.
func said(a Answer) []string {
	out := []string{fmt.Sprint(a.Namesakes)}
	for _, c := range a.Candidates {
		out = append(out, fmt.Sprintf("%x %.1f %s %s", c.Ref.Subject, c.Score, c.Outcome, c.Explain()))
	}
	slices.Sort(out[1:])
	return out
}

// TestProperty_changes: whatever changes come in whatever order, and however the index merged, was built anew, or was
// written and opened between them, it answers as one that was filled once with what is left; and nobody who was deleted
// comes back.
func TestProperty_changes(t *testing.T) {
	people := devRegistry(81, 9)
	for i := range people { // near each other, so that they meet in answers
		people[i].Name, people[i].Birth = people[i%3].Name, people[i%2].Birth
	}
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		type change struct {
			who    int
			seq    uint64
			delete bool
		}
		changes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) change {
			return change{rapid.IntRange(0, len(people)-1).Draw(t, "who"), rapid.Uint64Range(1, 5).Draw(t, "seq"), rapid.IntRange(0, 2).Draw(t, "kind") == 0}
		}), 1, 25).Draw(t, "changes")
		e := NewEngine(testSecret)
		newest, deleted := map[int]uint64{}, map[int]uint64{}
		for _, c := range changes {
			en := people[c.who]
			en.Seq = c.seq
			if c.delete {
				e.Delete(en.Ref, c.seq)
				deleted[c.who] = max(deleted[c.who], c.seq)
			} else {
				e.Put(en)
				newest[c.who] = max(newest[c.who], c.seq)
			}
			switch rapid.IntRange(0, 9).Draw(t, "between") {
			case 0:
				e.writer.Lock()
				e.settle()
				e.merge()
				e.writer.Unlock()
			case 1:
				e.writer.Lock()
				e.settle()
				e.rebuild()
				e.writer.Unlock()
			case 2:
				path := filepath.Join(dir, "between.index")
				if err := e.WriteSnapshot(path, nil, rand.Reader); err != nil {
					t.Fatal(err)
				}
				var err error
				if e, _, err = OpenSnapshot(path, testSecret); err != nil {
					t.Fatal(err)
				}
			}
		}
		once := NewEngine(testSecret)
		for who, seq := range newest {
			if seq > deleted[who] {
				en := people[who]
				en.Seq = seq
				once.Put(en)
			}
		}
		if e.Len() != once.Len() {
			t.Fatalf("%d subjects, want %d", e.Len(), once.Len())
		}
		for _, en := range people {
			for _, q := range []Question{{Name: en.Name}, {Name: en.Name, Birth: en.Birth}, {ID: en.IDs[0]}, {Address: en.Addresses[0]}} {
				if got, want := said(e.Ask(q)), said(once.Ask(q)); !slices.Equal(got, want) {
					t.Fatalf("%q, want %q", got, want)
				}
			}
		}
	})
}

// TestEngineEverythingAtOnce: changes, questions, merges and snapshots beside each other, for the race detector; and after
// it nothing is lost.
func TestEngineEverythingAtOnce(t *testing.T) {
	registry := devRegistry(89, 3000)
	e := NewEngine(testSecret)
	e.Load(registry[:1000])
	path := filepath.Join(t.TempDir(), "match.index")
	var wg sync.WaitGroup
	for k := range 2 {
		wg.Go(func() {
			for i := 1000 + k; i < len(registry); i += 2 {
				e.Put(registry[i])
				if i%3 == 0 {
					e.Delete(registry[i-1000].Ref, 1)
				}
			}
		})
	}
	wg.Go(func() {
		for range 12 {
			e.writer.Lock()
			e.merge()
			e.writer.Unlock()
			if err := e.WriteSnapshot(path, nil, rand.Reader); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Go(func() {
		for i := range 400 {
			e.Ask(Question{Name: registry[i*7%3000].Name, Birth: registry[i].Birth})
		}
	})
	wg.Wait()
	if err := e.WriteSnapshot(path, nil, rand.Reader); err != nil {
		t.Fatal(err)
	}
	back, _, err := OpenSnapshot(path, testSecret)
	if err != nil {
		t.Fatal(err)
	}
	for i := range registry {
		gone := i < 2000 && (i+1000)%3 == 0
		for about, x := range map[string]*Engine{"engine": e, "opened": back} {
			a := x.Ask(Question{ID: registry[i].IDs[0]})
			if found := len(a.Candidates) > 0 && a.Candidates[0].Ref == registry[i].Ref; found == gone {
				t.Fatalf("%s: record %d found %t, deleted %t", about, i, found, gone)
			}
		}
	}
}

// TestWeed: what deleted subjects said leaves the memory, the others stay as they are.
func TestWeed(t *testing.T) {
	registry := devRegistry(97, blockSize+10)
	e := NewEngine()
	e.Load(registry)
	before := len(e.store.blocks[0].text)
	for i := range blockSize / 2 {
		e.Delete(registry[2*i].Ref, 1)
	}
	e.Put(Entry{Ref: Ref{Stream: "310116-01/records", Subject: [16]byte{1}}, Seq: 1, Name: "王测试"})
	e.writer.Lock()
	e.merge()
	e.settle()
	e.writer.Unlock()
	if after := len(e.store.blocks[0].text); after > before*2/3 {
		t.Errorf("%d bytes are left of %d", after, before)
	}
	for i := range 300 {
		a := e.Ask(Question{ID: registry[i].IDs[0]})
		if found := len(a.Candidates) > 0 && a.Candidates[0].Ref == registry[i].Ref; found != (i%2 == 1) {
			t.Fatalf("record %d found %t", i, found)
		}
	}
}

// TestWeedBeside: a block that fills while a merge runs keeps whom the merge does not know.
func TestWeedBeside(t *testing.T) {
	registry := devRegistry(101, blockSize+100)
	e := NewEngine()
	e.Load(registry[:3000])
	e.writer.Lock()
	alive, n := e.living(), e.store.n
	e.writer.Unlock()
	for i := range registry[3000:] {
		e.Put(registry[3000+i])
	}
	e.weed(alive, n)
	for i := range registry {
		if a := e.Ask(Question{ID: registry[i].IDs[0]}); len(a.Candidates) == 0 || a.Candidates[0].Ref != registry[i].Ref {
			t.Fatalf("record %d is lost", i)
		}
	}
}
