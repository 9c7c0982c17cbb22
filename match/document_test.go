package match_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

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
	return match.Doc{Stream: "330482-01/records", Subject: [16]byte{n}, Seq: uint64(n), Identifiers: ids}
}

func person(n byte, name, id, birth string) match.Doc {
	return doc(n, weak("name", name), strong("resident_id", id), weak("birth_date", birth))
}

func engine(docs ...match.Doc) *match.Engine {
	e := match.NewEngine()
	for _, d := range docs {
		e.Put(d.Entry())
	}
	return e
}

// asked is a question as the door gives it.
type asked struct {
	name, birth, idType, country, id, phone, uscc, docNo string
}

func (a asked) question() match.Question {
	q := match.Question{Name: a.name, Birth: a.birth, Phone: a.phone}
	q.SetNumber(a.idType, a.country, a.id, identifier.Date{})
	q.SetCodes(a.uscc, a.docNo, identifier.Date{})
	return q
}

// weighed asks as a member answers.
func weighed(e *match.Engine, q match.Question) match.Answer {
	return e.AskWithin(q, match.Within{Weighed: true, Limit: 200})
}

// said is the outcome of one candidate and the codes of its lines, without the prior.
func said(c match.Candidate) string {
	s := string(c.Outcome)
	for _, l := range c.Lines {
		if l.Code != "prior" {
			s += " " + l.Code
		}
	}
	return s
}

// TestDocuments holds the engine to what a number, a document, a decision or a code may prove.
func TestDocuments(t *testing.T) {
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
	permit := doc(11, weak("name", "测壬九"), strong("hk_macau_permit", "H00000001"), weak("birth_date", "1906-06-06"), weak("phone", "15400000009"))
	residence := doc(12, weak("name", "测癸十"), strong("residence_permit", "810000190001019012"))
	for _, tc := range []struct {
		name string
		docs []match.Doc
		q    asked
		want []string
	}{
		{"number", []match.Doc{p1}, asked{id: idP1}, []string{"hit id_equal"}},
		{"number of 15 digits", []match.Doc{p1}, asked{id: idP1Old}, []string{"hit id_equal"}},
		{"number as typed", []match.Doc{p1}, asked{id: " 320623-19000115 ９０16 "}, []string{"hit id_equal"}},
		{"number and name", []match.Doc{p1}, asked{id: idP1, name: "测 甲一"}, []string{"hit name_equal id_equal"}},
		{"number, a homophone in the name", []match.Doc{p1}, asked{id: idP1, name: "测甲壹"}, []string{"hit name_homophone id_equal"}},
		{"number, name in letters", []match.Doc{p1}, asked{id: idP1, name: "Ce Jiayi"}, []string{"hit name_pinyin id_equal"}},
		{"号同名异", []match.Doc{p1}, asked{id: idP1, name: "样乙二"}, []string{"possible name_other id_equal id_other_name"}},
		{"namesake with the same birth date", []match.Doc{p1, person(10, "测甲一", idNamesake, "1900-01-15")}, asked{id: idP1, name: "测甲一"},
			[]string{"hit name_equal id_equal", "possible name_equal id_other birth_equal sex_equal"}},
		{"wrong check digit", []match.Doc{p1}, asked{id: "320623190001159017", name: "测甲一"}, []string{"possible name_equal id_near"}},
		{"neighbours exchanged", []match.Doc{p1}, asked{id: "320623190001159106"}, []string{"possible id_near"}},
		{"letters for digits, said", []match.Doc{p1}, asked{id: "32O6231900011590l6"}, []string{"hit id_equal"}},
		{"masked number", []match.Doc{p1}, asked{id: "3206**********9016", name: "测甲一"}, []string{"hit name_equal id_part"}},
		{"last digits of a number", []match.Doc{p1}, asked{id: "9016", name: "测甲一"}, []string{"possible name_equal id_part"}},
		{"other number", []match.Doc{p1}, asked{id: idNamesake}, nil},
		{"other number and another birth date", []match.Doc{p1}, asked{id: "330482190102209028", name: "测甲一"}, nil},
		{"suspect number", []match.Doc{suspect}, asked{id: "999999190001010015"}, []string{"possible document_doubtful"}},
		{"number of a household register", []match.Doc{household}, asked{id: "330482190102209028"}, []string{"possible document_doubtful"}},
		{"passport", []match.Doc{passport}, asked{idType: "PPT", country: "FRA", id: "AB12345"}, []string{"hit document_equal"}},
		{"passport of another country", []match.Doc{passport}, asked{idType: "PPT", country: "DEU", id: "AB12345"}, nil},
		{"passport without country", []match.Doc{passport}, asked{idType: "PPT", id: "AB12345"}, []string{"possible document_doubtful"}},
		{"a renewed passport is no contradiction", []match.Doc{latin}, asked{idType: "PPT", country: "FRA", id: "CD67890", name: "Ce Jia", birth: "1904-04-04"}, []string{"hit name_equal birth_equal"}},
		{"permit", []match.Doc{permit}, asked{idType: "HMP", id: "H0000000102"}, []string{"hit document_equal"}},
		{"another permit is a contradiction", []match.Doc{permit}, asked{idType: "HMP", id: "H00000009", name: "测壬九", birth: "1906-06-06"}, []string{"possible name_equal birth_equal document_other"}},
		{"another permit on the same telephone", []match.Doc{permit}, asked{idType: "HMP", id: "H00000009", name: "测壬九", birth: "1906-06-06", phone: "15400000009"}, []string{"possible name_equal birth_equal document_other phone_equal"}},
		{"residence permit", []match.Doc{residence}, asked{idType: "HMR", id: "810000190001019012"}, []string{"hit document_equal"}},
		{"residence permit, wrong check digit", []match.Doc{residence}, asked{idType: "HMR", id: "810000190001019013"}, []string{"possible document_doubtful"}},
		{"name and birth date", []match.Doc{p1}, asked{name: "测甲一", birth: "1900-01-15"}, []string{"hit name_equal birth_equal"}},
		{"name and birth date, number differs", []match.Doc{p1}, asked{name: "测甲一", birth: "1900-01-15", id: idNamesake}, []string{"possible name_equal id_other birth_equal sex_equal"}},
		{"name and year", []match.Doc{noID}, asked{name: "测丙三", birth: "1902-03-25"}, []string{"possible name_equal birth_year"}},
		{"name alone", []match.Doc{p1}, asked{name: "测甲一"}, []string{"possible name_equal"}},
		{"birth date alone", []match.Doc{p1}, asked{birth: "1900-01-15"}, nil},
		{"name and another birth year", []match.Doc{p1}, asked{name: "测甲一", birth: "1907-01-16"}, nil},
		{"alias", []match.Doc{alias}, asked{name: "测阿戊", birth: "1905-05-05"}, []string{"hit name_equal birth_equal"}},
		{"middle dots are one", []match.Doc{minority}, asked{name: "阿测・买测", birth: "1903-03-03"}, []string{"hit name_equal birth_equal"}},
		{"phone and name", []match.Doc{noID}, asked{phone: "+86 154 0000 0001", name: "测丙三"}, []string{"hit name_equal phone_equal"}},
		{"phone of somebody else", []match.Doc{noID}, asked{phone: "15400000001", name: "样乙二"}, []string{"possible name_other phone_equal"}},
		{"organisation", []match.Doc{body}, asked{uscc: "92330482maxxxx023d"}, []string{"hit uscc_equal"}},
		{"organisation, wrong check character", []match.Doc{body}, asked{uscc: "92330482MAXXXX023E"}, nil},
		{"decision with issuer", []match.Doc{decision}, asked{docNo: "测松卫医罚【2025】第009017号", uscc: issuer}, []string{"hit decision_equal"}},
		{"decision without issuer", []match.Doc{decision}, asked{docNo: docNo}, []string{"possible doc_no_equal"}},
		{"decision of another issuer", []match.Doc{decision}, asked{docNo: docNo, uscc: "11310116000090018Y"}, []string{"possible doc_no_equal"}},
		{"decision, other person", []match.Doc{decision}, asked{docNo: docNo, uscc: issuer, id: idNamesake}, []string{"possible id_other birth_equal sex_equal decision_equal"}},
		{"an issuer is nobody's identifier", []match.Doc{decision}, asked{uscc: issuer}, nil},
		{"nothing asked", []match.Doc{p1, noID, body}, asked{}, nil},
		{"nonsense", []match.Doc{p1, noID, body}, asked{id: "###", phone: "x", uscc: "?", docNo: "号", name: "?", birth: "1900"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, c := range weighed(engine(tc.docs...), tc.q.question()).Candidates {
				got = append(got, said(c))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Few values, so that documents and questions meet often. The numbers have right check digits.
var (
	someNames  = []string{"测甲一", "测甲", "测乙二", "测某", "阿测·买测", "CE JIA"}
	someBirths = []string{"1900-01-15", "1900", "1901-02-20", "1901"}
	someIDs    = []string{idP1, idNamesake, "330482190102209028", "310117190203259035"}
	somePhones = []string{"15400000001", "15400000002"}
)

func drawDoc(t *rapid.T, n byte) match.Doc {
	var ids []schemas.Identifier
	pick := func(label, kind string, from []string, isStrong bool) {
		for _, v := range rapid.SliceOfNDistinct(rapid.SampledFrom(from), 0, 2, rapid.ID).Draw(t, label) {
			ids = append(ids, schemas.Identifier{Kind: kind, Value: v, Strong: isStrong})
		}
	}
	pick("name", "name", someNames, false)
	pick("variant", "name_variant", someNames, false)
	pick("birth", "birth_date", someBirths, false)
	pick("id", "resident_id", someIDs, rapid.Bool().Draw(t, "valid"))
	pick("phone", "phone", somePhones, false)
	return doc(n, ids...)
}

func drawQuestion(t *rapid.T) match.Question {
	or := func(label string, from []string) string {
		return rapid.SampledFrom(append([]string{""}, from...)).Draw(t, label)
	}
	wrong := []string{"320623190001159017", "32O623190001159016", idP1Old}
	return asked{name: or("asked name", someNames), birth: or("asked birth", someBirths), id: or("asked id", append(wrong, someIDs...)), phone: or("asked phone", somePhones)}.question()
}

func told(a match.Answer) []string {
	out := []string{fmt.Sprint(a.Namesakes)}
	for _, c := range a.Candidates {
		out = append(out, fmt.Sprintf("%x %.1f %s", c.Ref.Subject, c.Score, said(c)))
	}
	slices.Sort(out)
	return out
}

// TestChangesInAnyOrder: the order in which changes come in changes nothing, and an engine that grew answers as one built
// at once from what is left.
func TestChangesInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type change struct {
			doc  match.Doc
			gone bool
		}
		var changes []change
		final := map[[16]byte]change{}
		for i := range rapid.IntRange(1, 12).Draw(t, "changes") {
			c := change{doc: drawDoc(t, byte(rapid.IntRange(1, 4).Draw(t, "subject"))), gone: rapid.IntRange(0, 3).Draw(t, "kind") == 0}
			c.doc.Seq = uint64(i + 1)
			changes = append(changes, c)
			final[c.doc.Subject] = c
		}
		play := func(cs []change) *match.Engine {
			e := match.NewEngine()
			for _, c := range cs {
				if en := c.doc.Entry(); c.gone {
					e.Delete(en.Ref, en.Seq)
				} else {
					e.Put(en)
				}
			}
			return e
		}
		var left []match.Doc
		for _, c := range final {
			if !c.gone {
				left = append(left, c.doc)
			}
		}
		built, q := engine(left...), drawQuestion(t)
		want := told(weighed(built, q))
		for name, e := range map[string]*match.Engine{"grown": play(changes), "shuffled": play(rapid.Permutation(changes).Draw(t, "order"))} {
			if got := told(weighed(e, q)); !slices.Equal(got, want) || e.Len() != built.Len() {
				t.Fatalf("%s: %d subjects, %v, want %v", name, e.Len(), got, want)
			}
		}
	})
}

// TestWithin: what a question may not find changes nothing of the names, numbers and lines that it is told, but for how
// rare single characters are.
func TestWithin(t *testing.T) {
	mine, other := person(1, "测甲一", idP1, "1900-01-15"), person(2, "测甲一", idNamesake, "1900-01-15")
	other.Stream = "310117-01/records"
	other.Identifiers, mine.Identifiers = append(other.Identifiers, weak("phone", "15400000001")), append(mine.Identifiers, weak("phone", "15400000001"))
	e, shelved := engine(mine), other.Entry()
	shelved.Shelf = 1
	e.Put(shelved)
	a := e.AskWithin(asked{name: "测甲一", phone: "15400000001"}.question(), match.Within{In: func(shelf uint32) bool { return shelf == 0 }, Limit: 9, Weighed: true})
	if len(a.Candidates) != 1 || a.Candidates[0].Ref.Stream != mine.Stream || a.Namesakes != 1 || len(a.Same) != 1 {
		t.Fatalf("%d candidates, %d namesakes, %v", len(a.Candidates), a.Namesakes, a.Same)
	}
	for _, l := range a.Candidates[0].Lines {
		if l.Code == "phone_equal" && l.Bits != 16 {
			t.Errorf("an owner that may not be known weighs: %+v", l)
		}
	}
	// A number has found somebody; who has no number is still looked for by name.
	e = engine(person(1, "测甲一", idP1, "1900-01-15"), doc(2, weak("name", "测甲一"), weak("birth_date", "1900-01-15")))
	if got := weighed(e, asked{name: "测甲一", birth: "1900-01-15", id: idP1}.question()); len(got.Candidates) != 2 {
		t.Errorf("%d candidates", len(got.Candidates))
	}
}

func TestPlain(t *testing.T) {
	e := engine(doc(1, weak("name", "测玮"), weak("birth_date", "1900-01-15")))
	found := weighed(e, asked{name: "测伟", birth: "1900-01-15"}.question()).Candidates
	if len(found) != 1 {
		t.Fatalf("%d candidates", len(found))
	}
	full, plain := "", ""
	for _, l := range found[0].Lines {
		full, plain = full+l.Text, plain+l.Plain().Text
	}
	if !strings.Contains(full, "玮") || strings.Contains(plain, "玮") || !strings.Contains(plain, "姓名同音") {
		t.Errorf("%q, plain %q", full, plain)
	}
}

// TestAskable: what could mean nobody, or half a town, is not asked.
func TestAskable(t *testing.T) {
	for _, tc := range []struct {
		q              match.Question
		askable, exact bool
	}{
		{match.Question{}, false, false},
		{match.Question{Sex: "1", Birth: "1900-01-15", County: "310116"}, false, false},
		{match.Question{Name: "测甲一"}, true, false},
		{match.Question{Name: "Ce Jiayi"}, true, false},
		{match.Question{Name: "?"}, false, false},
		{match.Question{Name: "测?一"}, false, false},
		{match.Question{Name: "测?一", Birth: "1900"}, true, false},
		{match.Question{Name: "老王"}, false, false},
		{match.Question{Name: "老王", Address: "样例镇"}, true, false},
		{match.Question{Name: "老王", County: "310116"}, true, false},
		{match.Question{ID: "310116************"}, false, false},
		{match.Question{ID: "3101**********0016"}, true, false},
		{match.Question{ID: "31011619000101****"}, true, false},
		{asked{id: idP1}.question(), true, true},
		{asked{id: "320623190001159017"}.question(), true, false},
		{asked{id: "###"}.question(), false, false},
		{asked{idType: "PPT", id: "AB12345"}.question(), true, false},
		{asked{idType: "PPT", country: "FRA", id: "AB12345"}.question(), true, true},
		{asked{docNo: docNo}.question(), true, true},
		{match.Question{Phone: "154********"}, false, false},
		{match.Question{Phone: "154****0001"}, true, false},
		{match.Question{Plate: "浙F00000"}, true, false},
		{match.Question{Org: "样例诊所"}, true, false},
	} {
		if got := tc.q.Askable(); got != tc.askable {
			t.Errorf("%#v: askable %t", fmt.Sprint(tc), got)
		}
		if got := tc.q.Exact(); got != tc.exact {
			t.Errorf("%#v: exact %t", fmt.Sprint(tc), got)
		}
	}
}

// TestNothingPrints: a question or entry in a log line by mistake shows no person.
func TestNothingPrints(t *testing.T) {
	q, d := asked{name: "测甲一", birth: "1900-01-15", id: idP1}.question(), person(1, "测甲一", idP1, "1900-01-15")
	for _, s := range []string{fmt.Sprintf("%v %+v %#v %s", q, q, q, &q), fmt.Sprintf("%v %+v %#v", d, d, d), fmt.Sprintf("%v %+v", d.Entry(), d.Entry()),
		q.LogValue().String(), d.LogValue().String(), d.Entry().LogValue().String()} {
		for _, canary := range []string{"测甲一", "1900-01-15", idP1} {
			if strings.Contains(s, canary) {
				t.Errorf("%q in %q", canary, s)
			}
		}
	}
}
