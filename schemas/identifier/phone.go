package identifier

import (
	"regexp"
	"strings"
)

// Phone is a read telephone number. Numbers are re-used: a hit needs an overlapping period (domain.md §3.7).
type Phone struct {
	Parsed          // Normalised: 11 digits of a mobile, or area and local number in digits with -extension
	Kind     string // mobile, landline, service, foreign; empty if invalid
	AreaCode string // of a landline, with its leading 0
}

var (
	mobileForm   = regexp.MustCompile(`^1[3-9]\d{9}$`)
	landlineForm = regexp.MustCompile(`^0\d{2,3}[2-9]\d{6,7}(-\d{1,6})?$`)
	serviceForm  = regexp.MustCompile(`^(400\d{7}|800\d{7}|9[56]\d{3,7}|12345|1[12]\d{1,3}|10\d{3})$`)
	foreignForm  = regexp.MustCompile(`^(\+|00)[1-9]\d{6,14}$`)
)

// eightDigits are areas whose local numbers have eight digits today (domain.md §3.7 [K]): a shorter one is suspect.
var eightDigits = map[string]bool{"010": true, "021": true, "0512": true, "0513": true, "0573": true, "0515": true, "0523": true}

// ParsePhone reads a telephone number as people type it. +86 and 0086 are taken off.
func ParsePhone(raw string, _ Date) Phone {
	p, ok := begin(raw, normalisePhone(raw))
	ph := Phone{Parsed: p}
	if !ok {
		return ph
	}
	n := ph.Normalised
	switch {
	case foreignScript(n):
		ph.fail(ReasonScript)
	case excelNumber(n):
		ph.fail(ReasonExcel)
	case mobileForm.MatchString(n):
		ph.Kind = "mobile"
	case serviceForm.MatchString(n):
		ph.Kind = "service"
		ph.doubt(ReasonService)
	case foreignForm.MatchString(n):
		ph.Kind = "foreign"
		ph.doubt(ReasonForeign)
	case landlineForm.MatchString(n):
		ph.landline()
	case digits(n) && len(n) != 11 && n[0] == '1':
		ph.fail(ReasonLength)
	default:
		ph.fail(ReasonPattern)
	}
	return ph
}

// landline splits area and local number: 010 and 02x have three digits, all others four.
func (ph *Phone) landline() {
	n, _, _ := strings.Cut(ph.Normalised, "-")
	area := 4
	if n[1] == '1' || n[1] == '2' {
		area = 3
	}
	local := n[area:]
	switch {
	case local[0] < '2' || len(local) < 7 || len(local) > 8:
		ph.fail(ReasonPattern)
		return
	case eightDigits[n[:area]] && len(local) == 7:
		ph.doubt(ReasonLocalLength)
	}
	ph.Kind, ph.AreaCode = "landline", n[:area]
}

func normalisePhone(raw string) string {
	return stable(raw, func(s string) string {
		s = strings.Map(func(r rune) rune {
			if strings.ContainsRune("()./", r) {
				return -1
			}
			return r
		}, normaliseDashed(s))
		for {
			rest, ok := strings.CutPrefix(s, "+86")
			if !ok {
				rest, ok = strings.CutPrefix(s, "0086")
			}
			if !ok {
				break
			}
			s = strings.TrimLeft(rest, "-")
			// Inside +86 a landline loses the 0 of its area code.
			if plain := strings.ReplaceAll(s, "-", ""); digits(plain) && s[0] != '0' && !mobileForm.MatchString(plain) && !serviceForm.MatchString(plain) {
				s = "0" + s
			}
		}
		return joinDashes(s)
	})
}

// joinDashes takes the dashes out, but the one before an extension: that is a last group of one to six digits behind a
// number that is complete without it.
func joinDashes(s string) string {
	if i := strings.LastIndexByte(s, '-'); i > 0 && i < len(s)-1 {
		head := strings.ReplaceAll(s[:i], "-", "")
		if tail := s[i+1:]; len(tail) <= 6 && digits(tail) && landlineForm.MatchString(head) {
			return head + "-" + tail
		}
	}
	return strings.ReplaceAll(s, "-", "")
}
