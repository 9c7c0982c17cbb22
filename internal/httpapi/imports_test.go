package httpapi_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// oldID is a resident number that looks synthetic: born 1900–1909, sequence 900–999.
func oldID(n int) string {
	body := fmt.Sprintf("310116190%d%02d%02d%03d", n%10, n/10%12+1, n/120%28+1, 900+n%100)
	c, _ := identifier.ResidentCheck(body)
	return body + string(c)
}

func sexOf(id string) string { return []string{"女", "男"}[(id[16]-'0')%2] }

// oldSheet is a yearly list as bureaux have it: n rows, a part of them with every trouble that such lists have. It returns
// which rows, as the spreadsheet numbers them, can not go in, and a person of a good row.
func oldSheet(t *testing.T, n int) (file []byte, bad map[int]string, good []int) {
	t.Helper()
	x := excelize.NewFile()
	defer x.Close()
	put := func(cell string, v any) { t.Helper(); must(t, x.SetCellValue("Sheet1", cell, v)) }
	put("A1", "2025年度非法行医行政处罚台账")
	must(t, x.MergeCell("Sheet1", "A1", "H1"))
	for i, h := range []string{"序号", "当事人", "身份证号", "性别", "文号", "处罚日期", "案由", "罚款金额(元)"} {
		put(fmt.Sprintf("%c2", 'A'+i), h)
	}
	bad = map[int]string{}
	for i := range n {
		row := i + 3
		id := oldID(i)
		cell := func(col string) string { return fmt.Sprint(col, row) }
		put(cell("A"), i+1)
		put(cell("B"), "测甲"+string([]rune("一二三四五六七八九十")[i%10]))
		put(cell("C"), id)
		put(cell("D"), sexOf(id))
		put(cell("E"), fmt.Sprintf("测金卫医罚〔2025〕%d号", 9000+i))
		put(cell("F"), []string{"2025-03-05", "2025.3.5", "2025年3月5日", "20250305", "2025/3/5", "二〇二五年三月五日"}[i%6])
		put(cell("G"), []string{"非医师行医", "UP01", "无证行医"}[i%3])
		put(cell("H"), []any{20000, "20,000.00", "2万元", "不详"}[i%4])
		switch i {
		case 10:
			put(cell("C"), "3.10116E+17")
			bad[row] = "id_lost_precision"
		case 20:
			put(cell("C"), 310116190001010016.0)
			bad[row] = "id_lost_precision"
		case 30:
			put(cell("C"), id[:6]+id[8:17]) // 15 digits
		case 40:
			put(cell("C"), strings.Map(func(r rune) rune { // full-width
				if r >= '0' && r <= '9' {
					return r - '0' + '\uff10'
				}
				return r
			}, id))
		case 50:
			put(cell("C"), "'"+id+"  ")
		case 60:
			put(cell("C"), id[:17]+string('0'+(id[17]-'0'+1)%10)) // a wrong check digit
			bad[row] = "check_digit"
		case 70:
			put(cell("F"), 45721)
		case 80:
			put(cell("F"), "5/3/2025")
			bad[row] = "date_ambiguous"
		case 90:
			must(t, x.SetCellFormula("Sheet1", cell("H"), "=1+1"))
			must(t, x.SetCellValue("Sheet1", cell("B"), "")) // no name
			bad[row] = "required"
		case 101:
			put(cell("E"), nil)
			must(t, x.MergeCell("Sheet1", fmt.Sprint("E", row-1), cell("E")))
			bad[row] = "merged_cell"
		case 110:
			must(t, x.SetRowVisible("Sheet1", row, false))
			bad[row] = "row_hidden"
		case 120:
			put(cell("E"), "测金卫医罚〔2025〕9000号")
			bad[row] = "twice_in_file"
		case 130:
			put(cell("D"), map[string]string{"男": "女", "女": "男"}[sexOf(id)])
			bad[row] = "conflict"
		}
		if bad[row] == "" {
			good = append(good, row)
		}
	}
	put(fmt.Sprint("A", n+3), "合计")
	put(fmt.Sprint("H", n+3), 6000000)
	_, err := x.NewSheet("底稿")
	must(t, err)
	must(t, x.SetSheetVisible("底稿", false))
	var b bytes.Buffer
	must(t, x.Write(&b))
	return b.Bytes(), bad, good
}

func TestImport_an_old_sheet_goes_in_as_one_batch(t *testing.T) {
	const n = 300
	ctx := t.Context()
	all := offices(t, 2)
	here, there := all[0].open(), all[1].open()
	officer, reviewer, liaison := here.client(t, "c.officer", auth.Officer), here.client(t, "c.reviewer", auth.LegalReviewer, auth.Officer), here.client(t, "c.liaison", auth.Liaison)
	file, bad, good := oldSheet(t, n)

	p, err := officer.SaveProfile(ctx, client.Profile{Name: "年度台账", Type: "penalty", Constants: map[string]string{"/issuer_uscc": "11310116000090018Y",
		"/issuer_name": "测金山区卫生健康委员会", "/issuer_kind": "health_authority", "/respondent_kind": "person", "/legal_basis": "行政处罚法第26条", "/purpose": "CASE"}})
	must(t, err)
	imp, err := officer.UploadImport(ctx, file, "", p.ID)
	must(t, err)
	imp, err = officer.WaitImport(ctx, imp.ID, nil)
	must(t, err)
	rows, err := officer.ImportRows(ctx, imp.ID, "", "")
	must(t, err)
	for _, r := range rows {
		stays := r.State == "problem" || r.State == "skipped"
		if stays != (bad[r.Row] != "" || r.Row == n+3) {
			t.Errorf("row %d: %s %v, want %q", r.Row, r.State, r.Issues, bad[r.Row])
		}
		if want := bad[r.Row]; want != "" && !slices.ContainsFunc(r.Issues, func(i client.ImportIssue) bool { return i.Code == want && i.Detail != "" && i.DetailEn != "" }) {
			t.Errorf("row %d: %s %v, want %s", r.Row, r.State, r.Issues, want)
		}
	}
	c := imp.Counts
	if imp.Work.State != "done" || c.Problem+c.Skipped != len(bad)+1 || c.OK+c.Warning != len(good) || imp.Survey.HiddenRows != 1 || len(imp.Survey.Sheets) != 2 || imp.Survey.HeaderRow != 2 {
		t.Fatalf("%+v %+v, want %d bad of %d", imp.Work, imp.Survey, len(bad), n)
	}
	copied, err := officer.ImportCopy(ctx, imp.ID)
	must(t, err)
	x, err := excelize.OpenReader(bytes.NewReader(copied))
	must(t, err)
	if s, err := x.GetCellValue("Sheet1", "I13"); err != nil || !strings.Contains(s, "科学计数") {
		t.Errorf("copy says %q %v", s, err)
	}

	// Nobody reviews his own batch; the reviewer signs what he sees; a second upload and commit change nothing.
	imp, err = officer.CommitImport(ctx, imp.ID)
	must(t, err)
	if imp, err = officer.WaitImport(ctx, imp.ID, nil); err != nil || imp.Counts.Submitted != len(good) {
		t.Fatalf("%+v %v", imp.Counts, err)
	}
	again, err := officer.UploadImport(ctx, file, "", p.ID)
	must(t, err)
	if !again.Repeated || again.ID != imp.ID || again.Counts != imp.Counts {
		t.Errorf("second upload: %+v", again)
	}
	_, err = officer.CommitImport(ctx, imp.ID)
	wantCode(t, err, "batch_empty")
	seen := client.Review{FileHash: imp.FileHash, Rows: len(good)}
	warned, err := reviewer.ImportRows(ctx, imp.ID, "warning", "submitted")
	must(t, err)
	_, err = reviewer.StepImport(ctx, imp.ID, "approve", seen)
	wantCode(t, err, "batch_changed") // the rows with warnings are not named
	for _, r := range warned {
		seen.Warnings = append(seen.Warnings, r.Row)
	}
	_, err = officer.StepImport(ctx, imp.ID, "approve", seen)
	wantCode(t, err, "forbidden")
	imp, err = reviewer.StepImport(ctx, imp.ID, "approve", seen)
	must(t, err)
	if imp, err = reviewer.WaitImport(ctx, imp.ID, nil); err != nil || imp.Counts.Approved != len(good) {
		t.Fatalf("%+v %v", imp.Counts, err)
	}
	imp, err = liaison.StepImport(ctx, imp.ID, "publish", client.Review{FileHash: imp.FileHash, Rows: len(good)})
	must(t, err)
	if imp, err = liaison.WaitImport(ctx, imp.ID, nil); err != nil || imp.Counts.Published != len(good) {
		t.Fatalf("%+v %v", imp.Counts, err)
	}

	// The other bureau finds them, and what stayed out it does not find.
	asker := there.client(t, "c.asker", auth.Officer)
	ask := func(id string) client.Answer {
		t.Helper()
		a, err := asker.Ask(ctx, client.Ask{Purpose: "CASE", WorkRef: client.WorkRef{Kind: "case", Number: "测青卫医案〔2026〕9001"}, Question: client.Question{IDNo: id}})
		must(t, err)
		return a
	}
	for _, i := range []int{0, 30, 40, 50, 70, 299} {
		if a := ask(oldID(i)); a.Outcome != "hit" || a.Answered != 2 {
			t.Errorf("row %d: %s %d/%d", i+3, a.Outcome, a.Answered, a.Total)
		}
	}
	for _, i := range []int{10, 110} {
		if a := ask(oldID(i)); a.Outcome == "hit" {
			t.Errorf("row %d is found", i+3)
		}
	}

	lines, next, err := liaison.Gaps(ctx, "")
	must(t, err)
	if len(lines) != 50 || next == "" || len(lines[0].Gaps) == 0 || lines[0].Stage != "published" {
		t.Errorf("%d lines, next %q", len(lines), next)
	}
	// The same decisions in another file are known.
	other, _, _ := oldSheet(t, n-1)
	imp, err = officer.UploadImport(ctx, other, "", p.ID)
	must(t, err)
	if imp, err = officer.WaitImport(ctx, imp.ID, nil); err != nil || imp.Counts.Known != len(good)-1 { // one row less
		t.Errorf("another file: %+v %v", imp.Counts, err)
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if p, ok := err.(*client.Problem); !ok || p.Code != code { //nolint:errorlint // the client returns it as it is
		t.Errorf("%v, want %s", err, code)
	}
}
