package sheets

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
)

const (
	lastRow    = 1 << 20 // Excel's own limits
	lastColumn = 1 << 14
)

// rows streams one sheet. Rows without content are left out.
func (w *workbook) rows(p *pack, part string, each func(*Row) error) (Layout, error) {
	if err := w.loadStrings(p); err != nil {
		return Layout{}, err
	}
	r, err := p.open(part)
	if err != nil {
		return Layout{}, err
	}
	defer r.Close()
	x := &sheetScan{w: w, s: newScanner(r), each: each}
	for {
		t, err := x.s.next()
		if errors.Is(err, io.EOF) {
			return x.layout, nil
		}
		if err == nil {
			err = x.token(t)
		}
		if err != nil {
			return Layout{}, err
		}
	}
}

// sheetScan is the state of one reading.
type sheetScan struct {
	w      *workbook
	s      *scanner
	each   func(*Row) error
	layout Layout

	row     Row
	cell    Cell
	kind    string // attribute t
	style   string
	value   []byte
	inline  bool // value came from is/t
	state   string
	ghost   int // phonetic runs
	lastCol int
	inCell  bool
}

func (x *sheetScan) token(t xml.Token) error {
	switch t := t.(type) {
	case xml.StartElement:
		return x.start(t)
	case xml.CharData:
		if x.inCell && x.state != "" {
			x.value = append(x.value, t...)
			if len(x.value) > 4*maxCell {
				return refuse(CellTooLong, "")
			}
		}
	case xml.EndElement:
		return x.end(t.Name.Local)
	}
	return nil
}

func (x *sheetScan) start(e xml.StartElement) error {
	switch e.Name.Local {
	case "dimension":
		if s, ok := parseSpan(attr(e, "ref")); ok && (s.Bottom > MaxRows+headRoom || s.Right >= MaxColumns) {
			if s.Right >= MaxColumns {
				return refuse(TooManyColumns, "")
			}
			return refuse(TooManyRows, "")
		}
	case "row":
		n := x.row.Number + 1
		if a := attr(e, "r"); a != "" {
			v, err := strconv.Atoi(a)
			if err != nil || v < n || v > lastRow {
				return refuse(Malformed, "row number")
			}
			n = v
		}
		x.row = Row{Number: n, Hidden: isTrue(attr(e, "hidden")) || attr(e, "ht") == "0", Cells: x.row.Cells[:0]}
		x.lastCol = -1
	case "c":
		col := x.lastCol + 1
		if a := attr(e, "r"); a != "" {
			row, c, ok := parseRef(a)
			if !ok || row != x.row.Number || c < col {
				return refuse(Malformed, "cell reference")
			}
			col = c
		}
		x.lastCol, x.inCell = col, true
		x.cell = Cell{Col: col}
		x.kind, x.style, x.value, x.inline = attr(e, "t"), attr(e, "s"), x.value[:0], false
	case "f":
		if x.inCell {
			x.cell.Formula = true
		}
	case "v":
		x.state = "v"
	case "t":
		if x.inCell && x.ghost == 0 {
			x.state, x.inline = "t", true
		}
	case "rPh":
		x.ghost++
	case "mergeCell":
		s, ok := parseSpan(attr(e, "ref"))
		if !ok || len(x.layout.Merged) >= MaxRows {
			return refuse(Malformed, "merged cells")
		}
		x.layout.Merged = append(x.layout.Merged, s)
	case "oleObject", "control", "legacyDrawingHF":
		return refuse(Unsupported, "active content")
	}
	return nil
}

func (x *sheetScan) end(name string) error {
	switch name {
	case "v", "t":
		x.state = ""
	case "rPh":
		x.ghost--
	case "c":
		x.inCell, x.state = false, ""
		return x.finish()
	case "row":
		if len(x.row.Cells) > 0 {
			return x.each(&x.row)
		}
	}
	return nil
}

// finish gives the cell its kind and text.
func (x *sheetScan) finish() error {
	s := string(x.value)
	switch x.kind {
	case "s":
		var ok bool
		if s, ok = x.w.shared(s); !ok && len(x.value) > 0 {
			return refuse(Malformed, "shared string")
		}
		x.cell.Kind = Text
	case "str", "inlineStr":
		x.cell.Kind = Text
	case "b":
		x.cell.Kind = Bool
	case "e":
		x.cell.Kind = Fault
	case "d":
		x.cell.Kind = Text // ISO 8601 text
	case "", "n":
		s = strings.TrimSpace(s)
		x.cell.Kind = Number
		if i, err := strconv.Atoi(x.style); err == nil && i >= 0 && i < len(x.w.formats) && x.w.formats[i].date {
			x.cell.Kind = Day
		}
		if s != "" {
			if _, err := strconv.ParseFloat(s, 64); err != nil {
				return refuse(Malformed, "number")
			}
		}
	default:
		return refuse(Malformed, "cell type")
	}
	x.cell.Text = s
	if s == "" {
		x.cell.Kind = Blank
	}
	if x.cell.Kind != Blank || x.cell.Formula {
		x.row.Cells = append(x.row.Cells, x.cell)
	}
	return nil
}

// parseRef reads A1.
func parseRef(s string) (row, col int, ok bool) {
	i := 0
	for ; i < len(s) && s[i] >= 'A' && s[i] <= 'Z'; i++ {
		col = col*26 + int(s[i]-'A') + 1
		if col > lastColumn {
			return 0, 0, false
		}
	}
	row, err := strconv.Atoi(s[i:])
	return row, col - 1, err == nil && i > 0 && row >= 1 && row <= lastRow && s[i] != '+'
}

// parseSpan reads A1 or A1:B2.
func parseSpan(s string) (Span, bool) {
	a, b, two := strings.Cut(s, ":")
	top, left, ok := parseRef(a)
	if !two {
		return Span{top, left, top, left}, ok
	}
	bottom, right, ok2 := parseRef(b)
	return Span{top, left, bottom, right}, ok && ok2 && top <= bottom && left <= right
}
