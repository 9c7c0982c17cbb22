package identifier

import (
	"regexp"
	"strings"
)

// Document is a read number of a permit, card or passport that is not a resident identity card.
type Document struct {
	Parsed
	// Key is what two documents of the kind are compared by: the first characters that are for life, or the number with
	// its country. Empty unless Quality is Valid.
	Key   string
	Birth Date // where the number tells it (new foreign permanent resident card)
}

var (
	hkMacauForm   = regexp.MustCompile(`^[HM]\d{8}(\d{2})?$`)
	hkForeignForm = regexp.MustCompile(`^[HM]A\d{7}(\d{2})?$`)
	taiwanForm    = regexp.MustCompile(`^(\d{8}|\d{10}(\([A-Z0-9]\))?)$`)
	fprOldForm    = regexp.MustCompile(`^[A-Z]{3}\d{12}$`)
	fprNewForm    = regexp.MustCompile(`^9\d{16}[0-9X]$`)
	cnPassport    = regexp.MustCompile(`^[EGDSPK][A-Z]?\d{7,8}$`)
	passportForm  = regexp.MustCompile(`^[A-Z0-9]{5,9}$`)
	countryForm   = regexp.MustCompile(`^[A-Z]{3}$`)
	otherForm     = regexp.MustCompile(`^[\p{Han}A-Z0-9()]{4,30}$`)
)

func beginDocument(raw, n string) (Document, bool) {
	p, ok := begin(raw, n)
	d := Document{Parsed: p}
	if ok && foreignScript(n) {
		d.fail(ReasonScript)
		ok = false
	} else if ok && excelNumber(n) {
		d.fail(ReasonExcel)
		ok = false
	}
	return d, ok
}

// ParseHKMacauPermit reads a 港澳居民来往内地通行证: the first nine characters are for life, the last two count re-issues.
// The card for non-Chinese residents (since 2024-07) has a series of its own and is suspect.
func ParseHKMacauPermit(raw string, _ Date) Document {
	d, ok := beginDocument(raw, Normalise(raw))
	switch n := d.Normalised; {
	case !ok:
	case hkMacauForm.MatchString(n):
		d.Key = n[:9]
	case hkForeignForm.MatchString(n):
		d.doubt(ReasonSeries)
	default:
		d.fail(ReasonPattern)
	}
	return d
}

// ParseTaiwanPermit reads a 台湾居民来往大陆通行证: the first eight digits are for life. Eight digits alone are no
// identifier: call this only for a document that is said to be one.
func ParseTaiwanPermit(raw string, _ Date) Document {
	d, ok := beginDocument(raw, Normalise(raw))
	switch n := d.Normalised; {
	case !ok:
	case taiwanForm.MatchString(n):
		d.Key = n[:8]
	default:
		d.fail(ReasonPattern)
	}
	return d
}

// ParseForeignResident reads a 外国人永久居留身份证: three letters and twelve digits, or since 2023-12-01 eighteen
// characters that begin with 9 and check like a resident number. Both may belong to one person: linked on evidence only.
func ParseForeignResident(raw string, asOf Date) Document {
	d, ok := beginDocument(raw, Normalise(raw))
	switch n := d.Normalised; {
	case !ok:
	case fprOldForm.MatchString(n):
		d.Key = n
	case !fprNewForm.MatchString(n):
		d.fail(ReasonPattern)
	default:
		birth, real := compactDate(n[6:14])
		switch {
		case !real:
			d.fail(ReasonDate)
		case birth.Before(EarliestBirth):
			d.fail(ReasonTooEarly)
		case birth.After(asOf):
			d.fail(ReasonFuture)
		case checkMod11(n[:17]) != n[17]:
			d.fail(ReasonCheckDigit)
		default:
			d.Birth, d.Key = birth, n
		}
	}
	return d
}

// ParsePassport reads a passport number with its country (ISO 3166-1 alpha-3). The number changes on renewal: equality
// proves the same person, difference proves nothing. Inner spaces and dashes are refused: they belong to no passport.
func ParsePassport(raw, country string, _ Date) Document {
	d, ok := beginDocument(raw, Normalise(raw))
	if !ok {
		return d
	}
	country = Normalise(country)
	switch n := d.Normalised; {
	case !countryForm.MatchString(country):
		d.fail(ReasonCountry)
	case n != trimmed(raw), !passportForm.MatchString(n):
		d.fail(ReasonPattern)
	case country == "CHN" && !cnPassport.MatchString(n):
		d.doubt(ReasonSeries)
	default:
		d.Key = country + ":" + n
	}
	return d
}

// trimmed is the canonical form without taking inner spaces and dashes out.
func trimmed(raw string) string {
	return stable(raw, func(s string) string {
		return strings.Map(upperASCII, strings.TrimSpace(normNFKC(s)))
	})
}

// MRZCheckDigit returns the check digit of a field of the machine-readable zone (ICAO 9303, weights 7 3 1).
func MRZCheckDigit(field string) (int, bool) {
	sum := 0
	for i := range len(field) {
		var v int
		switch c := field[i]; {
		case c >= '0' && c <= '9':
			v = int(c - '0')
		case c >= 'A' && c <= 'Z':
			v = int(c-'A') + 10
		case c == '<':
		default:
			return 0, false
		}
		sum += v * [3]int{7, 3, 1}[i%3]
	}
	return sum % 10, field != ""
}

// Identity document types (domain.md §2.6.4).
const (
	TypeResident       = "RIC" // 居民身份证
	TypeHousehold      = "HKB" // 户口簿
	TypePassport       = "PPT" // 护照
	TypeMilitary       = "MIL" // 军官证等
	TypeHKMacau        = "HMP" // 港澳居民来往内地通行证
	TypeTaiwan         = "TWP" // 台湾居民来往大陆通行证
	TypeHKResidence    = "HMR" // 港澳居民居住证
	TypeTaiwanResident = "TWR" // 台湾居民居住证
	TypeForeign        = "FPR" // 外国人永久居留身份证
	TypeUnknown        = "UNK" // 无法查明
)

// Person is a person's document number read by its type.
type Person struct {
	Parsed
	Kind  string // kind of identifier: resident_id, passport, hk_macau_permit, …
	Key   string // what is compared; empty unless Quality is Valid
	Birth Date   // where the number tells it
	Sex   Sex    // where the number tells it, else SexUnknown
}

// ParseDocument reads a person's document number by the hub's type code (domain.md §2.6.4). country is needed for
// passports only. A type without a known rule (HKB, MIL, UNK) is suspect at best.
func ParseDocument(idType, country, raw string, asOf Date) Person {
	resident := func(kind string, id ResidentID) Person {
		p := Person{Parsed: id.Parsed, Kind: kind, Birth: id.Birth, Sex: id.Sex}
		if p.Quality == Valid {
			p.Key = p.Normalised
		}
		return p
	}
	other := func(kind string, d Document) Person {
		return Person{Parsed: d.Parsed, Kind: kind, Key: d.Key, Birth: d.Birth, Sex: SexUnknown}
	}
	switch idType {
	case TypeResident:
		return resident("resident_id", ParseResidentID(raw, asOf))
	case TypeHKResidence, TypeTaiwanResident:
		return resident("residence_permit", ParseResidencePermit(raw, asOf))
	case TypeHKMacau:
		return other("hk_macau_permit", ParseHKMacauPermit(raw, asOf))
	case TypeTaiwan:
		return other("taiwan_permit", ParseTaiwanPermit(raw, asOf))
	case TypeForeign:
		return other("foreign_resident", ParseForeignResident(raw, asOf))
	case TypePassport:
		return other("passport", ParsePassport(raw, country, asOf))
	}
	d, ok := begin(raw, Normalise(raw))
	if ok && otherForm.MatchString(d.Normalised) {
		d.doubt(ReasonNoRule)
	} else if ok {
		d.fail(ReasonPattern)
	}
	return Person{Parsed: d, Kind: "other_document", Sex: SexUnknown}
}
