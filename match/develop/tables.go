package develop

import (
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/pilinhub/pilin/schemas/identifier"
)

//go:embed tables/*.txt
var files embed.FS

// tables are the files of the folder tables, read.
type tables struct {
	sounds   map[rune][]string // syllables of a character
	bySound  map[string][]rune
	looks    map[rune][]rune // what a character is taken for
	older    map[rune][]rune // traditional and variant forms
	surnames weighted
	renamed  map[string][]string // a surname written in another way
	mistaken map[string][]string // another surname taken for it
	manners  map[string]*manner  // "m1" to "w3"
	rare     []rareChar
	hongKong map[string][]string
	elements map[string][]element // "u m": Uyghur, men
	counties []county
	areas    []string
	words    map[string][]string // syllables of places and of institutions by their heading
}

type manner struct{ first, second, single, whole []string }

type rareChar struct {
	char, sound, parts, instead string
}

type element struct{ written, letters []string }

type county struct {
	code, above, name, plate string
	towns                    []string
}

// weighted draws by weight.
type weighted struct {
	values []string
	sums   []float64
}

func (w *weighted) draw(x float64) string {
	i, _ := slices.BinarySearch(w.sums, x*w.sums[len(w.sums)-1])
	return w.values[min(i, len(w.values)-1)]
}

// table is read once; a fault in a file is a fault of the program.
var table = sync.OnceValue(readTables)

// lines are those of a file that say something.
func lines(name string) []string {
	b, err := files.ReadFile("tables/" + name + ".txt")
	if err != nil {
		panic(err)
	}
	var out []string
	for l := range strings.Lines(string(b)) {
		if l = strings.TrimSpace(l); l != "" && l[0] != '#' {
			out = append(out, l)
		}
	}
	return out
}

func readTables() *tables {
	t := &tables{sounds: map[rune][]string{}, bySound: map[string][]rune{}, looks: map[rune][]rune{}, older: map[rune][]rune{}, renamed: map[string][]string{}, mistaken: map[string][]string{},
		manners: map[string]*manner{}, hongKong: map[string][]string{}, elements: map[string][]element{}, words: map[string][]string{}}
	t.readCharacters()
	t.readNames()
	t.readPlaces()
	return t
}

func (t *tables) readCharacters() {
	for _, l := range lines("syllables") {
		s, chars, _ := strings.Cut(l, ":")
		for _, c := range strings.ReplaceAll(chars, " ", "") {
			if !slices.Contains(t.bySound[s], c) {
				t.bySound[s] = append(t.bySound[s], c)
				t.sounds[c] = append(t.sounds[c], s)
			}
		}
	}
	for _, l := range lines("lookalikes") {
		g := []rune(l)
		for _, a := range g {
			for _, b := range g {
				if a != b && !slices.Contains(t.looks[a], b) {
					t.looks[a] = append(t.looks[a], b)
				}
			}
		}
	}
	for _, l := range lines("traditional") {
		for _, w := range strings.Fields(l) {
			g := []rune(w)
			for _, c := range g[1:] {
				if c != g[0] && !slices.Contains(t.older[g[0]], c) {
					t.older[g[0]] = append(t.older[g[0]], c)
				}
			}
		}
	}
	for _, l := range lines("rare") {
		f := strings.Fields(l)
		if len(f) != 4 {
			panic(fmt.Sprintf("rare character %q", l))
		}
		t.rare = append(t.rare, rareChar{f[0], f[1], f[2], f[3]})
		for _, c := range f[0] {
			if t.sounds[c] == nil {
				t.sounds[c] = []string{f[1]}
			}
		}
	}
}

func (t *tables) readNames() {
	sum := 0.0
	for _, l := range lines("surnames") {
		name, share, _ := strings.Cut(l, " ")
		x, err := strconv.ParseFloat(share, 64)
		if err != nil {
			panic(err)
		}
		sum += x
		t.surnames.values = append(t.surnames.values, name)
		t.surnames.sums = append(t.surnames.sums, sum)
	}
	for _, l := range lines("surname_variants") {
		to := t.renamed
		if other, ok := strings.CutPrefix(l, "?"); ok {
			l, to = other, t.mistaken
		}
		g := []rune(l)
		to[string(g[0])] = append(to[string(g[0])], string(g[1]))
		to[string(g[1])] = append(to[string(g[1])], string(g[0]))
	}
	for _, l := range lines("given") {
		head, rest, _ := strings.Cut(l, ":")
		which, part, _ := strings.Cut(head, " ")
		m := t.manners[which]
		if m == nil {
			m = &manner{}
			t.manners[which] = m
		}
		f := strings.Fields(rest)
		switch part {
		case "first":
			m.first = f
		case "second":
			m.second = f
		case "single":
			m.single = f
		case "whole":
			m.whole = f
		default:
			panic("given names: " + part)
		}
	}
	for _, l := range lines("cantonese") {
		f := strings.Fields(l)
		if t.hongKong[f[0]] == nil {
			t.hongKong[f[0]] = f[1:]
		}
	}
	for _, l := range lines("minority") {
		head, letters, _ := strings.Cut(l, "|")
		f := strings.Fields(head)
		t.elements[f[0]+" "+f[1]] = append(t.elements[f[0]+" "+f[1]], element{f[2:], strings.Fields(letters)})
	}
}

func (t *tables) readPlaces() {
	for _, l := range lines("places") {
		f := strings.Fields(l)
		switch _, known := identifier.LookupRegion(f[0]); {
		case known:
			t.counties = append(t.counties, county{f[0], f[1], f[2], f[3], f[4:]})
			t.areas = append(t.areas, f[0])
		case f[0] == "area":
			for _, a := range f[1:] {
				if _, ok := identifier.LookupRegion(a); ok && !slices.Contains(t.areas, a) {
					t.areas = append(t.areas, a)
				}
			}
		default:
			t.words[f[0]] = f[1:]
		}
	}
	for _, l := range lines("institutions") {
		f := strings.Fields(l)
		t.words[f[0]] = f[1:]
	}
}

// usualReadings are those of characters whose first line in the table is not the one that given names have.
var usualReadings = map[rune]string{'盛': "sheng", '晟': "sheng", '行': "xing", '曾': "zeng", '隽': "jun", '柏': "bo", '朴': "pu", '尉': "wei", '单': "shan", '覃': "qin", '区': "qu", '翟': "zhai"}

// sound is the usual syllable of a character of a name; "" when the tables have none.
func (t *tables) sound(c rune) string {
	if s := usualReadings[c]; s != "" {
		return s
	}
	if s := t.sounds[c]; len(s) > 0 {
		return s[0]
	}
	return ""
}
