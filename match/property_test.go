package match_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/schemas/identifier"
)

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

func drawQuery(t *rapid.T) match.Query {
	or := func(label string, from []string) string {
		return rapid.SampledFrom(append([]string{""}, from...)).Draw(t, label)
	}
	wrong := []string{"320623190001159017", "32O623190001159016", idP1Old}
	return match.Query{Name: or("asked name", someNames), BirthDate: or("asked birth", someBirths), IDNo: secret(or("asked id", append(wrong, someIDs...))),
		Phone: secret(or("asked phone", somePhones))}
}

func said(found []match.Found) []string {
	var out []string
	for _, f := range found {
		out = append(out, fmt.Sprintf("%x %s", f.Doc.Subject, lines(f)))
	}
	return out
}

// TestProperty_order: the order in which changes come in changes nothing, and an index that grew answers as one built at
// once from what is left.
func TestProperty_order(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type change struct {
			doc    match.Doc
			delete bool
		}
		var changes []change
		final := map[[16]byte]change{}
		for i := range rapid.IntRange(1, 12).Draw(t, "changes") {
			c := change{doc: drawDoc(t, byte(rapid.IntRange(1, 4).Draw(t, "subject"))), delete: rapid.IntRange(0, 3).Draw(t, "kind") == 0}
			c.doc.Seq = uint64(i + 1)
			changes = append(changes, c)
			final[c.doc.Subject] = c
		}
		play := func(cs []change) *match.Index {
			var x match.Index
			for _, c := range cs {
				if c.delete {
					x.Delete(c.doc.Stream, c.doc.Subject, c.doc.Seq)
				} else {
					x.Put(c.doc)
				}
			}
			return &x
		}
		grown, shuffled := play(changes), play(rapid.Permutation(changes).Draw(t, "order"))
		var left []match.Doc
		for _, c := range final {
			if !c.delete {
				left = append(left, c.doc)
			}
		}
		built := index(left...)
		q := drawQuery(t)
		want := said(built.Find(q))
		for name, x := range map[string]*match.Index{"grown": grown, "shuffled": shuffled} {
			if got := said(x.Find(q)); !slices.Equal(got, want) {
				t.Fatalf("%s: %v, want %v", name, got, want)
			}
			if x.Len() != built.Len() || x.Namesakes(q.Name) != built.Namesakes(q.Name) {
				t.Fatalf("%s: %d subjects, %d namesakes", name, x.Len(), x.Namesakes(q.Name))
			}
		}
		for _, f := range grown.Find(q) {
			if final[f.Doc.Subject].delete {
				t.Fatal("a deleted subject was found")
			}
		}
	})
}

// TestProperty_unrelated: another document neither removes nor changes what is said of the first ones.
func TestProperty_unrelated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var docs []match.Doc
		for i := range rapid.IntRange(1, 6).Draw(t, "docs") {
			docs = append(docs, drawDoc(t, byte(i+1)))
		}
		q := drawQuery(t)
		before := said(index(docs...).Find(q))
		more := said(index(append(docs, drawDoc(t, 200))...).Find(q))
		more = slices.DeleteFunc(more, func(s string) bool { return s[:2] == "c8" })
		if !slices.Equal(before, more) {
			t.Fatalf("before %v, with one more %v", before, more)
		}
	})
}

// TestProperty_hit: a hit always rests on an equal strong identifier without contradiction.
func TestProperty_hit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, q := drawDoc(t, 1), drawQuery(t)
		asked := identifier.ParseResidentID(q.IDNo.Reveal(), identifier.Date{})
		equal := slices.ContainsFunc(d.Identifiers, func(id schemas.Identifier) bool {
			return id.Strong && id.Value == asked.Normalised && asked.Quality == identifier.Valid
		})
		for _, f := range index(d).Find(q) {
			if f.Outcome == match.Hit && !equal {
				t.Fatalf("hit without an equal number: %s", lines(f))
			}
			if len(f.Explain) == 0 {
				t.Fatal("candidate without explanation")
			}
		}
	})
}

func FuzzNormaliseName(f *testing.F) {
	for _, s := range append([]string{"", " 测 甲一 ", "阿测•买测", "Ｃｅ ｊｉａ", "e\u0301", "ſ", "㍿", "\U0001F9D1\u200d"}, someNames...) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := match.NormaliseName(s)
		if again := match.NormaliseName(n); again != n {
			t.Errorf("N(N(x)) = %q, N(x) = %q", again, n)
		}
	})
}

func FuzzFind(f *testing.F) {
	x := index(person(1, "测甲一", idP1, "1900-01-15"), doc(2, strong("uscc", uscc), strong("passport", "FRA:AB12345")))
	f.Add("测甲一", "1900-01-15", "RIC", idP1, "15400000001", uscc, docNo)
	f.Add("", "", "", "320623190001159017", "", "", "")
	f.Add("x", "1900-13-01", "PPT", "AB12345", "+86", "\x00", "〔〕")
	f.Fuzz(func(t *testing.T, name, birth, typ, id, phone, code, no string) {
		for _, c := range x.Find(match.Query{Name: name, BirthDate: birth, IDType: typ, IDNo: secret(id), Phone: secret(phone), USCC: secret(code), DocNo: secret(no)}) {
			if c.Outcome != match.Hit && c.Outcome != match.Possible {
				t.Errorf("outcome %q", c.Outcome)
			}
		}
	})
}
