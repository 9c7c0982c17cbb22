package node

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// File names inside a node's data folder.
const (
	keysFile     = "keys.json"    // signing, TLS and encapsulation keys
	recoveryFile = "recovery.key" // to be moved to offline media at once
)

// Identity is what Init made.
type Identity struct {
	RequestFile string // to be sent to whoever founds or admits
	Recovery    string // file with the recovery key, to be moved offline
	Fingerprint string // to be read out by telephone
}

// Init makes a member's four keys and its request in dir. It refuses to overwrite keys: whoever loses them is another
// member, or recovers with the recovery key.
func Init(dir string, m record.MemberID, e federation.Entry, now time.Time) (Identity, error) {
	var id Identity
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return id, fmt.Errorf("make data folder: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, keysFile)); err == nil {
		return id, fmt.Errorf("%s exists: this folder already has an identity", filepath.Join(dir, keysFile))
	}
	k, err := federation.GenerateKeys(rand.Reader, m, now)
	if err != nil {
		return id, fmt.Errorf("make keys: %w", err)
	}
	req, err := federation.NewRequest(k, e)
	if err != nil {
		return id, fmt.Errorf("make request: %w", err)
	}
	rec, err := k.EncodeRecovery()
	if err != nil {
		return id, fmt.Errorf("encode recovery key: %w", err)
	}
	enc, err := k.Encode()
	if err != nil {
		return id, fmt.Errorf("encode keys: %w", err)
	}
	id = Identity{RequestFile: filepath.Join(dir, string(m)+".request"), Recovery: filepath.Join(dir, recoveryFile), Fingerprint: federation.Fingerprint(req)}
	for _, f := range []struct {
		name string
		data []byte
		mode os.FileMode
	}{{id.Recovery, rec, 0o600}, {id.RequestFile, req, 0o644}, {filepath.Join(dir, keysFile), enc, 0o600}} {
		if err := WriteDurably(f.name, f.data, f.mode); err != nil {
			return id, err
		}
	}
	return id, nil
}

// ReadKeys reads the keys of a data folder and refuses a file that others may read.
func ReadKeys(dir string) (*federation.Keys, error) {
	name := filepath.Join(dir, keysFile)
	b, err := readPrivate(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("read keys: %w (run pilin init first)", err)
	case err != nil:
		return nil, fmt.Errorf("read keys: %w", err)
	}
	k, err := federation.DecodeKeys(b)
	if err != nil {
		return nil, fmt.Errorf("read keys %s: %w", name, err)
	}
	return k, nil
}

// readPrivate reads a file and refuses one that others may read.
func readPrivate(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s may be read by others (mode %o): chmod 600 it", name, info.Mode().Perm())
	}
	return os.ReadFile(name)
}

// WriteDurably writes a file so that after a crash either the old or the new content is there: temporary file, sync,
// rename, sync of the folder.
func WriteDurably(name string, data []byte, mode os.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".pilin-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(f.Name()))
		}
	}()
	if err = f.Chmod(mode); err == nil {
		_, err = f.Write(data)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if err = os.Rename(f.Name(), name); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
