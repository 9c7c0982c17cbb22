package match

import (
	"slices"
	"strings"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// Kinds of identifiers as records mark them. Others (sex of an issuer, region of a household register) find nobody.
const (
	kindName        = "name"
	kindNameVariant = "name_variant"
	kindOrgName     = "org_name"
	kindBirth       = "birth_date"
	kindSex         = "sex"
	kindPhone       = "phone"
	kindPlate       = "plate"
	kindAddress     = "address"
	kindResident    = "resident_id"
	kindResidence   = "residence_permit"
	kindPassport    = "passport"
	kindUSCC        = "uscc"
	kindDocNo       = "doc_no"
	kindDecision    = "decision"
)

// documents are the kinds of a person's document number. changes says that the number changes on renewal, so that a
// difference proves nothing (domain.md §3.4).
var documents = map[string]struct{ changes bool }{
	kindResident:       {},
	kindResidence:      {},
	"hk_macau_permit":  {},
	"taiwan_permit":    {},
	"foreign_resident": {changes: true}, // the card of 2023 has a new number
	kindPassport:       {changes: true},
	"other_document":   {changes: true},
}

// anyKind is the kind under which a person's number is doubtful: it may be written under another type, be suspect, or
// lack its country.
const anyKind = "number"

// SetNumber asks by a number of a person's document. idType is a code of domain.md §2.6.4, empty for the resident identity
// card; country is that of a passport (ISO 3166-1 alpha-3), without which a passport is at most possible. What cannot be
// read finds nothing.
func (q *Question) SetNumber(idType, country, number string, day identifier.Date) {
	if number == "" {
		return
	}
	if idType == "" {
		idType = identifier.TypeResident
	}
	if idType == identifier.TypeResident {
		q.ID = number // the engine reads it as people write it: masked, in part, with a slip
	}
	p := identifier.ParseDocument(idType, country, number, day)
	value := p.Key
	if value == "" {
		value = p.Normalised
	}
	if value == "" {
		return
	}
	q.Doubtful = append(q.Doubtful, anyKind+":"+value)
	switch {
	case p.Kind == kindResident:
	case p.Quality == identifier.Valid && p.Key != "":
		q.Documents = append(q.Documents, p.Kind+":"+value)
	case p.Kind == kindResidence && (p.Reason == identifier.ReasonCheckDigit || p.Reason == identifier.ReasonDate):
		for _, n := range nearNumbers(p.Normalised) {
			q.Doubtful = append(q.Doubtful, anyKind+":"+n)
		}
	}
}

// SetCodes asks by the code of an organisation and the number of a decision (文号). With both the code is also tried as
// the issuer's: only issuer and number together identify a decision (domain.md §3.11).
func (q *Question) SetCodes(uscc, docNo string, day identifier.Date) {
	u := identifier.ParseUSCC(uscc, day)
	valid := u.Quality == identifier.Valid
	if u.Normalised != "" {
		q.Doubtful = append(q.Doubtful, kindUSCC+":"+u.Normalised)
		if valid {
			q.Documents = append(q.Documents, kindUSCC+":"+u.Normalised)
		}
	}
	if n := identifier.ParseDocNo(docNo, identifier.Date{}); n.Quality != identifier.Invalid {
		q.Doubtful = append(q.Doubtful, kindDocNo+":"+n.Normalised)
		if valid && n.Quality == identifier.Valid {
			q.Documents = append(q.Documents, kindDecision+":"+u.Normalised+"/"+n.Normalised)
		}
	}
}

// nearNumbers lists the numbers with a right check character that are one slip away from s: one character replaced, or two
// neighbours exchanged. s has 17 digits and a check character.
func nearNumbers(s string) []string {
	var out []string
	try := func(b []byte) {
		if c, ok := identifier.ResidentCheck(string(b[:17])); ok && c == b[17] {
			out = append(out, string(b))
		}
	}
	for i := range len(s) {
		b := []byte(s)
		for c := byte('0'); c <= '9'; c++ {
			if b[i] = c; c != s[i] {
				try(b)
			}
		}
		if i == 17 && s[i] != 'X' {
			b[i] = 'X'
			try(b)
		}
		if i < 17 && s[i] != s[i+1] && s[i+1] != 'X' {
			b = []byte(s)
			b[i], b[i+1] = b[i+1], b[i]
			try(b)
		}
	}
	return out
}

// addDocument files a marked identifier that is no resident number by what it may identify.
func (e *Entry) addDocument(kind, value string, strong bool) {
	_, personal := documents[kind]
	switch {
	case personal:
		e.Doubtful = append(e.Doubtful, anyKind+":"+value)
		if kind == kindPassport && len(value) > 4 && value[3] == ':' { // asked without its country
			e.Doubtful = append(e.Doubtful, anyKind+":"+value[4:])
		}
	case kind == kindUSCC, kind == kindDocNo:
		e.Doubtful = append(e.Doubtful, kind+":"+value)
	}
	if strong {
		e.Documents = append(e.Documents, kind+":"+value)
	}
}

// weighDocuments compares documents that identify by equality, and those that are equal but in doubt.
func (t *tally) weighDocuments(q *posed, s *subject) {
	for _, d := range q.papers {
		if !slices.Contains(s.papers, d) {
			continue
		}
		t.numbers, t.idEqual = true, true
		t.other += weights.document
		switch kind, _, _ := strings.Cut(d, ":"); kind {
		case kindDecision:
			t.code = true
			t.add("decision_equal", weights.document, "发文机关和文号相同")
		case kindUSCC:
			t.code = true
			t.add("uscc_equal", weights.document, "统一社会信用代码相同")
		default:
			t.add("document_equal", weights.document, "证件或代码相同")
		}
		return
	}
	for _, d := range q.papers {
		if kind, _, _ := strings.Cut(d, ":"); t.differ(kind, s) {
			t.veto = true
			t.add("document_other", weights.documentOther, "两个有效证件号不同")
			return
		}
	}
	if t.idEqual {
		return
	}
	for _, d := range q.doubtful {
		if !slices.Contains(s.doubtful, d) {
			continue
		}
		t.other += weights.documentDoubtful
		switch kind, _, _ := strings.Cut(d, ":"); kind {
		case kindDocNo:
			t.add("doc_no_equal", weights.documentDoubtful, "文号相同,发文机关未核对")
		case kindUSCC:
			t.add("uscc_doubtful", weights.documentDoubtful, "统一社会信用代码相同,但校验位有误")
		default:
			t.add("document_doubtful", weights.documentDoubtful, "证件号码相同,但种类、国别或校验存疑")
		}
		return
	}
}

// differ reports that a subject has another number of a kind that a person keeps for life.
func (t *tally) differ(kind string, s *subject) bool {
	if d, personal := documents[kind]; !personal || d.changes {
		return false
	}
	return slices.ContainsFunc(s.papers, func(p string) bool { return strings.HasPrefix(p, kind+":") })
}

// IdentifiesPerson reports whether identifiers of a kind are numbers of a person's document: two records with the same
// valid one are about the same person, unless it is borrowed.
func IdentifiesPerson(kind string) bool {
	_, ok := documents[kind]
	return ok
}
