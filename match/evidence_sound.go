package match

import (
	"slices"

	"github.com/pilinhub/pilin/match/internal/hanzi"
	"github.com/pilinhub/pilin/match/normal"
)

// Names that are compared by what they sound like: transcriptions of other languages, and names in letters.

// compareMono aligns transcribed names by sound: the whole, or what was asked with one part of the other.
func compareMono(n, r *normal.Name, c *context) nameVerdict {
	a, b := n.Chars, r.Chars
	if slices.Equal(a, b) {
		return nameVerdict{nameSame, min(18, c.nameBits), "name_equal", "姓名相同"}
	}
	best := monoVerdict(soundAlignment(a, b), len(a), len(b))
	best.bits = min(best.bits, c.nameBits-1)
	better := func(v nameVerdict) {
		if v.bits > best.bits {
			best = v
		}
	}
	asked, said := [][]rune{a}, [][]rune{b}
	if n.Form == normal.Mono && len(n.Parts) > 1 {
		asked = n.PartsOf()
	}
	if r.Form == normal.Mono && len(r.Parts) > 1 {
		said = r.PartsOf()
	}
	if len(asked) > 1 && len(said) > 1 || len(asked)+len(said) == 2 {
		return best
	}
	for i, x := range asked {
		for j, y := range said {
			later := 1.5 * float64(i+j) // a person is called by the first part, seldom by the father's name
			bits := min(12, 3*float64(len(y)))
			if len(asked) == 1 {
				bits = min(12, c.partBits)
			}
			switch like := soundAlignment(x, y) / float64(max(len(x), len(y))); {
			case slices.Equal(x, y) && len(x) >= 2:
				better(nameVerdict{nameNear, bits - 1 - later, "name_part", "姓名的一部分相符"})
			case like >= 0.88 && min(len(x), len(y)) >= 2:
				better(nameVerdict{nameNear, min(bits, 2.2*float64(len(x))) - 3 - later, "name_part", "姓名的一部分音近"})
			case like >= 0.7 && min(len(x), len(y)) >= 3:
				better(nameVerdict{nameFaint, 1, "name_part", "姓名的一部分或许相符"})
			}
		}
	}
	return best
}

func soundAlignment(a, b []rune) float64 {
	return alignment(len(a), len(b), unpaired, func(i, j int) float64 { return soundLikeness(a[i], b[j]) })
}

func monoVerdict(score float64, la, lb int) nameVerdict {
	long, short := float64(max(la, lb)), float64(min(la, lb))
	like := score / long
	inside := score / short // one part of a name for the whole
	switch {
	case like >= 0.88:
		return nameVerdict{nameSound, min(17, 2.6*score) + weights.transcribed, "name_transcribed", "音译姓名相符,用字不同"}
	case like >= 0.7:
		return nameVerdict{nameNear, min(14, 2.2*score) - 3 + weights.transcribed, "name_transcribed", "音译姓名相近"}
	case inside >= 0.9 && short >= 3:
		return nameVerdict{nameNear, min(12, 2.2*score) - 3, "name_part", "姓名的一部分相符"}
	case like >= 0.55:
		return nameVerdict{nameFaint, 1, "name_transcribed", "音译姓名部分相近"}
	}
	return nameVerdict{nameOther, -8, "name_other", "姓名不同"}
}

func soundLikeness(a, b rune) float64 {
	if a == b {
		return 1
	}
	switch hanzi.Sound(a, b) {
	case hanzi.SameSound:
		return 0.95
	case hanzi.FuzzyNear:
		return 0.85
	case hanzi.CoarseNear:
		return 0.6
	}
	return 0
}

// unpaired is what a sound without a partner costs.
const unpaired = 0.15

// alignment returns the best sum of likenesses in order; what has no partner costs gap.
func alignment(la, lb int, gap float64, like func(i, j int) float64) float64 {
	la, lb = min(la, maxCompared), min(lb, maxCompared)
	row := make([]float64, lb+1)
	for j := range row {
		row[j] = -gap * float64(j)
	}
	for i := range la {
		diagonal := row[0]
		row[0] -= gap
		for j := range lb {
			above := row[j+1]
			row[j+1] = max(above-gap, row[j]-gap, diagonal+like(i, j))
			diagonal = above
		}
	}
	return row[lb]
}

func compareLetters(n, r *normal.Name) nameVerdict {
	if wordsKey(n.Words) == wordsKey(r.Words) {
		return nameVerdict{nameSame, 16, "name_equal", "姓名相同(拉丁字母)"}
	}
	same := 0
	for _, w := range n.Words {
		if len(w) > 1 && slices.Contains(r.Words, w) {
			same++
		}
	}
	if same == 0 {
		return nameVerdict{nameOther, -6, "name_other", "姓名不同(拉丁字母)"}
	}
	return nameVerdict{nameNear, 5 * float64(same), "name_words", "姓名部分单词相同"}
}

// compareSpelled compares letters with characters: every way to read the letters, the best counts.
func (e *Engine) compareSpelled(q *posed, r *normal.Name) nameVerdict {
	best := e.compareInitials(q.initials, r)
	if r.Form == normal.Mono {
		if v := compareConsonants(q.consonants, r); v.bits > best.bits {
			best = v
		}
	}
	for k := range q.spelled {
		s := &q.spelled[k]
		if len(s.jyutping) > 0 {
			if len(s.jyutping) != len(r.Chars) || !readsCantonese(s.jyutping, r.Chars) {
				continue
			}
			if v := (nameVerdict{nameSound, min(e.soundsBits(r), 14) + weights.cantonese, "name_cantonese", "粤语拼写与姓名读音相符"}); v.bits > best.bits {
				best = v
			}
			continue
		}
		if v := e.syllablesBeside(s.syllables, r); v.bits > best.bits {
			if s.wade {
				v.bits, v.text = v.bits-1.5, "威妥玛拼写与姓名读音相符"
			}
			if v.bits > best.bits {
				best = v
			}
		}
	}
	return best
}

// compareInitials compares a surname with the first letters of a given name.
func (e *Engine) compareInitials(in initials, r *normal.Name) (v nameVerdict) {
	v = nameVerdict{nameOther, -8, "name_other", "拼写与姓名读音不符"}
	if len(in.surname) == 0 || r.Form != normal.Han || len(r.Chars) != 1+len(in.given) || !slices.ContainsFunc(in.surname, func(x hanzi.Syllable) bool { return reads(r, 0, x) }) {
		return v
	}
	for i := range in.given {
		if !slices.ContainsFunc(hanzi.Syllables(r.Chars[i+1]), func(x hanzi.Syllable) bool { return x.String()[0] == in.given[i] }) {
			return v
		}
	}
	return nameVerdict{nameNear, e.counts.soundBits(in.surname[0]) + 3.2*float64(len(in.given)) - 1, "name_initials", "拼音缩写与姓名相符"}
}

func (e *Engine) soundsBits(r *normal.Name) float64 {
	bits := 0.0
	for _, c := range r.Chars {
		bits += e.counts.soundBits(hanzi.First(c))
	}
	return bits
}

func readsCantonese(j []string, chars []rune) bool {
	for i, c := range chars {
		if !slices.Contains(normal.Cantonese(c), j[i]) {
			return false
		}
	}
	return true
}

func (e *Engine) syllablesBeside(s []hanzi.Syllable, r *normal.Name) nameVerdict {
	other := nameVerdict{nameOther, -8, "name_other", "拼写与姓名读音不符"}
	if r.Form == normal.Mono {
		like := func(i, j int) float64 {
			for _, x := range hanzi.Syllables(r.Chars[j]) {
				switch {
				case x == s[i]:
					return 0.95
				case x.Fuzzy() == s[i].Fuzzy():
					return 0.85
				case x.Coarse() == s[i].Coarse():
					return 0.6
				}
			}
			return 0
		}
		return monoVerdict(alignment(len(s), len(r.Chars), unpaired, like), len(s), len(r.Chars))
	}
	if len(s) != len(r.Chars) {
		return other
	}
	bits, slips := 0.0, 0
	for i, x := range s {
		fuzzy := false
		if !reads(r, i, x) {
			for _, y := range r.Readings(i) {
				fuzzy = fuzzy || y.Fuzzy() == x.Fuzzy()
			}
			if !fuzzy {
				return other
			}
			slips++
		}
		bits += e.counts.soundBits(x)
	}
	v := nameVerdict{nameSound, min(bits, 17) + weights.pinyin - 4*float64(slips), "name_pinyin", "拼音与姓名读音相符"}
	if slips > 0 {
		v.level, v.text = nameNear, "拼音与姓名读音相近"
	}
	return v
}

func reads(r *normal.Name, i int, x hanzi.Syllable) bool {
	return slices.Contains(r.Readings(i), x) || hanzi.Reads(r.Chars[i], x)
}

func (e *Engine) compareSpelledRecord(n, r *normal.Name) nameVerdict {
	best := nameVerdict{nameOther, -4, "name_other", "姓名读音与登记拼写不符"}
	for _, s := range latinSequences(r) {
		if v := e.syllablesBeside(s, n); v.bits > best.bits {
			best = v
		}
	}
	if n.Form == normal.Nick && best.level > nameFaint { // a surname alone is not a name
		best.level, best.bits = nameFaint, min(best.bits, weights.nick)
	}
	return best
}
