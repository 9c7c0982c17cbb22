package events_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

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

var noPrivate = cmpopts.IgnoreUnexported(events.Operation{})

// TestProperty_Fold: order plays no part, strangers' records count for nothing, and all participants see the same.
func TestProperty_Fold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := newAlliance(t)
		on := a.proposed()
		all := []record.MemberID{jinshan, songjiang, pinghu, wujiang}
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			m := rapid.SampledFrom(all).Draw(t, "member")
			now := on
			now.Version = a.at(jinshan, on).Version
			switch rapid.IntRange(0, 6).Draw(t, "call") {
			case 0, 1, 2:
				_, _ = a.boards[m].Accept(ctx, everybody, now, yes)
			case 3:
				_, _ = a.boards[m].Decline(ctx, everybody, now, no)
			case 4:
				_, _ = a.boards[m].Start(ctx, everybody, now, step)
			case 5:
				_, _ = a.boards[m].End(ctx, everybody, now, step)
			case 6:
				_, _ = a.boards[m].Cancel(ctx, everybody, now, step)
			}
		}
		// A second operation of the same members, whose records lie between.
		other := a.proposed()
		_, _ = a.boards[pinghu].Accept(ctx, everybody, other, yes)
		a.now = a.now.AddDate(0, 0, rapid.IntRange(0, 20).Draw(t, "days"))

		var records []record.Stored
		for _, list := range a.streams {
			records = append(records, list...)
		}
		records = rapid.Permutation(records).Draw(t, "order")
		plan := slices.DeleteFunc(slices.Clone(records), func(st record.Stored) bool {
			id, _ := st.Meaning.Subject()
			return id != on.ID || st.Stream != on.Stream
		})
		got, err := events.Fold(plan, records, a.now)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			want := a.at(m, on)
			if m != jinshan { // the part home stays with the lead
				delete(got.Parts, record.Home)
			} else {
				want.Parts = map[record.PartName][]byte{record.Card: want.Parts[record.Card], record.Body: want.Parts[record.Body]}
				delete(got.Parts, record.Home)
			}
			if diff := cmp.Diff(want, got, noPrivate); diff != "" {
				t.Fatal(m, diff)
			}
		}
		if got.State == events.Running && len(got.Partners()) == 0 && len(plan) == 1 {
			t.Fatal("it runs without anybody")
		}
	})
}

func TestFold_foreign(t *testing.T) {
	a := newAlliance(t)
	on := a.proposed()
	stream := a.streams[on.Stream]
	group := stream[0].Meaning.Audience
	seal := func(s record.StreamID, seq uint64, typ string, card string, refs ...record.Ref) record.Stored {
		id, err := record.NewBits128(a.seal.Random)
		if err != nil {
			t.Fatal(err)
		}
		st, err := a.seal.Seal(record.Draft{Stream: s, ID: id, Type: typ, Schema: "1", Day: "2026-04-02", Audience: group, Refs: refs,
			Parts: map[record.PartName][]byte{record.Card: []byte(card)}}, seq)
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	answers := record.Ref{Rel: record.Answers, ID: on.ID}
	from := func(m record.MemberID, card string) record.Stored {
		return seal(record.Stream(m, record.Records), 0, events.TypeReply, card, answers)
	}
	unusable := from(pinghu, `{"reply":"accept","member":"330482-01"}`)
	unusable.Unusable = "schema"
	for name, st := range map[string]record.Stored{
		"in another's name":       from(jiashan, `{"reply":"decline","member":"330482-01"}`),
		"for another":             from(pinghu, `{"reply":"accept","member":"310117-01"}`),
		"from who is uninvited":   from(jiashan, `{"reply":"accept","member":"330421-01"}`),
		"the lead accepts":        from(jinshan, `{"reply":"accept","member":"310116-01"}`),
		"an unknown answer":       from(pinghu, `{"reply":"maybe","member":"330482-01"}`),
		"refused by its schema":   unusable,
		"to another plan":         seal(record.Stream(pinghu, record.Records), 0, events.TypeReply, `{"reply":"accept","member":"330482-01"}`, record.Ref{Rel: record.Answers, ID: record.RecordID{9}}),
		"of another type":         seal(record.Stream(pinghu, record.Records), 0, events.TypeStatus, `{"status":"cancel"}`, answers),
		"without a readable part": {Stream: record.Stream(pinghu, record.Records), Meaning: record.Meaning{ID: record.RecordID{8}, Type: events.TypeReply, Refs: []record.Ref{answers}}},
	} {
		o, err := events.Fold(stream, []record.Stored{st}, time.Time{})
		if err != nil || o.State != events.Proposed || slices.ContainsFunc(o.Replies, func(r events.Reply) bool { return r.State != events.Invited }) {
			t.Errorf("%s: %v %+v", name, err, o.Replies)
		}
	}
	follows := func(v uint64) record.Ref { return record.Ref{Rel: record.Follows, ID: on.ID, Version: v} }
	for name, st := range map[string]record.Stored{
		"end before start": seal(on.Stream, 1, events.TypeStatus, `{"status":"postponed"}`, follows(1)),
		"unknown type":     seal(on.Stream, 1, "operation.draw", `{"status":"start"}`, follows(1)),
	} {
		o, err := events.Fold(append(slices.Clone(stream), st), nil, time.Time{})
		if err != nil || o.State != events.Proposed || o.Version != 2 || !o.History[1].Ignored {
			t.Errorf("%s: %v %+v", name, err, o)
		}
	}
	if o, err := events.Fold(append(slices.Clone(stream), seal(on.Stream, 1, "operation.gone", `{}`, record.Ref{Rel: record.Withdraws, ID: on.ID, Version: 1})), nil, time.Time{}); err != nil || o.State != events.Cancelled {
		t.Errorf("withdrawn: %v %+v", err, o)
	}
	usurped := seal(record.Stream(jiashan, record.Records), 0, events.TypeOperation, `{"lead_member":"310116-01","participants":[]}`)
	for name, records := range map[string][]record.Stored{
		"nothing": nil, "a plan in another's name": {usurped}, "a step without plan": {seal(on.Stream, 1, events.TypeStatus, `{}`, follows(1))},
	} {
		if _, err := events.Fold(records, nil, time.Time{}); !errors.Is(err, events.ErrNothing) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := events.Fold([]record.Stored{unusable}, nil, time.Time{}); !errors.Is(err, events.ErrOtherType) {
		t.Error(err)
	}
	if _, err := events.Fold([]record.Stored{stream[0], usurped}, nil, time.Time{}); !errors.Is(err, events.ErrMixed) {
		t.Error(err)
	}
}

func TestProject(t *testing.T) {
	a := newAlliance(t)
	on := a.confirmed()
	a.must(a.boards[pinghu].Decline(ctx, liaison, on, no))
	o := a.at(jinshan, on)
	row, ok := events.Project(a.streams[on.Stream])
	if !ok || row.Type != "operation" || row.Plan != on.ID || row.State != events.Proposed || row.Version != 1 {
		t.Errorf("%+v", row)
	}
	replies, _ := a.boards[jinshan].Log.Subject(ctx, o.Replies[1].Own.Stream, o.Replies[1].Own.ID)
	row, ok = events.Project(replies)
	if !ok || row.Type != "operation.reply" || row.Plan != on.ID || row.State != events.Declined || row.Version != 2 || row.Subject == on.ID {
		t.Errorf("%+v", row)
	}
	if _, ok := events.Project(nil); ok {
		t.Error("a row of nothing")
	}
	strange, _ := a.boards[jiashan].Log.Subject(ctx, on.Stream, on.ID)
	if _, ok := events.Project(strange); ok || len(strange) == 0 {
		t.Error("a row of a sealed record")
	}
	if !events.Answers(replies[0], on.ID) || events.Answers(a.streams[on.Stream][0], on.ID) {
		t.Error("Answers")
	}
}

// FuzzFold: what other members send is read without a fault, and what they may not decide stays undecided.
func FuzzFold(f *testing.F) {
	a := newAlliance(f)
	on := a.proposed()
	stream := a.streams[on.Stream]
	for _, s := range []string{`{"status":"start"}`, `{"reply":"accept","member":"330482-01"}`, `{"reply":"decline","member":"330482-01"}`, `{}`, `[]`, `{"status":1}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, card []byte) {
		forged := record.Stored{Stream: record.Stream(pinghu, record.Records), Parts: []record.StoredPart{{Name: record.Card, State: record.PartPresent, Bytes: card}},
			Meaning: record.Meaning{ID: record.RecordID{7}, Type: events.TypeReply, Refs: []record.Ref{{Rel: record.Answers, ID: on.ID}}}}
		o, err := events.Fold(stream, []record.Stored{forged}, time.Time{})
		if err != nil || o.State != events.Proposed || o.Replies[0].State != events.Invited {
			t.Errorf("%v %+v", err, o)
		}
		forged.Stream, forged.Seq = on.Stream, 1
		forged.Meaning.Type, forged.Meaning.Refs = events.TypeStatus, []record.Ref{{Rel: record.Follows, ID: on.ID, Version: 1}}
		if _, err := events.Fold([]record.Stored{stream[0], forged}, nil, time.Time{}); err != nil {
			t.Error(err)
		}
	})
}
