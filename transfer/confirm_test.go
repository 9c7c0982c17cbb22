package transfer_test

import (
	"testing"

	"github.com/pilinhub/pilin/transfer"
)

// Only what is stated and disputed can be confirmed, only by name, and only from its day on (domain.md §6.3, ADR 9).
func TestCount_confirmed_by_a_reviewer(t *testing.T) {
	by := func(r transfer.Reason) transfer.Confirmation {
		return transfer.Confirmation{Reason: r, By: "acc-31", At: day("2026-03-13")}
	}
	illegal := []transfer.Event{event(transfer.ReviewDecided, "2025-10-01", transfer.IllegalNotRevoked)}
	for _, c := range []struct {
		name    string
		change  func(p *transfer.Penalty)
		confirm transfer.Confirmation
		want    string
	}{
		{"sole trader", func(p *transfer.Penalty) { p.RespondentKind = transfer.SoleTrader }, by(transfer.ReasonSoleTrader), "C counted"},
		{"village doctor", func(p *transfer.Penalty) { p.Qualification = transfer.VillageDoctor }, by(transfer.QualificationUnclear), "C counted"},
		{"qualification unknown", func(p *transfer.Penalty) { p.Qualification = transfer.QualificationUnknown }, by(transfer.QualificationUnclear), "P qualification_unclear"},
		{"qualification missing", func(p *transfer.Penalty) { p.Qualification = "" }, by(transfer.QualificationUnclear), "P qualification_unclear"},
		{"class Q", func(p *transfer.Penalty) { p.Cause = "UP03" }, by(transfer.CauseQ), "C counted"},
		{"cause missing", func(p *transfer.Penalty) { p.Cause = "" }, by(transfer.CauseQ), "P cause_q"},
		{"illegal, not revoked", func(p *transfer.Penalty) { p.Events = illegal }, by(transfer.ReasonIllegal), "C counted"},
		{"town", func(p *transfer.Penalty) { p.IssuerKind = transfer.TownOrStreet }, by(transfer.IssuerUnclear), "C counted"},
		{"issuer kind missing", func(p *transfer.Penalty) { p.IssuerKind = "" }, by(transfer.IssuerUnclear), "P issuer_unclear"},
		{"used in a conviction", func(p *transfer.Penalty) { p.UsedInConviction = true }, by(transfer.PriorConviction), "C counted"},

		{"without a name", func(p *transfer.Penalty) { p.IssuerKind = transfer.TownOrStreet }, transfer.Confirmation{Reason: transfer.IssuerUnclear, At: day("2026-03-01")}, "P issuer_unclear"},
		{"without a day", func(p *transfer.Penalty) { p.IssuerKind = transfer.TownOrStreet }, transfer.Confirmation{Reason: transfer.IssuerUnclear, By: "acc-31"}, "P issuer_unclear"},
		{"tomorrow", func(p *transfer.Penalty) { p.IssuerKind = transfer.TownOrStreet }, transfer.Confirmation{Reason: transfer.IssuerUnclear, By: "acc-31", At: day("2026-03-14")}, "P issuer_unclear"},
		{"another reason", func(p *transfer.Penalty) { p.IssuerKind = transfer.TownOrStreet }, by(transfer.ReasonSoleTrader), "P issuer_unclear"},
		{"the next reason waits", func(p *transfer.Penalty) { p.RespondentKind, p.Cause = transfer.SoleTrader, "UP03" }, by(transfer.ReasonSoleTrader), "P cause_q"},

		{"no proof of service", func(p *transfer.Penalty) { p.ServiceProof = false }, by(transfer.ServiceUnproven), "P service_unproven"},
		{"act unknown", func(p *transfer.Penalty) { p.ActTo = day("") }, by(transfer.ActUnknown), "P act_unknown"},
		{"kinds missing", func(p *transfer.Penalty) { p.Kinds = nil }, by(transfer.RecordIncomplete), "P record_incomplete"},
		{"not said who practised", func(p *transfer.Penalty) { p.Cause, p.Practised = "UP02", false }, by(transfer.PractitionerUnclear), "P practitioner_unclear"},
		{"settled", func(p *transfer.Penalty) {
			p.Events = []transfer.Event{event(transfer.ReviewDecided, "2025-10-01", transfer.Settled)}
		}, by(transfer.ReasonSettled), "P settled"},
		{"stayed", func(p *transfer.Penalty) { p.Events = []transfer.Event{event(transfer.Stayed, "2025-10-01", "")} }, by(transfer.ReasonStayed), "P stayed"},
		{"suspended", func(p *transfer.Penalty) {
			p.Suspended = &transfer.Suspension{At: day("2026-03-01"), By: "x"}
		}, by(transfer.ReasonSuspended), "P suspended"},
		{"R2", func(p *transfer.Penalty) { p.Respondent.IDQuality = transfer.SelfStated }, by(transfer.IdentityR2), "P identity_r2"},
		{"an E stays one", func(p *transfer.Penalty) { p.IssuerKind = transfer.OtherIssuer }, by(transfer.ReasonIssuerKind), "E issuer_kind"},
		{"qualified stays E", func(p *transfer.Penalty) { p.Qualification = transfer.QualifiedRegistered }, by(transfer.QualificationUnclear), "E qualified"},
		{"revoked stays E", func(p *transfer.Penalty) {
			p.Events = append(illegal, event(transfer.Judgment, "2025-12-01", transfer.Revoked))
			p.Events[1].FinalOn = day("2025-12-20")
		}, by(transfer.ReasonIllegal), "E annulled"},
	} {
		p := with(b(), func(p *transfer.Penalty) { c.change(p); p.Confirmed = []transfer.Confirmation{c.confirm} })
		if got := reasonOf(t, transfer.Count(question(nil, p)), "b"); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
