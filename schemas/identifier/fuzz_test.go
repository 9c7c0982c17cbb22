package identifier_test

import (
	"testing"
	"unicode/utf8"

	id "github.com/pilinhub/pilin/schemas/identifier"
)

// readers are all readers with one shape, so that each promise is tested on each of them.
var readers = map[string]func(string) id.Parsed{
	"resident":    func(s string) id.Parsed { return id.ParseResidentID(s, asOf).Parsed },
	"residence":   func(s string) id.Parsed { return id.ParseResidencePermit(s, asOf).Parsed },
	"uscc":        func(s string) id.Parsed { return id.ParseUSCC(s, asOf).Parsed },
	"phone":       func(s string) id.Parsed { return id.ParsePhone(s, asOf).Parsed },
	"plate":       func(s string) id.Parsed { return id.ParsePlate(s, asOf).Parsed },
	"doc_no":      func(s string) id.Parsed { return id.ParseDocNo(s, asOf).Parsed },
	"hk_macau":    func(s string) id.Parsed { return id.ParseHKMacauPermit(s, asOf).Parsed },
	"taiwan":      func(s string) id.Parsed { return id.ParseTaiwanPermit(s, asOf).Parsed },
	"foreign":     func(s string) id.Parsed { return id.ParseForeignResident(s, asOf).Parsed },
	"passport":    func(s string) id.Parsed { return id.ParsePassport(s, "CHN", asOf).Parsed },
	"other":       func(s string) id.Parsed { return id.ParseDocument("MIL", "", s, asOf).Parsed },
	"name":        func(s string) id.Parsed { return id.ParseName(s).Parsed },
	"member":      func(s string) id.Parsed { return id.ParseMember(s, asOf).Parsed },
	"certificate": func(s string) id.Parsed { return id.ParseCertificate(s, asOf).Parsed },
	"spot_check":  func(s string) id.Parsed { return id.ParseSpotCheck(s, asOf).Parsed },
}

// FuzzReaders: no reader panics; normalising twice is normalising once; a valid identifier stays valid and the same when
// its canonical form is read; quality and reason agree.
func FuzzReaders(f *testing.F) {
	for _, s := range []string{"", "310116190001010016", "33048219000202013×", "310116000101001", "3.10116E+17", "91310116MAXXXX015B",
		"+86+8615400000001", "+86 573 8000-0000-12", "0086008615400000001", "测金卫医罚字(2026)第(0090)号号", "(金)卫〔〔26〕〕1", "字〔2024〕1",
		"H0000000102", "0000000102(B)", "E9999 9999-", "310116-01-XC-20260313-001", "\u202e1", "ﬁ\u0301\u200b\u0327", "\u1e9b\u0323", "測.甲•乙", "￼\xff", "\u00a8\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 300 {
			return
		}
		for name, read := range readers {
			once := read(s)
			if once.Raw != s {
				t.Errorf("%s(%q) keeps raw %q", name, s, once.Raw)
			}
			if (once.Quality == id.Valid) != (once.Reason == "") {
				t.Errorf("%s(%q): %v with reason %q", name, s, once.Quality, once.Reason)
			}
			twice := read(once.Normalised)
			if utf8.ValidString(s) && twice.Normalised != once.Normalised {
				t.Errorf("%s(%q): %q, again %q", name, s, once.Normalised, twice.Normalised)
			}
			if once.Quality == id.Valid && twice.Quality != id.Valid {
				t.Errorf("%s(%q) is valid, its canonical form %q is %v %q", name, s, once.Normalised, twice.Quality, twice.Reason)
			}
		}
		if n := id.Normalise(s); id.Normalise(n) != n {
			t.Errorf("Normalise(%q) = %q, again %q", s, n, id.Normalise(n))
		}
		id.MaskName(s)
		id.TextFlags(s)
		_, _ = id.ParseDate(s)
		id.MRZCheckDigit(s)
	})
}
