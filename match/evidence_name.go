package match

import (
	"slices"
	"strings"

	"github.com/pilinhub/pilin/match/internal/hanzi"
	"github.com/pilinhub/pilin/match/normal"
)

// nameLevel is how two names stand to each other.
type nameLevel uint8

const (
	nameUnsaid nameLevel = iota // nothing to compare
	nameOther                   // clearly another name
	nameFaint                   // a nickname, or much is different: needs other evidence
	nameNear                    // one character differs or is unknown
	nameSound                   // the same but for homophones or spelling
	nameSame                    // the same, script and variants aside
)

// nameVerdict is the comparison of two names.
type nameVerdict struct {
	level nameLevel
	bits  float64
	code  string
	text  string
}

func (t *tally) weighName(e *Engine, q *posed, s *subject, c *context) {
	if q.name.Form == normal.NoName || len(s.names) == 0 {
		return
	}
	best := nameVerdict{bits: noName}
	for i := range s.names {
		v := e.compareName(q, &s.names[i], c, t.write)
		if i >= s.main && v.level > nameOther {
			v.bits += weights.alias
			if v.text += ";登记的别名或曾用名"; s.names[i].Form == normal.Nick && v.level == nameSame {
				v.level = nameNear
			}
		}
		if nearer(v.level, v.bits, best.level, best.bits) {
			best = v
		}
	}
	best.bits = inList(best.level, best.bits, best.code == "name_one_other", c)
	t.name = best.level
	t.add(best.code, best.bits, best.text)
}

// noName is what any comparison comes before.
const noName = -1000

// nearer reports that the first of two comparisons speaks for a record. In a small list an equal name has few bits: another
// name that shares a character must not take its place.
func nearer(level nameLevel, bits float64, than nameLevel, thanBits float64) bool {
	named, before := level > nameOther, than > nameOther
	return named && !before || named == before && bits > thanBits
}

// inList is what a name comes to in this list: in a small one too, the name itself comes before one that is like it, and
// that before one of which another character is otherwise.
func inList(level nameLevel, bits float64, oneOther bool, c *context) float64 {
	switch {
	case level <= nameOther || level == nameSame:
		return bits
	case oneOther:
		return min(bits, c.nameBits-4)
	}
	return min(bits, c.nameBits-1)
}

// compareName compares the question's name with one name of a record.
func (e *Engine) compareName(q *posed, r *normal.Name, c *context, write bool) nameVerdict {
	n := &q.name
	switch {
	case n.Form == normal.Latin && r.Form == normal.Latin:
		return compareLetters(n, r)
	case n.Form == normal.Latin:
		return e.compareSpelled(q, r)
	case r.Form == normal.Latin:
		return e.compareSpelledRecord(n, r)
	case n.Form == normal.Nick || r.Form == normal.Nick:
		return e.compareNick(n, r)
	case n.Form == normal.Mono || r.Form == normal.Mono || len(n.Chars) > 4 || len(r.Chars) > 4:
		return compareMono(n, r, c)
	}
	p := pairing{e: e, n: n, r: r}
	return p.said(p.compare(c), write)
}

// pairCode is how two characters stand to each other.
type pairCode uint8

const (
	pairEqual pairCode = iota
	pairVariant
	pairHint
	pairHomophone
	pairFuzzy
	pairGlyph
	pairLost
	pairUnlike
)

// pairVerdict is one character beside another.
type pairVerdict struct {
	bits float64
	code pairCode
	text string
}

func (e *Engine) pair(n, r *normal.Name, i, j int) pairVerdict {
	a, b := n.Chars[i], r.Chars[j]
	surname := j < r.Surname
	switch {
	case a == normal.Wild || b == normal.Wild:
		hint, c := hanzi.Syllable(0), b
		if a == normal.Wild && i < len(n.Hint) {
			hint = n.Hint[i]
		}
		if b == normal.Wild {
			c = a
			if j < len(r.Hint) {
				hint = r.Hint[j]
			}
		}
		switch {
		case c == normal.Wild:
			return pairVerdict{weights.lost, pairLost, "缺字"}
		case hint == 0:
			bits := weights.lost
			if w := n.Written[i]; a == normal.Wild && w != '某' && w != '*' && w != '×' { // whoever cannot write it: rare ones sooner
				bits += min(3, max(0, 0.4*(e.counts.bitsOf(c, surname)-9)))
			}
			return pairVerdict{bits, pairLost, "缺字"}
		case hanzi.Reads(c, hint):
			return pairVerdict{e.counts.soundBits(hint) + weights.hint, pairHint, "拼音相符"}
		}
		return pairVerdict{weights.unlikeHint, pairUnlike, "拼音不符"}
	case a == b:
		bits := e.counts.bitsOf(b, surname)
		if n.Written[i] != r.Written[j] {
			return pairVerdict{bits + weights.variant, pairVariant, "繁简或异体"}
		}
		return pairVerdict{bits: bits}
	case i == 0 && j == 0 && normal.SurnameClass(a) == normal.SurnameClass(b):
		return pairVerdict{e.counts.bitsOf(b, true) + weights.surnameVariant, pairVariant, "姓氏通用字"}
	}
	switch hanzi.Sound(a, b) {
	case hanzi.SameSound:
		bits := min(e.counts.soundBits(hanzi.First(b)), 8) + weights.homophone
		return pairVerdict{bits, pairHomophone, "同音"}
	case hanzi.FuzzyNear:
		if r := hanzi.Likeness(a, b); r > 0 && r <= 4 {
			return pairVerdict{weights.glyphSounding, pairGlyph, "形近"}
		}
		return pairVerdict{min(e.counts.soundBits(hanzi.First(b)), 7) + weights.fuzzy, pairFuzzy, "近音"}
	}
	switch r := hanzi.Likeness(a, b); {
	case r > 0 && r <= 4:
		return pairVerdict{weights.glyphNear, pairGlyph, "形近"}
	case r > 0:
		return pairVerdict{weights.glyph, pairGlyph, "形近"}
	}
	if surname {
		return pairVerdict{weights.unlikeSurname, pairUnlike, "姓不同"}
	}
	return pairVerdict{weights.unlike, pairUnlike, "不同"}
}

// pairing is two Chinese names beside each other.
type pairing struct {
	e     *Engine
	n, r  *normal.Name
	known *pairs // what characters came to before in this question; nil if that is not kept
}

func (p *pairing) pair(i, j int) pairVerdict { return p.e.pair(p.n, p.r, i, j) }

// worth is pair without words.
func (p *pairing) worth(i, j int) (float64, pairCode) {
	if p.known != nil {
		return p.known.worth(p, i, j)
	}
	v := p.pair(i, j)
	return v.bits, v.code
}

// hanHow is what a comparison of two Chinese names came to.
type hanHow uint8

const (
	hanOther hanHow = iota
	hanGap
	hanOneOther
	hanLost
	hanVariant
	hanHint
	hanEqual
	hanHomophone
	hanFuzzy
	hanGlyph
	hanSoundsLike // homophones, and more of them than a mishearing explains
	hanSwapped
)

var hanSaid = [...]struct {
	level      nameLevel
	code, text string
}{
	hanOther:      {nameOther, "name_other", "姓名不同"},
	hanGap:        {nameNear, "name_gap", "姓名多字或少字"},
	hanOneOther:   {nameFaint, "name_one_other", "姓名一字不同"},
	hanLost:       {nameNear, "name_lost", "姓名有缺字,其余相符"},
	hanVariant:    {nameSame, "name_variant", "姓名相同,繁简或异体"},
	hanHint:       {nameSound, "name_hint", "姓名缺字,拼音相符"},
	hanEqual:      {nameSame, "name_equal", "姓名相同"},
	hanHomophone:  {nameSound, "name_homophone", "姓名同音"},
	hanFuzzy:      {nameNear, "name_fuzzy", "姓名相近"},
	hanGlyph:      {nameNear, "name_glyph", "姓名相近"},
	hanSoundsLike: {nameNear, "name_homophone", "姓名相近"},
	hanSwapped:    {nameSound, "name_swapped", "姓名字序颠倒"},
}

// hanVerdict is a nameVerdict before it is put in words.
type hanVerdict struct {
	bits         float64
	how          hanHow
	skipA, skipB int8 // characters left out of the question's name and of the record's; -1 none
}

func (v hanVerdict) level() nameLevel { return hanSaid[v.how].level }

// said puts a comparison in words.
func (p *pairing) said(v hanVerdict, write bool) nameVerdict {
	to := &hanSaid[v.how]
	out := nameVerdict{to.level, v.bits, to.code, to.text}
	if !write || v.how == hanSwapped || len(p.n.Chars)-len(p.r.Chars) > 1 || len(p.r.Chars)-len(p.n.Chars) > 1 {
		return out
	}
	p.each(v.skipA, v.skipB, func(i, j int) {
		if one := p.pair(i, j); one.code != pairEqual {
			out.text += " " + string(p.n.Written[i]) + "/" + string(p.r.Written[j]) + one.text
		}
	})
	return out
}

// each goes through the characters beside each other, leaving out character skipA of the question or skipB of the record.
func (p *pairing) each(skipA, skipB int8, do func(i, j int)) {
	for i, j := 0, 0; ; i, j = i+1, j+1 {
		if i == int(skipA) {
			i++
		}
		if j == int(skipB) {
			j++
		}
		if i >= len(p.n.Chars) || j >= len(p.r.Chars) {
			return
		}
		do(i, j)
	}
}

func (p *pairing) compare(c *context) hanVerdict {
	a, b := p.n.Chars, p.r.Chars
	best := hanVerdict{-10, hanOther, -1, -1}
	switch {
	case len(a) == len(b):
		best = p.aligned(-1, -1, c)
		if best.level() < nameSound && len(a) >= 2 && swapped(a, b) {
			bits := 0.0
			for j, x := range b {
				bits += p.e.counts.bitsOf(x, j < p.r.Surname)
			}
			if bits = min(bits, c.nameBits) + weights.swapped; bits > best.bits {
				best = hanVerdict{bits, hanSwapped, -1, -1}
			}
		}
	case len(a) == len(b)+1:
		for i := range a {
			if v := p.aligned(int8(i), -1, c); v.bits > best.bits {
				best = v
			}
		}
	case len(b) == len(a)+1:
		for j := range b {
			if v := p.aligned(-1, int8(j), c); v.bits > best.bits {
				best = v
			}
		}
	}
	return best
}

// swapped reports the same characters in another order.
func swapped(a, b []rune) bool {
	for _, x := range a {
		n := 0
		for i := range a {
			if a[i] == x {
				n++
			}
			if b[i] == x {
				n--
			}
		}
		if n != 0 {
			return false
		}
	}
	return true
}

// aligned compares character by character, leaving out character skipA of the question or skipB of the record.
func (p *pairing) aligned(skipA, skipB int8, c *context) hanVerdict {
	bits := 0.0
	unlike, lost, changed, equal := 0, 0, 0, 0
	kind := pairEqual
	for i, j := 0, 0; ; i, j = i+1, j+1 {
		if i == int(skipA) {
			i++
		}
		if j == int(skipB) {
			j++
		}
		if i >= len(p.n.Chars) || j >= len(p.r.Chars) {
			break
		}
		one, code := p.worth(i, j)
		bits += one
		switch code {
		case pairEqual:
			equal++
		case pairUnlike:
			unlike++
			if i == 0 && j == 0 {
				unlike++ // another surname is another name, mostly
			}
		case pairLost:
			lost++
		case pairVariant, pairHint:
			if kind == pairEqual {
				kind = code
			}
			equal++
		default:
			changed++
			kind = code
		}
	}
	// What is asked for is rare or common as a whole: another name is never likelier for it than the name itself.
	bits = min(bits, c.nameBits)
	gap := skipA >= 0 || skipB >= 0
	how := hanFuzzy
	switch {
	case unlike >= 2, unlike == 1 && (len(p.n.Chars) <= 2 || changed+lost > 0 || gap), equal == 0 && changed < 2:
		if how = hanOther; unlike > 0 {
			bits = min(bits, 3)
		}
	case gap:
		how, bits = hanGap, min(bits+weights.gap, c.nameBits-4)
	case unlike == 1:
		how, bits = hanOneOther, min(bits+weights.oneOther, c.nameBits-6)
	case lost > 0:
		how = hanLost
	case changed == 0 && kind == pairVariant:
		how, bits = hanVariant, min(bits, c.nameBits-0.5)
	case changed == 0 && kind == pairHint:
		how = hanHint
	case changed == 0:
		how = hanEqual
	case kind == pairHomophone && changed <= 2:
		how, bits = hanHomophone, min(bits, c.nameBits-1.5)
	default:
		switch kind {
		case pairHomophone:
			how = hanSoundsLike
		case pairGlyph:
			how = hanGlyph
		}
		bits = min(bits, c.nameBits-2.5)
	}
	return hanVerdict{bits, how, skipA, skipB}
}

func (e *Engine) compareNick(n, r *normal.Name) nameVerdict {
	if n.Form == r.Form {
		if n.Whole == r.Whole && strings.ContainsAny(n.Whole, "某*×○") { // the same was left unsaid of both
			return nameVerdict{nameFaint, weights.nick, "name_nick", "称呼相近"}
		}
		if n.Whole == r.Whole {
			return nameVerdict{nameSame, weights.nickEqual, "name_nick_equal", "称呼相同"}
		}
		if slices.Equal(n.Chars, r.Chars) && n.Surname == r.Surname {
			return nameVerdict{nameFaint, weights.nick, "name_nick", "称呼相近"}
		}
		return nameVerdict{nameFaint, -3, "name_nick_other", "称呼不同"}
	}
	nick, full := n, r
	if r.Form == normal.Nick {
		nick, full = r, n
	}
	c := nick.Chars[0]
	if full.Form == normal.Mono && len(full.Parts) > 1 && string(full.PartsOf()[0]) == nick.Whole {
		return nameVerdict{nameNear, 9, "name_part", "姓名的一部分相符"}
	}
	if full.Form != normal.Han || len(full.Chars) == 0 {
		if slices.Contains(full.Chars, c) {
			return nameVerdict{nameFaint, 1, "name_nick", "称呼可能相符"}
		}
		return nameVerdict{nameFaint, -4, "name_nick_other", "称呼不符"}
	}
	k := len(nick.Chars)
	surname := len(full.Chars) > k && slices.Equal(full.Chars[:k], nick.Chars) || normal.SurnameClass(full.Chars[0]) == normal.SurnameClass(c)
	if surname && (nick.Surname > 0 || nick.Either) {
		return nameVerdict{nameFaint, min(5, e.counts.bitsOf(c, true)), "name_nick_surname", "称呼与姓相符"}
	}
	if nick.Surname == 0 || nick.Either {
		if i := slices.Index(full.Chars[1:], c); i >= 0 {
			bits := min(6, e.counts.bitsOf(c, false)+weights.nickGiven)
			if i+2 == len(full.Chars) {
				bits += 0.7 // 阿强 is called so by the last character
			}
			return nameVerdict{nameFaint, bits, "name_nick_given", "称呼与名中一字相符"}
		}
	}
	for i, x := range full.Chars {
		if (i == 0) == (nick.Surname > 0) && hanzi.Sound(c, x) == hanzi.SameSound {
			return nameVerdict{nameFaint, 0.5, "name_nick_sound", "称呼与姓名一字同音"}
		}
	}
	return nameVerdict{nameOther, -5, "name_nick_other", "称呼不符"}
}
