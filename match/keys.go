package match

import (
	"slices"
	"strings"

	"github.com/pilinhub/pilin/match/internal/hanzi"
	"github.com/pilinhub/pilin/match/normal"
)

// keySet collects keys, each once.
type keySet []uint64

func (k *keySet) add(key uint64) {
	if !slices.Contains(*k, key) {
		*k = append(*k, key)
	}
}

// keys lists what a subject is found under.
func (s *subject) keys() keySet {
	var k keySet
	for i := range s.names {
		nameKeys(&k, &s.names[i], s.birth, s.county)
		for j := range s.places {
			charPlaceKeys(&k, &s.names[i], &s.places[j])
		}
	}
	if len(s.birth) == 10 {
		k.add(keyOf(byDay, s.birth))
	}
	for _, id := range s.ids {
		numberKeys(&k, id)
	}
	for _, d := range slices.Concat(s.papers, s.doubtful) {
		k.add(keyOf(byDocument, d))
	}
	for _, p := range s.phones {
		phoneKeys(&k, p)
	}
	for _, p := range s.plates {
		k.add(keyOf(byPlate, p.Full))
		k.add(keyOf(byPlateSkeleton, p.Skeleton()))
		k.add(keyOf(byPlateBare, p.Bare))
	}
	for i := range s.places {
		placeKeys(&k, &s.places[i])
	}
	for _, o := range s.orgs {
		orgKeys(&k, o)
	}
	return k
}

// charKey makes the characters' key; the surname stands in its class.
func charKey(chars []rune) uint64 { return charKeyOf(byName, chars) }

func charKeyOf(k keyKind, chars []rune) uint64 {
	h := start(k)
	for i, c := range chars {
		if i == 0 {
			c = normal.SurnameClass(c)
		}
		h = h.add(uint64(c))
	}
	return h.sum()
}

func without[T any](s []T, i int) []T {
	return append(append(make([]T, 0, len(s)-1), s[:i]...), s[i+1:]...)
}

func bagKey(chars []rune) uint64 {
	b := slices.Clone(chars)
	slices.Sort(b)
	return start(byBag).runes(b).sum()
}

// sequences lists readings of a name, at most limit: surname readings first. The places of unreadable characters are 0.
func sequences(n *normal.Name, limit int) [][]hanzi.Syllable {
	out := [][]hanzi.Syllable{{}}
	for i := range n.Chars {
		rs := n.Readings(i)
		if len(rs) == 0 {
			rs = []hanzi.Syllable{0}
		}
		if len(rs) > 2 {
			rs = rs[:2]
		}
		var next [][]hanzi.Syllable
		for _, r := range rs {
			for _, s := range out {
				next = append(next, append(slices.Clone(s), r))
			}
		}
		if len(next) > limit {
			next = next[:limit]
		}
		out = next
	}
	return out
}

func soundKey(s []hanzi.Syllable) uint64 {
	h := start(bySound)
	for _, x := range s {
		h = h.add(uint64(x))
	}
	return h.sum()
}

func classKey(k keyKind, s []uint16) uint64 {
	h := start(k)
	for _, x := range s {
		h = h.add(uint64(x))
	}
	return h.sum()
}

// lessYearKey files what classKey(byFuzzyLess, s) would, apart for each birth year: two syllables of three are borne by
// many, and a question that knows the year needs to look at none of the others.
func lessYearKey(s []uint16, y string) uint64 {
	h := start(byFuzzyLessYear)
	for _, x := range s {
		h = h.add(uint64(x))
	}
	return h.str(y).sum()
}

func classes(s []hanzi.Syllable, of func(hanzi.Syllable) uint16) []uint16 {
	out := make([]uint16, len(s))
	for i, x := range s {
		out[i] = of(x)
	}
	return out
}

func year(birth string) string {
	if len(birth) < 4 {
		return ""
	}
	return birth[:4]
}

func nameKeys(k *keySet, n *normal.Name, birth, county string) {
	y := year(birth)
	switch n.Form {
	case normal.Han, normal.Nick:
		if n.Form == normal.Han {
			hanKeys(k, n, y)
		} else {
			k.add(charKey(n.Chars))
			k.add(keyOf(byWords, n.Whole))
		}
		for i, c := range n.Chars {
			if c == normal.Wild {
				continue
			}
			if i == 0 {
				c = normal.SurnameClass(c)
			}
			if y != "" {
				k.add(start(byCharYear).add(uint64(c)).str(y).sum())
			}
			if county != "" {
				k.add(start(byCharCounty).add(uint64(c)).str(county).sum())
			}
		}
	case normal.Mono:
		k.add(charKey(n.Chars))
		monoKeys(k, n)
		consonantKeys(k, n)
	case normal.Latin:
		k.add(wordsKey(n.Words))
		for _, w := range n.Words {
			if y != "" {
				k.add(keyOf(byCharYear, w, y))
			}
		}
		for _, s := range latinSequences(n) {
			k.add(soundKey(s))
			k.add(classKey(byFuzzy, classes(s, hanzi.Syllable.Fuzzy)))
		}
	}
}

// charPlaceKeys file each character beside town, village, road and estate: where a nickname or a half name is known by.
func charPlaceKeys(k *keySet, n *normal.Name, a *normal.Address) {
	if n.Form != normal.Han && n.Form != normal.Nick {
		return
	}
	for i, c := range n.Chars {
		if c == normal.Wild {
			continue
		}
		if i == 0 {
			c = normal.SurnameClass(c)
		}
		if a.Town != "" {
			k.add(start(byCharPlace).add(uint64(c)).str(a.Town).sum())
		}
		for _, area := range a.Areas {
			k.add(start(byCharPlace).add(uint64(c)).str(area).sum())
		}
	}
}

func hanKeys(k *keySet, n *normal.Name, y string) {
	k.add(charKey(n.Chars))
	k.add(bagKey(n.Chars))
	if len(n.Chars) >= 3 {
		for i := range n.Chars {
			k.add(charKeyOf(byNameLess, without(n.Chars, i)))
		}
	}
	for i, s := range sequences(n, 4) {
		k.add(soundKey(s))
		f := classes(s, hanzi.Syllable.Fuzzy)
		k.add(classKey(byFuzzy, f))
		if len(f) >= 3 && i < 2 {
			for j := range f {
				less := without(f, j)
				k.add(classKey(byFuzzyLess, less))
				k.add(lessYearKey(less, y)) // also where no year is known
			}
		}
		if y != "" {
			k.add(start(bySoundYear).add(soundKey(s)).str(y).sum())
		}
	}
	for _, s := range cantonese(n.Chars, 4) {
		k.add(keyOf(byCantonese, s...))
	}
	if len(n.Chars) == 4 && n.Transcribed() >= 2 { // perhaps no surname at all
		monoKeys(k, n)
	}
}

func cantonese(chars []rune, limit int) [][]string {
	out := [][]string{nil}
	for _, c := range chars {
		rs := normal.Cantonese(c)
		if len(rs) == 0 {
			return nil
		}
		if len(rs) > 2 {
			rs = rs[:2]
		}
		var next [][]string
		for _, r := range rs {
			for _, s := range out {
				next = append(next, append(slices.Clone(s), r))
			}
		}
		out = next[:min(limit, len(next))]
	}
	return out
}

// monoKeys files a transcribed name under the coarse sounds of the whole and of each long part.
func monoKeys(k *keySet, n *normal.Name) {
	c := coarseOf(n)
	add := func(c []uint16) {
		k.add(classKey(byCoarse, c))
		if len(c) >= 4 {
			for i := range c {
				k.add(classKey(byCoarse, without(c, i)))
			}
		}
	}
	add(c)
	for i, from := range n.Parts {
		to := len(n.Chars)
		if i+1 < len(n.Parts) {
			to = n.Parts[i+1]
		}
		if len(n.Parts) > 1 && to-from >= 2 {
			k.add(charKey(n.Chars[from:to]))
			k.add(classKey(byCoarse, c[from:to]))
		}
	}
}

func coarseOf(n *normal.Name) []uint16 {
	c := make([]uint16, len(n.Chars))
	for i, r := range n.Chars {
		c[i] = hanzi.First(r).Coarse()
	}
	return c
}

func wordsKey(w []string) uint64 {
	w = slices.Clone(w)
	slices.Sort(w)
	return keyOf(byWords, strings.Join(w, ""))
}

// latinSequences reads letters as pinyin in every way that makes a name of two to fifteen syllables.
func latinSequences(n *normal.Name) [][]hanzi.Syllable {
	return normal.Segment(strings.Join(n.Words, "'"))
}

func numberKeys(k *keySet, id normal.ID) {
	n := id.Number
	if n == "" {
		return
	}
	if id.Whole {
		k.add(keyOf(byNumber, n))
	}
	add := func(kind keyKind, s string) {
		if !strings.Contains(s, "*") {
			k.add(keyOf(kind, s))
		}
	}
	// One slip spoils one of area, birth date and the last four; the other two find the number.
	add(byHead6Tail4, n[:6]+n[14:])
	add(byBirthTail4, n[6:])
	add(byHead6Seq, n[:6]+n[14:17])
	add(byHead6Tail2, n[:6]+n[16:])
	add(byHeadTail, n[:4]+n[14:])
	add(byTail6, n[12:])
	add(byTail4, n[14:])
	add(byHead14, n[:14])
}

func phoneKeys(k *keySet, p string) {
	if strings.Contains(p, "*") {
		return
	}
	k.add(keyOf(byPhone, p))
	if len(p) == 11 {
		k.add(keyOf(byPhone3And4, p[:3]+p[7:]))
		k.add(keyOf(byPhoneHead7, p[:7]))
	}
	for _, t := range []struct {
		n    int
		kind keyKind
	}{{4, byPhone4}, {7, byPhone7}, {8, byPhone8}} {
		if len(p) >= t.n {
			k.add(keyOf(t.kind, p[len(p)-t.n:]))
		}
	}
}

func placeKeys(k *keySet, a *normal.Address) {
	numbers := a.Numbers()
	for _, area := range a.Areas {
		r := []rune(area)
		k.add(keyOf(byPlace, a.County, area, numbers))
		k.add(keyOf(byPlaceBare, area, numbers))
		if i := strings.LastIndexByte(numbers, '-'); i > 0 {
			k.add(keyOf(byPlaceLast, area, numbers[i+1:]))
			k.add(keyOf(byPlaceLast, area, numbers[:i]))
		} else {
			k.add(keyOf(byPlaceLast, area, numbers))
		}
		if numbers != "" {
			h := start(byPlaceSound)
			for _, c := range r {
				h = h.add(uint64(hanzi.First(c).Fuzzy()))
			}
			k.add(h.str(numbers).sum())
			if i := strings.LastIndexByte(numbers, '-'); i > 0 { // the group is left out
				k.add(h.str(numbers[i+1:]).sum())
			}
			for _, c := range r {
				k.add(start(byPlacePart).add(uint64(c)).str(numbers).sum())
			}
		}
	}
	if len(a.Areas) == 0 && a.Town != "" {
		k.add(keyOf(byPlaceBare, a.Town, numbers))
	}
}

func orgKeys(k *keySet, o normal.Institution) {
	r := []rune(o.Core)
	k.add(keyOf(byOrg, o.Core))
	heard := []hash{start(byOrgSound)}
	for _, c := range r {
		rs := hanzi.Syllables(c)
		if len(rs) == 0 {
			rs = []hanzi.Syllable{0}
		}
		var next []hash
		for _, x := range rs[:min(2, len(rs))] {
			for _, h := range heard {
				next = append(next, h.add(uint64(x.Fuzzy())))
			}
		}
		heard = next[:min(4, len(next))]
	}
	for _, h := range heard {
		k.add(h.sum())
	}
	for i := range r {
		if len(r) > 2 {
			k.add(keyOf(byOrg, string(without(r, i))))
		}
		if i > 0 {
			k.add(start(byOrgPart).runes(r[i-1 : i+1]).sum())
		}
	}
}
