package demo

import (
	"testing"

	"github.com/pilinhub/pilin/client"
)

// A decision that its origin shares at L2 or L1 is nowhere in the asker's copies. That something new came is, and the open
// question is asked again; also after the asker's node has stopped and come back, by the same stream.
func TestTimedStory_WhatCannotBeReadIsAskedFor(t *testing.T) {
	a := play(t, "2026-03-13")
	officer := a.desk("金山", "officer")
	ans := a.counted(officer, client.Question{IDNo: p1.ID})
	if ans.Count.Alert != "G2" {
		t.Fatalf("%+v", ans.Count)
	}
	h := a.watch(officer, ans.Ask)
	a.decide("嘉善", "测善卫医罚〔2025〕9101号", "L2")
	u := h.until(t, "a decision at L2", func(u client.Update) bool { return u.Count.Basic == 3 })
	if u.Cause != "record" || u.Direction != "up" || u.Count.Answered != 7 {
		t.Errorf("%+v", u)
	}
	a.halt("金山")
	a.back("金山")
	a.decide("平湖", "测平卫医罚〔2025〕9102号", "L1")
	u = h.until(t, "a decision at L1", func(u client.Update) bool { return u.Count.Pending > 0 && u.Count.Answered == 7 })
	if u.Direction != "up" || u.Count.Basic != 3 {
		t.Errorf("%+v", u)
	}
}

// decide lets a bureau publish one more decision about P1 at a level.
func (a *alliance) decide(name, no, level string) {
	a.t.Helper()
	b := bureau(name)
	payload, err := Decision{No: no, Issuer: b, Person: p1, Cause: "UP01", From: "2025-03-04", To: "2025-03-04", Filed: "2025-03-05", Decided: "2025-04-01",
		Served: "2025-04-08", Qualification: "none", Kind: "DEN"}.Penalty()
	must(a.t, err)
	ctx := a.t.Context()
	w, err := a.desk(name, "officer").Draft(ctx, client.Penalties, "", client.Proposal{Payload: payload, Level: level})
	must(a.t, err)
	for _, s := range [][2]string{{"officer", "submit"}, {"legal", "approve"}, {"liaison", "publish"}} {
		w, err = a.desk(name, s[0]).Step(ctx, client.Penalties, w.ID, s[1], "", client.Step{Version: w.Version})
		must(a.t, err)
	}
	if w.State != "published" {
		a.t.Fatalf("%+v", w)
	}
}
