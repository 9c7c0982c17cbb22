package exchange

import (
	"crypto/ed25519"
	"slices"

	"github.com/pilinhub/pilin/record"
)

// Roster 名册 is what charter and agreements say now, as function values: internal/node fills it from
// federation.Directory. All functions may be called by several goroutines at once and must not block.
type Roster struct {
	Federation record.FederationID
	Self       record.MemberID

	// Members returns the active members, Self among them, in ascending order.
	Members func() []record.MemberID
	// Known reports whether m is or was a member; streams of others are not kept.
	Known func(m record.MemberID) bool
	// Charter returns the newest version that this node holds.
	Charter func() record.CharterRef
	// CharterKnown reports whether a version is held and verified.
	CharterKnown func(record.CharterRef) bool
	// SignKey returns the key that the charter puts in force at a sequence of a stream; false if none or revoked there.
	SignKey func(s record.StreamID, seq uint64) (ed25519.PublicKey, bool)
	// NoteKeys returns the keys under which m's receipts and head answers are believed, newest first. More than one
	// while a rotation is young: a receipt that was kept before it stays good.
	NoteKeys func(m record.MemberID) []ed25519.PublicKey
	// Revoked returns the keys of Self that are marked as compromised; nil: none. Others may still hold checkpoints under
	// them, over records that stand under another signature now.
	Revoked func() []ed25519.PublicKey
	// Key returns an epoch key of a group that Self is in now.
	Key func(record.KeyID) (record.EpochKey, bool)
	// SealKey returns any epoch key that this node ever held: frames of old records are wrapped for their old epoch.
	SealKey func(record.KeyID) (record.EpochKey, bool)
	// Groups returns the groups that m is in now.
	Groups func(m record.MemberID) map[record.GroupID]bool
	// Usable is the schema check of record.Follower; nil accepts everything.
	Usable func(record.Meaning, map[record.PartName][]byte) string
}

// Peers returns the active members but Self.
func (r *Roster) Peers() []record.MemberID {
	return slices.DeleteFunc(slices.Clone(r.Members()), func(m record.MemberID) bool { return m == r.Self })
}

// alone reports whether this is a federation of one.
func (r *Roster) alone() bool { return len(r.Peers()) == 0 }

// replicated reports whether s is a stream that this node keeps for another member.
func (r *Roster) replicated(s record.StreamID) bool {
	return s.Valid() && s.Kind() == record.Records && s.Member() != r.Self && r.Known(s.Member())
}

// lastSeq is the sequence whose signing key signs a checkpoint of this size.
func lastSeq(size uint64) uint64 { return max(size, 1) - 1 }
