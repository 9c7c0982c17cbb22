package sheets_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/pilinhub/pilin/internal/sheets"
	"github.com/pilinhub/pilin/schemas/identifier"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// book writes a workbook with one sheet; f does the rest.
func book(t testing.TB, rows [][]any, f func(x *excelize.File)) []byte {
	t.Helper()
	x := excelize.NewFile()
	defer x.Close()
	for i, r := range rows {
		must(t, x.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &r))
	}
	if f != nil {
		f(x)
	}
	var b bytes.Buffer
	must(t, x.Write(&b))
	return b.Bytes()
}

// idOf makes a resident number that looks synthetic: born 1900–1909, sequence 900–999 (domain.md §3).
func idOf(n int, region string) string {
	body := fmt.Sprintf("%s190%d%02d%02d%03d", region, n%10, n/10%12+1, n/120%28+1, 900+n%100)
	c, _ := identifier.ResidentCheck(body)
	return body + string(c)
}

// sexOf is the sex that a number tells.
func sexOf(id string) string {
	if (id[16]-'0')%2 == 1 {
		return "男"
	}
	return "女"
}

const issuer = "11310116000090018Y"

// profile is that of a bureau for its own old sheets.
func profile() sheets.Profile {
	return sheets.Profile{Name: "年度台账", Type: "penalty", Constants: map[string]string{"/issuer_uscc": issuer, "/issuer_name": "测金山区卫生健康委员会",
		"/issuer_kind": "health_authority", "/respondent_kind": "person", "/legal_basis": "行政处罚法第26条", "/purpose": "CASE"}}
}

var header = []any{"序号", "姓名", "身份证号", "性别", "文号", "处罚日期", "案由", "罚款金额(元)"}

// good is a row without fault.
func good(n int) []any {
	id := idOf(n, "310116")
	return []any{n, "测甲" + string([]rune("一二三四五六七八九十")[n%10]), id, sexOf(id), fmt.Sprintf("测金卫医罚〔2025〕%d号", 9000+n), "2025-03-05", "非医师行医", 20000}
}

// checked runs a whole dry run.
func checked(t testing.TB, b []byte, p sheets.Profile) (*sheets.File, *sheets.Survey, map[int]*sheets.Checked) {
	t.Helper()
	f, err := sheets.Open(b, p.Encoding)
	must(t, err)
	s, err := f.Look(p.Type, p.Sheet)
	must(t, err)
	out := map[int]*sheets.Checked{}
	k := &sheets.Checker{Profile: p, Synthetic: true, Today: "2026-03-13"}
	must(t, k.Check(f, s, func(c *sheets.Checked) error { out[c.Row] = c; return nil }))
	return f, s, out
}

// codes lists the codes said of a row.
func codes(c *sheets.Checked) []string {
	var out []string
	for _, i := range c.Issues {
		out = append(out, i.Column+":"+i.Code)
	}
	return out
}
