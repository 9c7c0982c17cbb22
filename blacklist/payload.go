package blacklist

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
)

// Person is who did something, as records name him: opaque account and certificate number.
type Person struct {
	User   string `json:"user"`
	CertNo string `json:"cert_no,omitempty"`
}

func (a Actor) person() Person { return Person{a.Account, a.Certificate} }

// payload is a payload and the few fields of it that the rules look at. Only bytes that passed their schema, or a draft's
// loose check, are read into one.
type payload struct {
	raw []byte

	OpenCase                          bool
	PenaltyRefs, LinkRefs             []string
	PersonRefs, PremisesRefs          []string    // entries
	PersonsSeen                       []personRef // of premises
	WorkRef                           *WorkRef
	Purpose, ValidUntil               string
	ServedAt, DecidedAt               string
	RemedyState                       string
	RemedyEvents                      []RemedyEvent
	Synthetic                         *bool
	CreatedBy, ReviewedBy, ApprovedBy Person
	RecordedAt                        string
	ActPlace, CauseCode               string
	Transferred                       bool
	Objections                        []string
	ServiceProof                      jsontext.Value
}

// personRef names the entry of a person who was seen somewhere.
type personRef struct {
	Ref string `json:"ref"`
}

// grounded reports whether a payload names what an entry may rest on (domain.md §5.1): penalties or an open case, and of a
// place or handle the work in which it was found.
func (p *payload) grounded(k kind) bool {
	return p.OpenCase || len(p.PenaltyRefs) > 0 || k.thing && p.WorkRef != nil
}

// readPayload reads what it can: fields of another type than expected are the schema's business and left out.
func readPayload(b []byte) *payload {
	var m map[string]jsontext.Value
	if json.Unmarshal(b, &m) != nil {
		return &payload{raw: b}
	}
	p := readMembers(m)
	p.raw = b
	return p
}

func readMembers(m map[string]jsontext.Value) *payload {
	p := &payload{}
	for name, dst := range map[string]any{"open_case": &p.OpenCase, "penalty_refs": &p.PenaltyRefs, "link_refs": &p.LinkRefs, "person_refs": &p.PersonRefs,
		"premises_refs": &p.PremisesRefs, "persons_seen": &p.PersonsSeen, "work_ref": &p.WorkRef, "purpose": &p.Purpose,
		"valid_until": &p.ValidUntil, "served_at": &p.ServedAt, "decided_at": &p.DecidedAt, "remedy_state": &p.RemedyState,
		"remedy_events": &p.RemedyEvents, "created_by": &p.CreatedBy, "reviewed_by": &p.ReviewedBy, "approved_by": &p.ApprovedBy,
		"recorded_at": &p.RecordedAt, "act_place": &p.ActPlace, "cause_code": &p.CauseCode, "synthetic": &p.Synthetic,
		"transferred": &p.Transferred, "objections": &p.Objections, "service_proof": &p.ServiceProof} {
		if v, ok := m[name]; ok {
			_ = json.Unmarshal(v, dst) // null and other types leave the zero value
		}
	}
	return p
}

// with returns the payload with members set, or removed where the value is nil. What this node must know better than the
// client, it writes itself: who, and when.
func with(b []byte, set map[string]any) ([]byte, error) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(b, &members); err != nil {
		return nil, err
	}
	if members == nil {
		members = map[string]jsontext.Value{}
	}
	for name, v := range set {
		if v == nil {
			delete(members, name)
			continue
		}
		e, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		members[name] = e
	}
	return json.Marshal(members, json.Deterministic(true))
}

// stamp is the time of a step as records write it.
func stamp(t time.Time) string { return t.In(record.CivilZone).Format(time.RFC3339) }

// hard are the violations for which not even a draft is kept.
func hard(vs []schemas.Violation) []schemas.Violation {
	var out []schemas.Violation
	for _, v := range vs {
		if v.Malformed() || v.Code == "unknown_field" || v.Code == "type" || v.Code == "minor_under_14" {
			out = append(out, v)
		}
	}
	return out
}
