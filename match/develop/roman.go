package develop

import (
	"strings"
)

// romanised writes the name in letters: as a passport of the mainland, of Hong Kong or of Taiwan has it.
func romanised(d draw, p *person) (string, string, bool) {
	switch d.weigh(0.6, 0.22, 0.18) {
	case 0:
		n, ok := d.letters(p, func(c rune, surname bool) string { return readName(c, surname) }, false)
		return n, "pinyin", ok
	case 1:
		n, ok := d.hongKong(p)
		return n, "hong kong", ok
	}
	n, ok := d.letters(p, func(c rune, surname bool) string { return wadeGiles(readName(c, surname), d.chance(0.6)) }, true)
	return n, "wade-giles", ok
}

// surnameReadings are those that a character has only as a surname.
var surnameReadings = map[rune]string{'单': "shan", '解': "xie", '查': "zha", '仇': "qiu", '任': "ren", '曾': "zeng", '区': "ou", '朴': "piao", '盖': "ge", '覃': "qin", '翟': "zhai",
	'纪': "ji", '华': "hua", '应': "ying", '宁': "ning", '缪': "miao", '乐': "yue", '尉': "yu", '万': "wan", '俟': "qi", '澹': "tan", '于': "yu", '柏': "bai", '车': "che", '长': "zhang", '鲜': "xian", '石': "shi", '葛': "ge", '谷': "gu", '沈': "shen", '尹': "yin", '候': "hou", '贾': "jia", '瞿': "qu", '卜': "bu", '召': "shao", '薄': "bo", '冼': "xian", '郗': "xi", '牟': "mou", '佴': "nai"}

func readName(c rune, surname bool) string {
	if s, ok := surnameReadings[c]; ok && surname {
		return s
	}
	return table().sound(c)
}

// letters joins the syllables in one of the ways of papers.
func (d draw) letters(p *person, read func(rune, bool) string, hyphen bool) (string, bool) {
	var sur, given []string
	for _, c := range p.surname {
		sur = append(sur, read(c, true))
	}
	for _, c := range p.given {
		given = append(given, read(c, false))
	}
	for _, s := range append(append([]string{}, sur...), given...) {
		if s == "" {
			return "", false
		}
	}
	s, g := capital(strings.Join(sur, "")), capital(joinPinyin(given))
	if hyphen && len(given) == 2 {
		g = capital(given[0]) + "-" + given[1]
		if d.chance(0.3) {
			g = capital(given[0]) + " " + capital(given[1])
		}
		if d.chance(0.3) {
			return umlaut(d, g+" "+s), true
		}
		return umlaut(d, s+" "+g), true
	}
	if hyphen {
		return umlaut(d, s+" "+g), true
	}
	var out string
	switch d.IntN(9) {
	case 0, 1:
		out = s + " " + g
	case 2:
		out = strings.ToUpper(s + " " + g)
	case 3:
		out = g + " " + s
	case 4:
		out = strings.ToLower(s + g)
	case 5:
		out = s
		for _, x := range given {
			out += " " + capital(x)
		}
	case 6:
		out = strings.ToUpper(s) + ", " + g
	case 7:
		out = g + " " + strings.ToUpper(s)
	default:
		out = strings.ToLower(s + " " + strings.Join(given, " "))
	}
	return umlaut(d, out), true
}

// joinPinyin parts two syllables by an apostrophe where the second begins with a vowel.
func joinPinyin(s []string) string {
	if len(s) == 2 && strings.ContainsRune("aoe", rune(s[1][0])) {
		return s[0] + "'" + s[1]
	}
	return strings.Join(s, "")
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// umlaut writes the v of the tables as papers do.
func umlaut(d draw, s string) string {
	with := pick(d, []string{"v", "yu", "ü", "u"})
	return strings.NewReplacer("lv", "l"+with, "Lv", "L"+with, "LV", "L"+strings.ToUpper(with), "nv", "n"+with, "Nv", "N"+with, "NV", "N"+strings.ToUpper(with)).Replace(s)
}

func (d draw) hongKong(p *person) (string, bool) {
	hk := table().hongKong
	s := hk[p.surname]
	if len(s) == 0 {
		return "", false
	}
	sur := early(d, s)
	var given []string
	for _, c := range p.given {
		v := hk[string(c)]
		if len(v) == 0 {
			return "", false
		}
		given = append(given, early(d, v))
	}
	g := strings.Join(given, " ")
	switch d.IntN(6) {
	case 0:
		return strings.ToUpper(sur) + " " + strings.Join(given, "-"), true
	case 1:
		return strings.ToUpper(sur + " " + g), true
	case 2:
		return g + " " + sur, true
	case 3:
		return d.among("Peter David Mary Michelle Kelvin Carmen") + " " + sur + " " + g, true
	case 4:
		return strings.ToUpper(sur) + ", " + g, true
	}
	return sur + " " + g, true
}

// wadeGiles turns a syllable of pinyin into Wade's; lost leaves out the apostrophe, as papers do.
func wadeGiles(s string, lost bool) string {
	if s == "" {
		return ""
	}
	whole := map[string]string{"zhi": "chih", "chi": "ch'ih", "shi": "shih", "ri": "jih", "zi": "tzu", "ci": "tz'u", "si": "szu", "er": "erh", "you": "yu", "yu": "yü", "yan": "yen", "ye": "yeh",
		"yi": "i", "ge": "ko", "ke": "k'o", "he": "ho", "e": "o", "gui": "kuei", "kui": "k'uei", "yong": "yung", "yue": "yüeh", "yuan": "yüan", "yun": "yün", "luo": "lo", "duo": "to", "nuo": "no", "ruo": "jo", "zuo": "tso", "zhuo": "cho", "shuo": "shuo", "suo": "so", "guo": "kuo", "lv": "lü", "nv": "nü"}
	out, ok := whole[s]
	if !ok {
		out = wadeInitial(s)
	}
	if lost {
		return strings.NewReplacer("'", "", "ü", "u").Replace(out)
	}
	return out
}

func wadeInitial(s string) string {
	initials := [][2]string{{"zh", "ch"}, {"ch", "ch'"}, {"sh", "sh"}, {"b", "p"}, {"p", "p'"}, {"d", "t"}, {"t", "t'"}, {"g", "k"}, {"k", "k'"}, {"j", "ch"}, {"q", "ch'"}, {"x", "hs"}, {"z", "ts"}, {"c", "ts'"}, {"r", "j"}}
	initial, rest := "", s
	front := strings.ContainsAny(s[:1], "jqx")
	for _, i := range initials {
		if r, ok := strings.CutPrefix(s, i[0]); ok {
			initial, rest = i[1], r
			break
		}
	}
	if initial == "" && s[0] != 'y' && s[0] != 'w' && s[0] != 'a' && s[0] != 'o' {
		initial, rest = s[:1], s[1:]
	}
	if front { // u stands for ü
		rest = strings.NewReplacer("iong", "iung", "uan", "üan", "ue", "üeh", "un", "ün").Replace(rest)
		if rest == "u" {
			rest = "ü"
		}
	}
	switch rest {
	case "ong":
		rest = "ung"
	case "ian":
		rest = "ien"
	case "ie":
		rest = "ieh"
	}
	return initial + rest
}
