package blacklist_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/record"
)

func str(s string) *string { return &s }

func event(typ, at, outcome string, final *string) *blacklist.RemedyEvent {
	return &blacklist.RemedyEvent{Type: typ, At: at, Outcome: outcome, FinalOn: final}
}

func TestRegister_penalty_of_P2(t *testing.T) {
	// 嘉善's decision on P2 (domain.md §7.2): 复议 applied, then revoked on reconsideration, entered by the legal reviewer.
	d := newDesk(t, "P2")
	on := d.published(blacklist.Proposal{Type: blacklist.TypePenalty, Payload: example(d, "penalty/examples/good/not_served_yet.json", nil)})
	if e := d.view(on, ""); e.Served || e.State != "published" {
		t.Fatalf("%+v", e)
	}
	early := blacklist.PenaltyChange{Change: paper(""), Status: "served", ServedAt: "2020-01-01", ServiceMode: "DIR"}
	_, err := d.reg.PenaltyStatus(ctx, officer, on, early)
	refusedWith(t, "date_order", blacklist.Done{}, err)
	noMode := blacklist.PenaltyChange{Change: paper(""), Status: "served", ServedAt: "2026-03-02"}
	_, err = d.reg.PenaltyStatus(ctx, officer, on, noMode)
	refusedWith(t, "required", blacklist.Done{}, err)
	proof := blacklist.PenaltyChange{Change: paper(""), Status: "served", ServedAt: "2026-03-02", ServiceMode: "DIR", ServiceProof: []byte(`true`)}
	_, err = d.reg.PenaltyStatus(ctx, officer, on, proof) // from then on it may count
	refusedWith(t, "wrong_role", blacklist.Done{}, err)
	served := d.must(d.reg.PenaltyStatus(ctx, reviewer, on, proof))
	if e := d.view(served.On, ""); !e.Served || e.RemedyState != "in_period" {
		t.Errorf("%+v", e)
	}

	step := func(on blacklist.On, who blacklist.Request, e *blacklist.RemedyEvent) (blacklist.Done, error) {
		return d.reg.PenaltyStatus(ctx, who, on, blacklist.PenaltyChange{Change: paper(""), Status: "remedy_event", RemedyEvent: e})
	}
	_, err = step(served.On, officer, event("judgment", "2026-03-12", "upheld", nil))
	refusedWith(t, "remedy_event_illegal", blacklist.Done{}, err)
	_, err = step(served.On, officer, event("review_applied", "2019-01-01", "", nil))
	refusedWith(t, "date_order", blacklist.Done{}, err)
	applied := d.must(step(served.On, officer, event("review_applied", "2026-03-12", "", nil)))
	if e := d.view(applied.On, ""); e.RemedyState != "review_pending" {
		t.Errorf("%+v", e)
	}
	wrong := blacklist.PenaltyChange{Change: paper(""), Status: "remedy_event", RemedyEvent: event("review_decided", "2026-05-12", "upheld", nil), RemedyState: "void"}
	_, err = d.reg.PenaltyStatus(ctx, officer, applied.On, wrong)
	refusedWith(t, "remedy_state_conflict", blacklist.Done{}, err)

	// What ends a penalty is the reviewer's, with the paper.
	end := event("review_decided", "2026-05-12", "revoked", nil)
	_, err = step(applied.On, officer, end)
	refusedWith(t, "wrong_role", blacklist.Done{}, err)
	bare := blacklist.PenaltyChange{Change: paper(""), Status: "remedy_event", RemedyEvent: end}
	bare.DocumentHash = ""
	_, err = d.reg.PenaltyStatus(ctx, reviewer, applied.On, bare)
	refusedWith(t, "guard:document", blacklist.Done{}, err)
	over := d.must(step(applied.On, reviewer, end))
	for asOf, want := range map[string]string{"2026-05-11": "published", "2026-05-12": "voided", "2027-01-01": "voided"} {
		if e := d.view(over.On, asOf); string(e.State) != want || e.RemedyState != "revoked" {
			t.Errorf("as of %s: %s", asOf, e.State)
		}
	}
	// An entry that stands on it alone is not approved any more.
	d.now = d.now.AddDate(0, 3, 0)
	on2 := d.inReview(blacklist.Proposal{Type: blacklist.TypePerson, Payload: d.entryPayload(over.ID.String(), nil)})
	done, err := d.reg.Approve(ctx, reviewer, on2)
	refusedWith(t, "guard:supported", done, err)
}

func TestRegister_judgment_counts_when_final(t *testing.T) {
	d := newDesk(t, "judgment")
	on := d.penalty(map[string]any{"remedy_state": "suit_pending", "remedy_events": []any{map[string]any{"type": "suit_filed", "at": "2025-12-01"}}})
	change := func(on blacklist.On, e *blacklist.RemedyEvent) blacklist.On {
		return d.must(d.reg.PenaltyStatus(ctx, reviewer, on, blacklist.PenaltyChange{Change: paper(""), Status: "remedy_event", RemedyEvent: e})).On
	}
	open := change(on, event("judgment", "2026-02-01", "revoked", nil))
	if e := d.view(open, "2026-12-31"); e.State != "published" {
		t.Errorf("%s before the judgment is final", e.State)
	}
	fin := d.penalty(map[string]any{"remedy_state": "suit_pending", "remedy_events": []any{map[string]any{"type": "suit_filed", "at": "2025-12-01"}}})
	fin = change(fin, event("judgment", "2026-02-01", "void", str("2026-02-20")))
	for asOf, want := range map[string]string{"2026-02-19": "published", "2026-02-20": "voided"} {
		if e := d.view(fin, asOf); string(e.State) != want {
			t.Errorf("as of %s: %s", asOf, e.State)
		}
	}
}

// TestRegister_correction_keeps_status: at other members a correction deletes the status records before it, so a new
// payload must say what they said.
func TestRegister_correction_keeps_status(t *testing.T) {
	d := newDesk(t, "keeps")
	on := d.published(blacklist.Proposal{Type: blacklist.TypePenalty, Payload: example(d, "penalty/examples/good/not_served_yet.json", nil)})
	old, err := d.viewp(on).Payload()
	if err != nil {
		t.Fatal(err)
	}
	on = d.must(d.reg.PenaltyStatus(ctx, reviewer, on, blacklist.PenaltyChange{Change: paper(""), Status: "served", ServedAt: "2026-03-02", ServiceMode: "DIR", ServiceProof: []byte(`true`)})).On
	c := blacklist.Correction{Proposal: blacklist.Proposal{Payload: old}, ReasonCode: "typing_error", DiffReason: "笔误"}
	_, err = d.reg.Correct(ctx, officer, on, c)
	refusedWith(t, "guard:nothing_lost", blacklist.Done{}, err)
	served, err := d.viewp(on).Payload()
	if err != nil {
		t.Fatal(err)
	}
	on = d.must(d.reg.PenaltyStatus(ctx, officer, on, blacklist.PenaltyChange{Change: paper(""), Status: "remedy_event", RemedyEvent: event("review_applied", "2026-03-12", "", nil)})).On
	c.Payload = served
	_, err = d.reg.Correct(ctx, officer, on, c)
	refusedWith(t, "guard:nothing_lost", blacklist.Done{}, err)
	if c.Payload, err = d.viewp(on).Payload(); err != nil || !strings.Contains(string(c.Payload), "review_applied") || !strings.Contains(string(c.Payload), `"served_at":"2026-03-02"`) {
		t.Fatalf("%s %v", c.Payload, err)
	}
	prop := d.must(d.reg.Correct(ctx, officer, on, c))
	fixed := d.must(d.reg.Approve(ctx, reviewer, prop.On))
	if e := d.view(fixed.On, ""); !e.Served || e.RemedyState != "review_pending" || len(e.RemedyEvents) != 1 {
		t.Errorf("%+v", e)
	}

	// A status that comes between proposal and approval makes the approval too late.
	prop = d.must(d.reg.Correct(ctx, officer, fixed.On, c))
	d.must(d.reg.PenaltyStatus(ctx, officer, fixed.On, blacklist.PenaltyChange{Change: paper(""), Status: "remedy_event", RemedyEvent: event("stayed", "2026-03-20", "", nil)}))
	done, err := d.reg.Approve(ctx, reviewer, prop.On)
	refusedWith(t, "version_conflict", done, err)
}

func TestRegister_penalty_status_refuses(t *testing.T) {
	d := newDesk(t, "status")
	on := d.penalty(nil)
	for name, tc := range map[string]struct {
		on   blacklist.On
		c    blacklist.PenaltyChange
		want string
	}{
		"unknown status":            {on, blacklist.PenaltyChange{Status: "burnt"}, "enum"},
		"unknown subject":           {blacklist.On{Version: 1}, blacklist.PenaltyChange{Status: "suspended"}, "not_found"},
		"an entry":                  {d.entry(), blacklist.PenaltyChange{Status: "suspended"}, "other_subject"},
		"old version":               {blacklist.On{ID: on.ID, Version: 7}, blacklist.PenaltyChange{Status: "suspended"}, "version_conflict"},
		"remedy without event":      {on, blacklist.PenaltyChange{Status: "remedy_event"}, "required"},
		"voided without outcome":    {on, blacklist.PenaltyChange{Status: "voided"}, "required"},
		"decided without outcome":   {on, blacklist.PenaltyChange{Status: "remedy_event", RemedyEvent: event("review_decided", "2026-03-01", "", nil)}, "remedy_event_illegal"},
		"an outcome out of nowhere": {on, blacklist.PenaltyChange{Status: "remedy_event", RemedyEvent: event("judgment", "2026-03-01", "burnt", nil)}, "remedy_event_illegal"},
	} {
		tc.c.Change = paper("")
		done, err := d.reg.PenaltyStatus(ctx, everybody, tc.on, tc.c)
		if code(err) != tc.want {
			t.Errorf("%s: %v %v, want %s", name, done.State, err, tc.want)
		}
	}
	_, err := d.reg.Suspend(ctx, liaison, on, paper("objection"))
	refusedWith(t, "other_subject", blacklist.Done{}, err)
}

// TestRegister_remedy_state_is_never_typed: an officer who records an objection does not end a settlement, and a member
// whose release lets him is not believed.
func TestRegister_remedy_state_is_never_typed(t *testing.T) {
	d := newDesk(t, "typed state")
	on := d.penalty(map[string]any{"remedy_state": "settled"})
	for _, c := range []blacklist.PenaltyChange{
		{Status: "objection", ObjectionAt: "2026-02-02"},
		{Status: "suspended"},
		{Status: "served", ServedAt: "2026-03-01", ServiceMode: "DIR"},
		{Status: "voided", Outcome: "revoked"},
	} {
		c.Change, c.RemedyState = paper(""), "upheld_final"
		_, err := d.reg.PenaltyStatus(ctx, everybody, on, c)
		refusedWith(t, "remedy_state_conflict", blacklist.Done{}, err)
	}
	on = d.must(d.reg.PenaltyStatus(ctx, officer, on, blacklist.PenaltyChange{Change: paper(""), Status: "objection", ObjectionAt: "2026-02-02"})).On
	records, err := d.log.Subject(ctx, shared, on.ID)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range records[len(records)-1].Parts {
		if p.Name == record.Card {
			typed := bytes.Replace(p.Bytes, []byte(`"status":"objection"`), []byte(`"status":"objection","remedy_state":"upheld_final"`), 1)
			if bytes.Equal(typed, p.Bytes) {
				t.Fatalf("%s", p.Bytes)
			}
			records[len(records)-1].Parts[i].Bytes = typed
		}
	}
	if e, err := blacklist.Fold(records, ""); err != nil || e.RemedyState != "settled" {
		t.Errorf("%s %v, want settled", e.RemedyState, err)
	}
}

// TestRemedyMachine walks the ways of domain.md §5.2.
func TestRemedyMachine(t *testing.T) {
	for _, tc := range []struct {
		events []blacklist.RemedyEvent
		want   string // of the last, or "illegal"
	}{
		{[]blacklist.RemedyEvent{*event("review_applied", "2026-03-03", "", nil), *event("review_decided", "2026-03-20", "upheld", nil)}, "suit_period"},
		{[]blacklist.RemedyEvent{*event("review_applied", "2026-03-03", "", nil), *event("review_decided", "2026-03-20", "upheld", nil), *event("suit_filed", "2026-03-21", "", nil),
			*event("judgment", "2026-04-01", "upheld", nil)}, "upheld_final"},
		{[]blacklist.RemedyEvent{*event("review_applied", "2026-03-03", "", nil), *event("stayed", "2026-03-04", "", nil), *event("stay_lifted", "2026-03-05", "", nil)}, "review_pending"},
		{[]blacklist.RemedyEvent{*event("suit_filed", "2026-03-03", "", nil), *event("judgment", "2026-03-20", "illegal_not_revoked", nil)}, "illegal_not_revoked"},
		{[]blacklist.RemedyEvent{*event("review_applied", "2026-03-03", "", nil), *event("review_decided", "2026-03-20", "settled", nil), *event("review_decided", "2026-03-21", "varied", nil)}, "varied"},
		{[]blacklist.RemedyEvent{*event("review_decided", "2026-03-20", "upheld", nil)}, "illegal"},
		{[]blacklist.RemedyEvent{*event("suit_filed", "2026-03-03", "", nil), *event("suit_filed", "2026-03-04", "", nil)}, "illegal"},
	} {
		d := newDesk(t, "remedy")
		on := d.penalty(map[string]any{"remedy_state": "in_period"})
		got := ""
		for _, e := range tc.events {
			done, err := d.reg.PenaltyStatus(ctx, reviewer, on, blacklist.PenaltyChange{Change: paper(""), Status: "remedy_event", RemedyEvent: &e})
			if err != nil {
				got = code(err)
				if got == "remedy_event_illegal" {
					got = "illegal"
				}
				break
			}
			on = done.On
			got = d.view(on, "").RemedyState
		}
		if got != tc.want {
			t.Errorf("%v: %s, want %s", tc.events, got, tc.want)
		}
	}
}
