package sqlstore

import (
	"context"
	"database/sql"

	"github.com/pilinhub/pilin/record"
)

// Unusable counts, by reason, the records [from,to) of a stream that are proven and have no effect here.
func (s *Store) Unusable(ctx context.Context, st record.StreamID, from, to uint64) (map[string]int, error) {
	out := map[string]int{}
	err := each(ctx, s.read, "SELECT unusable, count(*) FROM record WHERE stream=$1 AND seq>=$2 AND seq<$3 AND unusable<>'' GROUP BY unusable", []any{string(st), from, to}, func(rows *sql.Rows) error {
		var why string
		var n int
		if err := rows.Scan(&why, &n); err != nil {
			return err
		}
		out[why] = n
		return nil
	})
	return out, classify(err)
}

// CountPending counts the parts of each stream that this node is entitled to and does not have yet.
func (s *Store) CountPending(ctx context.Context) (map[record.StreamID]int, error) {
	out := map[record.StreamID]int{}
	err := each(ctx, s.read, "SELECT stream, count(*) FROM part WHERE state=$1 AND state IN (2, 3) GROUP BY stream", []any{int(record.PartPending)}, func(rows *sql.Rows) error {
		var st record.StreamID
		var n int
		if err := rows.Scan(&st, &n); err != nil {
			return err
		}
		out[st] = n
		return nil
	})
	return out, classify(err)
}
