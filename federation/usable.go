package federation

import (
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
)

// Reasons why a proven record of a peer has no effect here, beside those of record.Follower.
const (
	UnusableType   = "pending_upgrade" // a type or version that this release does not know: kept, retried after an upgrade
	UnusableSchema = "schema"          // a known type whose content does not fit it
)

// Usable checks a peer's record against the catalogue once its parts are here. It judges as of the record's own day,
// never by this node's clock, so that every member judges alike. Empty: it has effect.
func Usable(m record.Meaning, parts map[record.PartName][]byte) string {
	t, ok := schemas.Lookup(m.Type, m.Schema)
	if !ok {
		return UnusableType
	}
	named := map[string][]byte{}
	for p, b := range parts {
		named[string(p)] = b
	}
	if len(t.Check(named, m.Day)) > 0 {
		return UnusableSchema
	}
	return ""
}
