package develop

import (
	"fmt"
	"strconv"

	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// stranger is somebody whom no registry of the seeds in use has: people of another seed are other people, and what chance
// makes the same the world finds out.
func stranger(d draw) *person { return makePerson(1<<60+uint64(d.IntN(1<<30)), d.IntN(1<<30)) }

func hanPerson(r *Record) bool { return r.person() && r.who.people == 'h' && recorded(r) }

// otherYear is a birth at least two years apart.
func (d draw) otherYear(p *person, w *world, name string) (string, bool) {
	for range 20 {
		y := 1900 + d.IntN(10)
		if p.id == "" {
			y = 1910 + d.IntN(56)
		}
		birth := fmt.Sprintf("%d%s", y, p.birth[4:])
		if d.chance(0.7) {
			m, dom := calendar(d.IntN(365))
			birth = fmt.Sprintf("%d-%02d-%02d", y, m, dom)
		}
		if own, err := strconv.Atoi(p.year()); err == nil && abs(y-own) >= 2 && w.facts["born "+sounds(name)+birth[:4]] == 0 {
			return birth, true
		}
	}
	return "", false
}

func abs(i int) int { return max(i, -i) }

func sameNameOtherYear(d draw, r *Record, w *world) (asked, bool) {
	p := r.who
	if !hanPerson(r) || r.born() == 0 {
		return asked{}, false
	}
	birth, ok := d.otherYear(p, w, p.name)
	if d.chance(0.3) && ok {
		birth = birth[:4]
	}
	a := asked{q: match.QueryLine{Name: p.name, Birth: birth}}
	if d.chance(0.7) {
		a.q.Sex = sexValue(p.sex)
	}
	if d.chance(0.3) && r.Line.Address != "" {
		a.q.Address = p.townOnly(d)
	}
	return a, ok
}

func sameNameOtherSex(d draw, r *Record, w *world) (asked, bool) {
	p := r.who
	if !hanPerson(r) || r.born() < 2 || r.Line.Sex == nil || w.facts["born "+sounds(p.name)+p.year()] > 1 {
		return asked{}, false
	}
	a := asked{q: match.QueryLine{Name: p.name, Birth: p.birth, Sex: sexValue(3 - p.sex)}}
	if d.chance(0.4) {
		a.q.Birth = p.year()
		if r.Line.Address != "" {
			a.q.Address = p.townOnly(d)
		}
	}
	return a, true
}

func sameNameOtherSexAndYear(d draw, r *Record, w *world) (asked, bool) {
	a, ok := sameNameOtherYear(d, r, w)
	a.q.Sex = sexValue(3 - r.who.sex)
	return a, ok && r.Line.Sex != nil
}

func homophoneOtherYear(d draw, r *Record, w *world) (asked, bool) {
	p := r.who
	if !hanPerson(r) || r.born() == 0 {
		return asked{}, false
	}
	name, _, ok := homophone(d, p)
	if !ok {
		return asked{}, false
	}
	birth, ok := d.otherYear(p, w, name)
	return asked{q: match.QueryLine{Name: name, Birth: birth, Sex: sexValue(p.sex)}}, ok
}

// sameNameOtherID asks for a namesake with a number of his own.
func sameNameOtherID(d draw, r *Record, w *world) (asked, bool) {
	p := r.who
	if !hanPerson(r) || !r.withID() {
		return asked{}, false
	}
	sex, birth, id := identity(3, d.IntN(1<<22))
	if d.chance(0.3) { // born the same day: the hard one
		seq := d.IntN(100)
		body := id[:6] + p.id[6:14] + fmt.Sprintf("9%02d", seq)
		c, _ := identifier.ResidentCheck(body)
		id, birth, sex = body+string(c), p.birth, 2-seq%2
	}
	if w.facts["id "+id] > 0 {
		return asked{}, false
	}
	a := asked{q: match.QueryLine{Name: p.name, IDNo: id}}
	if d.chance(0.4) {
		a.q.Birth, a.q.Sex = birth, sexValue(sex)
	}
	return a, true
}

// siblingID asks for a sister or brother: the surname and a number close by.
func siblingID(d draw, r *Record, w *world) (asked, bool) {
	p := r.who
	if !hanPerson(r) || !r.withID() {
		return asked{}, false
	}
	body := []byte(p.id[:17])
	switch d.IntN(3) {
	case 0: // twins
		body[16] = '0' + (body[16]-'0'+1+byte(d.IntN(9)))%10
	case 1:
		body[9] = '0' + (body[9]-'0'+1+byte(d.IntN(9)))%10
		body[16] = '0' + (body[16]-'0'+1+byte(d.IntN(9)))%10
	default:
		body[15] = '0' + (body[15]-'0'+1+byte(d.IntN(9)))%10
	}
	date := fmt.Sprintf("%s-%s-%s", body[6:10], body[10:12], body[12:14])
	c, ok := identifier.ResidentCheck(string(body))
	id := string(body) + string(c)
	if _, err := identifier.ParseDate(date); err != nil || !ok || w.facts["id "+id] > 0 {
		return asked{}, false
	}
	other := person{sex: 2 - int(body[16]-'0')%2, people: 'h'}
	d.han(&other)
	name := p.surname + other.given
	if g, o := []rune(p.given), []rune(other.given); len(g) == 2 && len(o) == 2 && d.chance(0.5) {
		name = p.surname + string(g[0]) + string(o[1])
	}
	if name == p.name {
		return asked{}, false
	}
	a := asked{q: match.QueryLine{Name: name, IDNo: id}}
	if d.chance(0.3) && r.Line.Address != "" {
		a.q.Address = r.who.place.write(d.usual())
	}
	return a, true
}

func phoneOneOff(d draw, r *Record, w *world) (asked, bool) {
	if r.who.phone == "" {
		return asked{}, false
	}
	n := r.who.phone
	i := 3 + d.IntN(8)
	a := asked{q: match.QueryLine{Phone: n[:i] + otherDigit(d, n[i]) + n[i+1:]}}
	if d.chance(0.4) {
		a.q.Name = stranger(d).name
	}
	return a, w.facts["phone "+a.q.Phone] == 0
}

func plateOneOff(d draw, r *Record, w *world) (asked, bool) {
	n := []rune(r.who.plate)
	if len(n) == 0 {
		return asked{}, false
	}
	var at []int
	for i, c := range n {
		if i >= 2 && c >= '0' && c <= '9' {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return asked{}, false
	}
	i := pick(d, at)
	n[i] = '0' + (n[i]-'0'+1+rune(d.IntN(9)))%10
	a := asked{q: match.QueryLine{Plate: string(n)}}
	if d.chance(0.3) {
		a.q.Name = stranger(d).name
	}
	return a, w.facts["plate "+a.q.Plate] == 0
}

// nextDoor asks for another room or house of the same street.
func nextDoor(d draw, r *Record, w *world) (asked, bool) {
	p := r.who.place
	if r.Line.Address == "" {
		return asked{}, false
	}
	step := 1
	if d.chance(0.5) {
		step = -1
	}
	switch {
	case p.village != "":
		p.house += step
	case p.room > 0:
		p.room += step
	case p.road != "":
		p.number += 2 * step
	}
	if p.house < 0 || p.number < 0 || p.village != "" && p.house == 0 || p.road != "" && p.lane == 0 && p.estate == "" && p.number <= 0 || p.room > 0 && p.room%100 == 0 || w.facts["place "+p.key()] > 0 {
		return asked{}, false
	}
	m := d.usual()
	m.county, m.town = true, true
	a := asked{q: match.QueryLine{Address: p.write(m)}}
	if d.chance(0.3) {
		a.q.Name = stranger(d).name
	}
	return a, true
}

// unknownPerson asks for somebody with all that he has.
func unknownPerson(d draw, _ *Record, w *world) (asked, bool) {
	p := stranger(d)
	if p.people == 'i' || w.facts["id "+p.id] > 0 && p.id != "" || w.facts["born "+sounds(p.name)+p.year()] > 0 || p.phone != "" && w.facts["phone "+p.phone] > 0 || p.plate != "" && w.facts["plate "+p.plate] > 0 || w.facts["place "+p.place.key()] > 0 {
		return asked{}, false
	}
	a := asked{q: match.QueryLine{Name: p.name, Sex: sexValue(p.sex)}}
	switch d.IntN(5) {
	case 0:
		a.q.Birth = p.birth
	case 1:
		a.q.Birth, a.q.IDNo = p.birth, p.id
	case 2:
		a.q.Birth, a.q.Phone, a.q.Plate = p.birth, p.phone, p.plate
	case 3:
		a.q.Birth, a.q.Address = p.year(), p.place.write(d.usual())
	default:
		a.q.Birth, a.q.Address = p.year(), p.place.county.name+p.place.town
	}
	return a, true
}
