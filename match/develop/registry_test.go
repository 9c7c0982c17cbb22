package develop

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// TestRegistry: nobody in it can be a real person (domain.md §7.1), nobody shares a number, and it is as registries are.
func TestRegistry(t *testing.T) {
	const n = 15000
	asOf, _ := identifier.NewDate(2026, 1, 1)
	ids, names, phones := map[string]int{}, map[string]int{}, map[string]int{}
	counts := map[string]int{}
	for r := range Records(1, n) {
		p := r.who
		counts[r.Line.Type]++
		if p.phone != "" {
			phones[p.phone]++
			if len(p.phone) != 11 || p.phone[:3] != "154" {
				t.Fatalf("phone %s", p.phone)
			}
		}
		if r.Line.Type != "person" {
			continue
		}
		names[p.name]++
		if r.Line.Name == "" || p.name == "" {
			t.Fatalf("a person without a name: %+v", r.Line)
		}
		if p.id == "" {
			if y := p.year(); y < "1910" || y > "1965" {
				t.Fatalf("born %s without a number", p.birth)
			}
			continue
		}
		ids[p.id]++
		got := identifier.ParseResidentID(p.id, asOf)
		if got.Quality != identifier.Valid || p.year() < "1900" || p.year() > "1909" || p.id[14] != '9' || p.id[6:14] != strings.ReplaceAll(p.birth, "-", "") {
			t.Fatalf("number %s of one born %s: %+v", p.id, p.birth, got)
		}
		if sex := 2 - int(p.id[16]-'0')%2; sex != p.sex {
			t.Fatalf("number %s of sex %d", p.id, p.sex)
		}
		for _, dirty := range []bool{len(r.Line.IDNo) == 15, strings.HasSuffix(r.Line.IDNo, "x")} {
			if dirty {
				counts["dirty number"]++
			}
		}
	}
	for id, c := range ids {
		if c > 1 {
			t.Fatalf("%d with number %s", c, id)
		}
	}
	shared, namesakes := 0, 0
	for _, c := range phones {
		if c > 1 {
			shared++
		}
	}
	for _, c := range names {
		if c > 1 {
			namesakes += c
		}
	}
	if shared < n/200 || namesakes < n/10 || counts["institution"] < n/50 || counts["premises"] < n/100 || counts["dirty number"] < n/100 {
		t.Errorf("%d shared phones, %d with a namesake, %v", shared, namesakes, counts)
	}
	first := Sample(1, 50)
	if again := Sample(1, 50); !reflect.DeepEqual(first, again) {
		t.Error("one seed makes two registries")
	}
	if other := Sample(2, 50); other[0].Line.Name == first[0].Line.Name && other[1].Line.Name == first[1].Line.Name {
		t.Error("two seeds make one registry")
	}
}

// TestShuffled: a permutation, or two would share a number.
func TestShuffled(t *testing.T) {
	for _, n := range []uint64{1, 2, 1000, 4097} {
		seen := make([]bool, n)
		for i := range n {
			x := shuffled(3, i, n)
			if seen[x] {
				t.Fatalf("%d of %d is taken twice", x, n)
			}
			seen[x] = true
		}
	}
}

// TestQueries: of every kind as many as the anchors were asked, each about somebody of the registry, and different from
// what the registry has where a slip is meant.
func TestQueries(t *testing.T) {
	sample := Sample(1, 12000)
	byID := map[string]*Record{}
	for i := range sample {
		byID[sample[i].Line.ID] = &sample[i]
	}
	counts := map[string]int{}
	forms := map[string]bool{}
	for _, q := range Queries(1, sample, 1) {
		counts[q.Kind]++
		forms[q.Kind+" "+q.Form] = true
		r := byID[q.Want]
		if (r == nil) != q.Negative || q.Negative && q.Strong {
			t.Fatalf("%+v: no such entry, or one of a negative", q)
		}
		if q.Name == "" && q.IDNo == "" && q.Phone == "" && q.Plate == "" && q.Address == "" && q.Org == "" {
			t.Fatalf("%+v asks nothing", q)
		}
		switch q.Kind {
		case "homophone", "fuzzy_pinyin", "similar_glyph", "missing_char", "swapped", "traditional", "surname_variant", "rare_char", "romanised", "nickname":
			if q.Name == r.who.name {
				t.Errorf("%+v has no slip", q)
			}
		}
	}
	for _, k := range kinds() {
		if counts[k.name] != k.n {
			t.Errorf("%s: %d questions, want %d", k.name, counts[k.name], k.n)
		}
	}
	for _, f := range []string{"romanised hong kong", "romanised wade-giles", "romanised pinyin", "rare_char parts", "minority letters", "nickname masked", "missing_char extra", "id_wrong_digit swapped", "address village misheard"} {
		if !forms[f] {
			t.Errorf("no question of the form %s", f)
		}
	}
}

// TestRomanised: examples whose spelling is known.
func TestRomanised(t *testing.T) {
	for pinyin, want := range map[string]string{"zhang": "chang", "xiao": "hsiao", "jian": "chien", "guo": "kuo", "qing": "ch'ing", "rong": "jung", "xu": "hsü", "yue": "yüeh", "zi": "tzu", "shi": "shih", "de": "te", "tian": "t'ien", "xiong": "hsiung", "quan": "ch'üan", "wen": "wen", "ai": "ai", "zeng": "tseng", "cai": "ts'ai", "ye": "yeh", "you": "yu", "gui": "kuei"} {
		if got := wadeGiles(pinyin, false); got != want {
			t.Errorf("%s is %s in Wade's spelling, want %s", pinyin, got, want)
		}
	}
	d := drawFor(1, 1)
	p := &person{surname: "陈", given: "大文"}
	for range 20 {
		if s, ok := d.hongKong(p); !ok || !strings.Contains(strings.ToUpper(s), "CHAN") || !strings.Contains(strings.ToUpper(s), "TAI") {
			t.Errorf("%s", s)
		}
	}
}
