package identifier_test

import (
	"testing"

	id "github.com/pilinhub/pilin/schemas/identifier"
)

func TestPlate(t *testing.T) {
	for _, w := range []want{
		{"浙F00000", id.Valid, "", "浙F00000"},
		{"浙f·00000", id.Valid, "", "浙F00000"},
		{"浙 F 00-000", id.Valid, "", "浙F00000"},
		{"沪AD00000", id.Valid, "", "沪AD00000"},
		{"沪AB00000", id.Valid, "", "沪AB00000"},
		{"苏E00000F", id.Valid, "", "苏E00000F"},
		{"浙F0000挂", id.Suspect, id.ReasonSeries, "浙F0000挂"},
		{"浙FI0000", id.Invalid, id.ReasonLetter, "浙FI0000"},
		{"浙FI00000", id.Invalid, id.ReasonPattern, ""},
		{"浙F0I000", id.Invalid, id.ReasonLetter, "浙F0I000"},
		{"浙F0000O", id.Invalid, id.ReasonLetter, ""},
		{"沪A0000", id.Invalid, id.ReasonPattern, ""},
		{"F浙00000", id.Invalid, id.ReasonPattern, ""},
		{"样A00000", id.Invalid, id.ReasonPattern, ""},
		{"浙F0\u200b0000", id.Invalid, id.ReasonHidden, ""},
		{"", id.Invalid, id.ReasonEmpty, ""},
	} {
		check(t, id.ParsePlate(w.in, asOf).Parsed, w)
	}
	for in, energy := range map[string]string{"浙F00000": "", "沪AD00000": "small", "苏E00000F": "large"} {
		if got := id.ParsePlate(in, asOf).Energy; got != energy {
			t.Errorf("%s: energy %q, want %q", in, got, energy)
		}
	}
}
