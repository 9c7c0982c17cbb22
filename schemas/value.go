package schemas

import (
	"bytes"
	"errors"
	"io"
	"sort"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits of one payload (reliability-security.md §4).
const (
	MaxBytes   = 256 << 10 // a record
	MaxDepth   = 32        // objects and arrays inside each other
	MaxMembers = 10_000    // members and items in all
	MaxString  = 8 << 10   // bytes of a string or name
	maxInteger = 1<<53 - 1
)

// value is a JSON value in the order in which it was written. Duplicate names cannot occur in it.
type value struct {
	kind  byte // n t f s 0 { [
	str   string
	num   int64
	names []string // of an object, parallel to vals
	vals  []*value
	where map[string]int // of a large object: name → place; made when first needed
}

// largeObject is the number of members from which a map is faster than looking at each. Honest records stay near it;
// without the map an object of ten thousand members costs a hundred million comparisons.
const largeObject = 64

func (v *value) get(name string) *value {
	if v == nil || v.kind != '{' {
		return nil
	}
	if len(v.names) > largeObject {
		if v.where == nil {
			v.where = make(map[string]int, len(v.names))
			for i, n := range v.names {
				v.where[n] = i
			}
		}
		if i, ok := v.where[name]; ok {
			return v.vals[i]
		}
		return nil
	}
	for i, n := range v.names {
		if n == name {
			return v.vals[i]
		}
	}
	return nil
}

// text returns the member's string, or "" if it is absent or something else.
func (v *value) text(name string) string {
	if m := v.get(name); m != nil && m.kind == 's' {
		return m.str
	}
	return ""
}

func (v *value) set(name string, m *value) {
	if v.where != nil {
		v.where[name] = len(v.names)
	}
	v.names = append(v.names, name)
	v.vals = append(v.vals, m)
}

func (v *value) remove(name string) {
	for i, n := range v.names {
		if n == name {
			v.names = append(v.names[:i], v.names[i+1:]...)
			v.vals = append(v.vals[:i], v.vals[i+1:]...)
			v.where = nil
			return
		}
	}
}

func (v *value) isNull() bool { return v != nil && v.kind == 'n' }

// generic gives the form that the schema library reads.
func (v *value) generic() any {
	switch v.kind {
	case 'n':
		return nil
	case 't', 'f':
		return v.kind == 't'
	case 's':
		return v.str
	case '0':
		return v.num
	case '[':
		out := make([]any, len(v.vals))
		for i, m := range v.vals {
			out[i] = m.generic()
		}
		return out
	}
	out := make(map[string]any, len(v.vals))
	for i, m := range v.vals {
		out[v.names[i]] = m.generic()
	}
	return out
}

// parse reads exactly one I-JSON document under the limits, or says where and why not.
func parse(b []byte) (*value, *Violation) {
	if len(b) > MaxBytes {
		return nil, &Violation{"", "json_size"}
	}
	p := parser{d: jsontext.NewDecoder(bytes.NewReader(b))}
	v := p.value()
	if p.bad == nil {
		if _, err := p.d.ReadToken(); !errors.Is(err, io.EOF) {
			p.fail("json_invalid") // trailing data, two documents
		}
	}
	return v, p.bad
}

type parser struct {
	d       *jsontext.Decoder
	members int
	bad     *Violation
}

func (p *parser) fail(code string) *value {
	if p.bad == nil {
		p.bad = &Violation{safePointer(string(p.d.StackPointer())), code}
	}
	return nil
}

func (p *parser) failed(err error) *value {
	if p.bad == nil {
		code, at := "json_invalid", string(p.d.StackPointer())
		if errors.Is(err, jsontext.ErrDuplicateName) {
			code = "json_duplicate"
			var se *jsontext.SyntacticError
			if errors.As(err, &se) {
				at = string(se.JSONPointer)
			}
		}
		p.bad = &Violation{safePointer(at), code}
	}
	return nil
}

func (p *parser) value() *value {
	if p.d.PeekKind() == '{' || p.d.PeekKind() == '[' {
		if p.d.StackDepth() >= MaxDepth {
			return p.fail("json_depth")
		}
	}
	t, err := p.d.ReadToken()
	if err != nil {
		return p.failed(err)
	}
	switch k := t.Kind(); k {
	case '"':
		s, ok := p.string(t)
		if !ok {
			return nil
		}
		return &value{kind: 's', str: s}
	case '0':
		n, ok := integer(t.String())
		if !ok {
			return p.fail("json_number")
		}
		return &value{kind: '0', num: n}
	case '{', '[':
		return p.composite(byte(k))
	default:
		return &value{kind: byte(k)}
	}
}

func (p *parser) composite(kind byte) *value {
	v := &value{kind: kind}
	for {
		switch p.d.PeekKind() {
		case '}', ']':
			if _, err := p.d.ReadToken(); err != nil {
				return p.failed(err)
			}
			return v
		}
		if p.members++; p.members > MaxMembers {
			return p.fail("json_members")
		}
		name := ""
		if kind == '{' {
			t, err := p.d.ReadToken()
			if err != nil {
				return p.failed(err)
			}
			var ok bool
			if name, ok = p.string(t); !ok {
				return nil
			}
		}
		m := p.value()
		if m == nil {
			return nil
		}
		if kind == '{' {
			v.names = append(v.names, name)
		}
		v.vals = append(v.vals, m)
	}
}

// string refuses what may not stand in any text: NUL and control characters (but tab and line ends, which are data in a
// free text), U+FFFE and the like, and anything too long.
func (p *parser) string(t jsontext.Token) (string, bool) {
	s := t.String()
	if len(s) > MaxString {
		p.fail("json_string")
		return "", false
	}
	for _, r := range s {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
		case r < 0x20, r >= 0x7F && r <= 0x9F, r >= 0xFDD0 && r <= 0xFDEF, r&0xFFFE == 0xFFFE:
			p.fail("json_control")
			return "", false
		}
	}
	return s, true
}

// integer accepts whole numbers within 2^53−1 as they are written without fraction, exponent or minus zero: every
// number of a record is a count or an amount in fen.
func integer(s string) (int64, bool) {
	if len(s) > 17 || s == "-0" || strings.ContainsAny(s, ".eE") {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n >= -maxInteger && n <= maxInteger
}

// child appends a name to a pointer.
func child(ptr, name string) string {
	return ptr + "/" + escape.Replace(name)
}

// RFC 6901 §3 and §4.
var (
	escape   = strings.NewReplacer("~", "~0", "/", "~1")
	unescape = strings.NewReplacer("~1", "/", "~0", "~")
)

func item(ptr string, i int) string { return ptr + "/" + strconv.Itoa(i) }

// plausibleName reports whether a name from outside may be repeated in an answer: a mistyped field name may. A name with
// anything but ASCII letters, digits, "_" and "-" is none of ours and can be somebody's name, and one that is long or has
// five digits in a row somebody's number; both end the pointer before them.
func plausibleName(name string) bool {
	run := 0
	for i := range len(name) {
		switch c := name[i]; {
		case c >= '0' && c <= '9':
			run++
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c == '-', c == '~': // a key of null_reasons is an escaped pointer
			run = 0
		default:
			return false
		}
		if run > 4 {
			return false
		}
	}
	return len(name) <= 64
}

// safePointer cuts a pointer before the first name that may not be repeated.
func safePointer(ptr string) string {
	segments := strings.Split(ptr, "/")
	for i, s := range segments {
		if !plausibleName(s) {
			return strings.Join(segments[:i], "/")
		}
	}
	return ptr
}

func quote(b []byte, s string) []byte {
	b, err := jsontext.AppendQuote(b, s)
	if err != nil {
		panic("quote of a parsed string: " + err.Error()) // parse has refused everything that cannot be quoted
	}
	return b
}

// encode appends v as compact JSON, members of objects in the order of the schema, others behind them by
// name: the bytes depend on the values alone.
func encode(b []byte, n *node, v *value) []byte {
	switch v.kind {
	case 'n':
		return append(b, "null"...)
	case 't':
		return append(b, "true"...)
	case 'f':
		return append(b, "false"...)
	case 's':
		return quote(b, v.str)
	case '0':
		return strconv.AppendInt(b, v.num, 10)
	case '[':
		b = append(b, '[')
		for i, m := range v.vals {
			if i > 0 {
				b = append(b, ',')
			}
			b = encode(b, n.item(), m)
		}
		return append(b, ']')
	}
	b = append(b, '{')
	first := true
	member := func(name string, n *node, m *value) {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(quote(b, name), ':')
		b = encode(b, n, m)
	}
	for _, p := range n.members() {
		if p.card != nil {
			if m := v.get(p.card.name); m != nil {
				member(p.card.name, nil, m)
			}
		}
		if m := v.get(p.name); m != nil {
			member(p.name, p, m)
		}
	}
	var others []string
	for _, name := range v.names {
		if n.member(name) == nil && !n.derives(name) {
			others = append(others, name)
		}
	}
	sort.Strings(others)
	for _, name := range others {
		member(name, nil, v.get(name))
	}
	return append(b, '}')
}
