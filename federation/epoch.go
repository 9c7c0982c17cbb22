package federation

import (
	"crypto/ecdh"
	"crypto/hpke"
	"fmt"
	"io"
	"slices"

	"github.com/pilinhub/pilin/record"
)

// wrapSize is the encapsulated key (32), the epoch key (32) and the tag (16) of charter.md §1.
const wrapSize = 32 + 32 + 16

func epochInfo(g record.GroupID, key record.KeyID, m record.MemberID) []byte {
	return []byte("pilin epoch 1" + string(g) + string(key[:]) + string(m))
}

// NewEpoch draws a key for a group and wraps it for each of the members, who may come in any order. HPKE adds its own
// randomness to each wrap.
func NewEpoch(random io.Reader, group record.GroupID, members []Member) (Epoch, record.EpochKey, error) {
	var e Epoch
	var key record.EpochKey
	var err error
	if key.ID, err = record.NewBits128(random); err != nil {
		return e, key, fmt.Errorf("new epoch: %w", err)
	}
	if _, err = io.ReadFull(random, key.Key[:]); err != nil {
		return e, key, fmt.Errorf("new epoch: draw key: %w", err)
	}
	e.Key = key.ID
	for _, m := range members {
		pub, err := hpke.DHKEM(ecdh.X25519()).NewPublicKey(m.KEM[:])
		if err != nil {
			return e, key, fmt.Errorf("new epoch: KEM key of %s: %w", m.Code, err)
		}
		enc, err := hpke.Seal(pub, hpke.HKDFSHA256(), hpke.AES256GCM(), epochInfo(group, key.ID, m.Code), key.Key[:])
		if err != nil {
			return e, key, fmt.Errorf("new epoch: wrap for %s: %w", m.Code, err)
		}
		e.Wraps = append(e.Wraps, Wrap{Member: m.Code, Enc: enc})
	}
	slices.SortFunc(e.Wraps, func(a, b Wrap) int { return compareMembers(a.Member, b.Member) })
	return e, key, nil
}

// OpenEpoch returns the epoch key if the epoch is wrapped for m under one of its KEM keys. False if m is not among the
// holders, or the wrap does not open: a founder's mistake that the member must complain about.
func OpenEpoch(group record.GroupID, e Epoch, m record.MemberID, kems ...*ecdh.PrivateKey) (record.EpochKey, bool) {
	for _, w := range e.Wraps {
		if w.Member != m {
			continue
		}
		for _, kem := range kems {
			priv, err := hpke.NewDHKEMPrivateKey(kem)
			if err != nil {
				continue
			}
			b, err := hpke.Open(priv, hpke.HKDFSHA256(), hpke.AES256GCM(), epochInfo(group, e.Key, m), w.Enc)
			if err == nil && len(b) == 32 {
				return record.EpochKey{ID: e.Key, Key: [32]byte(b)}, true
			}
		}
	}
	return record.EpochKey{}, false
}
