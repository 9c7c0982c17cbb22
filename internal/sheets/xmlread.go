package sheets

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// Limits of one XML part. A real sheet is four levels deep.
const (
	maxDepth = 32
	maxAttrs = 64
)

// scanner reads the tokens of one part. Document types are refused before anything could be expanded or fetched: no
// spreadsheet program writes one.
type scanner struct {
	d     *xml.Decoder
	in    *keeper
	depth int
}

// keeper remembers why its reader ended: the decoder would call it bad XML.
type keeper struct {
	io.Reader
	err error
}

// Read implements io.Reader.
func (k *keeper) Read(b []byte) (int, error) {
	n, err := k.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		k.err = err
	}
	return n, err
}

func newScanner(r io.Reader) *scanner {
	in := &keeper{Reader: r}
	d := xml.NewDecoder(in)
	d.Strict = true
	return &scanner{d: d, in: in}
}

// next returns the next start, end or text token; io.EOF at the end. Tokens are valid until the next call.
func (s *scanner) next() (xml.Token, error) {
	for {
		t, err := s.d.RawToken()
		if err != nil {
			var r *Refusal
			switch {
			case errors.Is(err, io.EOF) && s.depth == 0:
				return nil, io.EOF
			case errors.As(s.in.err, &r):
				return nil, r
			}
			return nil, refuse(Malformed, "xml")
		}
		switch t := t.(type) {
		case xml.Directive:
			return nil, refuse(Malformed, "xml: document type")
		case xml.StartElement:
			if s.depth++; s.depth > maxDepth || len(t.Attr) > maxAttrs {
				return nil, refuse(Malformed, "xml: depth")
			}
			return t, nil
		case xml.EndElement:
			if s.depth--; s.depth < 0 {
				return nil, refuse(Malformed, "xml")
			}
			return t, nil
		case xml.CharData:
			return t, nil
		}
	}
}

// attr returns an attribute's value by local name.
func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// each calls f for every start element of a part, with the names of the elements around it.
func (p *pack) each(part string, f func(path []string, e xml.StartElement) error) error {
	r, err := p.open(part)
	if err != nil {
		return err
	}
	defer r.Close()
	s := newScanner(r)
	var path []string
	for {
		t, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if err := f(path, t); err != nil {
				return err
			}
			path = append(path, t.Name.Local)
		case xml.EndElement:
			if len(path) == 0 || path[len(path)-1] != t.Name.Local {
				return refuse(Malformed, "xml")
			}
			path = path[:len(path)-1]
		}
	}
}

func isTrue(s string) bool { return s == "1" || strings.EqualFold(s, "true") }
