package normal

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/pilinhub/pilin/match/internal/hanzi"
)

// latin fills a name in letters: words in lower case without accents; ü is v.
func (n *Name) latin(s string) {
	var w strings.Builder
	lower := false
	for _, r := range s {
		switch {
		case r == '-' || isDot(r) || r == ',' || r == ';' || unicode.IsSpace(r):
			w.WriteByte(' ')
			lower = false
		case r == '\'' || r == '’' || r == '‘' || r == '`' || r == 'ʼ':
			w.WriteByte('\'')
		case unicode.IsUpper(r) && lower: // ZhangXiaoming
			w.WriteByte(' ')
			w.WriteRune(r)
			lower = false
		case unicode.IsLetter(r) || unicode.IsMark(r):
			lower = unicode.IsLower(r)
			w.WriteRune(r)
		}
	}
	for _, word := range strings.Fields(w.String()) {
		if p := plainLatin(word); strings.Trim(p, "'") != "" && len(n.Words) < 6 {
			n.Words = append(n.Words, strings.Trim(p, "'"))
		}
	}
	if words := slices.DeleteFunc(slices.Clone(n.Words), func(w string) bool { return slices.Contains(forms, w) }); len(words) > 0 {
		n.Words = words
	}
	if len(n.Words) > 0 {
		n.Form = Latin
	}
}

// forms of address in letters; a name is left when they go.
var forms = []string{"mr", "mrs", "ms", "miss", "dr", "doctor", "prof", "professor", "sir", "madam"}

// plainLatin lowers letters and takes accents off; ü becomes v.
func plainLatin(s string) string {
	var out []rune
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		switch {
		case r == 0x308 && len(out) > 0 && out[len(out)-1] == 'u':
			out[len(out)-1] = 'v'
		case r >= 'a' && r <= 'z' || r == '\'':
			out = append(out, r)
		}
	}
	return string(out)
}

// Segment cuts letters into pinyin syllables in every way, fewest syllables first, at most eight ways; none if it cannot.
func Segment(s string) [][]hanzi.Syllable {
	var out [][]hanzi.Syllable
	var walk func(rest string, got []hanzi.Syllable)
	steps := 0
	walk = func(rest string, got []hanzi.Syllable) {
		if steps++; len(out) >= 8 || steps > 400 {
			return
		}
		rest = strings.TrimLeft(rest, "'")
		if rest == "" {
			if len(got) > 0 {
				out = append(out, append([]hanzi.Syllable(nil), got...))
			}
			return
		}
		for n := min(6, len(rest)); n > 0; n-- {
			if x, ok := pinyin(rest[:n]); ok {
				walk(rest[n:], append(got, x))
			}
		}
	}
	walk(s, nil)
	return out
}

func pinyin(s string) (hanzi.Syllable, bool) {
	switch s { // no name is written so, and they would cut others apart
	case "m", "n", "ng", "hm", "hng", "o", "e", "r":
		if s != "e" {
			return 0, false
		}
	case "lue", "nue":
		s = s[:1] + "ve"
	case "lyu", "nyu":
		s = s[:1] + "v" // the spelling of passports
	}
	return hanzi.ParseSyllable(s)
}

// wade lists the Mandarin syllables under each Wade-Giles spelling, with and without apostrophes: Chang is zhang or chang.
var wade = map[string][]hanzi.Syllable{}

// cantoneseMore are readings that Unihan does not list: of surnames, and of characters with two readings.
var cantoneseMore = map[rune]string{'区': "au", '易': "jik", '曾': "zang", '任': "jam", '冼': "sin", '覃': "cam", '单': "sin", '解': "haai", '查': "zaa", '仇': "kau", '华': "waa", '朴': "pok", '乐': "lok", '翟': "zaak"}

// Cantonese returns the readings of c in Jyutping without tones.
func Cantonese(c rune) []string {
	rs := hanzi.Cantonese(c)
	if m, ok := cantoneseMore[c]; ok && !slices.Contains(rs, m) {
		return append([]string{m}, rs...)
	}
	return rs
}

// hongkong lists Jyutping syllables under the spellings that Hong Kong papers use.
var hongkong = map[string][]string{}

func init() {
	for s := hanzi.Syllable(1); s.String() != ""; s++ {
		for _, w := range wadeGiles(s.String()) {
			wade[w] = append(wade[w], s)
			if plain := strings.ReplaceAll(w, "'", ""); plain != w {
				wade[plain] = append(wade[plain], s)
			}
		}
	}
	for _, j := range hanzi.AllCantonese() {
		for _, h := range hkSpellings(j) {
			hongkong[h] = append(hongkong[h], j)
		}
	}
}

// Wade returns the syllables that a Wade-Giles word may mean.
func Wade(word string) []hanzi.Syllable { return wade[word] }

// HongKong returns the Jyutping syllables that a word of a Hong Kong name may mean.
func HongKong(word string) []string { return hongkong[strings.ReplaceAll(word, "'", "")] }

// wadeGiles respells a pinyin syllable (the romanisation of Wade 1867 and Giles 1892).
func wadeGiles(p string) []string {
	initial, final := splitInitial(p)
	switch p {
	case "zi":
		return []string{"tzu"}
	case "ci":
		return []string{"tz'u"}
	case "si":
		return []string{"ssu", "szu"}
	case "zhi":
		return []string{"chih"}
	case "chi":
		return []string{"ch'ih"}
	case "shi":
		return []string{"shih"}
	case "ri":
		return []string{"jih"}
	case "er":
		return []string{"erh"}
	case "e":
		return []string{"o", "e", "eh"}
	case "ye":
		return []string{"yeh"}
	case "yan":
		return []string{"yen"}
	case "you":
		return []string{"yu"}
	case "yong":
		return []string{"yung"}
	case "yu":
		return []string{"yu", "yv"}
	case "yi":
		return []string{"i", "yi"}
	case "yun", "yuan":
		return []string{p, "yv" + p[2:]}
	case "yue":
		return []string{"yueh", "yveh"}
	}
	j := map[string]string{"b": "p", "p": "p'", "d": "t", "t": "t'", "g": "k", "k": "k'", "j": "ch", "q": "ch'", "x": "hs", "zh": "ch", "ch": "ch'", "z": "ts", "c": "ts'", "r": "j"}
	if w, ok := j[initial]; ok {
		initial, final = w, finalAfter(initial, final)
	}
	switch final {
	case "ie":
		final = "ieh"
	case "ian":
		final = "ien"
	case "ong":
		final = "ung"
	case "iong":
		final = "iung"
	case "ue", "ve":
		final = "veh"
	case "uo":
		if !strings.HasPrefix(initial, "k") && initial != "sh" && initial != "h" {
			final = "o"
		}
	case "ui":
		if strings.HasPrefix(initial, "k") {
			final = "uei"
		}
	case "e":
		if strings.HasPrefix(initial, "k") || initial == "h" {
			return []string{initial + "o", initial + "e"}
		}
	}
	if strings.Contains(final, "v") {
		return []string{initial + final, initial + strings.ReplaceAll(final, "v", "u")}
	}
	return []string{initial + final}
}

// finalAfter writes the ü that pinyin hides behind j, q, x.
func finalAfter(initial, final string) string {
	if (initial == "j" || initial == "q" || initial == "x") && strings.HasPrefix(final, "u") {
		return "v" + final[1:]
	}
	return final
}

func splitInitial(p string) (initial, final string) {
	if len(p) > 1 && p[1] == 'h' {
		return p[:2], p[2:]
	}
	if p != "" && !strings.ContainsRune("aeiouv", rune(p[0])) {
		return p[:1], p[1:]
	}
	return "", p
}

var hkInitials = map[string][]string{"b": {"b", "p"}, "p": {"p"}, "d": {"d", "t"}, "t": {"t"}, "g": {"k", "g"}, "k": {"k"}, "gw": {"kw", "gw"}, "kw": {"kw"},
	"z": {"ch", "ts", "j", "c", "tz"}, "c": {"ch", "ts", "tz"}, "s": {"s", "sh"}, "j": {"y", ""}, "ng": {"ng", ""}, "": {"", "ng"}}

var hkFinals = map[string][]string{"aa": {"a", "ah"}, "aai": {"ai"}, "aau": {"au"}, "aam": {"am"}, "aan": {"an"}, "aang": {"ang"}, "aap": {"ap"}, "aat": {"at"}, "aak": {"ak"},
	"ai": {"ai"}, "au": {"au", "ow"}, "am": {"am", "um"}, "an": {"an", "un"}, "ang": {"ang", "ung"}, "ap": {"ap", "up"}, "at": {"at", "ut"}, "ak": {"ak", "uk"},
	"e": {"e", "eh"}, "ei": {"ei", "i", "ee", "ay", "ui"}, "eng": {"eng", "ing"}, "ek": {"ek", "ik"}, "i": {"i", "ee", "ze", "z", "ih", "u"}, "iu": {"iu"}, "im": {"im"}, "in": {"in"},
	"ing": {"ing"}, "ip": {"ip"}, "it": {"it"}, "ik": {"ik", "ick"}, "o": {"o", "or", "aw"}, "oi": {"oi", "oy"}, "ou": {"o", "ou", "oe"}, "on": {"on"}, "ong": {"ong"}, "ot": {"ot"}, "ok": {"ok", "ock"},
	"u": {"u", "oo"}, "ui": {"ui"}, "un": {"un", "oon"}, "ung": {"ung"}, "ut": {"ut", "oot"}, "uk": {"uk"}, "oe": {"eu", "oe"}, "oeng": {"eung", "ong"}, "oek": {"euk", "eok", "ok"},
	"eoi": {"ui", "oi", "oy", "eui"}, "eon": {"un", "eon"}, "eot": {"ut"}, "yu": {"u", "ue", "yu"}, "yun": {"uen", "un", "yuen"}, "yut": {"uet", "ut"}}

// hkSpellings lists how Hong Kong papers may write a Jyutping syllable: the habit of the government's registry, which
// keeps no tones and no aspiration apart.
func hkSpellings(j string) []string {
	switch j {
	case "ng":
		return []string{"ng"}
	case "m":
		return []string{"m"}
	}
	initial, final := "", j
	for _, i := range []string{"gw", "kw", "ng", "b", "p", "m", "f", "d", "t", "n", "l", "g", "k", "h", "w", "z", "c", "s", "j"} {
		if rest, ok := strings.CutPrefix(j, i); ok {
			initial, final = i, rest
			break
		}
	}
	initials, ok := hkInitials[initial]
	if !ok {
		initials = []string{initial}
	}
	var out []string
	for _, i := range initials {
		for _, f := range hkFinals[final] {
			if initial == "j" && strings.HasPrefix(f, "y") && i == "y" {
				f = f[1:]
			}
			out = append(out, i+f)
		}
	}
	return out
}
