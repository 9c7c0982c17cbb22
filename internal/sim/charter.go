package sim

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/sha256"
	"embed"
	"fmt"
	"slices"
	"sync"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

// Documents of the federations that histories are played in. They are files because sealing an epoch key draws its own
// randomness: made anew, one seed would not be one history. TestDocuments makes them again on demand.
//
//go:embed testdata/documents-*.json
var documentFiles embed.FS

// Documents are the notes of one federation: all are signed and verified by production code.
type Documents struct {
	First   []byte `json:"first"`   // charter version 1
	Renewed []byte `json:"renewed"` // a version 2 that makes a new epoch
	Removed []byte `json:"removed"` // another version 2, without the last member
	Circle  []byte `json:"circle"`  // agreement of all but the last member, known to them from the start
	Team    []byte `json:"team"`    // agreement of the first two members that its founder hands over late
}

// Actor is a member of the synthetic cast with keys that follow from its code.
type Actor struct {
	ID     record.MemberID
	Keys   *federation.Keys
	signer *record.Signer
	key    ed25519.PublicKey
}

// Cast are the members that histories draw from, in order.
var Cast = func() []Actor {
	var all []Actor
	for i := range 7 {
		id := record.MemberID(fmt.Sprintf("31011%d-01", i+1))
		seed := func(use string) []byte {
			sum := sha256.Sum256([]byte(use + " " + string(id)))
			return sum[:]
		}
		kem, err := ecdh.X25519().NewPrivateKey(seed("kem"))
		if err != nil {
			panic(err) // any 32 bytes are a key
		}
		keys := &federation.Keys{
			Member: id, Sign: ed25519.NewKeyFromSeed(seed("sign")), TLS: ed25519.NewKeyFromSeed(seed("tls")),
			Recovery: ed25519.NewKeyFromSeed(seed("recovery")), KEM: kem,
		}
		all = append(all, Actor{id, keys, keys.Signer(), keys.Signer().Public()})
	}
	return all
}()

// documents are read once for each number of members.
var documents = struct {
	sync.Mutex
	of map[int]Documents
}{of: map[int]Documents{}}

func documentsOf(members int) Documents {
	documents.Lock()
	defer documents.Unlock()
	d, ok := documents.of[members]
	if ok {
		return d
	}
	b, err := documentFiles.ReadFile(fmt.Sprintf("testdata/documents-%d.json", members))
	if err == nil {
		err = json.Unmarshal(b, &d)
	}
	if err != nil {
		panic(fmt.Sprintf("documents of %d members: %v", members, err))
	}
	documents.of[members] = d
	return d
}

// groupOf reads an agreement's group.
func groupOf(note []byte) record.GroupID {
	a, err := federation.ParseAgreement(note)
	if err != nil {
		panic(err) // a file of ours
	}
	return a.Group
}

// papers are the notes that a node has stored beside the first charter, in the order in which they came.
type papers struct{ charters, agreements, statements [][]byte }

// directory is what the stored papers say.
func (n *node) directory(p papers) *federation.Directory {
	d, err := federation.NewDirectory(n.Keys, n.w.docs.First)
	for _, note := range p.charters {
		if err == nil {
			_, err = d.Add(note)
		}
	}
	for _, note := range p.agreements {
		if err == nil {
			_, err = d.AddAgreement(note)
		}
	}
	for _, note := range p.statements {
		if err == nil {
			_, err = d.AddStatement(note)
		}
	}
	n.w.must("read papers", err)
	return d
}

// learn takes a document that came; false if it says nothing new.
func (n *node) learn(charter, agreement []byte) bool {
	var changed bool
	var err error
	if charter != nil {
		if changed, err = n.dir.Add(charter); changed {
			n.durable.papers.charters = append(slices.Clone(n.durable.papers.charters), charter)
		}
	} else if changed, err = n.dir.AddAgreement(agreement); changed {
		n.durable.papers.agreements = append(slices.Clone(n.durable.papers.agreements), agreement)
	}
	if err != nil {
		n.w.tell("%s does not take a document: %v", n.ID, err)
		return false
	}
	return changed
}

// state takes a member statement that came; false if it says nothing new.
func (n *node) state(note []byte) bool {
	changed, err := n.dir.AddStatement(note)
	if err != nil || !changed {
		return false
	}
	n.durable.papers.statements = append(slices.Clone(n.durable.papers.statements), note)
	n.w.tell("%s hears of a new key", n.ID)
	return true
}

// roster shows the directory to the exchange.
func (n *node) roster() *exchange.Roster {
	return &exchange.Roster{
		Federation: n.dir.Federation(), Self: n.ID,
		Members:      func() []record.MemberID { return n.dir.Active() },
		Known:        func(m record.MemberID) bool { _, ok := n.dir.Member(m); return ok },
		Charter:      func() record.CharterRef { return n.dir.Charter() },
		CharterKnown: func(c record.CharterRef) bool { return n.dir.Known(c) },
		SignKey: func(s record.StreamID, seq uint64) (ed25519.PublicKey, bool) {
			return n.dir.SignKey(s, seq)
		},
		NoteKeys: func(m record.MemberID) []ed25519.PublicKey {
			e, ok := n.dir.Member(m)
			if !ok || e.State != federation.Active {
				return nil
			}
			var keys []ed25519.PublicKey
			for _, k := range e.Sign {
				keys = append(keys, k.Key)
			}
			slices.Reverse(keys)
			return keys
		},
		Key:     func(id record.KeyID) (record.EpochKey, bool) { return n.dir.EpochKey(id) },
		SealKey: func(id record.KeyID) (record.EpochKey, bool) { return n.dir.EpochKey(id) },
		Groups:  func(m record.MemberID) map[record.GroupID]bool { return n.dir.Groups(m) },
		Usable:  usable,
	}
}

// in reports whether this node knows itself to be in group g.
func (n *node) in(g record.GroupID) bool { return n.dir.Groups(n.ID)[g] }

// removal reports whether the history's second charter version is one that removes the last member.
func (w *world) isRemoved(n *node) bool { return w.removal && n == w.nodes[len(w.nodes)-1] }
