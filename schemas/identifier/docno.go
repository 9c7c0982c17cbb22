package identifier

import (
	"regexp"
	"strings"
)

// DocNo is a read 行政处罚决定书文号. A decision is identified by (issuer USCC, normalised 文号): abbreviations repeat
// across the country (domain.md §3.11).
type DocNo struct {
	Parsed        // Normalised: prefix〔year〕serial
	Prefix string // e.g. 测金卫医罚
	Year   int    // zero when it is not one of four digits
	Serial string // without leading zeros, with its -n suffix
}

var (
	docNoForm  = regexp.MustCompile(`^([\p{Han}A-Z]{2,16})〔((?:19|20)\d{2})〕(\d{1,8}(?:-\d{1,4})?)$`)
	docNoShort = regexp.MustCompile(`^([\p{Han}A-Z]{2,16})〔(\d{2})〕(\d{1,8}(?:-\d{1,4})?)$`)
	// docNoWild is what is seen in files: 字 before and 第 after the year, brackets round the serial, 号 at the end.
	docNoWild = regexp.MustCompile(`^(.+?)字*〔(\d{2,4})〕第*〔?(\d+)(-\d+)?〕?号*$`)
	// docNoYear and docNoZeros find in any other number what §3.11 drops: the words round the year and zeros after it.
	docNoYear  = regexp.MustCompile(`字*〔(\d+)〕第*`)
	docNoZeros = regexp.MustCompile(`(〔\d+〕)0+(\d)`)
	docNoPart  = regexp.MustCompile(`〔(\p{Han}{1,6})〕`)
)

var docNoBrackets = strings.NewReplacer("【", "〔", "】", "〕", "[", "〔", "]", "〕", "(", "〔", ")", "〕", "〖", "〔", "〗", "〕", "{", "〔", "}", "〕", "〈", "〔", "〉", "〕", "<", "〔", ">", "〕")

// ParseDocNo reads a document number. asOf is the day of decision when that is known (the number's year may differ from
// it by one), or the zero Date.
func ParseDocNo(raw string, decided Date) DocNo {
	p, ok := begin(raw, normaliseDocNo(raw))
	d := DocNo{Parsed: p}
	if !ok {
		return d
	}
	switch m := docNoForm.FindStringSubmatch(d.Normalised); {
	case m != nil:
		d.Prefix, d.Year, d.Serial = m[1], number(m[2]), m[3]
		if !decided.IsZero() && (d.Year < decided.Year-1 || d.Year > decided.Year+1) {
			d.fail(ReasonYear)
		}
	case docNoShort.MatchString(d.Normalised):
		m := docNoShort.FindStringSubmatch(d.Normalised)
		d.Prefix, d.Serial = m[1], m[3]
		d.doubt(ReasonYearForm)
	default:
		d.fail(ReasonPattern)
	}
	return d
}

func normaliseDocNo(raw string) string {
	return stable(raw, func(s string) string {
		s = docNoBrackets.Replace(normaliseDashed(s))
		m := docNoWild.FindStringSubmatch(s)
		if m == nil {
			// A number that fails the pattern is still compared by its normalised text (§6.3 step 1): the same words and zeros
			// are none of it.
			s = docNoYear.ReplaceAllString(strings.TrimRight(s, "号"), "〔$1〕")
			return docNoZeros.ReplaceAllString(s, "$1$2")
		}
		// The rule of 1998 wrote (地区)卫(类)罚: brackets round part of the prefix are punctuation.
		prefix := docNoPart.ReplaceAllString(m[1], "$1")
		serial := strings.TrimLeft(m[3], "0")
		if serial == "" {
			serial = "0"
		}
		return prefix + "〔" + m[2] + "〕" + serial + m[4]
	})
}
