package match_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// The numbers are synthetic (domain.md §3, §7.1).
const (
	idP1       = "320623190001159016"
	idP1Old    = "320623000115901"
	idNamesake = "340123190001159055"
	uscc       = "92330482MAXXXX023D"
	issuer     = "113101170000900343"
	docNo      = "测松卫医罚〔2025〕9017"
)

func strong(kind, value string) schemas.Identifier {
	return schemas.Identifier{Kind: kind, Value: value, Strong: true}
}

func weak(kind, value string) schemas.Identifier { return schemas.Identifier{Kind: kind, Value: value} }

func doc(n byte, ids ...schemas.Identifier) match.Doc {
	return match.Doc{Stream: "330482-01/records", Subject: [16]byte{n}, Record: [16]byte{n}, Version: 1, Seq: uint64(n), Identifiers: ids}
}

func person(n byte, name, id, birth string) match.Doc {
	return doc(n, weak("name", name), strong("resident_id", id), weak("birth_date", birth))
}

func secret(s string) identifier.Secret { return identifier.NewSecret(s) }

func index(docs ...match.Doc) *match.Index {
	var x match.Index
	for _, d := range docs {
		x.Put(d)
	}
	return &x
}

// lines is the outcome and explanation of one candidate as one string.
func lines(f match.Found) string {
	s := string(f.Outcome)
	for _, l := range f.Explain {
		s += " " + l.Field + "=" + l.Result
	}
	return s
}

func TestFind(t *testing.T) {
	p1 := person(1, "测甲一", idP1, "1900-01-15")
	passport := doc(2, weak("name", "CE JIA"), strong("passport", "FRA:AB12345"))
	noID := doc(3, weak("name", "测丙三"), weak("birth_date", "1902"), weak("phone", "15400000001"))
	body := doc(4, weak("org_name", "测某诊所"), strong("uscc", uscc))
	decision := doc(5, weak("name", "测甲一"), strong("resident_id", idP1), weak("doc_no", docNo), strong("decision", issuer+"/"+docNo), weak("issuer_uscc", issuer))
	alias := doc(6, weak("name", "测戊五"), weak("name_variant", "测阿戊"), weak("birth_date", "1905-05-05"))
	suspect := doc(7, weak("name", "测庚七"), weak("resident_id", "999999190001010015"))
	household := doc(8, weak("name", "测辛八"), weak("other_document", "330482190102209028"))
	minority := doc(9, weak("name", "阿测·买测"), weak("birth_date", "1903-03-03"))
	latin := doc(10, weak("name", "CE JIA"), strong("passport", "FRA:AB12345"), weak("birth_date", "1904-04-04"))
	katakana := doc(11, weak("name", "测ロニ"), weak("birth_date", "1903-03-03"))
	for _, tc := range []struct {
		name string
		docs []match.Doc
		q    match.Query
		want []string
	}{
		{"number", []match.Doc{p1}, match.Query{IDNo: secret(idP1)}, []string{"hit id_no=equal birth_date=equal"}},
		{"number of 15 digits", []match.Doc{p1}, match.Query{IDNo: secret(idP1Old)}, []string{"hit id_no=equal birth_date=equal"}},
		{"number as typed", []match.Doc{p1}, match.Query{IDNo: secret(" 320623-19000115 ９０16 ")}, []string{"hit id_no=equal birth_date=equal"}},
		{"number and name", []match.Doc{p1}, match.Query{IDNo: secret(idP1), Name: "测 甲一"}, []string{"hit id_no=equal name=equal birth_date=equal"}},
		{"number, one character of the name other", []match.Doc{p1}, match.Query{IDNo: secret(idP1), Name: "测甲壹"}, []string{"hit id_no=equal name=similar birth_date=equal"}},
		{"number, name in another script", []match.Doc{p1}, match.Query{IDNo: secret(idP1), Name: "Ce Jiayi"}, []string{"hit id_no=equal name=not_comparable birth_date=equal"}},
		{"号同名异", []match.Doc{p1}, match.Query{IDNo: secret(idP1), Name: "样乙二"}, []string{"possible id_no=equal name=id_equal_name_differs birth_date=equal"}},
		{"namesake with the same birth date", []match.Doc{p1, person(10, "测甲一", idNamesake, "1900-01-15")}, match.Query{IDNo: secret(idP1), Name: "测甲一"},
			[]string{"hit id_no=equal name=equal birth_date=equal", "possible id_no=different name=equal birth_date=equal"}},
		{"wrong check digit", []match.Doc{p1}, match.Query{IDNo: secret("320623190001159017"), Name: "测甲一"}, []string{"possible id_no=near_check_digit name=equal"}},
		{"neighbours exchanged", []match.Doc{p1}, match.Query{IDNo: secret("320623190001159106")}, []string{"possible id_no=near_check_digit"}},
		{"letters for digits", []match.Doc{p1}, match.Query{IDNo: secret("32O6231900011590l6")}, []string{"possible id_no=equal_letters_read birth_date=equal"}},
		{"other number", []match.Doc{p1}, match.Query{IDNo: secret(idNamesake)}, nil},
		{"suspect number", []match.Doc{suspect}, match.Query{IDNo: secret("999999190001010015")}, []string{"possible id_no=equal_suspect"}},
		{"number of a household register", []match.Doc{household}, match.Query{IDNo: secret("330482190102209028")}, []string{"possible id_no=equal_suspect"}},
		{"passport", []match.Doc{passport}, match.Query{IDType: "PPT", IDCountry: "FRA", IDNo: secret("AB12345")}, []string{"hit id_no=equal"}},
		{"passport of another country", []match.Doc{passport}, match.Query{IDType: "PPT", IDCountry: "DEU", IDNo: secret("AB12345")}, nil},
		{"passport without country", []match.Doc{passport}, match.Query{IDType: "PPT", IDNo: secret("AB12345")}, []string{"possible id_no=equal_no_country"}},
		{"renewed passport is no contradiction", []match.Doc{doc(2, weak("name", "CE JIA"), strong("passport", "FRA:AB12345"), weak("birth_date", "1904-04-04"))},
			match.Query{IDType: "PPT", IDCountry: "FRA", IDNo: secret("CD67890"), Name: "Ce Jia", BirthDate: "1904-04-04"}, []string{"possible name=equal birth_date=equal"}},
		{"name and birth date", []match.Doc{p1}, match.Query{Name: "测甲一", BirthDate: "1900-01-15"}, []string{"possible name=equal birth_date=equal"}},
		{"name and birth date, number differs", []match.Doc{p1}, match.Query{Name: "测甲一", BirthDate: "1900-01-15", IDNo: secret(idNamesake)},
			[]string{"possible id_no=different name=equal birth_date=equal"}},
		{"name and year", []match.Doc{noID}, match.Query{Name: "测丙三", BirthDate: "1902-03-25"}, []string{"possible name=equal birth_date=year_equal"}},
		{"name alone", []match.Doc{p1}, match.Query{Name: "测甲一"}, nil},
		{"birth date alone", []match.Doc{p1}, match.Query{BirthDate: "1900-01-15"}, nil},
		{"name and another birth date", []match.Doc{p1}, match.Query{Name: "测甲一", BirthDate: "1900-01-16"}, nil},
		{"alias", []match.Doc{alias}, match.Query{Name: "测阿戊", BirthDate: "1905-05-05"}, []string{"possible name=equal_alias birth_date=equal"}},
		{"middle dots are one", []match.Doc{minority}, match.Query{Name: "阿测・买测", BirthDate: "1903-03-03"}, []string{"possible name=equal birth_date=equal"}},
		{"Cyrillic letters that look like Latin ones", []match.Doc{latin}, match.Query{Name: "Сe Jiа", BirthDate: "1904-04-04"}, []string{"possible name=looks_alike birth_date=equal"}},
		{"Katakana that looks like Han, in the record", []match.Doc{katakana}, match.Query{Name: "测口二", BirthDate: "1903-03-03"}, []string{"possible name=looks_alike birth_date=equal"}},
		{"number, name that only looks alike", []match.Doc{latin}, match.Query{IDType: "PPT", IDCountry: "FRA", IDNo: secret("AB12345"), Name: "СE JIA"}, []string{"hit id_no=equal name=looks_alike"}},
		{"lookalike with another birth date", []match.Doc{latin}, match.Query{Name: "Сe Jia", BirthDate: "1904-04-05"}, nil},
		{"phone is never a hit", []match.Doc{noID}, match.Query{Phone: secret("+86 154 0000 0001"), Name: "测丙三"}, []string{"possible phone=equal name=equal"}},
		{"phone of somebody else", []match.Doc{noID}, match.Query{Phone: secret("15400000001"), Name: "样乙二"}, []string{"possible phone=equal name=different"}},
		{"organisation", []match.Doc{body}, match.Query{USCC: secret("92330482maxxxx023d")}, []string{"hit uscc=equal"}},
		{"organisation, wrong check character", []match.Doc{body}, match.Query{USCC: secret("92330482MAXXXX023E")}, nil},
		{"decision with issuer", []match.Doc{decision}, match.Query{DocNo: secret("测松卫医罚【2025】第009017号"), USCC: secret(issuer)}, []string{"hit doc_no=equal"}},
		{"decision without issuer", []match.Doc{decision}, match.Query{DocNo: secret(docNo)}, []string{"possible doc_no=equal_issuer_not_asked"}},
		{"decision of another issuer", []match.Doc{decision}, match.Query{DocNo: secret(docNo), USCC: secret("11310116000090018Y")}, []string{"possible doc_no=equal_issuer_not_asked"}},
		{"decision, other person", []match.Doc{decision}, match.Query{DocNo: secret(docNo), USCC: secret(issuer), IDNo: secret(idNamesake)},
			[]string{"possible id_no=different doc_no=equal birth_date=equal"}},
		{"an issuer is nobody's identifier", []match.Doc{decision}, match.Query{USCC: secret(issuer)}, nil},
		{"nothing asked", []match.Doc{p1, noID, body}, match.Query{}, nil},
		{"nonsense", []match.Doc{p1, noID, body}, match.Query{IDNo: secret("###"), Phone: secret("x"), USCC: secret("?"), DocNo: secret("号"), Name: "?", BirthDate: "1900"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, f := range index(tc.docs...).Find(tc.q) {
				got = append(got, lines(f))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestIndex_newest_change_of_a_subject_stands(t *testing.T) {
	old, now := person(1, "测甲一", idP1, "1900-01-15"), person(1, "测甲一", idNamesake, "1900-01-15")
	old.Seq, now.Seq = 4, 9
	q := match.Query{IDNo: secret(idP1)}
	x := index(now, old)
	if got := x.Find(q); len(got) != 0 {
		t.Errorf("an older version came back: %v", got)
	}
	x.Delete(now.Stream, now.Subject, 12)
	x.Put(now)
	if x.Len() != 0 || x.Namesakes("测甲一") != 0 {
		t.Error("a record older than the withdrawal came back")
	}
	x.Delete(now.Stream, now.Subject, 3)
	now.Seq = 11
	x.Put(now)
	if x.Len() != 0 {
		t.Error("an older deletion replaced a newer one")
	}
	now.Seq = 13
	x.Put(now)
	if x.Len() != 1 {
		t.Error("a newer record was refused")
	}
	x.Delete(now.Stream, now.Subject, 12)
	if x.Len() != 1 {
		t.Error("an older deletion took a newer record out")
	}
	foreign := now
	foreign.Stream = "310117-01/records"
	x.Delete(foreign.Stream, foreign.Subject, 99)
	if x.Len() != 1 {
		t.Error("a deletion in another stream took the subject out")
	}
}

func TestIndex_Namesakes(t *testing.T) {
	x := index(person(1, "测甲一", idP1, "1900-01-15"), person(2, "测 甲一", idNamesake, "1900-01-15"), doc(3, weak("name", "测甲一"), weak("name_variant", "测甲一")))
	if got := x.Namesakes("测甲一"); got != 3 {
		t.Errorf("namesakes %d, want 3", got)
	}
	if x.Namesakes("") != 0 || x.Namesakes("测乙二") != 0 {
		t.Error("namesakes of nobody")
	}
}

// TestNothingPrints: a question or candidate in a log line by mistake shows no person.
func TestNothingPrints(t *testing.T) {
	q := match.Query{Name: "测甲一", BirthDate: "1900-01-15", IDNo: secret(idP1)}
	x := index(person(1, "测甲一", idP1, "1900-01-15"))
	for _, s := range []string{fmt.Sprintf("%v %+v %#v %s", q, q, q, &q), fmt.Sprintf("%v %+v %#v", x.Find(q), x.Find(q), x.Find(q)),
		q.LogValue().String(), x.Find(q)[0].Doc.LogValue().String()} {
		for _, canary := range []string{"测甲一", "1900-01-15", idP1} {
			if strings.Contains(s, canary) {
				t.Errorf("%q in %q", canary, s)
			}
		}
	}
}
