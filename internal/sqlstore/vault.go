package sqlstore

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/pilinhub/pilin/internal/keystore"
	"github.com/pilinhub/pilin/record"
)

// ErrSealed: content is sealed under storage keys, and this store was opened without them.
var ErrSealed = errors.New("sealed: the storage keys are needed")

// errCell: a cell is not what was sealed into its place.
var errCell = errors.New("sealed content is damaged or of another place")

// vault seals what stands in the database about people (ADR 12). Without a key store nothing is sealed: tests, and copies
// that are only proved.
type vault struct {
	keys *keystore.Store
	read querier // where data keys are looked up that are not known yet: another process made them

	mu      sync.Mutex
	data    map[uint32]cipher.AEAD
	current uint32 // seals
	hash    []byte // keys hashes
}

// sealedCell is the first byte of a cell and of a keyed hash; the number of the data key, nonce, ciphertext and tag follow.
const sealedCell = 1

// hashKey is the number of the data key of hashes.
const hashKey = 0

// place names a cell; it is authenticated with it.
func place(table string, key ...string) string { return table + "\x00" + strings.Join(key, "\x00") }

func partPlace(st record.StreamID, seq uint64, name record.PartName) string {
	return place("part", string(st), strconv.FormatUint(seq, 10), string(name)) // a restricted part is the same cell, moved
}

// on reports whether cells are sealed.
func (v *vault) on() bool { return v.keys != nil }

// seal returns the cell of plain; plain itself without a key store.
func (v *vault) seal(at string, plain []byte) []byte {
	if !v.on() {
		return plain
	}
	v.mu.Lock()
	id, aead := v.current, v.data[v.current]
	v.mu.Unlock()
	cell := binary.BigEndian.AppendUint32([]byte{sealedCell}, id)
	return aead.Seal(cell, nil, plain, []byte(at))
}

// open returns what seal was given; without a key store the cell itself.
func (v *vault) open(ctx context.Context, at string, cell []byte) ([]byte, error) {
	if !v.on() {
		return cell, nil
	}
	if len(cell) < 5 || cell[0] != sealedCell {
		return nil, errCell
	}
	aead, err := v.key(ctx, binary.BigEndian.Uint32(cell[1:]))
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open([]byte{}, nil, cell[5:], []byte(at))
	if err != nil {
		return nil, errCell
	}
	return plain, nil
}

// sealText is seal for a column of text: base64.
func (v *vault) sealText(at, plain string) string {
	if !v.on() {
		return plain
	}
	return base64.RawStdEncoding.EncodeToString(v.seal(at, []byte(plain)))
}

// openText returns what sealText was given.
func (v *vault) openText(ctx context.Context, at, text string) ([]byte, error) {
	if !v.on() {
		return []byte(text), nil
	}
	cell, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil, errCell
	}
	return v.open(ctx, at, cell)
}

// keyed returns what stands in a column for a hash that is looked up. Twice gives the same: a column is read and written.
func (v *vault) keyed(what string, hash []byte) []byte {
	if !v.on() || hash == nil || len(hash) == sha256.Size+1 && hash[0] == sealedCell {
		return hash
	}
	m := hmac.New(sha256.New, v.hash)
	_, _ = m.Write(append([]byte(what+"\x00"), hash...)) // a hash takes everything
	return m.Sum([]byte{sealedCell})
}

// key returns a data key; one that is not known is read.
func (v *vault) key(ctx context.Context, id uint32) (cipher.AEAD, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if a := v.data[id]; a != nil {
		return a, nil
	}
	all, err := storageKeys(ctx, v.read)
	if err != nil {
		return nil, err
	}
	for _, k := range all {
		if k.id == id && id != hashKey {
			return v.take(k)
		}
	}
	return nil, fmt.Errorf("%w: data key %d is not in the database", errCell, id)
}

// take unwraps a data key; the lock is held, or nobody else has the vault yet.
func (v *vault) take(k storageKey) (cipher.AEAD, error) {
	b, err := v.keys.Unwrap(k.storage, k.wrapped, k.label())
	if err != nil {
		return nil, fmt.Errorf("data key %d: %w", k.id, err)
	}
	if k.id == hashKey {
		if v.hash == nil { // it never changes, and is read without the lock
			v.hash = b
		}
		return nil, nil
	}
	block, err := aes.NewCipher(b)
	if err != nil {
		return nil, fmt.Errorf("data key %d: %w", k.id, err)
	}
	a, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("data key %d: %w", k.id, err)
	}
	v.data[k.id] = a
	return a, nil
}

// storageKey is a row of the table.
type storageKey struct {
	id      uint32
	month   string
	storage keystore.KeyID
	wrapped []byte
}

func (k storageKey) label() string { return place("storage_key", strconv.FormatUint(uint64(k.id), 10)) }

func storageKeys(ctx context.Context, q querier) ([]storageKey, error) {
	var all []storageKey
	err := each(ctx, q, "SELECT id, month, storage, wrapped FROM storage_key ORDER BY id", nil, func(rows *sql.Rows) error {
		var k storageKey
		err := rows.Scan(&k.id, &k.month, &k.storage, &k.wrapped)
		all = append(all, k)
		return err
	})
	if err != nil {
		return nil, classify(fmt.Errorf("read data keys: %w", err))
	}
	return all, nil
}

// StorageKeys names the storage keys that a database needs; none if nothing in it is sealed.
func (s *Store) StorageKeys(ctx context.Context) ([]keystore.KeyID, error) {
	var tables int // none in a copy of before there were storage keys
	if err := s.read.QueryRowContext(ctx, s.d.hasTable, "storage_key").Scan(&tables); err != nil || tables == 0 {
		return nil, classify(err)
	}
	var all []keystore.KeyID
	err := each(ctx, s.read, "SELECT DISTINCT storage FROM storage_key ORDER BY storage", nil, func(rows *sql.Rows) error {
		var id keystore.KeyID
		err := rows.Scan(&id)
		all = append(all, id)
		return err
	})
	if err != nil {
		return nil, classify(fmt.Errorf("read data keys: %w", err))
	}
	return all, nil
}

// renewKeys makes the data keys that are missing: the first ones, and one for each month. Data keys that another storage
// key wraps are wrapped under the current one, with a new one for what is written from now on.
func (s *Store) renewKeys(ctx context.Context) error {
	if !s.v.on() {
		if err := s.refuseSealed(ctx); err != nil || s.cfg.MakeKeys == nil {
			return err
		}
		keys, err := s.cfg.MakeKeys()
		if err != nil {
			return fmt.Errorf("make storage keys: %w", err)
		}
		s.v.keys = keys // nobody else has the store yet
	}
	month := s.cfg.Now().UTC().Format("2006-01")
	fresh := map[uint32]storageKey{}
	var newest storageKey
	err := s.fenced(ctx, func(tx *sql.Tx) error {
		all, err := storageKeys(ctx, tx)
		if err != nil {
			return err
		}
		clear(fresh)
		rewrapped := false
		for _, k := range all {
			fresh[k.id], newest = k, k
			if k.storage == s.v.keys.Current() {
				continue
			}
			b, err := s.v.keys.Unwrap(k.storage, k.wrapped, k.label())
			if err != nil {
				return fmt.Errorf("data key %d: %w", k.id, err)
			}
			k.storage, k.wrapped = s.v.keys.Wrap(b, k.label())
			if _, err := tx.ExecContext(ctx, "UPDATE storage_key SET storage=$2, wrapped=$3 WHERE id=$1", int64(k.id), string(k.storage), k.wrapped); err != nil {
				return fmt.Errorf("wrap data key %d: %w", k.id, err)
			}
			fresh[k.id], rewrapped = k, true
		}
		if len(all) == 0 {
			if fresh[hashKey], err = s.drawKey(ctx, tx, hashKey, ""); err != nil {
				return err
			}
		}
		if newest.month != month || rewrapped {
			if newest, err = s.drawKey(ctx, tx, newest.id+1, month); err != nil {
				return err
			}
			fresh[newest.id] = newest
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("renew data keys: %w", err)
	}
	s.v.mu.Lock()
	defer s.v.mu.Unlock()
	for _, k := range fresh {
		if _, err := s.v.take(k); err != nil {
			return err
		}
	}
	s.v.current = newest.id
	return nil
}

// drawKey makes a data key. Its transaction may fail to commit: nothing is sealed under it before.
func (s *Store) drawKey(ctx context.Context, tx *sql.Tx, id uint32, month string) (storageKey, error) {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return storageKey{}, err
	}
	k := storageKey{id: id, month: month}
	k.storage, k.wrapped = s.v.keys.Wrap(b, k.label())
	if _, err := tx.ExecContext(ctx, "INSERT INTO storage_key (id, month, storage, wrapped) VALUES ($1,$2,$3,$4)", int64(k.id), k.month, string(k.storage), k.wrapped); err != nil {
		return k, fmt.Errorf("keep data key: %w", err)
	}
	return k, nil
}

// refuseSealed fails if a database that is sealed was opened without a key store.
func (s *Store) refuseSealed(ctx context.Context) error {
	ids, err := s.StorageKeys(ctx)
	if err == nil && len(ids) > 0 {
		err = fmt.Errorf("%w (%v)", ErrSealed, ids)
	}
	return err
}

func newVault(keys *keystore.Store, read querier) *vault {
	return &vault{keys: keys, read: read, data: map[uint32]cipher.AEAD{}}
}
