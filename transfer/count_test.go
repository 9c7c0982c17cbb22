package transfer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/schemas/identifier"
	"github.com/pilinhub/pilin/transfer"
)

// The order and the reach of the overlap, strict, and what G3d says.
func TestCount_overlap_and_strict(t *testing.T) {
	at := func(id, issuer, from, to, served string) transfer.Penalty {
		return with(penalty(id, "330482-01", issuer, int(id[0]), served), func(p *transfer.Penalty) { p.ActFrom, p.ActTo = day(from), day(to) })
	}
	// c meets only b, and b is absorbed by a: only what is kept absorbs.
	r := transfer.Count(question(nil, at("a", pinghu, "2024-01-01", "2024-01-10", "2024-03-01"), at("b", pinghu, "2024-01-10", "2024-01-20", "2024-04-01"), at("c", pinghu, "2024-01-20", "2024-01-30", "2024-05-01")))
	if r.Basic != 2 || reasonOf(t, r, "b") != "E same_act" || reasonOf(t, r, "c") != "C counted" {
		t.Errorf("%+v", r.Verdicts)
	}
	// Service, not decision, says which of two is kept.
	early := with(at("b", pinghu, "2024-01-01", "2024-01-10", "2024-04-01"), func(p *transfer.Penalty) { p.Decided = day("2024-01-20") })
	if r = transfer.Count(question(nil, early, at("a", pinghu, "2024-01-01", "2024-01-10", "2024-03-01"))); reasonOf(t, r, "b") != "E same_act" {
		t.Errorf("%+v", r.Verdicts)
	}
	// A copy that differs makes its decision fall, and what that had absorbed steps forward.
	kept := at("a", pinghu, "2024-01-01", "2024-01-10", "2024-03-01")
	farther := with(events(kept, event(transfer.Stayed, "2024-06-01", "")), func(p *transfer.Penalty) { p.RecordID, p.Origin = "z", "310116-01" })
	r = transfer.Count(question(nil, kept, farther, at("c", pinghu, "2024-01-05", "2024-01-06", "2024-04-01")))
	if r.Basic != 1 || reasonOf(t, r, "a") != "P copies_differ" || len(r.Released) != 1 || r.Released[0] != (transfer.Release{Decision: "c", By: "a"}) {
		t.Errorf("%+v %+v", r.Verdicts, r.Released)
	}
	// A place of its own makes it the same act, even of another issuer; a missing place equals nothing.
	same := with(at("b", songjian, "2024-01-10", "2024-01-20", "2024-04-01"), func(p *transfer.Penalty) { p.ActPlace = "330482" })
	if r = transfer.Count(question(nil, at("a", pinghu, "2024-01-01", "2024-01-10", "2024-03-01"), same)); reasonOf(t, r, "b") != "E same_act" {
		t.Errorf("%+v", r.Verdicts)
	}
	nowhere := func(p *transfer.Penalty) { p.ActPlace = "" }
	if r = transfer.Count(question(nil, with(at("a", pinghu, "2024-01-01", "2024-01-10", "2024-03-01"), nowhere), with(same, nowhere))); reasonOf(t, r, "b") != "P parallel_act" {
		t.Errorf("%+v", r.Verdicts)
	}
	// It meets two kept ones, the second of the same place.
	r = transfer.Count(question(nil, at("a", pinghu, "2024-01-01", "2024-01-10", "2024-03-01"), at("b", songjian, "2024-01-11", "2024-01-20", "2024-04-01"),
		with(at("c", jinshan, "2024-01-10", "2024-01-11", "2024-05-01"), func(p *transfer.Penalty) { p.ActPlace = "310117" })))
	if reasonOf(t, r, "c") != "E same_act" || r.Basic != 2 {
		t.Errorf("%+v", r.Verdicts)
	}
	for _, c := range []struct{ secondAct, want string }{{"2024-03-01", "1 false"}, {"2024-03-02", "2 false"}} {
		r = transfer.Count(question(nil, at("a", pinghu, "2024-01-01", "2024-01-10", "2024-03-01"), at("b", songjian, c.secondAct, c.secondAct, "2024-05-01")))
		if got := fmt.Sprint(r.Strict, " ", r.Again); got != c.want {
			t.Errorf("second act on %s: %s, want %s", c.secondAct, got, c.want)
		}
	}
	// The first of the strict count is the first that is final.
	open := events(at("a", pinghu, "2024-01-01", "2024-01-10", "2024-03-01"), event(transfer.ReviewApplied, "2024-04-01", ""))
	r = transfer.Count(question(nil, open, at("b", songjian, "2024-02-01", "2024-02-01", "2024-05-01"), at("c", jinshan, "2024-04-30", "2024-04-30", "2024-08-01")))
	if r.Basic != 3 || r.Strict != 1 {
		t.Errorf("%+v", r)
	}
	for _, c := range []struct {
		name, text string
		q          transfer.Question
	}{
		{"a day", "救济期未满(至 2026-07-20)", question(act("2026-03-13"), a(), penalty("b", "310117-01", songjian, 9017, "2026-01-20"))},
		{"pending", "救济处理中", question(act("2026-03-13"), a(), events(b(), event(transfer.SuitFiled, "2025-10-01", "")))},
		{"before the first warning", "第2次违法行为早于首次处罚送达", question(act("2026-03-13"), at("a", pinghu, "2025-01-10", "2025-01-10", "2025-03-01"), at("b", songjian, "2025-02-10", "2025-02-10", "2025-04-01"))},
	} {
		if r := transfer.Count(c.q); r.Alert != transfer.G3d || !strings.Contains(r.Texts()[0].ZH, c.text) {
			t.Errorf("%s: %s %v", c.name, r.Alert, r.Texts())
		}
	}
}

func TestCount_again_and_alerts(t *testing.T) {
	set := func(f func(n *transfer.NewAct)) *transfer.NewAct { n := act("2026-03-13"); f(n); return n }
	for _, c := range []struct {
		name string
		n    *transfer.NewAct
		want transfer.Alert
	}{
		{"on the day of the second service", act("2025-08-28"), transfer.G2},
		{"the day after", act("2025-08-29"), transfer.G3d},
		{"one officer twice", set(func(n *transfer.NewAct) { n.Officers[1] = " 9900000-0001 " }), transfer.G2},
		{"in a case file", set(func(n *transfer.NewAct) { n.TreatingConfirmed, n.Officers, n.EstablishedInCase = false, nil, true }), transfer.G3},
		{"officers without a treating act", set(func(n *transfer.NewAct) { n.TreatingConfirmed = false }), transfer.G2},
		{"qualification missing", set(func(n *transfer.NewAct) { n.Qualification = "" }), transfer.G2},
		{"village doctor", set(func(n *transfer.NewAct) { n.Qualification = transfer.VillageDoctor }), transfer.G2},
		{"forged", set(func(n *transfer.NewAct) { n.Qualification = transfer.Forged }), transfer.G3},
	} {
		if r := transfer.Count(question(c.n, a(), b())); r.Alert != c.want {
			t.Errorf("%s: %s, want %s", c.name, r.Alert, c.want)
		}
	}
	pending := with(b(), func(p *transfer.Penalty) { p.IssuerKind = "" })
	if r := transfer.Count(question(nil, pending)); r.Alert != transfer.GP0 || r.Candidate {
		t.Errorf("%s", r.Alert)
	}
	// A pending of whom step 6 would not exclude that day is a candidate, even if his status is not known.
	for q, want := range map[transfer.Qualification]bool{"": true, transfer.VillageDoctor: true, transfer.AssistantPhysician: false, transfer.TCMSpecialist: false} {
		if r := transfer.Count(question(set(func(n *transfer.NewAct) { n.Qualification = q }), a(), pending)); r.Alert != transfer.GP || r.Candidate != want {
			t.Errorf("%s: %s %v", q, r.Alert, r.Candidate)
		}
	}
	third := func(actTo string) transfer.Penalty {
		return with(penalty("c", "310116-01", jinshan, 9001, "2026-02-10"), func(p *transfer.Penalty) { p.ActFrom, p.ActTo = day("2025-08-20"), day(actTo) })
	}
	r := transfer.Count(question(act("2026-03-13"), a(), b(), third("2025-08-29")))
	if r.Alert != transfer.G4 || len(r.Also) != 1 || r.Also[0] != transfer.G3 || !r.Candidate {
		t.Errorf("%s %v", r.Alert, r.Also)
	}
	for name, p := range map[string]transfer.Penalty{"its act ended before": third("2025-08-28"), "transferred": with(third("2025-08-29"), func(p *transfer.Penalty) { p.Transferred = true })} {
		if r := transfer.Count(question(act("2026-03-13"), a(), b(), p)); r.Alert != transfer.G3 || r.Basic != 3 {
			t.Errorf("%s: %s", name, r.Alert)
		}
	}
	// The second one is no missed transfer, whatever days its record tells.
	odd := with(b(), func(p *transfer.Penalty) { p.ActTo = p.Served.AddDays(1) })
	if r := transfer.Count(question(act("2026-03-13"), a(), odd)); r.Alert != transfer.G3 {
		t.Errorf("%s", r.Alert)
	}
	q := question(nil)
	q.Answered = 6
	if r := transfer.Count(q); len(r.Texts()) != 1 || strings.Contains(r.Texts()[0].ZH, "未发现") || !strings.Contains(r.Texts()[0].ZH, "6/7") {
		t.Errorf("an incomplete G0 is never shown as nothing found: %v", r.Texts())
	}
	q.L1Answers = []transfer.L1Answer{{Member: "330421-01", Countable: 2}, {Member: "330421-01", Countable: 1}, {Member: "310118-01", Countable: 1}}
	if r := transfer.Count(q); r.Pending != 3 || r.Alert != transfer.GP || reasonOf(t, r, "330421-01#2") != "P l1_answer" {
		t.Errorf("%+v", r)
	}
	if identifier.Normalise(" 9900000-0001 ") != "99000000001" {
		t.Error("the case of one officer twice tests nothing")
	}
}
