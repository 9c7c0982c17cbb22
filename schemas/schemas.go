// Package schemas is the catalogue of record types: one folder for each type, its versions side by side, with examples.
// A version is a JSON Schema 2020-12 document whose annotations say, for every field, which part of the record carries
// it, how sensitive it is, at which sharing level others see it, and whether it identifies somebody (domain.md §2).
// From these the package validates a payload, splits it into parts once and for all, joins parts again, and lists the
// identifiers to index. It is pure: no clock, no network, no state but the catalogue, which is compiled once.
//
// It leaves to others who may write or see a record (internal/auth), in which state it is (workflow, blacklist) and how
// parts are sealed (record). A released version is never edited: a change is a new version beside it.
//
// Annotations:
//
//	x-pilin-part        card | body | home; a field goes wholly, with all below it, to its part. An object without it
//	                    is a container: its members are split one by one.
//	x-pilin-class       C0 … C4 (domain.md §2.2)
//	x-pilin-vis         L2 | L3 | REQ | NO: L2 ⇔ card, L3 ⇔ body, REQ and NO ⇔ home
//	x-pilin-identifier  {kind, strength: strong | weak}
//	x-pilin-card        {as: mask_name | year | verified_flag | copy, name}: a value made from this field that the card
//	                    carries under another name, so that nobody can take it for the field itself
//	x-pilin-retention   PUB | CASE | LEAD | OP | LOG3 | EPH (domain.md §2.2), of a type or of one field
//	x-pilin-null        not_yet: null needs no reason here, it says that the fact has not happened
//	x-pilin-order       of an object: lists of members whose dates may not run backwards
//	x-pilin-publish     of an object: members that a draft may lack and a published record may not
//	x-pilin-checks      of an object: name of the rules in Go that no schema can say
package schemas

// Violation says what is wrong at one place of a payload. Pointer is an RFC 6901 pointer to the place (for a missing
// field to where it should be); Code is stable snake_case. Neither carries a value of the payload. Texts gives words.
type Violation struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
}

// Malformed reports whether the bytes were no acceptable JSON document at all (HTTP 400) rather than one with wrong
// content (422).
func (v Violation) Malformed() bool { return len(v.Code) > 5 && v.Code[:5] == "json_" }

// Identifier is one identifier found in a record, in the form in which it is compared.
type Identifier struct {
	Kind    string // resident_id, passport, uscc, phone, doc_no, decision, name, birth_date, …
	Value   string // normalised
	Strong  bool   // valid and enough alone; a suspect number is never strong
	Pointer string // where in the payload
}

// Field describes one annotated field of a type, for field-level clearance, generic display and generated documents.
type Field struct {
	Pointer          string // RFC 6901, with * for the items of an array
	Title            string // Chinese
	Description      string // English
	Part, Class, Vis string
	Retention        string // of the field, or of its type
	Kind             string // kind of identifier; empty for none
	Strong           bool
	CardAs, CardName string // value derived from it on the card, if any
	Nullable         bool
}
