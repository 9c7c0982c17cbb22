package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

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

// NoEffect implements record.Log.
func (s *Store) NoEffect(ctx context.Context, st record.StreamID) ([]uint64, error) {
	var out []uint64
	err := each(ctx, s.read, "SELECT seq FROM record WHERE stream=$1 AND unusable<>'' ORDER BY seq", []any{string(st)}, func(rows *sql.Rows) error {
		var seq uint64
		err := rows.Scan(&seq)
		out = append(out, seq)
		return err
	})
	if err != nil {
		return nil, classify(fmt.Errorf("read records of %s without effect: %w", st, err))
	}
	return out, nil
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

// Deletion is a record of an own stream that took content away: a correction, a withdrawal or an erasure.
type Deletion struct {
	Seq  uint64
	Last time.Time // the end of the civil day on which it was made at the latest: a sealed header tells its week alone
}

// Deletions returns the records of a stream from seq on, below to, that took content of earlier ones away, in order.
func (s *Store) Deletions(ctx context.Context, st record.StreamID, from, to uint64) ([]Deletion, error) {
	var out []Deletion
	err := each(ctx, s.read, `SELECT r.seq, r.header FROM record r WHERE r.stream=$1 AND r.seq>=$2 AND r.seq<$3 AND r.version>1 AND EXISTS
(SELECT 1 FROM record e JOIN part p ON p.stream=e.stream AND p.seq=e.seq WHERE e.stream=r.stream AND e.subject=r.subject AND e.version<r.version AND p.gone_by=r.seq AND p.state=$4)
ORDER BY r.seq`, []any{string(st), from, to, int(record.PartGone)}, func(rows *sql.Rows) error {
		var d Deletion
		var header []byte
		if err := rows.Scan(&d.Seq, &header); err != nil {
			return err
		}
		h, err := record.DecodeHeader(header)
		if err != nil {
			return err
		}
		if d.Last, err = h.DayEnds(); err != nil {
			return err
		}
		out = append(out, d)
		return nil
	})
	return out, classify(err)
}
