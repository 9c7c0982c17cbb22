package federation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
)

// This file keeps a LogIndex over a restart: the engine's snapshot, and in it how far each stream was read, which records
// those were, and what the shelf numbers mean.

// Revisions says which stored records got other content since they were stored: parts that were withheld and came. A
// snapshot needs it, because the positions of the streams do not tell.
type Revisions interface {
	// Revised returns the number of revisions of a stream so far, and the lowest sequence that those after the first since
	// of them touched; math.MaxUint64 if there are none. Revisions that are no longer known touch sequence 0.
	Revised(ctx context.Context, s record.StreamID, since uint64) (now, lowest uint64, err error)
}

// logIndexVersion names what LogIndex takes from a record. Whoever makes take, the shelves or the engine's entries give
// another index for the same records raises it: snapshots of before are then refused.
const logIndexVersion = "1"

// SnapshotRefused says why a snapshot is not used; the index then starts empty and CatchUp builds it from the log.
type SnapshotRefused struct{ Reason string }

func (e *SnapshotRefused) Error() string { return "index snapshot refused: " + e.Reason }

// snapshotPosition is what a snapshot says of the log. It stands in the clear part of the file: no personal data.
type snapshotPosition struct {
	Version string           `json:"version"` // logIndexVersion
	Types   string           `json:"types"`   // SHA-256 of the catalogue
	Streams []snapshotStream `json:"streams"` // ascending
	Shelves []snapshotShelf  `json:"shelves"` // by number
}

type snapshotStream struct {
	Stream   record.StreamID `json:"stream"`
	Applied  uint64          `json:"applied"`
	Verified uint64          `json:"verified"`
	Root     string          `json:"root"` // hex, at Verified
	Revised  uint64          `json:"revised"`
}

type snapshotShelf struct {
	Stream   record.StreamID                 `json:"stream"`
	Audience map[record.GroupID]record.Level `json:"audience"`
}

// catalogue is a SHA-256 over all record types that this version knows: a version that knows others finds other
// identifiers in the same records.
func catalogue() string {
	h := sha256.New()
	for _, t := range schemas.Types() {
		_, _ = fmt.Fprintf(h, "%s\x00%s\x00%d\x00", t.Name(), t.Version(), len(t.Schema())) // a hash takes everything
		_, _ = h.Write(t.Schema())
	}
	return hex.EncodeToString(h.Sum(nil))
}

// OpenLogIndex returns the index over log that Snapshot wrote to path under secret, as far as it was then. Nothing of the
// file is believed that the log does not have: every stream must still begin with the records that were read. Otherwise,
// and when there is no such file, the index is empty, and refused says why (nil: there was none). Whichever it is, CatchUp
// must return before the index is asked: what was withdrawn since stands in the log only. The error is the log's.
func OpenLogIndex(ctx context.Context, log record.Log, revisions Revisions, secret []byte, path string) (x *LogIndex, refused *SnapshotRefused, err error) {
	engine, b, err := match.OpenSnapshot(path, match.WithSecret(secret))
	if err == nil {
		x = newLogIndex(log, engine)
		if err = x.resume(ctx, revisions, b); err == nil {
			return x, nil, nil
		}
		if !errors.As(err, &refused) {
			return nil, nil, err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		refused = &SnapshotRefused{err.Error()}
	}
	return newLogIndex(log, match.NewEngine(match.WithSecret(secret))), refused, nil
}

// resume takes positions and shelves of a snapshot over, after a look whether the log still is what they were of.
func (x *LogIndex) resume(ctx context.Context, revisions Revisions, b []byte) error {
	var p snapshotPosition
	if err := json.Unmarshal(b, &p, json.RejectUnknownMembers(true)); err != nil {
		return &SnapshotRefused{"its positions cannot be read"}
	}
	if p.Version != logIndexVersion || p.Types != catalogue() {
		return &SnapshotRefused{"written by a version that read records otherwise"}
	}
	for _, s := range p.Streams {
		at := position{applied: s.Applied, verified: s.Verified}
		root, err := hex.DecodeString(s.Root)
		if err != nil || len(root) != tlog.HashSize {
			return &SnapshotRefused{"its positions cannot be read"}
		}
		at.root = tlog.Hash(root)
		if err := x.stillBegins(ctx, s.Stream, at); err != nil {
			return err
		}
		now, lowest, err := revisions.Revised(ctx, s.Stream, s.Revised)
		if err != nil {
			return fmt.Errorf("revisions of %s: %w", s.Stream, err)
		}
		if now < s.Revised {
			return &SnapshotRefused{fmt.Sprintf("the database is older than it: %s", s.Stream)}
		}
		at.applied = min(at.applied, lowest)
		x.at[s.Stream], x.revised[s.Stream] = at, now
	}
	for _, s := range p.Shelves {
		x.shelf(s.Stream, s.Audience)
	}
	if len(x.shelves) != len(p.Shelves) {
		return &SnapshotRefused{"a shelf stands twice in it"}
	}
	return nil
}

// stillBegins fails unless the stream begins with the records up to a position. A database that was brought back from a
// copy may be shorter, or may have gone on otherwise.
func (x *LogIndex) stillBegins(ctx context.Context, s record.StreamID, at position) error {
	h, err := x.log.Head(ctx, s)
	if err != nil {
		return fmt.Errorf("head of %s: %w", s, err)
	}
	if at.verified > h.Size {
		return &SnapshotRefused{fmt.Sprintf("the database is older than it: %s has %d records, it read %d", s, h.Size, at.verified)}
	}
	root := h.Root
	if at.verified < h.Size {
		hs, err := x.log.Leaves(ctx, s, 0, at.verified)
		if err != nil {
			return fmt.Errorf("leaves of %s: %w", s, err)
		}
		var tree record.Tree
		for _, l := range hs {
			tree = tree.Add(l)
		}
		root = tree.Root()
	}
	if root != at.root {
		return &SnapshotRefused{fmt.Sprintf("%s is not the stream that it read", s)}
	}
	return nil
}

// Grown returns how many records acted since the newest snapshot, or since the start.
func (x *LogIndex) Grown() uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.taken - x.snapped
}

// Len returns the number of subjects in the index.
func (x *LogIndex) Len() int { return x.engine.Len() }

// Snapshot catches up and writes the index to path, sealed; random gives a salt. Questions and changes go on meanwhile.
// What was deleted until it began is not in the file. The secret is the one that the index was opened with; an index of
// NewLogIndex has none (match.ErrNoSecret).
func (x *LogIndex) Snapshot(ctx context.Context, revisions Revisions, path string, random io.Reader) error {
	x.snapshots.Lock()
	defer x.snapshots.Unlock()
	if err := x.follows(ctx, revisions); err != nil {
		return err
	}
	// Positions first, the engine after them: it may be ahead of them, and reading a record twice changes nothing.
	b, taken, err := x.positions()
	if err != nil {
		return err
	}
	if err := x.engine.WriteSnapshot(path, b, random); err != nil {
		return fmt.Errorf("write index snapshot: %w", err)
	}
	x.mu.Lock()
	x.snapped = taken
	x.mu.Unlock()
	return nil
}

// follows catches up, and makes sure that what was revised until now is in the index: whoever revised it may not have
// called Revisit yet.
func (x *LogIndex) follows(ctx context.Context, revisions Revisions) error {
	x.mu.Lock()
	streams := slices.Sorted(maps.Keys(x.at))
	x.mu.Unlock()
	seen := map[record.StreamID]uint64{}
	for _, s := range streams {
		x.mu.Lock()
		since := x.revised[s]
		x.mu.Unlock()
		now, lowest, err := revisions.Revised(ctx, s, since)
		if err != nil {
			return fmt.Errorf("revisions of %s: %w", s, err)
		}
		seen[s] = now
		if lowest < math.MaxUint64 {
			x.Revisit(s, lowest)
		}
	}
	if err := x.CatchUp(ctx); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	maps.Copy(x.revised, seen)
	return nil
}

func (x *LogIndex) positions() (b []byte, taken uint64, err error) {
	x.mu.Lock()
	p := snapshotPosition{Version: logIndexVersion, Types: catalogue()}
	for _, s := range slices.Sorted(maps.Keys(x.at)) {
		at := x.at[s]
		p.Streams = append(p.Streams, snapshotStream{s, at.applied, at.verified, hex.EncodeToString(at.root[:]), x.revised[s]})
	}
	for _, s := range x.shelves {
		p.Shelves = append(p.Shelves, snapshotShelf{s.stream, s.audience})
	}
	taken = x.taken
	x.mu.Unlock()
	b, err = json.Marshal(p, json.Deterministic(true))
	if err != nil {
		return nil, 0, fmt.Errorf("encode positions: %w", err)
	}
	return b, taken, nil
}
