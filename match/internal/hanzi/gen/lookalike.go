package main

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// nearest is how many look-alikes a character has at most.
const nearest = 16

// shape is what two characters are compared by.
type shape struct {
	char     rune
	corners  string
	cangjie  string
	phonetic []string
	strokes  int
}

// lookalikes gives each standard character (and each other one of common sets that is its own representative) the
// characters it is most easily taken for: 0.45 four-corner code + 0.40 longest common subsequence of the Cangjie codes
// + 0.20 a shared phonetic part + 0.15 closeness of the stroke count, and before all what Unihan itself calls spoofing.
func (u unihan) lookalikes(chars []rune, fold map[rune]rune) map[rune][]rune {
	var shapes []shape
	for _, c := range chars {
		_, standard := u["kTGH"][c]
		_, core := u["kIICore"][c]
		if fold[c] != c || !standard && !core {
			continue
		}
		strokes, _, _ := strings.Cut(u["kTotalStrokes"][c], " ")
		n, _ := strconv.Atoi(strokes)
		corners, _, _ := strings.Cut(u["kFourCornerCode"][c], " ")
		var phonetic []string
		for _, p := range strings.Fields(u["kPhonetic"][c]) {
			phonetic = append(phonetic, strings.TrimRight(p, "*x"))
		}
		shapes = append(shapes, shape{c, strings.ReplaceAll(corners, ".", ""), u["kCangjie"][c], phonetic, n})
	}
	type scored struct {
		char rune
		like float64
	}
	out := map[rune][]rune{}
	near := make([]scored, 0, len(shapes))
	for i := range shapes {
		a := &shapes[i]
		near = near[:0]
		spoof := u.variants("kSpoofingVariant", a.char)
		for j := range shapes {
			b := &shapes[j]
			if i == j {
				continue
			}
			like := alike(a, b)
			if slices.Contains(spoof, b.char) {
				like += 2
			}
			if like >= 0.5 {
				near = append(near, scored{b.char, like})
			}
		}
		slices.SortFunc(near, func(x, y scored) int { return cmp.Or(cmp.Compare(y.like, x.like), cmp.Compare(x.char, y.char)) })
		for _, s := range near[:min(nearest, len(near))] {
			out[a.char] = append(out[a.char], s.char)
		}
	}
	return out
}

func alike(a, b *shape) float64 {
	like := 0.0
	if d := math.Abs(float64(a.strokes - b.strokes)); a.strokes > 0 && b.strokes > 0 {
		if d > 8 {
			return 0
		}
		like += 0.15 * max(0, 1-d/4)
	}
	if len(a.corners) >= 4 && len(b.corners) >= 4 {
		same := 0
		for i := range 4 {
			if a.corners[i] == b.corners[i] {
				same++
			}
		}
		like += 0.45 * float64(same) / 4
	}
	if a.cangjie != "" && b.cangjie != "" {
		like += 0.40 * 2 * float64(common(a.cangjie, b.cangjie)) / float64(len(a.cangjie)+len(b.cangjie))
	}
	for _, p := range a.phonetic {
		if slices.Contains(b.phonetic, p) {
			return like + 0.20
		}
	}
	return like
}

// common returns the length of the longest common subsequence. Cangjie codes have at most five letters here.
func common(a, b string) int {
	var row [12]int
	for i := range min(len(a), 11) {
		diagonal := 0
		for j := range min(len(b), 11) {
			above := row[j+1]
			if a[i] == b[j] {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return row[min(len(b), 11)]
}
