package match

import (
	"strings"

	"github.com/pilinhub/pilin/match/internal/hanzi"
	"github.com/pilinhub/pilin/match/normal"
)

// A name of another language keeps its consonants, more or less, however it is written in Chinese characters or in letters
// of its own: 图尔荪古丽 and Tursungul are both t-l-s-l-k-l, in families that transcriptions do not tell apart.

// consonants of a transcribed name: one letter a family, vowels left out.
func consonants(chars []rune) string {
	var b strings.Builder
	for _, c := range chars {
		s := hanzi.First(c).String()
		switch s {
		case "":
			continue
		case "er":
			b.WriteByte('l')
			continue
		}
		b.WriteString(family(s[0]))
		if strings.HasSuffix(s, "n") || strings.HasSuffix(s, "ng") {
			b.WriteByte('l')
		}
	}
	return b.String()
}

// backAndSibilant writes sounds of several letters as one letter of their family.
var backAndSibilant = strings.NewReplacer("sh", "s", "ch", "s", "zh", "s", "gh", "k", "kh", "k", "ng", "n", "q", "k", "x", "k", "'", "")

// consonantsOfWords reads letters as other languages use them: q, gh and x stand at the back of the mouth, sh and ch are one
// sound, a letter that is doubled is one.
func consonantsOfWords(words []string) string {
	var b strings.Builder
	for _, w := range words {
		last := ""
		w = backAndSibilant.Replace(w)
		for i := range len(w) {
			f := family(w[i])
			if f != "" && (f != last || i > 0 && w[i] != w[i-1]) {
				b.WriteString(f)
			}
			last = f
		}
	}
	return b.String()
}

// family is the family of an initial of pinyin, or of a letter that backAndSibilant left; empty for vowels.
func family(c byte) string {
	switch c {
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
		return string(c)
	}
	return ""
}

// consonantKeys file a transcribed name under its consonants, and under those less one; each of its parts too.
func consonantKeys(k *keySet, n *normal.Name) {
	whole := consonants(n.Chars)
	k.add(keyOf(byConsonants, whole))
	if len(whole) >= 5 {
		for i := range whole {
			k.add(keyOf(byConsonantsLess, whole[:i]+whole[i+1:]))
		}
	}
	if len(n.Parts) > 1 {
		for _, part := range n.PartsOf() {
			if c := consonants(part); len(c) >= 3 {
				k.add(keyOf(byConsonants, c))
			}
		}
	}
}

// transcribed looks for a name in letters, by its consonants, among transcriptions.
func (g *gather) transcribed(c string) {
	if len(c) < 3 {
		return
	}
	g.probe(keyOf(byConsonants, c))
	g.probe(keyOf(byConsonantsLess, c))
	if len(c) >= 5 {
		for i := range c {
			g.probe(keyOf(byConsonants, c[:i]+c[i+1:]))
			g.probe(keyOf(byConsonantsLess, c[:i]+c[i+1:]))
		}
	}
}

// compareConsonants compares the consonants of a name in letters with a transcription.
func compareConsonants(a string, r *normal.Name) nameVerdict {
	best := nameVerdict{nameOther, -8, "name_other", "拼写与姓名读音不符"}
	try := func(b string, part bool) {
		if len(a) < 3 || len(b) < 2 {
			return
		}
		same := alignment(len(a), len(b), unpaired, func(i, j int) float64 {
			if a[i] == b[j] {
				return 1
			}
			return 0
		})
		if same < 0.75*float64(max(len(a), len(b))) {
			return
		}
		v := nameVerdict{nameNear, min(14, 2.2*same) - 3, "name_consonants", "拼写与音译姓名的辅音相符"}
		if part {
			v.bits -= 1.5
		}
		if v.bits > best.bits {
			best = v
		}
	}
	try(consonants(r.Chars), false)
	if len(r.Parts) > 1 {
		for _, part := range r.PartsOf() {
			try(consonants(part), true)
		}
	}
	return best
}
