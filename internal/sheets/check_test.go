package sheets_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/pilinhub/pilin/internal/sheets"
)

func TestCheck_good_rows(t *testing.T) {
	b := book(t, [][]any{{"2025年行政处罚台账"}, header, good(1), good(2), {"合计", nil, nil, nil, nil, nil, nil, 40000}}, func(x *excelize.File) {
		must(t, x.MergeCell("Sheet1", "A1", "H1"))
	})
	f, s, rows := checked(t, b, profile())
	if s.HeaderRow != 2 || s.HeaderRows != 1 || s.Rows != 3 || s.MergedCells != 1 {
		t.Errorf("%+v", s)
	}
	for _, n := range []int{3, 4} {
		if rows[n].State != sheets.RowOK && rows[n].State != sheets.RowWarning {
			t.Errorf("row %d: %s %v", n, rows[n].State, codes(rows[n]))
		}
		if rows[n].Payload == nil || rows[n].Key == "" {
			t.Errorf("row %d: no payload", n)
		}
	}
	if rows[5].State != sheets.RowSkipped {
		t.Errorf("totals: %s %v", rows[5].State, codes(rows[5]))
	}
	t.Log(string(rows[3].Payload), codes(rows[3]))
	var out bytes.Buffer
	must(t, f.Copy(&out, s, func(row int) (sheets.RowState, []sheets.Issue) {
		if c := rows[row]; c != nil {
			return c.State, c.Issues
		}
		return "", nil
	}))
	x, err := excelize.OpenReader(&out)
	must(t, err)
	got, err := x.GetCellValue("Sheet1", "I3")
	must(t, err)
	if !strings.HasPrefix(got, "可以导入") {
		t.Errorf("%q", got)
	}
}

func TestCheck_troubles(t *testing.T) {
	with := func(col int, v any) []any { r := slices.Clone(good(7)); r[col] = v; return r }
	for name, c := range map[string]struct {
		row  []any
		want string // code that is said; empty: none that keeps the row out
	}{
		"scientific":     {with(2, "3.20123E+17"), "C:id_lost_precision"},
		"float":          {with(2, 310116190001010016.0), "C:id_lost_precision"},
		"check digit":    {with(2, "310116190001010017"), "C:check_digit"},
		"full width":     {with(2, "310116190001010016"), ""},
		"apostrophe":     {with(2, "'310116190001010016"), ""},
		"spaces":         {with(2, " 310116 19000101 0016　"), ""},
		"15 digits":      {with(2, "310116000101001"), ""},
		"15 as number":   {with(2, 310116000101001), ""},
		"sex":            {with(3, "女"), "D:conflict"},
		"dots":           {with(5, "2025.3.5"), ""},
		"han":            {with(5, "2025年3月5日"), ""},
		"han digits":     {with(5, "二〇二五年三月五日"), ""},
		"serial":         {with(5, 45721), ""},
		"day first":      {with(5, "5/3/2025"), "F:date_ambiguous"},
		"no such day":    {with(5, "2025-02-30"), "F:date_no_such_day"},
		"month only":     {with(5, "2025年3月"), "F:date_incomplete"},
		"short year":     {with(5, "25.3.5"), "F:date_two_digit_year"},
		"no date":        {with(5, nil), "F:required"},
		"no name":        {with(1, nil), "B:required"},
		"placeholder":    {with(1, "测□"), ""},
		"document no":    {with(4, "卫医罚9001"), "E:pattern"},
		"wan":            {with(7, "2万元"), ""},
		"cents":          {with(7, "20000.005"), "H:money_fraction"},
		"words":          {with(7, "贰万元整"), "H:money_invalid"},
		"text formula":   {with(2, `="310116190001010016"`), "C:formula"},
		"unknown cause":  {with(6, "从事诊疗活动"), ""},
		"not in file":    {with(2, "不详"), ""},
		"unreadable":     {with(2, "无法辨认"), ""},
		"to be checked":  {with(3, "待查"), ""},
		"unknown sex":    {with(3, "雄"), "D:unknown_word"},
		"year of number": {with(5, "2021-03-05"), "E:doc_no_year"},
	} {
		t.Run(name, func(t *testing.T) {
			if slices.Contains([]string{"full width", "apostrophe", "spaces", "15 digits", "15 as number", "check digit"}, name) {
				c.row[3] = "男"
			}
			_, _, rows := checked(t, book(t, [][]any{header, c.row}, nil), profile())
			got := rows[2]
			switch {
			case c.want == "" && got.State == sheets.RowProblem:
				t.Errorf("refused: %v", codes(got))
			case c.want != "" && (got.State != sheets.RowProblem || !slices.Contains(codes(got), c.want) || got.Payload != nil):
				t.Errorf("%s %v", got.State, codes(got))
			}
		})
	}
}
