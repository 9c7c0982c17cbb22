package node

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
)

// A link that another member made counts here, until the database is an older copy: it may have been withdrawn since.
func TestNode_LinksOfOthersInACopy(t *testing.T) {
	d := found(t, onHTTP, false, some(2)...)
	d.released()
	a, b := d.members[0], d.members[1]
	s := record.Stream(b, record.Records)
	payload, err := os.ReadFile(filepath.Join("..", "..", "schemas", "identity.link", "examples", "good", "residence_card.json"))
	d.ok(err)
	typ, _ := schemas.Lookup("identity.link", "1")
	split, err := typ.Split(payload)
	d.ok(err)
	id, err := record.NewBits128(rand.Reader)
	d.ok(err)
	link := record.Draft{Stream: s, ID: id, Type: "identity.link", Schema: "1", Day: "2026-03-13",
		Audience: map[record.GroupID]record.Level{record.All: record.L3}, Parts: map[record.PartName][]byte{}}
	for p, bytes := range split {
		link.Parts[record.PartName(p)] = bytes
	}
	_, err = d.nodes[b].append(t.Context(), record.Append{Drafts: []record.Draft{link}})
	d.ok(err)
	d.everywhere(b, 1)
	n := d.nodes[a]
	for _, copied := range []bool{false, true} {
		if copied {
			n.mark.Store(&copyMark{Size: 0})
		}
		_, _, ok, err := subjects{n}.EvidenceFor(t.Context(), s, id, "2026-03-14")
		if err != nil || ok == copied {
			t.Errorf("copy %v: a link of another member's counts %v, %v", copied, ok, err)
		}
		if _, err := (subjects{n}).Entry(t.Context(), s, id, "2026-03-14"); (err != nil) != copied {
			t.Errorf("copy %v: entry %v", copied, err)
		}
	}
	n.mark.Store(nil)
}
