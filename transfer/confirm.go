package transfer

import (
	"slices"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// Confirmation 法制确认 is the decision of a named legal reviewer of the origin about a reason for which a penalty waits:
// it is not to wait for that one any more (domain.md §6.3: "P(ending, reviewer decides)"; ADR 9).
type Confirmation struct {
	Reason Reason
	By     string          // account of the reviewer; without one it is ignored
	At     identifier.Date // without it ignored too: nobody knows whether it exists yet
}

// confirmed reports that a named reviewer has decided the reason by the day of reckoning. Only what is stated and disputed
// can be decided. What is merely missing is entered by a correction or a status, because no step counts on a missing value;
// a stay, a settlement and a suspension end by their own records; identity by a link or a correction; copies that differ at
// their origins.
func (r *reading) confirmed(reason Reason) bool {
	switch reason {
	case ReasonSoleTrader, ReasonIllegal, PriorConviction:
	case QualificationUnclear:
		if r.Qualification == "" || r.Qualification == QualificationUnknown {
			return false
		}
	case CauseQ:
		if r.Cause == "" {
			return false
		}
	case IssuerUnclear:
		if r.IssuerKind == "" {
			return false
		}
	default:
		return false
	}
	return slices.ContainsFunc(r.Confirmed, func(c Confirmation) bool {
		return c.Reason == reason && c.By != "" && !c.At.IsZero() && !c.At.After(r.asOf)
	})
}
