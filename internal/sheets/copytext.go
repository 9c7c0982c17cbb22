package sheets

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"

	"golang.org/x/text/encoding/unicode"
)

// Told is what the returned copy says about a row. A Row that is not there has nothing to be said about.
type Told func(row int) (state RowState, issues []Issue)

// Copy writes the person's own file again, with a column of results behind its last one and, in a workbook, the bad cells
// coloured. Nothing else of it changes: a text file keeps its encoding and separator.
func (f *File) Copy(out io.Writer, s *Survey, told Told) error {
	if f.book != nil {
		return f.book.copy(out, s, told)
	}
	return f.copyText(out, s, told)
}

func resultText(state RowState, issues []Issue) string {
	if state == "" {
		return ""
	}
	head := map[RowState]string{RowOK: "可以导入 ok", RowWarning: "可以导入,请核对 warning", RowProblem: "不能导入 problem", RowSkipped: "未读 skipped"}[state]
	if t := Say(issues); t != "" {
		return head + "\n" + t
	}
	return head
}

func (f *File) copyText(out io.Writer, s *Survey, told Told) error {
	to := out
	switch e := encodings[f.Encoding]; {
	case f.Encoding == UTF16LE:
		to = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Writer(out)
	case f.Encoding == UTF16BE:
		to = unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().Writer(out)
	case e != nil:
		to = e.NewEncoder().Writer(out)
	default: // a mark makes spreadsheet programs read it as UTF-8
		if _, err := io.WriteString(out, "\xEF\xBB\xBF"); err != nil {
			return err
		}
	}
	w := csv.NewWriter(to)
	w.Comma = f.Comma
	err := f.textRows(func(r *Row) error {
		fields := make([]string, s.result()+1)
		for _, c := range r.Cells {
			if c.Col != s.old {
				fields[c.Col] = c.Text
			}
		}
		switch {
		case r.Number == s.HeaderRow+s.HeaderRows-1:
			fields[s.result()] = ResultHeading
		case r.Number > s.HeaderRow:
			fields[s.result()] = resultText(told(r.Number))
		}
		return w.Write(fields)
	})
	w.Flush()
	if err := errors.Join(err, w.Error()); err != nil {
		return fmt.Errorf("write copy: %w", err)
	}
	return nil
}
