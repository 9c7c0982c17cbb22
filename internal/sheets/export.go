package sheets

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/unicode/norm"
)

// Neutral makes a text that no spreadsheet program takes for a formula: what begins with = + - @ tab or return, in ordinary
// or full-width form, gets an apostrophe in front (reliability-security.md §4.3).
func Neutral(s string) string {
	first := strings.TrimLeft(s, " \u00a0\u3000\ufeff")
	if n := norm.NFKC.String(first[:min(len(first), 4)]); n != "" && strings.ContainsRune("=+-@\t\r\n", rune(n[0])) || first != "" && strings.ContainsRune("\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}

// Notice is the footer of every export (domain.md §0.4): what the list is, and what it is not.
const Notice = "说明:《非法行医协查名单》(执法内部)仅汇集各单位依法掌握的事实,供执法协查使用;不公开、不出售、不推送信用平台,不产生任何自动惩戒。" +
	"同名不等于本人。 Internal enforcement index: never published, never sold, never pushed to credit platforms, no automatic sanction."

// Table is an export under way.
type Table struct {
	Type      string
	By        string // who exports, and when: the mark in every export
	Synthetic bool
}

func (t *Table) head() []string {
	var out []string
	for _, f := range FieldsOf(t.Type) {
		out = append(out, f.Title)
	}
	return out
}

func (t *Table) foot() []string {
	out := []string{Notice, "备注:导出 exported: " + t.By}
	if t.Synthetic {
		out = append(out, "备注:合成数据 SYNTHETIC")
	}
	return out
}

// line writes a payload, as far as the person may see it, as cells.
func (t *Table) line(b []byte) ([]string, error) {
	root := map[string]any{}
	if len(b) == 0 { // the person sees nothing of it
		b = []byte("{}")
	}
	if err := json.Unmarshal(b, &root); err != nil {
		return nil, fmt.Errorf("read payload for export: %w", err)
	}
	p := &payload{typ: t.Type, root: root}
	var out []string
	for _, f := range FieldsOf(t.Type) {
		out = append(out, Neutral(f.show(p)))
	}
	return out, nil
}

// show writes a field as its own import would read it.
func (f *Field) show(p *payload) string {
	if strings.HasSuffix(f.Pointer, "/0/no") || strings.HasSuffix(f.Pointer, "/0/text") {
		i := strings.LastIndex(f.Pointer, "/0/")
		list, _ := p.get(f.Pointer[:i]).([]any)
		if len(list) == 0 {
			return ""
		}
		m, _ := list[0].(map[string]any)
		s, _ := m[f.Pointer[i+3:]].(string)
		return s
	}
	switch v := p.get(f.Pointer).(type) {
	case string:
		if f.Pointer == "/occurred_at" && len(v) >= 10 {
			return v[:10]
		}
		return wordFor(f.codes, v)
	case bool:
		return wordFor(yesNo, strconv.FormatBool(v))
	case float64:
		if f.Kind == money {
			fen := int64(v)
			return fmt.Sprintf("%d.%02d", fen/100, fen%100)
		}
	case []any:
		var names []string
		for _, x := range v {
			s, _ := x.(string)
			names = append(names, wordFor(f.codes, s))
		}
		return strings.Join(names, "、")
	}
	return ""
}

// CSV writes an export as UTF-8 with a mark, every field quoted. rows calls its argument for each payload.
func (t *Table) CSV(out io.Writer, rows func(func(payload []byte) error) error) error {
	mark := "\xEF\xBB\xBF"
	line := func(fields []string) error {
		var b strings.Builder
		b.WriteString(mark)
		mark = ""
		for i, s := range fields {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`"` + strings.ReplaceAll(s, `"`, `""`) + `"`)
		}
		b.WriteString("\r\n")
		if _, err := io.WriteString(out, b.String()); err != nil {
			return fmt.Errorf("write export: %w", err)
		}
		return nil
	}
	return t.lines(line, rows)
}

// lines hands over the head, a line for each payload, and the foot.
func (t *Table) lines(line func([]string) error, rows func(func(payload []byte) error) error) error {
	if err := line(t.head()); err != nil {
		return err
	}
	if err := rows(func(b []byte) error {
		fields, err := t.line(b)
		if err == nil {
			err = line(fields)
		}
		return err
	}); err != nil {
		return err
	}
	for _, s := range t.foot() {
		if err := line([]string{s}); err != nil {
			return err
		}
	}
	return nil
}

// Workbook writes an export as .xlsx; every cell is text.
func (t *Table) Workbook(out io.Writer, rows func(func(payload []byte) error) error) error {
	x := excelize.NewFile()
	defer func() { _ = x.Close() }() // it removes temporary files; what is written is told by Write
	w, err := x.NewStreamWriter("Sheet1")
	if err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	n := 0
	line := func(fields []string) error {
		n++
		cells := make([]any, len(fields))
		for i, s := range fields {
			cells[i] = s
		}
		if err := w.SetRow("A"+strconv.Itoa(n), cells); err != nil {
			return fmt.Errorf("write export: %w", err)
		}
		return nil
	}
	if err := t.lines(line, rows); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	if err := x.Write(out); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	return nil
}
