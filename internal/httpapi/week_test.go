package httpapi_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/internal/auth"
)

// A week's roster typed into the template goes in like every spreadsheet, one record a week, and names who is on duty; a week
// with one bad row stays out as a whole and comes back in the person's own file.
func TestImport_a_duty_roster_from_the_template(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	ctx := t.Context()
	officer, law, liaison := o.client(t, "w.officer", auth.Officer), o.client(t, "w.law", auth.LegalReviewer), o.client(t, "w.liaison", auth.Liaison)

	empty, err := officer.ImportTemplate(ctx, "duty_roster")
	must(t, err)
	x, err := excelize.OpenReader(bytes.NewReader(empty))
	must(t, err)
	if lists, err := x.GetDataValidations("数据"); err != nil || len(lists) != 2 {
		t.Errorf("%d drop-downs %v", len(lists), err)
	}
	put := func(row int, cells ...any) {
		t.Helper()
		must(t, x.SetSheetRow("数据", fmt.Sprint("A", row), &cells))
	}
	// Friday the 13th stands in the week of the 9th; the clock of the tests is 17:30 on that day.
	put(2, "2026-03-13", "8:30", "17:30", "测值甲", "测值乙", "0573-80000000", "15400000003")
	put(3, "2026年3月13日", 17.5/24, 8.5/24, "测值丙")
	put(4, "2026-03-14", "08点30分", "24:00", "测值丁", "", "0573-80000000")
	put(5, "2026-03-16", "08:30", "半夜", "测值甲", "", "0573-80000000", "15400000003")
	put(6, "2026-03-17", "08:30", "17:30", "测值乙")
	put(7, "2026-03-18", "08:30", "17:30", "", "", "0573-80000001")
	put(8, "2026-03-17", "08:30", "20:00", "测值丙")
	put(9, "2026-03-23", "08:30", "17:30", "测值甲", "", "0573-80000000")
	put(10, "2026-03-30", "24:00", "08:30", "测值甲", "", "0573-80000000", "15400000003") // of the 31st: read as the 30th it would be a day early
	var b bytes.Buffer
	must(t, x.Write(&b))

	imp, err := officer.UploadImport(ctx, b.Bytes(), "duty_roster", "")
	must(t, err)
	imp, err = officer.WaitImport(ctx, imp.ID, nil)
	must(t, err)
	rows, err := officer.ImportRows(ctx, imp.ID, "", "")
	must(t, err)
	want := map[int]string{2: "ok  []", 3: "ok part []", 4: "ok part []", 5: "problem  [C:clock_invalid]", 6: "problem  [:week_incomplete]", 7: "problem  [F:week_differs D:null_not_allowed]",
		8: "problem  [B:shift_twice]", 9: "problem  [G:required]", 10: "problem  [B:clock_begins_24]"}
	for _, r := range rows {
		var codes []string
		for _, i := range r.Issues {
			codes = append(codes, i.Column+":"+i.Code)
			if i.Detail == "" || i.Detail == "内容有误" || i.DetailEn == "" {
				t.Errorf("%+v", i)
			}
		}
		got := fmt.Sprint(r.State, " ", r.Step, " ", codes)
		if r.Row == 7 && got == "problem  [D:null_not_allowed F:week_differs]" {
			got = want[7]
		}
		if got != want[r.Row] {
			t.Errorf("row %d: %s, want %s", r.Row, got, want[r.Row])
		}
		delete(want, r.Row)
	}
	if len(want) > 0 || imp.Work.State != "done" || len(imp.Missing) > 0 {
		t.Errorf("%+v, not told: %v", imp, want)
	}
	copied, err := officer.ImportCopy(ctx, imp.ID)
	must(t, err)
	y, err := excelize.OpenReader(bytes.NewReader(copied))
	must(t, err)
	last, err := y.GetRows("数据")
	must(t, err)
	if got := strings.Join(last[4], "|"); !strings.Contains(got, "C「止*」") || !strings.Contains(got, "请写成 08:30") {
		t.Errorf("the file that comes back: %s", got)
	}

	imp, err = officer.CommitImport(ctx, imp.ID)
	must(t, err)
	step := func(d *client.Desk, name string) {
		t.Helper()
		imp, err = d.WaitImport(ctx, imp.ID, nil)
		must(t, err)
		if name == "" {
			return
		}
		imp, err = d.StepImport(ctx, imp.ID, name, client.Review{FileHash: imp.FileHash, Rows: 1})
		must(t, err)
	}
	step(law, "approve")
	step(liaison, "publish")
	step(liaison, "")
	if imp.Counts.Published != 1 || imp.Counts.Problem != 6 {
		t.Errorf("%+v", imp.Counts)
	}
	_, err = officer.CommitImport(ctx, imp.ID)
	wantProblem(t, err, 409, "batch_empty")

	page, err := liaison.List(ctx, client.Rosters, client.Filter{})
	must(t, err)
	if len(page.Rows) != 1 || page.Rows[0].ValidUntil != "2026-03-15" {
		t.Fatalf("%+v", page.Rows)
	}
	e, err := liaison.Entry(ctx, client.Rosters, page.Rows[0].ID)
	must(t, err)
	for _, s := range []string{`"week":"2026-W11"`, `{"date":"2026-03-13","from":"08:30","to":"17:30","person":"测值甲","deputy":"测值乙"}`,
		`{"date":"2026-03-13","from":"17:30","to":"08:30","person":"测值丙"}`, `{"date":"2026-03-14","from":"08:30","to":"00:00","person":"测值丁"}`, `"retention_until":"2031-03-15"`} {
		if !strings.Contains(string(e.Payload), s) {
			t.Errorf("no %s in %s", s, e.Payload)
		}
	}
	duty := func() string {
		t.Helper()
		must(t, officer.SignIn(ctx, "w.officer", password))
		a, err := officer.Ask(ctx, client.Ask{Purpose: "RAID", WorkRef: client.WorkRef{Kind: "case", Number: "测金卫医案〔2026〕9001"}, Question: client.Question{IDNo: personID}})
		must(t, err)
		if a.Members[0].Duty == nil {
			return "nobody"
		}
		return a.Members[0].Duty.Person + " " + a.Members[0].Duty.Phone
	}
	if got := duty(); got != "测值丙 15400000003" {
		t.Errorf("at 17:30 %s", got)
	}
	o.clock.move(16 * time.Hour) // Saturday, 09:30
	if got := duty(); got != "测值丁 0573-80000000" {
		t.Errorf("on Saturday %s", got)
	}
	o.clock.move(48 * time.Hour) // Monday of the week that stayed out
	if got := duty(); got != "nobody" {
		t.Errorf("the week after %s", got)
	}
}
