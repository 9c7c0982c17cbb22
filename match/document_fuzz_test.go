package match

import (
	"slices"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// FuzzSetNumber: a number in its canonical text asks for the same as it was typed, and what identifies is never only in
// doubt.
func FuzzSetNumber(f *testing.F) {
	for _, idType := range []string{"", identifier.TypeResident, identifier.TypePassport, identifier.TypeHKMacau, identifier.TypeTaiwan, identifier.TypeHKResidence, identifier.TypeForeign, "XXX"} {
		f.Add(idType, "CHN", "E00000000")
		f.Add(idType, "", "31011619000101001x")
		f.Add(idType, "GBR", "H 0000 0000 (01)")
	}
	day := identifier.Date{Year: 2026, Month: 1, Day: 1}
	f.Fuzz(func(t *testing.T, idType, country, number string) {
		var q Question
		q.SetNumber(idType, country, number, day)
		for _, d := range q.Documents {
			kind, value, _ := strings.Cut(d, ":")
			if !IdentifiesPerson(kind) || value == "" || !slices.Contains(q.Doubtful, anyKind+":"+value) {
				t.Fatalf("%q %q %q asks for %q, in doubt %q", idType, country, number, q.Documents, q.Doubtful)
			}
		}
		if number == "" && (q.ID != "" || len(q.Documents)+len(q.Doubtful) > 0) {
			t.Fatalf("nothing asks for %q %q", q.Documents, q.Doubtful)
		}
		kind := idType
		if kind == "" {
			kind = identifier.TypeResident
		}
		p := identifier.ParseDocument(kind, country, number, day)
		if p.Quality == identifier.Invalid {
			return // it has no canonical text
		}
		var again Question
		again.SetNumber(idType, country, p.Normalised, day)
		if !slices.Equal(again.Documents, q.Documents) || !slices.Equal(again.Doubtful, q.Doubtful) {
			t.Fatalf("%q asks for %q, in doubt %q; its canonical text %q for %q, in doubt %q", number, q.Documents, q.Doubtful, p.Normalised, again.Documents, again.Doubtful)
		}
	})
}

// FuzzSetCodes: the same of codes. A decision is identified by its issuer and number together, never by one of them.
func FuzzSetCodes(f *testing.F) {
	f.Add("91310000000000000X", "样卫罚〔2026〕1号")
	f.Add("9131 0000 0000 0000 0x", "样卫罚[2026]001号")
	f.Add("", "〔〕")
	day := identifier.Date{Year: 2026, Month: 1, Day: 1}
	f.Fuzz(func(t *testing.T, uscc, docNo string) {
		var q, again Question
		q.SetCodes(uscc, docNo, day)
		u, n := identifier.ParseUSCC(uscc, day), identifier.ParseDocNo(docNo, identifier.Date{})
		for _, d := range q.Documents {
			if u.Quality != identifier.Valid || strings.HasPrefix(d, kindDecision+":") && n.Quality != identifier.Valid {
				t.Fatalf("%q %q asks for %q", uscc, docNo, q.Documents)
			}
		}
		if u.Quality == identifier.Invalid || n.Quality == identifier.Invalid {
			return // no canonical text
		}
		again.SetCodes(u.Normalised, n.Normalised, day)
		if !slices.Equal(again.Documents, q.Documents) || !slices.Equal(again.Doubtful, q.Doubtful) {
			t.Fatalf("%q %q asks for %q, in doubt %q; %q %q for %q, in doubt %q", uscc, docNo, q.Documents, q.Doubtful, u.Normalised, n.Normalised, again.Documents, again.Doubtful)
		}
	})
}
