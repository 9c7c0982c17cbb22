package blacklist_test

import (
	"strings"
	"testing"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/workflow"
)

// What a status adds stands in the payload that a correction starts from, and an objection or transfer may not be lost
// by one.
func TestRegister_later_facts_of_a_penalty(t *testing.T) {
	d := newDesk(t, "later")
	on := d.penalty(nil)
	for _, c := range []struct {
		who    blacklist.Request
		change blacklist.PenaltyChange
	}{
		{officer, blacklist.PenaltyChange{Status: "objection", ObjectionAt: "2026-02-02"}},
		{liaison, blacklist.PenaltyChange{Status: "objection", ObjectionAt: "2026-02-03"}},
		{officer, blacklist.PenaltyChange{Status: "photo_compared", ComparedAt: "2026-02-04", Officers: []string{"99000000001", "99000000002"}}},
		{liaison, blacklist.PenaltyChange{Status: "transferred", TransferredAt: "2026-02-05"}},
		{reviewer, blacklist.PenaltyChange{Status: "confirmed", Confirms: "prior_conviction"}},
	} {
		c.change.Change = paper("")
		on = d.must(d.reg.PenaltyStatus(ctx, c.who, on, c.change)).On
	}
	e := d.view(on, "")
	if e.State != blacklist.Published {
		t.Errorf("none of these changes the state: %s", e.State)
	}
	all, err := e.Payload()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"objections":["2026-02-02","2026-02-03"]`, `"transferred":true`, `"transferred_at":"2026-02-05"`,
		`"photo_comparisons":[{"at":"2026-02-04","officers":["99000000001","99000000002"]}]`, `"confirmed":[{"reason":"prior_conviction","at":"2026-03-02","by":"acc-31"}]`} {
		if !strings.Contains(string(all), want) {
			t.Errorf("%s is not in %s", want, all)
		}
	}
	correct := func(payload []byte) error {
		c := blacklist.Correction{Proposal: blacklist.Proposal{Payload: payload}, ReasonCode: "typing_error", DiffReason: "笔误"}
		_, err := d.reg.Correct(ctx, officer, on, c)
		return err
	}
	for _, lost := range []string{`"objections":["2026-02-02","2026-02-03"],`, `"transferred":true,`} {
		if got := code(correct([]byte(strings.Replace(string(all), lost, "", 1)))); got != "guard:nothing_lost" {
			t.Errorf("without %s: %q", lost, got)
		}
	}
	more := strings.Replace(string(all), `"confirmed":[`, `"confirmed":[{"reason":"cause_q","at":"2026-03-02","by":"acc-31"},`, 1)
	if got := code(correct([]byte(more))); got != "not_recorded" {
		t.Errorf("a confirmation typed into a correction: %q", got)
	}
	if err := correct(all); err != nil {
		t.Error(err)
	}
}

// A confirmation or comparison is what somebody did, not what an author writes.
func TestRegister_typed_facts_of_a_draft(t *testing.T) {
	d := newDesk(t, "typed")
	for name, v := range map[string]any{
		"confirmed":         []any{map[string]any{"reason": "sole_trader", "at": "2026-03-02", "by": "acc-31"}},
		"photo_comparisons": []any{map[string]any{"at": "2026-02-04", "officers": []string{"99000000001", "99000000002"}}},
	} {
		typed := blacklist.Proposal{Type: blacklist.TypePenalty, Payload: d.penaltyPayload(map[string]any{name: v})}
		done, err := d.reg.Draft(ctx, officer, typed)
		refusedWith(t, "not_recorded", done, err)
		plain := d.must(d.reg.Draft(ctx, officer, blacklist.Proposal{Type: blacklist.TypePenalty, Payload: d.penaltyPayload(nil)}))
		done, err = d.reg.Amend(ctx, officer, plain.On, typed)
		refusedWith(t, "not_recorded", done, err)
	}
}

// A release before this check may have kept a draft with a typed confirmation: it goes no step further.
func TestRegister_typed_facts_of_a_kept_draft(t *testing.T) {
	for step, make := range map[string]func(d *desk, p blacklist.Proposal) blacklist.On{
		"submit":  func(d *desk, p blacklist.Proposal) blacklist.On { return d.must(d.reg.Draft(ctx, officer, p)).On },
		"approve": (*desk).inReview,
		"publish": (*desk).approved,
	} {
		d := newDesk(t, "kept "+step)
		on := make(d, blacklist.Proposal{Type: blacklist.TypePenalty, Payload: d.penaltyPayload(nil)})
		first := d.log.streams[local][0].Parts
		kept := strings.Replace(string(first[0].Bytes), `"payload":{`, `"payload":{"confirmed":[{"reason":"sole_trader","at":"2026-03-02","by":"acc-31"}],`, 1)
		if len(first) != 1 || kept == string(first[0].Bytes) {
			t.Fatalf("%s", kept)
		}
		first[0].Bytes = []byte(kept)
		var done blacklist.Done
		var err error
		switch step {
		case "submit":
			done, err = d.reg.Submit(ctx, officer, on)
		case "approve":
			done, err = d.reg.Approve(ctx, reviewer, on)
		case "publish":
			done, err = d.reg.Publish(ctx, liaison, on)
		}
		if got := code(err); got != "not_recorded" {
			t.Errorf("%s: %q, state %s", step, got, done.State)
		}
	}
}

func TestRegister_later_facts_refused(t *testing.T) {
	for name, row := range map[string]struct {
		who    blacklist.Request
		change blacklist.PenaltyChange
		want   string
	}{
		"objection of tomorrow":   {officer, blacklist.PenaltyChange{Status: "objection", ObjectionAt: "2026-03-03"}, "date_future"},
		"transfer of tomorrow":    {liaison, blacklist.PenaltyChange{Status: "transferred", TransferredAt: "2026-03-03"}, "date_future"},
		"one officer compared":    {officer, blacklist.PenaltyChange{Status: "photo_compared", ComparedAt: "2026-03-01", Officers: []string{"99000000001"}}, "items"},
		"an officer confirms":     {officer, blacklist.PenaltyChange{Status: "confirmed", Confirms: "sole_trader"}, "wrong_role"},
		"a liaison confirms":      {liaison, blacklist.PenaltyChange{Status: "confirmed", Confirms: "sole_trader"}, "wrong_role"},
		"a head confirms":         {head, blacklist.PenaltyChange{Status: "confirmed", Confirms: "sole_trader"}, "wrong_role"},
		"confirms what is absent": {reviewer, blacklist.PenaltyChange{Status: "confirmed", Confirms: "service_unproven"}, "enum"},
		"the author confirms":     {person("acc-1", workflow.Officer, workflow.LegalReviewer), blacklist.PenaltyChange{Status: "confirmed", Confirms: "sole_trader"}, "guard:not_author"},
		"an officer lifts a stay": {officer, blacklist.PenaltyChange{Status: "remedy_event", RemedyEvent: event("stay_lifted", "2026-03-01", "", nil)}, "wrong_role"},
		"proof a second time": {reviewer, blacklist.PenaltyChange{Status: "served", ServedAt: "2026-03-01", ServiceMode: "DIR", ServiceProof: []byte(`true`)},
			"guard:not_proven"},
	} {
		d := newDesk(t, name)
		row.change.Change = paper("")
		if row.change.Status == "confirmed" {
			row.change.ReasonCode = ""
		}
		_, err := d.reg.PenaltyStatus(ctx, row.who, d.penalty(nil), row.change)
		if got := code(err); got != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
	d := newDesk(t, "no paper")
	bare := blacklist.PenaltyChange{Change: paper(""), Status: "confirmed", Confirms: "sole_trader"}
	bare.DocumentHash = ""
	_, err := d.reg.PenaltyStatus(ctx, reviewer, d.penalty(nil), bare)
	refusedWith(t, "guard:document", blacklist.Done{}, err)
}

// A settlement, also one on a withdrawal, waits until the legal reviewer enters what came of it (domain.md §6.4).
func TestRegister_settlement_is_ended_by_the_reviewer(t *testing.T) {
	for _, by := range []*blacklist.RemedyEvent{event("review_withdrawn", "2026-02-01", "settled", nil), event("review_decided", "2026-02-01", "settled", nil)} {
		d := newDesk(t, "settled "+by.Type)
		on := d.penalty(map[string]any{"remedy_state": "review_pending", "remedy_events": []any{map[string]any{"type": "review_applied", "at": "2025-12-01"}}})
		change := func(who blacklist.Request, e *blacklist.RemedyEvent) (blacklist.Done, error) {
			return d.reg.PenaltyStatus(ctx, who, on, blacklist.PenaltyChange{Change: paper(""), Status: "remedy_event", RemedyEvent: e})
		}
		on = d.must(change(officer, by)).On
		if e := d.view(on, ""); e.RemedyState != "settled" {
			t.Fatalf("%s: %s", by.Type, e.RemedyState)
		}
		end := event("review_decided", "2026-02-20", "upheld", nil)
		_, err := change(officer, end)
		refusedWith(t, "wrong_role", blacklist.Done{}, err)
		on = d.must(change(reviewer, end)).On
		if e := d.view(on, ""); e.RemedyState != "suit_period" {
			t.Errorf("%s: %s", by.Type, e.RemedyState)
		}
	}
}

func linkPayload(t tb, set map[string]any) []byte {
	t.Helper()
	all := map[string]any{"created_by": nil, "reviewed_by": nil, "recorded_at": nil, "published_at": nil, "occurred_at": "2026-03-01T10:00:00+08:00"}
	for k, v := range set {
		all[k] = v
	}
	return example(t, "identity.link/examples/good/residence_card.json", all)
}

func TestRegister_link(t *testing.T) {
	d := newDesk(t, "link")
	draft := d.inReview(blacklist.Proposal{Type: blacklist.TypeLink, Payload: linkPayload(t, nil)})
	_, err := d.reg.Approve(ctx, person("acc-1", workflow.LegalReviewer), draft)
	refusedWith(t, "guard:not_author", blacklist.Done{}, err)
	_, err = d.reg.Publish(ctx, liaison, draft)
	refusedWith(t, "illegal_transition", blacklist.Done{}, err)
	on := d.must(d.reg.Publish(ctx, liaison, d.must(d.reg.Approve(ctx, reviewer, draft)).On)).On
	e := d.view(on, "2026-03-02")
	l, ok := e.Link()
	if !ok || l.Reviewer != "acc-31" || l.A.No != "H90000001" || l.B.Type != "HMR" {
		t.Fatalf("%v %+v", ok, l)
	}
	if _, shown, err := d.reg.View(ctx, shared, on.ID, "2026-03-02"); err != nil || shown {
		t.Errorf("a look-up shows a link: %v", err)
	}
	if late := d.view(on, "2036-03-13"); late.State != blacklist.Expired {
		t.Errorf("after its last day: %s", late.State)
	}
	_, err = d.reg.WithdrawLink(ctx, officer, on, paper("wrong_person"))
	refusedWith(t, "wrong_role", blacklist.Done{}, err)
	_, err = d.reg.Confirm(ctx, head, on, paper("wrong_person"))
	refusedWith(t, "other_subject", blacklist.Done{}, err)
	_, err = d.reg.Correct(ctx, officer, on, blacklist.Correction{Proposal: blacklist.Proposal{Payload: linkPayload(t, nil)}, ReasonCode: "typing_error", DiffReason: "笔误"})
	refusedWith(t, "illegal_transition", blacklist.Done{}, err)
	on = d.must(d.reg.WithdrawLink(ctx, liaison, on, paper("wrong_person"))).On
	gone := d.view(on, "2026-03-02")
	if _, ok := gone.Link(); ok || gone.State != blacklist.Withdrawn || len(gone.Parts) != 0 {
		t.Errorf("withdrawn, and yet %+v", gone)
	}
	if dues, err := gone.Deadlines(d.now, workflow.Statutory()); err != nil || len(dues) != 1 {
		t.Errorf("gone everywhere: %v %v", dues, err)
	}
	_, err = d.reg.WithdrawLink(ctx, liaison, on, paper("wrong_person"))
	refusedWith(t, "illegal_transition", blacklist.Done{}, err)
	if _, ok := (&blacklist.Entry{Type: blacklist.TypeLink, State: blacklist.Published}).Link(); ok {
		t.Error("a link without reviewer or body")
	}
}
