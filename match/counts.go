package match

import (
	"math"
	"strconv"

	"github.com/pilinhub/pilin/match/internal/hanzi"
	"github.com/pilinhub/pilin/match/normal"
)

// counts are the registry's own frequencies, by which rare agreement weighs more.
type counts struct {
	surname, given, sound []uint32 // by character, and by syllable
	names, chars          float64
	years                 [256]uint32 // birth years from 1850
	births                float64
	borne                 []uint32 // a bit for each character that stands in any name there ever was
}

const charLimit = 0x32400

func newCounts() counts {
	return counts{surname: make([]uint32, charLimit), given: make([]uint32, charLimit), sound: make([]uint32, 4096), borne: make([]uint32, charLimit/32)}
}

func (c *counts) count(s *subject, by int) {
	if y, ok := yearIndex(s.birth); ok {
		c.years[y] += uint32(by)
		c.births += float64(by)
	}
	for i := range s.names {
		n := &s.names[i]
		for _, r := range n.Chars {
			if r >= 0 && r < charLimit {
				c.borne[r/32] |= 1 << (r % 32)
			}
		}
		if i >= s.main || n.Form != normal.Han {
			continue
		}
		c.names += float64(by)
		for j, r := range n.Chars {
			if r < 0 || r >= charLimit {
				continue
			}
			at := c.given
			if j < n.Surname {
				at = c.surname
			}
			at[r] += uint32(by)
			c.chars += float64(by)
			if f := hanzi.First(r); int(f) < len(c.sound) {
				c.sound[f] += uint32(by)
			}
		}
	}
}

func yearIndex(birth string) (int, bool) {
	if len(birth) < 4 {
		return 0, false
	}
	y, err := strconv.Atoi(birth[:4])
	return y - 1850, err == nil && y >= 1850 && y < 2106
}

func yearColumn(birth string) uint8 {
	if y, ok := yearIndex(birth); ok && y > 0 {
		return uint8(y)
	}
	return 0
}

// bears reports whether a character may stand in anybody's name.
func (c *counts) bears(r rune) bool {
	return r >= 0 && r < charLimit && c.borne[r/32]>>(r%32)&1 != 0
}

// yearBits is the information in the same birth year, smoothed towards sixty years.
func (c *counts) yearBits(birth string) float64 {
	y, ok := yearIndex(birth)
	if !ok {
		return 5.3
	}
	return min(8, math.Log2((c.births+600)/(float64(c.years[y])+10)))
}

// bitsOf is the information in one character being the same: the rarer the more. Counts are smoothed towards a list of
// 3,000 characters, so that a small registry does not think everything rare.
func (c *counts) bitsOf(r rune, surname bool) float64 {
	n, total := uint32(0), c.chars-c.names
	at := c.given
	if surname {
		at, total = c.surname, c.names
	}
	if r >= 0 && r < charLimit {
		n = at[r]
	}
	return math.Log2((total + 600) / (float64(n) + 0.2))
}

// soundBits is the information in one toneless syllable being the same.
func (c *counts) soundBits(s hanzi.Syllable) float64 {
	n := uint32(0)
	if int(s) < len(c.sound) {
		n = c.sound[s]
	}
	return math.Log2((c.chars + 200) / (float64(n) + 0.5))
}

// share is log2 of a count's share of n; at least a bit.
func share(n float64, of int) float64 { return max(1, math.Log2(n/float64(max(1, of)))) }
