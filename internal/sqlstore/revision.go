package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

var _ federation.Revisions = (*Store)(nil)

// revisionsKept is how many revisions of a stream are known; whoever is further behind reads the stream from its beginning.
const revisionsKept = 1000

// revise notes, in the transaction that does it, that content of stored records from seq on changed.
func revise(ctx context.Context, tx *sql.Tx, st record.StreamID, seq uint64) error {
	if _, err := tx.ExecContext(ctx, "INSERT INTO revision (stream, n, seq) SELECT $1, COALESCE(MAX(n), 0) + 1, $2 FROM revision WHERE stream=$1", string(st), int64(seq)); err != nil {
		return fmt.Errorf("note revision of %s: %w", st, err)
	}
	return nil
}

// reviseLate notes late parts of records that counted as applied: their position has been passed.
func reviseLate(ctx context.Context, tx *sql.Tx, h record.Head, late []record.Stored) error {
	lowest := h.Applied
	for _, st := range late {
		lowest = min(lowest, st.Seq)
	}
	if lowest == h.Applied {
		return nil
	}
	return revise(ctx, tx, h.Stream, lowest)
}

// Revised implements federation.Revisions.
func (s *Store) Revised(ctx context.Context, st record.StreamID, since uint64) (now, lowest uint64, err error) {
	var newest, oldest, low sql.NullInt64
	row := s.read.QueryRowContext(ctx, "SELECT MAX(n), MIN(n), MIN(CASE WHEN n>$2 THEN seq END) FROM revision WHERE stream=$1", string(st), int64(since))
	if err := row.Scan(&newest, &oldest, &low); err != nil {
		return 0, 0, classify(fmt.Errorf("read revisions of %s: %w", st, err))
	}
	now = uint64(newest.Int64)
	switch {
	case now <= since:
		return now, math.MaxUint64, nil
	case uint64(oldest.Int64) > since+1: // some between were pruned
		return now, 0, nil
	}
	return now, uint64(low.Int64), nil
}

func (s *Store) pruneRevisions(ctx context.Context) error {
	return s.fenced(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM revision WHERE n <= (SELECT MAX(r.n) FROM revision r WHERE r.stream=revision.stream) - $1", revisionsKept)
		if err != nil {
			return fmt.Errorf("prune revisions: %w", err)
		}
		return nil
	})
}
