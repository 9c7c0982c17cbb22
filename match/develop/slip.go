package develop

import (
	"slices"
	"strings"
)

// inGiven replaces one character of the given name by one of what from offers.
func (d draw) inGiven(p *person, from func(c rune) []rune) (string, bool) {
	g := []rune(p.given)
	for _, i := range d.Perm(len(g)) {
		if offers := from(g[i]); len(offers) > 0 {
			g[i] = pick(d, offers)
			return p.surname + string(g), true
		}
	}
	return "", false
}

func homophone(d draw, p *person) (string, string, bool) {
	t := table()
	if d.chance(0.08) && len([]rune(p.surname)) == 1 { // the surname: 章 for 张
		c := []rune(p.surname)[0]
		for _, i := range d.Perm(len(t.surnames.values)) {
			s := []rune(t.surnames.values[i])
			if len(s) == 1 && s[0] != c && t.sound(s[0]) == t.sound(c) && t.sound(c) != "" {
				return string(s) + p.given, "of the surname", true
			}
		}
	}
	n, ok := d.inGiven(p, func(c rune) []rune {
		var out []rune
		for _, o := range t.bySound[t.sound(c)] {
			if o != c && !slices.Contains(t.older[c], o) {
				out = append(out, o)
			}
		}
		return out
	})
	return n, "given", ok
}

// fuzzySound is a slip of those who do not tell zh from z, n from l, or in from ing.
func fuzzySound(d draw, p *person) (string, string, bool) {
	t := table()
	n, ok := d.inGiven(p, func(c rune) []rune {
		var out []rune
		for _, s := range confused(t.sound(c)) {
			out = append(out, t.bySound[s]...)
		}
		return slices.DeleteFunc(out, func(o rune) bool {
			return slices.Contains(t.sounds[o], t.sound(c)) || slices.Contains(t.sounds[c], t.sound(o))
		})
	})
	return n, "given", ok
}

// confused are the syllables for which s is taken by speakers of the delta and of the countries south of the river.
func confused(s string) []string {
	var out []string
	swap := func(from, to string) {
		if rest, ok := strings.CutPrefix(s, from); ok && rest != "" && !(len(from) == 1 && strings.HasPrefix(rest, "h")) {
			out = append(out, to+rest)
		}
	}
	for _, f := range [][2]string{{"zh", "z"}, {"ch", "c"}, {"sh", "s"}, {"z", "zh"}, {"c", "ch"}, {"s", "sh"}, {"n", "l"}, {"l", "n"}, {"r", "l"}} {
		swap(f[0], f[1])
	}
	for _, f := range [][2]string{{"fu", "hu"}, {"hu", "fu"}, {"fang", "huang"}, {"huang", "fang"}, {"fei", "hui"}, {"hui", "fei"}, {"feng", "hong"}, {"hong", "feng"}} {
		if s == f[0] {
			out = append(out, f[1])
		}
	}
	for _, f := range [][2]string{{"an", "ang"}, {"en", "eng"}, {"in", "ing"}} {
		if head, ok := strings.CutSuffix(s, f[0]); ok {
			out = append(out, head+f[1])
		}
		if head, ok := strings.CutSuffix(s, f[1]); ok {
			out = append(out, head+f[0])
		}
	}
	return out
}

func lookalike(d draw, p *person) (string, string, bool) {
	t := table()
	if c := []rune(p.surname); len(c) == 1 && len(t.looks[c[0]]) > 0 && d.chance(0.12) {
		return string(pick(d, t.looks[c[0]])) + p.given, "of the surname", true
	}
	n, ok := d.inGiven(p, func(c rune) []rune { return t.looks[c] })
	return n, "given", ok
}

func missingChar(d draw, p *person) (string, string, bool) {
	g := []rune(p.given)
	switch {
	case len(g) == 2 && d.chance(0.75):
		return p.surname + string(g[d.IntN(2)]), "given lost", true
	case len(g) == 2 && d.chance(0.4):
		return p.given, "surname", true
	case len(g) == 1 && d.chance(0.5):
		m := pick(d, table().manners["m2"].first)
		if d.chance(0.5) {
			return p.surname + m + p.given, "extra", true
		}
		return p.surname + p.given + m, "extra", true
	case len(g) == 1 && d.chance(0.2):
		return p.surname + p.given + p.given, "extra", true
	}
	return "", "", false
}

func swapped(d draw, p *person) (string, string, bool) {
	g := []rune(p.given)
	if len(g) == 2 && g[0] != g[1] && d.chance(0.6) {
		return p.surname + string(g[1]) + string(g[0]), "given", true
	}
	return p.given + p.surname, "order", true
}

func traditional(d draw, p *person) (string, string, bool) {
	n := older(p.name, func(f []rune) rune {
		if d.chance(0.85) {
			return f[0]
		}
		return pick(d, f)
	})
	return n, "", true
}

func surnameVariant(d draw, p *person) (string, string, bool) {
	from, form := table().renamed, "variant"
	if d.chance(0.12) {
		from, form = table().mistaken, "mistaken"
	}
	v := from[p.surname]
	if len(v) == 0 {
		return "", "", false
	}
	return pick(d, v) + p.given, form, true
}

// rareSlip gets round a character that the keyboard has not.
func rareSlip(d draw, p *person) (string, string, bool) {
	if p.rare == nil {
		return "", "", false
	}
	form := pick(d, []string{"sound", "sound", "mark", "parts", "instead", "instead", "left out", "as it is"})
	by := map[string]string{"sound": p.rare.sound, "mark": d.among("? □ * ？ 某"), "parts": pick(d, []string{"(" + p.rare.parts + ")", "（" + p.rare.parts + "）", "[" + p.rare.parts + "]"}),
		"instead": p.rare.instead, "left out": "", "as it is": p.rare.char}[form]
	n := strings.Replace(p.name, p.rare.char, by, 1)
	if form == "as it is" { // then the rest is wrong, or the entry lacks it
		return n, form, false
	}
	if form == "left out" && len([]rune(n)) < 2 {
		return "", "", false
	}
	return n, form, true
}
