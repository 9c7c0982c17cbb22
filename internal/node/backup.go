package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/keystore"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// This file is `pilin backup` and `pilin restore`.

// Names inside a backup. The manifest is written last: a folder without it, or with files that are not what it says, is no
// backup.
const (
	copyFile     = "database.sqlite"
	manifestFile = "manifest.json"
)

// ErrTorn: the backup is not whole; another one must be taken.
var ErrTorn = errors.New("the backup is not whole")

// Manifest says what a backup holds.
type Manifest struct {
	Pilin      string              `json:"pilin"` // "backup"
	V          int                 `json:"v"`
	Member     record.MemberID     `json:"member"`
	Federation record.FederationID `json:"federation"`
	Charter    uint64              `json:"charter"` // version in force
	At         string              `json:"at"`
	Driver     string              `json:"driver"` // of the database that was copied; it can be restored into either
	Tables     map[string]uint64   `json:"tables"` // rows
	Streams    []BackedUpStream    `json:"streams"`
	Files      []BackedUpFile      `json:"files"`
	// Storage names the storage keys that its content is sealed under; they are in the key store, not here.
	Storage []keystore.KeyID `json:"storage,omitempty"`
}

// BackedUpStream is how far a stream was.
type BackedUpStream struct {
	Stream record.StreamID `json:"stream"`
	Size   uint64          `json:"size"`
	Signed uint64          `json:"signed"`
	Root   string          `json:"root"`
}

// BackedUpFile is a file of the backup.
type BackedUpFile struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// own returns how far the own records were.
func (m Manifest) own() (size uint64) {
	for _, s := range m.Streams {
		if s.Stream == record.Stream(m.Member, record.Records) {
			size = s.Signed
		}
	}
	return size
}

// BackUp copies the node's database, as it is at one moment, into a new folder, and, into another one, its key file and
// storage keys. The node may be running. Whoever has both can be the member; the first alone is sealed: they are not kept
// together, and the second never leaves the bureau.
func BackUp(ctx context.Context, cfg Config, dir, keysDir string) (m Manifest, err error) {
	if err := cfg.complete(); err != nil {
		return m, err
	}
	for _, d := range []string{dir, keysDir} {
		if entries, err := os.ReadDir(d); d != "" && err == nil && len(entries) > 0 {
			return m, fmt.Errorf("%s is not empty", d)
		}
	}
	if keysDir != "" && within(keysDir, dir) {
		return m, fmt.Errorf("keys and database must not lie together: choose another folder than %s", keysDir)
	}
	store, err := openForTools(ctx, cfg)
	if err != nil {
		return m, fmt.Errorf("open database: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	dirOf, err := readDirectory(ctx, store, nil)
	if err != nil {
		return m, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return m, fmt.Errorf("back up: %w", err)
	}
	m = Manifest{Pilin: "backup", V: 1, Member: cfg.Member, Federation: dirOf.Federation(), Charter: dirOf.Charter().Version,
		At: cfg.Now().UTC().Format(time.RFC3339), Driver: cfg.Database.Driver}
	name := filepath.Join(dir, copyFile)
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL, 0o600) // its mode, before a byte is in it
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return m, fmt.Errorf("back up: %w", err)
	}
	c, err := store.CopyTo(ctx, name)
	if err != nil {
		return m, err
	}
	m.Tables = c.Tables
	if m.Storage, err = sealedUnder(ctx, name, cfg.Member); err != nil {
		return m, err
	}
	for _, h := range c.Heads {
		m.Streams = append(m.Streams, BackedUpStream{h.Stream, h.Size, h.Signed, hex.EncodeToString(h.Root[:])})
	}
	sum, err := sumOf(name)
	if err != nil {
		return m, err
	}
	m.Files = []BackedUpFile{sum}
	if keysDir != "" {
		if err := copyKeys(cfg.Data, keysDir); err != nil {
			return m, err
		}
		if err := copyStorageKeys(&cfg, keysDir); err != nil {
			return m, err
		}
	}
	b, err := json.Marshal(m, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return m, fmt.Errorf("back up: %w", err)
	}
	if err := WriteDurably(filepath.Join(dir, manifestFile), b, 0o600); err != nil {
		return m, err
	}
	return m, noteOperated(cfg, operated{Event: didBackUp, Size: number(m.own()), Digest: digest(b)})
}

// sealedUnder names the storage keys that a copy needs.
func sealedUnder(ctx context.Context, file string, self record.MemberID) (ids []keystore.KeyID, err error) {
	kept, err := sqlstore.OpenCopy(file, self, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	return kept.StorageKeys(ctx)
}

// within reports whether a is b, or inside it, or the other way round.
func within(a, b string) bool {
	for _, p := range [][2]string{{a, b}, {b, a}} {
		if rel, err := filepath.Rel(p[1], p[0]); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return true
		}
	}
	return false
}

func copyKeys(data, into string) error {
	if _, err := ReadKeys(data); err != nil {
		return err
	}
	b, err := os.ReadFile(filepath.Join(data, keysFile))
	if err != nil {
		return fmt.Errorf("back up keys: %w", err)
	}
	return writeInto(into, keysFile, b)
}

// bringKeys copies the key file back. One that is here stays, and must be the same.
func bringKeys(from, data string) (bool, error) {
	here, err := os.ReadFile(filepath.Join(data, keysFile))
	if errors.Is(err, os.ErrNotExist) {
		return true, copyKeys(from, data)
	}
	if err != nil {
		return false, fmt.Errorf("restore keys: %w", err)
	}
	if there, err := os.ReadFile(filepath.Join(from, keysFile)); err != nil || !bytes.Equal(here, there) {
		return false, fmt.Errorf("%s is here already and is another one than in %s: restore without --keys", filepath.Join(data, keysFile), from)
	}
	return false, nil
}

func sumOf(name string) (BackedUpFile, error) {
	f, err := os.Open(name)
	if err != nil {
		return BackedUpFile{}, fmt.Errorf("read %s: %w", name, err)
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return BackedUpFile{}, fmt.Errorf("read %s: %w", name, err)
	}
	return BackedUpFile{filepath.Base(name), n, hex.EncodeToString(h.Sum(nil))}, nil
}

// CheckBackup reads a backup whole: its files are what the manifest says, and every stream of records in it proves itself
// under the charter that is in it. ErrTorn if not.
func CheckBackup(ctx context.Context, dir string, progress Progress) (m Manifest, err error) {
	b, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return m, fmt.Errorf("%w: %w", ErrTorn, err)
	}
	if err := json.Unmarshal(b, &m, json.RejectUnknownMembers(true)); err != nil || m.Pilin != "backup" || m.V != 1 || !m.Member.Valid() || len(m.Files) != 1 || m.Files[0].Name != copyFile {
		return m, fmt.Errorf("%w: its manifest is not one of format 1", ErrTorn)
	}
	name := filepath.Join(dir, copyFile)
	sum, err := sumOf(name)
	if err != nil {
		return m, fmt.Errorf("%w: %w", ErrTorn, err)
	}
	if sum != m.Files[0] {
		return m, fmt.Errorf("%w: %s has %d bytes of SHA-256 %s, its manifest says %d of %s", ErrTorn, copyFile, sum.Size, sum.SHA256, m.Files[0].Size, m.Files[0].SHA256)
	}
	kept, err := sqlstore.OpenCopy(name, m.Member, nil)
	if err != nil {
		return m, fmt.Errorf("%w: %w", ErrTorn, err)
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	if err := m.proves(ctx, kept, progress); err != nil {
		return m, fmt.Errorf("%w: %w", ErrTorn, err)
	}
	return m, nil
}

// proves verifies the streams of a copy.
func (m Manifest) proves(ctx context.Context, kept *sqlstore.Store, progress Progress) error {
	dir, err := readDirectory(ctx, kept, nil)
	if err != nil {
		return err
	}
	storage, err := kept.StorageKeys(ctx)
	if err != nil {
		return err
	}
	if !slices.Equal(storage, m.Storage) {
		return errors.New("sealed under other storage keys than its manifest says")
	}
	if dir.Federation() != m.Federation {
		return errors.New("of another federation than its manifest says")
	}
	heads, err := kept.Heads(ctx)
	if err != nil {
		return err
	}
	if len(heads) != len(m.Streams) {
		return fmt.Errorf("%d streams, its manifest says %d", len(heads), len(m.Streams))
	}
	total, done := uint64(0), uint64(0)
	for _, h := range heads {
		total += h.Size
	}
	for i, h := range heads {
		if s := m.Streams[i]; s.Stream != h.Stream || s.Size != h.Size || s.Signed != h.Signed || s.Root != hex.EncodeToString(h.Root[:]) {
			return fmt.Errorf("%s is not as its manifest says", h.Stream)
		}
		if err := provesStream(ctx, kept, dir, h, func(n uint64) { progress.at(StepCheck, done+n, total) }); err != nil {
			return err
		}
		done += h.Size
	}
	return nil
}

// provesStream compares the stored headers with the head's root, and of a stream of records with the newest checkpoint,
// which covers all of them, under the charter's keys.
func provesStream(ctx context.Context, store *sqlstore.Store, dir *federation.Directory, h record.Head, at func(size uint64)) error {
	var tree, signed record.Tree
	for tree.Size < h.Size {
		headers, err := store.Headers(ctx, h.Stream, tree.Size, record.MaxGroupRecords)
		if err != nil {
			return err
		}
		if len(headers) == 0 {
			return fmt.Errorf("%s ends at %d of %d", h.Stream, tree.Size, h.Size)
		}
		for _, header := range headers {
			if tree = tree.Add(record.Leaf(header)); tree.Size == h.Signed {
				signed = tree
			}
		}
		at(tree.Size)
	}
	if tree.Root() != h.Root {
		return fmt.Errorf("%s: the records are not those of its head", h.Stream)
	}
	if h.Stream.Kind() != record.Records || h.Signed == 0 {
		return nil
	}
	m, _ := dir.Member(h.Stream.Member())
	for _, k := range m.Sign { // one that was revoked since too: what was taken for true stays here (ADR 5)
		if c, err := record.VerifyCheckpoint(h.Checkpoint, k.Key); err == nil && c.Stream == h.Stream && c.Size == h.Signed && c.Root == signed.Root() {
			return nil
		}
	}
	return fmt.Errorf("%s: its newest checkpoint does not cover its records", h.Stream)
}

// Restored says what Restore did.
type Restored struct {
	Manifest Manifest
	Keys     bool   // the key file was brought back too
	Released uint64 // what this node is known to have released
}

// Restore fills an empty database from a backup that CheckBackup found whole. keysDir, if it is not empty, brings back the
// key file, which must not be here. From then on the node waits, after each start, until it has taken back what the others
// hold and an operator has confirmed (Rejoin).
func Restore(ctx context.Context, cfg Config, dir, keysDir string) (r Restored, err error) {
	if err := cfg.complete(); err != nil {
		return r, err
	}
	if err := stopped(cfg); err != nil {
		return r, err
	}
	if r.Manifest, err = CheckBackup(ctx, dir, cfg.Progress); err != nil {
		return r, err
	}
	if r.Manifest.Member != cfg.Member {
		return r, fmt.Errorf("the backup is of %s, the configuration says %s", r.Manifest.Member, cfg.Member)
	}
	n := &Node{cfg: cfg}
	if r.Released, err = n.releasedSize(); err != nil {
		return r, err
	}
	storage, err := needStorageKeys(&cfg, keysDir, r.Manifest.Storage)
	if err != nil {
		return r, err
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return r, fmt.Errorf("restore: %w", err)
	}
	into := sqlstore.Config{Driver: cfg.Database.Driver, DSN: cfg.Database.DSN, Self: cfg.Member, Now: cfg.Now, UnsafeTest: cfg.UnsafeTest, Progress: cfg.Progress.of(StepCopy)}
	if err := sqlstore.Empty(ctx, into); err != nil { // a node that is in use gets no mark and keeps its confirmation
		return r, fmt.Errorf("restore: %w", err)
	}
	if keysDir != "" {
		if r.Keys, err = bringKeys(keysDir, cfg.Data); err != nil {
			return r, err
		}
	}
	if storage != nil {
		name, err := cfg.storageKeysName()
		if err != nil {
			return r, err
		}
		if err := writeStorageKeys(name, storage); err != nil {
			return r, err
		}
	}
	// First of all: whatever happens from here on, a node that starts on this folder knows that it is not what it was.
	for _, name := range []string{n.confirmedFile(), n.waitingFile(), n.snapshotFile()} { // of an earlier time
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return r, err
		}
	}
	if err := n.keepAuditBegun(); err != nil {
		return r, err
	}
	b, err := json.Marshal(copyMark{Of: r.Manifest.At, Size: r.Manifest.own(), Digest: r.Manifest.Files[0].SHA256})
	if err != nil {
		return r, err
	}
	if err := WriteDurably(n.copyMarkFile(), b, 0o600); err != nil {
		return r, err
	}
	r.Released = max(r.Released, r.Manifest.own())
	if err := WriteDurably(n.releasedFile(), []byte(strconv.FormatUint(r.Released, 10)+"\n"), 0o600); err != nil {
		return r, err
	}
	kept, err := sqlstore.OpenCopy(filepath.Join(dir, copyFile), cfg.Member, nil)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	counts, err := sqlstore.Restore(ctx, into, kept, cfg.Now().Add(usedMeanwhile).Unix())
	if err != nil {
		return r, err
	}
	for name, want := range r.Manifest.Tables {
		if counts[name] != want {
			return r, fmt.Errorf("restored %d rows of %s, the manifest says %d", counts[name], name, want)
		}
	}
	return r, noteOperated(cfg, operated{Event: didRestore, Size: number(r.Manifest.own()), Digest: r.Manifest.Files[0].SHA256})
}

// usedMeanwhile is how long tokens that were used after the backup may still live: the copy does not know them.
const usedMeanwhile = time.Minute
