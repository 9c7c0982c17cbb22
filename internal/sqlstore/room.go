package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pilinhub/pilin/record"
)

// leastRoom is what a disk must have free for the database to be called writable: twice the largest commit group, which
// stands in the WAL and in the file.
const leastRoom = 2 * record.MaxGroupBytes

// diskRoom looks at the file system of a database file.
func diskRoom(file string) error {
	var s unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(file), &s); err != nil {
		return fmt.Errorf("%w: look at the disk of the database: %w", record.ErrStorageFull, err)
	}
	if s.Bavail*uint64(s.Bsize) < leastRoom { //nolint:gosec // a block size is positive
		return fmt.Errorf("%w: no room on the disk of the database", record.ErrStorageFull)
	}
	return nil
}

// failedFor is how long a store is called unwritable after an append found it so: what the probe writes is little and may
// find room where a record does not.
const failedFor = 10 * time.Second

// Ready reports whether the store answers and can write.
func (s *Store) Ready(ctx context.Context) error {
	if at := s.failed.Load(); at != nil && time.Since(*at) < failedFor {
		return record.ErrStorageFull
	}
	if err := s.d.room(s.cfg.DSN); err != nil {
		return err
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE node SET floor=floor WHERE one=1 AND epoch=$1", s.epoch)
		return one(res, err, "write", record.ErrFenced)
	})
}

// noteOutcome remembers when an append last found the store unwritable.
func (s *Store) noteOutcome(err error) {
	switch {
	case errors.Is(err, record.ErrStorageFull):
		now := time.Now()
		s.failed.Store(&now)
	case err == nil:
		s.failed.Store(nil)
	}
}
