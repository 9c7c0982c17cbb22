package blacklist_test

import (
	"testing"
	"time"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// TestRoster_at: who is on duty, through midnight, and between shifts nobody.
func TestRoster_at(t *testing.T) {
	r := blacklist.Roster{Week: "2026-W11", Shifts: []blacklist.Shift{
		{Date: "2026-03-13", From: "08:30", To: "17:30", Person: "a"}, {Date: "2026-03-13", From: "18:00", To: "08:30", Person: "b"}}}
	for at, want := range map[string]string{
		"2026-03-13T08:29:59+08:00": "", "2026-03-13T08:30:00+08:00": "a", "2026-03-13T09:29:00Z": "a", "2026-03-13T17:30:00+08:00": "",
		"2026-03-13T18:00:00+08:00": "b", "2026-03-14T00:30:00+08:00": "b", "2026-03-14T08:30:00+08:00": "",
	} {
		moment, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := r.At(moment); s.Person != want || ok != (want != "") {
			t.Errorf("at %s %q, want %q", at, s.Person, want)
		}
	}
	for at, want := range map[string]bool{"2026-03-08T23:59:59+08:00": false, "2026-03-09T00:00:00+08:00": true, "2026-03-15T15:59:00Z": true, "2026-03-15T16:00:00Z": false} {
		moment, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if r.Covers(moment) != want {
			t.Errorf("covers %s: %t", at, !want)
		}
	}
}

// TestRegister_roster: two people publish one; it is nothing that a look-up shows; ended, it names nobody any more.
func TestRegister_roster(t *testing.T) {
	d := newDesk(t, "roster")
	p := blacklist.Proposal{Type: blacklist.TypeRoster, Payload: example(d, "duty_roster/examples/good/week.json", map[string]any{"occurred_at": "2026-03-02T08:00:00+08:00"})}
	both := person("acc-1", workflow.Officer, workflow.LegalReviewer)
	done, err := d.reg.Approve(ctx, both, d.inReview(p))
	refusedWith(t, "guard:not_author", done, err)
	on := d.published(p)
	e := d.view(on, "2026-03-13")
	r, ok := e.Roster()
	if !ok || e.Visible() || r.PhoneDay != "0573-80000000" || len(r.Shifts) != 2 || e.Audience[record.All] != record.L3 {
		t.Errorf("%+v %+v", r, e)
	}
	done, err = d.reg.WithdrawLink(ctx, liaison, on, paper("other"))
	refusedWith(t, "other_subject", done, err)
	done, err = d.reg.Suspend(ctx, liaison, on, paper("other"))
	refusedWith(t, "other_subject", done, err)
	ended := d.must(d.reg.WithdrawRoster(ctx, liaison, on, paper("wrong")))
	if e := d.view(ended.On, ""); e.State != blacklist.Withdrawn {
		t.Errorf("%+v", e)
	} else if _, ok := e.Roster(); ok {
		t.Error("it still names somebody")
	}
	if steps := d.view(ended.On, "").History; steps[1].Event != blacklist.EventWithdraw {
		t.Errorf("%+v", steps)
	}
}
