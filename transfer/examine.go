package transfer

import (
	"slices"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// Verdict says whether a penalty counts.
type Verdict string

// The verdicts.
const (
	Counts   Verdict = "C"
	Pending  Verdict = "P" // a named reviewer decides
	Excluded Verdict = "E"
)

// Reason is the step of domain.md §6.3 that decided.
type Reason string

// The reasons, by step.
const (
	NotPenalty           Reason = "not_penalty"           // 2
	Annulled             Reason = "annulled"              // 3
	ReasonOrganisation   Reason = "organisation"          // 4
	CauseN               Reason = "cause_n"               // 5
	Qualified            Reason = "qualified"             // 6
	ReasonIssuerKind     Reason = "issuer_kind"           // 7
	ServiceFuture        Reason = "service_future"        // 8
	CopiesDiffer         Reason = "copies_differ"         // 8, by the asker
	ServiceUnproven      Reason = "service_unproven"      // 8
	ActUnknown           Reason = "act_unknown"           // 8a
	RecordIncomplete     Reason = "record_incomplete"     // 8b
	ReasonSoleTrader     Reason = "sole_trader"           // 9
	QualificationUnclear Reason = "qualification_unclear" // 10
	CauseQ               Reason = "cause_q"               // 11
	PractitionerUnclear  Reason = "practitioner_unclear"  // 12
	ReasonIllegal        Reason = "illegal_not_revoked"   // 13
	ReasonSettled        Reason = "settled"               // 13
	ReasonStayed         Reason = "stayed"                // 13
	ReasonSuspended      Reason = "suspended"             // 13
	IssuerUnclear        Reason = "issuer_unclear"        // 14
	IdentityR2           Reason = "identity_r2"           // 15, by the asker
	IdentityRX           Reason = "identity_rx"           // 15, by the asker
	PriorConviction      Reason = "prior_conviction"      // 16
	Counted              Reason = "counted"               // 17
	SameAct              Reason = "same_act"              // overlap
	ParallelAct          Reason = "parallel_act"          // overlap
	ReasonL1             Reason = "l1_answer"             // §6.1
)

// Finding is a verdict with its reason. The zero Finding is "no step has hit".
type Finding struct {
	Verdict Verdict
	Reason  Reason
}

// Line is what the origin of a record computes about it (domain.md §6.1, column L2). No identifier and no name is in it.
// Of a Lead it holds the record id alone.
type Line struct {
	RecordID  string
	Origin    string
	Version   int
	Level     Level
	Agreed    []string // facts of resolution
	Disagreed []string

	Found      Finding // by steps 2–14 and 16; zero if none hit
	PassedOver Finding // the same with steps 3 and 13 passed over
	Annulled   bool    // step 3
	Stayed     bool

	Issuer      string // normalised
	DocNo       string // normalised
	Decided     identifier.Date
	Served      identifier.Date // day of service, of an announcement computed
	ActFrom     identifier.Date
	ActTo       identifier.Date
	ActPlace    string
	Final       identifier.Date // end of the period for remedies; no day while one is open
	Transferred bool
	Objection   bool // one was received: a flag, never a number
}

// Examine computes the origin's half for one record: who it is about, and steps 2–14 and 16 of §6.3. A record about
// somebody else gives a Line with an empty level.
func Examine(s *Person, p *Penalty, links []Link, asOf identifier.Date) Line {
	l := Line{RecordID: p.RecordID, Origin: p.Origin, Version: p.Version}
	r := resolve(s, p, links, asOf)
	l.Level = r.level
	if l.Level == "" || l.Level == Lead {
		return l
	}
	l.Agreed, l.Disagreed = r.agreed, r.disagreed
	c := reading{Penalty: p, asOf: asOf, served: p.serviceDay()}
	c.standing = foldRemedies(p, c.served, asOf)
	c.actFrom, c.actTo = past(p.ActFrom, asOf), past(p.ActTo, asOf)

	l.Found, l.PassedOver = c.walk(false), c.walk(true)
	l.Annulled, l.Stayed = c.standing.annulled, c.standing.stayed
	l.Issuer = identifier.Normalise(p.IssuerUSCC)
	l.DocNo = identifier.ParseDocNo(p.DocNo, p.Decided).Normalised
	l.Decided, l.Served = p.Decided, c.served
	l.ActFrom, l.ActTo, l.ActPlace = c.actFrom, c.actTo, p.ActPlace
	l.Final, l.Transferred = c.standing.final(), p.Transferred
	l.Objection = slices.ContainsFunc(p.Objections, func(d identifier.Date) bool { return !d.IsZero() && !d.After(asOf) })
	return l
}

// past is d unless it lies after asOf: such a fact does not exist yet (§6.1).
func past(d, asOf identifier.Date) identifier.Date {
	if d.After(asOf) {
		return identifier.Date{}
	}
	return d
}

// announced30 is the first day whose announcements take 30 days (民事诉讼法 art. 95 as revised, domain.md §2.6.10).
var announced30 = identifier.Date{Year: 2022, Month: 1, Day: 1}

// serviceDay is the day of service. Of an announcement it is computed, whatever was typed (§6.3 step 8).
func (p *Penalty) serviceDay() identifier.Date {
	switch {
	case p.ServiceMode != Announcement:
		return p.Served
	case p.Announced.Before(announced30):
		return p.Announced.AddDays(60)
	}
	return p.Announced.AddDays(30)
}

// reading is a penalty as it stands on a day.
type reading struct {
	*Penalty
	asOf           identifier.Date
	served         identifier.Date
	actFrom, actTo identifier.Date
	standing       standing
}

// step is one row of §6.3. Those that fall are passed over when it is asked what a fallen decision had absorbed.
type step struct {
	Finding
	falls bool
	hits  func(r *reading) bool
}

// walk returns what the first step that hits finds, but for those that a named reviewer has decided.
func (r *reading) walk(passOver bool) Finding {
	for _, s := range steps {
		if !(passOver && s.falls) && s.hits(r) && !r.confirmed(s.Reason) {
			return s.Finding
		}
	}
	return Finding{}
}

// steps are 2–14 and 16 of §6.3 in the stated order. None excludes and none lets count on a value that is missing.
var steps = []step{
	// 2. 行政处罚法 art. 9 lists what is a penalty; 责令改正 (art. 28) and 取缔 are none.
	{Finding{Excluded, NotPenalty}, false, func(r *reading) bool {
		return len(r.Kinds) > 0 && !slices.ContainsFunc(r.Kinds, func(k string) bool { return slices.Contains(penaltyKinds, k) })
	}},
	// 3. 行政复议法 art. 64; 行政诉讼法 arts. 70, 75: what is revoked or void is no penalty; what the issuer took back neither.
	{Finding{Excluded, Annulled}, true, func(r *reading) bool { return r.standing.annulled }},
	// 4. 刑法 art. 336 and 解释 art. 1 speak of a person; an organisation's penalty is not his.
	{Finding{Excluded, ReasonOrganisation}, false, func(r *reading) bool { return r.RespondentKind == Organisation }},
	// 5. Duties of institutions (医疗机构管理条例 arts. 46, 47; 基本医疗卫生与健康促进法 arts. 99-2, 100).
	{Finding{Excluded, CauseN}, false, func(r *reading) bool { return causes[r.Cause] == classN }},
	// 6. 法释〔2016〕27号: who held a physician qualification is not the subject of the crime.
	{Finding{Excluded, Qualified}, false, func(r *reading) bool { return r.Qualification.physician() }},
	// 7. 解释 art. 2(4): 被卫生行政部门行政处罚.
	{Finding{Excluded, ReasonIssuerKind}, false, func(r *reading) bool { return r.IssuerKind == OtherIssuer }},
	// 8. 行政处罚法 art. 61: a decision stands from its service.
	{Finding{Excluded, ServiceFuture}, false, (*reading).serviceAhead},
	{Finding{Pending, ServiceUnproven}, false, func(r *reading) bool { return r.served.IsZero() || r.ServiceMode == "" || !r.ServiceProof }},
	// 8a. Without the days of the act nobody can tell whether it is the same act (行政处罚法 art. 29).
	{Finding{Pending, ActUnknown}, false, func(r *reading) bool { return r.actFrom.IsZero() || r.actTo.IsZero() }},
	// 8b. An undated remedy may have annulled the decision: neither E nor C may rest on it (ADR 7).
	{Finding{Pending, RecordIncomplete}, false, func(r *reading) bool {
		return len(r.Kinds) == 0 || r.RespondentKind == "" || r.standing.undated
	}},
	// 9. Whether a 个体工商户 stands for its operator is disputed (domain.md §8 no. 5).
	{Finding{Pending, ReasonSoleTrader}, false, func(r *reading) bool { return r.RespondentKind == SoleTrader }},
	// 10. 解释 art. 1: 未取得医生执业资格; a doubtful status is for the reviewer (乡村医生从业管理条例 art. 42).
	{Finding{Pending, QualificationUnclear}, false, func(r *reading) bool { return !r.Qualification.lacking() }},
	// 11. Causes that are not plainly 非医师行医.
	{Finding{Pending, CauseQ}, false, func(r *reading) bool { return causes[r.Cause] != classK }},
	// 12. 促进法 art. 99-1 punishes whoever runs the place; the crime is that of who treats.
	{Finding{Pending, PractitionerUnclear}, false, func(r *reading) bool {
		return (r.Cause == "UP02" || r.Cause == "UP08") && !r.Practised
	}},
	// 13. 行政诉讼法 art. 74 (illegal, not revoked); 行政复议法 art. 42 (stay); settlement is open until entered; domain.md §5.1 (suspension).
	{Finding{Pending, ReasonIllegal}, true, func(r *reading) bool { return r.standing.outcome == IllegalNotRevoked }},
	{Finding{Pending, ReasonSettled}, true, func(r *reading) bool { return r.standing.outcome == Settled }},
	{Finding{Pending, ReasonStayed}, true, func(r *reading) bool { return r.standing.stayed }},
	{Finding{Pending, ReasonSuspended}, true, func(r *reading) bool { return r.Suspended.holds(r.asOf) }},
	// 14. 行政处罚法 art. 24: powers handed to towns and streets; whether these are 卫生行政部门 is disputed.
	{Finding{Pending, IssuerUnclear}, false, func(r *reading) bool { return r.IssuerKind != HealthAuthority }},
	// 16. Double use of a penalty after a conviction is disputed (domain.md §8 no. 5).
	{Finding{Pending, PriorConviction}, false, func(r *reading) bool { return r.UsedInConviction }},
}

// serviceAhead reports that service or decision lie after the day of reckoning. Without its mode a decision may have been
// announced: both days must then lie ahead, because nothing is excluded on a missing value.
func (r *reading) serviceAhead() bool {
	ahead := r.served.After(r.asOf)
	if r.ServiceMode == "" && !r.Announced.IsZero() {
		announced := Penalty{ServiceMode: Announcement, Announced: r.Announced}
		ahead = ahead && announced.serviceDay().After(r.asOf)
	}
	return ahead || r.Decided.After(r.asOf)
}

// holds reports whether the suspension is in force: from its day (from the beginning if that is missing) until the day
// on which it is lifted, if a named person decided it.
func (s *Suspension) holds(asOf identifier.Date) bool {
	if s == nil || s.By == "" || s.At.After(asOf) {
		return false
	}
	return s.Lifted.IsZero() || s.Lifted.After(asOf)
}
