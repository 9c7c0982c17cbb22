package blacklist

import (
	"context"
	"fmt"
	"slices"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/workflow"
)

// Correction is the whole new payload of a published subject and why; the difference is shown (Diff), never sent.
type Correction struct {
	Proposal
	ReasonCode string // of the schema: typing_error, identity_corrected, …
	DiffReason string // in words, without identifiers
}

// Correct proposes a correction: a draft that is in review at once. It takes effect when a legal reviewer, another person,
// approves it; the version that it follows must then still be the newest. Done names the draft.
func (r *Register) Correct(ctx context.Context, req Request, on On, c Correction) (Done, error) {
	return r.once(ctx, req, func() (Done, error) {
		e, k, err := r.entry(ctx, on)
		if err != nil {
			return Done{}, err
		}
		if c.Type != "" && c.Type != e.Type {
			return Done{}, &Refusal{Code: OtherSubject, Pointer: "/type"}
		}
		t, read, err := r.write(req, k, c.Proposal, &e)
		if err != nil {
			return Done{}, err
		}
		vs := schema(k.typ).Validate(t.Payload, r.today())
		if len(vs) == 0 {
			s, err := r.support(ctx, k, read)
			if err != nil {
				return Done{}, err
			}
			vs = s.missing
		}
		f := facts{actor: req.Actor.Account, reason: c.ReasonCode != "" && c.DiffReason != "", complete: len(vs) == 0, kept: e.kept(read)}
		if _, no := k.machine.Step(e.Recorded, EventPropose, req.Actor.Roles, f); no != nil {
			if no.Code == "guard:complete" {
				return Done{}, &Invalid{vs}
			}
			return Done{}, refused(no)
		}
		if vs := reasonsOf(k, c); len(vs) > 0 {
			return Done{}, &Invalid{vs}
		}
		t.Corrects, t.ReasonCode, t.DiffReason = correctsText(on), c.ReasonCode, c.DiffReason
		first, err := r.localDraft(typeDraft, t)
		if err != nil {
			return Done{}, err
		}
		submit, err := r.stepDraft(req, On{first.ID, 1}, EventSubmit, "", record.RecordID{})
		if err != nil {
			return Done{}, err
		}
		return r.commit(ctx, req, Done{On: On{first.ID, 2}, Record: submit.ID, State: InReview}, first, submit)
	})
}

// kept reports whether a new payload says all that status records have said since the content: they are deleted with it
// at every other member. A comparison of photographs and a reviewer's confirmation may fall: a correction is how a wrong
// one is taken back, and facts that change may need another.
func (e *Entry) kept(p *payload) bool {
	return (!e.Served || p.ServedAt != "") && len(p.RemedyEvents) >= len(e.RemedyEvents) && (!e.transferred || p.Transferred) &&
		len(p.Objections) >= len(e.objections)
}

// reasonsOf checks the reasons against the schema now, so that the author hears of them and not the reviewer.
func reasonsOf(k kind, c Correction) []schemas.Violation {
	b, err := with([]byte(`{}`), map[string]any{"payload": struct{}{}, "reason_code": c.ReasonCode, "diff_reason": c.DiffReason})
	if err != nil {
		return []schemas.Violation{{Pointer: "/diff_reason", Code: "text_control"}}
	}
	return slices.DeleteFunc(schema(k.correction).Validate(b, "2026-01-01"), func(v schemas.Violation) bool {
		return v.Pointer != "/reason_code" && v.Pointer != "/diff_reason"
	})
}

// correct is the reviewer's approval of a correction: step and record in one append.
func (r *Register) correct(ctx context.Context, req Request, d Sheet) (Done, error) {
	e, k, err := r.entry(ctx, d.Corrects)
	if err != nil {
		return Done{}, err
	}
	if d.State != InReview {
		return Done{}, &Refusal{Code: workflow.IllegalTransition}
	}
	f, level, err := r.reviewFacts(ctx, req, d, &e)
	if err != nil {
		return Done{}, err
	}
	f.kept = e.kept(readPayload(d.Payload))
	step, no := k.machine.Step(e.Recorded, EventCorrect, req.Actor.Roles, f)
	if no != nil {
		return Done{}, refused(no)
	}
	whole, err := with(d.Payload, map[string]any{"reviewed_by": req.Actor.person(), "published_at": stamp(r.Now())})
	if err != nil {
		return Done{}, fmt.Errorf("stamp payload: %w", err)
	}
	b, err := with([]byte(`{}`), map[string]any{"payload": raw(whole), "reason_code": d.ReasonCode, "diff_reason": d.DiffReason})
	if err != nil {
		return Done{}, fmt.Errorf("wrap payload: %w", err)
	}
	out, err := r.shared(k.correction, b, toAll(level), record.Ref{Rel: record.Supersedes, ID: e.Subject, Version: e.Version})
	if err != nil {
		return Done{}, err
	}
	local, err := r.stepDraft(req, On{d.ID, d.Version}, EventCorrect, "", out.ID)
	if err != nil {
		return Done{}, err
	}
	return r.commit(ctx, req, Done{On: On{e.Subject, e.Version + 1}, Record: out.ID, State: step.To}, local, out)
}
