package transfer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/transfer"
)

func TestCount_levels(t *testing.T) {
	none := func(*transfer.Person) {}
	typ := func(t, no string) func(p *transfer.Person) {
		return func(p *transfer.Person) { p.IDType, p.IDNo, p.IDCountry = t, no, "CHN" }
	}
	phone := func(no, from, to string) func(p *transfer.Person) {
		return func(p *transfer.Person) {
			p.IDNo, p.HukouRegion, p.Phones = "", "", []transfer.Phone{{No: no, From: day(from), To: day(to)}}
		}
	}
	link := []transfer.Link{{A: transfer.Document{Type: "HMP", No: "H90000001"}, B: transfer.Document{Type: "HMR", No: "810000190001019012"}, ApprovedBy: "法制-01"}}
	for _, c := range []struct {
		name        string
		s, r        func(p *transfer.Person)
		links       []transfer.Link
		photo, want string
	}{
		{"equal", none, none, nil, "", "R1"},
		{"15 digits", typ("RIC", "320623000115901"), none, nil, "", "R1"},
		{"zero width in the number", typ("RIC", p1+"\u200b"), typ("RIC", "\ufeff"+p1), nil, "", "R1"}, // §3 rule 2
		{"a tab pasted after the number", none, typ("RIC", p1+"\t"), nil, "", "R1"},                   // §3 rule 2
		{"a sign that turns the text", typ("RIC", p1+"\u202e"), none, nil, "", "R2"},
		{"old number", func(p *transfer.Person) { p.IDNo, p.IDNoOld = "", "320623000115901" }, none, nil, "", "R1"},
		{"full-width X is X", typ("RIC", "33048219000202013Ｘ"), typ("RIC", "33048219000202013x"), nil, "", "R1"},
		{"a cross is suspect", typ("RIC", "33048219000202013×"), typ("RIC", "33048219000202013X"), nil, "", "R2"},
		{"wrong check digit on both sides", typ("RIC", "320623190001159017"), typ("RIC", "320623190001159017"), nil, "", "R2"},
		{"letter O", typ("RIC", "32O623190001159016"), none, nil, "", "R2"},
		{"no type", typ("", p1), none, nil, "", "R2"},
		{"other type", typ("HMR", "810000190001019012"), typ("TWR", "810000190001019012"), nil, "", "R2"},
		{"military numbers are never exact", typ("MIL", "12345678"), typ("MIL", "12345678"), nil, "", "R2"},
		{"Taiwan permit on eight", typ("TWP", "00000001"), typ("TWP", "0000000102(B)"), nil, "", "R1"},
		{"passport", typ("PPT", "E99999999"), typ("PPT", "e99999999"), nil, "", "R1"},
		{"another passport", typ("PPT", "E99999999"), typ("PPT", "E99999998"), nil, "", "R2"},
		{"passport without country", func(p *transfer.Person) { p.IDType, p.IDNo = "PPT", "E99999999" }, typ("PPT", "E99999999"), nil, "", "R2"},
		{"another resident number", none, typ("RIC", p2), nil, "", "R3"},
		{"another permit", typ("HMP", "H90000001"), typ("HMP", "H90000002"), nil, "", "R3"},
		{"linked", typ("HMP", "H9000000102"), typ("HMR", "810000190001019012"), link, "", "R1L"},
		{"linked the other way", typ("HMR", "810000190001019012"), typ("HMP", "H90000001"), link, "", "R1L"},
		{"linked, self-stated", typ("HMP", "H9000000102"), func(p *transfer.Person) {
			typ("HMR", "810000190001019012")(p)
			p.IDQuality = transfer.SelfStated
		}, link, "", "R2"},
		{"other numbers linked", typ("HMP", "H90000002"), typ("HMR", "810000190001019012"), link, "", "R2"},
		{"two lifelong numbers linked", none, typ("RIC", p2), []transfer.Link{{A: transfer.Document{Type: "RIC", No: p1}, B: transfer.Document{Type: "RIC", No: p2}, ApprovedBy: "x"}}, "", "R3"},
		{"self-stated question", func(p *transfer.Person) { p.IDQuality = transfer.SelfStated }, none, nil, "", "R2"},
		{"quality unknown", func(p *transfer.Person) { p.IDQuality = "unknown" }, none, nil, "", "R1"},
		{"other sex", none, func(p *transfer.Person) { p.Sex = "2" }, nil, "", "RX"},
		{"other sex, self-stated", none, func(p *transfer.Person) { p.Sex, p.IDQuality = "2", transfer.SelfStated }, nil, "", "RX"},
		{"sex not stated", none, func(p *transfer.Person) { p.Sex = "9" }, nil, "", "R1"},
		{"other year", none, func(p *transfer.Person) { p.Birth = transfer.Birth{Year: 1901} }, nil, "", "RX"},
		{"same year", none, func(p *transfer.Person) { p.Birth = transfer.Birth{Year: 1900} }, nil, "", "R1"},
		{"other day", none, func(p *transfer.Person) { p.Birth.Day = day("1900-01-16") }, nil, "", "RX"},
		{"traditional characters", func(p *transfer.Person) { p.Name = "測張偉" }, func(p *transfer.Person) { p.Name = "测张伟" }, nil, "", "R1"}, // §3.10
		{"a name that sounds the same", func(p *transfer.Person) { p.Name = "测张玮" }, func(p *transfer.Person) { p.Name = "测张伟" }, nil, "", "RX"},
		{"other name", none, func(p *transfer.Person) { p.Name = "测乙二" }, nil, "", "RX"},
		{"variant", none, func(p *transfer.Person) { p.Name, p.NameVariants = "测乙二", []string{"测 甲一"} }, nil, "", "R1"},
		{"conflict with a link", none, func(p *transfer.Person) { p.Sex = "2" },
			[]transfer.Link{{A: transfer.Document{Type: "RIC", No: p1}, B: transfer.Document{Type: "RIC", No: p1}, ApprovedBy: "x"}}, "", "RX"},
		{"facts and home", typ("", ""), none, nil, "", "R2"},
		{"facts without home", func(p *transfer.Person) { p.IDNo, p.HukouRegion = "", "" }, none, nil, "", "R3"},
		{"facts and photo", func(p *transfer.Person) { p.IDNo, p.HukouRegion = "", "" }, none, nil, "99000000001 99000000002", "R2"},
		{"photo by one officer", func(p *transfer.Person) { p.IDNo, p.HukouRegion = "", "" }, none, nil, "99000000001 99000000001", "R3"},
		{"year only", func(p *transfer.Person) { p.IDNo, p.Birth = "", transfer.Birth{Year: 1900} }, none, nil, "", "R3"},
		{"sex unknown", func(p *transfer.Person) { p.IDNo, p.Sex = "", "0" }, none, nil, "", "R3"},
		{"phone in period", phone("154 0000 0001", "2025-01-01", ""), phone("+8615400000001", "2020-01-01", "2025-01-01"), nil, "", "R2"},
		{"phone out of period", phone("15400000001", "2025-01-02", ""), phone("15400000001", "2020-01-01", "2025-01-01"), nil, "", "R3"},
		{"phone of tomorrow", phone("15400000001", "2026-03-14", ""), phone("15400000001", "", ""), nil, "", "R3"},
		{"name alone", func(p *transfer.Person) { *p = transfer.Person{Name: "测甲一"} }, none, nil, "", "R3"},
		{"phone alone", func(p *transfer.Person) { *p = transfer.Person{Phones: []transfer.Phone{{No: "15400000001"}}} },
			func(p *transfer.Person) { p.Phones = []transfer.Phone{{No: "15400000001"}} }, nil, "", "R3"},
		{"nobody", func(p *transfer.Person) { *p = transfer.Person{Name: "测乙二"} }, none, nil, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, p := subject(), b()
			c.s(&s)
			c.r(&p.Respondent)
			p.PhotoComparedBy = strings.Fields(c.photo)
			if l := transfer.Examine(&s, &p, c.links, day("2026-03-13")); string(l.Level) != c.want {
				t.Errorf("got %q, want %q (%v agree, %v disagree)", l.Level, c.want, l.Agreed, l.Disagreed)
			}
		})
	}
	if shown := fmt.Sprintf("%v %+v %#v %s", b(), question(nil, b()), subject(), transfer.Document{Type: "RIC", No: p1}); strings.Contains(shown, p1) || strings.Contains(shown, "测甲一") {
		t.Error("printing a question shows the person")
	}
}
