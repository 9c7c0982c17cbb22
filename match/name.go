package match

import (
	"slices"
	"strings"
	"unicode"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// NormaliseName gives the form in which names are compared: NFKC, without spaces inside Han names and without invisible
// characters, all middle dots as one, letters in upper case (domain.md §3.10). Traditional and variant characters stay
// as they are in this version. It is idempotent.
func NormaliseName(s string) string { return identifier.ParseName(s).Normalised }

// likeness is how two normalised names stand to each other.
type likeness uint8

const (
	other      likeness = iota // clearly another name
	unsure                     // cannot be compared: another script, a placeholder, nothing there
	similar                    // at least half of the characters agree in order
	alike                      // other letters that look the same
	equalNames                 // the same
)

// compareNames is symmetric.
func compareNames(a, b string) likeness {
	switch {
	case a == "" || b == "":
		return unsure
	case a == b:
		return equalNames
	case skeleton(a) == skeleton(b):
		return alike
	case hasPlaceholder(a) || hasPlaceholder(b) || hasHan(a) != hasHan(b):
		return unsure
	case !hasHan(a):
		return compareWords(a, b)
	}
	ra, rb := []rune(a), []rune(b)
	if 2*common(ra, rb) >= max(len(ra), len(rb)) {
		return similar
	}
	return other
}

func hasHan(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// hasPlaceholder reports marks for characters that were lost or masked.
func hasPlaceholder(s string) bool { return strings.ContainsAny(s, "?□*某�") }

// compareWords compares names in letters: one word in common is enough not to be clearly other, as order and spelling of
// the rest differ between papers.
func compareWords(a, b string) likeness {
	split := func(r rune) bool { return !unicode.IsLetter(r) }
	wa, wb := strings.FieldsFunc(a, split), strings.FieldsFunc(b, split)
	for _, w := range wa {
		if slices.Contains(wb, w) {
			return similar
		}
	}
	if strings.Join(wa, "") == strings.Join(wb, "") {
		return similar // written in one
	}
	return other
}

// maxCompared bounds the work on one pair of names; honest names are far shorter (T01: 50 characters).
const maxCompared = 64

// common returns the length of the longest common subsequence.
func common(a, b []rune) int {
	a, b = a[:min(len(a), maxCompared)], b[:min(len(b), maxCompared)]
	row := make([]int, len(b)+1)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return row[len(b)]
}
