package develop

import (
	"fmt"
	"strings"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// person is the truth behind an entry, before anyone typed it.
type person struct {
	people         byte // 'h' Han, 'u' Uyghur, 't' Tibetan, 'o' Mongolian, 'y' Yi
	surname, given string
	parts          []element // of a name without a surname
	name           string
	rare           *rareChar // stands in the given name
	sex            int       // 1 male, 2 female
	birth          string    // YYYY-MM-DD
	id             string    // "" when nobody took it down
	phone          string
	phoneShared    bool // a shop's
	plate          string
	place          place
	placeShared    bool
	former, nick   string // as they are recorded
	org            org
}

func (p *person) year() string { return p.birth[:4] }

// identity gives the i-th person of a registry sex, birth and number. No two of one seed share a number: pairs of people
// take the slots of a shuffled table of area, two years, day and sequence. It has room for about 60 million people.
func identity(seed uint64, i int) (sex int, birth, id string) {
	t := table()
	slots := uint64(len(t.areas)) * 5 * 365 * 100
	x := shuffled(seed, uint64(i/2)%slots, slots)
	area := x % uint64(len(t.areas))
	x /= uint64(len(t.areas))
	year := 1900 + 2*int(x%5)
	x /= 5
	day := int(x % 365)
	seq := int(x / 365)
	if i%2 == 1 {
		seq ^= (int(area) + day + seq>>1) & 1
		year++
		day = (day + 137) % 365
	}
	month, dom := calendar(day)
	body := fmt.Sprintf("%s%d%02d%02d9%02d", t.areas[area], year, month, dom, seq)
	c, _ := identifier.ResidentCheck(body)
	return 2 - seq%2, fmt.Sprintf("%d-%02d-%02d", year, month, dom), body + string(c)
}

// shuffled is the place of x in a permutation of the numbers below n: four rounds of Feistel over 32 bits at most, walked on
// until the result is below n.
func shuffled(seed, x, n uint64) uint64 {
	half := uint64(1)
	for half*half < n {
		half <<= 1
	}
	for {
		l, r := x/half, x%half
		for round := range uint64(4) {
			h := (r + seed*31 + round) * 0x9e3779b97f4a7c15
			h ^= h >> 29
			h *= 0xbf58476d1ce4e5b9
			l, r = r, l^(h>>40)%half
		}
		if x = l*half + r; x < n {
			return x
		}
	}
}

// calendar is the day of a year that is no leap year.
func calendar(day int) (month, dom int) {
	for m, n := range [12]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31} {
		if day < n {
			return m + 1, day + 1
		}
		day -= n
	}
	return 12, 31
}

// makePerson makes the i-th person of a registry. An odd one is at times a sister or a brother of the one before.
func makePerson(seed uint64, i int) *person {
	d := drawFor(seed, uint64(i))
	p := &person{people: 'h'}
	p.sex, p.birth, p.id = identity(seed, i)
	if d.chance(0.4) {
		p.id = ""
		m, dom := calendar(d.IntN(365))
		p.birth = fmt.Sprintf("%d-%02d-%02d", 1910+int(56*(1-d.Float64()*d.Float64())), m, dom)
	}
	d.nameOf(p)
	p.place = d.place()
	if d.chance(0.06) { // a house in which several of the registry live
		p.place, p.placeShared = drawFor(seed, 1<<40+uint64(i/97)).place(), true
	}
	if d.chance(0.75) {
		p.phone = "154" + d.digits(8)
		if d.chance(0.03) {
			p.phone, p.phoneShared = "154"+drawFor(seed, 1<<41+uint64(i/180)).digits(8), true
		}
	}
	if d.chance(0.18) {
		p.plate = d.plate(p.place.county)
	}
	if i%2 == 1 && drawFor(seed, 1<<42+uint64(i/2)).chance(0.08) {
		if elder := makePerson(seed, i-1); elder.people == 'h' && p.people == 'h' && p.rare == nil {
			p.surname = elder.surname
			if g, own := []rune(elder.given), []rune(p.given); len(g) == 2 && len(own) == 2 && d.chance(0.5) && elder.rare == nil {
				p.given = string(g[0]) + string(own[1])
			}
			p.name = p.surname + p.given
			p.place = elder.place
			p.placeShared = true
		}
	}
	if d.chance(0.06) && p.people == 'h' {
		other := person{sex: p.sex, people: 'h'}
		d.han(&other)
		p.former = p.surname + other.given
	}
	if d.chance(0.06) && p.people == 'h' {
		p.nick = d.nickname(p)
	}
	if d.chance(0.12) {
		p.org = d.org(p.place)
	}
	return p
}

func (d draw) nameOf(p *person) {
	switch x := d.Float64(); {
	case x < 0.018:
		p.people = 'u'
		p.parts = []element{pick(d, d.elements("u", p.sex)), pick(d, table().elements["u m"])}
	case x < 0.021:
		p.people = 't'
		both := table().elements["t b"]
		p.parts = []element{pick(d, both), pick(d, d.elements("t", p.sex))}
	case x < 0.026:
		p.people = 'o'
		p.parts = []element{pick(d, d.elements("o", p.sex))}
		if d.chance(0.6) {
			p.parts = append(p.parts, pick(d, d.elements("o", p.sex)))
		}
	case x < 0.03:
		p.people = 'y'
		p.parts = []element{pick(d, table().elements["y b"]), pick(d, d.elements("g", p.sex))}
	default:
		d.han(p)
		return
	}
	p.name = d.transcribed(p, func(e element) string { return early(d, e.written) })
}

func (d draw) elements(people string, sex int) []element {
	return table().elements[people+" "+[]string{"m", "w"}[sex-1]]
}

// transcribed writes the parts of a name, with the dot that the people's names have.
func (d draw) transcribed(p *person, write func(element) string) string {
	var w []string
	for _, e := range p.parts {
		w = append(w, write(e))
	}
	if p.people == 'u' || p.people == 'y' {
		return strings.Join(w, "·")
	}
	return strings.Join(w, "")
}

func (d draw) han(p *person) {
	t := table()
	p.surname = t.surnames.draw(d.Float64())
	m := t.manners[fmt.Sprintf("%c%d", "mw"[p.sex-1], 1+d.weigh(0.25, 0.5, 0.25))]
	switch x := d.Float64(); {
	case x < 0.2:
		p.given = early(d, m.single)
	case x < 0.42:
		p.given = early(d, m.whole)
	default:
		p.given = early(d, m.first) + early(d, m.second)
	}
	if d.chance(0.015) {
		r := &t.rare[d.IntN(len(t.rare))]
		p.rare = r
		if g := []rune(p.given); len(g) == 2 && d.chance(0.6) {
			g[d.IntN(2)] = []rune(r.char)[0]
			p.given = string(g)
		} else {
			p.given = r.char
		}
	}
	p.name = p.surname + p.given
}

// nickname is what the neighbours call p.
func (d draw) nickname(p *person) string {
	last := string([]rune(p.given)[len([]rune(p.given))-1])
	s := p.surname
	elder, plain, title := "哥 叔 伯", "胖子 师傅 麻子 老板", "半仙 老师 医生 伯伯"
	if p.sex == 2 {
		elder, plain, title = "姐 姨 婶", "胖子 阿姨 大姐 老板娘", "仙姑 老师 医生 阿婆"
	}
	switch d.IntN(10) {
	case 0, 1:
		return "老" + s
	case 2:
		return "小" + s
	case 3:
		return "阿" + last
	case 4, 5:
		return s + d.among("医生 大夫 医师 郎中 神医 牙医")
	case 6:
		return last + d.among(elder)
	case 7:
		return s + d.among(plain)
	case 8:
		return "小" + last
	}
	return s + d.among(title)
}

// plate is one of the county's letter, without what looks like a number plate now in use by rule: the serial is drawn.
func (d draw) plate(c *county) string {
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
	province := map[string]string{"C": "沪", "E": "苏", "F": "浙"}[c.plate]
	letter := c.plate
	if d.chance(0.3) {
		province, letter = pick(d, []string{"皖", "赣", "豫", "苏", "浙", "沪"}), string(letters[d.IntN(12)])
	}
	serial := []byte(d.digits(5))
	for range d.IntN(3) {
		serial[d.IntN(5)] = letters[d.IntN(len(letters))]
	}
	if d.chance(0.12) {
		return province + letter + d.among("D F") + d.digits(5)
	}
	return province + letter + string(serial)
}
