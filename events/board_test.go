package events_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pilinhub/pilin/events"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

func TestBoard_life_of_an_operation(t *testing.T) {
	a := newAlliance(t)
	done := a.must(a.boards[jinshan].Plan(ctx, liaison, plan(t, map[string]any{"participants": []record.MemberID{songjiang, pinghu, wujiang}})))
	on := done.On
	o := a.at(pinghu, on)
	if o.State != events.Proposed || o.Lead != jinshan || !slices.Equal(o.Invited, []record.MemberID{songjiang, pinghu, wujiang}) || o.Title == "" || o.StartAt.IsZero() {
		t.Fatalf("%+v", o)
	}
	if len(o.Audience) != 1 || o.Audience[record.All] != record.L0 {
		t.Errorf("audience %v", o.Audience)
	}
	for g, members := range a.groups {
		if o.Audience[g] != record.L3 || !slices.Equal(members, []record.MemberID{jinshan, songjiang, pinghu, wujiang}) {
			t.Errorf("group %s of %v", g, members)
		}
	}

	// Nothing of it is readable at a member that is not invited.
	_, err := a.boards[jiashan].Operation(ctx, on.Stream, on.ID)
	refusedWith(t, "not_found", done, err)
	_, err = a.boards[jiashan].Accept(ctx, liaison, on, yes)
	refusedWith(t, "not_found", done, err)

	a.must(a.boards[songjiang].Accept(ctx, liaison, on, yes))
	pin := a.must(a.boards[pinghu].Accept(ctx, liaison, on, yes))
	if pin.State != events.Accepted || pin.Version != 1 {
		t.Errorf("%+v", pin)
	}
	for _, st := range a.streams[record.Stream(pinghu, record.Records)] {
		if !st.Meaning.Sealed {
			t.Error("a reply is not sealed")
		}
	}
	if o := a.at(wujiang, on); o.State != events.Proposed {
		t.Errorf("%s before all have replied", o.State)
	}
	_, err = a.boards[jinshan].Start(ctx, liaison, on, step)
	refusedWith(t, "illegal_transition", done, err)
	a.must(a.boards[wujiang].Decline(ctx, liaison, on, no))
	o = a.at(jinshan, on)
	if o.State != events.Confirmed || !slices.Equal(o.Partners(), []record.MemberID{songjiang, pinghu}) {
		t.Errorf("%+v", o)
	}
	if !bytes.Contains(o.Replies[1].Parts[record.Body], []byte("15400000009")) {
		t.Error("the lead does not see whom to call")
	}

	run := a.must(a.boards[jinshan].Start(ctx, liaison, on, step))
	if run.Version != 2 || a.at(pinghu, on).State != events.Running {
		t.Errorf("%+v", run)
	}
	end := a.must(a.boards[jinshan].End(ctx, liaison, run.On, step))
	o = a.at(songjiang, end.On)
	if o.State != events.Ended || o.Version != 3 {
		t.Errorf("%+v", o)
	}
	if h := o.History[0]; h.Leaf != a.streams[on.Stream][0].Leaf || h.At == "" || h.Member != jinshan {
		t.Errorf("%+v", h)
	}
}

func TestBoard_plan_refuses(t *testing.T) {
	for name, tc := range map[string]struct {
		payload []byte
		want    string
	}{
		"no JSON":          {[]byte(`{`), "json_invalid"},
		"no object":        {[]byte(`[]`), "type"},
		"foreign lead":     {plan(t, map[string]any{"lead_member": pinghu}), "not_lead"},
		"nobody invited":   {plan(t, map[string]any{"participants": []record.MemberID{jinshan}}), "guard:invited"},
		"ends too early":   {plan(t, map[string]any{"end_at": "2026-04-15T06:00:00+08:00"}), "date_order"},
		"no title":         {plan(t, map[string]any{"title": nil}), "required"},
		"no member code":   {plan(t, map[string]any{"participants": []string{"平湖"}}), "pattern"},
		"members no array": {plan(t, map[string]any{"participants": "330482-01"}), "type"},
		"unknown field":    {plan(t, map[string]any{"note": "x"}), "unknown_field"},
		"real data":        {plan(t, map[string]any{"synthetic": false}), "synthetic_mixed"},
		"without lead and synthetic": {plan(t, map[string]any{"lead_member": nil, "synthetic": nil, "month": "1999-01",
			"created_by": map[string]string{"user": "acc-666"}}), ""},
	} {
		a := newAlliance(t)
		done, err := a.boards[jinshan].Plan(ctx, liaison, tc.payload)
		if code(err) != tc.want {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
		if err != nil && (a.founded != 0 || len(a.streams) != 0) {
			t.Errorf("%s: refused, and yet a group was founded", name)
		}
		if err == nil {
			card := string(a.at(jinshan, done.On).Parts[record.Card]) + string(a.at(jinshan, done.On).Parts[record.Body])
			if !bytes.Contains([]byte(card), []byte(`"month":"2026-04"`)) || bytes.Contains([]byte(card), []byte("acc-666")) {
				t.Errorf("%s: %s", name, card)
			}
		}
	}
	a := newAlliance(t)
	a.fail = errors.New("no key")
	if _, err := a.boards[jinshan].Plan(ctx, liaison, plan(t, nil)); !errors.Is(err, a.fail) {
		t.Errorf("group not founded: %v", err)
	}
	_, err := a.boards[jinshan].Plan(ctx, events.Request{}, plan(t, nil))
	refusedWith(t, "account_missing", events.Done{}, err)
}

// TestMatrix tries every call in every state, by the lead, by one that is invited and by one that is not, each with every
// role. What is not written here is illegal_transition.
func TestMatrix(t *testing.T) {
	type call struct {
		name string
		do   func(b *events.Board, req events.Request, on events.On) (events.Done, error)
	}
	calls := []call{
		{"accept", func(b *events.Board, req events.Request, on events.On) (events.Done, error) {
			return b.Accept(ctx, req, on, yes)
		}},
		{"decline", func(b *events.Board, req events.Request, on events.On) (events.Done, error) {
			return b.Decline(ctx, req, on, no)
		}},
		{"start", func(b *events.Board, req events.Request, on events.On) (events.Done, error) {
			return b.Start(ctx, req, on, step)
		}},
		{"end", func(b *events.Board, req events.Request, on events.On) (events.Done, error) {
			return b.End(ctx, req, on, step)
		}},
		{"cancel", func(b *events.Board, req events.Request, on events.On) (events.Done, error) {
			return b.Cancel(ctx, req, on, step)
		}},
	}
	lead := func(a *alliance, f func(*events.Board, events.On) (events.Done, error), on events.On) events.On {
		return a.must(f(a.boards[jinshan], on)).On
	}
	situations := []struct {
		state string
		make  func(a *alliance) events.On
	}{
		{"proposed", (*alliance).proposed},
		{"accepted", func(a *alliance) events.On {
			on := a.proposed()
			a.must(a.boards[pinghu].Accept(ctx, liaison, on, yes))
			return on
		}},
		{"declined", func(a *alliance) events.On {
			on := a.proposed()
			a.must(a.boards[pinghu].Decline(ctx, liaison, on, no))
			return on
		}},
		{"confirmed", (*alliance).confirmed},
		{"all declined", func(a *alliance) events.On {
			on := a.proposed()
			for _, m := range []record.MemberID{songjiang, pinghu, wujiang} {
				a.must(a.boards[m].Decline(ctx, liaison, on, no))
			}
			return on
		}},
		{"running", func(a *alliance) events.On {
			return lead(a, func(b *events.Board, on events.On) (events.Done, error) { return b.Start(ctx, liaison, on, step) }, a.confirmed())
		}},
		{"running by the clock", func(a *alliance) events.On {
			on := a.confirmed()
			a.now = time.Date(2026, 4, 15, 6, 30, 0, 0, record.CivilZone)
			return on
		}},
		{"ended", func(a *alliance) events.On {
			on := lead(a, func(b *events.Board, on events.On) (events.Done, error) { return b.Start(ctx, liaison, on, step) }, a.confirmed())
			return lead(a, func(b *events.Board, on events.On) (events.Done, error) { return b.End(ctx, liaison, on, step) }, on)
		}},
		{"cancelled", func(a *alliance) events.On {
			return lead(a, func(b *events.Board, on events.On) (events.Done, error) { return b.Cancel(ctx, liaison, on, step) }, a.proposed())
		}},
		{"cancelled by refusal", func(a *alliance) events.On {
			on := a.proposed()
			a.must(a.boards[jinshan].Decline(ctx, liaison, on, no))
			return on
		}},
	}
	want := map[string]string{
		"proposed: lead cancel": "cancelled", "proposed: lead decline": "cancelled", "proposed: invited accept": "accepted", "proposed: invited decline": "declined",
		"accepted: lead cancel": "cancelled", "accepted: lead decline": "cancelled", "accepted: invited decline": "declined",
		"declined: lead cancel": "cancelled", "declined: lead decline": "cancelled",
		"all declined: lead cancel": "cancelled", "all declined: lead decline": "cancelled",
		"confirmed: lead start": "running", "confirmed: lead cancel": "cancelled", "confirmed: lead decline": "cancelled", "confirmed: invited decline": "declined",
		"running: lead end": "ended", "running by the clock: lead end": "ended",
		"running: invited decline": "guard:open", "running by the clock: invited decline": "guard:open", "ended: invited decline": "guard:open",
		"cancelled: invited accept": "guard:open", "cancelled: invited decline": "guard:open",
		"cancelled by refusal: invited accept": "guard:open", "cancelled by refusal: invited decline": "guard:open",
	}
	for _, s := range situations {
		for who, m := range map[string]record.MemberID{"lead": jinshan, "invited": pinghu, "stranger": jiashan} {
			for _, c := range calls {
				name := fmt.Sprintf("%s: %s %s", s.state, who, c.name)
				t.Run(name, func(t *testing.T) {
					a := newAlliance(t)
					on := s.make(a)
					expect, ok := want[name]
					switch {
					case ok:
					case who == "stranger":
						expect = "not_found"
					case who == "invited" && (c.name == "start" || c.name == "end" || c.name == "cancel"):
						expect = "not_lead"
					default:
						expect = "illegal_transition"
					}
					before := len(a.streams[record.Stream(m, record.Records)])
					done, err := c.do(a.boards[m], everybody, on)
					got := string(done.State)
					if err != nil {
						got = code(err)
					}
					if got != expect {
						t.Fatalf("%q, want %q", got, expect)
					}
					if after := len(a.streams[record.Stream(m, record.Records)]); err != nil && after != before || err == nil && after != before+1 {
						t.Errorf("%d records, before %d", after, before)
					}
					if err != nil {
						return
					}
					a = newAlliance(t)
					on = s.make(a)
					_, err = c.do(a.boards[m], person("acc-98", workflow.Officer, workflow.LegalReviewer), on)
					refusedWith(t, "wrong_role", done, err)
				})
			}
		}
	}
}

func TestBoard_reasons(t *testing.T) {
	a := newAlliance(t)
	on := a.proposed()
	_, err := a.boards[pinghu].Decline(ctx, liaison, on, yes)
	refusedWith(t, "guard:reason", events.Done{}, err)
	_, err = a.boards[jinshan].Cancel(ctx, liaison, on, events.Change{LegalBasis: "x"})
	refusedWith(t, "guard:reason", events.Done{}, err)
	_, err = a.boards[pinghu].Accept(ctx, liaison, on, events.Details{LegalBasis: ""})
	refusedWith(t, "length", events.Done{}, err)
	_, err = a.boards[jinshan].Cancel(ctx, liaison, events.On{Stream: on.Stream, ID: on.ID, Version: 4}, step)
	refusedWith(t, "version_conflict", events.Done{}, err)
}

func TestBoard_repeat(t *testing.T) {
	a := newAlliance(t)
	req := liaison
	req.Scope, req.Key, req.BodyHash = "acc-11 POST /operations", "k", [32]byte{1}
	first := a.must(a.boards[jinshan].Plan(ctx, req, plan(t, nil)))
	second := a.must(a.boards[jinshan].Plan(ctx, req, plan(t, nil)))
	if second.On != first.On || second.Record != first.Record || !second.Appended.Repeated || a.founded != 1 {
		t.Errorf("first %+v, second %+v, %d groups", first, second, a.founded)
	}
	req.BodyHash = [32]byte{2}
	_, err := a.boards[jinshan].Plan(ctx, req, plan(t, nil))
	refusedWith(t, "idempotency_conflict", first, err)

	// Two of the lead's people at once.
	on := first.On
	a.before = func() { a.must(a.boards[jinshan].Cancel(ctx, liaison, on, step)) }
	_, err = a.boards[jinshan].Cancel(ctx, person("acc-12", workflow.Head), on, step)
	refusedWith(t, "version_conflict", first, err)
}

// TestBoard_a_reply_on_its_way: what has not arrived yet counts nowhere else, and nobody starts without it.
func TestBoard_a_reply_on_its_way(t *testing.T) {
	a := newAlliance(t)
	on := a.proposed()
	a.must(a.boards[songjiang].Accept(ctx, liaison, on, yes))
	a.must(a.boards[wujiang].Accept(ctx, liaison, on, yes))
	late := a.must(a.boards[pinghu].Accept(ctx, liaison, on, yes))
	a.hidden[late.Record] = true
	if a.at(jinshan, on).State != events.Proposed || a.at(pinghu, on).State != events.Confirmed {
		t.Error("a reply counts where it is")
	}
	a.now = time.Date(2026, 4, 10, 18, 0, 0, 0, record.CivilZone)
	if r := a.at(jinshan, on).Replies[1]; !r.Overdue || a.at(pinghu, on).Replies[1].Overdue {
		t.Errorf("%+v", r)
	}
	a.hidden = map[record.RecordID]bool{}
	if o := a.at(jinshan, on); o.State != events.Confirmed || o.Replies[1].Overdue {
		t.Errorf("%+v", o)
	}
	// The clock starts it; an earlier look at the same records says confirmed.
	a.now = time.Date(2026, 4, 15, 6, 29, 59, 0, record.CivilZone)
	if s := a.at(jinshan, on).State; s != events.Confirmed {
		t.Error(s)
	}
	a.now = a.now.Add(time.Second)
	if s := a.at(jinshan, on).State; s != events.Running {
		t.Error(s)
	}
	end := a.must(a.boards[jinshan].End(ctx, liaison, on, step))
	if s := a.at(pinghu, end.On).State; s != events.Ended {
		t.Error(s)
	}
}
