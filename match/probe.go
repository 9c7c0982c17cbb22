package match

import (
	"slices"
	"strings"

	"github.com/pilinhub/pilin/match/internal/hanzi"
	"github.com/pilinhub/pilin/match/normal"
)

// Limits of one question.
const (
	crowded       = 2000 // a key with more subjects is used only beside others
	maxCandidates = 4000
	maxLooked     = 200_000 // of a key with more not even those that are there are told from those that are not
	manyOfDay     = 600     // of a birth date
	manyOfSurname = 400     // of a surname beside a year
	manyOfSlip    = 500     // of two characters of three and nothing beside them: ten of more would be a throw of dice
)

// gather collects candidates, the most selective keys first.
type gather struct {
	lookup
	ids       []uint32
	scratch   []uint32
	truncated bool
}

// sought is a key that is looked up: not used if more subjects than most stand under it.
type sought struct {
	key  uint64
	most int
}

func (g *gather) probe(key uint64) { g.few(key, crowded) }

// few uses a key if it does not hold more than limit.
func (g *gather) few(key uint64, limit int) {
	g.keys = append(g.keys, sought{key, limit}) // looked up together: see flush
}

// fallback uses a crowded key for lack of a better one: its first subjects.
func (g *gather) fallback(key uint64) {
	g.scratch = slices.DeleteFunc(g.e.find(key, g.scratch[:0]), g.absent)
	g.ids = append(g.ids, g.scratch[:min(len(g.scratch), crowded)]...)
}

// count is how many subjects stand under a key and are so. Of a few each is looked at, as gone ones and a stranger may be
// among them; of many a stranger more or less says nothing.
func (g *gather) count(key uint64, so func(*subject) bool) int {
	g.scratch = g.e.find(key, g.scratch[:0])
	n := 0
	for _, id := range g.scratch {
		if len(g.scratch) > crowded/20 {
			if !g.absent(id) {
				n++
			}
		} else if s := g.subject(id); s != nil && so(s) {
			n++
		}
	}
	return n
}

// stages find candidates from the surest evidence to the faintest; a later one is asked only while nobody has been found
// who must be meant.
var stages = []func(*gather, *posed){(*gather).identified, (*gather).named, (*gather).sounding, (*gather).slipped, (*gather).beside}

// run leaves the candidates of one stage in ids, each once.
func (g *gather) run(stage func(*gather, *posed), q *posed) {
	g.ids = g.ids[:0]
	stage(g, q)
	g.flush()
	g.ids = g.found.distinct(g.ids)
}

// identified looks by numbers, plates, places and institutions.
func (g *gather) identified(q *posed) {
	g.numbers(q)
	for _, d := range slices.Concat(q.papers, q.doubtful) {
		g.probe(keyOf(byDocument, d))
	}
	if q.plate.Bare != "" {
		g.probe(keyOf(byPlate, q.plate.Full))
		g.probe(keyOf(byPlateSkeleton, q.plate.Skeleton()))
		g.probe(keyOf(byPlateBare, q.plate.Bare))
	}
	g.place(q)
	if q.org.Core != "" {
		var k keySet
		orgKeys(&k, q.org)
		for _, key := range k {
			g.probe(key)
		}
	}
}

func (g *gather) numbers(q *posed) {
	id := q.id
	if id.Whole {
		g.probe(keyOf(byNumber, id.Number))
		if !id.Valid {
			g.nearly(id.Number[:6], id.Number[6:14], id.Number[14:])
			for _, i := range []int{6, 14} { // exchanged across a border, two of the three are spoilt
				n := []byte(id.Number)
				n[i-1], n[i] = n[i], n[i-1]
				g.probe(keyOf(byNumber, string(n)))
			}
		}
	}
	if n := id.Number; n != "" && !id.Whole {
		for _, t := range []struct {
			kind keyKind
			part string
		}{{byHead14, n[:14]}, {byHead6Tail4, n[:6] + n[14:]}, {byBirthTail4, n[6:]}, {byHead6Seq, n[:6] + n[14:17]}, {byTail6, n[12:]}, {byHead6Tail2, n[:6] + n[16:]}, {byHeadTail, n[:4] + n[14:]}, {byTail4, n[14:]}} {
			if !strings.Contains(t.part, "*") {
				g.probe(keyOf(t.kind, t.part))
			}
		}
	}
	if p := id.Part; p != "" {
		if len(p) == 17 { // one is missing: from the area, the birth date or the last four
			g.nearly("", p[5:13], p[13:])
			g.nearly(p[:6], "", p[13:])
			g.nearly(p[:6], p[6:14], "")
		}
		if len(p) == 19 {
			g.nearly("", p[7:15], p[15:])
			g.nearly(p[:6], "", p[15:])
			g.nearly(p[:6], p[6:14], "")
		}
		if len(p) >= 6 {
			g.probe(keyOf(byTail6, p[len(p)-6:]))
		}
		if len(p) >= 14 {
			g.probe(keyOf(byHead14, p[:14]))
		}
		if len(p) == 4 || len(p) == 5 {
			g.probe(keyOf(byTail4, p[len(p)-4:]))
		}
	}
	p := q.phone.Number
	if p == "" {
		return
	}
	g.probe(keyOf(byPhone, p))
	if q.phone.Masked {
		i, j := strings.IndexByte(p, '*'), strings.LastIndexByte(p, '*')
		tail := p[j+1:]
		switch {
		case len(tail) >= 7:
			g.probe(keyOf(byPhone7, tail[len(tail)-7:]))
		case len(tail) >= 4:
			g.probe(keyOf(byPhone4, tail[len(tail)-4:]))
		}
		if i >= 7 {
			g.probe(keyOf(byPhoneHead7, p[:7]))
		}
		return
	}
	if q.phone.Mobile {
		g.probe(keyOf(byPhoneHead7, p[:7]))
		g.probe(keyOf(byPhone3And4, p[:3]+p[7:]))
		g.probe(keyOf(byPhone8, p[3:]))
	}
	if q.phone.Part {
		switch {
		case len(p) == 10 && p[0] == '1':
			g.probe(keyOf(byPhoneHead7, p[:7])) // one is missing
			g.probe(keyOf(byPhone3And4, p[:3]+p[6:]))
			g.probe(keyOf(byPhone8, p[2:]))
		case len(p) >= 8:
			g.probe(keyOf(byPhone8, p[len(p)-8:]))
		case len(p) == 7:
			g.probe(keyOf(byPhone7, p))
			g.probe(keyOf(byPhoneHead7, p))
		case len(p) >= 4:
			g.probe(keyOf(byPhone4, p[len(p)-4:]))
		}
	} else if !q.phone.Mobile {
		g.probe(keyOf(byPhone7, p[len(p)-7:]))
	}
}

// nearly looks by what is known of area, birth date and last four of a number; one of them may be empty.
func (g *gather) nearly(area, birth, last string) {
	if area != "" && birth != "" {
		g.probe(keyOf(byHead14, area+birth))
	}
	if area != "" && last != "" {
		g.probe(keyOf(byHead6Tail4, area+last))
	}
	if birth != "" && last != "" {
		g.probe(keyOf(byBirthTail4, birth+last))
	}
}

func (g *gather) place(q *posed) {
	a := &q.place
	if a.IsZero() {
		return
	}
	var k keySet
	placeKeys(&k, a)
	for _, key := range k {
		g.probe(key)
	}
	for _, area := range a.Areas { // the building or house alone, where the record stops there
		n := a.Numbers()
		g.probe(keyOf(byPlaceLast, area, n))
		if i := strings.IndexByte(n, '-'); i > 0 {
			g.probe(keyOf(byPlaceBare, area, n[:i]))
			g.probe(keyOf(byPlaceBare, area, n[i+1:]))
		}
		if j := strings.LastIndexByte(n, '-'); j > 0 {
			g.probe(keyOf(byPlaceBare, area, n[:j]))
		}
	}
}

// named looks by the name as it is; a crowded name together with the birth year.
func (g *gather) named(q *posed) {
	n := &q.name
	switch n.Form {
	case normal.Han:
		key := charKey(n.Chars)
		g.probe(key)
		g.flush()
		if len(g.ids) == 0 && g.truncated {
			g.fallback(key)
		}
		g.probe(bagKey(n.Chars))
		if y := year(q.birth); y != "" {
			for _, s := range q.sequences {
				g.probe(start(bySoundYear).add(soundKey(s)).str(y).sum())
			}
		}
	case normal.Nick:
		g.probe(keyOf(byWords, n.Whole))
		g.probe(charKey([]rune(n.Whole))) // 阿西 may be the whole first name
	case normal.Mono:
		g.probe(charKey(n.Chars))
	case normal.Latin:
		g.latin(q)
	}
}

// sounding looks by readings and look-alikes. The latter are tried here, not filed: the index does not grow by them.
func (g *gather) sounding(q *posed) {
	n := &q.name
	switch n.Form {
	case normal.Han:
		for _, s := range q.sequences {
			g.probe(soundKey(s))
		}
		other := slices.Clone(n.Chars)
		for i, c := range n.Chars {
			if c == normal.Wild {
				continue
			}
			for _, l := range hanzi.Lookalikes(c) {
				if i > 0 && !g.e.counts.bears(l) {
					continue // a surname stands in its class
				}
				other[i] = l
				g.probe(charKey(other))
			}
			other[i] = c
		}
		for _, s := range q.sequences {
			g.probe(classKey(byFuzzy, classes(s, hanzi.Syllable.Fuzzy)))
		}
	case normal.Mono:
		var k keySet
		nameKeys(&k, n, "", "")
		for _, key := range k {
			g.probe(key)
		}
	}
}

// slipped looks for names with a character more, less or another, by characters and by sounds.
func (g *gather) slipped(q *posed) {
	n := &q.name
	if n.Form != normal.Han || len(n.Chars) < 2 {
		return
	}
	g.probe(charKeyOf(byNameLess, n.Chars))
	for _, s := range q.sequences[:min(2, len(q.sequences))] {
		g.probe(classKey(byFuzzyLess, classes(s, hanzi.Syllable.Fuzzy)))
	}
	if len(n.Chars) < 3 {
		return
	}
	for i := range n.Chars {
		less := without(n.Chars, i)
		g.probe(charKey(less))
		switch {
		case q.birth != "": // by sound and year, below
		case !q.nameAlone:
			g.probe(charKeyOf(byNameLess, less))
		case i > 0: // with another surname it is another name, unless something else speaks for it
			g.few(charKeyOf(byNameLess, less), manyOfSlip)
		}
	}
	for _, s := range q.sequences[:min(2, len(q.sequences))] {
		f := classes(s, hanzi.Syllable.Fuzzy)
		for i := range f {
			less := without(f, i)
			g.probe(classKey(byFuzzy, less))
			switch {
			case q.nameAlone: // two syllables of three, otherwise written: by the name alone they are nobody in particular
			case q.birth == "":
				g.probe(classKey(byFuzzyLess, less))
			default:
				g.probe(lessYearKey(less, year(q.birth)))
				g.probe(lessYearKey(less, "")) // of whom no year is known
			}
		}
	}
	if len(n.Chars) >= 4 { // a transcription without its dot
		var k keySet
		mono := *n
		mono.Parts = []int{0}
		monoKeys(&k, &mono)
		for _, key := range k {
			g.probe(key)
		}
	}
}

// beside looks by the birth date alone, and by single characters beside birth year or county: nicknames, lost characters,
// and names of two characters with one of them wrong.
func (g *gather) beside(q *posed) {
	n, y, county := &q.name, year(q.birth), q.county
	if len(q.birth) == 10 && n.Form != normal.NoName {
		g.few(keyOf(byDay, q.birth), manyOfDay)
	}
	short := n.Form == normal.Han && len(n.Chars) == 2 && n.Wilds() == 0
	if n.Form != normal.Nick && n.Wilds() == 0 && !short {
		return
	}
	var k keySet
	charPlaceKeys(&k, n, &q.place)
	for _, key := range k {
		g.probe(key)
	}
	for i, c := range n.Chars {
		if c == normal.Wild {
			continue
		}
		surname := i == 0 && short
		if i == 0 {
			c = normal.SurnameClass(c)
		}
		switch {
		case y == "":
		case surname && len(q.birth) < 10:
			g.few(start(byCharYear).add(uint64(c)).str(y).sum(), manyOfSurname)
		case !surname:
			g.probe(start(byCharYear).add(uint64(c)).str(y).sum())
		}
		if county != "" && !surname {
			g.probe(start(byCharCounty).add(uint64(c)).str(county).sum())
		}
	}
}

func (g *gather) latin(q *posed) {
	g.probe(wordsKey(q.name.Words))
	g.transcribed(q.consonants)
	for _, s := range q.spelled {
		if len(s.jyutping) > 0 {
			g.probe(keyOf(byCantonese, s.jyutping...))
			continue
		}
		g.probe(soundKey(s.syllables))
	}
	for _, s := range q.spelled {
		if len(s.jyutping) == 0 && !s.wade {
			g.probe(classKey(byFuzzy, classes(s.syllables, hanzi.Syllable.Fuzzy)))
			if len(s.syllables) >= 4 {
				g.probe(classKey(byCoarse, classes(s.syllables, hanzi.Syllable.Coarse)))
			}
		}
	}
	if y := year(q.birth); y != "" {
		for _, w := range q.name.Words {
			g.probe(keyOf(byCharYear, w, y))
		}
		for _, x := range q.initials.surname {
			for _, c := range normal.SurnamesRead(x) {
				g.probe(start(byCharYear).add(uint64(normal.SurnameClass(c))).str(y).sum())
			}
		}
	}
}
