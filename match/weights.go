package match

import (
	_ "embed"
	"fmt"
	"math"
	"strconv"
	"strings"
)

//go:embed weights.txt
var weightText string

// weights are what the engine counts, in bits; weights.txt says of each where it comes from.
var weights = mustWeights(weightText)

// weightTable has a place for every line of weights.txt. Those of characters count for one character that differs, all
// others for the line of evidence; some are added to what the value itself is worth.
type weightTable struct {
	idEqual, idEqualWrong, idNear, idNearTwo, idLength, idOther, idOtherWrong, idPartNear, idPartOther, idPieceOther, idOtherName float64
	document, documentDoubtful, documentOther                                                                                     float64
	birthDay, birthYear, birthSwapped, birthNear, birthYearOnly, birthYearNear, birthOther                                        float64
	sexEqual, sexOther, county                                                                                                    float64
	phoneEqual, phoneMasked, phonePart, phoneLocal, phoneNear                                                                     float64
	plateEqual, plateBare, plateConfused, plateNear                                                                               float64
	variant, surnameVariant, homophone, fuzzy, glyphSounding, glyphNear, glyph, hint, lost, unlike, unlikeSurname, unlikeHint     float64
	swapped, gap, oneOther                                                                                                        float64
	nickEqual, nick, nickGiven, transcribed, pinyin, cantonese, alias                                                             float64
	orgEqual, orgLike, orgPart, orgOther                                                                                          float64
	placeEqual, placeLike, placeRoad, placeTown, placeElsewhere                                                                   float64
}

// names gives every weight its name in the file.
func (t *weightTable) names() map[string]*float64 {
	return map[string]*float64{
		"id_equal": &t.idEqual, "id_equal_wrong": &t.idEqualWrong, "id_near": &t.idNear, "id_near_two": &t.idNearTwo, "id_length": &t.idLength, "id_other": &t.idOther,
		"id_other_wrong": &t.idOtherWrong, "id_part_near": &t.idPartNear, "id_part_other": &t.idPartOther, "id_piece_other": &t.idPieceOther, "id_other_name": &t.idOtherName,
		"document": &t.document, "document_doubtful": &t.documentDoubtful, "document_other": &t.documentOther,
		"birth_day": &t.birthDay, "birth_year": &t.birthYear, "birth_swapped": &t.birthSwapped, "birth_near": &t.birthNear, "birth_year_only": &t.birthYearOnly,
		"birth_year_near": &t.birthYearNear, "birth_other": &t.birthOther, "sex_equal": &t.sexEqual, "sex_other": &t.sexOther, "county": &t.county,
		"phone_equal": &t.phoneEqual, "phone_masked": &t.phoneMasked, "phone_part": &t.phonePart, "phone_local": &t.phoneLocal, "phone_near": &t.phoneNear,
		"plate_equal": &t.plateEqual, "plate_bare": &t.plateBare, "plate_confused": &t.plateConfused, "plate_near": &t.plateNear,
		"char_variant": &t.variant, "char_surname_variant": &t.surnameVariant, "char_homophone": &t.homophone, "char_fuzzy": &t.fuzzy, "char_glyph_sounding": &t.glyphSounding,
		"char_glyph_near": &t.glyphNear, "char_glyph": &t.glyph, "char_hint": &t.hint, "char_lost": &t.lost, "char_unlike": &t.unlike, "char_unlike_surname": &t.unlikeSurname,
		"char_unlike_hint": &t.unlikeHint, "name_swapped": &t.swapped, "name_gap": &t.gap, "name_one_other": &t.oneOther,
		"name_nick_equal": &t.nickEqual, "name_nick": &t.nick, "name_nick_given": &t.nickGiven, "name_transcribed": &t.transcribed, "name_pinyin": &t.pinyin,
		"name_cantonese": &t.cantonese, "name_alias": &t.alias,
		"org_equal": &t.orgEqual, "org_like": &t.orgLike, "org_part": &t.orgPart, "org_other": &t.orgOther,
		"place_equal": &t.placeEqual, "place_like": &t.placeLike, "place_road": &t.placeRoad, "place_town": &t.placeTown, "place_elsewhere": &t.placeElsewhere,
	}
}

// Weight is a line of weights.txt.
type Weight struct {
	Name   string
	Bits   float64 // what the engine counts
	Fit    bool    // Bits are fitted; else set by hand, and Why says for what reason
	Line   string  // the code of evidence by which it is counted; "-" for none
	M, U   float64 // shares of true and of random pairs when it was last counted; 0 for none
	Fitted float64 // what Bits would be by M and U; NaN where they do not tell
	Why    string
}

// Weights is the file of weights.
type Weights struct {
	Head    []string // comments before the first line
	Version string   // of the engine that it belongs to
	Lines   []Weight
}

// ParseWeights reads a file of weights. Each line has name, bits, fit or hand, code, m, u, fitted and the reason; - is
// nothing.
func ParseWeights(text string) (Weights, error) {
	var w Weights
	for l := range strings.Lines(text) {
		l = strings.TrimRight(l, "\n")
		f := strings.Fields(l)
		switch {
		case len(f) == 0 || l[0] == '#':
			w.Head = append(w.Head, l)
			continue
		case len(f) == 2 && f[0] == "version":
			w.Version = f[1]
			continue
		case len(f) < 7 || f[2] != "fit" && f[2] != "hand":
			return w, fmt.Errorf("weights: %q is no line of name, bits, fit or hand, code, m, u and fitted", l)
		}
		x := Weight{Name: f[0], Fit: f[2] == "fit", Line: f[3], Why: strings.Join(f[7:], " ")}
		for _, v := range []struct {
			to   *float64
			from string
			none float64
		}{{&x.Bits, f[1], math.NaN()}, {&x.M, f[4], 0}, {&x.U, f[5], 0}, {&x.Fitted, f[6], math.NaN()}} {
			*v.to = v.none
			if v.from == "-" && v.to != &x.Bits {
				continue
			}
			var err error
			if *v.to, err = strconv.ParseFloat(v.from, 64); err != nil {
				return w, fmt.Errorf("weights: %s: %q is no number", x.Name, v.from)
			}
		}
		w.Lines = append(w.Lines, x)
	}
	return w, nil
}

// CurrentWeights are those of this engine.
func CurrentWeights() Weights {
	w, err := ParseWeights(weightText)
	if err != nil {
		panic(err) // it is part of the program
	}
	return w
}

// Format writes the file.
func (w *Weights) Format() string {
	var b strings.Builder
	for _, h := range w.Head {
		b.WriteString(h + "\n")
	}
	fmt.Fprintf(&b, "version %s\n", w.Version)
	said := func(x float64, none bool, format string) string {
		if none {
			return "-"
		}
		return fmt.Sprintf(format, x)
	}
	for _, x := range w.Lines {
		source := "hand"
		if x.Fit {
			source = "fit"
		}
		l := fmt.Sprintf("%-21s %6.1f %-4s %-18s %8s %8s %6s  %s", x.Name, x.Bits, source, x.Line, said(x.M, x.M == 0, "%.5f"), said(x.U, x.U == 0, "%.1e"), said(x.Fitted, math.IsNaN(x.Fitted), "%.1f"), x.Why)
		b.WriteString(strings.TrimRight(l, " ") + "\n")
	}
	return b.String()
}

func mustWeights(text string) *weightTable {
	w, err := ParseWeights(text)
	if err != nil {
		panic(err)
	}
	t := &weightTable{}
	names := t.names()
	for _, x := range w.Lines {
		to, ok := names[x.Name]
		if !ok {
			panic("weights: " + x.Name + " is no weight, or stands twice")
		}
		*to = x.Bits
		delete(names, x.Name)
	}
	for name := range names {
		panic("weights: " + name + " is not there")
	}
	return t
}
