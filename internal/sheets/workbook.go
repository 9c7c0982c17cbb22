package sheets

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
)

// workbook is an opened .xlsx file.
type workbook struct {
	pack    *pack
	sheets  []SheetInfo
	parts   map[string]string // sheet name → part
	date04  bool
	formats []format // by style index
	styles  string   // part of the styles; may be empty
	strings string   // part of the shared strings; may be empty
	arena   []byte
	ends    []int // of the shared strings in arena
	loaded  bool
}

// format is what a cell format says about a number.
type format struct {
	number int // number format id
	date   bool
}

var ole = []byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1}

// workbookLike tells a workbook from a text file by its first bytes. Old and encrypted workbooks, web pages that are named
// .xls, and other documents are refused.
func workbookLike(b []byte) (bool, error) {
	head := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(b[:min(len(b), 512)], []byte("\xEF\xBB\xBF")), " \t\r\n"))
	switch {
	case bytes.HasPrefix(b, []byte("PK")):
		return true, nil
	case bytes.HasPrefix(b, ole), bytes.HasPrefix(head, []byte("<")), bytes.HasPrefix(head, []byte("%pdf")), bytes.HasPrefix(head, []byte("{\\rtf")), bytes.HasPrefix(head, []byte("mime-version")):
		return false, refuse(Unsupported, "")
	}
	return false, nil
}

func openWorkbook(b []byte) (*workbook, error) {
	p, err := openPack(b)
	if err != nil {
		return nil, err
	}
	if !p.has("[Content_Types].xml") {
		return nil, refuse(Unsupported, "no spreadsheet")
	}
	for name := range p.entries {
		for _, bad := range []string{"vbaproject", "vbadata", "/externallinks/", "/embeddings/", "/activex/", "/macrosheets/", "/dialogsheets/", "encryptedpackage", "oleobject", "/ctrlprops/", "/querytables/", "connections.xml"} {
			if strings.Contains("/"+name, bad) {
				return nil, refuse(Unsupported, "active content")
			}
		}
	}
	w := &workbook{pack: p, parts: map[string]string{}}
	main, err := w.contentTypes()
	if err != nil {
		return nil, err
	}
	if err := w.readBook(main); err != nil {
		return nil, err
	}
	return w, w.readStyles()
}

// contentTypes finds the main part and refuses what is not a plain workbook.
func (w *workbook) contentTypes() (string, error) {
	main := ""
	err := w.pack.each("[Content_Types].xml", func(_ []string, e xml.StartElement) error {
		t := strings.ToLower(attr(e, "ContentType"))
		switch {
		case strings.Contains(t, "macroenabled"), strings.Contains(t, "vbaproject"), strings.Contains(t, "oleobject"), strings.Contains(t, "externallink"):
			return refuse(Unsupported, "active content")
		case strings.HasSuffix(t, "spreadsheetml.sheet.main+xml"):
			main = strings.TrimPrefix(attr(e, "PartName"), "/")
		}
		return nil
	})
	if err == nil && main == "" {
		err = refuse(Unsupported, "no spreadsheet")
	}
	return main, err
}

func (w *workbook) readBook(main string) error {
	targets := map[string]string{}
	rels := path.Dir(main) + "/_rels/" + path.Base(main) + ".rels"
	err := w.pack.each(rels, func(_ []string, e xml.StartElement) error {
		if e.Name.Local != "Relationship" {
			return nil
		}
		if strings.EqualFold(attr(e, "TargetMode"), "External") {
			return refuse(Unsupported, "external link")
		}
		target := attr(e, "Target")
		if strings.HasPrefix(target, "/") {
			target = strings.TrimPrefix(target, "/")
		} else {
			target = path.Join(path.Dir(main), target)
		}
		targets[attr(e, "Id")] = target
		switch kind := attr(e, "Type"); {
		case strings.HasSuffix(kind, "/styles"):
			w.styles = target
		case strings.HasSuffix(kind, "/sharedStrings"):
			w.strings = target
		}
		return nil
	})
	if err != nil {
		return err
	}
	return w.pack.each(main, func(_ []string, e xml.StartElement) error {
		switch e.Name.Local {
		case "workbookPr":
			w.date04 = isTrue(attr(e, "date1904"))
		case "externalReference", "oleSize", "ddeLink":
			return refuse(Unsupported, "external link")
		case "sheet":
			name, part := attr(e, "name"), targets[attr(e, "id")]
			if !w.pack.has(part) || w.parts[name] != "" || len(w.sheets) >= 256 {
				return refuse(Malformed, "sheets")
			}
			if strings.Contains(part, "worksheets/") || !strings.Contains(part, "chartsheets/") {
				w.parts[name] = part
				w.sheets = append(w.sheets, SheetInfo{Name: name, Hidden: attr(e, "state") == "hidden" || attr(e, "state") == "veryHidden"})
			}
		}
		return nil
	})
}

// readStyles learns which cell formats show a number as a date.
func (w *workbook) readStyles() error {
	if w.styles == "" || !w.pack.has(w.styles) {
		return nil
	}
	custom := map[int]string{}
	return w.pack.each(w.styles, func(in []string, e xml.StartElement) error {
		switch {
		case e.Name.Local == "numFmt":
			id, err := strconv.Atoi(attr(e, "numFmtId"))
			if err != nil || len(custom) > maxStyles {
				return refuse(Bomb, "styles")
			}
			custom[id] = attr(e, "formatCode")
		case e.Name.Local == "xf" && len(in) > 0 && in[len(in)-1] == "cellXfs":
			id, _ := strconv.Atoi(attr(e, "numFmtId")) // absent is 0, General
			if len(w.formats) >= maxStyles {
				return refuse(Bomb, "styles")
			}
			w.formats = append(w.formats, format{id, isDateFormat(id, custom[id])})
		}
		return nil
	})
}

// isDateFormat reports whether a number format shows a day. 14–22 are built in everywhere, 27–36 and 50–58 in Chinese
// editions (ECMA-376 part 1 §18.8.30).
func isDateFormat(id int, code string) bool {
	switch {
	case id >= 14 && id <= 17, id == 22, id >= 27 && id <= 31, id == 36, id >= 50 && id <= 54, id == 57, id == 58:
		return true
	}
	quoted, bracket := false, false
	for _, r := range code {
		switch {
		case r == '"':
			quoted = !quoted
		case r == '[':
			bracket = true
		case r == ']':
			bracket = false
		case bracket:
		case !quoted && strings.ContainsRune("yYdDeE年日", r) && !strings.Contains(code, "E+") && !strings.EqualFold(code, "general"):
			return true
		}
	}
	return false
}

// loadStrings reads the shared strings once.
func (w *workbook) loadStrings(p *pack) error {
	if w.loaded || w.strings == "" || !p.has(w.strings) {
		w.loaded = true
		return nil
	}
	r, err := p.open(w.strings)
	if err != nil {
		return err
	}
	defer r.Close()
	s := newScanner(r)
	text, phonetic := false, 0
	for {
		t, err := s.next()
		if errors.Is(err, io.EOF) {
			w.loaded = true
			return nil
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "t":
				text = phonetic == 0
			case "rPh":
				phonetic++
			}
		case xml.CharData:
			if text {
				w.arena = append(w.arena, t...)
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "t":
				text = false
			case "rPh":
				phonetic--
			case "si":
				w.ends = append(w.ends, len(w.arena))
			}
		}
		if len(w.arena) > maxStrings || len(w.ends) > MaxRows*MaxColumns {
			return refuse(Bomb, "shared strings")
		}
	}
}

func (w *workbook) shared(index string) (string, bool) {
	i, err := strconv.Atoi(strings.TrimSpace(index))
	if err != nil || i < 0 || i >= len(w.ends) {
		return "", false
	}
	from := 0
	if i > 0 {
		from = w.ends[i-1]
	}
	return string(w.arena[from:w.ends[i]]), true
}
