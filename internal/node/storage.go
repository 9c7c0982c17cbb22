package node

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pilinhub/pilin/internal/keystore"
)

// This file is where a node's storage keys come from.

// storageFile is the name of the storage keys in the data folder.
const storageFile = "storage.keys"

// ErrNoStorageKeys: the node's storage keys are not where its configuration says.
var ErrNoStorageKeys = errors.New("there are no storage keys")

// storageKeysName returns the file that holds the storage keys: the configured one, or the credential's.
func (c *Config) storageKeysName() (string, error) {
	switch {
	case c.Storage.KeysFile != "":
		return c.Storage.KeysFile, nil
	case c.Storage.Credential == "":
		return filepath.Join(c.Data, storageFile), nil
	}
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if dir == "" || strings.ContainsAny(c.Storage.Credential, "/\\") {
		return "", fmt.Errorf("storage.credential %q: systemd handed over no credentials: run pilin as its unit does, with LoadCredential= or LoadCredentialEncrypted= (systemd-run --pty -p LoadCredential=…)", c.Storage.Credential)
	}
	return filepath.Join(dir, c.Storage.Credential), nil
}

// readStorageKeys reads the storage keys and refuses a file that others may read. ErrNoStorageKeys if there are none.
func readStorageKeys(c *Config) (*keystore.Store, error) {
	name, err := c.storageKeysName()
	if err != nil {
		return nil, err
	}
	read := readPrivate
	if c.Storage.Credential != "" { // its mode is systemd's business: root may own it and grant the service by an access list
		read = os.ReadFile
	}
	b, err := read(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("%w at %s", ErrNoStorageKeys, name)
	case err != nil:
		return nil, fmt.Errorf("read storage keys: %w", err)
	}
	s, err := keystore.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("read storage keys %s: %w", name, err)
	}
	return s, nil
}

// makeStorageKeys draws the first storage keys of a node. A credential is not made here: nobody can write it back.
func makeStorageKeys(c *Config, now time.Time) (*keystore.Store, error) {
	if c.Storage.Credential != "" {
		return nil, fmt.Errorf("%w: make the credential with pilin key rotate --storage --out", ErrNoStorageKeys)
	}
	name, err := c.storageKeysName()
	if err != nil {
		return nil, err
	}
	s, err := keystore.Generate(rand.Reader, now)
	if err != nil {
		return nil, err
	}
	return s, writeStorageKeys(name, s)
}

// RotatedStorage says what RotateStorage did.
type RotatedStorage struct {
	Current keystore.KeyID   `json:"current"`
	Kept    []keystore.KeyID `json:"kept"`    // the newest last; the older ones open backups
	File    string           `json:"file"`    // where the key store was written
	Wrapped bool             `json:"wrapped"` // the database's keys are wrapped under the new one; otherwise the next start does it
}

// RotateStorage draws a new storage key. It is in the key store before anything is wrapped under it, beside those of
// before: a crash in between leaves a store that opens all. With out the new key store is written there and nothing else
// changes: it becomes the credential, and the next start wraps anew.
func RotateStorage(ctx context.Context, cfg Config, out string) (r RotatedStorage, err error) {
	if err := cfg.complete(); err != nil {
		return r, err
	}
	if cfg.Storage.Credential != "" && out == "" {
		return r, errors.New("the storage keys are a systemd credential, which nobody can write back: name a file with --out and make the credential of it")
	}
	if out == "" {
		if err := stopped(cfg); err != nil {
			return r, err
		}
	}
	keys, err := readStorageKeys(&cfg)
	switch {
	case errors.Is(err, ErrNoStorageKeys) && out != "": // the first ones of a credential
		keys, err = keystore.Generate(rand.Reader, cfg.Now())
	case err == nil:
		keys, err = keys.Rotate(rand.Reader, cfg.Now())
	}
	if err != nil {
		return r, err
	}
	r.File, r.Current, r.Kept = out, keys.Current(), keys.IDs()
	if out != "" {
		if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
			return r, fmt.Errorf("%s is here already", out)
		}
		return r, writeStorageKeys(out, keys)
	}
	if r.File, err = cfg.storageKeysName(); err != nil {
		return r, err
	}
	if err := writeStorageKeys(r.File, keys); err != nil {
		return r, err
	}
	o, err := operate(ctx, cfg, true) // opening wraps anew
	if err != nil {
		return r, err
	}
	r.Wrapped = true
	return r, errors.Join(o.store.Close(), noteOperated(cfg, operated{Event: didRotateStorage}))
}

// copyStorageKeys writes the storage keys beside the copied key file. A node that never started has none.
func copyStorageKeys(c *Config, into string) error {
	keys, err := readStorageKeys(c)
	if errors.Is(err, ErrNoStorageKeys) {
		return nil
	}
	if err != nil {
		return err
	}
	return writeStorageKeys(filepath.Join(into, storageFile), keys)
}

// needStorageKeys makes sure, before a copy of the database is restored, that its keys will be here: those that are, and
// those of the backed up key store, which are added to them. It returns what is to be written; nil: nothing.
func needStorageKeys(c *Config, keysDir string, need []keystore.KeyID) (*keystore.Store, error) {
	here, err := readStorageKeys(c)
	if err != nil && !errors.Is(err, ErrNoStorageKeys) {
		return nil, err
	}
	all, added := here, false
	if keysDir != "" {
		from := Config{Storage: Storage{KeysFile: filepath.Join(keysDir, storageFile)}}
		kept, err := readStorageKeys(&from)
		switch {
		case errors.Is(err, ErrNoStorageKeys): // a backup of before there were any
		case err != nil:
			return nil, err
		case here == nil:
			all, added = kept, true
		default:
			all = here.With(kept)
			added = len(all.IDs()) > len(here.IDs())
		}
	}
	for _, id := range need {
		if all == nil || !slices.Contains(all.IDs(), id) {
			return nil, fmt.Errorf("%w for this backup: it needs %s, and neither %s nor this node has it", ErrNoStorageKeys, id, cmp.Or(keysDir, "--keys"))
		}
	}
	if !added {
		return nil, nil
	}
	if c.Storage.Credential != "" {
		for _, id := range need {
			if here == nil || !slices.Contains(here.IDs(), id) {
				return nil, fmt.Errorf("the backup needs storage key %s, and the credential %s does not hold it: make the credential of %s first", id, c.Storage.Credential, filepath.Join(keysDir, storageFile))
			}
		}
		return nil, nil
	}
	return all, nil
}

func writeStorageKeys(name string, s *keystore.Store) error {
	b, err := s.Encode()
	if err != nil {
		return err
	}
	return WriteDurably(name, b, 0o600)
}
