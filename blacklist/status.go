package blacklist

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/workflow"
)

// raw keeps JSON as it is inside a larger value.
func raw(b []byte) jsontext.Value { return b }

// WorkRef 工作编号 (domain.md §2.1.2).
type WorkRef struct {
	Kind   string `json:"kind"`
	Number string `json:"number"`
}

// Change is what every step of a published subject says about itself; the schema of the step decides what is required.
type Change struct {
	ReasonCode   string // of the step's schema
	Reason       string // in words, without identifiers
	DocumentHash string // SHA-256 of the paper, hex
	LegalBasis   string
	Purpose      string // domain.md §2.6.9
	OccurredAt   string // RFC 3339; empty = now
	WorkRef      *WorkRef
}

// payload makes the members that all steps share.
func (r *Register) changePayload(req Request, c Change) map[string]any {
	set := map[string]any{"created_by": req.Actor.person(), "recorded_at": stamp(r.Now()), "synthetic": r.Synthetic, "occurred_at": c.OccurredAt}
	if c.OccurredAt == "" {
		set["occurred_at"] = stamp(r.Now())
	}
	for name, s := range map[string]string{"reason_code": c.ReasonCode, "reason": c.Reason, "document_hash": c.DocumentHash,
		"legal_basis": c.LegalBasis, "purpose": c.Purpose, "unit": req.Actor.Unit} {
		if s != "" {
			set[name] = s
		}
	}
	if c.WorkRef != nil {
		set["work_ref"] = c.WorkRef
	}
	return set
}

// change is one step of a published subject: what the table calls it and what goes on the road.
type change struct {
	on      On
	event   workflow.Event
	eventOf func(e *Entry) workflow.Event // where it depends on the subject; nil = event
	Change  Change
	extra   map[string]any       // members of the step's payload beside those of Change
	ends    bool                 // a withdrawal
	look    func(e *Entry) error // what the table cannot say
}

// take checks a step on the table and appends its record, to the audience of the content.
func (r *Register) take(ctx context.Context, req Request, of func(kind) bool, c change) (Done, error) {
	return r.once(ctx, req, func() (Done, error) {
		e, k, err := r.entry(ctx, c.on)
		if err != nil {
			return Done{}, err
		}
		if !of(k) {
			return Done{}, &Refusal{Code: OtherSubject}
		}
		f := facts{actor: req.Actor.Account, suspendedBy: e.SuspendedBy, reason: c.Change.Reason != "" && (c.Change.ReasonCode != "" || !k.entry),
			document: c.Change.DocumentHash != "", openCase: e.OpenCase, fresh: !e.Served, past: e.ValidUntil != "" && e.ValidUntil < r.today(), unproven: !e.proven()}
		if by := readMembers(members(e.Parts)).CreatedBy.User; by != "" {
			f.authors = []string{by}
		}
		if c.eventOf != nil {
			c.event = c.eventOf(&e)
		}
		step, no := k.machine.Step(e.Recorded, c.event, req.Actor.Roles, f)
		if no != nil {
			return Done{}, refused(no)
		}
		if c.look != nil {
			if err := c.look(&e); err != nil {
				return Done{}, err
			}
		}
		set := r.changePayload(req, c.Change)
		maps.Copy(set, c.extra)
		typ, ref := k.status, follows(c.on)
		if c.ends {
			typ, ref.Rel = k.withdrawal, record.Withdraws
			if e.SuspendedBy != "" {
				// The one who proposed it stands as author, the head as the one who approved.
				set["created_by"], set["approved_by"] = e.suspender(), req.Actor.person()
			}
		}
		b, err := with([]byte(`{}`), set)
		if err != nil {
			return Done{}, fmt.Errorf("encode %s: %w", typ, err)
		}
		out, err := r.shared(typ, b, e.Audience, ref)
		if err != nil {
			return Done{}, err
		}
		return r.commit(ctx, req, Done{On: On{c.on.ID, c.on.Version + 1}, Record: out.ID, State: step.To}, out)
	})
}

// listEntry and only say of which kinds a step is.
func listEntry(k kind) bool { return k.entry }

func only(typ string) func(kind) bool { return func(k kind) bool { return k.typ == typ } }

// suspender returns who suspended the entry.
func (e *Entry) suspender() Person {
	for i := len(e.History) - 1; i >= 0; i-- {
		if e.History[i].Event == EventSuspend && !e.History[i].Ignored {
			return e.History[i].By
		}
	}
	return Person{User: e.SuspendedBy}
}

// Suspend 暂停 an entry at once, by any liaison or reviewer alone: person or record is plausibly wrong (domain.md §5.1).
// Hits then show 核实中 and the head decides within one working day.
func (r *Register) Suspend(ctx context.Context, req Request, on On, c Change) (Done, error) {
	return r.suspend(ctx, req, on, EventSuspend, c)
}

func (r *Register) suspend(ctx context.Context, req Request, on On, event workflow.Event, c Change) (Done, error) {
	extra := map[string]any{"status": "suspended"}
	if day, ok := r.decideBy(); ok {
		extra["decide_by"] = day
	}
	return r.take(ctx, req, listEntry, change{on: on, event: event, Change: c, extra: extra})
}

// decideBy returns the day by which the head must decide. A year without calendar does not keep a suspension back: the
// day is left out, and Deadlines says why.
func (r *Register) decideBy() (string, bool) {
	c := r.Calendar
	if c == nil {
		c = workflow.Statutory()
	}
	_, day, err := decideTerm.Ends(r.Now(), c)
	return day, err == nil
}

// withdrawalReasons are the reasons of a withdrawal and what a suspension calls them until the head has decided.
var withdrawalReasons = map[string]string{"penalties_annulled": "facts_doubt", "wrong_person": "identity_doubt", "no_basis": "facts_doubt",
	"not_punished": "other", "case_dropped": "other", "handed_over": "other", "other": "other"}

// Withdraw proposes to withdraw an entry, with a reason code of blacklist.withdrawal: the entry is suspended until the head
// has confirmed or lifted. Nobody withdraws alone.
func (r *Register) Withdraw(ctx context.Context, req Request, on On, c Change) (Done, error) {
	if c.ReasonCode != "" {
		code, ok := withdrawalReasons[c.ReasonCode]
		if !ok {
			return Done{}, &Invalid{[]schemas.Violation{{Pointer: "/reason_code", Code: "enum"}}}
		}
		c.ReasonCode = code
	}
	return r.suspend(ctx, req, on, EventProposeWithdrawal, c)
}

// Lift ends a suspension; the head's decision.
func (r *Register) Lift(ctx context.Context, req Request, on On, c Change) (Done, error) {
	return r.take(ctx, req, listEntry, change{on: on, event: EventLift, Change: c, extra: map[string]any{"status": "resumed"}})
}

// Confirm withdraws a suspended entry, with a reason code of blacklist.withdrawal; the head's decision, who is not the one
// that suspended it. Content is deleted at every other member. There is no undo.
func (r *Register) Confirm(ctx context.Context, req Request, on On, c Change) (Done, error) {
	return r.take(ctx, req, listEntry, change{on: on, event: EventConfirm, Change: c, ends: true})
}

// EndOpenCase withdraws the entry of an open case that came to nothing (不予处罚, 撤案, hand-over): the node does it.
func (r *Register) EndOpenCase(ctx context.Context, req Request, on On, c Change) (Done, error) {
	return r.take(ctx, req, listEntry, change{on: on, event: EventEndOpenCase, Change: c, ends: true})
}

// Repair hides an entry after a repair decision; c names its paper.
func (r *Register) Repair(ctx context.Context, req Request, on On, c Change) (Done, error) {
	if c.ReasonCode == "" {
		c.ReasonCode = "repair_decision"
	}
	return r.take(ctx, req, listEntry, change{on: on, event: EventRepair, Change: c, extra: map[string]any{"status": "repaired"}})
}

// Expire notes that valid_until is over. It is bookkeeping: every fold computes expiry by itself, nobody waits for it.
func (r *Register) Expire(ctx context.Context, req Request, on On, c Change) (Done, error) {
	if c.ReasonCode == "" {
		c.ReasonCode = "valid_until_reached"
	}
	return r.take(ctx, req, listEntry, change{on: on, event: EventExpire, Change: c, extra: map[string]any{"status": "expired"}})
}

// Reopen begins a new entry after an ended one, on a new penalty. The draft is linked to the old subject, which stays
// what it is.
func (r *Register) Reopen(ctx context.Context, req Request, on On, p Proposal) (Done, error) {
	return r.once(ctx, req, func() (Done, error) {
		e, k, err := r.entry(ctx, on)
		if err != nil {
			return Done{}, err
		}
		if p.Type != "" && p.Type != e.Type {
			return Done{}, &Refusal{Code: OtherSubject, Pointer: "/type"}
		}
		read := readPayload(p.Payload)
		f := facts{}
		if f.newPenalty, err = r.newPenalty(ctx, e, read); err != nil {
			return Done{}, err
		}
		return r.begin(ctx, req, k, e.State, EventReopen, f, p, func(t *sheetText) error {
			t.Reopens = on.ID.String()
			links := slices.Clone(read.LinkRefs)
			if !slices.Contains(links, on.ID.String()) {
				links = append(links, on.ID.String())
			}
			var err error
			t.Payload, err = with(t.Payload, map[string]any{"link_refs": links})
			return err
		})
	})
}

// newPenalty reports whether a payload names a penalty that stands, was not named by the old entry, and, where the old
// content is gone, was published no earlier than the day on which the entry ended.
func (r *Register) newPenalty(ctx context.Context, e Entry, p *payload) (bool, error) {
	old := readMembers(members(e.Parts)).PenaltyRefs
	ended := e.History[len(e.History)-1].Day
	for _, ref := range p.PenaltyRefs {
		if slices.Contains(old, ref) {
			continue
		}
		var s backing
		if err := r.penalties(ctx, &s, []string{ref}, ""); err != nil {
			return false, err
		}
		if !s.standing {
			continue
		}
		if len(e.Parts) > 0 {
			return true, nil
		}
		n, err := r.named(ctx, ref, TypePenalty)
		if err != nil {
			return false, err
		}
		if n.History[0].Day >= ended {
			return true, nil
		}
	}
	return false, nil
}
