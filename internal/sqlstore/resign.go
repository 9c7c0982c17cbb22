package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pilinhub/pilin/record"
)

// Resign signs the checkpoints of an own stream's commit groups anew that cover sequence from or a later one: same leaves,
// same roots, under the key that the charter has for them now. A revocation takes away the signatures of the key that is
// compromised; without new ones whoever joins later could not verify these groups (ADR 5). It returns how many it signed.
func (s *Store) Resign(ctx context.Context, st record.StreamID, from uint64) (n int, err error) {
	if !s.own(st) || st.Kind() != record.Records {
		return 0, fmt.Errorf("sign anew %s: not a records stream of %s", st, s.cfg.Self)
	}
	s.reshape.Lock()
	defer s.reshape.Unlock()
	err = s.fenced(ctx, func(tx *sql.Tx) error {
		h, err := head(ctx, tx, st, s.d.forUpdate)
		if err != nil {
			return err
		}
		var sizes []uint64
		err = each(ctx, tx, "SELECT size FROM commit_group WHERE stream=$1 AND size>$2 AND checkpoint IS NOT NULL ORDER BY size", []any{string(st), from}, func(rows *sql.Rows) error {
			var size uint64
			err := rows.Scan(&size)
			sizes = append(sizes, size)
			return err
		})
		if err != nil || len(sizes) == 0 {
			return err
		}
		hs, err := leaves(ctx, tx, st, 0, h.Signed)
		if err != nil {
			return err
		}
		next, tree := h, record.Tree{}
		for _, size := range sizes {
			for tree.Size < size && tree.Size < uint64(len(hs)) {
				tree = tree.Add(hs[tree.Size])
			}
			if tree.Size != size {
				return fmt.Errorf("sign anew %s at %d: only %d records are stored", st, size, tree.Size)
			}
			note, err := s.checkpoint(st, tree)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "UPDATE commit_group SET checkpoint=$3 WHERE stream=$1 AND size=$2", string(st), size, note); err != nil {
				return fmt.Errorf("sign anew %s at %d: %w", st, size, err)
			}
			next.Checkpoint, n = note, n+1
		}
		return s.putHeadNow(ctx, tx, h, next)
	})
	return n, err
}
