package transfer

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// What a fact may say: the members of a penalty and of its respondent that the count reads (docs/design/count.md), all of
// which the catalogue gives out at L3. Whatever else the record holds stays where it is.
var (
	factMembers = []string{"doc_no", "issuer_uscc", "issuer_kind", "respondent_kind", "practitioner_is_respondent", "cause_code", "act_from", "act_to",
		"act_place", "qualification_at_act", "kinds", "decided_at", "served_at", "service_mode", "announced_at", "remedy_told", "used_in_conviction"}
	personMembers = []string{"name", "id_type", "id_no", "id_country", "id_no_old", "id_quality", "sex", "birth_date", "hukou_region"}
)

// ErrNotPenalty: the entry is something else than a penalty, or its content is not here.
var ErrNotPenalty = errors.New("not a penalty whose content is here")

// suspensionText is a suspension in the count's input format.
type suspensionText struct {
	At     string `json:"at,omitempty"`
	By     string `json:"by,omitempty"`
	Lifted string `json:"lifted_at,omitempty"`
}

// Fact writes what the count reads of a penalty, with what its status records have added, in the input format of
// `pilin count`. The record id is the subject, so that later versions of it take the place of earlier ones. suspended is a
// suspension of the list entry that rests on the penalty (domain.md §6.3 step 13), nil if there is none. What the format
// states without a day is left out while its day lies after asOf.
func Fact(e *blacklist.Entry, suspended *Suspension, asOf identifier.Date) (jsontext.Value, error) {
	if e.Type != blacklist.TypePenalty || len(e.Parts) == 0 {
		return nil, ErrNotPenalty
	}
	b, err := e.Payload()
	if err != nil {
		return nil, fmt.Errorf("fact: %w", err)
	}
	var all map[string]jsontext.Value
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, errors.New("fact: payload is unreadable") // the cause could quote it
	}
	fact := pick(all, factMembers)
	fact["record_id"], fact["origin"] = e.Subject.String(), string(e.Stream.Member())
	fact["version"] = e.Version
	if proof := all["service_proof"]; len(proof) > 0 && proof.Kind() != 'n' {
		fact["service_proof"] = proof.Kind() == '"' || proof.Kind() == 't' // the id of the paper is nobody's business here
	}
	if fact["respondent"], err = respondentFact(all["respondent"]); err != nil {
		return nil, err
	}
	fact["remedy_events"] = remedyFacts(e)
	laterFacts(fact, all, asOf)
	if s := suspensionOf(e, all["suspended"], suspended); s != nil {
		fact["suspended"] = s
	}
	return json.Marshal(fact, json.Deterministic(true))
}

// laterFacts adds what a penalty's content or status records say beside service and remedies.
func laterFacts(fact map[string]any, all map[string]jsontext.Value, asOf identifier.Date) {
	var later struct {
		Transferred   bool                `json:"transferred"`
		TransferredAt string              `json:"transferred_at"`
		Objections    []string            `json:"objections"`
		Comparisons   []photoText         `json:"photo_comparisons"`
		Confirmed     []map[string]string `json:"confirmed"`
	}
	for name, dst := range map[string]any{"transferred": &later.Transferred, "transferred_at": &later.TransferredAt, "objections": &later.Objections,
		"photo_comparisons": &later.Comparisons, "confirmed": &later.Confirmed} {
		if v, ok := all[name]; ok {
			_ = json.Unmarshal(v, dst) // null leaves the zero value; other types the schema refuses
		}
	}
	if later.Transferred && !ahead(later.TransferredAt, asOf) {
		fact["transferred"] = true
	}
	if len(later.Objections) > 0 {
		fact["objections"] = later.Objections
	}
	if len(later.Confirmed) > 0 {
		fact["confirmed"] = later.Confirmed
	}
	for _, c := range later.Comparisons {
		// Two officers of one comparison, not one of each of two.
		if !ahead(c.At, asOf) && distinct(c.Officers) >= 2 {
			fact["photo_compared_by"] = c.Officers
			break
		}
	}
}

type photoText struct {
	At       string   `json:"at"`
	Officers []string `json:"officers"`
}

// ahead reports a day after asOf; one that is missing is not.
func ahead(day string, asOf identifier.Date) bool {
	d, err := identifier.ParseDate(day)
	return err == nil && d.After(asOf)
}

// pick copies the named members.
func pick(from map[string]jsontext.Value, names []string) map[string]any {
	out := map[string]any{}
	for _, n := range names {
		if v, ok := from[n]; ok {
			out[n] = v
		}
	}
	return out
}

func respondentFact(b jsontext.Value) (map[string]any, error) {
	if len(b) == 0 {
		return map[string]any{}, nil
	}
	var all map[string]jsontext.Value
	var lists struct {
		Variants []struct {
			Name string `json:"name"`
		} `json:"name_variants"`
		Phones []struct {
			No   string `json:"no"`
			From string `json:"from,omitempty"`
			To   string `json:"to,omitempty"`
		} `json:"phones"`
	}
	if json.Unmarshal(b, &all) != nil || json.Unmarshal(b, &lists) != nil {
		return nil, errors.New("fact: respondent is unreadable")
	}
	out := pick(all, personMembers)
	var names []string
	for _, v := range lists.Variants {
		names = append(names, v.Name)
	}
	if len(names) > 0 {
		out["name_variants"] = names
	}
	if len(lists.Phones) > 0 {
		out["phones"] = lists.Phones
	}
	return out, nil
}

// remedyFacts lists the events of a penalty. A status "voided" and a mere remedy_state are no events, and yet they say what
// may not be passed over: the first is one of its day; the second, in a history without events, one of an unknown day, so
// that the penalty waits for a reviewer (step 8b).
func remedyFacts(e *blacklist.Entry) []blacklist.RemedyEvent {
	out := slices.Clone(e.RemedyEvents)
	for _, s := range e.History {
		if s.Event == blacklist.EventVoid && !s.Ignored {
			out = append(out, blacklist.RemedyEvent{Type: string(WithdrawnByIssuer), At: s.Day})
		}
	}
	said := func(outcomes ...Outcome) bool {
		return slices.ContainsFunc(out, func(r blacklist.RemedyEvent) bool {
			return r.Type == string(WithdrawnByIssuer) || slices.Contains(outcomes, Outcome(r.Outcome))
		})
	}
	silent := false
	switch e.RemedyState {
	case "revoked", "void", "withdrawn":
		silent = !said(Revoked, RevokedRedo, Void, OutcomeWithdrawn)
	case "illegal_not_revoked":
		silent = !said(IllegalNotRevoked)
	case "settled":
		silent = !said(Settled)
	}
	if silent {
		out = append(out, blacklist.RemedyEvent{Type: string(WithdrawnByIssuer)})
	}
	return out
}

// suspensionOf says since when and by whom the penalty is suspended: by a status record, by its own content, or by the
// list entry that rests on it; in that order.
func suspensionOf(e *blacklist.Entry, content jsontext.Value, entry *Suspension) any {
	var own *suspensionText
	for _, s := range e.History {
		switch {
		case s.Ignored:
		case s.Event == blacklist.EventCorrect || s.Event == blacklist.EventPublish:
			own = nil
		case s.Event == blacklist.EventSuspend:
			own = &suspensionText{At: s.Day, By: s.By.User}
		case s.Event == blacklist.EventLift && own != nil:
			own.Lifted = s.Day
		}
	}
	switch {
	case own != nil && own.Lifted == "":
		return own
	case entry != nil:
		return suspensionText{At: entry.At.String(), By: entry.By, Lifted: entry.Lifted.String()}
	case own != nil:
		return own
	case len(content) > 0 && content.Kind() == '{':
		var s struct { // the reason is free text
			At     string `json:"at"`
			By     string `json:"by"`
			Lifted string `json:"lifted_at"`
		}
		if json.Unmarshal(content, &s) == nil {
			return suspensionText{s.At, s.By, s.Lifted}
		}
	}
	return nil
}

// DecodePenalty reads one penalty in the input format of `pilin count`. The error is a *Refused.
func DecodePenalty(b []byte) (Penalty, error) {
	d := &decoder{}
	p := readPenalty(d.document(b))
	if d.refused != nil {
		return Penalty{}, d.refused
	}
	return p, nil
}

// EncodeLine writes a line for the answer between members (docs/design/wire.md §5).
func EncodeLine(l *Line) (jsontext.Value, error) {
	return json.Marshal(lineText{RecordID: l.RecordID, Origin: l.Origin, Version: strconv.Itoa(l.Version), Level: l.Level, Agreed: l.Agreed, Disagreed: l.Disagreed,
		Verdict: l.Found.Verdict, Reason: l.Found.Reason, PassedVerdict: l.PassedOver.Verdict, PassedReason: l.PassedOver.Reason,
		Annulled: l.Annulled, Stayed: l.Stayed, Issuer: l.Issuer, DocNo: l.DocNo, Decided: l.Decided.String(), Served: l.Served.String(),
		ActFrom: l.ActFrom.String(), ActTo: l.ActTo.String(), ActPlace: l.ActPlace, Final: l.Final.String(), Transferred: l.Transferred, Objection: l.Objection})
}

type lineText struct {
	RecordID      string   `json:"record_id"`
	Origin        string   `json:"origin"`
	Version       string   `json:"version"`
	Level         Level    `json:"level"`
	Agreed        []string `json:"agreed,omitempty"`
	Disagreed     []string `json:"disagreed,omitempty"`
	Verdict       Verdict  `json:"verdict,omitempty"`
	Reason        Reason   `json:"reason,omitempty"`
	PassedVerdict Verdict  `json:"passed_verdict,omitempty"`
	PassedReason  Reason   `json:"passed_reason,omitempty"`
	Annulled      bool     `json:"annulled,omitempty"`
	Stayed        bool     `json:"stayed,omitempty"`
	Issuer        string   `json:"issuer,omitempty"`
	DocNo         string   `json:"doc,omitempty"`
	Decided       string   `json:"decided_at,omitempty"`
	Served        string   `json:"served_at,omitempty"`
	ActFrom       string   `json:"act_from,omitempty"`
	ActTo         string   `json:"act_to,omitempty"`
	ActPlace      string   `json:"act_place,omitempty"`
	Final         string   `json:"final_at,omitempty"`
	Transferred   bool     `json:"transferred,omitempty"`
	Objection     bool     `json:"objection,omitempty"`
}

// DecodeLine reads a line that another member sent. What is none of its codes, and a verdict that an origin cannot find, is
// refused: a peer's free words never reach a screen. The error is a *Refused.
func DecodeLine(b []byte) (Line, error) {
	d := &decoder{}
	o := d.document(b)
	l := Line{RecordID: o.required("record_id"), Origin: o.form("origin", memberForm), Level: enum(o, "level", Exact, Linked, Probable, Lead, Conflict),
		Agreed: o.texts("agreed"), Disagreed: o.texts("disagreed"),
		Found:      Finding{enum(o, "verdict", Pending, Excluded), enum(o, "reason", originReasons...)},
		PassedOver: Finding{enum(o, "passed_verdict", Pending, Excluded), enum(o, "passed_reason", originReasons...)},
		Annulled:   o.yes("annulled"), Stayed: o.yes("stayed"), Issuer: o.text("issuer"), DocNo: o.text("doc"), Decided: o.day("decided_at"), Served: o.day("served_at"),
		ActFrom: o.day("act_from"), ActTo: o.day("act_to"), ActPlace: o.form("act_place", regionForm), Final: o.day("final_at"),
		Transferred: o.yes("transferred"), Objection: o.yes("objection")}
	o.need("origin")
	o.need("level")
	version, err := strconv.Atoi(o.text("version"))
	if l.Version = version; err != nil || version < 1 {
		d.refuse("/version", "range")
	}
	if l.Level != Lead {
		for _, name := range []string{"issuer", "doc", "decided_at"} {
			o.need(name)
		}
	}
	for _, f := range []Finding{l.Found, l.PassedOver} {
		if (f.Verdict == "") != (f.Reason == "") {
			d.refuse("/reason", "required")
		}
	}
	if l.Found.Verdict == "" && l.Level != Lead && (l.Served.IsZero() || l.ActFrom.IsZero() || l.ActTo.IsZero() || l.ActTo.Before(l.ActFrom)) {
		d.refuse("/verdict", "required") // no step lets such a record count
	}
	if d.refused != nil {
		return Line{}, d.refused
	}
	return l, nil
}

// originReasons are the reasons of steps 2–14 and 16.
var originReasons = []Reason{NotPenalty, Annulled, ReasonOrganisation, CauseN, Qualified, ReasonIssuerKind, ServiceFuture, ServiceUnproven, ActUnknown,
	RecordIncomplete, ReasonSoleTrader, QualificationUnclear, CauseQ, PractitionerUnclear, ReasonIllegal, ReasonSettled, ReasonStayed, ReasonSuspended,
	IssuerUnclear, PriorConviction}

// ParseQualification reads a code of a qualification; false if it is none.
func ParseQualification(code string) (Qualification, bool) {
	q := Qualification(code)
	return q, slices.Contains(qualifications, q)
}
