package federation

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// engineQuestion is the question as the matching engine reads it. day is the civil date that numbers are read for.
func (q Question) engineQuestion(day string) match.Question {
	d, _ := identifier.ParseDate(day) // the zero Date skips the check of future births, as documented
	t := q.reveal()
	m := match.Question{Name: t.Name, Sex: t.Sex, Birth: t.BirthDate, Phone: t.Phone, Plate: t.Plate, Address: t.Address, Org: t.Org, County: t.County}
	m.SetNumber(t.IDType, t.IDCountry, t.IDNo, d)
	m.SetCodes(t.USCC, t.DocNo, d)
	return m
}

// Fuzzy reports whether only a matching engine can answer: the question rests on no number that finds by equality.
func (q Question) Fuzzy() bool { return !q.engineQuestion("").Exact() }

// bareCodes are the lines that are told of a record at L1: that the very number was equal.
var bareCodes = []string{"id_equal", "document_equal", "uscc_equal", "decision_equal"}

// bareOf are the lines told beside these of a list entry that lists the very thing asked for: a telephone, plate or place.
var bareOf = map[string][]string{"blacklist.handle": {"phone_equal", "plate_equal"}, "blacklist.premises": {"place_equal"}}

// linesAt gives what of a candidate's lines goes to whoever has a level: at L3 all, at L2 no character of a name, below
// that an equal number alone, without bits.
func linesAt(typ string, level record.Level, score float64, lines []match.Evidence) (float64, []match.Evidence) {
	out := []match.Evidence{}
	for _, l := range lines {
		switch {
		case level >= record.L3:
			out = append(out, l)
		case level == record.L2, slices.Contains(bareCodes, l.Code), slices.Contains(bareOf[typ], l.Code):
			l = l.Plain()
			if level < record.L2 {
				l.Bits = 0 // they depend on what else is there
			}
			out = append(out, l)
		}
	}
	if level < record.L2 {
		score = 0
	}
	return score, out
}

// plain takes the characters of names out of lines: what is kept for a repeat holds no content.
func plain(lines []match.Evidence) []match.Evidence {
	out := []match.Evidence{}
	for _, l := range lines {
		out = append(out, l.Plain())
	}
	return out
}

// identifiersOf reads the identifiers of a record from the parts at hand.
func identifiersOf(typ, version string, card, body []byte) []schemas.Identifier {
	t, ok := schemas.Lookup(typ, version)
	if !ok {
		return nil
	}
	parts := map[string][]byte{}
	if len(card) > 0 {
		parts[string(record.Card)] = card
	}
	if len(body) > 0 {
		parts[string(record.Body)] = body
	}
	return t.Identifiers(parts)
}

// Who reports whether the question says who is meant so that penalties can be counted: by a name or a whole number. Of the
// bearer of a plate, an address or a part of a number nothing is counted: a nought would be taken for "none".
func (q Question) Who() bool { return !q.Name.IsZero() || q.wholeNumber() }

// wholeNumber reports a document number that is no part and has no mask: 18 or 15 places of a resident's, whatever their
// check digit says, or one that its type's rule reads.
func (q Question) wholeNumber() bool {
	t := q.reveal()
	if t.IDNo == "" || strings.ContainsAny(t.IDNo, "*?×●•#_＊？＃＿…") {
		return false
	}
	if t.IDType == "" {
		t.IDType = identifier.TypeResident // as the engine takes it
	}
	p := identifier.ParseDocument(t.IDType, t.IDCountry, t.IDNo, identifier.Date{})
	if t.IDType != identifier.TypeResident {
		return p.Quality != identifier.Invalid
	}
	return p.Quality == identifier.Valid || residentForm.MatchString(p.Normalised)
}

var residentForm = regexp.MustCompile(`^(?:[0-9]{17}[0-9X]|[0-9]{15})$`)
