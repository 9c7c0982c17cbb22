package match

import (
	"slices"

	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// Outcome is what a candidate amounts to.
type Outcome string

// The outcomes of a candidate. 同名不等于本人: Possible is for a person to decide.
const (
	Hit      Outcome = "hit"      // a strong identifier is equal and nothing contradicts it
	Possible Outcome = "possible" // something is equal that is not enough, or something contradicts
)

// Line explains one field of a candidate; never its value.
type Line struct {
	Field  string `json:"field"`  // id_no, uscc, doc_no, phone, name, birth_date
	Result string `json:"result"` // one of the Result constants
}

// Results of comparing one field.
const (
	ResultEqual        = "equal"
	ResultDifferent    = "different"              // both valid, and not the same: no hit
	ResultNear         = "near_check_digit"       // 校验位不符,按相近号码查
	ResultSuspect      = "equal_suspect"          // equal, but one of the two is suspect
	ResultLetters      = "equal_letters_read"     // equal once O and l were read as 0 and 1
	ResultNoCountry    = "equal_no_country"       // passport asked without its country
	ResultNumberOnly   = "equal_issuer_not_asked" // the same 文号; abbreviations repeat across the country
	ResultAlias        = "equal_alias"            // a recorded former name or alias
	ResultSimilar      = "similar"                // names that share at least half of their characters
	ResultLookalike    = "looks_alike"            // other letters that look the same on screen: never equal
	ResultNotCompared  = "not_comparable"         // another script, or characters lost
	ResultNameDiffers  = "id_equal_name_differs"  // 号同名异: borrowed identity or a slip
	ResultYearEqual    = "year_equal"             // the record knows the year only
	ResultBirthDiffers = "birth_date_differs"     // stated, and not the same
)

// Found is one candidate.
type Found struct {
	Doc     Doc
	Outcome Outcome
	Explain []Line // in a fixed order of fields

	weight int // agreeing lines, for the order of candidates
}

// verdict compares a question with a document in full; false if the document is no candidate.
func (a *asked) verdict(f *face) (Found, bool) {
	out := Found{Doc: f.doc}
	strong, some, veto := false, false, false
	say := func(field, result string, weight int) {
		out.Explain = append(out.Explain, Line{field, result})
		out.weight += weight
	}

	switch result := a.id.compare(f.ids); result {
	case "":
	case ResultEqual:
		strong = true
		say("id_no", result, 8)
	case ResultDifferent:
		veto = true
		say("id_no", result, 0)
	default:
		some = true
		say("id_no", result, 4)
	}
	if result := a.compareUSCC(f.usccs); result != "" {
		strong, some = strong || result == ResultEqual, true
		say("uscc", result, 8)
	}
	if result := a.compareDocNo(f); result != "" {
		strong, some = strong || result == ResultEqual, true
		say("doc_no", result, 6)
	}
	if a.phone != "" && slices.Contains(f.phones, a.phone) {
		some = true // numbers are used again by others: never a hit by itself (domain.md §3.7)
		say("phone", ResultEqual, 3)
	}

	name, nameResult := a.compareName(f.names)
	birth := a.compareBirth(f.births)
	if name >= alike && (birth == ResultEqual || birth == ResultYearEqual) {
		some = true
	}
	if !strong && !some {
		return Found{}, false
	}
	if name == other && strong {
		nameResult = ResultNameDiffers
	}
	if nameResult != "" {
		say("name", nameResult, 2*int(name))
	}
	if birth != "" {
		say("birth_date", birth, map[string]int{ResultEqual: 2, ResultYearEqual: 1}[birth])
	}
	out.Outcome = Possible
	if strong && !veto && name != other {
		out.Outcome = Hit
	}
	return out, true
}

// compare judges the asked number against all numbers of a document: the most telling result stands.
func (n *number) compare(ids []schemas.Identifier) string {
	best := ""
	if n.value == "" {
		return best
	}
	for _, id := range ids {
		if result := n.compareOne(id); slices.Index(telling, result) > slices.Index(telling, best) {
			best = result
		}
	}
	return best
}

// telling orders the results of numbers. A difference is said only if no number of the document agrees in any way.
var telling = []string{"", ResultDifferent, ResultNear, ResultSuspect, ResultNoCountry, ResultLetters, ResultEqual}

func (n *number) compareOne(id schemas.Identifier) string {
	valid := n.quality == identifier.Valid && id.Strong
	if plain, ok := passportNumber(id); ok && n.noPlace && plain == n.value {
		return ResultNoCountry
	}
	if id.Value == n.value {
		switch {
		case n.letters:
			return ResultLetters
		case valid && id.Kind == n.kind:
			return ResultEqual
		case n.quality == identifier.Invalid && n.kind == kindResident && id.Kind == kindResident:
			return ResultNear // the same wrong number in an old record
		}
		return ResultSuspect
	}
	if slices.Contains(n.near, id.Value) && id.Kind == n.kind {
		return ResultNear
	}
	if valid && !n.letters && id.Kind == n.kind && !documents[id.Kind].changes {
		return ResultDifferent
	}
	return ""
}

func (a *asked) compareUSCC(usccs []schemas.Identifier) string {
	for _, u := range usccs {
		if a.uscc != "" && u.Value == a.uscc {
			if a.usccOK && u.Strong {
				return ResultEqual
			}
			return ResultSuspect
		}
	}
	return ""
}

func (a *asked) compareDocNo(f *face) string {
	for _, d := range f.decided {
		if a.issued != "" && d.Value == a.issued && d.Strong {
			return ResultEqual
		}
	}
	if a.docNo != "" && slices.Contains(f.docNos, a.docNo) {
		return ResultNumberOnly
	}
	return ""
}

// compareName returns how alike the question's name and the likest name of the document are, and the line to show.
func (a *asked) compareName(names []schemas.Identifier) (likeness, string) {
	if a.name == "" || len(names) == 0 {
		return unsure, ""
	}
	best, alias := other, false
	for _, n := range names {
		l := compareNames(a.name, n.Value)
		if l > best || l == best && alias && n.Kind == kindName {
			best, alias = l, n.Kind == kindNameVariant
		}
	}
	switch {
	case best == equalNames && alias:
		return best, ResultAlias
	case best == equalNames:
		return best, ResultEqual
	case best == alike:
		return best, ResultLookalike
	case best == similar:
		return best, ResultSimilar
	case best == unsure:
		return best, ResultNotCompared
	}
	return other, ResultDifferent
}

func (a *asked) compareBirth(births []string) string {
	if len(a.births) == 0 || len(births) == 0 {
		return ""
	}
	result := ResultBirthDiffers
	for _, asked := range a.births {
		for _, b := range births {
			switch b {
			case asked:
				return ResultEqual
			case asked[:4]:
				result = ResultYearEqual
			}
		}
	}
	return result
}
