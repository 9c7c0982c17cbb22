package match

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/pilinhub/pilin/match/internal/hanzi"
	"github.com/pilinhub/pilin/match/normal"
)

// Question is what somebody typed. Each field may hold anything that a person would type there: a nickname or a name in
// letters, a masked number or the last digits of it. It prints as "[redacted]".
type Question struct {
	Name, Sex, Birth, ID, Phone, Plate, Address, Org string
	Documents, Doubtful                              []string // as in Entry; see SetNumber and SetCodes
	County                                           string   // six digits, where the asker stands or looks; may be empty
}

// Format prints "[redacted]".
func (q Question) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }

// LogValue is Format for log/slog.
func (q Question) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// posed is a question read once.
type posed struct {
	name       normal.Name
	sex        byte
	birth      string
	birthOwn   bool // birth was typed, not told by a number
	id         normal.ID
	papers     []string
	doubtful   []string
	phone      normal.Phone
	plate      normal.Plate
	place      normal.Address
	org        normal.Institution
	county     string
	nameAlone  bool
	spelled    []spelling
	sequences  [][]hanzi.Syllable // of a Han name
	initials   initials
	consonants string // of a name in letters
}

// initials are a surname in letters with the first letters of the given name: Zhang X.M.
type initials struct {
	surname []hanzi.Syllable
	given   string
}

// spelling is one way to read a name in letters: syllables of Mandarin, or of Cantonese.
type spelling struct {
	syllables []hanzi.Syllable
	jyutping  []string
	wade      bool
}

func readQuestion(q Question) posed {
	a := posed{sex: readSex(q.Sex), birth: readBirth(q.Birth), phone: normal.ReadPhone(q.Phone), plate: normal.ReadPlate(q.Plate), place: normal.ReadAddress(q.Address), county: q.County, papers: q.Documents, doubtful: q.Doubtful}
	a.birthOwn = a.birth != ""
	if normal.LooksInstitutional(q.Name) && q.Org == "" {
		q.Org, q.Name = q.Name, ""
	}
	a.name = normal.ReadName(q.Name)
	if q.Org != "" {
		a.org = normal.ReadInstitution(q.Org)
	}
	a.id = normal.ReadID(q.ID, true)
	if a.id.Birth != "" && len(a.id.Birth) >= len(a.birth) && (a.id.Valid || a.birth == "") {
		a.birth = a.id.Birth
	}
	if a.id.Whole && !a.id.Valid && !a.birthOwn { // the wrong digit may stand in the birth date
		a.birth = ""
	}
	if p := a.id.Part; a.birth == "" && len(p) == 8 { // eight digits out of the middle are a birth day
		a.birth = readBirth(p)
		if len(a.birth) != 10 {
			a.birth = ""
		}
	}
	if a.sex == 0 && a.id.Valid {
		a.sex = a.id.Sex
	}
	if a.county == "" {
		a.county = a.place.County
	}
	if a.county == "" && a.org.County != "" {
		a.county = a.org.County
	}
	a.nameAlone = a.birth == "" && a.county == "" && q.ID == "" && q.Phone == "" && q.Plate == "" && q.Address == "" && q.Org == "" && a.sex == 0 && len(q.Documents)+len(q.Doubtful) == 0
	switch a.name.Form {
	case normal.Latin:
		a.spell()
		a.initials = readInitials(a.name.Words)
		a.consonants = consonantsOfWords(a.name.Words)
	case normal.Han:
		a.sequences = sequences(&a.name, 8)
	}
	return a
}

func readInitials(words []string) (in initials) {
	long := ""
	for _, w := range words {
		switch {
		case len(w) == 1:
			in.given += w
		case long != "" && in.given == "" && len(w) <= 2 && len(normal.Segment(w)) == 0: // Zhang XM
			in.given = w
		case long == "":
			long = w
		default:
			return initials{}
		}
	}
	if in.given == "" || len(in.given) > 3 {
		return initials{}
	}
	for _, s := range normal.Segment(long) {
		if len(s) == 1 {
			in.surname = append(in.surname, s[0])
		}
	}
	return in
}

// maxSpellings bounds how many ways of reading letters are tried.
const maxSpellings = 160

func (a *posed) spell() {
	w := a.name.Words
	orders := [][]string{w}
	if len(w) > 1 {
		orders = append(orders, append(slices.Clone(w[len(w)-1:]), w[:len(w)-1]...), append(slices.Clone(w[1:]), w[0]))
	}
	if len(w) >= 3 { // an English name stands before or behind: Peter Chan Siu Ming
		for _, o := range [][]string{w[1:], w[:len(w)-1]} {
			orders = append(orders, o, append(slices.Clone(o[len(o)-1:]), o[:len(o)-1]...))
		}
	}
	add := func(s spelling) {
		if n := max(len(s.syllables), len(s.jyutping)); n < 2 || n > 15 || len(a.spelled) >= maxSpellings {
			return
		}
		for _, have := range a.spelled {
			if slices.Equal(have.syllables, s.syllables) && slices.Equal(have.jyutping, s.jyutping) {
				return
			}
		}
		a.spelled = append(a.spelled, s)
	}
	for _, o := range orders {
		for _, s := range normal.Segment(strings.Join(o, "'")) {
			add(spelling{syllables: s})
		}
	}
	if len(w) == 1 { // ZHANGXIAOMING, or given name first
		for _, s := range normal.Segment(w[0]) {
			if len(s) >= 2 {
				add(spelling{syllables: append(slices.Clone(s[len(s)-1:]), s[:len(s)-1]...)})
			}
		}
	}
	for _, o := range orders {
		for _, s := range product(o, normal.Wade) {
			add(spelling{syllables: s, wade: true})
		}
		for _, s := range product(o, normal.HongKong) {
			add(spelling{jyutping: s})
		}
	}
}

// product lists what the words together may mean, at most 48 ways; none if one word means nothing. A word that is not
// known as one syllable is tried as two: Siuming.
func product[T any](words []string, means func(string) []T) [][]T {
	out := [][]T{nil}
	for _, w := range words {
		var next [][]T
		extend := func(tail []T) {
			for _, o := range out {
				if len(next) < 48 {
					next = append(next, append(slices.Clone(o), tail...))
				}
			}
		}
		for _, m := range means(w) {
			extend([]T{m})
		}
		if len(next) == 0 {
			for i := 1; i < len(w); i++ {
				for _, x := range means(w[:i]) {
					for _, y := range means(w[i:]) {
						extend([]T{x, y})
					}
				}
			}
		}
		if out = next; len(out) == 0 {
			return nil
		}
	}
	return out
}
