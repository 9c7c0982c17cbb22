package events

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/workflow"
)

// schemaVersion is the version that this release writes of each type.
const schemaVersion = "1"

// Plan proposes an operation led by this member: payload is a whole one of the schema operation. Its participants are who
// is invited; this member is added as lead. A group of lead and invited is founded for it, and nobody outside ever learns
// more than that a record of some kind exists in that week.
func (b *Board) Plan(ctx context.Context, req Request, payload []byte) (Done, error) {
	return b.once(ctx, req, func() (Done, error) {
		whole, t, err := b.complete(req, payload)
		if err != nil {
			return Done{}, err
		}
		step, no := OperationMachine.Step("", EventPropose, req.Actor.Roles, facts{invited: len(t.Participants) - 1})
		if no != nil {
			return Done{}, refused(no)
		}
		group, err := b.NewGroup(ctx, t.Participants)
		if err != nil {
			return Done{}, fmt.Errorf("found group of the operation: %w", err)
		}
		d, err := b.draft(TypeOperation, whole, map[record.GroupID]record.Level{group: record.L3})
		if err != nil {
			return Done{}, err
		}
		return b.commit(ctx, req, Done{On: On{b.stream(), d.ID, 1}, Record: d.ID, State: step.To}, d)
	})
}

// complete writes into a plan what this node knows better than the client, and checks it.
func (b *Board) complete(req Request, payload []byte) ([]byte, planText, error) {
	var t struct {
		planText
		Synthetic *bool `json:"synthetic"`
	}
	s := schema(TypeOperation)
	for _, v := range s.Validate(payload, b.today()) {
		if v.Malformed() || v.Pointer == "" {
			return nil, t.planText, &Invalid{[]schemas.Violation{v}}
		}
	}
	set := b.stamped(req)
	// A member of a wrong type stays as it is: the schema speaks about it below.
	if json.Unmarshal(payload, &t) == nil {
		switch {
		case t.Synthetic != nil && *t.Synthetic != b.Synthetic:
			return nil, t.planText, &Invalid{[]schemas.Violation{{Pointer: "/synthetic", Code: ViolationSynthetic}}}
		case t.Lead == "":
			t.Lead = b.Self
		case t.Lead != b.Self:
			return nil, t.planText, &Refusal{NotLead, "/lead_member"}
		}
		if !slices.Contains(t.Participants, b.Self) {
			t.Participants = append([]record.MemberID{b.Self}, t.Participants...)
		}
		set["lead_member"], set["participants"] = t.Lead, t.Participants
		set["month"] = instant(t.StartAt).In(record.CivilZone).Format("2006-01") // all that a card tells of the time
	}
	set["published_at"] = set["recorded_at"]
	whole, err := with(payload, set)
	if err != nil {
		return nil, t.planText, fmt.Errorf("stamp plan: %w", err)
	}
	return whole, t.planText, invalid(s.Ready(whole, b.today()))
}

// Details of a reply; all are told to the whole group.
type Details struct {
	Reason     string // needed to decline
	Officers   int    // number of officers that come
	Cars       int
	Contact    string // who is called on the day
	Phone      string
	LegalBasis string
	Purpose    string // empty = JOINT
}

// Accept takes part in an operation that this member is invited to.
func (b *Board) Accept(ctx context.Context, req Request, on On, d Details) (Done, error) {
	return b.reply(ctx, req, on, EventAccept, d)
}

// Decline refuses, also after having accepted, as long as the operation does not run. It is final for this member; the
// lead's refusal cancels the operation.
func (b *Board) Decline(ctx context.Context, req Request, on On, d Details) (Done, error) {
	return b.reply(ctx, req, on, EventDecline, d)
}

func (b *Board) reply(ctx context.Context, req Request, on On, event workflow.Event, d Details) (Done, error) {
	return b.once(ctx, req, func() (Done, error) {
		o, err := b.Operation(ctx, on.Stream, on.ID)
		if err != nil {
			return Done{}, err
		}
		done := Done{On: On{o.Stream, o.ID, o.Version}}
		refs := []record.Ref{{Rel: record.Answers, ID: o.ID}}
		f := facts{reason: d.Reason != "", open: o.State == Proposed || o.State == Confirmed}
		if b.Self == o.Lead {
			if event != EventDecline {
				return Done{}, &Refusal{Code: workflow.IllegalTransition}
			}
			step, no := OperationMachine.Step(o.State, EventWithdraw, req.Actor.Roles, f)
			if no != nil {
				return Done{}, refused(no)
			}
			done.State = step.To
		} else {
			i := slices.IndexFunc(o.Replies, func(r Reply) bool { return r.Member == b.Self })
			if i < 0 {
				return Done{}, &Refusal{Code: NotInvited}
			}
			step, no := ReplyMachine.Step(o.Replies[i].State, event, req.Actor.Roles, f)
			if no != nil {
				return Done{}, refused(no)
			}
			done.State = step.To
			if own := o.Replies[i].Own; own.Version != 0 {
				refs = append(refs, record.Ref{Rel: record.Follows, ID: own.ID, Version: own.Version})
			}
		}
		set := b.stamped(req)
		set["reply"], set["member"], set["legal_basis"], set["purpose"] = string(event), b.Self, d.LegalBasis, "JOINT"
		if d.Purpose != "" {
			set["purpose"] = d.Purpose
		}
		if d.Reason != "" {
			set["reason"] = d.Reason
		}
		if event == EventAccept {
			set["officers"], set["cars"] = d.Officers, d.Cars
		}
		if d.Contact != "" {
			contact := map[string]string{"name": d.Contact}
			if d.Phone != "" {
				contact["phone"] = d.Phone
			}
			set["duty_contact"] = contact
		}
		return b.append(ctx, req, done, TypeReply, set, o.Audience, refs...)
	})
}

// Change is what a step of the lead says about itself.
type Change struct {
	Reason     string // needed to cancel
	LegalBasis string
	Purpose    string // empty = JOINT
	OccurredAt string // RFC 3339; empty = now
}

// Start starts a confirmed operation. Only the lead does.
func (b *Board) Start(ctx context.Context, req Request, on On, c Change) (Done, error) {
	return b.lead(ctx, req, on, EventStart, c)
}

// End ends a running operation. Only the lead does.
func (b *Board) End(ctx context.Context, req Request, on On, c Change) (Done, error) {
	return b.lead(ctx, req, on, EventEnd, c)
}

// Cancel calls off an operation that does not run yet. Only the lead does.
func (b *Board) Cancel(ctx context.Context, req Request, on On, c Change) (Done, error) {
	return b.lead(ctx, req, on, EventCancel, c)
}

func (b *Board) lead(ctx context.Context, req Request, on On, event workflow.Event, c Change) (Done, error) {
	return b.once(ctx, req, func() (Done, error) {
		o, err := b.Operation(ctx, on.Stream, on.ID)
		switch {
		case err != nil:
			return Done{}, err
		case o.Lead != b.Self:
			return Done{}, &Refusal{Code: NotLead}
		case o.Version != on.Version:
			return Done{}, &Refusal{Code: VersionConflict}
		}
		step, no := OperationMachine.Step(o.State, event, req.Actor.Roles, facts{reason: c.Reason != ""})
		if no != nil {
			return Done{}, refused(no)
		}
		set := b.stamped(req)
		set["status"], set["legal_basis"], set["purpose"], set["occurred_at"] = string(event), c.LegalBasis, "JOINT", set["recorded_at"]
		if c.Purpose != "" {
			set["purpose"] = c.Purpose
		}
		if c.OccurredAt != "" {
			set["occurred_at"] = c.OccurredAt
		}
		if c.Reason != "" {
			set["reason"] = c.Reason
		}
		done := Done{On: On{o.Stream, o.ID, o.Version + 1}, State: step.To}
		return b.append(ctx, req, done, TypeStatus, set, o.Audience, record.Ref{Rel: record.Follows, ID: o.ID, Version: o.Version})
	})
}

// Operation returns how an operation stands now, from what this node holds; a *Refusal not_found if it holds no plan that
// it can read.
func (b *Board) Operation(ctx context.Context, lead record.StreamID, plan record.RecordID) (Operation, error) {
	records, err := b.Log.Subject(ctx, lead, plan)
	if err != nil && !errors.Is(err, record.ErrNotFound) {
		return Operation{}, fmt.Errorf("read plan %s: %w", plan, err)
	}
	o, err := Fold(records, nil, time.Time{})
	switch {
	case errors.Is(err, ErrNothing), errors.Is(err, ErrOtherType):
		return Operation{}, &Refusal{Code: NotFound}
	case err != nil:
		return Operation{}, err
	}
	replies, err := b.Replies(ctx, plan, append([]record.MemberID{o.Lead}, o.Invited...))
	if err != nil {
		return Operation{}, fmt.Errorf("read replies to plan %s: %w", plan, err)
	}
	return Fold(records, replies, b.Now())
}

func (b *Board) append(ctx context.Context, req Request, done Done, typ string, set map[string]any, audience map[record.GroupID]record.Level,
	refs ...record.Ref) (Done, error) {
	payload, err := with([]byte(`{}`), set)
	if err != nil {
		return Done{}, fmt.Errorf("encode %s: %w", typ, err)
	}
	if err := invalid(schema(typ).Ready(payload, b.today())); err != nil {
		return Done{}, err
	}
	d, err := b.draft(typ, payload, audience, refs...)
	if err != nil {
		return Done{}, err
	}
	done.Record = d.ID
	return b.commit(ctx, req, done, d)
}

// draft splits a payload and gives it an id.
func (b *Board) draft(typ string, payload []byte, audience map[record.GroupID]record.Level, refs ...record.Ref) (record.Draft, error) {
	id, err := record.NewBits128(b.Random)
	if err != nil {
		return record.Draft{}, err
	}
	parts, err := schema(typ).Split(payload)
	if err != nil {
		return record.Draft{}, fmt.Errorf("split %s: %w", typ, err)
	}
	d := record.Draft{Stream: b.stream(), ID: id, Type: typ, Schema: schemaVersion, Day: b.today(), Audience: audience, Refs: refs,
		Parts: make(map[record.PartName][]byte, len(parts))}
	for name, p := range parts {
		d.Parts[record.PartName(name)] = p
	}
	return d, nil
}

func (b *Board) stream() record.StreamID {
	if b.Records != "" {
		return b.Records
	}
	return record.Stream(b.Self, record.Records)
}

func (b *Board) today() string { return record.CivilDay(b.Now()) }

// stamped are the members that every record of this desk carries: who, when, and whether it is real.
func (b *Board) stamped(req Request) map[string]any {
	by := map[string]string{"user": req.Actor.Account}
	if req.Actor.Certificate != "" {
		by["cert_no"] = req.Actor.Certificate
	}
	set := map[string]any{"created_by": by, "recorded_at": b.Now().In(record.CivilZone).Format(time.RFC3339), "synthetic": b.Synthetic,
		"reviewed_by": nil, "approved_by": nil, "published_at": nil}
	if req.Actor.Unit != "" {
		set["unit"] = req.Actor.Unit
	}
	return set
}

// with returns the payload with members set, or removed where the value is nil.
func with(payload []byte, set map[string]any) ([]byte, error) {
	members := map[string]jsontext.Value{}
	if err := json.Unmarshal(payload, &members); err != nil {
		return nil, err
	}
	for name, v := range set {
		if v == nil {
			delete(members, name)
			continue
		}
		e, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		members[name] = e
	}
	return json.Marshal(members, json.Deterministic(true))
}

func schema(typ string) *schemas.Type {
	t, ok := schemas.Lookup(typ, schemaVersion)
	if !ok {
		panic("events: no schema of " + typ) // the catalogue is part of the program
	}
	return t
}

func invalid(vs []schemas.Violation) error {
	if len(vs) == 0 {
		return nil
	}
	return &Invalid{vs}
}

func refused(x *workflow.Refusal) error {
	return &Refusal{Code: x.Code, Pointer: map[string]string{"guard:reason": "/reason", "guard:invited": "/participants"}[x.Code]}
}
