package develop

import (
	"strings"

	"github.com/pilinhub/pilin/match"
)

// addressQuery asks for a house that one entry alone has, as it is typed or heard.
func addressQuery(d draw, r *Record, w *world) (asked, bool) {
	p := r.who.place
	if r.Line.Address == "" || r.who.placeShared || w.facts["place "+p.key()] != 1 {
		return asked{}, false
	}
	m := writing{province: d.chance(0.2), county: d.chance(0.7), town: d.chance(0.8), noSuffix: d.chance(0.25), chinese: d.chance(0.15), wide: d.chance(0.08),
		dashes: d.chance(0.2), block: d.among("幢 号楼 栋 # 号"), noRoomWord: d.chance(0.25), spaces: d.chance(0.1), noGroup: d.chance(0.1), noEstate: d.chance(0.4)}
	if !m.county && !m.town {
		m.town = true
	}
	a := asked{strong: m.town && r.townWritten() && !(m.noGroup && p.group > 0)}
	switch x := d.IntN(20); {
	case x < 3 && p.estate != "" && !(m.noEstate && p.road != ""): // misheard
		if e, ok := misheard(d, p.estate); ok {
			p.estate, a.form, a.strong = e, "estate misheard", false
		}
	case x < 5 && p.village != "":
		if v, ok := misheard(d, p.village); ok {
			p.village, a.form, a.strong = v, "village misheard", false
		}
	case x < 7 && p.road != "":
		if v, ok := misheard(d, strings.TrimSuffix(p.road, "路")); ok && strings.HasSuffix(p.road, "路") {
			p.road, a.form, a.strong = v+"路", "road misheard", false
		}
	}
	if a.form == "" {
		a.form = map[bool]string{true: "whole", false: "levels lost"}[a.strong]
	}
	a.q.Address = p.write(m)
	if r.who.people == 'h' && d.chance(0.15) {
		a.q.Name = r.who.surname + "某"
		a.form += ", surname"
	}
	return a, true
}

// misheard replaces one character by one that sounds the same.
func misheard(d draw, s string) (string, bool) {
	t := table()
	g := []rune(s)
	for _, i := range d.Perm(len(g)) {
		for _, o := range d.Perm(len(t.bySound[t.sound(g[i])])) {
			if c := t.bySound[t.sound(g[i])][o]; c != g[i] && i < 2 {
				g[i] = c
				return string(g), true
			}
		}
	}
	return "", false
}

func institutionQuery(d draw, r *Record, w *world) (asked, bool) {
	o := r.who.org
	if r.Line.Type != "institution" {
		return asked{}, false
	}
	a := asked{form: pick(d, []string{"region left out", "region left out", "core alone", "kind", "misheard", "misheard", "traditional", "legal form"})}
	switch a.form {
	case "region left out":
		o.region, o.legal = "", ""
	case "core alone":
		o.region, o.legal, o.kind = "", "", ""
	case "kind":
		alike := map[string]string{"诊所": "门诊部", "中医诊所": "诊所", "口腔诊所": "牙科诊所", "口腔门诊部": "口腔诊所", "卫生室": "卫生所", "卫生所": "卫生室", "美容院": "美容店", "美容店": "美容院", "药店": "药房", "大药房": "药店", "牙科": "口腔诊所", "镶牙店": "牙科", "养生馆": "养生会所", "美容养生馆": "养生馆"}
		if o.legal = ""; alike[o.kind] == "" {
			return asked{}, false
		}
		o.kind = alike[o.kind]
	case "misheard":
		c, ok := misheard(d, o.core)
		if o.core = c; !ok {
			return asked{}, false
		}
	case "traditional":
		a.q.Org = older(o.String(), nil)
	case "legal form":
		if o.legal == "" {
			o.legal = "有限公司"
		} else {
			o.legal = ""
		}
	}
	if a.q.Org == "" {
		a.q.Org = o.String()
	}
	p := r.who.place
	switch {
	case !r.townWritten():
		return a, false
	case a.form == "core alone" && p.village != "":
		a.q.Address = p.county.name + p.town + p.village + "村"
	case a.form == "core alone":
		a.q.Address = p.county.name + p.town + p.road + p.estate
	case o.region == "" || d.chance(0.5): // where it was seen
		a.q.Address = r.who.townOnly(d)
	}
	return a, true
}

// nicknameQuery asks for somebody by what the neighbours call him, with what a neighbour knows.
func nicknameQuery(d draw, r *Record, _ *world) (asked, bool) {
	p := r.who
	if !r.person() || p.people != 'h' || !r.townWritten() {
		return asked{}, false
	}
	a := asked{}
	a.q.Name, a.form = d.nickname(p), "nickname"
	if d.chance(0.3) {
		last := string([]rune(p.given)[len([]rune(p.given))-1])
		a.q.Name, a.form = pick(d, []string{p.surname + "某", p.surname + "某某", "某" + last, p.surname + "某" + last}), "masked"
	}
	if r.Line.Sex != nil {
		a.q.Sex = sexValue(p.sex)
	}
	village := p.place.county.name + p.place.town
	if p.place.village != "" {
		village += p.place.village + "村"
	} else {
		village += p.place.road + p.place.estate
	}
	switch d.weigh(0.35, 0.25, 0.15, 0.15, 0.1) {
	case 0:
		a.q.Address = village
	case 1:
		a.q.Address, a.q.Birth = p.place.county.name+p.place.town, p.year()
		return a, r.born() > 0
	case 2:
		a.q.Address = p.place.write(d.usual())
	case 3:
		if p.phone == "" {
			return a, false
		}
		a.q.Phone = p.phone[7:]
		a.q.Address = p.place.county.name
	default:
		a.q.Birth = p.birth
		a.q.Address = p.place.county.name
		return a, r.born() == 2
	}
	return a, true
}

func aliasQuery(d draw, r *Record, _ *world) (asked, bool) {
	p := r.who
	a := asked{}
	switch {
	case p.former != "" && (p.nick == "" || d.chance(0.7)):
		a.q.Name, a.form = p.former, "former name"
	case p.nick != "":
		a.q.Name, a.form = p.nick, "nickname recorded"
		if !r.townWritten() {
			return a, false
		}
		a.q.Sex = sexValue(p.sex)
		a.q.Address = p.townOnly(d)
		if d.chance(0.5) && r.born() > 0 {
			a.q.Birth = p.year()
		}
		return a, true
	default:
		return a, false
	}
	full, ok := d.withContext(&a.q, r, false)
	a.strong = full
	return a, ok
}

// minorityQuery asks for a name of a people without surnames as another office transcribed it.
func minorityQuery(d draw, r *Record, _ *world) (asked, bool) {
	p := r.who
	if !r.person() || len(p.parts) == 0 {
		return asked{}, false
	}
	a := asked{form: pick(d, []string{"transcribed", "transcribed", "transcribed", "dot", "first part", "letters", "no dot"})}
	switch a.form {
	case "transcribed":
		a.q.Name = d.transcribed(p, func(e element) string { return pick(d, e.written) })
	case "dot":
		a.q.Name = strings.ReplaceAll(p.name, "·", pick(d, []string{".", "•", "・", " ", "‧", "．", "-"}))
	case "no dot":
		a.q.Name = strings.ReplaceAll(p.name, "·", "")
	case "first part":
		a.q.Name, _, _ = strings.Cut(p.name, "·")
	case "letters":
		var l []string
		pinyin := d.chance(0.6) // or as the people itself writes it
		for _, e := range p.parts {
			if pinyin {
				l = append(l, e.letters[len(e.letters)-1])
			} else {
				l = append(l, e.letters[0])
			}
		}
		a.q.Name = strings.Join(l, pick(d, []string{" ", " ", "·"}))
	}
	if a.q.Name == p.name {
		return a, false
	}
	full, ok := d.withContext(&a.q, r, a.form == "first part" || a.form == "letters")
	a.strong = full && (a.form == "dot" || a.form == "no dot")
	return a, ok
}

// combinedQuery asks with two slips, or with one and a second thing known.
func combinedQuery(d draw, r *Record, w *world) (asked, bool) {
	p := r.who
	if !r.person() || p.people != 'h' {
		return asked{}, false
	}
	s, slipName := homophone, "homophone"
	switch d.IntN(5) {
	case 0:
		s, slipName = lookalike, "look-alike"
	case 1:
		s, slipName = fuzzySound, "fuzzy"
	case 2:
		s, slipName = traditional, "traditional"
	}
	name, _, ok := s(d, p)
	if !ok || name == p.name {
		return asked{}, false
	}
	a := asked{q: match.QueryLine{Name: name}}
	same := (slipName == "homophone" || slipName == "traditional") && recorded(r)
	switch d.IntN(7) {
	case 0:
		wrong, ok := idWrongQuery(d, r, w)
		a.q.IDNo, a.form = wrong.q.IDNo, "id wrong"
		if a.form = slipName + ", " + a.form; !ok {
			return a, false
		}
		return a, true
	case 1:
		if p.phone == "" || p.phoneShared {
			return a, false
		}
		a.q.Phone, a.form, a.strong = p.phone, "phone", same
	case 2:
		if p.phone == "" {
			return a, false
		}
		a.q.Phone, a.form = p.phone[:3]+"****"+p.phone[7:], "phone masked"
	case 3:
		if r.Line.Address == "" {
			return a, false
		}
		a.q.Address, a.form = p.place.write(writing{town: true, county: d.chance(0.5), block: "号楼", noRoomWord: d.chance(0.4)}), "address"
		if r.born() > 0 {
			a.q.Birth, a.strong = p.year(), same
		}
	case 4:
		if !r.withID() {
			return a, false
		}
		a.q.IDNo, a.form = p.id[:6]+"********"+p.id[14:], "id masked"
	case 5:
		if r.born() < 2 {
			return a, false
		}
		a.q.Birth, a.form, a.strong = p.birth, "birth", same
	default:
		if p.plate == "" {
			return a, false
		}
		a.q.Plate, a.form = string([]rune(p.plate)[1:]), "plate without province"
	}
	a.form = slipName + ", " + a.form
	return a, true
}
