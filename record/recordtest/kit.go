// Package recordtest is the acceptance suite that every record.Log passes: the contract of record.Log as tests. A new case
// is a new promise. It leaves to each store how it is opened and what only it can do.
package recordtest

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// Config is what a log under test is opened with.
type Config struct {
	Self       record.MemberID
	Federation record.FederationID
	Sealer     *record.Sealer
	Signer     func(record.StreamID, uint64) (*record.Signer, bool)
	Charter    func() record.CharterRef
	Now        func() time.Time
}

// Opener opens a new, empty log that is closed when the test ends.
type Opener func(t *testing.T, c Config) record.Log

// Features is what only a store itself can do, by its own means.
type Features struct {
	// Restart ends the process that holds the log and returns the log as the next process finds it.
	Restart func(t *testing.T, l record.Log) record.Log
	// Prune does the hourly work of forgetting one-use ids as of now: those that expired at least five minutes before.
	Prune func(t *testing.T, l record.Log, now time.Time)
	// Runs bounds the model test: how many histories it tries.
	Runs int
}

// Self and Peer are the two members of the suite's federation.
const (
	Self = record.MemberID("310116-01")
	Peer = record.MemberID("330482-01")
)

// Kit is a little federation: two members with keys, one epoch key for everybody and one for a closed group.
type Kit struct {
	Federation record.FederationID
	Charter    record.CharterRef
	Random     io.Reader
	Clock      time.Time
	keys       map[record.MemberID]*record.Signer
	epochs     map[record.GroupID]record.EpochKey
}

// Group is the closed group of the kit.
const Group = record.GroupID("0000000000000000000000000000000a")

// NewKit returns a kit; the same seed gives the same keys and salts.
func NewKit(seed uint64) *Kit {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	k := &Kit{Random: &shared{r: rand.NewChaCha8(key)}, Clock: time.Unix(1_770_000_000, 0), keys: map[record.MemberID]*record.Signer{}, epochs: map[record.GroupID]record.EpochKey{}}
	k.Federation[0], k.Charter = 7, record.CharterRef{Version: 1, Hash: [32]byte{7}}
	for i, m := range []record.MemberID{Self, Peer} {
		s := make([]byte, ed25519.SeedSize)
		s[0] = byte(i + 1)
		k.keys[m] = record.NewSigner(ed25519.NewKeyFromSeed(s))
	}
	k.epochs[record.All] = record.EpochKey{ID: record.KeyID{1}, Key: [32]byte{1, 1}}
	k.epochs[Group] = record.EpochKey{ID: record.KeyID{2}, Key: [32]byte{2, 2}}
	return k
}

// shared lets concurrent appends draw salts.
type shared struct {
	mu sync.Mutex
	r  io.Reader
}

func (s *shared) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.Read(b)
}

// Config returns the configuration of one member's log.
func (k *Kit) Config(m record.MemberID) Config {
	return Config{Self: m, Federation: k.Federation, Charter: func() record.CharterRef { return k.Charter },
		Sealer: &record.Sealer{Random: k.Random, Current: func(g record.GroupID) (record.EpochKey, bool) { e, ok := k.epochs[g]; return e, ok }},
		Signer: func(s record.StreamID, _ uint64) (*record.Signer, bool) { sg, ok := k.keys[s.Member()]; return sg, ok },
		Now:    func() time.Time { return k.Clock }}
}

// Key returns an epoch key by id.
func (k *Kit) Key(id record.KeyID) (record.EpochKey, bool) {
	for _, e := range k.epochs {
		if e.ID == id {
			return e, true
		}
	}
	return record.EpochKey{}, false
}

// SignKey returns the key of a stream's member.
func (k *Kit) SignKey(s record.StreamID, _ uint64) (ed25519.PublicKey, bool) {
	sg, ok := k.keys[s.Member()]
	if !ok {
		return nil, false
	}
	return sg.Public(), true
}

// Draft returns a draft for everybody at L3 with content that names its id.
func (k *Kit) Draft(m record.MemberID, name string, refs ...record.Ref) record.Draft {
	id, err := record.NewBits128(k.Random)
	if err != nil {
		panic(err)
	}
	d := record.Draft{Stream: record.Stream(m, name), ID: id, Type: "penalty", Schema: "1", Day: "2026-03-13", Refs: refs,
		Audience: map[record.GroupID]record.Level{record.All: record.L3},
		Parts: map[record.PartName][]byte{
			record.Card: []byte(fmt.Sprintf(`{"card":"%s"}`, id)), record.Body: []byte(fmt.Sprintf(`{"body":"%s"}`, id)), record.Home: []byte(fmt.Sprintf(`{"home":"%s"}`, id))}}
	if name != record.Records {
		d.Audience = nil
	}
	return d
}

// Follower returns a follower of another member's records stream as a log holds it, with the keys that has accepts.
func (k *Kit) Follower(t *testing.T, log record.Log, self record.MemberID, s record.StreamID, has func(record.KeyID) bool) *record.Follower {
	t.Helper()
	ctx := context.Background()
	h, err := log.Head(ctx, s)
	fatal(t, err)
	pending, err := log.Pending(ctx, s)
	fatal(t, err)
	f := &record.Follower{Federation: k.Federation, Self: self, Head: h, Pending: map[record.PartAt]bool{}, SignKey: k.SignKey,
		CharterKnown: func(r record.CharterRef) bool { return r == k.Charter },
		Key: func(id record.KeyID) (record.EpochKey, bool) {
			if has != nil && !has(id) {
				return record.EpochKey{}, false
			}
			return k.Key(id)
		},
		Entitled: func(g record.GroupID) bool {
			e, ok := k.epochs[g]
			return ok && (has == nil || has(e.ID))
		},
		Checkpoint: func(size uint64) ([]byte, bool) {
			gs, err := log.Groups(ctx, s, size-1, 1)
			if err != nil || len(gs) == 0 || gs[0].First+uint64(len(gs[0].Records)) != size {
				return nil, false
			}
			return gs[0].Checkpoint, true
		},
		Leaves:  func(from, to uint64) ([]tlog.Hash, error) { return log.Leaves(ctx, s, from, to) },
		Subject: func(id record.RecordID) ([]record.Stored, error) { return log.Subject(ctx, s, id) },
		Subjects: func(ids []record.RecordID) (map[record.RecordID][]record.Stored, error) {
			return log.Subjects(ctx, s, ids)
		},
	}
	for _, at := range pending {
		f.Pending[at] = true
	}
	return f
}

// Copy brings everything released of a stream from one log to another as Kafka would, and returns what was applied.
func (k *Kit) Copy(t *testing.T, from, to record.Log, self record.MemberID, s record.StreamID, has func(record.KeyID) bool) int {
	t.Helper()
	ctx := context.Background()
	h, err := to.Head(ctx, s)
	fatal(t, err)
	n := 0
	for next := h.Size; ; {
		gs, err := from.Groups(ctx, s, next, record.MaxRangeRecords)
		fatal(t, err)
		if len(gs) == 0 {
			return n
		}
		for _, g := range gs {
			fr, err := record.SealedFrame(k.Federation, g, k.Key)
			fatal(t, err)
			b, err := fr.Encode()
			fatal(t, err)
			fr, err = record.DecodeFrame(b)
			fatal(t, err)
			d := k.Follower(t, to, self, s, has).Offer(fr, "kafka")
			if d.Kind != record.DoApply {
				t.Fatalf("group at %d: decision %d %s", g.First, d.Kind, d.Why)
			}
			fatal(t, to.Apply(ctx, *d.Apply))
			n += len(g.Records)
			next = g.First + uint64(len(g.Records))
		}
	}
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
