package schemas

import (
	"strings"

	"github.com/pilinhub/pilin/schemas/identifier"
)

func splitPointer(ptr string) []string {
	if ptr == "" {
		return nil
	}
	out := strings.Split(ptr[1:], "/")
	for i, s := range out {
		out[i] = unescape.Replace(s)
	}
	return out
}

// Identifiers lists what a record can be found by, from the parts at hand: of a card alone nothing of a person. Values
// are normalised; an invalid number is left out, a suspect one is never Strong. A document number of a decision gives
// two: doc_no by itself, which is weak as abbreviations repeat across the country, and decision, "issuer USCC/number",
// which is strong (domain.md §3.11). Parts that do not join give none.
func (t *Type) Identifiers(parts map[string][]byte) []Identifier {
	v, err := t.join(parts)
	if err != nil {
		return nil
	}
	var out []Identifier
	collect(t.root, v, nil, "", &out)
	return out
}

func collect(n *node, v, parent *value, ptr string, out *[]Identifier) {
	if n == nil {
		return
	}
	switch v.kind {
	case '{':
		for _, p := range n.props {
			if m := v.get(p.name); m != nil {
				collect(p, m, v, child(ptr, p.name), out)
			}
		}
	case '[':
		for i, m := range v.vals {
			collect(n.items, m, parent, item(ptr, i), out)
		}
	case 's':
		if n.ident != nil {
			for _, id := range read(n.ident, v.str, parent) {
				id.Pointer = ptr
				*out = append(*out, id)
			}
		}
	}
}

// read gives the comparable forms of one identifier.
func read(mark *identMark, s string, parent *value) []Identifier {
	var none identifier.Date
	one := func(kind string, p identifier.Parsed) []Identifier {
		if p.Quality == identifier.Invalid {
			return nil
		}
		return []Identifier{{Kind: kind, Value: p.Normalised, Strong: mark.strong && p.Quality == identifier.Valid}}
	}
	switch mark.kind {
	case "document":
		p := readDocument(parent, s, none)
		ids := one(p.Kind, p.Parsed)
		if len(ids) == 1 && p.Key != "" {
			ids[0].Value = p.Key
		}
		return ids
	case "resident_id":
		return one(mark.kind, identifier.ParseResidentID(s, none).Parsed)
	case "uscc", "issuer_uscc":
		return one(mark.kind, identifier.ParseUSCC(s, none).Parsed)
	case "phone":
		return one(mark.kind, identifier.ParsePhone(s, none).Parsed)
	case "name", "name_variant", "org_name":
		return one(mark.kind, identifier.ParseName(s).Parsed)
	case "doc_no":
		p := identifier.ParseDocNo(s, none)
		ids := one(mark.kind, p.Parsed)
		if len(ids) == 1 {
			ids[0].Strong = false
			if issuer := identifier.ParseUSCC(parent.text("issuer_uscc"), none); issuer.Quality == identifier.Valid {
				ids = append(ids, Identifier{Kind: "decision", Value: issuer.Normalised + "/" + p.Normalised, Strong: mark.strong && p.Quality == identifier.Valid})
			}
		}
		return ids
	case "handle":
		return readHandle(s, parent)
	case "reg_no", "filing_no":
		return []Identifier{{Kind: mark.kind, Value: identifier.Normalise(s), Strong: mark.strong}}
	case "org_other_no":
		return []Identifier{{Kind: mark.kind, Value: identifier.Normalise(s)}}
	}
	return []Identifier{{Kind: mark.kind, Value: s, Strong: mark.strong}}
}
