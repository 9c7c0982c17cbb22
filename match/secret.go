package match

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

// secret keys the index of one node. Keys of records are taken through SipHash-2-4 under it before they are filed, so that
// who holds the files of a node cannot look up a name, a number or an address in them without the secret.
type secret struct {
	k0, k1 uint64
	master []byte // what snapshots are sealed under; nil when nobody gave one
}

// secretOf derives the key of postings from a node's secret. Without one the engine works the same and leaves no snapshot:
// its index stands in memory only.
func secretOf(master []byte) secret {
	if len(master) == 0 {
		return secret{}
	}
	seed := derive(master, nil, "pilin match postings", 16)
	return secret{binary.LittleEndian.Uint64(seed), binary.LittleEndian.Uint64(seed[8:]), master}
}

// derive is HKDF-SHA256 (RFC 5869). It cannot fail for lengths that are asked here.
func derive(master, salt []byte, info string, n int) []byte {
	k, err := hkdf.Key(sha256.New, master, salt, info, n)
	if err != nil {
		panic(err)
	}
	return k
}

// file gives the place of a key in the index: SipHash-2-4 of its eight bytes.
func (s *secret) file(m uint64) uint64 {
	v0, v1, v2, v3 := s.k0^0x736f6d6570736575, s.k1^0x646f72616e646f6d, s.k0^0x6c7967656e657261, s.k1^0x7465646279746573
	v3 ^= m
	v0, v1, v2, v3 = sipRound(sipRound(v0, v1, v2, v3))
	v0 ^= m
	const last = 8 << 56 // the length
	v3 ^= last
	v0, v1, v2, v3 = sipRound(sipRound(v0, v1, v2, v3))
	v0, v2 = v0^last, v2^0xff
	v0, v1, v2, v3 = sipRound(sipRound(v0, v1, v2, v3))
	v0, v1, v2, v3 = sipRound(sipRound(v0, v1, v2, v3))
	return v0 ^ v1 ^ v2 ^ v3
}

func sipRound(v0, v1, v2, v3 uint64) (a, b, c, d uint64) {
	v0 += v1
	v1 = bits.RotateLeft64(v1, 13) ^ v0
	v0 = bits.RotateLeft64(v0, 32)
	v2 += v3
	v3 = bits.RotateLeft64(v3, 16) ^ v2
	v0 += v3
	v3 = bits.RotateLeft64(v3, 21) ^ v0
	v2 += v1
	v1 = bits.RotateLeft64(v1, 17) ^ v2
	v2 = bits.RotateLeft64(v2, 32)
	return v0, v1, v2, v3
}
