package transfer_test

import (
	"testing"

	"github.com/pilinhub/pilin/transfer"
)

// Single steps of domain.md §6.3 and their order.
func TestCount_steps(t *testing.T) {
	announce := func(on string) func(p *transfer.Penalty) {
		return func(p *transfer.Penalty) {
			p.ServiceMode, p.Announced, p.Served = transfer.Announcement, day(on), day("2030-01-01")
		}
	}
	for _, c := range []struct {
		name   string
		change func(p *transfer.Penalty)
		want   string
	}{
		{"announced 30 days ago", announce("2026-02-11"), "C counted"},
		{"announced 29 days ago", announce("2026-02-12"), "E service_future"},
		{"announced under the old rule", func(p *transfer.Penalty) { announce("2021-12-31")(p); p.Decided = day("2021-12-01") }, "C counted"},
		{"announced, the day is missing", func(p *transfer.Penalty) { p.ServiceMode = transfer.Announcement }, "P service_unproven"},
		{"decided tomorrow", func(p *transfer.Penalty) { p.Decided = day("2026-03-14") }, "E service_future"},
		{"served tomorrow without proof", func(p *transfer.Penalty) { p.Served, p.ServiceProof = day("2026-03-14"), false }, "E service_future"},
		{"mode missing", func(p *transfer.Penalty) { p.ServiceMode = "" }, "P service_unproven"},
		{"mode missing, served tomorrow, announced long ago", func(p *transfer.Penalty) {
			p.ServiceMode, p.Served, p.Announced = "", day("2026-03-14"), day("2025-01-01")
		}, "P service_unproven"},
		{"served today", func(p *transfer.Penalty) { p.Served = day("2026-03-13") }, "C counted"},
		{"one penalty among measures", func(p *transfer.Penalty) { p.Kinds = []string{"CORRECT", "P1"} }, "C counted"},
		{"kinds missing", func(p *transfer.Penalty) { p.Kinds = nil }, "P record_incomplete"},
		{"respondent kind missing", func(p *transfer.Penalty) { p.RespondentKind = "" }, "P record_incomplete"},
		{"act before incomplete", func(p *transfer.Penalty) { p.Kinds, p.ActTo = nil, day("") }, "P act_unknown"},
		{"act of tomorrow", func(p *transfer.Penalty) { p.ActTo = day("2026-03-14") }, "P act_unknown"},
		{"organisation before cause", func(p *transfer.Penalty) { p.RespondentKind, p.Cause = transfer.Organisation, "IN01" }, "E organisation"},
		{"cause before qualification", func(p *transfer.Penalty) { p.Cause, p.Qualification = "IN04", transfer.QualifiedRegistered }, "E cause_n"},
		{"qualified before issuer", func(p *transfer.Penalty) {
			p.Qualification, p.IssuerKind = transfer.AssistantPhysician, transfer.OtherIssuer
		}, "E qualified"},
		{"issuer before service", func(p *transfer.Penalty) { p.IssuerKind, p.Served = transfer.OtherIssuer, day("2026-04-01") }, "E issuer_kind"},
		{"sole trader before qualification", func(p *transfer.Penalty) { p.RespondentKind, p.Qualification = transfer.SoleTrader, "" }, "P sole_trader"},
		{"village doctor", func(p *transfer.Penalty) { p.Qualification = transfer.VillageDoctor }, "P qualification_unclear"},
		{"forged", func(p *transfer.Penalty) { p.Qualification = transfer.Forged }, "C counted"},
		{"revoked certificate", func(p *transfer.Penalty) { p.Qualification, p.Cause = transfer.RevokedCertificate, "UP06" }, "C counted"},
		{"qualification before cause", func(p *transfer.Penalty) { p.Qualification, p.Cause = transfer.Trainee, "UP03" }, "P qualification_unclear"},
		{"class Q", func(p *transfer.Penalty) { p.Cause = "UP12" }, "P cause_q"},
		{"unknown cause", func(p *transfer.Penalty) { p.Cause = "UP99" }, "P cause_q"},
		{"cause missing", func(p *transfer.Penalty) { p.Cause = "" }, "P cause_q"},
		{"UP08 not practised", func(p *transfer.Penalty) { p.Cause, p.Practised = "UP08", false }, "P practitioner_unclear"},
		{"UP05 needs no such statement", func(p *transfer.Penalty) { p.Cause, p.Practised = "UP05", false }, "C counted"},
		{"UP10", func(p *transfer.Penalty) { p.Cause = "UP10" }, "C counted"},
		{"issuer kind missing", func(p *transfer.Penalty) { p.IssuerKind = "" }, "P issuer_unclear"},
		{"TCM authority", func(p *transfer.Penalty) { p.IssuerKind = transfer.TCMAuthority }, "P issuer_unclear"},
		{"suspended without a name", func(p *transfer.Penalty) { p.Suspended = &transfer.Suspension{At: day("2026-01-01")} }, "C counted"},
		{"suspended tomorrow", func(p *transfer.Penalty) { p.Suspended = &transfer.Suspension{At: day("2026-03-14"), By: "x"} }, "C counted"},
		{"suspended today", func(p *transfer.Penalty) { p.Suspended = &transfer.Suspension{At: day("2026-03-13"), By: "x"} }, "P suspended"},
		{"lifted today", func(p *transfer.Penalty) {
			p.Suspended = &transfer.Suspension{At: day("2026-03-01"), Lifted: day("2026-03-13"), By: "x"}
		}, "C counted"},
		{"lifted tomorrow", func(p *transfer.Penalty) {
			p.Suspended = &transfer.Suspension{At: day("2026-03-01"), Lifted: day("2026-03-14"), By: "x"}
		}, "P suspended"},
		{"suspended before issuer", func(p *transfer.Penalty) {
			p.Suspended, p.IssuerKind = &transfer.Suspension{At: day("2026-03-01"), By: "x"}, transfer.TownOrStreet
		}, "P suspended"},
		{"issuer before identity", func(p *transfer.Penalty) {
			p.IssuerKind, p.Respondent.IDQuality = transfer.TownOrStreet, transfer.SelfStated
		}, "P issuer_unclear"},
		{"identity before conviction", func(p *transfer.Penalty) { p.UsedInConviction, p.Respondent.IDQuality = true, transfer.SelfStated }, "P identity_r2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := reasonOf(t, transfer.Count(question(nil, with(b(), c.change))), "b"); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
