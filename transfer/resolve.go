package transfer

import (
	"slices"
	"strings"

	"github.com/pilinhub/pilin/match/normal"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// Level says how surely a record's respondent is the person asked about (domain.md §6.2). The empty level is nobody.
type Level string

// The levels.
const (
	Exact    Level = "R1"  // equal number, nothing contradicts
	Linked   Level = "R1L" // two numbers joined by approved evidence
	Probable Level = "R2"  // facts without the number
	Lead     Level = "R3"  // name, alias or handle alone: 同名不等于本人
	Conflict Level = "RX"  // equal number, clearly another person's facts
)

// counts reports the levels at which a penalty may count.
func (l Level) counts() bool { return l == Exact || l == Linked }

// Facts that resolution compares, as Line.Agreed and Line.Disagreed name them.
const (
	factNumber = "id_no"
	factLink   = "link"
	factName   = "name"
	factBirth  = "birth_date"
	factSex    = "sex"
	factHome   = "hukou_region"
	factPhone  = "phone"
	factPhoto  = "photo"
)

// lifelong are the families of documents whose number a person keeps: two different ones are two people (§6.2).
var lifelong = []string{identifier.TypeResident, identifier.TypeHKMacau, identifier.TypeTaiwan, identifier.TypeHKResidence, identifier.TypeTaiwanResident}

// number is a valid document number: its family and what is compared of it.
type number struct{ family, key string }

// zeroWidth takes out what nobody sees in a number (domain.md §3 rule 2). Intake refuses it; a question
// is answered all the same, and a record found by nothing else must not vanish from the count.
var zeroWidth = strings.NewReplacer("\u200b", "", "\u200c", "", "\u200d", "", "\ufeff", "")

// pasted takes out of a number what pasting left round and inside it.
func pasted(no string) string { return strings.TrimSpace(zeroWidth.Replace(no)) }

// read returns the number of a document; false if it may not be compared exactly. A wrong check digit, a suspect sign, a
// letter in place of a digit or an unknown type never is (§3 rules 3 and 4, §6.2).
func (d Document) read(asOf identifier.Date) (number, bool) {
	if d.Type == "" || d.No == "" {
		return number{}, false // a family is never guessed from the digits (§3.6)
	}
	p := identifier.ParseDocument(d.Type, d.Country, pasted(d.No), asOf)
	return number{d.Type, p.Key}, p.Key != ""
}

// numbers lists the valid numbers that are stated for a person.
func (p *Person) numbers(asOf identifier.Date) []number {
	var out []number
	for _, d := range []Document{{p.IDType, p.IDNo, p.IDCountry}, {identifier.TypeResident, p.IDNoOld, ""}} {
		if n, ok := d.read(asOf); ok && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// names lists the normalised names by which a person is known, of any kind. Traditional, simplified and variant forms of
// a character are one (domain.md §3.10): to be such a variant is no contradiction.
func (p *Person) names() []string {
	var out []string
	for _, raw := range append([]string{p.Name}, p.NameVariants...) {
		if n := identifier.ParseName(raw).Normalised; n != "" {
			out = append(out, normal.Fold(n))
		}
	}
	return out
}

// agreement is how a fact of two people compares; silent when either side lacks it.
type agreement uint8

const (
	silent agreement = iota
	agrees
	contradicts
)

func shared[T comparable](a, b []T) agreement {
	switch {
	case len(a) == 0 || len(b) == 0:
		return silent
	case slices.ContainsFunc(a, func(x T) bool { return slices.Contains(b, x) }):
		return agrees
	}
	return contradicts
}

func compareSex(a, b identifier.Sex) agreement {
	switch known := func(s identifier.Sex) bool { return s == identifier.SexMale || s == identifier.SexFemale }; {
	case a.Contradicts(b):
		return contradicts
	case known(a) && known(b):
		return agrees
	}
	return silent
}

// compareBirth agrees only on full dates; a year alone can contradict, not agree (§6.2: R2 needs the full birth date).
func compareBirth(a, b Birth) agreement {
	switch {
	case a.Year == 0 || b.Year == 0:
		return silent
	case a.Year != b.Year, !a.Day.IsZero() && !b.Day.IsZero() && a.Day != b.Day:
		return contradicts
	case a.Day.IsZero() || b.Day.IsZero():
		return silent
	}
	return agrees
}

// resolution is how a respondent stands to the subject.
type resolution struct {
	level             Level
	agreed, disagreed []string
}

func (r *resolution) note(fact string, a agreement) agreement {
	switch a {
	case agrees:
		r.agreed = append(r.agreed, fact)
	case contradicts:
		r.disagreed = append(r.disagreed, fact)
	}
	return a
}

// resolve says whether the respondent of p is the subject (domain.md §6.2). It holds for this question only: no profile
// of a person is kept (个人信息保护法 arts. 6, 19).
func resolve(s *Person, p *Penalty, links []Link, asOf identifier.Date) resolution {
	var r resolution
	mine, theirs := s.numbers(asOf), p.Respondent.numbers(asOf)
	equal := shared(mine, theirs) == agrees
	different := !equal && slices.ContainsFunc(mine, func(a number) bool {
		return slices.Contains(lifelong, a.family) && slices.ContainsFunc(theirs, func(b number) bool { return a.family == b.family })
	})
	switch {
	case equal:
		r.note(factNumber, agrees)
	case different:
		r.note(factNumber, contradicts)
	}
	name := r.note(factName, shared(s.names(), p.Respondent.names()))
	birth := r.note(factBirth, compareBirth(s.Birth, p.Respondent.Birth))
	sex := r.note(factSex, compareSex(s.Sex, p.Respondent.Sex))
	home := s.HukouRegion != "" && p.Respondent.HukouRegion != "" && s.HukouRegion == p.Respondent.HukouRegion
	if home {
		r.note(factHome, agrees)
	}
	handle, inPeriod := comparePhones(s.Phones, p.Respondent.Phones, asOf)
	if handle {
		r.note(factPhone, agrees)
	}
	photo := distinct(p.PhotoComparedBy) >= 2 // 行政处罚法 art. 42: two officers
	if photo {
		r.note(factPhoto, agrees)
	}

	facts := name == agrees && birth == agrees && sex == agrees && (home || inPeriod || photo)
	switch {
	case equal && (name == contradicts || birth == contradicts || sex == contradicts):
		r.level = Conflict // borrowed or mistyped; no link lifts it
		return r
	case equal:
		r.level = Exact
	case !different && linked(mine, theirs, links, asOf):
		r.note(factLink, agrees)
		r.level = Linked
	case !different && facts:
		r.level = Probable
	case name == agrees || handle:
		r.level = Lead
	}
	// What a person says of himself, now or then, proves no number until the police have verified it.
	if r.level.counts() && (s.IDQuality == SelfStated || p.Respondent.IDQuality == SelfStated) {
		r.level = Probable
	}
	return r
}

// linked reports an approved record that joins a number of one side with a number of the other.
func linked(mine, theirs []number, links []Link, asOf identifier.Date) bool {
	for _, l := range links {
		a, okA := l.A.read(asOf)
		b, okB := l.B.read(asOf)
		if l.ApprovedBy == "" || !okA || !okB {
			continue
		}
		if slices.Contains(mine, a) && slices.Contains(theirs, b) || slices.Contains(mine, b) && slices.Contains(theirs, a) {
			return true
		}
	}
	return false
}

// comparePhones reports whether two people have a number in common, and whether in overlapping periods: numbers are used
// again by others, and 12345 is nobody's (§3.7). A missing end of a period is open; one that begins after asOf does not exist yet.
func comparePhones(a, b []Phone, asOf identifier.Date) (equal, inPeriod bool) {
	for _, x := range a {
		n := identifier.ParsePhone(x.No, asOf)
		if n.Quality != identifier.Valid || x.From.After(asOf) {
			continue
		}
		for _, y := range b {
			if y.From.After(asOf) || identifier.ParsePhone(y.No, asOf).Normalised != n.Normalised {
				continue
			}
			equal = true
			if !x.From.After(y.To) && !y.From.After(x.To) {
				inPeriod = true
			}
		}
	}
	return equal, inPeriod
}

// distinct counts the different certificate numbers in a list.
func distinct(certificates []string) int {
	seen := map[string]bool{}
	for _, c := range certificates {
		if n := identifier.Normalise(c); n != "" {
			seen[n] = true
		}
	}
	return len(seen)
}
