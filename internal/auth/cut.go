package auth

import (
	"bytes"
	"errors"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/record"
)

// ErrNotObject: a part is not a JSON object, so nothing of it is shown.
var ErrNotObject = errors.New("part is not a JSON object")

// Cut returns what a view shows of a part, as compact JSON with the members in the part's own order: nil when it shows
// nothing. Bytes depend on shown fields alone: a hidden field leaves neither name nor trace. A member that the catalogue
// does not list is hidden, so a record of an unknown type shows nothing of its content.
func Cut(part record.PartName, b []byte, v View, fields []Field) ([]byte, error) {
	if len(b) == 0 || v < ViewCard {
		return nil, nil
	}
	root := tree(part, v, fields)
	c := cutter{dec: jsontext.NewDecoder(bytes.NewReader(b))}
	if c.dec.PeekKind() != '{' {
		return nil, ErrNotObject
	}
	out, some, err := c.value(nil, root)
	if err != nil {
		return nil, errors.New("part is ill-formed JSON") // the library's error could quote it
	}
	if !some {
		return nil, nil
	}
	return out, nil
}

// place is what a view shows at one place of a payload. A shown place is shown whole, unless the catalogue lists what is
// below it: then of an object or array only what is listed, each by its own word.
type place struct {
	show  showing
	mask  func(string) string
	below map[string]*place
}

func (p *place) child(name string) *place {
	if p.below == nil {
		p.below = map[string]*place{}
	}
	c := p.below[name]
	if c == nil {
		c = &place{}
		p.below[name] = c
	}
	return c
}

// tree lays the fields out by place.
func tree(part record.PartName, v View, fields []Field) *place {
	root := &place{}
	for _, f := range fields {
		names := strings.Split(f.Pointer, "/")
		if len(names) < 2 {
			continue
		}
		at := root
		for _, n := range names[1 : len(names)-1] {
			at = at.child(unescape(n))
		}
		if f.Part == part {
			p := at.child(unescape(names[len(names)-1]))
			p.show = v.shows(f)
			if p.show == masked {
				p.mask = maskOf(f.Kind)
			}
		}
		if f.Derived != "" && part == record.Card {
			// The value that stands on the card for a field of the body: everybody who sees a card sees it.
			d := at.child(f.Derived)
			if d.show = hidden; v >= ViewCard && f.Class != "C4" {
				d.show = plain
			}
		}
	}
	return root
}

func unescape(s string) string { return strings.NewReplacer("~1", "/", "~0", "~").Replace(s) }

// cutter copies the shown places of one document.
type cutter struct{ dec *jsontext.Decoder }

// value appends what p shows of the next value; some is false, and nothing appended, if it shows nothing.
func (c *cutter) value(out []byte, p *place) (_ []byte, some bool, err error) {
	if p == nil || p.show == hidden && len(p.below) == 0 {
		return out, false, c.dec.SkipValue()
	}
	kind := c.dec.PeekKind()
	switch {
	case kind == '{' && len(p.below) > 0:
		return c.object(out, p)
	case kind == '[' && len(p.below) > 0:
		return c.array(out, p)
	case p.show == hidden:
		return out, false, c.dec.SkipValue()
	case p.show == masked:
		return c.masked(out, p, kind)
	}
	v, err := c.dec.ReadValue()
	if err != nil {
		return out, false, err
	}
	if err := v.Compact(); err != nil {
		return out, false, err
	}
	return append(out, v...), true, nil
}

// masked writes a string's mask; anything else at a masked place but null is hidden.
func (c *cutter) masked(out []byte, p *place, kind jsontext.Kind) ([]byte, bool, error) {
	if kind != '"' {
		if err := c.dec.SkipValue(); err != nil || kind != 'n' {
			return out, false, err
		}
		return append(out, "null"...), true, nil
	}
	t, err := c.dec.ReadToken()
	if err != nil {
		return out, false, err
	}
	out, err = jsontext.AppendQuote(out, p.mask(t.String()))
	return out, true, err
}

func (c *cutter) object(out []byte, p *place) ([]byte, bool, error) {
	if _, err := c.dec.ReadToken(); err != nil {
		return out, false, err
	}
	start, some := len(out), false
	out = append(out, '{')
	for c.dec.PeekKind() != '}' {
		t, err := c.dec.ReadToken()
		if err != nil {
			return out, false, err
		}
		name, before := t.String(), len(out)
		if some {
			out = append(out, ',')
		}
		if out, err = jsontext.AppendQuote(out, name); err != nil {
			return out, false, err
		}
		var shown bool
		if out, shown, err = c.value(append(out, ':'), p.below[name]); err != nil {
			return out, false, err
		}
		if !shown {
			out = out[:before]
		}
		some = some || shown
	}
	if _, err := c.dec.ReadToken(); err != nil {
		return out, false, err
	}
	if !some {
		return out[:start], false, nil
	}
	return append(out, '}'), true, nil
}

func (c *cutter) array(out []byte, p *place) ([]byte, bool, error) {
	if _, err := c.dec.ReadToken(); err != nil {
		return out, false, err
	}
	start, some := len(out), false
	out = append(out, '[')
	for c.dec.PeekKind() != ']' {
		before := len(out)
		if some {
			out = append(out, ',')
		}
		var shown bool
		var err error
		if out, shown, err = c.value(out, p.below["*"]); err != nil {
			return out, false, err
		}
		if !shown {
			out = out[:before]
		}
		some = some || shown
	}
	if _, err := c.dec.ReadToken(); err != nil {
		return out, false, err
	}
	if !some {
		return out[:start], false, nil
	}
	return append(out, ']'), true, nil
}
