package schemas

import (
	"errors"
	"fmt"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// Part names, in the order in which a header lists them. A fourth part, meta, is the log's own business.
const (
	partCard = "card" // what L2 shows
	partBody = "body" // what L3 adds
	partHome = "home" // never leaves the node
)

var partOrder = []string{partCard, partBody, partHome}

// ErrNotOfType reports a payload or part that this type cannot split or join; Validate says what is wrong with it.
var ErrNotOfType = errors.New("not of this record type")

// Split cuts a payload into its parts "card", "body" and "home" and makes the card's masked values. The bytes are final:
// they are sealed, hashed and kept as they are. They depend on the values only, not on the order or spacing of the
// payload. A part without members is absent. Split does not validate; it refuses bytes that are no strict JSON and
// fields that the schema does not know, since nobody could say where those belong.
func (t *Type) Split(payload []byte) (map[string][]byte, error) {
	v, bad := parse(payload)
	if bad != nil {
		return nil, fmt.Errorf("split %s: %w: %s at %q", t.name, ErrNotOfType, bad.Code, bad.Pointer)
	}
	if v.kind != '{' {
		return nil, fmt.Errorf("split %s: %w: no object", t.name, ErrNotOfType)
	}
	out := map[string][]byte{}
	for _, part := range partOrder {
		piece, err := cut(t.root, v, part)
		if err != nil {
			return nil, fmt.Errorf("split %s: %w", t.name, err)
		}
		if len(piece.names) > 0 {
			out[part] = encode(nil, t.root, piece)
		}
	}
	return out, nil
}

// cut takes from an object what belongs to a part.
func cut(n *node, v *value, part string) (*value, error) {
	out := &value{kind: '{'}
	for i, name := range v.names {
		p, m := n.member(name), v.vals[i]
		switch {
		case p == nil:
			return nil, fmt.Errorf("%w: unknown field", ErrNotOfType)
		case p.container():
			if m.kind != '{' {
				return nil, fmt.Errorf("%w: %s is no object", ErrNotOfType, name)
			}
			inner, err := cut(p, m, part)
			if err != nil {
				return nil, err
			}
			if len(inner.names) > 0 {
				out.set(name, inner)
			}
		case p.part == part:
			out.set(name, m)
		}
	}
	if part == partCard {
		derive(n, v, out)
	}
	return out, nil
}

// derive adds the card's values that are made from fields which the card itself does not carry.
func derive(n *node, v, card *value) {
	for _, p := range n.props {
		if p.card == nil {
			continue
		}
		m := v.get(p.name)
		given := m != nil && m.kind == 's'
		switch p.card.as {
		case "mask_name":
			if given {
				card.set(p.card.name, &value{kind: 's', str: identifier.MaskName(m.str)})
			}
		case "year":
			if year, _, ok := dateOrYear(v.text(p.name)); ok {
				card.set(p.card.name, &value{kind: 's', str: fmt.Sprintf("%04d", year)})
			}
		case "verified_flag":
			// Said of every person, also of one without a number: whether there is one is not the card's to tell.
			if quality := v.text("id_quality"); quality != "" {
				flag := byte('f')
				if given && verified[quality] {
					flag = 't'
				}
				card.set(p.card.name, &value{kind: flag})
			}
		case "copy":
			if m != nil {
				card.set(p.card.name, m)
			}
		}
	}
}

// verified are the ways of checking a document of which a card may say 「证件已核验」.
var verified = map[string]bool{"police_verified": true, "card_read": true}

// Join puts parts together again. With the body the card's derived values go, as the fields themselves are there;
// without it (a holder at L2) they stay. Fields that this version does not know are kept behind the others, by name.
func (t *Type) Join(parts map[string][]byte) ([]byte, error) {
	v, err := t.join(parts)
	if err != nil {
		return nil, fmt.Errorf("join %s: %w", t.name, err)
	}
	return encode(nil, t.root, v), nil
}

func (t *Type) join(parts map[string][]byte) (*value, error) {
	out := &value{kind: '{'}
	for _, part := range partOrder {
		b, ok := parts[part]
		if !ok {
			continue
		}
		v, bad := parse(b)
		if bad != nil {
			return nil, fmt.Errorf("%w: part %s: %s at %q", ErrNotOfType, part, bad.Code, bad.Pointer)
		}
		if v.kind != '{' {
			return nil, fmt.Errorf("%w: part %s is no object", ErrNotOfType, part)
		}
		if err := merge(t.root, out, v); err != nil {
			return nil, fmt.Errorf("part %s: %w", part, err)
		}
	}
	if _, ok := parts[partBody]; ok {
		underive(t.root, out)
	}
	return out, nil
}

func merge(n *node, dst, src *value) error {
	for i, name := range src.names {
		m, have := src.vals[i], dst.get(name)
		p := n.member(name)
		switch {
		case have == nil && p != nil && p.container() && m.kind == '{':
			// A copy: later parts add to it.
			fresh := &value{kind: '{'}
			dst.set(name, fresh)
			if err := merge(p, fresh, m); err != nil {
				return err
			}
		case have == nil:
			dst.set(name, m)
		case p != nil && p.container() && have.kind == '{' && m.kind == '{':
			if err := merge(p, have, m); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%w: a field stands in two parts", ErrNotOfType)
		}
	}
	return nil
}

func underive(n *node, v *value) {
	for _, p := range n.props {
		if p.card != nil {
			v.remove(p.card.name)
		}
		if m := v.get(p.name); m != nil && m.kind == '{' && p.container() {
			underive(p, m)
		}
	}
}

// Check says what is wrong with the parts of a record that another member published: everything that Validate says of
// the fields in the parts at hand, and a field that stands in a part where it may not. Fields that this version does not
// know are kept and ignored, and nothing is missed that belongs to a part which is not here. It is what makes a proven
// record usable. Dates are compared with asOf as in Validate.
func (t *Type) Check(parts map[string][]byte, asOf string) []Violation {
	for _, part := range partOrder {
		if b, ok := parts[part]; ok {
			v, bad := parse(b)
			if bad != nil {
				return []Violation{*bad}
			}
			if v.kind != '{' {
				return []Violation{{"", "type"}}
			}
			if at, ok := misplaced(t.root, v, part, ""); !ok {
				return []Violation{{at, "wrong_part"}}
			}
		}
	}
	v, err := t.join(parts)
	if err != nil {
		return []Violation{{"", "wrong_part"}}
	}
	day, err := identifier.ParseDate(asOf)
	if err != nil {
		return []Violation{{"", "as_of"}}
	}
	c := &checker{asOf: day, seen: map[string]bool{}}
	c.run(t, v)
	_, body := parts[partBody]
	var out []Violation
	for _, e := range c.errs {
		// The reasons of nulls stand in the body.
		if e.Code != "unknown_field" && (body || e.Code != "null_without_reason") && t.concerns(parts, e.Pointer) {
			out = append(out, e)
		}
	}
	return sorted(out)
}

// misplaced finds a field that belongs to another part: an identifier in a card would be readable at L2.
func misplaced(n *node, v *value, part, ptr string) (string, bool) {
	for i, name := range v.names {
		p, m, at := n.member(name), v.vals[i], child(ptr, name)
		switch {
		case p == nil && n.derives(name):
			if part != partCard || !derivedForm(n, name, m) {
				return at, false
			}
		case p == nil:
		case p.container():
			if m.kind != '{' {
				continue // Validate says so
			}
			if at, ok := misplaced(p, m, part, at); !ok {
				return at, false
			}
		case p.part != part:
			return at, false
		}
	}
	return "", true
}

// derivedForm reports whether a derived value looks like one: a card that carries a whole name as the masked one leaks.
func derivedForm(n *node, name string, m *value) bool {
	for _, p := range n.props {
		if p.card == nil || p.card.name != name {
			continue
		}
		switch p.card.as {
		case "mask_name":
			return m.kind == 's' && (m.str == "某某某" || m.str == identifier.MaskName(m.str))
		case "year":
			return m.kind == 's' && len(m.str) == 4
		case "verified_flag":
			return m.kind == 't' || m.kind == 'f'
		}
	}
	return true
}

// concerns reports whether a pointer is about something in the parts at hand. A container is about all of its members:
// it can be missed only where every part that may carry one of them is here.
func (t *Type) concerns(parts map[string][]byte, ptr string) bool {
	n := t.root
	for _, name := range splitPointer(ptr) {
		if n.part != "" {
			break
		}
		if n = n.member(name); n == nil {
			return true
		}
	}
	if n.part != "" {
		_, ok := parts[n.part]
		return ok
	}
	if n == t.root {
		return true
	}
	for _, p := range leafParts(n) {
		if _, ok := parts[p]; !ok && p != partHome {
			return false
		}
	}
	return true
}

func leafParts(n *node) []string {
	if n.part != "" {
		return []string{n.part}
	}
	var out []string
	for _, p := range n.props {
		out = append(out, leafParts(p)...)
	}
	return out
}
