package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/events"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/sheets"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/workflow"
)

// meanings is the one table from the errors of the domain to codes.
var meanings = []struct {
	err  error
	code string
}{
	{record.ErrVersionTaken, "version_conflict"},
	{record.ErrIdempotencyConflict, "idempotency_body"},
	{record.ErrDuplicateRecord, "duplicate"},
	{record.ErrStale, "version_conflict"},
	{record.ErrNotFound, "not_found"},
	{record.ErrOutcomeUnknown, "outcome_unknown"},
	{record.ErrStorageFull, "storage_full"},
	{record.ErrFenced, "unavailable"},
	{record.ErrTooLarge, "record_too_large"},
	{record.ErrReplayed, string(auth.Replayed)},
	{federation.ErrMalformed, "malformed"},
	{federation.ErrNotSender, "not_sender"},
	{federation.ErrNotMember, "not_member"},
	{federation.ErrOtherFederation, "other_federation"},
	{auth.ErrAccountTaken, "account_taken"},
	{auth.ErrNoAccount, "not_found"},
	{auth.ErrNoDelegation, "not_found"},
	{auth.ErrNoUnit, "not_found"},
	{context.DeadlineExceeded, "timeout"},
	{context.Canceled, "timeout"},
}

// toProblem says what an error of the domain means to the caller. What has no meaning there is an internal error: its
// text goes into the log, scrubbed, and nowhere else.
func toProblem(ctx context.Context, err error) *Problem {
	if p, ok := problemOf(err); ok {
		return p
	}
	var (
		skew    *auth.SkewError
		person  *auth.Refusal
		locked  *auth.LockedError
		stale   *federation.StaleCharterError
		refused *federation.Refusal
		spent   *federation.SpentError
		step    *workflow.Refusal
		desk    *blacklist.Refusal
		invalid *blacklist.Invalid
		board   *events.Refusal
		unfit   *events.Invalid
		file    *sheets.Refusal
		batch   *sheets.Conflict
	)
	switch {
	case errors.As(err, &skew):
		p := problem(string(auth.ClockSkew))
		p.Theirs, p.Ours = skew.Theirs.UTC().Format(time.RFC3339), skew.Ours.UTC().Format(time.RFC3339)
		return p
	case errors.As(err, &locked):
		p := problem(string(auth.Locked))
		p.retryAfter = 15 * time.Minute
		return p
	case auth.CodeOf(err) != "":
		p := problem(string(auth.CodeOf(err)))
		if errors.As(err, &person) && person.Pointer != "" {
			p.add(schemas.Violation{Pointer: person.Pointer, Code: p.Code})
		}
		return p
	case errors.As(err, &stale):
		p := problem("stale_charter")
		p.Ours, p.Theirs = charterText(stale.Ours), charterText(stale.Theirs)
		return p
	case errors.As(err, &spent):
		p := problem(spent.Code)
		p.retryAfter = max(spent.Retry, time.Second)
		return p
	case errors.As(err, &refused):
		p := problem(refused.Code)
		if refused.Pointer != "" {
			p.add(schemas.Violation{Pointer: refused.Pointer, Code: refused.Code})
		}
		return p
	case errors.As(err, &step):
		return stepProblem(step.Code, "")
	case errors.As(err, &desk):
		return stepProblem(desk.Code, desk.Pointer)
	case errors.As(err, &invalid):
		return violations(invalid.Violations)
	case errors.As(err, &board):
		return stepProblem(board.Code, board.Pointer)
	case errors.As(err, &unfit):
		return violations(unfit.Violations)
	case errors.As(err, &file):
		return fileProblem(file)
	case errors.As(err, &batch):
		return stepProblem(batch.Code, "")
	}
	for _, m := range meanings {
		if errors.Is(err, m.err) {
			if m.code == "storage_full" || m.code == "unavailable" {
				lineOf(ctx).note(slog.String("error", scrub(err)))
			}
			return problem(m.code)
		}
	}
	lineOf(ctx).note(slog.String("error", scrub(err)))
	return problem("internal")
}

func charterText(r record.CharterRef) string { return fmt.Sprintf("%d %x", r.Version, r.Hash) }

// deskCodes are the codes of Register and Board in the border's words.
var deskCodes = map[string]string{
	blacklist.VersionConflict: "version_conflict", blacklist.IdempotencyConflict: "idempotency_body", blacklist.NotFound: "not_found",
	blacklist.UnknownType: "type_unknown", blacklist.OtherSubject: "other_subject", blacklist.UnknownAccount: "forbidden",
	events.NotLead: "not_lead", events.NotInvited: "not_invited", workflow.WrongRole: "forbidden", workflow.IllegalTransition: "transition",
	sheets.Running: sheets.Running, sheets.BatchChanged: sheets.BatchChanged, sheets.NothingToDo: sheets.NothingToDo, sheets.FileGone: sheets.FileGone, sheets.FileErased: sheets.FileErased, sheets.Elsewhere: sheets.Elsewhere,
}

// stepProblem says why a step of a state machine is not taken; the guard is named so that a program can show its rule.
func stepProblem(code, at string) *Problem {
	if guard, ok := strings.CutPrefix(code, "guard:"); ok {
		p := problem("guard")
		p.add(schemas.Violation{Pointer: at, Code: guard})
		return p
	}
	border, ok := deskCodes[code]
	if !ok {
		border = "transition"
	}
	p := problem(border)
	if at != "" {
		p.add(schemas.Violation{Pointer: at, Code: border})
	}
	return p
}

// fileProblem says why a file is not read at all, and where.
func fileProblem(r *sheets.Refusal) *Problem {
	p := problem(r.Code)
	if r.At != "" {
		p.Detail += "(" + r.At + ")"
		p.DetailEn += " (" + r.At + ")"
	}
	p.add(schemas.Violation{Pointer: "/file", Code: r.Code})
	return p
}
