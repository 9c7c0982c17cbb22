package match

import (
	"slices"
	"testing"
)

// nameQuestions are the development questions with a name, with nothing beside it but birth, sex and county.
func nameQuestions(registry []Entry, seed uint64, each int) []Question {
	var out []Question
	for i, q := range devQuestions(registry, seed, each) {
		if q.Name == "" {
			continue
		}
		q = Question{Name: q.Name, Birth: q.Birth, Sex: q.Sex}
		switch i % 4 {
		case 0:
			q.Birth, q.Sex = "", ""
		case 1:
			q.Birth = q.Birth[:min(4, len(q.Birth))]
		case 2:
			q.County = "310116"
		case 3:
			if i%8 == 3 {
				q.Birth = "1850" // slipped: no mark tells this year
			}
		}
		out = append(out, q)
	}
	return out
}

// TestBound: nobody comes to more bits than the mark said. Weights that change without the bound are found here.
func TestBound(t *testing.T) {
	registry := devRegistry(61, 4000)
	less := slices.Clone(registry)
	for i := range less {
		switch i % 3 {
		case 0:
			less[i].Birth, less[i].IDs = less[i].Birth[:4], nil
		case 1:
			less[i].Birth, less[i].IDs, less[i].Aliases = "", nil, []string{registry[i/2].Name}
		}
	}
	e := NewEngine()
	e.Load(less)
	bounds, tight := 0, 0
	var x scratch
	for _, question := range nameQuestions(registry, 67, 150) {
		q := readQuestion(question)
		g := e.gather(&q, &Within{})
		var out Answer
		c := e.context(&q, g, &out)
		b := g.bounding(&q, c)
		for _, stage := range stages {
			g.run(stage, &q)
			for _, id := range g.ids {
				m := e.store.mark(id)
				if b.none || !m.simple() {
					continue
				}
				h, worth := b.hope(id, m)
				most := h.most
				got := e.weigh(&q, e.store.read(id, wantAll, &x), c, true)
				bounds++
				if got.bits > most {
					t.Fatalf("%q %s beside %q: at most %.2f by the mark, weighed %.2f: %+v", q.name.Chars, q.birth, x.names[0].Chars, most, got.bits, got.lines)
				}
				if !h.exact {
					continue
				}
				tight++
				if got.bits != most || got.sure() != h.sure || got.chance() == worth {
					t.Fatalf("%q %s beside %q: by the mark %+v %v, weighed %+v", q.name.Chars, q.birth, x.names[0].Chars, h, worth, got)
				}
			}
		}
		g.done()
	}
	if bounds < 10000 || tight < bounds/4 {
		t.Errorf("%d bounds, %d of them exact: the test says nothing", bounds, tight)
	}
}

// TestRankBound: with the bound or without it, the same ten come out.
func TestRankBound(t *testing.T) {
	registry := devRegistry(71, 6000)
	e := NewEngine()
	e.Load(registry)
	for i := 0; i < len(registry); i += 9 {
		e.Delete(registry[i].Ref, 1)
	}
	for _, question := range nameQuestions(registry, 73, 25) {
		q := readQuestion(question)
		g, all := e.gather(&q, &Within{}), &gather{}
		all.e, all.in, all.limit, all.want = e, &Within{}, shown, wantOrgs // what wants more than a mark tells has no bound
		all.found.fit(e.store.n)
		all.known.fit(e.store.n)
		var out Answer
		c := e.context(&q, g, &out)
		var top, want []ranked
		for _, stage := range stages {
			g.run(stage, &q)
			top = g.rank(&q, c, g.sameYears(&q), top)
			all.run(stage, &q)
			want = all.rank(&q, c, all.sameYears(&q), want)
			if !slices.Equal(top, want) {
				t.Fatalf("%q: %v, without bound %v", q.name.Chars, top, want)
			}
		}
		g.done()
	}
}
