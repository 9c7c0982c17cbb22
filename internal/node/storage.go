package node

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
	info, err := os.Stat(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w at %s", ErrNoStorageKeys, name)
	}
	if err != nil {
		return nil, fmt.Errorf("read storage keys: %w", err)
	}
	// A credential's mode is systemd's business: root may own it and grant the service by an access list.
	if c.Storage.Credential == "" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("read storage keys: %s may be read by others (mode %o): chmod 600 it", name, info.Mode().Perm())
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read storage keys: %w", err)
	}
	s, err := keystore.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("read storage keys %s: %w", name, err)
	}
	return s, nil
}

// openStorageKeys reads the storage keys, or draws them where there are none yet.
func openStorageKeys(c *Config, now time.Time) (*keystore.Store, error) {
	s, err := readStorageKeys(c)
	if errors.Is(err, ErrNoStorageKeys) {
		return makeStorageKeys(c, now)
	}
	return s, err
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

func writeStorageKeys(name string, s *keystore.Store) error {
	b, err := s.Encode()
	if err != nil {
		return err
	}
	return WriteDurably(name, b, 0o600)
}
