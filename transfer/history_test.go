package transfer_test

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/pilinhub/pilin/schemas/identifier"
	"github.com/pilinhub/pilin/transfer"
)

// Histories are drawn so that everything that the rule looks at meets everything else: few issuers, places and days, so
// that copies, equal days and overlaps are common, and every field can be missing.

func pick[T any](t *rapid.T, label string, of ...T) T { return rapid.SampledFrom(of).Draw(t, label) }

// usually draws the first value in about four of five cases.
func usually[T any](t *rapid.T, label string, first T, others ...T) T {
	if rapid.IntRange(0, 9).Draw(t, label+"?") < 8 || len(others) == 0 {
		return first
	}
	return pick(t, label, others...)
}

func drawDay(t *rapid.T, label string) identifier.Date {
	return day("2024-01-01").AddDays(rapid.IntRange(0, 120).Draw(t, label) * 7)
}

func drawPerson(t *rapid.T, label string) transfer.Person {
	p := subject()
	p.IDType = usually(t, label+" type", "RIC", "HMP", "PPT", "")
	p.IDNo = usually(t, label+" no", p1, "320623000115901", p2, "320623190001159017", "H90000001", "H9000000102", "E99999999", "")
	p.IDCountry = usually(t, label+" country", "CHN", "")
	p.IDQuality = usually(t, label+" quality", transfer.IDQuality("seen"), transfer.SelfStated, "unknown", "")
	p.Sex = usually(t, label+" sex", identifier.SexMale, identifier.SexFemale, identifier.SexUnknown, "")
	p.Name = usually(t, label+" name", "测甲一", "测乙二", "")
	p.NameVariants = usually(t, label+" variants", nil, []string{"测甲一"}, []string{"测小一"})
	p.HukouRegion = usually(t, label+" home", "320623", "330482", "")
	p.Birth = usually(t, label+" birth", p.Birth, transfer.Birth{Year: 1900}, transfer.Birth{Year: 1902}, transfer.Birth{})
	return p
}

func drawEvents(t *rapid.T) []transfer.Event {
	n := usually(t, "events", 0, 1, 2, 3)
	var out []transfer.Event
	for range n {
		e := transfer.Event{Type: pick(t, "type", transfer.Stayed, transfer.StayLifted, transfer.ReviewApplied, transfer.ReviewDecided, transfer.ReviewWithdrawn,
			transfer.SuitFiled, transfer.Judgment, transfer.SuitWithdrawn, transfer.WithdrawnByIssuer), At: drawDay(t, "event at")}
		switch e.Type {
		case transfer.ReviewDecided, transfer.Judgment:
			e.Outcome = pick(t, "outcome", transfer.Upheld, transfer.Varied, transfer.Revoked, transfer.RevokedRedo, transfer.IllegalNotRevoked, transfer.Void,
				transfer.OutcomeWithdrawn, transfer.Dismissed, transfer.Settled)
		case transfer.ReviewWithdrawn, transfer.SuitWithdrawn:
			e.Outcome = usually(t, "withdrawn", transfer.Outcome(""), transfer.Settled)
		}
		if e.Type == transfer.Judgment && rapid.Bool().Draw(t, "final") {
			e.FinalOn = e.At.AddDays(rapid.IntRange(0, 60).Draw(t, "final after"))
		}
		out = append(out, e)
	}
	return out
}

func drawPenalty(t *rapid.T, i int) transfer.Penalty {
	issuer := pick(t, "issuer", pinghu, songjian, jiaxing, jinshan)
	p := penalty(fmt.Sprint("r", i), pick(t, "origin", "330482-01", "310117-01", "330400-01", "310116-01"), issuer, rapid.IntRange(1, 4).Draw(t, "serial"), "2025-01-01")
	p.Decided = drawDay(t, "decided")
	p.DocNo = fmt.Sprintf("测卫医罚〔2025〕%d号", rapid.IntRange(1, 4).Draw(t, "doc"))
	p.Served = usually(t, "served", p.Decided.AddDays(7), identifier.Date{})
	p.ActTo = usually(t, "act to", p.Decided.AddDays(-rapid.IntRange(0, 60).Draw(t, "before")), identifier.Date{})
	p.ActFrom = usually(t, "act from", p.ActTo.AddDays(-rapid.IntRange(0, 60).Draw(t, "long")), identifier.Date{})
	p.ActPlace = usually(t, "place", issuer[2:8], "330482", "310116", "")
	p.Version = usually(t, "version", 1, 2)
	p.Respondent = drawPerson(t, "respondent")
	p.IssuerKind = usually(t, "issuer kind", transfer.HealthAuthority, transfer.TownOrStreet, transfer.OtherIssuer, "")
	p.RespondentKind = usually(t, "kind", transfer.NaturalPerson, transfer.SoleTrader, transfer.Organisation, "")
	p.Practised = usually(t, "practised", true, false)
	p.Cause = usually(t, "cause", "UP01", "UP02", "UP08", "UP03", "IN01", "XX", "")
	p.Qualification = usually(t, "qualification", transfer.Unqualified, transfer.Forged, transfer.QualifiedRegistered, transfer.VillageDoctor, transfer.Qualification(""))
	p.Kinds = usually(t, "kinds", []string{"P2a"}, []string{"BAN"}, []string{"CORRECT", "P1"}, nil)
	p.ServiceMode = usually(t, "mode", transfer.ServiceMode("DIR"), transfer.Announcement, "")
	p.Announced = usually(t, "announced", identifier.Date{}, p.Decided.AddDays(7))
	p.ServiceProof = usually(t, "proof", true, false)
	p.NotTold = usually(t, "told", false, true)
	p.UsedInConviction = usually(t, "used", false, true)
	p.Transferred = usually(t, "transferred", false, true)
	p.Events = drawEvents(t)
	if usually(t, "suspended", false, true) {
		p.Suspended = &transfer.Suspension{At: drawDay(t, "suspended at"), Lifted: usually(t, "lifted", identifier.Date{}, drawDay(t, "lifted at")), By: usually(t, "by", "法制-01", "")}
	}
	if usually(t, "objection", false, true) {
		p.Objections = []identifier.Date{drawDay(t, "objected")}
	}
	if usually(t, "confirmed", false, true) {
		p.Confirmed = []transfer.Confirmation{{Reason: pick(t, "confirmed what", transfer.ReasonSoleTrader, transfer.QualificationUnclear, transfer.CauseQ,
			transfer.ReasonIllegal, transfer.IssuerUnclear, transfer.PriorConviction, transfer.ServiceUnproven, transfer.ActUnknown),
			At: drawDay(t, "confirmed at"), By: usually(t, "confirmed by", "acc-31", "")}}
	}
	return p
}

func drawQuestion(t *rapid.T) transfer.Question {
	q := transfer.Question{Subject: drawPerson(t, "subject"), AsOf: day("2025-03-01").AddDays(rapid.IntRange(0, 500).Draw(t, "as of")), Answered: 6, Total: 7}
	for i := range rapid.IntRange(0, 6).Draw(t, "penalties") {
		q.Penalties = append(q.Penalties, drawPenalty(t, i))
	}
	if rapid.Bool().Draw(t, "act") {
		q.NewAct = &transfer.NewAct{At: q.AsOf.AddDays(-rapid.IntRange(0, 90).Draw(t, "act ago")), TreatingConfirmed: true, Officers: []string{"99000000001", "99000000002"},
			Qualification: usually(t, "qualified now", transfer.Unqualified, transfer.QualifiedRegistered, transfer.Qualification(""))}
	}
	if usually(t, "link", false, true) {
		q.Links = []transfer.Link{{A: transfer.Document{Type: "RIC", No: p1}, B: transfer.Document{Type: "HMP", No: "H90000001"}, ApprovedBy: usually(t, "approved", "法制-01", "")}}
	}
	if usually(t, "l1", false, true) {
		q.L1Answers = []transfer.L1Answer{{Member: "330421-01", Countable: rapid.IntRange(0, 2).Draw(t, "countable")}}
	}
	return q
}

// clone copies a question deep enough to change its penalties.
func clone(q transfer.Question) transfer.Question {
	q.Penalties = slices.Clone(q.Penalties)
	for i := range q.Penalties {
		q.Penalties[i].Events = slices.Clone(q.Penalties[i].Events)
	}
	return q
}
