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
	Status       string         // served, remedy_event, suspended, lifted, voided, objection, transferred, photo_compared, confirmed
	ServedAt     string         // of served
	ServiceMode  string         // of served
	ServiceProof jsontext.Value // blob id, or whether there is one
	AnnouncedAt  string         // of served by announcement
	RemedyEvent  *RemedyEvent   // of remedy_event
	RemedyState  string         // of remedy_event alone: what the table says follows, or empty
	Outcome      string         // of voided: revoked, revoked_redo, void, withdrawn_by_issuer

	ObjectionAt   string   // of objection: day on which any member received it
	TransferredAt string   // of transferred: day on which the police received it
	ComparedAt    string   // of photo_compared
	Officers      []string // of photo_compared: certificate numbers, two at least
	Confirms      string   // of confirmed: the reason for which the penalty waited
}

// penaltyEvents are the events of the states; who may enter one can depend on more (eventOf).
var penaltyEvents = map[string]workflow.Event{"served": EventServe, "remedy_event": EventRemedy, "suspended": EventSuspend, "lifted": EventLift, "voided": EventVoid,
	"objection": EventObject, "transferred": EventTransfer, "photo_compared": EventCompare, "confirmed": EventSettle}

// eventOf says what a status comes to for this penalty. Whatever may turn a penalty that waits into one that counts is the
// legal reviewer's: the proof of service, the end of a stay or settlement, a confirmation (domain.md §6.3, C1).
func (c *PenaltyChange) eventOf(e *Entry) workflow.Event {
	event := penaltyEvents[c.Status]
	switch {
	case event == EventServe && proves(c.ServiceProof):
		return EventProve
	case event != EventRemedy || c.RemedyEvent == nil:
	case c.RemedyEvent.negative():
		return EventAnnul
	case c.RemedyEvent.restores(e.RemedyState):
		return EventRestore
	}
	return event
}

func proves(proof jsontext.Value) bool {
	return len(proof) > 0 && (proof.Kind() == '"' || proof.Kind() == 't')
}

// PenaltyStatus records what happened to a decision. Suspending is anybody's duty who sees a doubt; what ends the penalty
// (voided, or a remedy event with such an outcome) is entered at once by the legal reviewer, with the paper, and needs no
// head (domain.md §5.2).
func (r *Register) PenaltyStatus(ctx context.Context, req Request, on On, c PenaltyChange) (Done, error) {
	if _, ok := penaltyEvents[c.Status]; !ok {
		return Done{}, &Invalid{[]schemas.Violation{{Pointer: "/status", Code: "enum"}}}
	}
	if c.RemedyState != "" && c.Status != "remedy_event" { // it would end a wait that only the reviewer ends
		return Done{}, &Invalid{[]schemas.Violation{{Pointer: "/remedy_state", Code: ViolationRemedyState}}}
	}
	extra := map[string]any{"status": c.Status}
	for name, s := range map[string]string{"served_at": c.ServedAt, "service_mode": c.ServiceMode, "announced_at": c.AnnouncedAt,
		"remedy_state": c.RemedyState, "outcome": c.Outcome, "objection_at": c.ObjectionAt, "transferred_at": c.TransferredAt,
		"compared_at": c.ComparedAt, "confirms": c.Confirms} {
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
	if len(c.Officers) > 0 {
		extra["officers"] = c.Officers
	}
	return r.take(ctx, req, only(TypePenalty), change{on: on, eventOf: c.eventOf, Change: c.Change, extra: extra, look: func(e *Entry) error {
		p := readMembers(members(e.Parts))
		for name, day := range map[string]string{"objection_at": c.ObjectionAt, "transferred_at": c.TransferredAt, "compared_at": c.ComparedAt} {
			if day > r.today() {
				return &Invalid{[]schemas.Violation{{Pointer: "/" + name, Code: "date_future"}}}
			}
		}
		if c.Status == "served" && c.ServedAt != "" && p.DecidedAt != "" && c.ServedAt < p.DecidedAt {
			return &Invalid{[]schemas.Violation{{Pointer: "/served_at", Code: "date_order"}}}
		}
		if c.RemedyEvent == nil || c.Status != "remedy_event" {
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
