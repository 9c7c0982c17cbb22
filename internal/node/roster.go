package node

import (
	"crypto/ed25519"
	"slices"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

// rosterOf shows the directory to the exchange as function values.
func rosterOf(dir *federation.Directory) *exchange.Roster {
	return &exchange.Roster{
		Federation: dir.Federation(), Self: dir.Self(),
		Members:      dir.Active,
		Known:        func(m record.MemberID) bool { _, ok := dir.Member(m); return ok },
		Charter:      dir.Charter,
		CharterKnown: dir.Known,
		SignKey:      dir.SignKey,
		NoteKeys:     func(m record.MemberID) []ed25519.PublicKey { return noteKeys(dir, m) },
		Revoked:      func() []ed25519.PublicKey { return revokedKeys(dir) },
		Key:          dir.EpochKey,
		SealKey:      dir.EpochKey,
		Groups:       dir.Groups,
		Usable:       federation.Usable,
	}
}

// noteKeys returns a member's signing keys, newest first, without revoked ones.
func noteKeys(dir *federation.Directory, m record.MemberID) []ed25519.PublicKey {
	e, ok := dir.Member(m)
	if !ok {
		return nil
	}
	var keys []ed25519.PublicKey
	for _, k := range e.Sign {
		if !e.IsRevoked(k.Key) {
			keys = append(keys, k.Key)
		}
	}
	slices.Reverse(keys)
	return keys
}

// revokedKeys returns this member's own keys that it has revoked.
func revokedKeys(dir *federation.Directory) (keys []ed25519.PublicKey) {
	e, _ := dir.Member(dir.Self())
	for _, r := range e.Revoked {
		keys = append(keys, r.Key)
	}
	return keys
}
