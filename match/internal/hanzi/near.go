package hanzi

import "strings"

// fuzzyClass and coarseClass number the classes of each syllable.
var fuzzyClass, coarseClass []uint16

func init() {
	classes := map[string]uint16{}
	number := func(s string) uint16 {
		if _, ok := classes[s]; !ok {
			classes[s] = uint16(len(classes) + 1)
		}
		return classes[s]
	}
	for _, s := range syllables {
		fuzzyClass = append(fuzzyClass, number("f"+fuzzy(s)))
		coarseClass = append(coarseClass, number("c"+coarse(s)))
	}
}

// fuzzy writes syllables alike that dialects do not tell apart: zh z, ch c, sh s; n l r; f and hu; final n and ng.
func fuzzy(s string) string {
	switch s {
	case "hong": // beside feng
		return "hun"
	case "fo", "fou":
		return "huo"
	case "fu":
		return "hu"
	}
	for _, p := range [][2]string{{"zh", "z"}, {"ch", "c"}, {"sh", "s"}, {"n", "l"}, {"r", "l"}, {"fe", "hu"}, {"f", "hu"}} { // fei is hui, fen hun, fang huang
		if rest, ok := strings.CutPrefix(s, p[0]); ok {
			s = p[1] + rest
			break
		}
	}
	if rest, ok := strings.CutSuffix(s, "ng"); ok {
		s = rest + "n"
	}
	return strings.ReplaceAll(s, "v", "u")
}

// coarse keeps of a syllable what survives when a foreign name is written in characters by different clerks: the family
// of its initial, and for syllables without one the vowel.
func coarse(s string) string {
	switch s[0] {
	case 'b', 'p':
		return "p"
	case 'd', 't':
		return "t"
	case 'g', 'k', 'h':
		return "k"
	case 'l', 'n', 'r':
		return "l"
	case 'j', 'q', 'x', 'z', 'c', 's':
		return "s"
	case 'm', 'f':
		return s[:1]
	case 'y', 'i':
		return "i"
	case 'w', 'u':
		return "u"
	}
	return "a"
}

// Fuzzy returns the class of syllables that dialects and input methods confuse with s; 0 for none.
func (s Syllable) Fuzzy() uint16 {
	if s == 0 || int(s) > len(fuzzyClass) {
		return 0
	}
	return fuzzyClass[s-1]
}

// Coarse returns the class of syllables that stand for the same sound of another language; 0 for none.
func (s Syllable) Coarse() uint16 {
	if s == 0 || int(s) > len(coarseClass) {
		return 0
	}
	return coarseClass[s-1]
}

// Nearness is how two characters sound beside each other.
type Nearness uint8

// From far to near.
const (
	Apart      Nearness = iota
	CoarseNear          // only as transcriptions of another language
	FuzzyNear           // a reading of each is confused with one of the other
	SameSound           // a reading is shared, tones aside
)

// Sound compares all readings of a and b.
func Sound(a, b rune) Nearness {
	if a < 0 || a >= limit || b < 0 || b >= limit {
		return Apart
	}
	if m, n := single[a], single[b]; m != 0 && n != 0 { // most have one reading: no row is read
		return between(m-1, n-1)
	}
	x, y := find(a), find(b)
	if x == nil || y == nil {
		return Apart
	}
	best := Apart
	for _, m := range x.mandarin {
		for _, n := range y.mandarin {
			if best = max(best, between(m, n)); best == SameSound {
				return best
			}
		}
	}
	return best
}

func between(m, n uint16) Nearness {
	switch {
	case m == n:
		return SameSound
	case fuzzyClass[m] == fuzzyClass[n]:
		return FuzzyNear
	case coarseClass[m] == coarseClass[n]:
		return CoarseNear
	}
	return Apart
}
