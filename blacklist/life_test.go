package blacklist_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

func TestRegister_life_of_an_entry(t *testing.T) {
	d := newDesk(t, "life")
	p := d.proposal()
	draft := d.must(d.reg.Draft(ctx, officer, p))
	sheet, err := d.reg.Sheet(ctx, draft.ID)
	if err != nil || sheet.State != blacklist.Drafting || sheet.Version != 1 || !slices.Equal(sheet.Authors, []string{"acc-1"}) {
		t.Fatalf("%+v %v", sheet, err)
	}
	amended := d.must(d.reg.Amend(ctx, person("acc-2", workflow.Officer), draft.On, p))
	back := d.must(d.reg.Return(ctx, reviewer, d.must(d.reg.Submit(ctx, officer, amended.On)).On, "缺页"))
	again := d.must(d.reg.Submit(ctx, officer, back.On))
	approved := d.must(d.reg.Approve(ctx, reviewer, again.On))
	records := len(d.log.streams[shared])
	if records != 1 {
		t.Errorf("%d shared records before anything but the penalty was published", records)
	}
	pub := d.must(d.reg.Publish(ctx, liaison, approved.On))
	if pub.Version != 1 || pub.ID != pub.Record || len(pub.Appended.Records) != 2 {
		t.Errorf("published %+v", pub)
	}
	e := d.view(pub.On, "2026-03-02")
	if e.State != blacklist.Published || e.Version != 1 || e.ValidUntil != "2028-08-28" || e.Audience[record.All] != record.L3 || e.Content.Meaning.ID != pub.Record {
		t.Errorf("%+v", e)
	}
	s := e.History[0]
	if s.By.User != "acc-1" && s.By.User != "acc-2" || s.Reviewer.User != "acc-31" || s.Leaf != d.log.leaves(shared)[s.Seq] || s.At == "" {
		t.Errorf("history %+v", s)
	}
	sheet, err = d.reg.Sheet(ctx, draft.ID)
	if err != nil || sheet.State != blacklist.Published || sheet.Published != pub.Record || sheet.Reviewer != (blacklist.Person{}) {
		t.Errorf("%+v %v", sheet, err)
	}
	var events []workflow.Event
	for _, s := range sheet.History {
		events = append(events, s.Event)
	}
	if want := []workflow.Event{"draft", "amend", "submit", "return", "submit", "approve", "publish"}; !slices.Equal(events, want) {
		t.Errorf("steps %v", events)
	}

	// Whatever may leave the node names people by account only, and drafts do not leave it at all.
	for _, st := range d.log.streams[local] {
		for _, p := range st.Parts {
			if p.Name != record.Home {
				t.Errorf("%s has a part %s", st.Meaning.Type, p.Name)
			}
		}
		if len(st.Meaning.Audience) != 0 {
			t.Errorf("%s has an audience", st.Meaning.Type)
		}
	}

	// Suspended at once by a liaison, lifted by the head, corrected, withdrawn by two.
	sus := d.must(d.reg.Suspend(ctx, liaison, pub.On, paper("identity_doubt")))
	if e := d.view(sus.On, "2026-03-02"); e.State != blacklist.Suspended || !e.Visible() || e.SuspendedBy != "acc-11" {
		t.Errorf("%+v", e)
	}
	if due, err := d.viewp(sus.On).Deadlines(d.now.Add(48*time.Hour), workflow.Statutory()); err != nil || len(due) != 1 || due[0].LastDay != "2026-03-03" || !due[0].Overdue {
		t.Errorf("due %+v %v", due, err)
	}
	lifted := d.must(d.reg.Lift(ctx, head, sus.On, paper("examined")))
	prop := d.must(d.reg.Correct(ctx, officer, lifted.On, blacklist.Correction{Proposal: blacklist.Proposal{Payload: d.entryPayload(penaltyOf(t, e), map[string]any{"name": "测甲乙"})},
		ReasonCode: "typing_error", DiffReason: "姓名有误"}))
	cor := d.must(d.reg.Approve(ctx, reviewer, prop.On))
	if cor.ID != pub.ID || cor.Version != 4 {
		t.Errorf("corrected %+v", cor)
	}
	e = d.view(cor.On, "2026-03-02")
	if b, err := e.Payload(); err != nil || !strings.Contains(string(b), "测甲乙") || e.State != blacklist.Published || e.SuspendedBy != "" {
		t.Errorf("%s %v %+v", b, err, e)
	}
	proposed := d.must(d.reg.Withdraw(ctx, liaison, cor.On, paper("wrong_person")))
	if e := d.view(proposed.On, ""); e.State != blacklist.Suspended {
		t.Errorf("%s until the head has decided", e.State)
	}
	out := d.must(d.reg.Confirm(ctx, head, proposed.On, paper("wrong_person")))
	e = d.view(out.On, "2026-03-02")
	if e.State != blacklist.Withdrawn || e.Visible() || len(e.Parts) != 0 || e.Version != 6 || !e.Content.Meaning.IsZero() {
		t.Errorf("%+v", e)
	}
	last := e.History[len(e.History)-1]
	if last.By.User != "acc-11" || last.Approver.User != "acc-41" || last.ReasonCode != "wrong_person" {
		t.Errorf("withdrawn by %+v", last)
	}
	if _, visible, err := d.reg.View(ctx, shared, out.ID, "2026-03-02"); visible || err != nil {
		t.Errorf("visible %v %v", visible, err)
	}
}

func TestRegister_stamps_what_it_knows_better(t *testing.T) {
	d := newDesk(t, "stamps")
	lie := map[string]any{"created_by": map[string]any{"user": "acc-666"}, "reviewed_by": map[string]any{"user": "acc-667"},
		"approved_by": map[string]any{"user": "acc-668"}, "recorded_at": "2001-01-01T00:00:00+08:00", "published_at": "2001-01-01T00:00:00+08:00"}
	on := d.published(blacklist.Proposal{Type: blacklist.TypePerson, Payload: d.entryPayload(d.penalty(nil).ID.String(), lie)})
	e := d.view(on, "")
	b, err := e.Payload()
	if err != nil || strings.Contains(string(b), "acc-66") || strings.Contains(string(b), "2001-") {
		t.Errorf("%s %v", b, err)
	}
	if h := e.History[0]; h.By.User != "acc-1" || h.Reviewer.User != "acc-31" || h.Approver.User != "" {
		t.Errorf("%+v", h)
	}
}

func TestRegister_refuses_payloads(t *testing.T) {
	d := newDesk(t, "payloads")
	pen := d.penalty(nil).ID.String()
	entry := func(set map[string]any) blacklist.Proposal {
		return blacklist.Proposal{Type: blacklist.TypePerson, Payload: d.entryPayload(pen, set)}
	}
	for _, tc := range []struct {
		name string
		p    blacklist.Proposal
		want string // of Draft
		then string // of Submit
	}{
		{"unknown type", blacklist.Proposal{Type: "lead", Payload: []byte(`{}`)}, "unknown_type", ""},
		{"no JSON", blacklist.Proposal{Type: blacklist.TypePerson, Payload: []byte(`{`)}, "json_invalid", ""},
		{"repeated member", blacklist.Proposal{Type: blacklist.TypePerson, Payload: []byte(`{"name":"测甲","name":"测乙"}`)}, "json_duplicate", ""},
		{"unknown field", entry(map[string]any{"nick": "x"}), "unknown_field", ""},
		{"wrong type", entry(map[string]any{"open_case": "no"}), "type", ""},
		{"neither penalty nor open case", entry(map[string]any{"penalty_refs": []string{}}), "guard:supported", ""},
		{"under 14", entry(map[string]any{"id_no": nil, "id_no_old": nil, "id_type": "UNK", "id_reason": "未带", "birth_date": "2014-01-01"}), "minor_under_14", ""},
		{"real data in a synthetic federation", entry(map[string]any{"synthetic": false}), "synthetic_mixed", ""},
		{"incomplete", entry(map[string]any{"qualification": nil, "name": nil}), "", "required"},
		{"wrong check digit", entry(map[string]any{"id_no": "320623190001159017", "id_no_old": nil}), "", "check_digit"},
		{"penalty that nobody knows", entry(map[string]any{"penalty_refs": []string{"ffffffffffffffffffffffffffffffff"}}), "", "reference_unknown"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			done, err := d.reg.Draft(ctx, officer, tc.p)
			if code(err) != tc.want {
				t.Fatalf("draft: %v, want %q", err, tc.want)
			}
			if err == nil {
				_, err = d.reg.Submit(ctx, officer, done.On)
				refusedWith(t, tc.then, done, err)
			}
		})
	}
	own, err := d.reg.Draft(ctx, officer, entry(map[string]any{"penalty_refs": []string{d.entry().ID.String()}}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.reg.Submit(ctx, officer, own.On)
	refusedWith(t, "reference_unknown", own, err)
	_, err = d.reg.Draft(ctx, blacklist.Request{Actor: blacklist.Actor{Roles: []workflow.Role{workflow.Officer}}}, entry(nil))
	refusedWith(t, "account_missing", own, err)
}

// TestRegister_level: what the whole federation is given.
func TestRegister_level(t *testing.T) {
	unserved := map[string]any{"served_at": nil, "service_mode": nil, "service_proof": nil}
	for _, tc := range []struct {
		name    string
		penalty map[string]any
		set     map[string]any
		wanted  record.Level
		want    record.Level
		refused string // by Publish
	}{
		{"default", nil, nil, record.L0, record.L3, ""},
		{"lower on wish", nil, nil, record.L2, record.L2, ""},
		{"open case", nil, map[string]any{"open_case": true, "penalty_refs": []string{}}, record.L3, record.L1, ""},
		{"a person of sixteen", nil, map[string]any{"id_no": nil, "id_no_old": nil, "photo_ref": nil, "id_type": "UNK", "id_reason": "未带", "birth_date": "2009-05-05"}, record.L3, record.L1, ""},
		{"no penalty served", unserved, nil, record.L0, record.L0, "guard:served_or_l1"},
		{"no penalty served, at L1", unserved, nil, record.L1, record.L1, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDesk(t, tc.name)
			var pen blacklist.On
			if tc.penalty != nil {
				pen = d.published(blacklist.Proposal{Type: blacklist.TypePenalty, Payload: example(d, "penalty/examples/good/not_served_yet.json", nil)})
			} else {
				pen = d.penalty(nil)
			}
			set := map[string]any{"penalty_refs": []string{pen.ID.String()}}
			for n, v := range tc.set {
				set[n] = v
			}
			on := d.approved(blacklist.Proposal{Type: blacklist.TypePerson, Payload: d.entryPayload("", set), Level: tc.wanted})
			done, err := d.reg.Publish(ctx, liaison, on)
			refusedWith(t, tc.refused, done, err)
			if err == nil {
				if e := d.view(done.On, ""); e.Audience[record.All] != tc.want || len(e.Audience) != 1 {
					t.Errorf("audience %v, want %v", e.Audience, tc.want)
				}
			}
		})
	}
	t.Run("not covered by an agreement", func(t *testing.T) {
		d := newDesk(t, "covers")
		on := d.inReview(d.proposal())
		d.reg.Covers = func(typ string, l record.Level) bool { return typ != blacklist.TypePerson || l < record.L3 }
		done, err := d.reg.Approve(ctx, reviewer, on)
		refusedWith(t, "guard:covered", done, err)
	})
}

func TestRegister_author_is_not_reviewer(t *testing.T) {
	d := newDesk(t, "four eyes")
	both := person("acc-1", workflow.Officer, workflow.LegalReviewer, workflow.Liaison, workflow.Head)
	on := d.inReview(d.proposal())
	done, err := d.reg.Approve(ctx, both, on)
	refusedWith(t, "guard:not_author", done, err)

	// Who amended is an author too, also when another one had begun.
	second := person("acc-2", workflow.Officer, workflow.LegalReviewer)
	p := d.proposal()
	begun := d.must(d.reg.Draft(ctx, officer, p))
	on = d.must(d.reg.Submit(ctx, officer, d.must(d.reg.Amend(ctx, second, begun.On, p)).On)).On
	for _, who := range []blacklist.Request{both, second} {
		done, err = d.reg.Approve(ctx, who, on)
		refusedWith(t, "guard:not_author", done, err)
	}

	pub := d.entry()
	c := blacklist.Correction{Proposal: blacklist.Proposal{Payload: d.entryPayload(d.penalty(nil).ID.String(), nil)}, ReasonCode: "typing_error", DiffReason: "x"}
	prop := d.must(d.reg.Correct(ctx, both, pub, c))
	done, err = d.reg.Approve(ctx, both, prop.On)
	refusedWith(t, "guard:not_author", done, err)

	headToo := person("acc-11", workflow.Liaison, workflow.Head)
	sus := d.must(d.reg.Withdraw(ctx, headToo, pub, paper("wrong_person")))
	done, err = d.reg.Confirm(ctx, headToo, sus.On, paper("wrong_person"))
	refusedWith(t, "guard:not_suspender", done, err)
	d.must(d.reg.Confirm(ctx, head, sus.On, paper("wrong_person")))
}

func TestRegister_correction(t *testing.T) {
	d := newDesk(t, "correction")
	pub, pen := d.entry(), d.penalty(nil).ID.String()
	fix := func(set map[string]any) blacklist.Correction {
		return blacklist.Correction{Proposal: blacklist.Proposal{Payload: d.entryPayload(pen, set)}, ReasonCode: "typing_error", DiffReason: "姓名有误"}
	}
	bad := fix(nil)
	bad.ReasonCode = "because"
	_, err := d.reg.Correct(ctx, officer, pub, bad)
	refusedWith(t, "enum", blacklist.Done{}, err)
	bad.ReasonCode = ""
	_, err = d.reg.Correct(ctx, officer, pub, bad)
	refusedWith(t, "guard:reason", blacklist.Done{}, err)
	_, err = d.reg.Correct(ctx, officer, pub, fix(map[string]any{"sex": nil}))
	refusedWith(t, "required", blacklist.Done{}, err)
	wrong := fix(nil)
	wrong.Type = blacklist.TypePenalty
	_, err = d.reg.Correct(ctx, officer, pub, wrong)
	refusedWith(t, "other_subject", blacklist.Done{}, err)

	// Returned, amended, submitted and approved like any draft; the reasons stay.
	prop := d.must(d.reg.Correct(ctx, officer, pub, fix(map[string]any{"name": "测一"})))
	back := d.must(d.reg.Return(ctx, reviewer, prop.On, "再看"))
	am := d.must(d.reg.Amend(ctx, officer, back.On, fix(map[string]any{"name": "测二"}).Proposal))
	done, err := d.reg.Approve(ctx, reviewer, am.On)
	refusedWith(t, "illegal_transition", done, err)
	sub := d.must(d.reg.Submit(ctx, officer, am.On))
	done, err = d.reg.Publish(ctx, liaison, sub.On)
	refusedWith(t, "illegal_transition", done, err)

	// Two corrections of one version: the second is too late, whenever its author began.
	rival := d.must(d.reg.Correct(ctx, liaison, pub, fix(map[string]any{"name": "测三"})))
	d.must(d.reg.Approve(ctx, reviewer, sub.On))
	done, err = d.reg.Approve(ctx, reviewer, rival.On)
	refusedWith(t, "version_conflict", done, err)
	b, err := d.viewp(pub).Payload()
	if err != nil || !strings.Contains(string(b), "测二") {
		t.Errorf("%s %v", b, err)
	}

	// A suspended entry is not corrected before the head has decided.
	now := d.view(pub, "").Version
	sus := d.must(d.reg.Suspend(ctx, liaison, blacklist.On{ID: pub.ID, Version: now}, paper("objection")))
	_, err = d.reg.Correct(ctx, officer, sus.On, fix(nil))
	refusedWith(t, "illegal_transition", done, err)
}

func TestRegister_open_case(t *testing.T) {
	d := newDesk(t, "open case")
	on := d.published(blacklist.Proposal{Type: blacklist.TypePerson, Payload: d.entryPayload("", map[string]any{"open_case": true, "penalty_refs": []string{}})})
	sus := d.must(d.reg.Suspend(ctx, liaison, on, paper("objection")))
	if a := d.log.streams[shared][len(d.log.streams[shared])-1].Meaning.Audience; len(a) != 1 || a[record.All] != record.L1 {
		t.Errorf("a step of an L1 entry goes to %v", a)
	}
	on = d.must(d.reg.Lift(ctx, head, sus.On, paper("examined"))).On
	plain := d.entry()
	_, err := d.reg.EndOpenCase(ctx, node, plain, paper("not_punished"))
	refusedWith(t, "guard:open_case", blacklist.Done{}, err)
	done := d.must(d.reg.EndOpenCase(ctx, node, on, paper("not_punished")))
	e := d.view(done.On, "")
	if e.State != blacklist.Withdrawn || e.History[3].By.User != "node" {
		t.Errorf("%+v", e)
	}
	if due, err := e.Deadlines(d.now, workflow.Statutory()); err != nil || len(due) != 1 || due[0].Term != "gone_everywhere" || due[0].LastDay != "2026-03-05" {
		t.Errorf("%+v %v", due, err)
	}

	// It rises to its type's level with the first served penalty.
	rising := d.published(blacklist.Proposal{Type: blacklist.TypePerson, Payload: d.entryPayload("", map[string]any{"open_case": true, "penalty_refs": []string{}})})
	prop := d.must(d.reg.Correct(ctx, officer, rising, blacklist.Correction{Proposal: blacklist.Proposal{Payload: d.entryPayload(d.penalty(nil).ID.String(), nil)},
		ReasonCode: "penalty_added", DiffReason: "已处罚"}))
	up := d.must(d.reg.Approve(ctx, reviewer, prop.On))
	if e := d.view(up.On, ""); e.Audience[record.All] != record.L3 || e.OpenCase {
		t.Errorf("%+v", e)
	}
}

func TestRegister_reopen(t *testing.T) {
	d := newDesk(t, "reopen")
	p := d.proposal()
	on := d.published(p)
	_, err := d.reg.Reopen(ctx, officer, on, p)
	refusedWith(t, "illegal_transition", blacklist.Done{}, err)

	d.now = time.Date(2028, 8, 29, 9, 0, 0, 0, record.CivilZone) // expired since yesterday
	_, err = d.reg.Reopen(ctx, officer, on, p)
	refusedWith(t, "guard:new_penalty", blacklist.Done{}, err)
	next := blacklist.Proposal{Payload: d.entryPayload(d.penalty(nil).ID.String(), map[string]any{"valid_until": "2031-08-29"})}
	draft := d.must(d.reg.Reopen(ctx, officer, on, next))
	sheet, err := d.reg.Sheet(ctx, draft.ID)
	if err != nil || sheet.Reopens != on.ID || !strings.Contains(string(sheet.Payload), on.ID.String()) {
		t.Errorf("%+v %v", sheet, err)
	}
	again := d.must(d.reg.Publish(ctx, liaison, d.must(d.reg.Approve(ctx, reviewer, d.must(d.reg.Submit(ctx, officer, draft.On)).On)).On))
	if again.ID == on.ID || d.view(on, "2028-08-29").State != blacklist.Expired || d.view(again.On, "2028-08-29").State != blacklist.Published {
		t.Error("a new entry, linked; the old one stays what it is")
	}

	// After a withdrawal the old content is gone: a penalty that was published before it is no news.
	before := d.penalty(nil)
	gone := d.must(d.reg.Confirm(ctx, head, d.must(d.reg.Withdraw(ctx, liaison, again.On, paper("no_basis"))).On, paper("no_basis")))
	d.now = d.now.AddDate(0, 0, 1)
	gone2 := blacklist.Proposal{Payload: d.entryPayload(before.ID.String(), map[string]any{"valid_until": "2031-08-29"})}
	if e := d.view(gone.On, ""); e.State != blacklist.Withdrawn {
		t.Fatal(e.State)
	}
	d.now = d.now.AddDate(0, 0, 1)
	fresh := blacklist.Proposal{Payload: d.entryPayload(d.penalty(nil).ID.String(), map[string]any{"valid_until": "2031-08-29"})}
	d.must(d.reg.Reopen(ctx, officer, gone.On, fresh))
	d.must(d.reg.Reopen(ctx, officer, gone.On, gone2)) // of the same day: news is possible, the reviewer looks
}

func TestRegister_expiry_needs_no_record_and_no_clock(t *testing.T) {
	d := newDesk(t, "expiry")
	on := d.entry() // valid until 2028-08-28
	for _, clock := range []time.Time{monday, monday.AddDate(10, 0, 0), monday.AddDate(-10, 0, 0)} {
		d.now = clock
		for _, tc := range []struct {
			asOf string
			want workflow.State
		}{{"2026-03-02", "published"}, {"2028-08-28", "published"}, {"2028-08-29", "expired"}} {
			e, visible, err := d.reg.View(ctx, shared, on.ID, tc.asOf)
			if err != nil || e.State != tc.want || visible != (tc.want == "published") {
				t.Errorf("clock %v, as of %s: %s, visible %v, %v", clock, tc.asOf, e.State, visible, err)
			}
		}
	}
	d.now = monday
	_, err := d.reg.Expire(ctx, liaison, on, paper(""))
	refusedWith(t, "guard:valid_until", blacklist.Done{}, err)
	// What has expired can still be withdrawn, so that its content goes everywhere.
	d.now = monday.AddDate(4, 0, 0)
	d.must(d.reg.Confirm(ctx, head, d.must(d.reg.Withdraw(ctx, liaison, on, paper("wrong_person"))).On, paper("wrong_person")))
}

// TestRegister_year_without_calendar: a suspension does not wait for a calendar; its deadline is said to be unknown.
func TestRegister_year_without_calendar(t *testing.T) {
	d := newDesk(t, "calendar")
	on := d.entry()
	d.now = time.Date(2027, 3, 1, 9, 0, 0, 0, record.CivilZone)
	sus := d.must(d.reg.Suspend(ctx, liaison, on, paper("identity_doubt")))
	due, err := d.viewp(sus.On).Deadlines(d.now, workflow.Statutory())
	if err != nil || len(due) != 1 || due[0].Unknown == nil || due[0].Unknown.Year != 2027 {
		t.Errorf("%+v %v", due, err)
	}
}

// penaltyOf returns the first penalty that an entry stands on.
func penaltyOf(t *testing.T, e blacklist.Entry) string {
	t.Helper()
	b, err := e.Payload()
	var p struct {
		Refs []string `json:"penalty_refs"`
	}
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil || len(p.Refs) == 0 {
		t.Fatal(err)
	}
	return p.Refs[0]
}
