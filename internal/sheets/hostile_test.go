package sheets_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/pilinhub/pilin/internal/sheets"
)

// parts of the smallest workbook.
const (
	typesXML = `<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>`
	bookXML  = `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>`
	relsXML  = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>`
)

// rowsXML is a sheet with a header and these rows in it.
func rowsXML(inner string) string {
	return `<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>姓名</t></is></c><c r="B1" t="inlineStr"><is><t>文号</t></is></c></row>` + inner + `</sheetData></worksheet>`
}

type entry struct {
	name string
	body []byte
	head func(*zip.FileHeader)
}

// packed makes a workbook of parts; more replace those of the same name.
func packed(t testing.TB, more ...entry) []byte {
	t.Helper()
	parts := []entry{{name: "[Content_Types].xml", body: []byte(typesXML)}, {name: "xl/workbook.xml", body: []byte(bookXML)}, {name: "xl/_rels/workbook.xml.rels", body: []byte(relsXML)},
		{name: "xl/worksheets/sheet1.xml", body: []byte(rowsXML(""))}}
	for _, m := range more {
		replaced := false
		for i := range parts {
			if parts[i].name == m.name && m.head == nil {
				parts[i], replaced = m, true
			}
		}
		if !replaced {
			parts = append(parts, m)
		}
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, p := range parts {
		h := &zip.FileHeader{Name: p.name, Method: zip.Deflate}
		if p.head != nil {
			p.head(h)
		}
		w, err := z.CreateHeader(h)
		must(t, err)
		_, err = w.Write(p.body)
		must(t, err)
	}
	must(t, z.Close())
	return b.Bytes()
}

func sheetPart(inner string) entry {
	return entry{name: "xl/worksheets/sheet1.xml", body: []byte(inner)}
}

// refusal reads a file as an import would and returns the code with which it is refused; empty if it is read.
func refusal(b []byte, encoding string) string {
	f, err := sheets.Open(b, encoding)
	if err == nil {
		_, err = f.Look("penalty", "")
	}
	var r *sheets.Refusal
	switch {
	case errors.As(err, &r):
		return r.Code
	case err != nil:
		return "unnamed: " + err.Error()
	}
	return ""
}

// Every row of reliability-security.md §4.3 that is about a whole file, with its answer.
func TestHostile_files(t *testing.T) {
	ole := append([]byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1}, make([]byte, 600)...)
	plain := packed(t)
	extra := func(name string) []byte { return packed(t, entry{name: name, body: []byte("x")}) }
	var bigRow strings.Builder
	for i := range 70 {
		fmt.Fprintf(&bigRow, `<c r="%s2"><v>1</v></c>`, sheets.ColumnName(i))
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"a plain workbook": {plain, ""},

		"expands 1000:1":         {packed(t, sheetPart(rowsXML(strings.Repeat("<row/>", 2<<20)))), sheets.Bomb},
		"white space 1000:1":     {packed(t, sheetPart(rowsXML(strings.Repeat(" ", 8<<20)))), sheets.Bomb},
		"shared string bomb":     {packed(t, entry{name: "xl/sharedStrings.xml", body: []byte("<sst>" + strings.Repeat("<si><t>"+strings.Repeat("测", 3000)+"</t></si>", 1000) + "</sst>")}), sheets.Bomb},
		"too many entries":       {packed(t, many(2001)...), sheets.Bomb},
		"zip64 lie":              {lied(plain), sheets.Bomb},
		"path upwards":           {extra("xl/../../evil.xml"), sheets.Malformed},
		"absolute path":          {extra("/etc/evil"), sheets.Malformed},
		"back slash":             {extra(`xl\evil.xml`), sheets.Malformed},
		"link":                   {packed(t, entry{name: "xl/link", body: []byte("/etc/hosts"), head: func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) }}), sheets.Malformed},
		"name twice":             {packed(t, entry{name: "xl/workbook.xml", body: []byte(bookXML), head: func(*zip.FileHeader) {}}), sheets.Malformed},
		"name twice, other case": {extra("XL/Workbook.xml"), sheets.Malformed},
		"nested zip":             {extra("xl/inner.zip"), sheets.Malformed},
		"nested zip, hidden":     {packed(t, entry{name: "xl/inner.bin", body: plain, head: func(h *zip.FileHeader) { h.Method = zip.Store }}), sheets.Malformed},
		"overlapping entries":    {overlapped(t), sheets.Malformed},
		"quoted entry":           {otherName(plain), sheets.Malformed},
		"cut off":                {plain[:len(plain)-30], sheets.Malformed},

		"declared dimension":  {packed(t, sheetPart(strings.Replace(rowsXML(""), "<sheetData>", `<dimension ref="A1:C1048576"/><sheetData>`, 1))), sheets.TooManyRows},
		"declared columns":    {packed(t, sheetPart(strings.Replace(rowsXML(""), "<sheetData>", `<dimension ref="A1:XFD9"/><sheetData>`, 1))), sheets.TooManyColumns},
		"columns":             {packed(t, sheetPart(rowsXML(`<row r="2">`+bigRow.String()+`</row>`))), sheets.TooManyColumns},
		"rows":                {manyRows(t, 50_200), sheets.TooManyRows},
		"styles":              {packed(t, entry{name: "xl/styles.xml", body: noisy("<styleSheet><cellXfs>", `<xf numFmtId="%d"/>`, "</cellXfs></styleSheet>", 70_000)}), sheets.Bomb},
		"long cell":           {packed(t, sheetPart(rowsXML(`<row r="2"><c r="A2" t="inlineStr"><is><t>`+string(noisy("", "%d", "", 30_000))+`</t></is></c></row>`))), sheets.CellTooLong},
		"row numbers go back": {packed(t, sheetPart(rowsXML(`<row r="3"><c r="A3"><v>1</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>`))), sheets.Malformed},
		"cell outside":        {packed(t, sheetPart(rowsXML(`<row r="2"><c r="A9"><v>1</v></c></row>`))), sheets.Malformed},

		"document type":       {packed(t, sheetPart(`<!DOCTYPE x [<!ENTITY a "aaaa">]>`+rowsXML(""))), sheets.Malformed},
		"external entity":     {packed(t, sheetPart(`<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hosts">]>`+rowsXML(`<row r="2"><c r="A2" t="inlineStr"><is><t>&a;</t></is></c></row>`))), sheets.Malformed},
		"billion laughs":      {packed(t, sheetPart(`<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]>`+rowsXML(`<row r="2"><c r="A2" t="inlineStr"><is><t>&c;</t></is></c></row>`))), sheets.Malformed},
		"unknown entity":      {packed(t, sheetPart(rowsXML(`<row r="2"><c r="A2" t="inlineStr"><is><t>&zz;</t></is></c></row>`))), sheets.Malformed},
		"depth":               {packed(t, sheetPart(rowsXML(strings.Repeat("<a>", 60)+strings.Repeat("</a>", 60)))), sheets.Malformed},
		"other XML encoding":  {packed(t, sheetPart(`<?xml version="1.0" encoding="UTF-7"?>`+rowsXML(""))), sheets.Malformed},
		"entity in the types": {packed(t, entry{name: "[Content_Types].xml", body: []byte(`<!DOCTYPE x>` + typesXML)}), sheets.Malformed},

		"macro file":       {packed(t, entry{name: "[Content_Types].xml", body: []byte(strings.Replace(typesXML, "sheet.main+xml", "sheet.macroEnabled.main+xml", 1))}), sheets.Unsupported},
		"macro part":       {extra("xl/vbaProject.bin"), sheets.Unsupported},
		"external link":    {extra("xl/externalLinks/externalLink1.xml"), sheets.Unsupported},
		"external target":  {packed(t, entry{name: "xl/_rels/workbook.xml.rels", body: []byte(strings.Replace(relsXML, "Target=", `TargetMode="External" Target=`, 1))}), sheets.Unsupported},
		"DDE":              {packed(t, entry{name: "xl/workbook.xml", body: []byte(strings.Replace(bookXML, "</workbook>", "<ddeLink/></workbook>", 1))}), sheets.Unsupported},
		"OLE object":       {extra("xl/embeddings/oleObject1.bin"), sheets.Unsupported},
		"old or encrypted": {ole, sheets.Unsupported},
		"renamed HTML":     {[]byte("<html><table><tr><td>姓名</td></tr></table></html>"), sheets.Unsupported},
		"HTML with a mark": {[]byte("\xEF\xBB\xBF <!DOCTYPE html><html></html>"), sheets.Unsupported},
		"XML spreadsheet":  {[]byte(`<?xml version="1.0"?><Workbook/>`), sheets.Unsupported},
		"another zip":      {onlyEntry(t, "word/document.xml"), sheets.Unsupported},
		"encrypted entry":  {encryptedFlag(plain), sheets.Unsupported},
		"only hidden":      {packed(t, entry{name: "xl/workbook.xml", body: []byte(strings.Replace(bookXML, "sheetId=", `state="veryHidden" sheetId=`, 1))}), sheets.NoSheet},
		"no header":        {packed(t, sheetPart(`<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData></worksheet>`)), sheets.NoHeader},
		"too large":        {make([]byte, sheets.MaxFile+1), sheets.FileTooLarge},
	} {
		if got := refusal(c.file, ""); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// many makes entries without content.
func many(n int) []entry {
	var out []entry
	for i := range n {
		out = append(out, entry{name: fmt.Sprintf("xl/x%d.xml", i)})
	}
	return out
}

// noisy is text that does not pack well.
func noisy(before, form, after string, n int) []byte {
	var b bytes.Buffer
	b.WriteString(before)
	for i := range n {
		fmt.Fprintf(&b, form, i*2654435761)
	}
	b.WriteString(after)
	return b.Bytes()
}

func manyRows(t testing.TB, n int) []byte {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `<row r="%d"><c r="A%d"><v>%d</v></c></row>`, i+2, i+2, i*48271)
	}
	return packed(t, sheetPart(rowsXML(b.String())))
}

// lied says in the directory that the last entry unpacks to 4 GiB less one.
func lied(b []byte) []byte {
	out := bytes.Clone(b)
	binary.LittleEndian.PutUint32(out[bytes.LastIndex(out, []byte("PK\x01\x02"))+24:], 0xFFFFFFFE)
	return out
}

// encryptedFlag sets the flag of an encrypted entry.
func encryptedFlag(b []byte) []byte {
	out := bytes.Clone(b)
	out[bytes.LastIndex(out, []byte("PK\x01\x02"))+8] |= 1
	return out
}

// overlapped lets an entry of the directory reach into the next one.
func overlapped(t testing.TB) []byte {
	b := packed(t, entry{name: "xl/aa.xml", body: []byte("same")}, entry{name: "xl/bb.xml", body: []byte("same")})
	dir := bytes.LastIndex(b, []byte("xl/aa.xml")) - 46
	size := binary.LittleEndian.Uint32(b[dir+20:])
	binary.LittleEndian.PutUint32(b[dir+20:], size+40)
	return b
}

// otherName lets the header in front of an entry say another name than the directory.
func otherName(b []byte) []byte {
	out := bytes.Clone(b)
	out[bytes.Index(out, []byte("xl/workbook.xml"))] = 'y'
	return out
}

func onlyEntry(t testing.TB, name string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	_, err := z.Create(name)
	must(t, err)
	must(t, z.Close())
	return b.Bytes()
}

const csvText = "姓名,身份证号,文号,处罚日期\r\n测甲一,310116190001010016,测金卫医罚〔2025〕9001号,2025-03-05\r\n"

func TestEncoding(t *testing.T) {
	gbk, err := simplifiedchinese.GB18030.NewEncoder().String(csvText)
	must(t, err)
	le, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(csvText)
	must(t, err)
	bare := le[2:]
	const short = "\xC4\xA3,1\n"                      // ģ in UTF-8, 模 in GBK
	rare := strings.Replace(csvText, "测甲一", "测甲𠮷", 1) // four bytes in GB18030, none in GBK
	rareGB, err := simplifiedchinese.GB18030.NewEncoder().String(rare)
	must(t, err)
	for name, c := range map[string]struct {
		text, stated, encoding, refused string
	}{
		"utf-8":              {csvText, "", "utf-8", ""},
		"utf-8 with mark":    {"\xEF\xBB\xBF" + csvText, "", "utf-8", ""},
		"gbk":                {gbk, "", "gb18030", ""},
		"gbk stated":         {gbk, "gbk", "gb18030", ""},
		"gb18030":            {rareGB, "", "gb18030", ""},
		"utf-16 with mark":   {le, "", "utf-16le", ""},
		"utf-16 stated":      {bare, "utf-16le", "utf-16le", ""},
		"utf-16 bare":        {bare, "", "", sheets.EncodingAmbiguous},
		"stated and wrong":   {gbk, "utf-8", "", sheets.EncodingInvalid},
		"mark and word":      {"\xEF\xBB\xBF" + csvText, "gbk", "", sheets.EncodingInvalid},
		"mixed":              {csvText + gbk, "", "", sheets.EncodingMixed},
		"fits both":          {short, "", "", sheets.EncodingAmbiguous},
		"neither":            {"\xff\xff,\xff\n", "", "", sheets.EncodingInvalid},
		"unknown":            {csvText, "big5", "", sheets.EncodingInvalid},
		"quote in the cell":  {csvText + "测乙\"二,1,2,3\n", "", "", sheets.CSVMalformed},
		"quote never closed": {csvText + "\"测乙二,1,2,3\n", "", "", sheets.CSVMalformed},
		"tabs":               {strings.ReplaceAll(csvText, ",", "\t"), "", "utf-8", ""},
	} {
		f, err := sheets.Open([]byte(c.text), c.stated)
		var s *sheets.Survey
		if err == nil {
			s, err = f.Look("penalty", "")
		}
		var r *sheets.Refusal
		switch {
		case c.refused != "" && (!errors.As(err, &r) || r.Code != c.refused):
			t.Errorf("%s: %v, want %s", name, err, c.refused)
		case c.refused == "" && (err != nil || f.Encoding != c.encoding || s.Rows != 1 || s.Columns[0].Heading != "姓名"):
			t.Errorf("%s: %v %+v", name, err, s)
		}
	}
}

func TestCSV_copy_keeps_encoding_and_row_numbers(t *testing.T) {
	text := csvText + "\r\n测乙二,3.2E+17,\"测金卫医罚〔2025〕9002号\",2025-03-05\r\n"
	gbk, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	must(t, err)
	f, s, rows := checked(t, []byte(gbk), profile())
	if rows[4] == nil || rows[4].State != sheets.RowProblem || codes(rows[4])[0] != "B:id_lost_precision" {
		t.Fatalf("%+v", rows)
	}
	var out bytes.Buffer
	must(t, f.Copy(&out, s, func(n int) (sheets.RowState, []sheets.Issue) {
		if c := rows[n]; c != nil {
			return c.State, c.Issues
		}
		return "", nil
	}))
	back, err := simplifiedchinese.GB18030.NewDecoder().String(out.String())
	must(t, err)
	if !strings.Contains(back, sheets.ResultHeading) || !strings.Contains(back, "科学计数") || !strings.Contains(back, "3.2E+17") {
		t.Errorf("%s", back)
	}
	// The copy can be handed in again, and its old results are replaced.
	f2, s2, rows2 := checked(t, out.Bytes(), profile())
	if rows2[2].State == sheets.RowProblem || len(s2.Columns) != 4 {
		t.Errorf("%+v %v", s2, codes(rows2[2]))
	}
	var again bytes.Buffer
	must(t, f2.Copy(&again, s2, func(int) (sheets.RowState, []sheets.Issue) { return sheets.RowOK, nil }))
	back, err = simplifiedchinese.GB18030.NewDecoder().String(again.String())
	must(t, err)
	if strings.Count(back, sheets.ResultHeading) != 1 || strings.Contains(back, "科学计数") {
		t.Errorf("%s", back)
	}
}

func TestWorkbook_formulas(t *testing.T) {
	cell := func(inner string) []byte {
		return packed(t, sheetPart(`<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>姓名</t></is></c><c r="B1" t="inlineStr"><is><t>文号</t></is></c><c r="C1" t="inlineStr"><is><t>处罚日期</t></is></c></row>`+
			`<row r="2"><c r="A2" t="inlineStr"><is><t>测甲一</t></is></c>`+inner+`<c r="C2" t="inlineStr"><is><t>2025-03-05</t></is></c></row></sheetData></worksheet>`))
	}
	for name, c := range map[string]struct{ cell, want string }{
		"value stated":     {`<c r="B2" t="str"><f>A9</f><v>测金卫医罚〔2025〕9001号</v></c>`, "B:formula_value"},
		"no value":         {`<c r="B2"><f>A9</f></c>`, "B:formula"},
		"value a formula":  {`<c r="B2" t="str"><f>A9</f><v>=1+1</v></c>`, "B:formula"},
		"text a formula":   {`<c r="B2" t="inlineStr"><is><t>=HYPERLINK("x")</t></is></c>`, "B:formula"},
		"full width":       {"<c r=\"B2\" t=\"inlineStr\"><is><t>\uff1d1+1</t></is></c>", "B:formula"},
		"fault":            {`<c r="B2" t="e"><v>#REF!</v></c>`, "B:cell_error"},
		"phonetic is none": {`<c r="B2" t="inlineStr"><is><t>测金卫医罚〔2025〕9001号</t><rPh sb="0" eb="1"><t>ce</t></rPh></is></c>`, ""},
	} {
		_, _, rows := checked(t, cell(c.cell), profile())
		got := codes(rows[2])
		said := false
		for _, g := range got {
			said = said || g == c.want
		}
		if c.want != "" && !said || c.want == "" && rows[2].State == sheets.RowProblem {
			t.Errorf("%s: %s %v, want %s", name, rows[2].State, got, c.want)
		}
	}
}

func TestWorkbook_date_systems_and_two_header_rows(t *testing.T) {
	b := book(t, [][]any{{"序号", "当事人", nil, "文号", "处罚日期"}, {nil, "姓名", "身份证号", nil, nil},
		{1, "测甲一", "310116190001010016", "测金卫医罚〔2025〕9001号", 44259}}, func(x *excelize.File) {
		must(t, x.MergeCell("Sheet1", "B1", "C1"))
		must(t, x.MergeCell("Sheet1", "A1", "A2"))
		form := "yyyy-mm-dd"
		id, err := x.NewStyle(&excelize.Style{CustomNumFmt: &form})
		must(t, err)
		must(t, x.SetCellStyle("Sheet1", "E3", "E3", id))
		yes := true
		must(t, x.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &yes}))
	})
	_, s, rows := checked(t, b, profile())
	if s.HeaderRow != 1 || s.HeaderRows != 2 || rows[3] == nil || rows[3].State == sheets.RowProblem || !bytes.Contains(rows[3].Payload, []byte(`"decided_at":"2025-03-05"`)) {
		t.Errorf("%+v", s)
		if rows[3] != nil {
			t.Errorf("%v %s", codes(rows[3]), rows[3].Payload)
		}
	}
}

func TestExport_has_no_formula(t *testing.T) {
	bad := []string{"=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20x", " =1", "\u3000=1"}
	for _, s := range bad {
		if got := sheets.Neutral(s); got != "'"+s {
			t.Errorf("%q became %q", s, got)
		}
	}
	if got := sheets.Neutral("测甲一"); got != "测甲一" {
		t.Errorf("%q", got)
	}
	table := &sheets.Table{Type: "penalty", By: "acc-1 2026-03-13 09:30", Synthetic: true}
	rows := func(line func([]byte) error) error {
		return line([]byte(`{"doc_no":"=cmd|'/c calc'!A1","respondent":{"name":"@测甲一","id_no":"310116190001010016"},"fine_fen":2000050,"kinds":["P2a","BAN"]}`))
	}
	var text, wb bytes.Buffer
	must(t, table.CSV(&text, rows))
	must(t, table.Workbook(&wb, rows))
	if s := text.String(); !strings.Contains(s, `"'=cmd|'/c calc'!A1"`) || !strings.Contains(s, "20000.50") || !strings.Contains(s, "罚款、取缔") || !strings.Contains(s, "不公开、不出售") || !strings.Contains(s, "SYNTHETIC") {
		t.Errorf("%s", s)
	}
	z, err := zip.NewReader(bytes.NewReader(wb.Bytes()), int64(wb.Len()))
	must(t, err)
	for _, f := range z.File {
		r, err := f.Open()
		must(t, err)
		b, err := io.ReadAll(r)
		must(t, err)
		if bytes.Contains(b, []byte("<f>")) || strings.HasPrefix(f.Name, "xl/worksheets") && !bytes.Contains(b, []byte("&#39;=cmd")) {
			t.Errorf("%s: %s", f.Name, b)
		}
	}
	// What we write we read: the export of a good record is an import without trouble, footer and all.
	_, s, got := checked(t, wb.Bytes(), profile())
	if s.HeaderRow != 1 || got[3] == nil || got[3].State != sheets.RowSkipped {
		t.Errorf("%+v %+v", s, got[3])
	}
}

func TestTemplate_is_read_by_its_own_import(t *testing.T) {
	for _, typ := range sheets.Types {
		var b bytes.Buffer
		must(t, sheets.Template(&b, typ))
		f, err := sheets.Open(b.Bytes(), "")
		must(t, err)
		s, err := f.Look(typ, "")
		must(t, err)
		for _, c := range s.Columns {
			if c.Field == "" {
				t.Errorf("%s: heading %s is not known", typ, c.Heading)
			}
		}
		if len(s.Columns) != len(sheets.FieldsOf(typ)) {
			t.Errorf("%s: %d columns for %d fields", typ, len(s.Columns), len(sheets.FieldsOf(typ)))
		}
		x, err := excelize.OpenReader(bytes.NewReader(b.Bytes()))
		must(t, err)
		v, err := x.GetDataValidations("数据")
		must(t, err)
		if least := map[string]int{"penalty": 4, "blacklist.person": 4, "duty_roster": 2}[typ]; least == 0 || len(v) < least {
			t.Errorf("%s: %d drop-downs", typ, len(v))
		}
	}
}
