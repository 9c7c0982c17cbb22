package match

import (
	"regexp"
	"strings"

	"github.com/pilinhub/pilin/match/normal"
)

// Within says which subjects a question may find, and how thoroughly. The zero Within is everything, the ten best.
type Within struct {
	// In reports whether the subjects of a shelf (Entry.Shelf) may be looked at; nil: all. What is not in it changes no
	// candidate, no size of the list, no count of namesakes or owners. It is called while the engine is locked and must not
	// call it.
	In func(shelf uint32) bool
	// Limit is how many candidates are wanted; zero: ten.
	Limit int
	// Weighed leaves out who is contradicted, or named only faintly, with so few bits that nobody would take him for
	// possible; and looks by the name also when a number has found somebody: a record without the number may mean him too.
	Weighed bool
}

func (w *Within) has(shelf uint32) bool { return w.In == nil || w.In(shelf) }

func (w *Within) limit() int {
	if w.Limit > 0 {
		return w.Limit
	}
	return shown
}

// enough reports that no later stage needs to look.
func (w *Within) enough(stage int, q *posed, top []ranked) bool {
	if w.Weighed && stage == 0 {
		return false
	}
	return len(top) > 0 && top[0].sure || len(top) == w.limit() && q.nameAlone // by a name alone nothing fainter comes before as many who bear it
}

// otherName is how many bits beside name and birth must speak for somebody who bears another name: a number, a plate or a
// house, not a village or a birthday.
const otherName = 8

// worth reports whether somebody would take the candidate for possible. A namesake with the same whole birth date is
// shown in spite of another valid number, so that whoever counts by name sees why he is somebody else.
func (t *tally) worth() bool {
	if t.name == nameOther && t.other-t.born < otherName {
		return false
	}
	contradicted := t.veto && !(t.name >= nameSound && t.full) || t.birthNo || t.sexNo || t.idNo
	faint := t.name <= nameFaint && t.other <= 0
	return t.bits >= possibleBits || !contradicted && !faint
}

// detail is what a line tells of the characters of a name: " 伟/玮同音".
var detail = regexp.MustCompile(` \S/\S[^ ;(]*`)

// Plain is the line without characters of a record's name: for whoever may know which fact agreed, not what the record says.
func (e Evidence) Plain() Evidence {
	e.Text = detail.ReplaceAllString(e.Text, "")
	return e
}

// Askable reports whether a question could mean somebody: by a number, code, plate, place or institution, or by a name. A
// bare nickname or a name with lost characters means half a town: it needs a birth year, a county, a place or some digits
// beside it (domain.md L35: no wildcard search on people). Sex, birth and county alone mean nobody.
func (q Question) Askable() bool {
	p := readQuestion(q)
	if len(q.Documents) > 0 || tellsNumber(p.id) || tellsPhone(p.phone) || p.plate.Bare != "" || p.org.Core != "" || len(p.place.Areas) > 0 || p.place.Town != "" {
		return true
	}
	for _, d := range q.Doubtful {
		if _, v, _ := strings.Cut(d, ":"); len(v) >= 4 && !strings.Contains(v, "*") && p.id.Number == "" && p.id.Part == "" {
			return true
		}
	}
	switch p.name.Form {
	case normal.NoName:
		return false
	case normal.Nick:
		return p.birth != "" || p.county != ""
	}
	if p.name.Wilds() > 0 {
		return (p.birth != "" || p.county != "") && p.name.Wilds() < len(p.name.Chars)
	}
	return true
}

// Exact reports whether the question rests on a number that finds by equality: a whole number with a right check digit, a
// document, an organisation's code or a decision's number. Every other question needs an engine to be answered.
func (q Question) Exact() bool {
	id := normal.ReadID(q.ID, true)
	if len(q.Documents) > 0 || id.Whole && id.Valid && !id.Letters {
		return true
	}
	for _, d := range q.Doubtful {
		if !strings.HasPrefix(d, anyKind+":") {
			return true
		}
	}
	return false
}

// WrongCheckDigit reports 校验位不符,按相近号码查: the resident number asked for is whole and its check digit is wrong.
func (q Question) WrongCheckDigit() bool {
	id := normal.ReadID(q.ID, true)
	return id.Whole && !id.Valid
}

// tellsNumber reports that enough of a resident number is known to look by it: its last four characters, or its first
// fourteen digits.
func tellsNumber(id normal.ID) bool {
	if n := id.Number; n != "" {
		return !strings.Contains(n[14:], "*") || !strings.Contains(n[:14], "*")
	}
	return len(id.Part) >= 4
}

// tellsPhone reports that enough of a telephone number is known: its last four digits, or its first seven.
func tellsPhone(p normal.Phone) bool {
	n := p.Number
	if !p.Masked {
		return len(n) >= 4
	}
	return len(n)-1-strings.LastIndexByte(n, '*') >= 4 || strings.IndexByte(n, '*') >= 7
}
