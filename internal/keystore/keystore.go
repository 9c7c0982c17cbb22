// Package keystore holds the storage keys of a node: what its database and its index snapshot are sealed under. They lie
// apart from both, in a file of their own or in a credential that systemd hands over, so that whoever has a copy of the
// database has nothing (ADR 12).
package keystore

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// KeyID names a storage key: the first 16 hex digits of a SHA-256 over it. It says nothing about the key.
type KeyID string

// ErrUnknownKey: something was sealed under a storage key that is not in this key store. The store of that time must be
// brought back.
var ErrUnknownKey = errors.New("sealed under a storage key that is not in the key store")

// ErrForged: what was to be unwrapped is not what was wrapped.
var ErrForged = errors.New("wrapped key is damaged or of another place")

// Kept is how long a key that was replaced stays in the store: as long as backups that need it are kept.
const Kept = 35 * 24 * time.Hour

// secretSize is the length of a storage key, in bytes.
const secretSize = 32

type key struct {
	id     KeyID
	made   time.Time
	secret [secretSize]byte
}

// Store is a set of storage keys; the newest wraps, all unwrap. A Store does not change.
type Store struct {
	keys []key // by time
}

// Generate makes a store with one key.
func Generate(random io.Reader, now time.Time) (*Store, error) { return (&Store{}).Rotate(random, now) }

// Rotate returns a store with a new key for what is wrapped from now on. Keys whose successor is older than Kept are left
// out: what they wrapped is wrapped anew when the database is opened, and backups of their time have had theirs.
func (s *Store) Rotate(random io.Reader, now time.Time) (*Store, error) {
	k := key{made: now.UTC().Truncate(time.Second)}
	if _, err := io.ReadFull(random, k.secret[:]); err != nil {
		return nil, fmt.Errorf("draw storage key: %w", err)
	}
	k.id = nameOf(k.secret)
	n := &Store{}
	for i, old := range s.keys {
		if i+1 == len(s.keys) || now.Sub(s.keys[i+1].made) < Kept {
			n.keys = append(n.keys, old)
		}
	}
	n.keys = append(n.keys, k)
	return n, nil
}

func nameOf(secret [secretSize]byte) KeyID {
	sum := sha256.Sum256(append([]byte("pilin storage key\x00"), secret[:]...))
	return KeyID(hex.EncodeToString(sum[:8]))
}

// Current names the key that wraps.
func (s *Store) Current() KeyID { return s.keys[len(s.keys)-1].id }

// IDs names all keys, the oldest first.
func (s *Store) IDs() []KeyID {
	var ids []KeyID
	for _, k := range s.keys {
		ids = append(ids, k.id)
	}
	return ids
}

// With returns a store that also unwraps what the keys of other wrapped. The current key stays.
func (s *Store) With(other *Store) *Store {
	n := &Store{}
	for _, k := range other.keys {
		if !slices.Contains(s.IDs(), k.id) {
			n.keys = append(n.keys, k)
		}
	}
	n.keys = append(n.keys, s.keys...)
	return n
}

// Derive returns 32 bytes for a purpose, of the current key (HKDF-SHA256, RFC 5869): they change with every rotation.
func (s *Store) Derive(purpose string) []byte {
	return derive(s.keys[len(s.keys)-1].secret, "pilin storage derive "+purpose)
}

func derive(secret [secretSize]byte, info string) []byte {
	b, err := hkdf.Key(sha256.New, secret[:], nil, info, 32)
	if err != nil {
		panic(err) // the length is one that HKDF gives
	}
	return b
}

func (k key) aead() cipher.AEAD {
	b, err := aes.NewCipher(derive(k.secret, "pilin storage wrap"))
	if err != nil {
		panic(err) // 32 bytes are a key
	}
	a, err := cipher.NewGCMWithRandomNonce(b)
	if err != nil {
		panic(err)
	}
	return a
}

// Wrap seals a data key under the current key (AES-256-GCM). It is unwrapped under the same label only.
func (s *Store) Wrap(dataKey []byte, label string) (by KeyID, wrapped []byte) {
	k := s.keys[len(s.keys)-1]
	return k.id, k.aead().Seal(nil, nil, dataKey, []byte(label))
}

// Unwrap opens what Wrap sealed. ErrUnknownKey without the key, ErrForged if it is not what was wrapped.
func (s *Store) Unwrap(by KeyID, wrapped []byte, label string) ([]byte, error) {
	for _, k := range s.keys {
		if k.id != by {
			continue
		}
		b, err := k.aead().Open(nil, nil, wrapped, []byte(label))
		if err != nil {
			return nil, ErrForged
		}
		return b, nil
	}
	return nil, fmt.Errorf("%w (%s)", ErrUnknownKey, by)
}

// file is how a store is written.
type file struct {
	Pilin string    `json:"pilin"` // "storage-keys"
	V     int       `json:"v"`
	Keys  []fileKey `json:"keys"` // the oldest first
}

type fileKey struct {
	Made time.Time `json:"made"`
	Key  []byte    `json:"key"` // base64
}

// Encode writes a store as the file that Decode reads. Whoever has it and the database reads the database.
func (s *Store) Encode() ([]byte, error) {
	f := file{Pilin: "storage-keys", V: 1}
	for _, k := range s.keys {
		f.Keys = append(f.Keys, fileKey{k.made, k.secret[:]})
	}
	b, err := json.Marshal(f, jsontext.WithIndent("  "))
	if err != nil {
		return nil, fmt.Errorf("encode storage keys: %w", err)
	}
	return append(b, '\n'), nil
}

// Decode reads what Encode wrote.
func Decode(b []byte) (*Store, error) {
	var f file
	if err := json.Unmarshal(bytes.TrimSpace(b), &f, json.RejectUnknownMembers(true)); err != nil {
		return nil, errors.New("not a file of storage keys") // the cause might quote a key
	}
	if f.Pilin != "storage-keys" || f.V != 1 || len(f.Keys) == 0 {
		return nil, errors.New("not a file of storage keys, format 1")
	}
	s := &Store{}
	for _, fk := range f.Keys {
		if len(fk.Key) != secretSize {
			return nil, errors.New("a storage key has not 32 bytes")
		}
		k := key{made: fk.Made, secret: [secretSize]byte(fk.Key)}
		k.id = nameOf(k.secret)
		if slices.Contains(s.IDs(), k.id) {
			return nil, errors.New("a storage key stands twice")
		}
		s.keys = append(s.keys, k)
	}
	return s, nil
}

// String shows names, never keys.
func (s *Store) String() string { return fmt.Sprintf("storage keys %v", s.IDs()) }

// GoString shows names, never keys.
func (s *Store) GoString() string { return s.String() }
