package httpapi_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/internal/auth"
)

// rosterBook writes a certificate roster as a workbook.
func rosterBook(t *testing.T, rows ...[]any) []byte {
	t.Helper()
	x := excelize.NewFile()
	defer x.Close()
	for i, r := range rows {
		must(t, x.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &r))
	}
	var b bytes.Buffer
	must(t, x.Write(&b))
	return b.Bytes()
}

// Officers come from the certificate roster: bad rows are told in the person's own file and stay out, the same roster again
// changes nothing, and on the day after a certificate's last the officer's rights end by themselves.
func TestPeople_officers_follow_the_certificate_roster(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	ctx := t.Context()
	admin := o.client(t, "r.admin", auth.SysAdmin)
	file := rosterBook(t, []any{"测区卫生监督所执法证名册"}, []any{"姓名", "执法证号", "有效期至", "科室", "账号"},
		[]any{"测甲", "99000000101", "2026-03-14", "一科", ""},
		[]any{"测乙", "99000000102", "2028年6月30日", "二科", "ce.yi"},
		[]any{"测丙", 9.90000000103e+17, "2028-06-30", "二科", ""},
		[]any{"测丁", "99000000104", "", "二科", ""},
		[]any{"测戊", "99000000101", "2028-06-30", "二科", ""},
		[]any{"测己", "99000000105", "2026-03-12", "二科", ""},
		[]any{"测庚", "99000000106", "2028-06-30", "", "admin"},
		[]any{"测辛", "99000000107", "2028-06-30", "", "Ce Xin"},
		[]any{"合计", "", "", "", ""})

	dry, err := admin.ImportOfficers(ctx, file, "", true)
	must(t, err)
	before, err := admin.Accounts(ctx)
	must(t, err)
	if dry.Created != 2 || dry.Problems != 5 || !dry.DryRun || len(before) != 9 {
		t.Errorf("%+v, %d accounts", dry, len(before))
	}
	for _, r := range dry.Rows {
		if r.Link != "" {
			t.Errorf("a dry run gives a secret: %+v", r)
		}
	}
	r, err := admin.ImportOfficers(ctx, file, "", false)
	must(t, err)
	want := map[int]string{3: "ok created o.99000000101 []", 4: "ok created ce.yi []", 5: "problem   [B:id_lost_precision]", 6: "problem   [C:null_not_allowed]", 7: "problem   [B:officer_twice]",
		8: "warning passed o.99000000105 [C:certificate_expired]", 9: "problem  admin [E:officer_roles]", 10: "problem   [E:account_form]", 11: "skipped   [:row_not_data]"}
	for _, row := range r.Rows {
		var codes []string
		for _, i := range row.Issues {
			codes = append(codes, i.Column+":"+i.Code)
			if i.Detail == "" || i.DetailEn == "" || i.Detail == "内容有误" {
				t.Errorf("row %d: %+v", row.Row, i)
			}
		}
		if got := fmt.Sprint(row.State, " ", row.Done, " ", row.Account, " ", codes); got != want[row.Row] {
			t.Errorf("row %d: %s, want %s", row.Row, got, want[row.Row])
		}
		delete(want, row.Row)
	}
	if len(want) > 0 || r.Created != 2 || len(r.FileHash) != 64 || strings.Join(r.Absent, " ") != "aide auditor coordinator head liaison officer r.admin reviewer" {
		t.Errorf("%+v; not told: %v", r, want)
	}

	copied, err := admin.OfficersCopy(ctx, file, "")
	must(t, err)
	x, err := excelize.OpenReader(bytes.NewReader(copied))
	must(t, err)
	cells, err := x.GetRows("Sheet1")
	must(t, err)
	if len(cells) != 11 || cells[1][5] != "导入结果" || !strings.HasPrefix(cells[2][5], "可以导入") || !strings.Contains(cells[4][5], "科学计数") || !strings.Contains(cells[8][5], "E「账号」") || cells[3][0] != "测乙" {
		t.Errorf("the file that comes back: %q", cells)
	}

	again, err := admin.ImportOfficers(ctx, file, "", false)
	must(t, err)
	if again.Created != 0 || again.Updated != 0 || again.Unchanged != 2 {
		t.Errorf("the same roster again: %+v", again)
	}

	jia, yi := client.NewDesk(o.server.URL, nil), client.NewDesk(o.server.URL, nil)
	must(t, jia.UseLink(ctx, r.Rows[0].Link, password))
	must(t, jia.SignIn(ctx, "o.99000000101", password))
	must(t, yi.UseLink(ctx, r.Rows[1].Link, password))
	must(t, yi.SignIn(ctx, "ce.yi", password))
	asks := func(d *client.Desk) error {
		_, err := d.Ask(ctx, client.Ask{Purpose: "RAID", WorkRef: client.WorkRef{Kind: "case", Number: "测金卫医案〔2026〕9001"}, Question: client.Question{IDNo: personID}})
		return err
	}
	must(t, asks(jia))
	must(t, asks(yi))
	o.clock.move(40 * time.Hour) // 15 March at +08:00: the certificate was valid on the 14th
	must(t, jia.SignIn(ctx, "o.99000000101", password))
	must(t, yi.SignIn(ctx, "ce.yi", password))
	must(t, admin.SignIn(ctx, "r.admin", password))
	seen := len(o.refusals())
	wantProblem(t, asks(jia), 403, "certificate_expired")
	if got := o.refusals(); len(got) != seen+1 || got[seen].Route != "ask" {
		t.Errorf("not audited: %+v", got)
	}
	must(t, asks(yi))
	_, err = jia.TakeSpotCheck(ctx, "99000000102", "", "")
	wantProblem(t, err, 403, "certificate_expired")
	_, err = yi.TakeSpotCheck(ctx, "99000000101", "", "") // nor may he go along
	wantProblem(t, err, 422, "second_certificate_expired")

	// Renewed: the next roster gives the rights back.
	renewed := []byte("执法证号,有效期至\n99000000101,2029-03-14\n99000000102,2028-06-30\n")
	r, err = admin.ImportOfficers(ctx, renewed, "utf-8", false)
	must(t, err)
	if r.Updated != 1 || r.Unchanged != 1 {
		t.Errorf("%+v", r)
	}
	must(t, asks(jia))
	_, err = yi.TakeSpotCheck(ctx, "99000000101", "", "")
	must(t, err)
	all, err := admin.Accounts(ctx)
	must(t, err)
	for _, a := range all {
		if a.Name == "o.99000000101" && (a.Until != "2029-03-14" || a.Unit != "一科" || a.Certificate != "99000000101") {
			t.Errorf("%+v", a)
		}
	}
	_, bodies := o.audits()
	if n := strings.Count(strings.Join(bodies, "\n"), `"certificate_changed"`); n != 3 {
		t.Errorf("%d audit records of certificates", n)
	}
	if strings.Contains(strings.Join(bodies, "\n"), "测甲") {
		t.Error("a name stands in the audit log")
	}
	officer := o.client(t, "r.officer", auth.Officer)
	_, err = officer.ImportOfficers(ctx, file, "", true)
	wantProblem(t, err, 403, "forbidden")
}

// wantProblem wants a refusal.
func wantProblem(t *testing.T, err error, status int, code string) {
	t.Helper()
	var p *client.Problem
	if !errors.As(err, &p) || p.Status != status || p.Code != code {
		t.Errorf("%v, want %d %s", err, status, code)
	}
}
