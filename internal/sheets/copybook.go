package sheets

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// splicer copies an XML part byte for byte while its tokens are looked at, so that what is not changed stays as the person's
// own program wrote it.
type splicer struct {
	s   *scanner
	in  *recorder
	out io.Writer
	err error
}

// recorder keeps the bytes that the decoder has read and the splicer has not passed yet.
type recorder struct {
	r   io.Reader
	buf []byte
	at  int64 // offset of buf[0]
}

// Read implements io.Reader.
func (r *recorder) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	r.buf = append(r.buf, b[:n]...)
	return n, err
}

// take returns the bytes up to an offset.
func (r *recorder) take(to int64) []byte {
	b := r.buf[:to-r.at]
	r.buf, r.at = r.buf[to-r.at:], to
	return b
}

func newSplicer(r io.Reader, out io.Writer) *splicer {
	in := &recorder{r: r}
	return &splicer{s: newScanner(in), in: in, out: out}
}

// run passes every token with its bytes to f, which returns what is written for it.
func (c *splicer) run(f func(t xml.Token, raw []byte) []byte) error {
	for {
		t, err := c.s.next()
		if errors.Is(err, io.EOF) {
			c.write(c.in.take(c.s.d.InputOffset()))
			return c.err
		}
		if err != nil {
			return err
		}
		raw := c.in.take(c.s.d.InputOffset())
		c.write(f(t, raw))
		if c.err != nil {
			return c.err
		}
	}
}

func (c *splicer) write(b []byte) {
	if c.err == nil && len(b) > 0 {
		_, c.err = c.out.Write(b)
	}
}

// tag writes a start tag anew, without some attributes and with others; it stays self-closing if it was.
func tag(e xml.StartElement, raw []byte, drop string, set ...string) []byte {
	var b bytes.Buffer
	b.WriteByte('<')
	b.WriteString(qualified(e.Name))
	put := func(name, v string) {
		fmt.Fprintf(&b, " %s=\"", name)
		_ = xml.EscapeText(&b, []byte(v)) // a buffer takes everything
		b.WriteByte('"')
	}
	for _, a := range e.Attr {
		if a.Name.Space != "" || a.Name.Local != drop {
			put(qualified(a.Name), a.Value)
		}
	}
	for i := 0; i+1 < len(set); i += 2 {
		put(set[i], set[i+1])
	}
	if bytes.HasSuffix(raw, []byte("/>")) {
		b.WriteByte('/')
	}
	b.WriteByte('>')
	return b.Bytes()
}

func qualified(n xml.Name) string {
	if n.Space != "" {
		return n.Space + ":" + n.Local
	}
	return n.Local
}

// copy writes the workbook with results. Parts that are not touched are copied packed as they are.
func (w *workbook) copy(out io.Writer, s *Survey, told Told) error {
	p := w.pack.again()
	z := zip.NewWriter(out)
	part := strings.ToLower(w.parts[s.Sheet])
	marks := w.marks()
	for _, f := range p.inOrder() {
		name := strings.ToLower(f.Name)
		if name != part && (name != strings.ToLower(w.styles) || marks == nil) {
			if err := z.Copy(f); err != nil {
				return fmt.Errorf("copy part: %w", err)
			}
			continue
		}
		to, err := z.Create(f.Name)
		if err != nil {
			return fmt.Errorf("write part: %w", err)
		}
		from, err := p.open(f.Name)
		if err != nil {
			return err
		}
		if name == part {
			err = w.copySheet(from, to, s, told, marks)
		} else {
			err = w.copyStyles(from, to, marks)
		}
		from.Close()
		if err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("write workbook: %w", err)
	}
	return nil
}

// inOrder lists the entries as they stand in the file.
func (p *pack) inOrder() []*zip.File {
	out := make([]*zip.File, 0, len(p.entries))
	for _, f := range p.entries {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b *zip.File) int {
		x, _ := a.DataOffset() // openPack has read them
		y, _ := b.DataOffset()
		return int(x - y)
	})
	return out
}

// markFormats is how many number formats a coloured cell can keep.
const markFormats = 500

// markStyles are the cell formats that a copy adds: one for each number format, so that a bad date still looks like one.
type markStyles struct {
	formats []int       // number formats, in the order in which they are added
	byOld   map[int]int // style → added style
	result  int
}

// marks is nil where the workbook has no styles: then nothing is coloured.
func (w *workbook) marks() *markStyles {
	if len(w.formats) == 0 {
		return nil
	}
	m := &markStyles{byOld: map[int]int{}}
	first := map[int]int{}
	for i, f := range w.formats {
		at, ok := first[f.number]
		if !ok {
			if len(m.formats) >= markFormats {
				continue
			}
			at = len(w.formats) + len(m.formats)
			first[f.number] = at
			m.formats = append(m.formats, f.number)
		}
		m.byOld[i] = at
	}
	m.result = len(w.formats) + len(m.formats)
	return m
}

func (w *workbook) copyStyles(from io.Reader, to io.Writer, m *markStyles) error {
	fills, depth := 0, 0
	return newSplicer(from, to).run(func(t xml.Token, raw []byte) []byte {
		switch t := t.(type) {
		case xml.StartElement:
			depth++
			switch t.Name.Local {
			case "fill":
				if depth == 3 {
					fills++
				}
			case "fills", "cellXfs":
				return tag(t, raw, "count")
			}
		case xml.EndElement:
			depth--
			pre := ""
			if t.Name.Space != "" {
				pre = t.Name.Space + ":"
			}
			var b strings.Builder
			switch t.Name.Local {
			case "fills":
				fmt.Fprintf(&b, `<%[1]sfill><%[1]spatternFill patternType="solid"><%[1]sfgColor rgb="FFFFC7CE"/><%[1]sbgColor indexed="64"/></%[1]spatternFill></%[1]sfill>`, pre)
			case "cellXfs":
				for _, n := range m.formats {
					fmt.Fprintf(&b, `<%sxf numFmtId="%d" fontId="0" fillId="%d" borderId="0" xfId="0" applyNumberFormat="1" applyFill="1"/>`, pre, n, fills)
				}
				fmt.Fprintf(&b, `<%[1]sxf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" applyAlignment="1"><%[1]salignment vertical="top" wrapText="1"/></%[1]sxf>`, pre)
			default:
				return raw
			}
			return append([]byte(b.String()), raw...)
		}
		return raw
	})
}

// sheetCopy is the state of one copying of a sheet.
type sheetCopy struct {
	s     *Survey
	told  Told
	marks *markStyles
	row   int
	col   int
	bad   map[int]bool
	text  string
	drop  bool
}

func (w *workbook) copySheet(from io.Reader, to io.Writer, s *Survey, told Told, m *markStyles) error {
	c := &sheetCopy{s: s, told: told, marks: m}
	return newSplicer(from, to).run(c.token)
}

func (c *sheetCopy) token(t xml.Token, raw []byte) []byte {
	switch t := t.(type) {
	case xml.StartElement:
		switch t.Name.Local {
		case "row":
			return c.startRow(t, raw)
		case "c":
			return c.startCell(t, raw)
		}
	case xml.EndElement:
		switch {
		case t.Name.Local == "row" && len(raw) > 0:
			return append(c.result(t.Name), raw...)
		case t.Name.Local == "c" && c.drop:
			c.drop = false
			return nil
		}
	}
	if c.drop {
		return nil
	}
	return raw
}

func (c *sheetCopy) startRow(t xml.StartElement, raw []byte) []byte {
	c.row++
	if n, err := strconv.Atoi(attr(t, "r")); err == nil {
		c.row = n
	}
	c.col, c.bad, c.text = -1, nil, ""
	switch {
	case c.row == c.s.HeaderRow+c.s.HeaderRows-1:
		c.text = ResultHeading
	case c.row > c.s.HeaderRow:
		state, issues := c.told(c.row)
		c.text = resultText(state, issues)
		for _, i := range issues {
			if col := i.index(); !i.Warning && col >= 0 {
				if c.bad == nil {
					c.bad = map[int]bool{}
				}
				c.bad[col] = true
			}
		}
	}
	if c.text == "" {
		return raw
	}
	return tag(t, raw, "spans") // the row has a cell more now
}

func (c *sheetCopy) startCell(t xml.StartElement, raw []byte) []byte {
	c.col++
	if _, col, ok := parseRef(attr(t, "r")); ok {
		c.col = col
	}
	if c.col == c.s.old && c.row >= c.s.HeaderRow {
		c.drop = true
		return nil
	}
	if c.marks == nil || !c.bad[c.col] {
		return raw
	}
	old, _ := strconv.Atoi(attr(t, "s")) // absent is 0
	if mark, ok := c.marks.byOld[old]; ok {
		return tag(t, raw, "s", "s", strconv.Itoa(mark))
	}
	return raw
}

// result is the cell behind the last one of a row.
func (c *sheetCopy) result(row xml.Name) []byte {
	if c.text == "" {
		return nil
	}
	pre := ""
	if row.Space != "" {
		pre = row.Space + ":"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<%sc r="%s%d" t="inlineStr"`, pre, ColumnName(c.s.result()), c.row)
	if c.marks != nil {
		fmt.Fprintf(&b, ` s="%d"`, c.marks.result)
	}
	fmt.Fprintf(&b, `><%[1]sis><%[1]st xml:space="preserve">`, pre)
	_ = xml.EscapeText(&b, []byte(c.text)) // a buffer takes everything
	fmt.Fprintf(&b, `</%[1]st></%[1]sis></%[1]sc>`, pre)
	return b.Bytes()
}
