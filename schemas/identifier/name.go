package identifier

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

func normNFKC(s string) string { return norm.NFKC.String(s) }

// Name is a read name of a person. The record keeps it as given; Normalised is a search key (domain.md §3.10).
type Name struct {
	Parsed
	Flags []string // TextFlags of the name as given
}

// isPlaceholder reports what stands for a lost character. 〇 (U+3007) is none: it is a character of real names.
func isPlaceholder(r rune) bool {
	return r == '?' || r == '？' || r == '□' || r == '*' || r == '＊' || r == unicode.ReplacementChar
}

// ParseName reads a name. Any script is accepted, rare and private-use characters too; only an empty name is invalid.
// A placeholder makes it suspect. Text that would be refused in a number (direction marks, zero width) is flagged.
func ParseName(raw string) Name {
	n := Name{Parsed: Parsed{Raw: raw, Normalised: normaliseName(raw), Quality: Valid}, Flags: TextFlags(raw)}
	if n.Normalised == "" {
		n.fail(ReasonEmpty)
	}
	for _, r := range raw {
		if isPlaceholder(r) {
			n.doubt(ReasonPlaceholder)
		}
	}
	return n
}

// normaliseName is NFKC without spaces and invisible characters between Han characters, the middle dot in one form,
// letters in upper case.
func normaliseName(raw string) string {
	return stable(raw, func(s string) string {
		s = strings.Map(func(r rune) rune {
			switch {
			case isControl(r):
				return ' '
			case isBidi(r), isHidden(r):
				return -1
			case isMiddleDot(r):
				return '·'
			}
			return unicode.ToUpper(r)
		}, norm.NFKC.String(s))
		words := strings.Fields(s)
		sep := " "
		if strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			sep = ""
		}
		return strings.Join(words, sep)
	})
}

// isMiddleDot reports the dots that old systems write in names of minorities (domain.md §3.10). NFKC has made a full
// stop of the full-width one before we see it, so that one counts as well.
func isMiddleDot(r rune) bool {
	switch r {
	case '·', '•', '．', '‧', '・', '･', '∙', '⋅', '●', '.':
		return true
	}
	return false
}

// MaskName gives what a card shows of a name: the first letter and 某某, always three characters, so that nothing of the
// rest can be told from it (domain.md §2.2). A surname of two characters is cut like any other: its length would tell.
func MaskName(name string) string {
	for _, r := range norm.NFC.String(name) {
		if unicode.IsLetter(r) && !isHidden(r) {
			return string(r) + "某某"
		}
	}
	return "某某某"
}
