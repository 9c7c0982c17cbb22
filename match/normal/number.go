package normal

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// ID is a resident number as written: whole, masked, or a part of one. It is a search form; whether it may stand in a
// record is for package identifier.
type ID struct {
	Number  string // 18 characters, * where unknown; empty when only a part is known
	Part    string // characters of unknown place; also a number with one character too few or too many
	Whole   bool   // all 18 known
	Valid   bool   // Whole, with a real birth day and the right check character
	Letters bool   // letters were read as digits: questions only
	Birth   string // YYYY-MM-DD, YYYY, or empty: as far as the number tells
	Sex     byte   // 1 male, 2 female, 0 not told
}

// ReadID reads a number. question says that it was typed to ask: only then O and l stand for digits.
func ReadID(s string, question bool) ID {
	raw := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z':
			return r
		case strings.ContainsRune("*×●•#?_…█", r):
			return '*'
		}
		return -1
	}, norm.NFKC.String(clean(s)))
	if len(raw) > 24 || len(raw) < 4 {
		return ID{}
	}
	var id ID
	if question && strings.ContainsAny(raw, "OIL") {
		raw = strings.NewReplacer("O", "0", "I", "1", "L", "1").Replace(raw)
		id.Letters = true
	}
	b := []byte(raw)
	for i := range b[:len(b)-1] {
		if b[i] == 'X' {
			b[i] = '*'
		}
	}
	if strings.ContainsFunc(string(b), func(r rune) bool { return r >= 'A' && r <= 'Z' && r != 'X' }) {
		return ID{} // a document of another kind
	}
	raw = unmarked(string(b))
	known := len(raw) - strings.Count(raw, "*")
	switch {
	case known < 3:
		return ID{}
	case known < len(raw):
		id.Number = raw
	case len(raw) == 15 || len(raw) == 18:
		p := identifier.ParseResidentID(raw, identifier.Date{})
		id.Number, id.Whole, id.Valid = p.Normalised, len(p.Normalised) == 18, p.Quality != identifier.Invalid
		if !id.Whole {
			id.Number, id.Part = "", raw
		}
	default:
		id.Part = raw
	}
	id.derive()
	return id
}

// unmarked writes a number that has marks with 18 characters, and takes marks out that hide nothing.
func unmarked(s string) string {
	switch known := len(s) - strings.Count(s, "*"); {
	case known >= 18: // a mark beside a whole number
		return strings.ReplaceAll(s, "*", "")
	case known >= 3 && known < len(s):
		s = spread(s)
	}
	if len(s) == 18 && s[17] == '*' && isDigits(s[:17]) {
		return s[:17] + "X" // × and * in the last place are how people write X
	}
	return s
}

// spread writes a masked number with 18 characters: one run of marks grows or shrinks, as people mask without counting.
func spread(s string) string {
	if len(s) == 15 {
		return s[:6] + "19" + strings.ReplaceAll(s[6:], "X", "*") + "*"
	}
	i := strings.IndexByte(s, '*')
	head, tail := s[:i], s[i:]
	stars := len(tail) - len(strings.TrimLeft(tail, "*"))
	tail = tail[stars:]
	if n := 18 - len(head) - len(tail); n >= 0 {
		return head + strings.Repeat("*", n) + tail
	}
	return (head + tail)[:18]
}

func (id *ID) derive() {
	n := id.Number
	if n == "" {
		return
	}
	if y := n[6:10]; isDigits(y) && y >= "1880" && y < "2100" {
		id.Birth = y
		if isDigits(n[10:14]) {
			if d, err := identifier.ParseDate(y + "-" + n[10:12] + "-" + n[12:14]); err == nil {
				id.Birth = d.String()
			}
		}
	}
	if c := n[16]; c >= '0' && c <= '9' {
		id.Sex = 2 - (c-'0')%2
	}
}

// Phone is a telephone number as written.
type Phone struct {
	Number string // digits, * where masked; a landline with area code if it was written
	Mobile bool   // eleven digits, all known
	Masked bool
	Part   bool // neither a whole mobile nor a landline with area code
}

// ReadPhone reads a number; the zero Phone if there are fewer than four digits.
func ReadPhone(s string) Phone {
	s = norm.NFKC.String(clean(s))
	if i := strings.IndexAny(s, "转#"); i > 0 { // an extension
		s = s[:i]
	}
	raw := strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r == '*':
			return r
		case r == 'X' || r == 'x' || r == '×' || r == '?' || r == '●' || r == '•':
			return '*'
		}
		return -1
	}, s)
	plus := strings.ContainsRune(s, '+') || strings.HasPrefix(raw, "0086")
	for next := withoutPrefix(raw, plus); next != raw; next = withoutPrefix(raw, false) {
		raw = next
	}
	if len(raw)-strings.Count(raw, "*") < 3 || len(raw) > 20 {
		return Phone{}
	}
	p := Phone{Number: raw, Masked: strings.Contains(raw, "*")}
	if p.Masked {
		i := strings.IndexByte(raw, '*')
		j := strings.LastIndexByte(raw, '*')
		if n := 11 - i - (len(raw) - j - 1); raw[0] == '1' && n > 0 {
			p.Number = raw[:i] + strings.Repeat("*", n) + raw[j+1:]
		}
		if len(p.Number)-strings.Count(p.Number, "*") < 3 {
			return Phone{}
		}
		return p
	}
	p.Mobile = len(raw) == 11 && raw[0] == '1' && raw[1] >= '3'
	p.Part = !p.Mobile && (raw[0] != '0' || len(raw) < 10)
	return p
}

// withoutPrefix takes one prefix for dialling off a number: of a cheap line, of foreign calls, of the country, the 0 that
// some dial before a mobile. country says that one of a country is there.
func withoutPrefix(raw string, country bool) string {
	for _, dial := range []string{"17951", "12593", "17911", "17909"} {
		if rest, ok := strings.CutPrefix(raw, dial); ok && len(rest) >= 11 {
			return rest
		}
	}
	if rest, ok := strings.CutPrefix(raw, "00"); ok && len(raw) > 11 {
		raw = rest
	}
	if rest, ok := strings.CutPrefix(raw, "86"); ok && (len(rest) >= 11 || country && len(rest) >= 9) {
		if len(rest) < 11 || rest[0] != '1' {
			rest = "0" + strings.TrimLeft(rest, "0")
		}
		return rest
	}
	if len(raw) == 12 && raw[:2] == "01" && raw[2] >= '3' {
		return raw[1:]
	}
	return raw
}

// Plate is a vehicle's plate.
type Plate struct {
	Full     string // with the province's character if it was written
	Bare     string // without it
	Province bool
}

// ReadPlate reads a plate. The standard excludes O and I: they are 0 and 1, except for the letter of the authority.
func ReadPlate(s string) Plate {
	var han, bare []rune
	for _, r := range norm.NFKC.String(clean(s)) {
		switch {
		case unicode.Is(unicode.Han, r):
			if len(bare) == 0 {
				han = append(han[:0], r)
			}
		case unicode.IsLetter(r) || r >= '0' && r <= '9':
			r = unicode.ToUpper(r)
			if len(bare) > 0 && (r == 'O' || r == 'I') {
				r = map[rune]rune{'O': '0', 'I': '1'}[r]
			}
			bare = append(bare, r)
		}
	}
	if len(bare) < 4 || len(bare) > 9 {
		return Plate{}
	}
	return Plate{Full: string(han) + string(bare), Bare: string(bare), Province: len(han) > 0}
}

var confusedOnPlates = strings.NewReplacer("D", "0", "Q", "0", "O", "0", "I", "1", "L", "1", "Z", "2", "S", "5", "B", "8", "G", "6", "V", "U", "N", "M", "T", "7")

// Skeleton writes characters that are taken for each other on plates as one.
func (p Plate) Skeleton() string { return confusedOnPlates.Replace(p.Bare) }
