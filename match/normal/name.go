package normal

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/pilinhub/pilin/match/internal/hanzi"
)

// Form is the build of a name.
type Form uint8

// The forms.
const (
	NoName Form = iota
	Han         // surname and given name
	Mono        // a name without surname: minorities, with or without ·
	Latin       // in letters: pinyin, Wade-Giles, Hong Kong spelling, or foreign
	Nick        // a surname or one given character with an address: 老王, 阿强, 王大夫, 王某
)

// Wild stands in Chars for a character that was lost, masked or never said.
const Wild = '?'

// Name is a name in parts.
type Name struct {
	Form    Form
	Chars   []rune           // folded; Wild where unknown; surname first
	Written []rune           // as written, beside Chars
	Hint    []hanzi.Syllable // of a Wild that was written in pinyin; nil if there is none
	Surname int              // how many of Chars are the surname; 0 for none
	Parts   []int            // of Mono: where each part begins
	Words   []string         // of Latin, lower case
	Whole   string           // of Nick: the folded text with what stands around the character
	Title   string           // 大夫, 老师 …; never compared
	Open    bool             // of Nick: the rest of the name is not known, whatever its length
	Either  bool             // of Nick: the character may be surname or given name
}

// String returns the folded characters or words; for keys and tests, not for display.
func (n *Name) String() string {
	if n.Form == Latin {
		return strings.Join(n.Words, " ")
	}
	return string(n.Chars)
}

// Wilds counts unknown characters.
func (n *Name) Wilds() int {
	c := 0
	for _, r := range n.Chars {
		if r == Wild {
			c++
		}
	}
	return c
}

// Given returns the characters behind the surname.
func (n *Name) Given() []rune { return n.Chars[n.Surname:] }

func isDot(r rune) bool { return strings.ContainsRune("·•・‧.．-－・･∙⋅●—–", r) }

func isWild(r rune) bool { return strings.ContainsRune("?□*某×○◯_■囗", r) }

// ReadName reads what was written where a name is asked.
func ReadName(s string) Name {
	s = clean(s)
	whole := string(folded(strings.ReplaceAll(s, " ", "")))
	s, title := cutTitle(strings.TrimSpace(s))
	var n Name
	n.Title = title
	han := strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) || isWild(r) && r != '-' })
	if !han {
		n.latin(s)
		return n
	}
	dotted := n.han(s)
	switch {
	case len(n.Chars) == 0 || n.Wilds() == len(n.Chars) && n.Hint == nil:
		return Name{Title: title}
	case dotted || len(n.Chars) > 4 || len(n.Chars) == 4 && !compound[string(n.Chars[:2])] && n.Wilds() == 0 && monoLike(n.Chars):
		n.Form = Mono
	default:
		n.Form = Han
		n.nick()
	}
	if n.Form == Han {
		n.Surname = surnameLength(n.Chars)
	}
	if n.Form == Nick {
		n.Whole = whole
	}
	if slices.Equal(n.Chars, n.Written) {
		n.Written = n.Chars // registries hold millions of names
	}
	if n.Form == Mono && len(n.Parts) == 0 {
		n.Parts = []int{0}
	}
	return n
}

// han fills characters, wild ones and parts; it reports a dot inside.
func (n *Name) han(s string) bool {
	dotted := false
	rs := []rune(s)
	for i := 0; i < len(rs); i++ {
		r := rs[i]
		switch {
		case r == '(' || r == '[' || r == '【' || r == '〔':
			j := i + 1
			for j < len(rs) && !strings.ContainsRune(")]】〕", rs[j]) {
				j++
			}
			if inside := rs[i+1 : min(j, len(rs))]; len(inside) >= 2 && len(inside) <= 4 && !remark.MatchString(string(inside)) { // (女页): a character taken apart
				n.add(Wild, r, 0)
			}
			i = j
		case r >= 0x2FF0 && r <= 0x2FFB: // an ideographic description: ⿰女页
			n.add(Wild, '(', 0)
			i += 2
			if r == 0x2FF2 || r == 0x2FF3 {
				i++
			}
		case unicode.Is(unicode.Han, r) && i+2 < len(rs) && rs[i+1] == '+': // 女+页
			n.add(Wild, '(', 0)
			i += 2
		case isWild(r):
			n.add(Wild, r, 0)
		case r == '〇' || unicode.Is(unicode.Han, r) || unicode.Is(unicode.Co, r):
			if unicode.Is(unicode.Co, r) {
				n.add(Wild, r, 0)
			} else {
				n.add(hanzi.Fold(r), r, 0)
			}
		case isDot(r):
			if len(n.Chars) > 0 && i+1 < len(rs) {
				dotted = true
				if len(n.Parts) == 0 {
					n.Parts = []int{0}
				}
				n.Parts = append(n.Parts, len(n.Chars))
			}
		case unicode.IsLetter(r) && r < 0x250:
			j := i
			for j < len(rs) && unicode.IsLetter(rs[j]) && rs[j] < 0x250 {
				j++
			}
			if strings.Trim(string(rs[i:j]), "xX") == "" { // 王xx
				for range rs[i:j] {
					n.add(Wild, '×', 0)
				}
			} else if syl := Segment(plainLatin(string(rs[i:j]))); len(syl) > 0 {
				for _, x := range syl[0] {
					n.add(Wild, r, x)
				}
			} else {
				n.add(Wild, r, 0)
			}
			i = j - 1
		}
	}
	return dotted
}

// remark is what stands in brackets behind a name and is no part of it: (曾用名张三), (小名阿强), (已故).
var remark = regexp.MustCompile(`^(?:小名|又名|曾用|别名|化名|原名|外号|人称|绰号|乳名|男|女性|已故|自称|音)`)

func (n *Name) add(c, written rune, hint hanzi.Syllable) {
	n.Chars, n.Written = append(n.Chars, c), append(n.Written, written)
	if hint != 0 {
		for len(n.Hint) < len(n.Chars)-1 {
			n.Hint = append(n.Hint, 0)
		}
		n.Hint = append(n.Hint, hint)
	} else if n.Hint != nil {
		n.Hint = append(n.Hint, 0)
	}
}

// nick recognises what is not a full name.
func (n *Name) nick() {
	c := n.Chars
	keep := func(from, to int) {
		n.Chars, n.Written, n.Hint = c[from:to], n.Written[from:to], nil
		n.Form, n.Open = Nick, true
	}
	switch {
	case len(c) == 1 || len(c) == 2 && n.Title != "" && compound[string(c)]:
		keep(0, len(c))
		n.Surname = len(c)
		if !IsSurname(c[0]) && len(c) == 1 {
			n.Surname = 0
		}
	case len(c) == 2 && strings.ContainsRune("老小大", c[0]) && c[1] != Wild, len(c) == 3 && strings.ContainsRune("老小大", c[0]) && strings.ContainsRune(kin, c[2]) && c[1] != Wild:
		keep(1, 2)
		if IsSurname(c[1]) {
			n.Surname = 1
			n.Either = !common[c[1]]
		}
	case len(c) == 2 && c[0] == '阿' && c[1] != Wild, len(c) == 3 && c[0] == '阿' && (c[1] == c[2] || strings.ContainsRune(kin, c[2])):
		keep(1, 2)
		n.Either = n.Title != "" || len(c) == 3 && c[1] != c[2]
	case len(c) == 2 && c[0] != Wild && strings.ContainsRune(kin, c[1]) && !(c[1] == '子' && common[c[0]] || strings.ContainsRune("妹弟头", c[1]) && IsSurname(c[0])):
		keep(0, 1)
		n.Either = true // 强哥, 王姐
	case len(c) == 3 && c[0] != Wild && c[1] == c[2] && strings.ContainsRune("爷奶伯叔婆公婶姨嫂", c[1]):
		keep(0, 1)
		n.Either = true // 李婆婆
	case len(c) == 2 && c[0] == c[1] && c[0] != Wild && !IsSurname(c[0]):
		keep(0, 1) // 强强
	case len(c) >= 2 && n.unsaid() == len(c)-1 && c[0] != Wild: // 王某, 王某某
		keep(0, 1)
		n.Surname = 1
	case len(c) >= 2 && n.unsaid() == len(c)-1 && c[len(c)-1] != Wild: // 某强
		keep(len(c)-1, len(c))
	}
}

// kin are words of address behind one character of a name.
const kin = "哥姐叔姨嫂婶爷伯妹弟婆子头仔"

// unsaid counts characters that were left out on purpose: 某, * and ×; ? and □ stand for one lost character each.
func (n *Name) unsaid() int {
	c := 0
	for _, r := range n.Written {
		if r == '某' || r == '*' || r == '×' || r == '○' {
			c++
		}
	}
	return c
}

// cutTitle takes off what a person is called by beside the name: 王医生, 王胖子, and before the surname 牙医王.
func cutTitle(s string) (name, title string) {
	for _, t := range titles {
		if rest, ok := strings.CutSuffix(s, t); ok && rest != "" {
			return strings.TrimSpace(rest), t
		}
	}
	for _, t := range epithets {
		if rest, ok := strings.CutSuffix(s, t); ok && called(rest) {
			return rest, t
		}
	}
	for _, list := range [][]string{titles, epithets} {
		for _, t := range list {
			if rest, ok := strings.CutPrefix(s, t); ok && called(rest) {
				return rest, t
			}
		}
	}
	return s, ""
}

// called reports a surname alone, or with 老, 小 or 大 before it.
func called(s string) bool {
	r := folded(s)
	if len(r) == 2 && strings.ContainsRune("老小大", r[0]) {
		r = r[1:]
	}
	return len(r) == 1 && r[0] != Wild && IsSurname(r[0]) || len(r) == 2 && compound[string(r)]
}

func surnameLength(c []rune) int {
	if len(c) >= 3 || len(c) == 2 {
		if compound[string(c[:2])] && len(c) >= 3 {
			return 2
		}
	}
	if len(c) == 4 && IsSurname(c[0]) && IsSurname(c[1]) {
		return 2 // both surnames of a couple: 张王某某
	}
	return 1
}

// IsSurname reports a surname of one character.
func IsSurname(r rune) bool { return r == Wild || surnames[r] }

// monoLike reports characters that write the sounds of another language: names of four such are no surname with three.
func monoLike(c []rune) bool {
	k := 0
	for _, r := range c {
		if sounding[r] {
			k++
		}
	}
	return k >= 3
}

// Transcribed reports how many of n's characters are such as write the sounds of another language.
func (n *Name) Transcribed() int {
	k := 0
	for _, r := range n.Chars {
		if sounding[r] {
			k++
		}
	}
	return k
}

// AsMono makes n a name without surname: what a minority's person is also called by has none either.
func (n *Name) AsMono() {
	n.Form, n.Surname, n.Parts = Mono, 0, []int{0}
}

// PartsOf returns the parts of a Mono name.
func (n *Name) PartsOf() [][]rune {
	out := make([][]rune, 0, len(n.Parts))
	for i, from := range n.Parts {
		to := len(n.Chars)
		if i+1 < len(n.Parts) {
			to = n.Parts[i+1]
		}
		out = append(out, n.Chars[from:to])
	}
	return out
}

// surnamesRead are surnames by a reading.
var surnamesRead = map[hanzi.Syllable][]rune{}

func init() {
	for r := range surnames {
		n := Name{Form: Han, Chars: []rune{r}, Surname: 1}
		for _, x := range n.Readings(0) {
			surnamesRead[x] = append(surnamesRead[x], r)
		}
	}
	for _, rs := range surnamesRead {
		slices.Sort(rs)
	}
}

// SurnamesRead returns the surnames of one character that are read so, in a fixed order.
func SurnamesRead(s hanzi.Syllable) []rune { return surnamesRead[s] }

// SurnameClass takes a surname to the one form that its official simplifications and old spellings share: 萧 to 肖.
func SurnameClass(r rune) rune {
	if c, ok := surnameClass[r]; ok {
		return c
	}
	return r
}

// Readings returns how c is read at place i of a name: the surname's own readings first, then the others.
func (n *Name) Readings(i int) []hanzi.Syllable {
	c := n.Chars[i]
	if c == Wild {
		if i < len(n.Hint) && n.Hint[i] != 0 {
			return []hanzi.Syllable{n.Hint[i]}
		}
		return nil
	}
	if i < n.Surname && n.Surname == 1 {
		if r := surnameReadings[c]; len(r) > 0 {
			if others := hanzi.Syllables(c); len(r) == 1 && len(others) > 0 && others[0] != r[0] {
				return []hanzi.Syllable{r[0], others[0]} // who does not know the surname reads it so
			}
			return r
		}
	}
	return hanzi.Syllables(c)
}
