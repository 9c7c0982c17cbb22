package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// PutOpen keeps an open question, or what it has come to since.
func (s *Store) PutOpen(ctx context.Context, k federation.KeptAsk) error {
	return s.fenced(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO open_question (id, until, state) VALUES ($1,$2,$3) ON CONFLICT (id) DO UPDATE SET until=excluded.until, state=excluded.state",
			k.ID[:], k.Until, s.v.seal(place("open_question", k.ID.String()), k.State)); err != nil {
			return fmt.Errorf("keep open question: %w", err)
		}
		return nil
	})
}

// DropOpen deletes a question that is no longer open. What was asked is then out of the tables, and out of the files as
// with every deletion (Maintain at the latest).
func (s *Store) DropOpen(ctx context.Context, id record.Bits128) error {
	err := s.fenced(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM open_question WHERE id=$1", id[:]); err != nil {
			return fmt.Errorf("drop open question: %w", err)
		}
		return nil
	})
	if err == nil {
		s.eraseNow(ctx)
	}
	return err
}

// OpenAsks deletes the questions that have ended by now (Unix seconds) and returns the others, the oldest first.
func (s *Store) OpenAsks(ctx context.Context, now int64) ([]federation.KeptAsk, error) {
	if err := s.endOpen(ctx, now); err != nil {
		return nil, err
	}
	s.eraseNow(ctx)
	rows, err := s.read.QueryContext(ctx, "SELECT id, until, state FROM open_question WHERE until>$1 ORDER BY until, id", now)
	if err != nil {
		return nil, classify(fmt.Errorf("read open questions: %w", err))
	}
	defer rows.Close()
	var out []federation.KeptAsk
	for rows.Next() {
		var k federation.KeptAsk
		var id []byte
		if err := rows.Scan(&id, &k.Until, &k.State); err != nil {
			return nil, classify(fmt.Errorf("read open questions: %w", err))
		}
		k.ID = record.Bits128(id)
		if k.State, err = s.v.open(ctx, place("open_question", k.ID.String()), k.State); err != nil {
			return nil, fmt.Errorf("read open questions: %w", err)
		}
		out = append(out, k)
	}
	return out, classify(rows.Err())
}

// endOpen deletes questions whose time is over.
func (s *Store) endOpen(ctx context.Context, now int64) error {
	return s.fenced(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM open_question WHERE until<=$1", now); err != nil {
			return fmt.Errorf("end open questions: %w", err)
		}
		return nil
	})
}

// Changes returns the records of a stream from seq on that have a place in a subject, at most limit, in order.
func (s *Store) Changes(ctx context.Context, st record.StreamID, from uint64, limit int) ([]federation.Changed, error) {
	var out []federation.Changed
	err := each(ctx, s.read, `SELECT r.seq, r.subject, r.version, CASE WHEN EXISTS (SELECT 1 FROM part p WHERE p.stream=r.stream AND p.seq=r.seq AND p.name='body' AND p.state NOT IN ($4,$5)) THEN NULL ELSE r.header END
FROM record r WHERE r.stream=$1 AND r.seq>=$2 AND r.subject IS NOT NULL ORDER BY r.seq LIMIT $3`,
		[]any{string(st), from, limit, int(record.PartNone), int(record.PartWithheld)}, func(rows *sql.Rows) error {
			var c federation.Changed
			var subject, header []byte
			if err := rows.Scan(&c.Seq, &subject, &c.Version, &header); err != nil {
				return err
			}
			c.Subject = record.RecordID(subject)
			if header != nil {
				c.Veiled = true
				if h, err := record.DecodeHeader(header); err == nil {
					c.Type = h.Type
				}
			}
			out = append(out, c)
			return nil
		})
	return out, classify(err)
}
