package identifier

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// stable applies step until nothing changes, so that a normaliser is idempotent whatever Unicode does: taking a
// character out of a normalised text can leave one that is not normalised.
func stable(s string, step func(string) string) string {
	for range 32 {
		n := step(s)
		if n == s {
			return s
		}
		s = n
	}
	return s
}

// isBidi reports characters that change the direction of text on screen (reliability-security.md §4.2).
func isBidi(r rune) bool {
	return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0x200E || r == 0x200F || r == 0x061C
}

// isHidden reports characters that take no room on screen: zero width, word joiner, soft hyphen, tags, variation
// selectors, fillers.
func isHidden(r rune) bool {
	switch {
	case r >= 0x200B && r <= 0x200D, r >= 0x2060 && r <= 0x2064, r >= 0x206A && r <= 0x206F,
		r == 0xFEFF, r == 0x00AD, r == 0x034F, r == 0x180E, r == 0x115F, r == 0x1160, r == 0x3164, r == 0xFFA0,
		isVariation(r), r >= 0xE0000 && r <= 0xE007F:
		return true
	}
	return false
}

func isVariation(r rune) bool {
	return r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF || r >= 0x180B && r <= 0x180D
}

func isControl(r rune) bool {
	return unicode.Is(unicode.Cc, r) || r == 0x2028 || r == 0x2029 || r == unicode.ReplacementChar
}

// isDash reports the characters that people type for a hyphen. The ideograph 一 is none of them.
func isDash(r rune) bool {
	return r == '-' || r >= 0x2010 && r <= 0x2015 || r == 0x2212 || r == 0x2043 || r == 0xFE58 || r == 0xFE63 || r == 0xFF0D
}

// hidden looks for what may never stand in an identifier, even though normalising would take it out: a number that
// looks like another one on screen is refused, not silently cleaned (reliability-security.md §4.2).
func hidden(raw string) Reason {
	for _, r := range raw {
		switch {
		case isControl(r):
			return ReasonControl
		case isBidi(r):
			return ReasonBidi
		case isHidden(r):
			return ReasonHidden
		}
	}
	return ""
}

func upperASCII(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r - 'a' + 'A'
	}
	return r
}

// squeeze is one step of Normalise: drop is what goes beside invisible characters and spaces.
func squeeze(s string, drop func(rune) bool) string {
	s = norm.NFKC.String(s)
	return strings.Map(func(r rune) rune {
		switch {
		case isControl(r), isBidi(r), isHidden(r), unicode.IsSpace(r):
			return -1
		case isDash(r):
			r = '-'
		}
		if drop != nil && drop(r) {
			return -1
		}
		return upperASCII(r)
	}, s)
}

// Normalise gives the common canonical form of a number or code: NFKC, without spaces, dashes and invisible characters,
// in upper case (domain.md §3 rule 2). Only ASCII letters are raised: nothing of another script becomes one of ours.
func Normalise(s string) string {
	return stable(s, func(s string) string { return squeeze(s, func(r rune) bool { return r == '-' }) })
}

// normaliseDashed is Normalise that keeps dashes, written as hyphens.
func normaliseDashed(s string) string {
	return stable(s, func(s string) string { return squeeze(s, nil) })
}

// begin starts a reading: normalised text and the text rules that every ASCII identifier shares.
func begin(raw, normalised string) (Parsed, bool) {
	p := Parsed{Raw: raw, Normalised: normalised, Quality: Valid}
	if r := hidden(raw); r != "" {
		p.fail(r)
		return p, false
	}
	if normalised == "" {
		p.fail(ReasonEmpty)
		return p, false
	}
	return p, true
}

// foreignScript reports a letter or digit outside ASCII: after NFKC none is left that belongs in a number.
func foreignScript(s string) bool {
	for _, r := range s {
		if r > unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)) {
			return true
		}
	}
	return false
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// TextFlags lists, each once and in a fixed order, what is peculiar in a free text: it is kept as given and shown with
// these marks (reliability-security.md §4.2): bidi, hidden, private_use, placeholder, not_nfc, mixed_script.
func TextFlags(s string) []string {
	var bidi, hid, pua, lost bool
	for _, r := range s {
		bidi = bidi || isBidi(r)
		hid = hid || isHidden(r)
		pua = pua || unicode.Is(unicode.Co, r)
		lost = lost || isPlaceholder(r)
	}
	var out []string
	for _, f := range []struct {
		on   bool
		name string
	}{{bidi, "bidi"}, {hid, "hidden"}, {pua, "private_use"}, {lost, "placeholder"}, {!norm.NFC.IsNormalString(s), "not_nfc"}, {mixedScript(s), "mixed_script"}} {
		if f.on {
			out = append(out, f.name)
		}
	}
	return out
}

// mixedScript reports Latin letters beside Cyrillic or Greek ones: most capitals of these look the same on screen, and an
// honest text seldom has two of them (UTS #39 §5).
func mixedScript(s string) bool {
	scripts := 0
	for _, t := range []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek} {
		if strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(t, r) }) {
			scripts++
		}
	}
	return scripts > 1
}
