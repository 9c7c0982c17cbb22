package record

import (
	"crypto/ed25519"
	"crypto/sha256"
	"sync"
)

// verified remembers signatures that were found good: the same checkpoint comes in a frame, in every head exchange and
// under a receipt, and one verification of it is enough.
var verified signatures

// signaturesKept bounds one of the two generations of a memory of signatures: 2 × 16,384 digests of 32 bytes.
const signaturesKept = 1 << 14

// signatures is a bounded memory of good signatures, safe for use by several goroutines. Only the digest of key,
// signature and text is kept, and only of those that verified: nothing that a stranger sends gets in. Which key may
// speak where and when is asked before, every time; here is arithmetic alone.
type signatures struct {
	mu        sync.Mutex
	now, last map[[sha256.Size]byte]struct{}
}

// verify reports whether sig is the Ed25519 signature (RFC 8032) of msg under pub.
func (v *signatures) verify(pub ed25519.PublicKey, msg, sig []byte) bool {
	if len(pub) != ed25519.PublicKeySize || len(sig) != ed25519.SignatureSize {
		return false // the digest below is of fields whose lengths are fixed, but for the last
	}
	h := sha256.New()
	h.Write(pub)
	h.Write(sig)
	h.Write(msg)
	digest := [sha256.Size]byte(h.Sum(nil))
	if v.has(digest) {
		return true
	}
	if !ValidPublicKey(pub) || !ed25519.Verify(pub, msg, sig) {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.now == nil || len(v.now) >= signaturesKept {
		v.last, v.now = v.now, make(map[[sha256.Size]byte]struct{}, signaturesKept)
	}
	v.now[digest] = struct{}{}
	return true
}

func (v *signatures) has(digest [sha256.Size]byte) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := v.now[digest]; ok {
		return true
	}
	_, ok := v.last[digest]
	return ok
}
