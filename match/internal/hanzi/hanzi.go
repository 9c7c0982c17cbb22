// Package hanzi knows Chinese characters: to which representative a traditional or variant form belongs, how a character
// is read in Mandarin and Cantonese, and with which others it is confused by eye. The table is generated from Unihan;
// NOTICE names source and licence. It leaves to others what a name, an address or a likeness is worth.
package hanzi

import (
	_ "embed"
	"encoding/binary"
	"slices"
)

//go:generate go run ./gen -out table.bin

//go:embed table.bin
var packed []byte

// limit is the first code point that no row may have.
const limit = 0x32400

type entry struct {
	char, fold          rune
	mandarin, cantonese []uint16
	near                []uint16
	back                []uint16 // rows that have this one among their nearest
}

var (
	syllables, jyutping []string
	rows                []entry
	index               [limit]uint16 // row number + 1
	single              [limit]uint16 // syllable + 1 of a character that has just one reading in Mandarin
)

func init() {
	b := packed
	next := func() uint64 {
		n, size := binary.Uvarint(b)
		b = b[size:]
		return n
	}
	texts := func() []string {
		out := make([]string, next())
		for i := range out {
			n := next()
			out[i], b = string(b[:n]), b[n:]
		}
		return out
	}
	syllables, jyutping = texts(), texts()
	rows = make([]entry, next())
	pool := make([]uint16, 0, 1<<18)
	ids := func() []uint16 {
		n := int(next())
		from := len(pool)
		for range n {
			pool = append(pool, uint16(next()))
		}
		return pool[from:len(pool):len(pool)]
	}
	last := rune(0)
	for i := range rows {
		last += rune(next())
		d, size := binary.Varint(b)
		b = b[size:]
		rows[i] = entry{char: last, fold: last + rune(d), mandarin: ids(), cantonese: ids(), near: ids()}
		index[last] = uint16(i + 1)
		if m := rows[i].mandarin; len(m) == 1 {
			single[last] = m[0] + 1
		}
	}
	for i := range rows {
		for rank, n := range rows[i].near {
			if e := &rows[n]; rank < 8 && len(e.back) < 16 && !slices.Contains(e.near, uint16(i)) {
				e.back = append(e.back, uint16(i))
			}
		}
	}
}

func find(c rune) *entry {
	if c < 0 || c >= limit || index[c] == 0 {
		return nil
	}
	return &rows[index[c]-1]
}

// Fold returns the representative of c's class of traditional, simplified and variant forms; c itself if it has none. It
// is idempotent.
func Fold(c rune) rune {
	if e := find(c); e != nil {
		return e.fold
	}
	return c
}

// Syllable is the number of a toneless Mandarin syllable; 0 is none.
type Syllable uint16

// String returns it in pinyin without tone; ü is v.
func (s Syllable) String() string {
	if s == 0 || int(s) > len(syllables) {
		return ""
	}
	return syllables[s-1]
}

// ParseSyllable finds a pinyin syllable in lower case.
func ParseSyllable(s string) (Syllable, bool) {
	i, ok := slices.BinarySearch(syllables, s)
	return Syllable(i + 1), ok
}

// Syllables returns the readings of c, the commonest first; none if none is known.
func Syllables(c rune) []Syllable {
	e := find(c)
	if e == nil {
		return nil
	}
	out := make([]Syllable, len(e.mandarin))
	for i, m := range e.mandarin {
		out[i] = Syllable(m + 1)
	}
	return out
}

// Reads reports whether c can be read as s.
func Reads(c rune, s Syllable) bool {
	e := find(c)
	return e != nil && s > 0 && slices.Contains(e.mandarin, uint16(s-1))
}

// First returns the commonest reading of c, 0 if none is known.
func First(c rune) Syllable {
	if e := find(c); e != nil && len(e.mandarin) > 0 {
		return Syllable(e.mandarin[0] + 1)
	}
	return 0
}

// Cantonese returns the readings of c in Jyutping without tones.
func Cantonese(c rune) []string {
	e := find(c)
	if e == nil {
		return nil
	}
	out := make([]string, len(e.cantonese))
	for i, j := range e.cantonese {
		out[i] = jyutping[j]
	}
	return out
}

// Lookalikes returns the characters that c is taken for by eye, the likest first, then those that are taken for c; at most
// 40. c is a representative.
func Lookalikes(c rune) []rune {
	e := find(c)
	if e == nil {
		return nil
	}
	out := slices.Grow(slices.Clone(hand[c]), len(e.near)+len(e.back))
	for _, list := range [][]uint16{e.near, e.back} {
		for _, n := range list {
			if r := rows[n].char; !slices.Contains(hand[c], r) {
				out = append(out, r)
			}
		}
	}
	return out
}

// Likeness returns the rank (1 to 16) at which either character stands among the look-alikes of the other; 0 if neither.
// Pairs of the hand list stand first.
func Likeness(a, b rune) int {
	if h := hand[a]; h != nil && slices.Contains(h, b) {
		return 1
	}
	ra, rb := rank(a, b), rank(b, a)
	if ra == 0 || rb != 0 && rb < ra {
		return rb
	}
	return ra
}

func rank(a, b rune) int {
	e := find(a)
	if e == nil || b < 0 || b >= limit || index[b] == 0 {
		return 0
	}
	return slices.Index(e.near, index[b]-1) + 1
}

// AllCantonese returns every Jyutping syllable of the table, without tones.
func AllCantonese() []string { return slices.Clone(jyutping) }
