// Package normal is the one normaliser of the matching engine: what a record says and what a question says go through the
// same functions, so that both meet under the same keys. It reads names, numbers, addresses and institutions as people
// type them; it never refuses a text. It leaves to others how much an agreement is worth (package match) and whether a
// number may stand in a record (package identifier).
package normal

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"

	"github.com/pilinhub/pilin/match/internal/hanzi"
)

// Version is part of the engine's version: a snapshot of another one is refused and the index is built from the log.
const Version = "normal-1"

// maxText bounds a text in characters; honest ones are far shorter, and work on a text grows with its length.
const maxText = 200

// clean narrows full-width letters, takes out what is not seen and composes (NFC), in this order: what is not seen may
// stand between a letter and its accent. It keeps compatibility ideographs for the fold table: NFKC would replace some by
// others than names mean.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Cc, r) && r != '\t' && r != '\n', r >= 0xFE00 && r <= 0xFE0F, r >= 0xE0100 && r <= 0xE01EF:
			return -1
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, width.Fold.String(s))
	s = norm.NFC.String(s)
	n := 0
	for i := range s {
		if n++; n > maxText {
			return s[:i]
		}
	}
	return s
}

// Fold replaces every character by the representative of its traditional, simplified and variant forms, so that two
// spellings of one name are equal (domain.md §3.10, the step of the variant table). Nothing else is changed.
func Fold(s string) string { return string(folded(s)) }

func folded(s string) []rune {
	out := []rune(s)
	for i, r := range out {
		out[i] = hanzi.Fold(r)
	}
	return out
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

func isDigits(s string) bool { return s != "" && len(digitsOf(s)) == len(s) }
