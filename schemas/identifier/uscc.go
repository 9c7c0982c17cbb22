package identifier

import "strings"

const usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY" // no I, O, S, V, Z (GB 32100-2015)

// USCC is a read 统一社会信用代码.
type USCC struct {
	Parsed
	Kind   string // government_organ, public_institution, enterprise, sole_trader, private_non_enterprise, other
	Region string // characters 3–8
	Org    string // characters 9–17, the organisation code of GB 11714
}

// ParseUSCC reads an 18-character code. The type of a number is never inferred from its digits: all-digit codes exist
// and can pass the check of a resident number too (domain.md §3.6). The day plays no part; it is there so that all
// readers look alike.
func ParseUSCC(raw string, _ Date) USCC {
	p, ok := begin(raw, Normalise(raw))
	u := USCC{Parsed: p}
	if !ok {
		return u
	}
	n := u.Normalised
	switch {
	case foreignScript(n):
		u.fail(ReasonScript)
	case excelNumber(n):
		u.fail(ReasonExcel)
	case len(n) != 18:
		u.fail(ReasonLength)
	case strings.Trim(n, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		u.fail(ReasonPattern)
	case strings.ContainsAny(n, "IOSVZ"):
		u.fail(ReasonLetter)
	case !digits(n[2:8]):
		u.fail(ReasonPattern)
	default:
		u.Region, u.Org, u.Kind = n[2:8], n[8:17], usccKind(n)
		if c, _ := USCCCheck(n[:17]); c != n[17] {
			u.fail(ReasonCheckDigit)
		} else if orgCheck(u.Org[:8]) != u.Org[8] {
			u.fail(ReasonOrgCheckDigit)
		} else if !strings.ContainsRune("123456789AGNY", rune(n[0])) {
			u.doubt(ReasonSeries)
		}
	}
	return u
}

func usccKind(n string) string {
	switch n[:2] {
	case "11":
		return "government_organ"
	case "12":
		return "public_institution"
	case "91":
		return "enterprise"
	case "92":
		return "sole_trader"
	case "52":
		return "private_non_enterprise"
	}
	return "other"
}

// USCCCheck returns the check character that belongs to the first 17 characters; ok is false if one of them is not of
// the code's alphabet.
func USCCCheck(body string) (c byte, ok bool) {
	if len(body) != 17 {
		return 0, false
	}
	sum, weight := 0, 1
	for i := range len(body) {
		v := strings.IndexByte(usccAlphabet, body[i])
		if v < 0 {
			return 0, false
		}
		sum += v * weight
		weight = weight * 3 % 31
	}
	return usccAlphabet[(31-sum%31)%31], true
}

// orgCheck returns the check character of the eight characters of an organisation code (GB 11714).
func orgCheck(body string) byte {
	weights := [8]int{3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		v := int(body[i] - '0')
		if body[i] >= 'A' {
			v = int(body[i]-'A') + 10
		}
		sum += v * w
	}
	return "0X987654321"[sum%11] // 11 − sum mod 11, 10 written X, 11 written 0
}
