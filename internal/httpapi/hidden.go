package httpapi

import (
	"github.com/danielgtaylor/huma/v2"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// hidden is a text of a request that no log, error or panic shows: a password, a token, an identifier, a name.
type hidden struct{ identifier.Secret }

// maxHidden bounds such a text in characters.
const maxHidden = 512

// Schema describes it as a string.
func (hidden) Schema(huma.Registry) *huma.Schema {
	n := maxHidden
	s := &huma.Schema{Type: huma.TypeString, MaxLength: &n}
	s.PrecomputeMessages()
	return s
}

// payload is a record's payload as it came: the catalogue of record types validates it, not this API's own document.
type payload []byte

// Schema describes it as any object.
func (payload) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "Payload of a record; see schemas/<type>"}
	s.PrecomputeMessages()
	return s
}

// UnmarshalJSON keeps the bytes.
func (p *payload) UnmarshalJSON(b []byte) error {
	*p = append((*p)[:0], b...)
	return nil
}

// MarshalJSON gives them back.
func (p payload) MarshalJSON() ([]byte, error) {
	if len(p) == 0 {
		return []byte("null"), nil
	}
	return p, nil
}

var _ huma.SchemaProvider = hidden{}
