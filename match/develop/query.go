package develop

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/match"
)

// Query is a question with what is known about its answer.
type Query struct {
	match.QueryLine
	Kind string
	// Form is the kind of slip within the kind, as "hong kong" within romanised.
	Form     string
	Want     string // the id of the entry that is meant; "" for negatives
	Negative bool   // nobody may be a hit
	Strong   bool   // what is asked suffices for a hit by the gates of matching.md §4
}

// asked is a question in the making.
type asked struct {
	q      match.QueryLine
	form   string
	strong bool
}

// kind is a row of the tables of matching.md §5.
type kind struct {
	name     string
	n        int // questions at a share of 1
	negative bool
	make     func(d draw, r *Record, w *world) (asked, bool)
}

func kinds() []kind {
	return []kind{
		{"address", 240, false, addressQuery},
		{"alias", 120, false, aliasQuery},
		{"combined", 200, false, combinedQuery},
		{"exact", 160, false, exactQuery},
		{"fuzzy_pinyin", 150, false, nameQuery(fuzzySound, false)},
		{"homophone", 200, false, nameQuery(homophone, true)},
		{"id15", 80, false, id15Query},
		{"id_partial", 80, false, idPartialQuery},
		{"id_wrong_digit", 130, false, idWrongQuery},
		{"institution", 90, false, institutionQuery},
		{"masked_id", 150, false, maskedQuery},
		{"minority", 120, false, minorityQuery},
		{"missing_char", 130, false, nameQuery(missingChar, false)},
		{"nickname", 70, false, nicknameQuery},
		{"phone_format", 120, false, phoneFormatQuery},
		{"phone_partial", 40, false, phonePartialQuery},
		{"plate_confusion", 110, false, plateQuery},
		{"rare_char", 70, false, nameQuery(rareSlip, false)},
		{"romanised", 190, false, nameQuery(romanised, false)},
		{"similar_glyph", 220, false, nameQuery(lookalike, false)},
		{"surname_variant", 130, false, nameQuery(surnameVariant, true)},
		{"swapped", 80, false, nameQuery(swapped, false)},
		{"traditional", 120, false, nameQuery(traditional, true)},
		{"homophone_other_year", 60, true, homophoneOtherYear},
		{"next_door", 70, true, nextDoor},
		{"phone_one_off", 80, true, phoneOneOff},
		{"plate_one_off", 80, true, plateOneOff},
		{"same_name_other_id", 100, true, sameNameOtherID},
		{"same_name_other_sex", 30, true, sameNameOtherSex},
		{"same_name_other_sex_and_year", 50, true, sameNameOtherSexAndYear},
		{"same_name_other_year", 130, true, sameNameOtherYear},
		{"sibling_id", 60, true, siblingID},
		{"unknown_person", 140, true, unknownPerson},
	}
}

// Queries makes questions about the registry, share times the counts of matching.md §5 of each kind. Negatives are asked
// of nobody in the registry, so it should be the whole of it.
func Queries(seed uint64, registry []Record, share float64) []Query {
	w := newWorld(registry)
	var out []Query
	for ki, k := range kinds() {
		d := drawFor(seed, 1<<50+uint64(ki))
		want := max(1, int(share*float64(k.n)+0.5))
		for tries := 0; want > 0 && tries < 2000*k.n; tries++ {
			r := &registry[d.IntN(len(registry))]
			a, ok := k.make(d, r, w)
			if !ok {
				continue
			}
			q := Query{QueryLine: a.q, Kind: k.name, Form: a.form, Negative: k.negative, Strong: a.strong && !k.negative}
			if !k.negative {
				q.Want = r.Line.ID
			}
			q.QID = fmt.Sprintf("Q%d", len(out)+1)
			out = append(out, q)
			want--
		}
	}
	return out
}

// world knows what is true of somebody in the registry.
type world struct{ facts map[string]int }

func newWorld(registry []Record) *world {
	w := &world{map[string]int{}}
	for i := range registry {
		p := registry[i].who
		for _, f := range []string{"id " + p.id, "phone " + p.phone, "plate " + p.plate, "place " + p.place.key(), "born " + sounds(p.name) + p.year(), "name " + p.name} {
			w.facts[f]++
		}
		for _, ph := range registry[i].Line.Phones {
			w.facts["phone "+ph]++
		}
	}
	return w
}

// sounds is a name by its syllables.
func sounds(name string) string {
	var b strings.Builder
	for _, c := range name {
		if s := table().sound(c); s != "" {
			b.WriteString(s + " ")
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}

// born says how much of the birth of r the registry knows: 2 the day, 1 the year, 0 nothing.
func (r *Record) born() int {
	switch {
	case r.Line.IDNo != "" || len(r.Line.Birth) == 10:
		return 2
	case r.Line.Birth != "":
		return 1
	}
	return 0
}

func (r *Record) person() bool { return r.Line.Type == "person" }

func sexValue(sex int) jsontext.Value { return jsontext.Value(fmt.Sprintf(`"%d"`, sex)) }

// withContext adds what an officer has beside the name: nearly always the sex, mostly a year or a town. A hard name, of two
// characters or with a part missing, is never asked alone, and mostly with two things. full tells that the whole birth
// date is in the question and in the registry.
func (d draw) withContext(q *match.QueryLine, r *Record, hard bool) (full, ok bool) {
	p := r.who
	alone, year, day, town, both := 0.12, 0.3, 0.25, 0.15, 0.18
	switch {
	case hard:
		alone, year, day, town, both = 0, 0, 0.35, 0.2, 0.45
	case len([]rune(p.name)) < 3 || len([]rune(q.Name)) < 3:
		alone = 0
	}
	if r.born() < 2 {
		day = 0
	}
	if r.born() < 1 {
		year, both = 0, 0
	}
	if !r.townWritten() {
		town, both = 0, 0
	}
	if year+town+day == 0 || hard && day+town+both == 0 {
		return false, false
	}
	if d.chance(0.85) && r.Line.Sex != nil {
		q.Sex = sexValue(p.sex)
	}
	switch d.weigh(alone, year, day, town, both) {
	case 1:
		q.Birth = p.year()
	case 2:
		q.Birth, full = p.birth, true
	case 3:
		if q.Address = p.townOnly(d); hard && p.place.village != "" {
			q.Address = p.place.county.name + p.place.town + p.place.village + "村"
		}
	case 4:
		q.Birth, q.Address = p.year(), p.place.county.name
		if hard || d.chance(0.5) {
			q.Address = p.townOnly(d)
		}
	}
	return full, true
}

// townWritten tells that the entry names the county and the town of its address: an officer's town can only be compared
// with one.
func (r *Record) townWritten() bool {
	c := []rune(r.who.place.county.name)
	return strings.Contains(r.Line.Address, r.who.place.town) && strings.Contains(r.Line.Address, string(c[:len(c)-1]))
}

// townOnly is the county and the town of p, sometimes the village.
func (p *person) townOnly(d draw) string {
	s := p.place.town
	if !strings.HasSuffix(s, "街道") && d.chance(0.5) {
		s += "镇"
	}
	if d.chance(0.7) {
		s = p.place.county.name + s
	}
	if p.place.village != "" && d.chance(0.4) {
		s += p.place.village + "村"
	}
	return s
}

// slip changes the name of a person; ok is false where there is nothing to change.
type slip func(d draw, p *person) (name, form string, ok bool)

// nameQuery asks for a name with a slip and context. Where same, the slip leaves what a gate takes for the name.
func nameQuery(s slip, same bool) func(draw, *Record, *world) (asked, bool) {
	return func(d draw, r *Record, _ *world) (asked, bool) {
		if !r.person() || r.who.people != 'h' {
			return asked{}, false
		}
		name, form, ok := s(d, r.who)
		if !ok || name == r.who.name {
			return asked{}, false
		}
		a := asked{q: match.QueryLine{Name: name}, form: form}
		full, ok := d.withContext(&a.q, r, form == "surname" || form == "extra" || form == "left out" || form == "given lost")
		a.strong = full && same && form != "mistaken" && recorded(r)
		return a, ok
	}
}

// recorded tells that the registry has the name as it is.
func recorded(r *Record) bool { return r.Line.Name == r.who.name }
