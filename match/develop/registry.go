package develop

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/match"
)

// Record is a line of the registry with the truth behind it, from which questions are made.
type Record struct {
	Line match.RegistryLine
	who  *person
}

// Registry makes the first n lines of the registry of a seed; none is held.
func Registry(seed uint64, n int) iter.Seq[match.RegistryLine] {
	return func(yield func(match.RegistryLine) bool) {
		for r := range Records(seed, n) {
			if !yield(r.Line) {
				return
			}
		}
	}
}

// Records is Registry with the truth.
func Records(seed uint64, n int) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for i := range n {
			if !yield(makeRecord(seed, i)) {
				return
			}
		}
	}
}

// Sample holds the first n records.
func Sample(seed uint64, n int) []Record {
	return slices.AppendSeq(make([]Record, 0, n), Records(seed, n))
}

func makeRecord(seed uint64, i int) Record {
	p := makePerson(seed, i)
	d := drawFor(seed, 1<<43+uint64(i))
	l := match.RegistryLine{ID: fmt.Sprintf("D%d", i+1), Member: p.place.county.code, Type: "person"}
	if d.chance(0.7) {
		l.Member = pick(d, table().counties).code
	}
	l.Address = p.place.write(d.usual())
	if d.chance(0.06) {
		l.Address = ""
	}
	if p.phone != "" {
		l.Phones = []string{d.typedPhone(p.phone)}
		if d.chance(0.06) {
			l.Phones = append(l.Phones, "154"+d.digits(8))
		}
	}
	switch d.weigh(0.9, 0.06, 0.04) {
	case 1:
		l.Type = "institution"
		if p.org.core == "" {
			p.org = d.org(p.place)
		}
		l.Name = p.org.String()
		p.name, p.people, p.id, p.plate, p.former, p.nick = "", 'i', "", "", "", ""
		return Record{l, p}
	case 2:
		l.Type = "premises"
		if p.org.core != "" {
			l.Org = p.org.String()
		}
		if l.Address == "" {
			l.Address = p.place.write(d.usual())
		}
		p.name, p.people, p.id, p.plate, p.former, p.nick = "", 'p', "", "", "", ""
		return Record{l, p}
	}
	l.Name = d.typedName(p)
	if p.former != "" {
		l.Aliases = append(l.Aliases, p.former)
	}
	if p.nick != "" {
		l.Aliases = append(l.Aliases, p.nick)
	}
	if d.chance(0.95) {
		l.Sex = jsontext.Value(pick(d, [][]string{{`"M"`, `"F"`}, {`"M"`, `"F"`}, {`1`, `2`}, {`"1"`, `"2"`}})[p.sex-1])
	}
	if p.id != "" {
		l.IDNo = d.typedID(p.id)
		if d.chance(0.7) {
			l.Birth = p.birth
		}
	} else {
		switch d.weigh(0.6, 0.3, 0.1) {
		case 0:
			l.Birth = p.birth
		case 1:
			l.Birth = p.year()
		}
	}
	if p.plate != "" {
		l.Plate = p.plate
		if d.chance(0.3) {
			r := []rune(p.plate)
			l.Plate = string(r[:2]) + "·" + string(r[2:])
		}
	}
	if p.org.core != "" {
		l.Org = p.org.String()
	}
	return Record{l, p}
}

// typedName is a name as registries hold it.
func (d draw) typedName(p *person) string {
	if p.people != 'h' {
		if d.chance(0.15) {
			return strings.ReplaceAll(p.name, "·", d.among("• ・ . ．"))
		}
		return p.name
	}
	if p.rare != nil && d.chance(0.12) {
		return strings.Replace(p.name, p.rare.char, pick(d, []string{"?", "□", p.rare.sound, "(" + p.rare.parts + ")"}), 1)
	}
	switch d.weigh(0.01, 0.01, 0.98) {
	case 0:
		return older(p.name, nil)
	case 1:
		if r := []rune(p.name); len(r) == 2 {
			return string(r[0]) + " " + string(r[1])
		}
	}
	return p.name
}

func (d draw) typedID(id string) string {
	switch d.weigh(0.04, 0.06, 0.01, 0.01, 0.88) {
	case 0:
		return id[:6] + id[8:17]
	case 1:
		return strings.ToLower(id)
	case 2:
		return widen(id)
	case 3:
		return id[:6] + " " + id[6:14] + " " + id[14:]
	}
	return id
}

func (d draw) typedPhone(p string) string {
	switch d.weigh(0.03, 0.03, 0.02, 0.01, 0.91) {
	case 0:
		return "+86" + p
	case 1:
		return p[:3] + "-" + p[3:7] + "-" + p[7:]
	case 2:
		return p[:3] + " " + p[3:7] + " " + p[7:]
	case 3:
		return widen(p)
	}
	return p
}

// older writes a name in traditional script; which picks among the forms of a character, nil the first.
func older(name string, which func([]rune) rune) string {
	return strings.Map(func(c rune) rune {
		forms := table().older[c]
		switch {
		case len(forms) == 0:
			return c
		case which == nil:
			return forms[0]
		}
		return which(forms)
	}, name)
}
