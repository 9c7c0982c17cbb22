package transfer

import (
	"regexp"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/schemas/identifier"
)

var (
	memberForm = regexp.MustCompile(`^[0-9]{6}-[0-9]{2}$`)
	regionForm = regexp.MustCompile(`^[0-9]{6}$`)
	yearForm   = regexp.MustCompile(`^[0-9]{4}$`)

	idTypes = []string{identifier.TypeResident, identifier.TypePassport, identifier.TypeHKMacau, identifier.TypeTaiwan, identifier.TypeHKResidence,
		identifier.TypeTaiwanResident, identifier.TypeForeign, identifier.TypeMilitary, identifier.TypeHousehold, identifier.TypeUnknown}
	idQualities = []IDQuality{"police_verified", "card_read", "seen", SelfStated, "unknown"}
	sexes       = []identifier.Sex{identifier.SexUnknown, identifier.SexMale, identifier.SexFemale, identifier.SexNotStated}
	issuerKinds = []IssuerKind{HealthAuthority, TCMAuthority, CDCAuthority, TownOrStreet, GeneralEnforcement, OtherIssuer}
	respondents = []RespondentKind{NaturalPerson, SoleTrader, Organisation}
	modes       = []ServiceMode{"DIR", "LEFT", "MAIL", "ENTR", "ELEC", Announcement}
	allKinds    = slices.Concat(penaltyKinds, measures)

	qualifications = []Qualification{Unqualified, Forged, RevokedCertificate, QualifiedRegistered, QualifiedUnregistered, AssistantPhysician,
		TCMSpecialist, VillageDoctor, TCMApprentice, ForeignOnly, Trainee, QualificationUnknown}
)

// document reads the whole text as one JSON object.
func (d *decoder) document(b []byte) object {
	var v jsontext.Value
	if err := json.Unmarshal(b, &v); err != nil {
		d.refuse("", "json_invalid")
		return object{d: d}
	}
	return d.object("", v)
}

func (d *decoder) question(b []byte) Question {
	o := d.document(b)
	for _, name := range []string{"as_of", "answered", "total"} {
		if d.refused == nil {
			o.need(name)
		}
	}
	q := Question{AsOf: o.day("as_of"), Answered: o.count("answered", maxInt), Total: o.count("total", maxInt)}
	if q.Answered > q.Total {
		d.refuse("/answered", "range")
	}
	q.Subject = readPerson(o.inner("subject"))
	for i, v := range o.list("penalties") {
		if missing(v) {
			v = nil // refused below: a penalty lacks what it may not lack
		}
		q.Penalties = append(q.Penalties, readPenalty(d.object(item(o, "penalties", i), v)))
	}
	q.Links = objects(o, "links", readLink)
	q.L1Answers = objects(o, "l1_answers", func(o object) L1Answer {
		return L1Answer{o.text("member"), o.count("countable", maxCountable)}
	})
	if o.get("new_act") != nil {
		q.NewAct = readNewAct(o.inner("new_act"), q.AsOf)
	}
	return q
}

const maxInt = 1<<53 - 1

func readPerson(o object) Person {
	p := Person{Name: o.text("name"), NameVariants: o.texts("name_variants"), IDType: enum(o, "id_type", idTypes...), IDNo: o.text("id_no"),
		IDCountry: o.text("id_country"), IDNoOld: o.text("id_no_old"), IDQuality: enum(o, "id_quality", idQualities...), Sex: enum(o, "sex", sexes...),
		HukouRegion: o.text("hukou_region")}
	birth := o.text("birth_date")
	day := birth
	if yearForm.MatchString(birth) {
		day += "-01-01" // the year is checked as a day of it
	}
	p.Birth.Day = o.d.day(o.place("birth_date"), day)
	p.Birth.Year = p.Birth.Day.Year
	if day != birth {
		p.Birth.Day = identifier.Date{}
	}
	p.Phones = objects(o, "phones", func(o object) Phone { return Phone{o.text("no"), o.day("from"), o.day("to")} })
	return p
}

func readLink(o object) Link {
	document := func(o object) Document {
		return Document{Type: enum(o, "id_type", idTypes...), No: o.text("id_no"), Country: o.text("id_country")}
	}
	return Link{document(o.inner("a")), document(o.inner("b")), o.text("approved_by")}
}

func readPenalty(o object) Penalty {
	p := Penalty{RecordID: o.required("record_id"), Origin: o.required("origin"), Version: o.whole("version", 1), DocNo: o.required("doc_no"),
		IssuerUSCC: o.required("issuer_uscc"), IssuerKind: enum(o, "issuer_kind", issuerKinds...),
		RespondentKind: enum(o, "respondent_kind", respondents...), Respondent: readPerson(o.inner("respondent")),
		Practised: o.yes("practitioner_is_respondent"), Cause: o.text("cause_code"), ActFrom: o.day("act_from"), ActTo: o.day("act_to"),
		ActPlace: o.form("act_place", regionForm), Qualification: enum(o, "qualification_at_act", qualifications...), Kinds: o.texts("kinds")}
	o.form("origin", memberForm)
	if p.ActTo.Before(p.ActFrom) {
		o.d.refuse(o.place("act_to"), "date_order")
	}
	for i, v := range o.list("kinds") {
		if !missing(v) && v.Kind() == '"' {
			one(o.d, item(o, "kinds", i), unquote(v), allKinds)
		}
	}
	o.need("decided_at")
	p.Decided, p.Served, p.Announced = o.day("decided_at"), o.day("served_at"), o.day("announced_at")
	p.ServiceMode = enum(o, "service_mode", modes...)
	switch v := o.get("service_proof"); {
	case v == nil:
	case v.Kind() == '"': // the id of a blob
		p.ServiceProof = true
	default:
		p.ServiceProof = o.yes("service_proof")
	}
	told, stated := o.flag("remedy_told")
	p.NotTold = stated && !told
	p.UsedInConviction, p.Transferred = o.yes("used_in_conviction"), o.yes("transferred")
	if o.get("suspended") != nil {
		s := o.inner("suspended")
		p.Suspended = &Suspension{At: s.day("at"), By: s.text("by"), Lifted: s.day("lifted_at")}
	}
	for i, s := range o.texts("objections") {
		p.Objections = append(p.Objections, o.d.day(item(o, "objections", i), s))
	}
	p.PhotoComparedBy = o.texts("photo_compared_by")
	p.Confirmed = objects(o, "confirmed", func(o object) Confirmation {
		return Confirmation{Reason(o.text("reason")), o.text("by"), o.day("at")}
	})
	p.Events = objects(o, "remedy_events", readEvent)
	return p
}

func readEvent(o object) Event {
	e := Event{Type: enum(o, "type", eventOrder...), At: o.day("at"), Outcome: enum(o, "outcome", outcomeOrder...), FinalOn: o.day("final_on")}
	if e.Outcome == "" && (e.Type == ReviewDecided || e.Type == Judgment) {
		o.d.refuse(o.place("outcome"), "required")
	}
	return e
}

// readNewAct reads the act that was met now: one day, or the last day of a continuing one. Certificate numbers that were
// merely typed stand in a member of their own, which nothing reads.
func readNewAct(o object, asOf identifier.Date) *NewAct {
	n := &NewAct{At: o.day("at"), Place: o.text("place"), TreatingConfirmed: o.yes("treating_confirmed"), Officers: o.texts("officers"),
		EstablishedInCase: o.yes("established_in_case"), Qualification: enum(o, "qualification_at_act", qualifications...)}
	from, to := o.day("from"), o.day("to")
	if to.Before(from) {
		o.d.refuse(o.place("to"), "date_order")
	}
	if n.At.IsZero() {
		n.At = to
	} else if !to.IsZero() && n.At != to || n.At.Before(from) {
		o.d.refuse(o.place("at"), "date_order") // two last days
	}
	switch {
	case n.At.IsZero():
		o.need("at")
	case n.At.After(asOf):
		o.d.refuse(o.place("at"), "date_future")
	}
	return n
}
