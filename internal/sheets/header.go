package sheets

import (
	"slices"
	"strings"
	"sync"
)

// ResultHeading is the column that a returned copy carries; an import looks past it, so that a person can correct the copy
// and hand it in again.
const ResultHeading = "导入结果"

// Column is one column under the heading of a sheet.
type Column struct {
	Index   int    `json:"-"`
	Column  string `json:"column"` // A, B, …
	Heading string `json:"heading"`
	Field   string `json:"field,omitempty"` // pointer of the field that it is read as; empty: not read
}

// Survey is what one look at a whole sheet tells before a row is judged.
type Survey struct {
	Sheet       string      `json:"sheet"`
	Sheets      []SheetInfo `json:"sheets"`
	Encoding    string      `json:"encoding,omitempty"`
	HeaderRow   int         `json:"header_row"`
	HeaderRows  int         `json:"header_rows"` // 2 where headings stand in two rows
	Rows        int         `json:"rows"`        // with content, below the header
	HiddenRows  int         `json:"hidden_rows"` // of these
	MergedCells int         `json:"merged_cells"`
	Columns     []Column    `json:"columns"`

	merged []Span
	width  int // columns with content in any row
	old    int // column of an earlier result; -1 without one
}

// result is the column that a returned copy writes into.
func (s *Survey) result() int {
	if s.old >= 0 && s.old == s.width-1 {
		return s.old
	}
	return s.width
}

const headSearch = 20 // rows with content in which a header is looked for

var headingForm = strings.NewReplacer(" ", "", "\n", "", "\r", "", "\t", "", "*", "", ":", "", "_", "")

// heading is how headings are compared: without spaces, marks of obligation, and colons.
func heading(s string) string { return strings.ToLower(headingForm.Replace(tidy(s))) }

// headings are the known headings of each type, as they are compared.
var headings = sync.OnceValue(func() map[string]map[string]string {
	out := map[string]map[string]string{}
	for _, typ := range append(slices.Clone(Types), TypeOfficers) {
		m := map[string]string{}
		for _, f := range FieldsOf(typ) {
			for _, h := range append([]string{f.Title, f.Pointer}, f.Aliases...) {
				if _, taken := m[heading(h)]; !taken {
					m[heading(h)] = f.Pointer
				}
			}
		}
		out[typ] = m
	}
	return out
})

// fieldOf finds the field of a type that a heading is known for; with and without what it says in brackets.
func fieldOf(typ, text string) string {
	known, h := headings()[typ], heading(text)
	if to := known[h]; to != "" {
		return to
	}
	if i := strings.IndexByte(h, '('); i > 0 {
		return known[h[:i]]
	}
	return ""
}

// Look surveys a sheet and proposes what its columns mean for a type. sheet empty: the first visible one.
func (f *File) Look(typ, sheet string) (*Survey, error) {
	sheet, err := f.Pick(sheet)
	if err != nil {
		return nil, err
	}
	s := &Survey{Sheet: sheet, Sheets: f.Sheets, Encoding: f.Encoding, old: -1}
	var head []Row
	var hidden []int
	total := 0
	layout, err := f.Rows(sheet, func(r *Row) error {
		total++
		s.width = max(s.width, r.Cells[len(r.Cells)-1].Col+1)
		if len(head) < headSearch {
			head = append(head, Row{Number: r.Number, Hidden: r.Hidden, Cells: slices.Clone(r.Cells)})
		}
		if r.Hidden {
			hidden = append(hidden, r.Number)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.merged, s.MergedCells = layout.Merged, len(layout.Merged)
	at := s.header(typ, head)
	if at < 0 {
		return s, refuse(NoHeader, "")
	}
	last := head[at+s.HeaderRows-1].Number
	for _, c := range head[at+s.HeaderRows-1].Cells {
		if heading(c.Text) == heading(ResultHeading) {
			s.old = c.Col
		}
	}
	s.Rows = total - at - s.HeaderRows
	if s.Rows > MaxRows {
		return nil, refuse(TooManyRows, "")
	}
	for _, n := range hidden {
		if n > last {
			s.HiddenRows++
		}
	}
	return s, nil
}

// header finds the row, or two rows, that have most known headings; -1 if no row has two.
func (s *Survey) header(typ string, rows []Row) int {
	best, most := -1, 1
	for n := 1; n <= 2; n++ { // two rows only where they say more than one: a title above is no heading
		for i := 0; i+n <= len(rows); i++ {
			known := 0
			for _, c := range s.columns(typ, rows[i:i+n]) {
				if c.Field != "" {
					known++
				}
			}
			if known > most {
				best, most, s.HeaderRows = i, known, n
			}
		}
	}
	if best >= 0 {
		s.HeaderRow = rows[best].Number
		s.Columns = s.columns(typ, rows[best:best+s.HeaderRows])
	}
	return best
}

// columns reads one or two rows as headings. Over two rows a heading is the lower one, or the upper where the lower is
// empty, or both together; a field goes to the first column that has it.
func (s *Survey) columns(typ string, rows []Row) []Column {
	width := 0
	for _, r := range rows {
		if n := len(r.Cells); n > 0 {
			width = max(width, r.Cells[n-1].Col+1)
		}
	}
	var out []Column
	taken := map[string]bool{}
	names := map[string]int{}
	for col := range width {
		top := tidy(s.cell(&rows[0], col).Text)
		text, field := top, fieldOf(typ, top)
		if len(rows) == 2 {
			low := tidy(rows[1].at(col).Text)
			switch {
			case low == "":
			case fieldOf(typ, top+low) != "":
				text, field = top+"/"+low, fieldOf(typ, top+low)
			case fieldOf(typ, low) != "" || field == "":
				text, field = low, fieldOf(typ, low)
				if top != "" && top != low {
					text = top + "/" + low
				}
			default: // a value under a heading: this is no second row of headings
				return nil
			}
		}
		if text == "" || heading(text) == heading(ResultHeading) {
			continue
		}
		if names[text]++; names[text] > 1 {
			text += "#" + string(rune('0'+min(names[text], 9)))
		}
		if taken[field] {
			field = ""
		}
		taken[field] = true
		out = append(out, Column{Index: col, Column: ColumnName(col), Heading: text, Field: field})
	}
	return out
}

// cell returns a cell of a heading row; within merged cells the text stands in the first.
func (s *Survey) cell(r *Row, col int) Cell {
	if c := r.at(col); c.Kind != Blank {
		return c
	}
	for _, m := range s.merged {
		if m.Top == r.Number && m.Left < col && col <= m.Right {
			return r.at(m.Left)
		}
	}
	return Cell{Col: col}
}
