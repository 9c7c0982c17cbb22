package record_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/pilinhub/pilin/record"
)

// subjectState is what the generator knows about a subject of the history that it makes.
type subjectState struct {
	id       record.RecordID
	version  uint64
	ended    bool
	audience map[record.GroupID]record.Level
}

// history lets the author write what an honest origin may: changes follow the newest version of their subject and keep
// its audience (log.md §2), nothing follows an end.
func history(rt *rapid.T, a *author) {
	var subjects []*subjectState
	for range rapid.IntRange(1, 8).Draw(rt, "groups") {
		var drafts []record.Draft
		for range rapid.IntRange(1, 5).Draw(rt, "records") {
			var open []int
			for i, s := range subjects {
				if !s.ended {
					open = append(open, i)
				}
			}
			if len(open) == 0 || rapid.Bool().Draw(rt, "new") {
				level := rapid.SampledFrom([]record.Level{record.L1, record.L2, record.L3})
				audience := map[record.GroupID]record.Level{}
				for _, g := range []record.GroupID{record.All, groupA, groupB} {
					if rapid.Bool().Draw(rt, "in") {
						audience[g] = level.Draw(rt, "level")
					}
				}
				d := a.draft(audience)
				subjects = append(subjects, &subjectState{id: d.ID, version: 1, audience: audience})
				drafts = append(drafts, d)
				continue
			}
			s := subjects[rapid.SampledFrom(open).Draw(rt, "subject")]
			rel := rapid.SampledFrom([]record.Relation{record.Follows, record.Supersedes, record.Withdraws, record.Erases}).Draw(rt, "rel")
			drafts = append(drafts, a.draft(s.audience, change(rel, s.id, s.version)))
			s.version++
			s.ended = rel.Ends()
		}
		a.commit(drafts...)
	}
}

// view is what two replicas with the same rights must agree about, whatever way the bytes took.
func view(r *replica) []string {
	var v []string
	for i, st := range r.records {
		states := r.states(uint64(i))
		for _, p := range st.Parts {
			if p.State != record.PartGone {
				continue
			}
			// Of several deletions the one that was readable first is named, and a part may be called gone before it is
			// known that we were never given it.
			to := "gone"
			if !gives(st.Meaning, p.Name, r.f.Entitled) {
				to = "none"
			}
			states = strings.Replace(states, fmt.Sprintf("%s:gone(%d)", p.Name, p.GoneBy), string(p.Name)+":"+to, 1)
		}
		v = append(v, fmt.Sprintf("%s | %q | %v", states, st.Unusable, st.Meaning))
	}
	return v
}

func gives(m record.Meaning, part record.PartName, in func(record.GroupID) bool) bool {
	for g, l := range m.Audience {
		if in(g) && l.Includes(part) {
			return true
		}
	}
	return false
}

func TestFollower_SameStateByEveryRoad(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fed := newFederation()
		a := newAuthor(t, fed)
		a.random.Seed([32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "seed")))
		history(rt, a)

		var in []record.GroupID
		entitled := map[record.GroupID]bool{}
		for _, g := range []record.GroupID{record.All, groupA, groupB} {
			if rapid.Bool().Draw(rt, "member") {
				in, entitled[g] = append(in, g), true
			}
		}
		straight := newReplica(t, fed, in...)
		for _, g := range a.groups {
			wantKind(t, straight.offer(a.kafka(g)), record.DoApply, "")
		}
		if straight.f.Head.Applied != a.tree.Size {
			rt.Fatalf("applied %d of %d with every box delivered", straight.f.Head.Applied, a.tree.Size)
		}

		crooked := newReplica(t, fed, in...)
		for steps := 0; crooked.f.Head.Size < a.tree.Size; steps++ {
			g := a.groups[rapid.IntRange(0, len(a.groups)-1).Draw(rt, "offer")]
			if steps > 30 { // enough disorder; go on in order
				for _, next := range a.groups {
					if next.First == crooked.f.Head.Size {
						g = next
					}
				}
			}
			f := a.kafka(g)
			if rapid.Bool().Draw(rt, "http") {
				f = a.answer(g, entitled)
			}
			for len(f.Boxes) > 0 && rapid.Bool().Draw(rt, "drop") {
				i := rapid.IntRange(0, len(f.Boxes)-1).Draw(rt, "box")
				f.Boxes = append(f.Boxes[:i:i], f.Boxes[i+1:]...)
			}
			size := crooked.f.Head.Size
			d := crooked.offer(f)
			switch {
			case g.First == size:
				wantKind(t, d, record.DoApply, "")
			case g.First < size:
				wantKind(t, d, record.DoDuplicate, "")
			default:
				wantKind(t, d, record.DoNeed, "")
			}
		}
		for range 2 { // every part that is still somewhere comes by range, in any order
			for _, i := range rapid.Permutation(indexes(len(a.groups))).Draw(rt, "late") {
				crooked.offerLate(a.answer(a.groups[i], entitled))
			}
		}
		if crooked.f.Head.Applied != a.tree.Size {
			rt.Fatalf("applied %d of %d, pending %v", crooked.f.Head.Applied, a.tree.Size, crooked.f.Pending)
		}
		if got, want := view(crooked), view(straight); !reflect.DeepEqual(got, want) {
			for i := range want {
				if got[i] != want[i] {
					rt.Errorf("record %d:\n got %s\nwant %s", i, got[i], want[i])
				}
			}
		}
	})
}

func indexes(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

// What a liar may do to a frame, it never makes the Follower take an unproven byte; replica.check looks after each step.
func TestFollower_NothingUnproven(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fed := newFederation()
		a := newAuthor(t, fed)
		history(rt, a)
		r := newReplica(t, fed, record.All, groupA)
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			f := a.kafka(a.groups[rapid.IntRange(0, len(a.groups)-1).Draw(rt, "group")])
			if rapid.Bool().Draw(rt, "lie") {
				lie(rt, f)
			}
			if rapid.Bool().Draw(rt, "late") {
				r.offerLate(f)
				continue
			}
			if d := r.offer(f); d.Kind == record.DoForked {
				rt.Fatal("a fork of an honest origin")
			}
		}
	})
}

func lie(rt *rapid.T, f *record.Frame) {
	flip := func(b []byte) []byte {
		b = append([]byte{}, b...)
		if len(b) > 0 {
			b[rapid.IntRange(0, len(b)-1).Draw(rt, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
		}
		return b
	}
	switch rapid.IntRange(0, 5).Draw(rt, "how") {
	case 0:
		i := rapid.IntRange(0, len(f.Headers)-1).Draw(rt, "header")
		f.Headers[i] = flip(f.Headers[i])
	case 1:
		f.Checkpoint = flip(f.Checkpoint)
	case 2:
		for i := range f.Boxes {
			f.Boxes[i].Data = flip(f.Boxes[i].Data)
		}
	case 3:
		f.First += uint64(rapid.IntRange(0, 3).Draw(rt, "first"))
	case 4:
		f.Headers = append(f.Headers, flip(f.Headers[0]))
	case 5:
		for i := range f.Boxes {
			f.Boxes[i].Kind, f.Boxes[i].Wraps = record.BoxOpen, nil
		}
	}
}
