package identifier_test

import (
	"testing"
	"time"

	id "github.com/pilinhub/pilin/schemas/identifier"
)

var asOf = id.Date{Year: 2026, Month: time.March, Day: 13}

type want struct {
	in      string
	quality id.Quality
	reason  id.Reason
	norm    string // empty: not compared
}

func check(t *testing.T, got id.Parsed, w want) {
	t.Helper()
	if got.Quality != w.quality || got.Reason != w.reason {
		t.Errorf("%q: %v %q, want %v %q", w.in, got.Quality, got.Reason, w.quality, w.reason)
	}
	if w.norm != "" && got.Normalised != w.norm {
		t.Errorf("%q: normalised %q, want %q", w.in, got.Normalised, w.norm)
	}
	if got.Raw != w.in {
		t.Errorf("%q: raw %q was not kept", w.in, got.Raw)
	}
	if (got.Quality == id.Valid) != (got.Reason == "") {
		t.Errorf("%q: quality %v with reason %q", w.in, got.Quality, got.Reason)
	}
}

func TestResidentID(t *testing.T) {
	for _, w := range []want{
		{"310116190001010016", id.Valid, "", "310116190001010016"},
		{"310117190003030244", id.Valid, "", ""},
		{"33048219000202013X", id.Valid, "", "33048219000202013X"},
		{"33048219000202013x", id.Valid, "", "33048219000202013X"},
		{"330482 19000202 013X", id.Valid, "", "33048219000202013X"},
		{"33048219000202013Ｘ", id.Valid, "", "33048219000202013X"},
		{"３３０４８２１９０００２０２０１３Ⅹ", id.Valid, "", "33048219000202013X"},
		{"33048219000202013×", id.Suspect, id.ReasonCheckForm, "33048219000202013X"},
		{"33048219000202013*", id.Suspect, id.ReasonCheckForm, "33048219000202013X"},
		{"31011619000101001×", id.Invalid, id.ReasonCheckDigit, ""},
		{"310116190001010017", id.Invalid, id.ReasonCheckDigit, "310116190001010017"},
		{"310116190001010106", id.Invalid, id.ReasonCheckDigit, ""},
		{"310116190002300015", id.Invalid, id.ReasonDate, ""},
		{"310116190002299018", id.Invalid, id.ReasonDate, ""},
		{"999999190001010015", id.Suspect, id.ReasonRegion, ""},
		{"931840190001019015", id.Suspect, id.ReasonRegion, ""}, // a foreign permanent resident's, not a region
		{"3.10116E+17", id.Invalid, id.ReasonExcel, ""},
		{"310116000101001", id.Valid, "", "310116190001010016"},
		{"320623000115901", id.Valid, "", "320623190001159016"},
		{"320623000115997", id.Suspect, id.ReasonCentury, ""},
		{"113101170000900343", id.Invalid, id.ReasonDate, ""}, // a USCC that satisfies MOD 11-2
		{"31011618991231001X", id.Invalid, id.ReasonTooEarly, ""},
		{"310116202612310019", id.Invalid, id.ReasonFuture, ""},
		{"", id.Invalid, id.ReasonEmpty, ""},
		{"  \t", id.Invalid, id.ReasonControl, ""},
		{"  ", id.Invalid, id.ReasonEmpty, ""},
		{"31011619000101001", id.Invalid, id.ReasonLength, ""},
		{"31011619000101OO16", id.Invalid, id.ReasonPattern, ""},
		{"31011619000101001\u0000", id.Invalid, id.ReasonControl, ""},
		{"\u202e310116190001010016", id.Invalid, id.ReasonBidi, "310116190001010016"},
		{"310116\u200b190001010016", id.Invalid, id.ReasonHidden, "310116190001010016"},
		{"310116190001010016\ufe0f", id.Invalid, id.ReasonHidden, ""},
		{"310116190001010016\U000e0041", id.Invalid, id.ReasonHidden, ""},
		{"33048219000202013\u0425", id.Invalid, id.ReasonScript, ""}, // Cyrillic Х
		{"٣10116190001010016", id.Invalid, id.ReasonScript, ""},
	} {
		check(t, id.ParseResidentID(w.in, asOf).Parsed, w)
	}
	// Everybody of the demo's cast (domain.md §7.1).
	for in, sex := range map[string]id.Sex{"320623190001159016": "1", "340123190001159055": "1", "330482190102209028": "2",
		"310117190203259035": "1", "310118190304309042": "2", "320509190506069072": "1", "310116190001010016": "1", "310117190003030244": "2"} {
		got := id.ParseResidentID(in, asOf)
		if got.Quality != id.Valid || got.Sex != sex {
			t.Errorf("%s: %v sex %s, want valid sex %s", in, got.Quality, got.Sex, sex)
		}
	}
	got := id.ParseResidentID("310116000101001", asOf)
	if got.Old15 != "310116000101001" || got.Birth.String() != "1900-01-01" || got.Region != "310116" {
		t.Errorf("15 digits: %+v", got)
	}
	if c, ok := id.ResidentCheck("31011619000101001"); !ok || c != '6' {
		t.Errorf("ResidentCheck = %c %v", c, ok)
	}
	if c, _ := id.ResidentCheck("31011619000101010"); c != '4' {
		t.Errorf("ResidentCheck of the swapped number = %c, want 4", c)
	}
}

func TestResidencePermit(t *testing.T) {
	for _, w := range []want{
		{"810000190001019012", id.Valid, "", ""},
		{"820000190001019022", id.Valid, "", ""},
		{"830000190001019032", id.Valid, "", ""},
		{"810000190001019013", id.Invalid, id.ReasonCheckDigit, ""},
		{"310116190001010016", id.Invalid, id.ReasonPattern, ""},
		{"810000000101901", id.Invalid, id.ReasonLength, ""},
	} {
		check(t, id.ParseResidencePermit(w.in, asOf).Parsed, w)
	}
}

func TestPermits(t *testing.T) {
	for _, w := range []struct {
		want
		parse func(string, id.Date) id.Document
		key   string
	}{
		{want{"H00000001", id.Valid, "", ""}, id.ParseHKMacauPermit, "H00000001"},
		{want{"H0000000102", id.Valid, "", ""}, id.ParseHKMacauPermit, "H00000001"},
		{want{"h 0000 0001", id.Valid, "", "H00000001"}, id.ParseHKMacauPermit, "H00000001"},
		{want{"K00000001", id.Invalid, id.ReasonPattern, ""}, id.ParseHKMacauPermit, ""},
		{want{"H0000001", id.Invalid, id.ReasonPattern, ""}, id.ParseHKMacauPermit, ""},
		{want{"HA0000001", id.Suspect, id.ReasonSeries, ""}, id.ParseHKMacauPermit, ""},
		{want{"Н00000001", id.Invalid, id.ReasonScript, ""}, id.ParseHKMacauPermit, ""}, // Cyrillic Н
		{want{"00000001", id.Valid, "", ""}, id.ParseTaiwanPermit, "00000001"},
		{want{"0000000102(B)", id.Valid, "", ""}, id.ParseTaiwanPermit, "00000001"},
		{want{"0000000102（B）", id.Valid, "", "0000000102(B)"}, id.ParseTaiwanPermit, "00000001"},
		{want{"0000001", id.Invalid, id.ReasonPattern, ""}, id.ParseTaiwanPermit, ""},
		{want{"931840190001019015", id.Valid, "", ""}, id.ParseForeignResident, "931840190001019015"},
		{want{"931840190001019010", id.Invalid, id.ReasonCheckDigit, ""}, id.ParseForeignResident, ""},
		{want{"USA310000000001", id.Valid, "", ""}, id.ParseForeignResident, "USA310000000001"},
		{want{"310116190001010016", id.Invalid, id.ReasonPattern, ""}, id.ParseForeignResident, ""},
	} {
		got := w.parse(w.in, asOf)
		check(t, got.Parsed, w.want)
		if got.Key != w.key {
			t.Errorf("%q: key %q, want %q", w.in, got.Key, w.key)
		}
	}
}

func TestPassport(t *testing.T) {
	for _, w := range []struct {
		want
		country, key string
	}{
		{want{"E99999999", id.Valid, "", ""}, "CHN", "CHN:E99999999"},
		{want{"e99999999", id.Valid, "", "E99999999"}, "chn", "CHN:E99999999"},
		{want{"E9999 9999-", id.Invalid, id.ReasonPattern, ""}, "CHN", ""},
		{want{"E99999999", id.Invalid, id.ReasonCountry, ""}, "", ""},
		{want{"AB12345", id.Valid, "", ""}, "FRA", "FRA:AB12345"},
		{want{"1234", id.Invalid, id.ReasonPattern, ""}, "FRA", ""},
		{want{"X1234567", id.Suspect, id.ReasonSeries, ""}, "CHN", ""},
	} {
		got := id.ParsePassport(w.in, w.country, asOf)
		check(t, got.Parsed, w.want)
		if got.Key != w.key {
			t.Errorf("%q: key %q, want %q", w.in, got.Key, w.key)
		}
	}
	if d, ok := id.MRZCheckDigit("E99999999"); !ok || d != 2 {
		t.Errorf("MRZ check digit = %d %v, want 2", d, ok)
	}
}

func TestUSCC(t *testing.T) {
	for _, w := range []want{
		{"91310116MAXXXX015B", id.Valid, "", ""},
		{"９１３１０１１６maxxxx015b", id.Valid, "", "91310116MAXXXX015B"},
		{"92330482MAXXXX023D", id.Valid, "", ""},
		{"123101160000000199", id.Valid, "", ""},
		{"91310116MAXXXX015C", id.Invalid, id.ReasonCheckDigit, ""},
		{"91310116MAXXXX010B", id.Invalid, id.ReasonCheckDigit, ""},
		{"9131O116MAXXXX015B", id.Invalid, id.ReasonLetter, ""},
		{"91350100M000100Y4Z", id.Invalid, id.ReasonLetter, ""},
		{"91350100M000100Y43", id.Valid, "", ""},
		{"113101170000900343", id.Valid, "", ""},
		{"9131011МMAXXXX015B", id.Invalid, id.ReasonScript, ""},
		{"91310116MAXXXX01", id.Invalid, id.ReasonLength, ""},
		// The seven issuers of the demo (domain.md §7).
		{"11310116000090018Y", id.Valid, "", ""}, {"11310118000090077Y", id.Valid, "", ""}, {"113205090000900424", id.Valid, "", ""},
		{"11330400000090050U", id.Valid, "", ""}, {"113304210000900696", id.Valid, "", ""}, {"113304820000900264", id.Valid, "", ""},
	} {
		check(t, id.ParseUSCC(w.in, asOf).Parsed, w)
	}
	if got := id.ParseUSCC("92330482MAXXXX023D", asOf); got.Kind != "sole_trader" || got.Region != "330482" || got.Org != "MAXXXX023" {
		t.Errorf("%+v", got)
	}
	if c, ok := id.USCCCheck("91350100M000100Y4"); !ok || c != '3' {
		t.Errorf("check character of the published wrong example = %c, want 3", c)
	}
	// A code whose last character fits but whose organisation code does not.
	body := "91310116MAXXXX010"
	c, _ := id.USCCCheck(body)
	check(t, id.ParseUSCC(body+string(c), asOf).Parsed, want{body + string(c), id.Invalid, id.ReasonOrgCheckDigit, ""})
}

func TestPhone(t *testing.T) {
	for _, w := range []want{
		{"15400000001", id.Valid, "", "15400000001"},
		{"+86 154-0000-0001", id.Valid, "", "15400000001"},
		{"0086 15400000001", id.Valid, "", "15400000001"},
		{"１５４００００００００１", id.Invalid, id.ReasonLength, ""},
		{"１５４０００００００１", id.Valid, "", "15400000001"},
		{"0573-80000000", id.Valid, "", "057380000000"},
		{"+86 573 80000000", id.Valid, "", "057380000000"},
		{"+86-573-8000-0000", id.Valid, "", "057380000000"},
		{"+86 21 60000000", id.Valid, "", "02160000000"},
		{"(0573)80000000-123", id.Valid, "", "057380000000-123"},
		{"0573-8000000", id.Suspect, id.ReasonLocalLength, ""},
		{"12000000001", id.Invalid, id.ReasonPattern, ""},
		{"1540000001", id.Invalid, id.ReasonLength, ""},
		{"021-1234567", id.Invalid, id.ReasonPattern, ""},
		{"400-000-0000", id.Suspect, id.ReasonService, ""},
		{"12345", id.Suspect, id.ReasonService, ""},
		{"95599", id.Suspect, id.ReasonService, ""},
		{"+85260000000", id.Suspect, id.ReasonForeign, ""},
		{"1.54E+10", id.Invalid, id.ReasonExcel, ""},
		{"154000\u200b00001", id.Invalid, id.ReasonHidden, ""},
	} {
		check(t, id.ParsePhone(w.in, asOf).Parsed, w)
	}
}

func TestDocNo(t *testing.T) {
	for _, w := range []want{
		{"测金卫医罚〔2026〕9001号", id.Valid, "", "测金卫医罚〔2026〕9001"},
		{"测金卫医罚【2026】009001号", id.Valid, "", "测金卫医罚〔2026〕9001"},
		{"测金卫医罚［２０２６］第９００１号", id.Valid, "", "测金卫医罚〔2026〕9001"},
		{"测平卫医罚字(2024)第9002号", id.Valid, "", "测平卫医罚〔2024〕9002"},
		{"测（平）卫（医）罚字（2024）第（9002）号", id.Valid, "", "测平卫医罚〔2024〕9002"},
		{"测深卫医罚〔2020〕11-10", id.Valid, "", "测深卫医罚〔2020〕11-10"},
		{"测谢综处【2022】001号", id.Valid, "", "测谢综处〔2022〕1"},
		{"测 金 卫医罚 〔2026〕 9001 号", id.Valid, "", "测金卫医罚〔2026〕9001"},
		{"卫医罚9001", id.Invalid, id.ReasonPattern, ""},
		{"测金卫医罚〔26〕9001号", id.Suspect, id.ReasonYearForm, ""},
		{"测金卫医罚〔1826〕9001号", id.Invalid, id.ReasonPattern, ""},
		{"测金卫医罚〔2026〕9001\u202e号", id.Invalid, id.ReasonBidi, ""},
		{"", id.Invalid, id.ReasonEmpty, ""},
	} {
		check(t, id.ParseDocNo(w.in, id.Date{}).Parsed, w)
	}
	for year, q := range map[string]id.Quality{"2024": id.Invalid, "2025": id.Valid, "2026": id.Valid, "2027": id.Valid, "2028": id.Invalid} {
		if got := id.ParseDocNo("测金卫医罚〔"+year+"〕9001号", asOf); got.Quality != q {
			t.Errorf("year %s against %v: %v, want %v", year, asOf, got.Quality, q)
		}
	}
}

func TestCodes(t *testing.T) {
	for _, w := range []want{
		{"310116-01", id.Valid, "", ""}, {"３１０１１６－０１", id.Valid, "", "310116-01"}, {"310116–01", id.Valid, "", "310116-01"},
		{"31011601", id.Invalid, id.ReasonPattern, ""}, {"310116-1", id.Invalid, id.ReasonPattern, ""}, {"310116-01\n", id.Invalid, id.ReasonControl, ""},
	} {
		check(t, id.ParseMember(w.in, asOf).Parsed, w)
	}
	for _, w := range []want{
		{"310116-01-XC-20260313-001", id.Valid, "", ""}, {"310116-01-XC-20260314-001", id.Invalid, id.ReasonFuture, ""},
		{"310116-01-XC-20260230-001", id.Invalid, id.ReasonDate, ""}, {"310116-01-20260313-001", id.Invalid, id.ReasonPattern, ""},
	} {
		check(t, id.ParseSpotCheck(w.in, asOf).Parsed, w)
	}
	for _, w := range []want{{"99000000001", id.Valid, "", ""}, {"99000", id.Invalid, id.ReasonPattern, ""}, {"9900000000１", id.Valid, "", "99000000001"}} {
		check(t, id.ParseCertificate(w.in, asOf).Parsed, w)
	}
}

func TestName(t *testing.T) {
	for _, w := range []struct{ in, norm, mask string }{
		{"测甲一", "测甲一", "测某某"},
		{"测 甲 一", "测甲一", "测某某"},
		{"测", "测", "测某某"},
		{"欧阳测", "欧阳测", "欧某某"},
		{"测吐尔逊•测提", "测吐尔逊·测提", "测某某"},
		{"测吐尔逊．测提", "测吐尔逊·测提", "测某某"},
		{"𠮷测", "𠮷测", "𠮷某某"},
		{"\ue000测", "\ue000测", "测某某"},
		{"Ce  Jia", "CE JIA", "C某某"},
		{"\u200b测甲", "测甲", "测某某"},
		{"'; drop table", "'; DROP TABLE", "d某某"},
		{"", "", "某某某"},
	} {
		got := id.ParseName(w.in)
		if got.Normalised != w.norm || id.MaskName(w.in) != w.mask {
			t.Errorf("%q: %q %q, want %q %q", w.in, got.Normalised, id.MaskName(w.in), w.norm, w.mask)
		}
	}
	for in, q := range map[string]id.Quality{"测?一": id.Suspect, "测□": id.Suspect, "测〇一": id.Valid, " ": id.Invalid} {
		if got := id.ParseName(in); got.Quality != q {
			t.Errorf("%q: %v, want %v", in, got.Quality, q)
		}
	}
	if f := id.TextFlags("\u202e测\ue000\u200b□e\u0301\u0410"); len(f) != 6 {
		t.Errorf("flags %v, want all six", f)
	}
}

func TestDocumentByType(t *testing.T) {
	for _, w := range []struct{ typ, country, in, kind, key string }{
		{"RIC", "", "310116000101001", "resident_id", "310116190001010016"},
		{"PPT", "CHN", "E99999999", "passport", "CHN:E99999999"},
		{"HMP", "", "H0000000102", "hk_macau_permit", "H00000001"},
		{"TWP", "", "0000000102(B)", "taiwan_permit", "00000001"},
		{"HMR", "", "810000190001019012", "residence_permit", "810000190001019012"},
		{"FPR", "", "931840190001019015", "foreign_resident", "931840190001019015"},
		{"RIC", "", "931840190001019015", "resident_id", ""},
		{"MIL", "", "测字第0000001号", "other_document", ""},
	} {
		got := id.ParseDocument(w.typ, w.country, w.in, asOf)
		if got.Kind != w.kind || got.Key != w.key {
			t.Errorf("%s %s: %q %q, want %q %q", w.typ, w.in, got.Kind, got.Key, w.kind, w.key)
		}
	}
}

func TestRegions(t *testing.T) {
	for code, want := range map[string]id.Region{
		"310116": {Name: "金山区", Province: "上海"}, "320584": {Name: "吴江市", Province: "江苏", Successor: "320509"}, "110101": {Province: "北京"},
	} {
		if got, ok := id.LookupRegion(code); !ok || got != want {
			t.Errorf("%s: %+v %v", code, got, ok)
		}
	}
	for _, code := range []string{"999999", "931840", "31011", "3101x6", "810000"} {
		if _, ok := id.LookupRegion(code); ok {
			t.Errorf("%s is no region", code)
		}
	}
}

func TestMinor(t *testing.T) {
	birth, _ := id.ParseDate("2012-03-13")
	for day, want := range map[string]id.MinorClass{
		"2026-03-12": id.Child, "2026-03-13": id.Child, "2026-03-14": id.Youth, "2030-03-13": id.Youth, "2030-03-14": id.Adult, "": id.Adult,
	} {
		d, _ := id.ParseDate(day)
		if got := id.Minor(birth, d); got != want {
			t.Errorf("born %v, act %q: class %d, want %d", birth, day, got, want)
		}
	}
}

func TestDate(t *testing.T) {
	for _, bad := range []string{"2025-02-29", "0000-00-00", "99999-01-01", "2025/01/02", "2025-1-2", "1900-02-29", "", "2025-13-01", "２０２５-01-01"} {
		if d, err := id.ParseDate(bad); err == nil {
			t.Errorf("%q read as %v", bad, d)
		}
	}
	d, _ := id.ParseDate("2024-02-29")
	if got := d.AddDays(1).String() + d.AddYears(1).String() + d.AddYears(-60).String(); got != "2024-03-012025-02-281964-02-29" {
		t.Error(got)
	}
	if n := d.DaysUntil(id.Date{Year: 2024, Month: 3, Day: 31}); n != 31 {
		t.Errorf("days = %d", n)
	}
	if (id.Date{}).Before(d) || d.Before(id.Date{}) {
		t.Error("no day is before or after anything")
	}
}
