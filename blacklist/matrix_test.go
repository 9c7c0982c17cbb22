package blacklist_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// operation is one thing that somebody can ask of the Register about a draft or a published subject.
type operation struct {
	name string
	role workflow.Role // one that the tables let do it
	do   func(d *desk, req blacklist.Request, on blacklist.On) (blacklist.Done, error)
}

func change(name string, role workflow.Role, f func(r *blacklist.Register, req blacklist.Request, on blacklist.On, c blacklist.Change) (blacklist.Done, error), reason string) operation {
	return operation{name, role, func(d *desk, req blacklist.Request, on blacklist.On) (blacklist.Done, error) {
		return f(d.reg, req, on, paper(reason))
	}}
}

func status(name string, role workflow.Role, c blacklist.PenaltyChange) operation {
	return operation{name, role, func(d *desk, req blacklist.Request, on blacklist.On) (blacklist.Done, error) {
		c.Change = paper("")
		return d.reg.PenaltyStatus(ctx, req, on, c)
	}}
}

// ofDrafts, ofEntries and ofPenalties are all operations there are.
var (
	ofDrafts = []operation{
		{"amend", workflow.Officer, func(d *desk, req blacklist.Request, on blacklist.On) (blacklist.Done, error) {
			s, err := d.reg.Sheet(ctx, on.ID)
			if err != nil {
				return blacklist.Done{}, err
			}
			return d.reg.Amend(ctx, req, on, blacklist.Proposal{Payload: s.Payload})
		}},
		{"submit", workflow.Officer, func(d *desk, req blacklist.Request, on blacklist.On) (blacklist.Done, error) {
			return d.reg.Submit(ctx, req, on)
		}},
		{"return", workflow.LegalReviewer, func(d *desk, req blacklist.Request, on blacklist.On) (blacklist.Done, error) {
			return d.reg.Return(ctx, req, on, "缺页")
		}},
		{"discard", workflow.Officer, func(d *desk, req blacklist.Request, on blacklist.On) (blacklist.Done, error) {
			return d.reg.Discard(ctx, req, on, "另有更正件")
		}},
		{"approve", workflow.LegalReviewer, func(d *desk, req blacklist.Request, on blacklist.On) (blacklist.Done, error) {
			return d.reg.Approve(ctx, req, on)
		}},
		{"publish", workflow.Liaison, func(d *desk, req blacklist.Request, on blacklist.On) (blacklist.Done, error) {
			return d.reg.Publish(ctx, req, on)
		}},
	}
	propose = operation{"correct", workflow.Officer, func(d *desk, req blacklist.Request, on blacklist.On) (blacklist.Done, error) {
		e, err := d.reg.Entry(ctx, shared, on.ID, "")
		if err != nil {
			return blacklist.Done{}, err
		}
		b, err := e.Payload()
		if err != nil {
			b = d.entryPayload(d.penalty(nil).ID.String(), nil)
		}
		return d.reg.Correct(ctx, req, on, blacklist.Correction{Proposal: blacklist.Proposal{Payload: b}, ReasonCode: "typing_error", DiffReason: "笔误"})
	}}
	ofEntries = []operation{
		propose,
		change("suspend", workflow.Liaison, func(r *blacklist.Register, req blacklist.Request, on blacklist.On, c blacklist.Change) (blacklist.Done, error) {
			return r.Suspend(ctx, req, on, c)
		}, "identity_doubt"),
		change("lift", workflow.Head, func(r *blacklist.Register, req blacklist.Request, on blacklist.On, c blacklist.Change) (blacklist.Done, error) {
			return r.Lift(ctx, req, on, c)
		}, "examined"),
		change("withdraw", workflow.Liaison, func(r *blacklist.Register, req blacklist.Request, on blacklist.On, c blacklist.Change) (blacklist.Done, error) {
			return r.Withdraw(ctx, req, on, c)
		}, "wrong_person"),
		change("confirm", workflow.Head, func(r *blacklist.Register, req blacklist.Request, on blacklist.On, c blacklist.Change) (blacklist.Done, error) {
			return r.Confirm(ctx, req, on, c)
		}, "wrong_person"),
		change("end open case", workflow.System, func(r *blacklist.Register, req blacklist.Request, on blacklist.On, c blacklist.Change) (blacklist.Done, error) {
			return r.EndOpenCase(ctx, req, on, c)
		}, "case_dropped"),
		change("repair", workflow.LegalReviewer, func(r *blacklist.Register, req blacklist.Request, on blacklist.On, c blacklist.Change) (blacklist.Done, error) {
			return r.Repair(ctx, req, on, c)
		}, ""),
		change("expire", workflow.Liaison, func(r *blacklist.Register, req blacklist.Request, on blacklist.On, c blacklist.Change) (blacklist.Done, error) {
			return r.Expire(ctx, req, on, c)
		}, ""),
		{"reopen", workflow.Officer, func(d *desk, req blacklist.Request, on blacklist.On) (blacklist.Done, error) {
			return d.reg.Reopen(ctx, req, on, blacklist.Proposal{Payload: d.entryPayload(d.penalty(nil).ID.String(), nil)})
		}},
	}
	ofPenalties = []operation{
		propose,
		status("serve", workflow.Officer, blacklist.PenaltyChange{Status: "served", ServedAt: "2026-03-02", ServiceMode: "DIR"}),
		status("remedy", workflow.Officer, blacklist.PenaltyChange{Status: "remedy_event", RemedyEvent: &blacklist.RemedyEvent{Type: "stayed", At: "2026-03-02"}}),
		status("prove", workflow.LegalReviewer, blacklist.PenaltyChange{Status: "served", ServedAt: "2026-03-02", ServiceMode: "DIR", ServiceProof: []byte(`true`)}),
		status("restore", workflow.LegalReviewer, blacklist.PenaltyChange{Status: "remedy_event", RemedyEvent: &blacklist.RemedyEvent{Type: "stay_lifted", At: "2026-03-02"}}),
		status("object", workflow.Officer, blacklist.PenaltyChange{Status: "objection", ObjectionAt: "2026-03-02"}),
		status("transfer", workflow.Liaison, blacklist.PenaltyChange{Status: "transferred", TransferredAt: "2026-03-02"}),
		status("compare", workflow.Officer, blacklist.PenaltyChange{Status: "photo_compared", ComparedAt: "2026-03-02", Officers: []string{"99000000001", "99000000002"}}),
		status("settle", workflow.LegalReviewer, blacklist.PenaltyChange{Status: "confirmed", Confirms: "cause_q"}),
		status("annul", workflow.LegalReviewer, blacklist.PenaltyChange{Status: "remedy_event", RemedyEvent: &blacklist.RemedyEvent{Type: "withdrawn_by_issuer", At: "2099-01-01"}}),
		status("suspend", workflow.Liaison, blacklist.PenaltyChange{Status: "suspended"}),
		status("lift", workflow.Head, blacklist.PenaltyChange{Status: "lifted"}),
		status("void", workflow.LegalReviewer, blacklist.PenaltyChange{Status: "voided", Outcome: "void"}),
	}
)

// situation brings a desk to a state and returns what stands there.
type situation struct {
	state string
	make  func(d *desk) blacklist.On
}

var (
	draftSituations = []situation{
		{"draft", func(d *desk) blacklist.On { return d.must(d.reg.Draft(ctx, officer, d.proposal())).On }},
		{"in_review", func(d *desk) blacklist.On { return d.inReview(d.proposal()) }},
		{"approved", func(d *desk) blacklist.On { return d.approved(d.proposal()) }},
		{"discarded", func(d *desk) blacklist.On {
			return d.must(d.reg.Discard(ctx, officer, d.must(d.reg.Draft(ctx, officer, d.proposal())).On, "另有更正件")).On
		}},
		{"published", func(d *desk) blacklist.On {
			on := d.approved(d.proposal())
			d.must(d.reg.Publish(ctx, liaison, on))
			return blacklist.On{ID: on.ID, Version: on.Version + 1}
		}},
	}
	entrySituations = []situation{
		{"published", (*desk).entry},
		{"published open case", func(d *desk) blacklist.On {
			return d.published(blacklist.Proposal{Type: cmp.Or(d.typ, blacklist.TypePerson), Payload: d.entryPayload("", map[string]any{"open_case": true, "penalty_refs": []string{}})})
		}},
		{"suspended", func(d *desk) blacklist.On {
			return d.must(d.reg.Suspend(ctx, liaison, d.entry(), paper("objection"))).On
		}},
		{"withdrawn", func(d *desk) blacklist.On {
			sus := d.must(d.reg.Withdraw(ctx, liaison, d.entry(), paper("wrong_person")))
			return d.must(d.reg.Confirm(ctx, head, sus.On, paper("wrong_person"))).On
		}},
		{"expired by the day", func(d *desk) blacklist.On {
			on := d.entry()
			d.now = time.Date(2029, 1, 1, 9, 0, 0, 0, record.CivilZone)
			return on
		}},
		{"expired by record", func(d *desk) blacklist.On {
			on := d.entry()
			d.now = time.Date(2029, 1, 1, 9, 0, 0, 0, record.CivilZone)
			return d.must(d.reg.Expire(ctx, node, on, paper(""))).On
		}},
		{"repaired", func(d *desk) blacklist.On { return d.must(d.reg.Repair(ctx, reviewer, d.entry(), paper(""))).On }},
	}
	penaltySituations = []situation{
		{"published", func(d *desk) blacklist.On { return d.penalty(nil) }},
		{"not served", func(d *desk) blacklist.On {
			return d.published(blacklist.Proposal{Type: blacklist.TypePenalty, Payload: example(d, "penalty/examples/good/not_served_yet.json", nil)})
		}},
		{"suspended", func(d *desk) blacklist.On {
			c := blacklist.PenaltyChange{Change: paper(""), Status: "suspended"}
			return d.must(d.reg.PenaltyStatus(ctx, liaison, d.penalty(nil), c)).On
		}},
		{"voided", func(d *desk) blacklist.On {
			c := blacklist.PenaltyChange{Change: paper(""), Status: "voided", Outcome: "revoked"}
			return d.must(d.reg.PenaltyStatus(ctx, reviewer, d.penalty(nil), c)).On
		}},
	}
)

// TestMatrix tries every operation in every state by somebody who has every role, and says what comes of it. Whatever is
// not written here is illegal_transition.
func TestMatrix(t *testing.T) {
	// Of list entries of every type the same: the machine is one (§5.1).
	entries := map[string]string{
		"published: correct": "in_review", "published: suspend": "suspended", "published: withdraw": "suspended", "published: repair": "repaired",
		"published: end open case": "guard:open_case", "published: expire": "guard:valid_until",
		"published open case: correct": "in_review", "published open case: suspend": "suspended", "published open case: withdraw": "suspended",
		"published open case: repair": "repaired", "published open case: end open case": "withdrawn", "published open case: expire": "guard:valid_until",
		"suspended: lift": "published", "suspended: confirm": "withdrawn",
		"withdrawn: reopen": "draft", "expired by record: reopen": "draft", "repaired: reopen": "draft",
		// Only the day has passed: the records still say published, and that can be corrected, withdrawn or noted.
		"expired by the day: reopen": "draft", "expired by the day: correct": "in_review", "expired by the day: suspend": "suspended",
		"expired by the day: withdraw": "suspended", "expired by the day: repair": "repaired", "expired by the day: end open case": "guard:open_case",
		"expired by the day: expire": "expired",
	}
	for _, m := range []struct {
		name, typ  string
		situations []situation
		operations []operation
		want       map[string]string // "state: operation" → new state, or code
	}{
		{"draft", "", draftSituations, ofDrafts, map[string]string{
			"draft: amend": "draft", "draft: submit": "in_review", "draft: discard": "discarded",
			"in_review: return": "draft", "in_review: approve": "approved",
			"approved: publish": "published",
		}},
		{"entry", blacklist.TypePerson, entrySituations, ofEntries, entries},
		{"entry", blacklist.TypePremises, entrySituations, ofEntries, entries},
		{"entry", blacklist.TypeInstitution, entrySituations, ofEntries, entries},
		{"entry", blacklist.TypeHandle, entrySituations, ofEntries, entries},
		{"penalty", "", penaltySituations, ofPenalties, map[string]string{
			"published: correct": "in_review", "published: serve": "guard:not_served", "published: remedy": "published", "published: annul": "published",
			"published: suspend": "suspended", "published: void": "voided",
			"suspended: prove": "guard:not_proven", "suspended: restore": "suspended", "suspended: object": "suspended", "suspended: transfer": "suspended", "suspended: compare": "suspended", "suspended: settle": "suspended",
			"not served: prove": "published", "not served: restore": "published", "not served: object": "published", "not served: transfer": "published", "not served: compare": "published", "not served: settle": "published",
			"published: prove": "guard:not_proven", "published: restore": "published", "published: object": "published", "published: transfer": "published", "published: compare": "published", "published: settle": "published",
			"not served: correct": "in_review", "not served: serve": "published", "not served: remedy": "published", "not served: annul": "published",
			"not served: suspend": "suspended", "not served: void": "voided",
			"suspended: serve": "guard:not_served", "suspended: remedy": "suspended", "suspended: annul": "suspended", "suspended: lift": "published", "suspended: void": "voided",
		}},
	} {
		for _, s := range m.situations {
			for _, op := range m.operations {
				name := s.state + ": " + op.name
				t.Run(m.name+m.typ+"/"+name, func(t *testing.T) {
					newDesk := func(t tb, seed string) *desk {
						d := newDesk(t, seed)
						d.typ = m.typ
						return d
					}
					d := newDesk(t, name)
					on := s.make(d)
					want, legal := m.want[name]
					if !legal {
						want = "illegal_transition"
					}
					before := fmt.Sprint(len(d.log.streams[shared]), len(d.log.streams[local]))
					done, err := op.do(d, everybody, on)
					got := string(done.State)
					if err != nil {
						got = code(err)
					}
					if got != want {
						t.Fatalf("%q (%v), want %q", got, err, want)
					}
					if after := fmt.Sprint(len(d.log.streams[shared]), len(d.log.streams[local])); err != nil && op.name != "correct" && op.name != "reopen" && after != before {
						t.Errorf("refused, and yet appended: %s, %s", before, after)
					}
					if !legal {
						return
					}
					// The same by somebody with every role but those that the table lets do it.
					d = newDesk(t, name)
					on = s.make(d)
					if done, err := op.do(d, person("acc-98"), on); code(err) != "wrong_role" {
						t.Errorf("without a role: %v %v", done.State, err)
					}
					d = newDesk(t, name)
					on = s.make(d)
					if _, err := op.do(d, person("acc-98", op.role), on); code(err) == "wrong_role" {
						t.Errorf("%s may not: %v", op.role, err)
					}
				})
			}
		}
	}
}

// TestTables: the tables say who alone may do what decides over a person.
func TestTables(t *testing.T) {
	for _, m := range []struct {
		name string
		rows []workflow.Row
	}{{"entry", blacklist.EntryMachine.Rows()}, {"penalty", blacklist.PenaltyMachine.Rows()}, {"link", blacklist.LinkMachine.Rows()}} {
		for _, r := range m.rows {
			only := func(roles ...workflow.Role) bool {
				return !slices.ContainsFunc(r.Who, func(w workflow.Role) bool { return !slices.Contains(roles, w) })
			}
			at := fmt.Sprintf("%s: %s from %s to %s", m.name, r.Event, r.From, r.To)
			switch {
			case r.To == blacklist.Withdrawn && m.name == "entry" && !only(workflow.Head, workflow.System),
				r.Event == blacklist.EventLift && !only(workflow.Head),
				(r.Event == blacklist.EventApprove || r.Event == blacklist.EventCorrect) && !(only(workflow.LegalReviewer) && slices.Contains(r.Guards, "not_author")),
				slices.Contains([]workflow.Event{blacklist.EventProve, blacklist.EventRestore, blacklist.EventSettle}, r.Event) && !only(workflow.LegalReviewer),
				r.Event == blacklist.EventSettle && !slices.Contains(r.Guards, "not_author"),
				r.Event == blacklist.EventPublish && !slices.Contains(r.Guards, "reviewed"),
				(r.To == blacklist.Voided || r.Event == blacklist.EventAnnul) && !(only(workflow.LegalReviewer) && slices.Contains(r.Guards, "document")):
				t.Errorf("%s by %v, guards %v", at, r.Who, r.Guards)
			}
		}
	}
	if _, err := blacklist.EntryMachine.Extend([]workflow.Row{{From: blacklist.InReview, Event: "fast", Who: []workflow.Role{workflow.Officer}, To: blacklist.Approved}}, nil); err == nil {
		t.Error("a bureau left the legal review out")
	}
}

// TestProperty_nobody_alone: one person with every role of people, whatever he does in whatever order, publishes nothing
// and withdraws nothing; a second one can.
func TestProperty_nobody_alone(t *testing.T) {
	human := []workflow.Role{workflow.Officer, workflow.Liaison, workflow.Coordinator, workflow.LegalReviewer, workflow.Head}
	rapid.Check(t, func(t *rapid.T) {
		d := newDesk(t, "alone")
		pen := d.penalty(nil).ID.String()
		entry := d.published(blacklist.Proposal{Type: blacklist.TypePerson, Payload: d.entryPayload(pen, nil)})
		alone := person("acc-alone", human...)
		papers := []blacklist.On{d.must(d.reg.Draft(ctx, alone, blacklist.Proposal{Type: blacklist.TypePerson, Payload: d.entryPayload(pen, nil)})).On}
		published := len(d.log.streams[shared])
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "draft") {
				i := rapid.IntRange(0, len(papers)-1).Draw(t, "which")
				op := rapid.SampledFrom(ofDrafts).Draw(t, "op")
				if done, err := op.do(d, alone, papers[i]); err == nil {
					papers[i] = done.On
				}
				continue
			}
			op := rapid.SampledFrom(ofEntries[:7]).Draw(t, "op") // not reopen, whose penalty others publish
			done, err := op.do(d, alone, entry)
			switch {
			case err != nil:
			case op.name == "correct":
				papers = append(papers, done.On)
			default:
				entry = done.On
			}
		}
		for _, st := range d.log.streams[shared][published:] {
			if ty := st.Meaning.Type; ty != "blacklist.status" {
				t.Fatalf("alone he made a %s", ty)
			}
		}
		if e := d.view(entry, ""); e.State == blacklist.Withdrawn {
			t.Fatal("alone he withdrew an entry")
		}
	})
}
