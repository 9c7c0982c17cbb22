package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/pilinhub/pilin/federation"
)

// This file keeps the index over a restart. The snapshot is a copy of nothing that the log does not have: losing it costs
// the time of building the index.

// When a snapshot is written. What was deleted stays, sealed, in the newest one until the next: the interval is the most
// that it may stay while the disk can be written.
const (
	snapshotAfter = 15 * time.Minute // if a record acted since the last one
	snapshotGrown = 50_000           // records that make one worth while sooner
	snapshotLook  = 5 * time.Second  // between two looks
	snapshotStop  = 4 * time.Second  // that a stop waits for the last one
)

func (n *Node) snapshotFile() string { return snapshotFile(n.cfg.Data) }

func snapshotFile(data string) string { return filepath.Join(data, "index.snapshot") }

// openIndex opens the index from its snapshot, or an empty one, and says which.
func (n *Node) openIndex(ctx context.Context) error {
	parts, err := filepath.Glob(n.snapshotFile() + ".*.part") // of a process that was killed while it wrote
	if err != nil {
		return fmt.Errorf("look for snapshots: %w", err)
	}
	for _, p := range parts {
		if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove torn snapshot: %w", err)
		}
	}
	begun := time.Now()
	index, refused, err := federation.OpenLogIndex(ctx, n.store, n.store, n.storage.Derive("match index"), n.snapshotFile())
	if err != nil {
		return fmt.Errorf("open index: %w", err)
	}
	n.index = index
	if refused != nil {
		n.slog.LogAttrs(ctx, slog.LevelWarn, "index snapshot is not used; the index is built from the log", slog.String("reason", refused.Reason))
		// It is of no use any more, and what it holds may have been erased since.
		if err := os.Remove(n.snapshotFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove refused snapshot: %w", err)
		}
	}
	n.slog.LogAttrs(ctx, slog.LevelInfo, "index opened", slog.Int("subjects", index.Len()), slog.Duration("took", time.Since(begun)))
	return nil
}

// snapshotLoop writes a snapshot when it is time.
func (n *Node) snapshotLoop(ctx context.Context) {
	last, failed := time.Now(), false
	for pause(ctx, nil, snapshotLook) {
		grown := n.index.Grown()
		if grown == 0 || time.Since(last) < snapshotAfter && (failed || grown < snapshotGrown) {
			continue
		}
		last, failed = time.Now(), !n.writeSnapshot(ctx)
	}
}

// writeSnapshot writes one. A failure costs time at the next start, nothing else.
func (n *Node) writeSnapshot(ctx context.Context) bool {
	err := n.index.Snapshot(ctx, n.store, n.snapshotFile(), rand.Reader)
	if err != nil && ctx.Err() == nil {
		n.slog.LogAttrs(ctx, slog.LevelWarn, "index snapshot waits", slog.String("err", err.Error()))
	}
	return err == nil
}

// lastSnapshot writes one at a graceful stop, and leaves a large one that takes too long unfinished: its part file is
// removed at the next start.
func (n *Node) lastSnapshot() {
	if n.index.Grown() == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), snapshotStop)
	done := make(chan struct{})
	go func() {
		defer cancel()
		defer close(done)
		n.writeSnapshot(ctx)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
