package record

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// Signature algorithms of C2SP signed notes that format 1 uses.
const (
	algEd25519     = 0x01
	algCosignature = 0x04
)

// ErrBadSignature: a note's signature line names the key and is wrong, or the key is unfit.
var ErrBadSignature = errors.New("signature is wrong")

// ErrNoSignature: the note carries no line of the key that was asked for: another key's, or an unknown suite's only.
var ErrNoSignature = errors.New("no signature of this key")

// Signer signs notes with a member's Ed25519 key.
type Signer struct{ priv ed25519.PrivateKey }

// NewSigner returns a signer for a member's key.
func NewSigner(priv ed25519.PrivateKey) *Signer { return &Signer{priv: priv} }

// Public returns the key that verifies what s signs.
func (s *Signer) Public() ed25519.PublicKey { return s.priv.Public().(ed25519.PublicKey) }

// Note returns text as a signed note with one signature line under name. Text ends with a newline.
func (s *Signer) Note(name, text string) ([]byte, error) {
	b, err := note.Sign(&note.Note{Text: text}, s.plain(name))
	if err != nil {
		return nil, fmt.Errorf("sign note %s: %w", name, err)
	}
	return b, nil
}

// noteKey is one name and key on either side of a note: it implements note.Signer and note.Verifier. The library brings
// the format; ours is only that the key is not a text and the cosignature's clock is a parameter.
type noteKey struct {
	name string
	hash uint32
	sign func(msg []byte) []byte
	pub  ed25519.PublicKey
	read func(msg, sig []byte) (signed, signature []byte, ok bool)
}

func (k noteKey) Name() string                    { return k.name }
func (k noteKey) KeyHash() uint32                 { return k.hash }
func (k noteKey) Sign(msg []byte) ([]byte, error) { return k.sign(msg), nil }

func (k noteKey) Verify(msg, sig []byte) bool {
	signed, signature, ok := k.read(msg, sig)
	return ok && verified.verify(k.pub, signed, signature)
}

func (s *Signer) plain(name string) noteKey {
	return noteKey{name: name, hash: keyHash(name, algEd25519, s.Public()), sign: func(msg []byte) []byte {
		return ed25519.Sign(s.priv, msg)
	}}
}

func plainVerifier(name string, pub ed25519.PublicKey) noteKey {
	return noteKey{name: name, hash: keyHash(name, algEd25519, pub), pub: pub, read: func(msg, sig []byte) (a, b []byte, ok bool) {
		return msg, sig, true
	}}
}

// keyHash is the first four bytes of SHA-256(name ‖ newline ‖ algorithm ‖ key).
func keyHash(name string, alg byte, pub ed25519.PublicKey) uint32 {
	sum := sha256.Sum256(append(append([]byte(name+"\n"), alg), pub...))
	return binary.BigEndian.Uint32(sum[:])
}

// cosigner signs "cosignature/v1\ntime <unix>\n" ‖ text (C2SP tlog-cosignature).
func (s *Signer) cosigner(name string, unix int64) noteKey {
	return noteKey{name: name, hash: keyHash(name, algCosignature, s.Public()), sign: func(msg []byte) []byte {
		sig := binary.BigEndian.AppendUint64(nil, uint64(unix))
		return append(sig, ed25519.Sign(s.priv, cosigned(uint64(unix), msg))...)
	}}
}

// cosignVerifier stores the time of the cosignature that it accepted in *unix.
func cosignVerifier(name string, pub ed25519.PublicKey, unix *uint64) noteKey {
	return noteKey{name: name, hash: keyHash(name, algCosignature, pub), pub: pub, read: func(msg, sig []byte) (a, b []byte, ok bool) {
		if len(sig) != 8+ed25519.SignatureSize {
			return nil, nil, false
		}
		*unix = binary.BigEndian.Uint64(sig)
		return cosigned(*unix, msg), sig[8:], true
	}}
}

func cosigned(unix uint64, msg []byte) []byte {
	return append(fmt.Appendf(nil, "cosignature/v1\ntime %d\n", unix), msg...)
}

// VerifyNote returns the text of a note that carries a good line of this name and key; other lines are ignored.
// ErrBadSignature, ErrNoSignature, or a description of a note that is ill-formed.
func VerifyNote(b []byte, name string, pub ed25519.PublicKey) (text string, err error) {
	return openNote(b, plainVerifier(name, pub))
}

// openNote opens a note that every one of the keys must have signed.
func openNote(b []byte, keys ...noteKey) (string, error) {
	var known []note.Verifier
	for _, k := range keys {
		known = append(known, k)
	}
	if _, ok := noteText(b); !ok {
		return "", errors.New("open note: ill-formed")
	}
	n, err := note.Open(b, note.VerifierList(known...))
	var invalid *note.InvalidSignatureError
	var unverified *note.UnverifiedNoteError
	switch {
	case errors.As(err, &invalid):
		return "", fmt.Errorf("note of %s: %w", invalid.Name, ErrBadSignature)
	case errors.As(err, &unverified):
		return "", fmt.Errorf("note of %s: %w", keys[0].name, ErrNoSignature)
	case err != nil:
		return "", fmt.Errorf("open note: %w", err)
	}
	for _, k := range keys {
		if !slices.ContainsFunc(n.Sigs, func(s note.Signature) bool { return s.Name == k.name && s.Hash == k.hash }) {
			return "", fmt.Errorf("note of %s: %w", k.name, ErrNoSignature)
		}
	}
	return n.Text, nil
}

// noteText returns a note's text without verifying it. Unlike the library it wants canonical base64 in the signature
// lines, so that nobody can make a second note of one signature.
func noteText(b []byte) (string, bool) {
	i := strings.LastIndex(string(b), "\n\n")
	if i < 0 {
		return "", false
	}
	for line := range strings.Lines(string(b[i+2:])) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), " ")
		sig, err := base64.StdEncoding.Strict().DecodeString(fields[len(fields)-1])
		if err != nil || len(fields) != 3 || base64.StdEncoding.EncodeToString(sig) != fields[2] {
			return "", false
		}
	}
	return string(b[:i+1]), true
}

// The field prime 2^255−19 and the y coordinates of the points of small order, little-endian, sign bit cleared.
var (
	fieldPrime  = mustHex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")
	smallOrders = [][]byte{
		mustHex("0000000000000000000000000000000000000000000000000000000000000000"),
		mustHex("0100000000000000000000000000000000000000000000000000000000000000"),
		mustHex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
		mustHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
		mustHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
	}
)

// ValidPublicKey reports whether pub may stand in a charter and verify: 32 bytes, canonically encoded, not of small
// order. With a small-order key one signature would fit many messages.
func ValidPublicKey(pub ed25519.PublicKey) bool {
	if len(pub) != ed25519.PublicKeySize {
		return false
	}
	y := slices.Clone([]byte(pub))
	y[31] &= 0x7f
	canonical := false
	for i := 31; i >= 0; i-- {
		if y[i] != fieldPrime[i] {
			canonical = y[i] < fieldPrime[i]
			break
		}
	}
	return canonical && !slices.ContainsFunc(smallOrders, func(s []byte) bool { return slices.Equal(s, y) })
}
