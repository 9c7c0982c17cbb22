package record

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"

	"golang.org/x/mod/sumdb/tlog"
)

// Commit returns HMAC-SHA256(salt, bytes), what a header says of a part. Without the salt it tells nothing of the bytes.
func Commit(salt [32]byte, b []byte) [32]byte {
	m := hmac.New(sha256.New, salt[:])
	m.Write(b)
	return [32]byte(m.Sum(nil))
}

// Check reports whether salt and bytes are what c commits to.
func Check(c Commitment, salt [32]byte, b []byte) bool {
	got := Commit(salt, b)
	return hmac.Equal(got[:], c.MAC[:])
}

// EpochKey is a group's key of one epoch, shared by its members of that time.
type EpochKey struct {
	ID  KeyID
	Key [32]byte
}

// Sizes of wire.md §1.
const (
	saltSize = 32
	tagSize  = 16
	wrapSize = 16 + 32 + tagSize
)

// derive is HKDF-Expand-SHA256(prk, label ‖ leaf ‖ part, 32).
func derive(prk [32]byte, label string, leaf tlog.Hash, part PartName) []byte {
	k, err := hkdf.Expand(sha256.New, prk[:], label+string(leaf[:])+string(part), 32)
	if err != nil {
		panic("record: " + err.Error()) // 32 bytes of a 32-byte key cannot fail
	}
	return k
}

// gcm returns AES-256-GCM for a key that is used for one plaintext only.
func gcm(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("record: " + err.Error()) // callers pass 32 bytes
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		panic("record: " + err.Error())
	}
	return a
}

// zeroNonce is safe because every key is used once: the leaf commits to a random id and random salts (wire.md §1).
var zeroNonce [12]byte

func boxAAD(leaf tlog.Hash, part PartName) []byte { return append(leaf[:], part...) }

// Box returns a part sealed for transport: the same bytes each time for the same part.
func Box(leaf tlog.Hash, p StoredPart) []byte {
	plain := append(append(make([]byte, 0, saltSize+len(p.Bytes)), p.Salt[:]...), p.Bytes...)
	return gcm(derive(p.Salt, "pilin box 1", leaf, p.Name)).Seal(nil, zeroNonce[:], plain, boxAAD(leaf, p.Name))
}

// Wrap returns the box's key for the holders of epoch key e: id ‖ sealed key.
func Wrap(leaf tlog.Hash, p StoredPart, e EpochKey) [64]byte {
	k := derive(p.Salt, "pilin box 1", leaf, p.Name)
	sealed := gcm(derive(e.Key, "pilin wrap 1", leaf, p.Name)).Seal(e.ID[:], zeroNonce[:], k, boxAAD(leaf, p.Name))
	return [64]byte(sealed)
}

// Errors of OpenBox, told apart because the first is normal and the second is an alarm.
var (
	// ErrNoKey: the box is not wrapped for a key that this node has.
	ErrNoKey = errors.New("no key for this box")
	// ErrBox: a wrap or the box does not open although the key is here.
	ErrBox = errors.New("box does not open")
)

// OpenBox opens a box with the first wrap whose key is known and works. The caller still checks the commitment.
func OpenBox(leaf tlog.Hash, part PartName, data []byte, wraps [][64]byte, key func(KeyID) (EpochKey, bool)) (salt [32]byte, b []byte, err error) {
	err = ErrNoKey
	for _, w := range wraps {
		e, ok := key(KeyID(w[:16]))
		if !ok {
			continue
		}
		err = ErrBox
		k, openErr := gcm(derive(e.Key, "pilin wrap 1", leaf, part)).Open(nil, zeroNonce[:], w[16:], boxAAD(leaf, part))
		if openErr != nil {
			continue
		}
		plain, openErr := gcm(k).Open(nil, zeroNonce[:], data, boxAAD(leaf, part))
		if openErr != nil || len(plain) < saltSize {
			continue
		}
		return [32]byte(plain), plain[saltSize:], nil
	}
	return salt, nil, err
}
