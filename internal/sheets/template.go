package sheets

import (
	"fmt"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"
)

// templateRows is how far drop-downs and formats of a template reach.
const templateRows = 5000

// Template writes an empty workbook of a type: headings that an import knows, code lists as drop-downs, numbers as text, and
// a second sheet that says how to fill it in.
func Template(out io.Writer, typ string) (err error) {
	x := excelize.NewFile()
	defer func() { _ = x.Close() }() // it removes temporary files; what is written is told by Write
	t := &templateWriter{x: x}
	t.do(x.SetSheetName("Sheet1", "数据"))
	for _, name := range []string{"说明", "代码"} {
		_, err := x.NewSheet(name)
		t.do(err)
	}
	head := t.style(&excelize.Style{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"DDEBF7"}}})
	text := t.style(&excelize.Style{NumFmt: 49})
	date := "yyyy-mm-dd"
	dates := t.style(&excelize.Style{CustomNumFmt: &date})
	lists := 0
	for i, f := range FieldsOf(typ) {
		col := ColumnName(i)
		title := f.Title
		if f.needed {
			title += "*"
		}
		t.do(x.SetColWidth("数据", col, col, 18))
		switch f.Kind {
		case day:
			t.do(x.SetColStyle("数据", col, dates))
		default:
			t.do(x.SetColStyle("数据", col, text))
		}
		t.do(x.SetCellValue("数据", col+"1", title))
		t.do(x.SetCellStyle("数据", col+"1", col+"1", head))
		list := f.codes
		if f.Kind == truth {
			list = yesNo
		}
		if len(list) > 0 && f.Kind != many {
			t.dropDown(col, ColumnName(lists), list)
			lists++
		}
		t.explain(i+3, &f, list)
	}
	t.do(x.SetPanes("数据", &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}))
	t.do(x.SetSheetVisible("代码", false))
	t.do(x.SetCellValue("说明", "A1", "每行一件;带 * 的必填。旧材料没有的写「不详」,看不清的写「无法辨认」,不适用的写「不适用」,还要再查的写「待查」。号码列是文本格式,请勿改。 "+
		"One record per row; * must be filled in. Where the old paper does not say: 不详, 无法辨认, 不适用, 待查."))
	t.do(x.SetColWidth("说明", "A", "C", 40))
	if t.err == nil {
		t.err = x.Write(out)
	}
	if t.err != nil {
		return fmt.Errorf("write template: %w", t.err)
	}
	return nil
}

// templateWriter keeps the first error.
type templateWriter struct {
	x   *excelize.File
	err error
}

func (t *templateWriter) do(err error) {
	if t.err == nil {
		t.err = err
	}
}

func (t *templateWriter) style(s *excelize.Style) int {
	n, err := t.x.NewStyle(s)
	t.do(err)
	return n
}

// dropDown puts a code list on the hidden sheet and offers it in a column.
func (t *templateWriter) dropDown(col, at string, list []code) {
	for i, c := range list {
		t.do(t.x.SetCellValue("代码", fmt.Sprintf("%s%d", at, i+1), c.words[0]))
	}
	v := excelize.NewDataValidation(true)
	v.SetSqref(fmt.Sprintf("%s2:%s%d", col, col, templateRows))
	v.SetSqrefDropList(fmt.Sprintf("代码!$%s$1:$%s$%d", at, at, len(list)))
	title, text := "请选择", "请按下拉选项填写"
	v.SetError(excelize.DataValidationErrorStyleWarning, title, text) // 不详 and its like may be typed
	t.do(t.x.AddDataValidation("数据", v))
}

func (t *templateWriter) explain(row int, f *Field, list []code) {
	how := map[fieldKind]string{ident: "文本,逐位照录", day: "日期,如 2026-03-05", when: "日期或年份", money: "元,最多两位小数", clock: "时间,如 08:30;止不晚于起的到次日", region: "六位区划代码", many: "可多项,用「、」隔开", refs: "本单位已发布处罚的文号,多个用「、」隔开"}[f.Kind]
	var names []string
	for _, c := range list {
		names = append(names, c.words[0])
	}
	t.do(t.x.SetSheetRow("说明", fmt.Sprintf("A%d", row), &[]any{f.Title, how, strings.Join(names, "、")}))
}
