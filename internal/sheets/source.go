package sheets

import (
	"crypto/sha256"
	"strings"
	"unicode/utf8"
)

// SheetInfo is one sheet of a file.
type SheetInfo struct {
	Name   string `json:"name"`
	Hidden bool   `json:"hidden,omitzero"`
}

// CellKind is what a file says a cell is.
type CellKind uint8

// Kinds of cells.
const (
	Blank CellKind = iota
	Text
	Number // as the file writes it, without a date's format
	Day    // a number that the file shows as a date
	Bool
	Fault // #REF! and its like
)

// Cell is one cell with content.
type Cell struct {
	Col     int // from 0
	Kind    CellKind
	Text    string
	Formula bool // Text is the value that was computed when the file was saved
}

// Row is one row with content.
type Row struct {
	Number int // as the spreadsheet program shows it, from 1
	Hidden bool
	Cells  []Cell // ascending columns; valid during the call only
}

// at returns the cell of a column; a Blank one where there is none.
func (r *Row) at(col int) Cell {
	for _, c := range r.Cells {
		if c.Col == col {
			return c
		}
	}
	return Cell{Col: col}
}

// Span is a rectangle of merged cells; rows from 1, columns from 0, both ends inclusive.
type Span struct{ Top, Left, Bottom, Right int }

// File is an opened spreadsheet.
type File struct {
	Hash     [32]byte // SHA-256 of the bytes
	Sheets   []SheetInfo
	Encoding string // of a text file; empty for a workbook
	Comma    rune   // of a text file

	book *workbook
	text []byte // of a text file, UTF-8 without a mark
	raw  []byte
}

// Workbook reports whether the file is an .xlsx.
func (f *File) Workbook() bool { return f.book != nil }

// Open checks a file as a whole. encoding is what the person says a text file is in: utf-8, gb18030 (and with it GBK and
// GB 2312), utf-16le, utf-16be; empty: it is found out, and refused when two fit. The bytes are kept and must not be
// changed. A *Refusal says why a file is not read.
func Open(b []byte, encoding string) (*File, error) {
	if len(b) > MaxFile {
		return nil, refuse(FileTooLarge, "")
	}
	is, err := workbookLike(b)
	if err != nil {
		return nil, err
	}
	f := &File{Hash: sha256.Sum256(b), raw: b}
	if !is {
		return f, f.openText(b, encoding)
	}
	if f.book, err = openWorkbook(b); err != nil {
		return nil, err
	}
	f.Sheets = f.book.sheets
	return f, nil
}

// Pick returns the sheet of that name, or the first visible one.
func (f *File) Pick(name string) (string, error) {
	for _, s := range f.Sheets {
		if s.Name == name || name == "" && !s.Hidden {
			return s.Name, nil
		}
	}
	return "", refuse(NoSheet, "")
}

// Layout is what one reading of a sheet found besides its rows.
type Layout struct {
	Merged []Span
}

// Rows reads the rows of a sheet in order. An error of f ends the reading and is returned.
func (f *File) Rows(sheet string, each func(*Row) error) (Layout, error) {
	n := 0
	bounded := func(r *Row) error {
		for _, c := range r.Cells {
			if c.Col >= MaxColumns {
				return refuse(TooManyColumns, "")
			}
			if len(c.Text) > maxCell && utf8.RuneCountInString(c.Text) > maxCell {
				return refuse(CellTooLong, "")
			}
		}
		if n++; n > MaxRows+headRoom {
			return refuse(TooManyRows, "")
		}
		return each(r)
	}
	if f.book == nil {
		return Layout{}, f.textRows(bounded)
	}
	part := f.book.parts[sheet]
	if part == "" {
		return Layout{}, refuse(NoSheet, "")
	}
	return f.book.rows(f.book.pack.again(), part, bounded)
}

// ColumnName is a column as a spreadsheet shows it: 0 is A.
func ColumnName(col int) string {
	var b strings.Builder
	if col >= 26 {
		b.WriteString(ColumnName(col/26 - 1))
	}
	b.WriteByte(byte('A' + col%26))
	return b.String()
}
