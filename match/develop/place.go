package develop

import (
	"fmt"
	"strings"
)

// place is an address in its levels; a level that it has not is empty or 0.
type place struct {
	county               *county
	town                 string
	village              string // without 村; then group and house
	group, house         int
	road                 string // with 路; then lane or number
	lane, number         int
	estate               string
	building, unit, room int
}

// key tells two places apart.
func (p place) key() string {
	return fmt.Sprint(p.county.code, p.town, p.village, p.group, p.house, p.road, p.lane, p.number, p.estate, p.building, p.unit, p.room)
}

func (d draw) place() place {
	t := table()
	p := place{county: &t.counties[d.IntN(len(t.counties))]}
	p.town = pick(d, p.county.towns)
	room := func() int { return 100*(1+d.IntN(6)) + 1 + d.IntN(4) }
	switch d.weigh(0.4, 0.25, 0.2, 0.15) {
	case 0:
		p.village = pick(d, t.words["village"]) + pick(d, t.words["village2"])
		p.group, p.house = d.IntN(22), 1+d.IntN(60)
	case 1: // the lane of an estate, as in Shanghai
		p.road, p.lane = pick(d, t.words["road"])+"路", 10+d.IntN(1200)
		p.number, p.room = 1+d.IntN(80), room()
		if d.chance(0.3) {
			p.estate = d.estate()
		}
	case 2:
		p.estate = d.estate()
		p.building, p.room = 1+d.IntN(50), room()
		if d.chance(0.5) {
			p.unit = 1 + d.IntN(4)
		}
		if d.chance(0.3) {
			p.road, p.number = pick(d, t.words["road"])+"路", 1+d.IntN(900)
		}
	default: // a shop
		p.road, p.number = pick(d, t.words["road"])+d.among("路 路 路 街"), 1+d.IntN(900)
		if d.chance(0.2) {
			p.room = room()
		}
	}
	return p
}

func (d draw) estate() string {
	w := table().words
	return pick(d, w["estate"]) + pick(d, w["estate2"]) + pick(d, w["estate3"])
}

// manner of writing an address.
type writing struct {
	province, county, town bool
	noSuffix               bool   // 平湖 for 平湖市, 朱泾 for 朱泾镇
	chinese, wide          bool   // numerals
	dashes                 bool   // 6-2-402
	block                  string // 幢, 号楼, 栋, #
	noRoomWord             bool
	spaces                 bool
	noGroup, noEstate      bool
}

// write puts p down in one manner.
func (p place) write(w writing) string {
	var b strings.Builder
	n := func(i int) string {
		switch s := itoa(i); {
		case w.chinese && i < 100:
			return chinese(i)
		case w.wide:
			return widen(s)
		default:
			return s
		}
	}
	gap := func() {
		if w.spaces {
			b.WriteByte(' ')
		}
	}
	if w.province {
		b.WriteString(p.county.above)
	}
	if w.county {
		name := p.county.name
		if w.noSuffix {
			name = string([]rune(name)[:len([]rune(name))-1])
		}
		b.WriteString(name)
		gap()
	}
	if w.town {
		town := p.town
		if !strings.HasSuffix(town, "街道") && !w.noSuffix {
			town += "镇"
		}
		b.WriteString(town)
		gap()
	}
	if p.village != "" {
		b.WriteString(p.village + "村")
		if p.group > 0 && !w.noGroup {
			b.WriteString(n(p.group) + "组")
		}
		gap()
		b.WriteString(n(p.house) + "号")
		return b.String()
	}
	if p.road != "" {
		b.WriteString(p.road)
		if p.lane > 0 {
			b.WriteString(n(p.lane) + "弄")
		}
		if p.lane == 0 && p.number > 0 {
			b.WriteString(n(p.number) + "号")
		}
		gap()
	}
	if !w.noEstate || p.road == "" {
		b.WriteString(p.estate)
	}
	b.WriteString(p.inside(w, n))
	return b.String()
}

// inside is what stands behind the street or the estate.
func (p place) inside(w writing, n func(int) string) string {
	room := ""
	if p.room > 0 {
		room = n(p.room) + "室"
		if w.noRoomWord {
			room = n(p.room)
		}
	}
	block, word := p.building, w.block
	if p.lane > 0 {
		block, word = p.number, "号"
	}
	if block == 0 {
		return room
	}
	if w.dashes && p.room > 0 {
		if p.unit > 0 {
			return fmt.Sprintf("%d-%d-%d", block, p.unit, p.room)
		}
		return fmt.Sprintf("%d-%d", block, p.room)
	}
	if word == "" {
		word = "幢"
	}
	s := n(block) + word
	if p.unit > 0 {
		s += n(p.unit) + "单元"
	}
	return s + room
}

// chinese writes 1 to 99.
func chinese(i int) string {
	d := []string{"", "一", "二", "三", "四", "五", "六", "七", "八", "九"}
	switch {
	case i == 0:
		return "零"
	case i < 10:
		return d[i]
	case i < 20:
		return "十" + d[i%10]
	}
	return d[i/10] + "十" + d[i%10]
}

// widen writes ASCII in full width.
func widen(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r + 0xfee0
		}
		return r
	}, s)
}

// usual is a manner in which registries write.
func (d draw) usual() writing {
	return writing{province: d.chance(0.6), county: d.chance(0.93), town: d.chance(0.92), noSuffix: d.chance(0.08), wide: d.chance(0.02),
		dashes: d.chance(0.06), block: d.among("幢 号楼 栋 幢"), noRoomWord: d.chance(0.08)}
}

// org is an institution's name in its parts.
type org struct {
	region, core, kind, legal string
}

func (o org) String() string { return o.region + o.core + o.kind + o.legal }

func (d draw) org(at place) org {
	t := table()
	o := org{core: pick(d, t.words["core"])}
	if d.chance(0.7) { // two of the syllables of others, since names are many
		a, b := []rune(pick(d, t.words["core"])), []rune(pick(d, t.words["core"]))
		o.core = string(a[0]) + string(b[1])
	}
	if d.chance(0.15) { // its owner's name
		owner := person{sex: 1 + d.IntN(2), people: 'h'}
		d.han(&owner)
		if o.core = owner.name; d.chance(0.4) {
			o.core = owner.surname + "氏"
		}
	}
	o.kind = pick(d, t.words[[]string{"type-clinic", "type-beauty", "type-other"}[d.weigh(0.55, 0.25, 0.2)]])
	switch d.IntN(4) {
	case 0, 1:
		o.region = at.county.name
	case 2:
		o.region = strings.TrimSuffix(at.town, "街道")
	}
	if d.chance(0.25) {
		o.legal = pick(d, t.words["legal"])
	}
	return o
}
