package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// snapshot runs f on one state of the database.
func (s *Store) snapshot(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: s.d.snapshotLevel})
	if err != nil {
		return classify(err)
	}
	err = f(tx)
	if rb := tx.Rollback(); err == nil {
		err = rb
	}
	return classify(err)
}

// Head implements record.Log.
func (s *Store) Head(ctx context.Context, st record.StreamID) (record.Head, error) {
	h, err := head(ctx, s.read, st, "")
	return h, classify(err)
}

// Heads implements record.Log.
func (s *Store) Heads(ctx context.Context) ([]record.Head, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT "+headColumns+" FROM stream_head ORDER BY stream")
	if err != nil {
		return nil, classify(fmt.Errorf("read heads: %w", err))
	}
	defer rows.Close()
	var out []record.Head
	for rows.Next() {
		h, err := scanHead(rows)
		if err != nil {
			return nil, classify(fmt.Errorf("read heads: %w", err))
		}
		out = append(out, h)
	}
	return out, classify(rows.Err())
}

// Groups implements record.Log.
func (s *Store) Groups(ctx context.Context, st record.StreamID, from uint64, limit int) ([]record.Group, error) {
	var out []record.Group
	err := s.snapshot(ctx, func(tx *sql.Tx) error {
		var err error
		if out, err = bounds(ctx, tx, st, from, limit); err != nil || len(out) == 0 {
			return err
		}
		last := out[len(out)-1]
		all, err := records(ctx, tx, "r.stream=$1 AND r.seq>=$2 AND r.seq<$3", string(st), out[0].First, last.First+uint64(cap(last.Records)))
		if err != nil {
			return err
		}
		for i := range out {
			n := cap(out[i].Records)
			if len(all) < n || all[0].Seq != out[i].First {
				return fmt.Errorf("read %s at %d: records missing: %w", st, out[i].First, record.ErrNotFound)
			}
			out[i].Records, all = all[:n:n], all[n:]
		}
		return nil
	})
	return out, err
}

// bounds returns the groups from the one containing from on, without records: the capacity of Records is their number.
func bounds(ctx context.Context, q querier, st record.StreamID, from uint64, limit int) ([]record.Group, error) {
	rows, err := q.QueryContext(ctx, "SELECT first, size, checkpoint FROM commit_group WHERE stream=$1 AND size>$2 ORDER BY first LIMIT $3", string(st), from, max(limit, 1))
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	defer rows.Close()
	var out []record.Group
	count := 0
	for rows.Next() {
		g := record.Group{Stream: st}
		var size uint64
		if err := rows.Scan(&g.First, &size, &g.Checkpoint); err != nil {
			return nil, fmt.Errorf("read groups: %w", err)
		}
		n := int(size - g.First)
		if len(out) > 0 && count+n > limit {
			break
		}
		count += n
		g.Records = make([]record.Stored, 0, n)
		out = append(out, g)
	}
	return out, rows.Err()
}

// Record implements record.Log.
func (s *Store) Record(ctx context.Context, id record.RecordID) (record.Stored, error) {
	all, err := records(ctx, s.read, "r.id=$1", id[:])
	if err != nil {
		return record.Stored{}, classify(err)
	}
	if len(all) == 0 {
		return record.Stored{}, fmt.Errorf("record %s: %w", id, record.ErrNotFound)
	}
	for _, st := range all {
		if s.own(st.Stream) && st.Stream.Kind() == record.Records {
			return st, nil
		}
	}
	for _, st := range all {
		if s.own(st.Stream) {
			return st, nil
		}
	}
	return all[0], nil
}

// Subject implements record.Log.
func (s *Store) Subject(ctx context.Context, st record.StreamID, subject record.RecordID) ([]record.Stored, error) {
	all, err := subjectRecords(ctx, s.read, st, subject)
	return all, classify(err)
}

// byVersion sorts a subject's records; a first one whose meta is missing comes first.
func byVersion(all []record.Stored) []record.Stored {
	version := func(st record.Stored) uint64 {
		if st.Meaning.IsZero() {
			return 0
		}
		_, v := st.Meaning.Subject()
		return v
	}
	slices.SortStableFunc(all, func(a, b record.Stored) int { return cmp.Compare(version(a), version(b)) })
	return all
}

// Leaves implements record.Log.
func (s *Store) Leaves(ctx context.Context, st record.StreamID, from, to uint64) ([]tlog.Hash, error) {
	if to < from {
		return nil, fmt.Errorf("leaves of %s from %d to %d: %w", st, from, to, record.ErrNotFound)
	}
	hs, err := leaves(ctx, s.read, st, from, to)
	return hs, classify(err)
}

// Pending implements record.Log.
func (s *Store) Pending(ctx context.Context, st record.StreamID) ([]record.PartAt, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT seq, name FROM part WHERE stream=$1 AND state=$2 ORDER BY seq, ord", string(st), int(record.PartPending))
	if err != nil {
		return nil, classify(fmt.Errorf("read pending parts: %w", err))
	}
	defer rows.Close()
	var out []record.PartAt
	for rows.Next() {
		var at record.PartAt
		if err := rows.Scan(&at.Seq, &at.Part); err != nil {
			return nil, classify(fmt.Errorf("read pending parts: %w", err))
		}
		out = append(out, at)
	}
	return out, classify(rows.Err())
}

// HasWithheld reports whether a record from seq on has a part that is sealed under keys this node lacks.
func (s *Store) HasWithheld(ctx context.Context, st record.StreamID, seq uint64) (bool, error) {
	var n int
	err := s.read.QueryRowContext(ctx, "SELECT count(*) FROM part WHERE stream=$1 AND state=$2 AND seq>=$3", string(st), int(record.PartWithheld), seq).Scan(&n)
	return n > 0, classify(err)
}

// PutReceipt implements record.Log.
func (s *Store) PutReceipt(ctx context.Context, st record.StreamID, by record.MemberID, size uint64, receipt []byte) error {
	return classify(s.tx(ctx, func(tx *sql.Tx) error { return putReceipt(ctx, tx, st, by, size, receipt) }))
}

func putReceipt(ctx context.Context, tx *sql.Tx, st record.StreamID, by record.MemberID, size uint64, receipt []byte) error {
	if _, err := tx.ExecContext(ctx, "INSERT INTO receipt (stream, member, size, receipt) VALUES ($1,$2,$3,$4)"+
		" ON CONFLICT (stream, member) DO UPDATE SET size=$3, receipt=$4 WHERE receipt.size < $3", string(st), string(by), size, receipt); err != nil {
		return fmt.Errorf("keep receipt of %s: %w", by, err)
	}
	return nil
}

// Receipts implements record.Log.
func (s *Store) Receipts(ctx context.Context, st record.StreamID) (map[record.MemberID][]byte, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT member, receipt FROM receipt WHERE stream=$1", string(st))
	if err != nil {
		return nil, classify(fmt.Errorf("read receipts: %w", err))
	}
	defer rows.Close()
	out := map[record.MemberID][]byte{}
	for rows.Next() {
		var m record.MemberID
		var b []byte
		if err := rows.Scan(&m, &b); err != nil {
			return nil, classify(fmt.Errorf("read receipts: %w", err))
		}
		out[m] = b
	}
	return out, classify(rows.Err())
}

// Evidence implements record.Log.
func (s *Store) Evidence(ctx context.Context) (map[record.StreamID][]byte, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT stream, evidence FROM evidence")
	if err != nil {
		return nil, classify(fmt.Errorf("read evidence: %w", err))
	}
	defer rows.Close()
	out := map[record.StreamID][]byte{}
	for rows.Next() {
		var st record.StreamID
		var b []byte
		if err := rows.Scan(&st, &b); err != nil {
			return nil, classify(fmt.Errorf("read evidence: %w", err))
		}
		out[st] = b
	}
	return out, classify(rows.Err())
}

// Cursor implements record.Log.
func (s *Store) Cursor(ctx context.Context, topic string) (record.Cursor, error) {
	c := record.Cursor{Topic: topic}
	err := s.read.QueryRowContext(ctx, "SELECT offset_next FROM courier WHERE topic=$1", topic).Scan(&c.Offset)
	if errors.Is(err, sql.ErrNoRows) {
		return c, fmt.Errorf("position in %s: %w", topic, record.ErrNotFound)
	}
	if err != nil {
		return c, classify(fmt.Errorf("read position in %s: %w", topic, err))
	}
	return c, nil
}

// SetCursor implements record.Log.
func (s *Store) SetCursor(ctx context.Context, c record.Cursor) error {
	return classify(s.tx(ctx, func(tx *sql.Tx) error { return setCursor(ctx, tx, c) }))
}

func setCursor(ctx context.Context, tx *sql.Tx, c record.Cursor) error {
	if _, err := tx.ExecContext(ctx, "INSERT INTO courier (topic, offset_next) VALUES ($1,$2) ON CONFLICT (topic) DO UPDATE SET offset_next=$2", c.Topic, c.Offset); err != nil {
		return fmt.Errorf("store position in %s: %w", c.Topic, err)
	}
	return nil
}
