package blacklist

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/workflow"
)

// PenaltyChange is one status of a published penalty (schema penalty.status).
type PenaltyChange struct {
	Change
	Status       string         // served, remedy_event, suspended, lifted, voided
	ServedAt     string         // of served
	ServiceMode  string         // of served
	ServiceProof jsontext.Value // blob id, or whether there is one
	AnnouncedAt  string         // of served by announcement
	RemedyEvent  *RemedyEvent   // of remedy_event
	RemedyState  string         // empty = what the table says follows
	Outcome      string         // of voided: revoked, revoked_redo, void, withdrawn_by_issuer
}

var penaltyEvents = map[string]workflow.Event{"served": EventServe, "remedy_event": EventRemedy, "suspended": EventSuspend, "lifted": EventLift, "voided": EventVoid}

// PenaltyStatus records what happened to a decision. Suspending is anybody's duty who sees a doubt; what ends the penalty
// (voided, or a remedy event with such an outcome) is entered at once by the legal reviewer, with the paper, and needs no
// head (domain.md §5.2).
func (r *Register) PenaltyStatus(ctx context.Context, req Request, on On, c PenaltyChange) (Done, error) {
	event, ok := penaltyEvents[c.Status]
	if !ok {
		return Done{}, &Invalid{[]schemas.Violation{{Pointer: "/status", Code: "enum"}}}
	}
	if c.RemedyEvent != nil && event == EventRemedy && c.RemedyEvent.negative() {
		event = EventAnnul
	}
	extra := map[string]any{"status": c.Status}
	for name, s := range map[string]string{"served_at": c.ServedAt, "service_mode": c.ServiceMode, "announced_at": c.AnnouncedAt,
		"remedy_state": c.RemedyState, "outcome": c.Outcome} {
		if s != "" {
			extra[name] = s
		}
	}
	if len(c.ServiceProof) > 0 {
		extra["service_proof"] = c.ServiceProof
	}
	if c.RemedyEvent != nil {
		extra["remedy_event"] = c.RemedyEvent
	}
	return r.take(ctx, req, TypePenalty, change{on: on, event: event, Change: c.Change, extra: extra, look: func(e *Entry) error {
		p := readMembers(members(e.Parts))
		if event == EventServe && c.ServedAt != "" && p.DecidedAt != "" && c.ServedAt < p.DecidedAt {
			return &Invalid{[]schemas.Violation{{Pointer: "/served_at", Code: "date_order"}}}
		}
		if c.RemedyEvent == nil || event != EventRemedy && event != EventAnnul {
			return nil
		}
		to, ok := after(e.RemedyState, *c.RemedyEvent)
		switch {
		case p.DecidedAt != "" && c.RemedyEvent.At < p.DecidedAt:
			return &Invalid{[]schemas.Violation{{Pointer: "/remedy_event/at", Code: "date_order"}}}
		case !ok:
			return &Invalid{[]schemas.Violation{{Pointer: "/remedy_event/type", Code: ViolationRemedyEvent}}}
		case c.RemedyState != "" && c.RemedyState != to:
			return &Invalid{[]schemas.Violation{{Pointer: "/remedy_state", Code: ViolationRemedyState}}}
		}
		extra["remedy_state"] = to
		return nil
	}})
}
