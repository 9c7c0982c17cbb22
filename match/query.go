package match

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// Query is what is asked about a person or body. Empty fields are not asked. It prints as "[redacted]".
type Query struct {
	Name      string
	BirthDate string // YYYY-MM-DD; counts only beside a name
	IDType    string // code of domain.md §2.6.4; empty = RIC, the resident identity card
	IDCountry string // of a passport, ISO 3166-1 alpha-3; without it a passport is at most possible
	IDNo      identifier.Secret
	Phone     identifier.Secret
	USCC      identifier.Secret // of the organisation; beside DocNo also tried as its issuer
	DocNo     identifier.Secret // 文号 of a decision
	AsOf      string            // civil date that identifiers are read for; empty skips the check of future births
}

// Format prints "[redacted]": names and birth dates are plain text in here.
func (q Query) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }

// LogValue is Format for log/slog.
func (q Query) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// asked is a question read once.
type asked struct {
	name   string
	births []string // stated, and told by the number
	id     number
	phone  string
	uscc   string
	usccOK bool // its check characters are right
	docNo  string
	issued string // "issuer/number", when both are valid
}

// number is a person's document number as asked.
type number struct {
	kind    string
	value   string             // what documents are compared by
	quality identifier.Quality // Invalid with a value: looked for by near numbers
	letters bool               // letters were read as digits
	near    []string           // valid numbers one slip away
	noPlace bool               // a passport without its country
}

func read(q Query) asked {
	day, _ := identifier.ParseDate(q.AsOf) // the zero Date skips the check, as documented
	a := asked{name: NormaliseName(q.Name)}
	if d, err := identifier.ParseDate(strings.TrimSpace(q.BirthDate)); err == nil {
		a.births = append(a.births, d.String())
	}
	if raw := q.IDNo.Reveal(); raw != "" {
		a.id = readNumber(q, raw, day)
		if b := birthIn(a.id.kind, a.id.value); b != "" && a.id.quality != identifier.Invalid && (len(a.births) == 0 || a.births[0] != b) {
			a.births = append(a.births, b)
		}
	}
	if p := identifier.ParsePhone(q.Phone.Reveal(), day); p.Quality != identifier.Invalid {
		a.phone = p.Normalised
	}
	if u := identifier.ParseUSCC(q.USCC.Reveal(), day); u.Normalised != "" {
		a.uscc, a.usccOK = u.Normalised, u.Quality == identifier.Valid
	}
	if n := identifier.ParseDocNo(q.DocNo.Reveal(), identifier.Date{}); n.Quality != identifier.Invalid {
		a.docNo = n.Normalised
		if a.usccOK && n.Quality == identifier.Valid {
			a.issued = a.uscc + "/" + n.Normalised
		}
	}
	return a
}

func readNumber(q Query, raw string, day identifier.Date) number {
	kind := q.IDType
	if kind == "" {
		kind = identifier.TypeResident
	}
	p := identifier.ParseDocument(kind, q.IDCountry, raw, day)
	n := number{kind: p.Kind, value: p.Key, quality: p.Quality}
	if n.value == "" {
		n.value = p.Normalised
	}
	if p.Kind == kindPassport && p.Reason == identifier.ReasonCountry {
		n.noPlace = true
	}
	if p.Quality != identifier.Invalid || p.Kind != kindResident && p.Kind != kindResidence {
		return n
	}
	// Letters for digits are accepted in questions only, and said (domain.md §3 rule 4).
	if digits := lettersToDigits(p.Normalised); digits != p.Normalised {
		if again := identifier.ParseDocument(kind, q.IDCountry, digits, day); again.Quality != identifier.Invalid {
			n.value, n.quality, n.letters = again.Normalised, again.Quality, true
			return n
		}
	}
	if p.Reason == identifier.ReasonCheckDigit || p.Reason == identifier.ReasonDate {
		n.near = nearNumbers(p.Normalised)
	}
	return n
}

// lettersToDigits reads O as 0, I and L as 1. Normalised numbers are in upper case.
func lettersToDigits(s string) string {
	return strings.NewReplacer("O", "0", "I", "1", "L", "1").Replace(s)
}

// nearNumbers lists the resident numbers with a right check character that are one slip away from s: one character
// replaced, or two neighbours exchanged. s has 17 digits and a check character.
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

// keys lists where to look.
func (a *asked) keys() []string {
	var out []string
	if a.id.value != "" {
		out = append(out, key(documentKey, a.id.value))
		for _, n := range a.id.near {
			out = append(out, key(documentKey, n))
		}
	}
	if a.name != "" {
		for _, b := range a.births {
			out = append(out, key(kindBirth, skeleton(a.name)+"\x00"+b), key(kindBirth, skeleton(a.name)+"\x00"+b[:4]))
		}
	}
	if a.phone != "" {
		out = append(out, key(kindPhone, a.phone))
	}
	if a.uscc != "" {
		out = append(out, key(kindUSCC, a.uscc))
	}
	if a.docNo != "" {
		out = append(out, key(kindDocNo, a.docNo))
	}
	return out
}
