package identifier

import "strings"

// Sex is a code of GB/T 2261.1 (domain.md §2.6.2).
type Sex string

// The codes. An identity number gives only Male or Female.
const (
	SexUnknown   Sex = "0"
	SexMale      Sex = "1"
	SexFemale    Sex = "2"
	SexNotStated Sex = "9"
)

// Contradicts reports whether two statements cannot both be true: unknown contradicts nothing.
func (s Sex) Contradicts(t Sex) bool {
	definite := func(s Sex) bool { return s == SexMale || s == SexFemale }
	return definite(s) && definite(t) && s != t
}

// ResidentID is a read 居民身份证 number (GB 11643-1999) or a residence permit of the same build.
type ResidentID struct {
	Parsed        // Normalised has 18 characters whenever 18 could be made
	Old15  string // the 15-digit form, when that was given; both are kept (domain.md §3.2)
	Region string // first six digits
	Birth  Date   // zero unless a real day
	Sex    Sex    // from the sequence number; SexUnknown when unreadable
}

// ParseResidentID reads a number of 18 or 15 characters. asOf is the day of asking: a birth after it is invalid; the
// zero Date skips that check. Whether somebody is old enough is Minor's question.
func ParseResidentID(raw string, asOf Date) ResidentID {
	id := parseGB11643(raw, asOf)
	if _, ok := LookupRegion(id.Region); !ok {
		id.doubt(ReasonRegion)
	}
	return id
}

// ParseResidencePermit reads a 港澳台居民居住证: built like a resident number, with region 810000, 820000 or 830000.
func ParseResidencePermit(raw string, asOf Date) ResidentID {
	id := parseGB11643(raw, asOf)
	switch {
	case id.Quality == Invalid:
	case id.Old15 != "":
		id.fail(ReasonLength) // these cards exist since 2018 only
	case id.Region != "810000" && id.Region != "820000" && id.Region != "830000":
		id.fail(ReasonPattern)
	}
	return id
}

func normaliseResident(raw string) string {
	return stable(raw, func(s string) string {
		s = Normalise(s)
		// × and * are how people write X where the keyboard or the form has none.
		if body, ok := crossed(s); ok {
			return body + "X"
		}
		if len(s) == 15 && digits(s) {
			body := s[:6] + "19" + s[6:]
			return body + string(checkMod11(body))
		}
		return s
	})
}

func crossed(s string) (body string, ok bool) {
	body, ok = strings.CutSuffix(s, "×")
	if !ok {
		body, ok = strings.CutSuffix(s, "*")
	}
	return body, ok && len(body) == 17 && digits(body)
}

// parseGB11643 reads the number without judging its region.
func parseGB11643(raw string, asOf Date) ResidentID {
	given := Normalise(raw)
	p, ok := begin(raw, normaliseResident(raw))
	id := ResidentID{Parsed: p, Sex: SexUnknown}
	if !ok {
		return id
	}
	if len(given) == 15 && digits(given) {
		id.Old15 = given
	}
	n := id.Normalised
	if len(n) == 18 && digits(n[:6]) {
		id.Region = n[:6]
	}
	switch {
	case foreignScript(given):
		id.fail(ReasonScript)
	case excelNumber(given):
		id.fail(ReasonExcel)
	case len(n) != 18:
		id.fail(ReasonLength)
	case !digits(n[:17]) || !digits(n[17:]) && n[17] != 'X':
		id.fail(ReasonPattern)
	default:
		id.content(asOf)
	}
	if _, ok := crossed(given); ok {
		id.doubt(ReasonCheckForm)
	}
	// People of a hundred years and more had the sequences 996–999 on their 15-digit cards [K].
	if id.Old15 != "" && id.Old15[12:] >= "996" {
		id.doubt(ReasonCentury)
	}
	return id
}

// content judges 17 digits and a check character.
func (id *ResidentID) content(asOf Date) {
	n := id.Normalised
	if int(n[16]-'0')%2 == 1 {
		id.Sex = SexMale
	} else {
		id.Sex = SexFemale
	}
	birth, ok := compactDate(n[6:14])
	if ok {
		id.Birth = birth
	}
	switch {
	case !ok:
		id.fail(ReasonDate)
	case birth.Before(EarliestBirth):
		id.fail(ReasonTooEarly)
	case birth.After(asOf):
		id.fail(ReasonFuture)
	case checkMod11(n[:17]) != n[17]:
		id.fail(ReasonCheckDigit)
	}
}

var weights11 = [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}

// checkMod11 returns the check character of 17 digits (ISO 7064 MOD 11-2 as GB 11643 writes it out).
func checkMod11(body string) byte {
	sum := 0
	for i, w := range weights11 {
		sum += int(body[i]-'0') * w
	}
	return "10X98765432"[sum%11]
}

// ResidentCheck returns the check character that belongs to 17 digits, for a hint to the person who typed them; nothing
// is ever corrected by it.
func ResidentCheck(body string) (byte, bool) {
	if len(body) != 17 || !digits(body) {
		return 0, false
	}
	return checkMod11(body), true
}

// excelNumber reports what a spreadsheet makes of a long number, e.g. 3.10116E+17.
func excelNumber(s string) bool {
	mantissa, exponent, ok := strings.Cut(s, "E")
	if !ok {
		return false
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	return digits(whole) && (fraction == "" || digits(fraction)) && digits(strings.TrimPrefix(exponent, "+"))
}
