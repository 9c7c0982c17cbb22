package record_test

import (
	"testing"

	"github.com/pilinhub/pilin/record"
)

func change(rel record.Relation, subject record.RecordID, after uint64) record.Ref {
	return record.Ref{Rel: rel, ID: subject, Version: after}
}

func TestFollower_Deletes(t *testing.T) {
	fed := newFederation()
	for _, rel := range []record.Relation{record.Supersedes, record.Withdraws, record.Erases} {
		for _, audience := range []map[record.GroupID]record.Level{toAll(record.L3), toA(record.L3)} {
			t.Run(string(rel), func(t *testing.T) {
				a := newAuthor(t, fed)
				v1 := a.draft(audience)
				v2 := a.draft(audience, change(record.Follows, v1.ID, 1))
				v3 := a.draft(audience, change(rel, v1.ID, 2))
				unrelated := a.draft(audience)
				meta, metaGone := "", ""
				if len(audience) == 1 && audience[groupA] > 0 {
					meta, metaGone = "meta:present ", "meta:present "
				}
				check := func(r *replica) {
					t.Helper()
					r.wantStates(0, metaGone+"card:gone(3) body:gone(3) home:none")
					r.wantStates(1, metaGone+"card:gone(3) body:gone(3) home:none")
					r.wantStates(2, meta+"card:present body:present home:none")
					r.wantStates(3, meta+"card:present body:present home:none")
				}
				one := a.commit(v1, v2, unrelated, v3)
				r := newReplica(t, fed, record.All, groupA)
				r.offer(a.kafka(one))
				check(r) // inside one frame

				b := newAuthor(t, fed)
				r = newReplica(t, fed, record.All, groupA)
				for _, d := range []record.Draft{v1, v2, unrelated, v3} {
					r.offer(b.kafka(b.commit(d)))
				}
				check(r) // of stored records

				r = newReplica(t, fed, record.All, groupA)
				for _, g := range b.groups {
					r.offer(bare(b.kafka(g)))
				}
				for _, i := range []int{3, 1, 0, 2} { // parts come late and out of order
					r.offerLate(b.answer(b.groups[i], everyGroup))
				}
				check(r)
				if r.f.Head.Applied != 4 {
					t.Errorf("applied %d", r.f.Head.Applied)
				}
			})
		}
	}
}

func TestFollower_DeletesOnce(t *testing.T) {
	fed := newFederation()
	a := newAuthor(t, fed)
	v1 := a.draft(toAll(record.L2))
	r := newReplica(t, fed, record.All)
	r.offer(a.kafka(a.commit(v1)))
	d := r.offer(a.kafka(a.commit(
		a.draft(toAll(record.L2), change(record.Supersedes, v1.ID, 1)),
		a.draft(toAll(record.L2), change(record.Supersedes, v1.ID, 2)))))
	if len(d.Apply.Deletes) != 1 || d.Apply.Deletes[0].By != 1 {
		t.Errorf("deletes %+v", d.Apply.Deletes)
	}
	r.wantStates(0, "card:gone(1) body:none home:none")
	r.wantStates(1, "card:gone(2) body:none home:none")
}

func TestFollower_DeletesWhatIsPending(t *testing.T) {
	fed := newFederation()
	a := newAuthor(t, fed)
	v1 := a.draft(toAll(record.L3))
	g1 := a.commit(v1)
	g2 := a.commit(a.draft(toAll(record.L3), change(record.Withdraws, v1.ID, 1)))
	r := newReplica(t, fed, record.All)
	r.offer(bare(a.kafka(g1)))
	if r.f.Head.Applied != 0 {
		t.Fatal("a pending part must stop the applied head")
	}
	r.offer(a.kafka(g2))
	r.wantStates(0, "card:gone(1) body:gone(1) home:none")
	if r.f.Head.Applied != 2 {
		t.Errorf("applied %d: what is gone is not waited for", r.f.Head.Applied)
	}
	wantKind(t, r.offerLate(a.answer(g1, everyGroup)), record.DoDuplicate, "") // an old holder cannot bring it back
	r.wantStates(0, "card:gone(1) body:gone(1) home:none")
}

func TestFollower_GoneClaim(t *testing.T) {
	fed := newFederation()
	a := newAuthor(t, fed)
	v1 := a.draft(toAll(record.L2))
	g := a.commit(v1)
	holder := g
	holder.Records = []record.Stored{cloned(g.Records[0])}
	holder.Records[0].Parts[0] = record.StoredPart{Name: record.Card, State: record.PartGone, GoneBy: 1}
	claim := a.answer(holder, everyGroup)
	if claim.Boxes[0].Kind != record.BoxGone {
		t.Fatal("the holder does not say that the part is gone")
	}
	r := newReplica(t, fed, record.All)
	r.offer(claim)
	r.wantStates(0, "card:pending body:none home:none") // nobody is believed before the deletion is verified
	r.offer(a.kafka(a.commit(a.draft(toAll(record.L1), change(record.Erases, v1.ID, 1)))))
	r.wantStates(0, "card:gone(1) body:none home:none")
}

func TestFollower_OwnStreamKeepsUntilErased(t *testing.T) {
	fed := newFederation()
	a := newAuthor(t, fed)
	v1 := a.draft(toAll(record.L2))
	r := newReplica(t, fed, record.All)
	r.f.Self = origin
	r.offer(a.answer(a.commit(v1), everyGroup))
	r.offer(a.answer(a.commit(a.draft(toAll(record.L1), change(record.Withdraws, v1.ID, 1))), everyGroup))
	r.wantStates(0, "card:present body:lost home:lost")
	r.offer(a.answer(a.commit(a.draft(toAll(record.L1), change(record.Erases, v1.ID, 2))), everyGroup))
	r.wantStates(0, "card:gone(2) body:gone(2) home:gone(2)")
}

func TestFollower_Unusable(t *testing.T) {
	fed := newFederation()
	cases := []struct {
		name string
		make func(a *author) // commits records; the last one is the one in question
		want string
	}{
		{"first version", func(a *author) { a.commit(a.draft(toAll(record.L2))) }, ""},
		{"next version", func(a *author) {
			v1 := a.draft(toAll(record.L2))
			a.commit(v1)
			a.commit(a.draft(toAll(record.L2), change(record.Supersedes, v1.ID, 1)))
		}, ""},
		{"withdraw of a subject that the stream does not know", func(a *author) {
			a.commit(a.draft(toAll(record.L2), change(record.Withdraws, a.id(), 1)))
		}, record.UnusableForeignChange},
		{"change of a record that is itself a version", func(a *author) {
			v1 := a.draft(toAll(record.L2))
			v2 := a.draft(toAll(record.L2), change(record.Follows, v1.ID, 1))
			a.commit(v1, v2)
			a.commit(a.draft(toAll(record.L2), change(record.Withdraws, v2.ID, 1)))
		}, record.UnusableForeignChange},
		{"version taken", func(a *author) {
			v1 := a.draft(toAll(record.L2))
			a.commit(v1, a.draft(toAll(record.L2), change(record.Follows, v1.ID, 1)))
			a.commit(a.draft(toAll(record.L2), change(record.Withdraws, v1.ID, 1)))
		}, record.UnusableVersionTaken},
		{"version taken in the same frame", func(a *author) {
			v1 := a.draft(toAll(record.L2))
			a.commit(v1, a.draft(toAll(record.L2), change(record.Follows, v1.ID, 1)), a.draft(toAll(record.L2), change(record.Withdraws, v1.ID, 1)))
		}, record.UnusableVersionTaken},
		{"same id again", func(a *author) {
			v1 := a.draft(toAll(record.L2))
			a.commit(v1)
			again := a.draft(toAll(record.L2))
			again.ID = v1.ID
			a.commit(again)
		}, record.UnusableVersionTaken},
		{"already withdrawn", func(a *author) {
			v1 := a.draft(toAll(record.L2))
			a.commit(v1, a.draft(toAll(record.L2), change(record.Withdraws, v1.ID, 1)))
			a.commit(a.draft(toAll(record.L2), change(record.Withdraws, v1.ID, 2)))
		}, record.UnusableSubjectEnded},
		{"erasure of a withdrawn subject", func(a *author) {
			v1 := a.draft(toAll(record.L2))
			a.commit(v1, a.draft(toAll(record.L2), change(record.Withdraws, v1.ID, 1)))
			a.commit(a.draft(toAll(record.L2), change(record.Erases, v1.ID, 2)))
		}, ""},
		{"already erased", func(a *author) {
			v1 := a.draft(toAll(record.L2))
			a.commit(v1, a.draft(toAll(record.L2), change(record.Erases, v1.ID, 1)))
			a.commit(a.draft(toAll(record.L2), change(record.Erases, v1.ID, 2)))
		}, record.UnusableSubjectEnded},
		{"change whose first version is withheld from us", func(a *author) {
			v1 := a.draft(map[record.GroupID]record.Level{groupB: record.L3})
			a.commit(v1)
			a.commit(a.draft(toAll(record.L2), change(record.Supersedes, v1.ID, 1)))
		}, ""},
		{"no JSON", func(a *author) { a.commitHeaders([]byte("not a header")) }, record.UnusableHeader},
		{"later format", func(a *author) { a.commitHeaders([]byte(`{"v":2,"new":true}`)) }, record.UnusableVersion},
		{"place of another record", func(a *author) {
			g := a.commit(a.draft(toAll(record.L2)))
			a.commitHeaders(g.Records[0].Header)
		}, record.UnusablePlace},
		{"schema says no", func(a *author) {
			d := a.draft(toAll(record.L2))
			d.Type = "unheard.of"
			a.commit(d)
		}, "unknown_type"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := newAuthor(t, fed)
			c.make(a)
			for _, late := range []bool{false, true} {
				r := newReplica(t, fed, record.All, groupA)
				r.f.Usable = func(m record.Meaning, _ map[record.PartName][]byte) string {
					if m.Type == "unheard.of" {
						return "unknown_type"
					}
					return ""
				}
				for _, g := range a.groups {
					f := a.kafka(g)
					if late {
						f = bare(f)
					}
					wantKind(t, r.offer(f), record.DoApply, "") // proven: the stream goes on whatever the record says
				}
				for _, g := range a.groups {
					if late {
						r.offerLate(a.answer(g, everyGroup))
					}
				}
				last := uint64(len(r.records) - 1)
				r.wantUnusable(last, c.want)
				if r.f.Head.Applied != last+1 {
					t.Errorf("late %t: applied %d of %d", late, r.f.Head.Applied, last+1)
				}
				if c.want != "" && c.want != "unknown_type" && !r.records[last].Meaning.IsZero() {
					t.Error("a record without place in a subject has a meaning")
				}
			}
		})
	}
}

func TestFollower_UnusableDeletesNothing(t *testing.T) {
	fed := newFederation()
	a := newAuthor(t, fed)
	v1 := a.draft(toAll(record.L2))
	a.commit(v1)
	a.commit(a.draft(toAll(record.L2), change(record.Follows, v1.ID, 1)))
	a.commit(a.draft(toAll(record.L2), change(record.Erases, v1.ID, 1))) // loses to the version before
	r := newReplica(t, fed, record.All)
	for _, g := range a.groups {
		r.offer(a.kafka(g))
	}
	r.wantUnusable(2, record.UnusableVersionTaken)
	r.wantStates(0, "card:present body:none home:none")
	r.wantStates(2, "card:none body:none home:none")
}

// A deletion needs header and meta only: a newer origin's withdrawal must act at members whose schema is older.
func TestFollower_SchemaDoesNotStopDeletion(t *testing.T) {
	fed := newFederation()
	a := newAuthor(t, fed)
	v1 := a.draft(toAll(record.L2))
	v2 := a.draft(toAll(record.L2), change(record.Withdraws, v1.ID, 1))
	v2.Type = "blacklist.withdrawal"
	a.commit(v1)
	a.commit(v2)
	r := newReplica(t, fed, record.All)
	r.f.Usable = func(m record.Meaning, _ map[record.PartName][]byte) string {
		if m.Type == v2.Type {
			return "unknown_type"
		}
		return ""
	}
	for _, g := range a.groups {
		r.offer(a.kafka(g))
	}
	r.wantUnusable(1, "unknown_type")
	r.wantStates(0, "card:gone(1) body:none home:none")
	r.wantStates(1, "card:present body:none home:none") // kept, to be checked again after an upgrade
}

// Two records claim one version; the lower sequence is readable only later and still wins everywhere.
func TestFollower_LowestSequenceWinsLate(t *testing.T) {
	fed := newFederation()
	a := newAuthor(t, fed)
	v1 := a.draft(toA(record.L2))
	a.commit(v1)
	a.commit(a.draft(toA(record.L2), change(record.Follows, v1.ID, 1)))
	a.commit(a.draft(toA(record.L2), change(record.Follows, v1.ID, 1)))
	r := newReplica(t, fed, groupA)
	r.offer(a.kafka(a.groups[0]))
	r.offer(bare(a.kafka(a.groups[1])))
	r.offer(a.kafka(a.groups[2]))
	r.wantUnusable(2, "")
	d := r.offerLate(a.answer(a.groups[1], everyGroup))
	wantKind(t, d, record.DoApply, "")
	r.wantUnusable(1, "")
	r.wantUnusable(2, record.UnusableVersionTaken)
	if len(d.Apply.Late) != 2 || d.Apply.Late[0].Seq != 2 {
		t.Errorf("late records %v: the loser comes first, so that its version is free", d.Apply.Late)
	}
}

func TestFollower_MetaContradictsHeader(t *testing.T) {
	fed := newFederation()
	a := newAuthor(t, fed)
	d := a.draft(toA(record.L2))
	st, err := a.seal.Seal(d, 0)
	if err != nil {
		t.Fatal(err)
	}
	h, err := record.DecodeHeader(st.Header)
	if err != nil {
		t.Fatal(err)
	}
	h.Week = "2026-W12" // the day that meta names is in W11
	if st.Header, err = h.Encode(); err != nil {
		t.Fatal(err)
	}
	st.Leaf = record.Leaf(st.Header)
	g := a.commitStored(st)
	r := newReplica(t, fed, groupA)
	wantKind(t, r.offer(a.kafka(g)), record.DoApply, "")
	r.wantUnusable(0, record.UnusableMeta)
	r.wantStates(0, "meta:none card:none body:none home:none")
}
