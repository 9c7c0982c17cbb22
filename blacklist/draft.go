package blacklist

import (
	"context"
	"fmt"
	"strconv"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/workflow"
)

// Proposal is what an author hands in: a payload, whole, as far as it is known.
type Proposal struct {
	Type    string // a list entry's, penalty or identity.link; of an amendment or correction it may be empty
	Payload []byte
	Level   record.Level // highest sharing level wanted; L0 = the default of the type
}

// Draft begins a draft; the officer who calls it is its author. created_by, reviewed_by, approved_by, recorded_at and
// published_at of the payload are the Register's to write: what the payload says there is replaced. A draft may lack
// keys; it may not hold unknown fields or values of a wrong type, nor a person under 14 at the act.
func (r *Register) Draft(ctx context.Context, req Request, p Proposal) (Done, error) {
	return r.once(ctx, req, func() (Done, error) {
		k, ok := kindOf(p.Type)
		if !ok {
			return Done{}, &Refusal{Code: UnknownType, Pointer: "/type"}
		}
		return r.begin(ctx, req, k, "", EventDraft, facts{}, p, nil)
	})
}

// begin writes the first version of a draft, entered by event from state.
func (r *Register) begin(ctx context.Context, req Request, k kind, from workflow.State, event workflow.Event, f facts, p Proposal,
	more func(*sheetText) error) (Done, error) {
	t, read, err := r.write(req, k, p, nil)
	if err != nil {
		return Done{}, err
	}
	if more != nil {
		if err := more(t); err != nil {
			return Done{}, err
		}
	}
	f.actor = req.Actor.Account
	f.supported = read.grounded(k)
	step, no := k.machine.Step(from, event, req.Actor.Roles, f)
	if no != nil {
		return Done{}, refused(no)
	}
	d, err := r.localDraft(typeDraft, t)
	if err != nil {
		return Done{}, err
	}
	return r.commit(ctx, req, Done{On: On{d.ID, 1}, Record: d.ID, State: step.To}, d)
}

// write makes the text of one version of a draft; corrected is what it corrects, nil if it is new.
func (r *Register) write(req Request, k kind, p Proposal, corrected *Entry) (*sheetText, *payload, error) {
	t := schema(k.typ)
	if err := invalid(hard(t.Validate(p.Payload, r.today()))); err != nil {
		return nil, nil, err
	}
	if err := invalid(typed(p.Payload, corrected)); err != nil {
		return nil, nil, err
	}
	read := readPayload(p.Payload)
	if read.Synthetic != nil && *read.Synthetic != r.Synthetic {
		return nil, nil, &Invalid{[]schemas.Violation{{Pointer: "/synthetic", Code: ViolationSynthetic}}}
	}
	now := stamp(r.Now())
	set := map[string]any{"created_by": req.Actor.person(), "recorded_at": now, "synthetic": r.Synthetic, "reviewed_by": nil, "approved_by": nil, "published_at": nil}
	if req.Actor.Unit != "" {
		set["unit"] = req.Actor.Unit
	}
	b, err := with(p.Payload, set)
	if err != nil {
		return nil, nil, fmt.Errorf("stamp payload: %w", err)
	}
	level := p.Level
	if level == record.L0 {
		level = k.level
	}
	return &sheetText{Type: k.typ, Schema: schemaVersion, Payload: b, Level: level.String(), Unit: req.Actor.Unit, By: req.Actor.person(), At: now,
		Synthetic: r.Synthetic}, readPayload(b), nil
}

// Amend replaces a draft by a whole new version. Whoever writes one becomes an author and can no longer review it.
func (r *Register) Amend(ctx context.Context, req Request, on On, p Proposal) (Done, error) {
	return r.once(ctx, req, func() (Done, error) {
		d, err := r.sheet(ctx, on)
		if err != nil {
			return Done{}, err
		}
		k, _ := kindOf(d.Type)
		if p.Type != "" && p.Type != d.Type {
			return Done{}, &Refusal{Code: OtherSubject, Pointer: "/type"}
		}
		corrected, err := r.corrected(ctx, d)
		if err != nil {
			return Done{}, err
		}
		writer := req
		writer.Actor.Unit = d.Unit // a draft stays its first author's unit's, whoever amends it
		t, read, err := r.write(writer, k, p, corrected)
		if err != nil {
			return Done{}, err
		}
		f := facts{actor: req.Actor.Account, supported: read.grounded(k)}
		step, no := k.machine.Step(d.State, EventAmend, req.Actor.Roles, f)
		if no != nil {
			return Done{}, refused(no)
		}
		if d.Corrects.Version != 0 {
			t.Corrects, t.ReasonCode, t.DiffReason = correctsText(d.Corrects), d.ReasonCode, d.DiffReason
		}
		out, err := r.localDraft(typeDraft, t, follows(on))
		if err != nil {
			return Done{}, err
		}
		return r.commit(ctx, req, Done{On: On{on.ID, on.Version + 1}, Record: out.ID, State: step.To}, out)
	})
}

// corrected reads what a draft corrects, at the version that it follows; nil if the draft is new.
func (r *Register) corrected(ctx context.Context, d Sheet) (*Entry, error) {
	if d.Corrects.Version == 0 {
		return nil, nil
	}
	e, _, err := r.entry(ctx, d.Corrects)
	return &e, err
}

func follows(on On) record.Ref {
	return record.Ref{Rel: record.Follows, ID: on.ID, Version: on.Version}
}

func correctsText(on On) *onText { return &onText{on.ID.String(), strconv.FormatUint(on.Version, 10)} }

// Submit hands a draft to the legal reviewer. The payload must now be complete and every penalty that it names be here.
func (r *Register) Submit(ctx context.Context, req Request, on On) (Done, error) {
	return r.move(ctx, req, on, EventSubmit, "", func(k kind, d Sheet, f *facts) error {
		corrected, err := r.corrected(ctx, d)
		if err != nil {
			return err
		}
		vs := append(schema(d.Type).Validate(d.Payload, r.today()), typed(d.Payload, corrected)...)
		if len(vs) == 0 {
			s, err := r.support(ctx, k, readPayload(d.Payload))
			if err != nil {
				return err
			}
			vs = s.missing
		}
		f.complete = len(vs) == 0
		if _, no := k.machine.Step(d.State, EventSubmit, req.Actor.Roles, *f); no != nil && no.Code == "guard:complete" {
			return &Invalid{vs}
		}
		return nil
	})
}

// Return sends a draft back to its author, with the reason.
func (r *Register) Return(ctx context.Context, req Request, on On, reason string) (Done, error) {
	return r.move(ctx, req, on, EventReturn, reason, nil)
}

// Discard ends a draft that lies with its author, with the reason: it is never published. The version that it takes decides
// between this and whoever hands the draft in meanwhile.
func (r *Register) Discard(ctx context.Context, req Request, on On, reason string) (Done, error) {
	return r.move(ctx, req, on, EventDiscard, reason, nil)
}

// Approve is the legal review (行政处罚法 art. 57, L27): the reviewer is none of the authors. The approval of a correction
// publishes it at once.
func (r *Register) Approve(ctx context.Context, req Request, on On) (Done, error) {
	return r.once(ctx, req, func() (Done, error) {
		d, err := r.sheet(ctx, on)
		if err != nil {
			return Done{}, err
		}
		if d.Corrects.Version != 0 {
			return r.correct(ctx, req, d)
		}
		f, _, err := r.reviewFacts(ctx, req, d, nil)
		if err != nil {
			return Done{}, err
		}
		return r.moved(ctx, req, d, EventApprove, "", f)
	})
}

// reviewFacts reads what review and publication look at. A draft that an older release kept may hold a confirmation that
// somebody typed: it is refused here too.
func (r *Register) reviewFacts(ctx context.Context, req Request, d Sheet, corrected *Entry) (facts, record.Level, error) {
	if err := invalid(typed(d.Payload, corrected)); err != nil {
		return facts{}, 0, err
	}
	k, _ := kindOf(d.Type)
	p := readPayload(d.Payload)
	s, err := r.support(ctx, k, p)
	if err != nil {
		return facts{}, 0, err
	}
	level := k.levelOf(p, s, d.Level, r.today())
	f := facts{actor: req.Actor.Account, authors: d.Authors, reviewer: d.Reviewer.User, reason: d.ReasonCode != "" && d.DiffReason != "",
		purpose: p.Purpose != "", covered: r.covers(d.Type, level), supported: p.OpenCase || s.standing || k.thing && p.WorkRef != nil, served: s.served, level: level, complete: true}
	return f, level, nil
}

// move takes one local step of a draft.
func (r *Register) move(ctx context.Context, req Request, on On, event workflow.Event, reason string, look func(kind, Sheet, *facts) error) (Done, error) {
	return r.once(ctx, req, func() (Done, error) {
		d, err := r.sheet(ctx, on)
		if err != nil {
			return Done{}, err
		}
		k, _ := kindOf(d.Type)
		f := facts{actor: req.Actor.Account, authors: d.Authors, reason: reason != ""}
		if look != nil {
			if err := look(k, d, &f); err != nil {
				return Done{}, err
			}
		}
		return r.moved(ctx, req, d, event, reason, f)
	})
}

func (r *Register) moved(ctx context.Context, req Request, d Sheet, event workflow.Event, reason string, f facts) (Done, error) {
	k, _ := kindOf(d.Type)
	step, no := k.machine.Step(d.State, event, req.Actor.Roles, f)
	if no != nil {
		return Done{}, refused(no)
	}
	on := On{d.ID, d.Version}
	out, err := r.stepDraft(req, on, event, reason, record.RecordID{})
	if err != nil {
		return Done{}, err
	}
	return r.commit(ctx, req, Done{On: On{on.ID, on.Version + 1}, Record: out.ID, State: step.To}, out)
}

func (r *Register) stepDraft(req Request, on On, event workflow.Event, reason string, published record.RecordID) (record.Draft, error) {
	t := stepText{Event: event, Reason: reason, By: req.Actor.person(), At: stamp(r.Now()), Synthetic: r.Synthetic}
	if !published.IsZero() {
		t.Record = published.String()
	}
	return r.localDraft(typeStep, t, follows(on))
}

// Publish puts an approved draft on the road: its local step and the record of the stream records are one append. Done
// names the published subject, version 1.
func (r *Register) Publish(ctx context.Context, req Request, on On) (Done, error) {
	return r.once(ctx, req, func() (Done, error) {
		d, err := r.sheet(ctx, on)
		if err != nil {
			return Done{}, err
		}
		k, _ := kindOf(d.Type)
		f, level, err := r.reviewFacts(ctx, req, d, nil)
		if err != nil {
			return Done{}, err
		}
		step, no := k.machine.Step(d.State, EventPublish, req.Actor.Roles, f)
		if no != nil {
			return Done{}, refused(no)
		}
		b, err := with(d.Payload, map[string]any{"reviewed_by": d.Reviewer, "published_at": stamp(r.Now())})
		if err != nil {
			return Done{}, fmt.Errorf("stamp payload: %w", err)
		}
		out, err := r.shared(k.typ, b, toAll(level))
		if err != nil {
			return Done{}, err
		}
		local, err := r.stepDraft(req, on, EventPublish, "", out.ID)
		if err != nil {
			return Done{}, err
		}
		return r.commit(ctx, req, Done{On: On{out.ID, 1}, Record: out.ID, State: step.To}, local, out)
	})
}
