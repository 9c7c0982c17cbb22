package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
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
	h, ok := s.heads.head(st)
	if ok {
		return h, nil
	}
	h, err := head(ctx, s.read, st, "")
	return h, classify(err)
}

// Heads implements record.Log.
func (s *Store) Heads(ctx context.Context) ([]record.Head, error) {
	if all, ok := s.heads.all(); ok {
		return all, nil
	}
	return heads(ctx, s.read)
}

func heads(ctx context.Context, q querier) ([]record.Head, error) {
	rows, err := q.QueryContext(ctx, "SELECT "+headColumns+" FROM stream_head ORDER BY stream")
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

// Groups implements record.Log. Groups come and never change, but when this process signs a tail or takes it off, which
// waits for the lock: so two statements of the node that writes see one state without a transaction around them.
func (s *Store) Groups(ctx context.Context, st record.StreamID, from uint64, limit int) (out []record.Group, err error) {
	if s.epoch >= 0 {
		s.reshape.RLock()
		defer s.reshape.RUnlock()
		out, err = s.groups(ctx, s.read, st, from, limit)
		return out, classify(err)
	}
	err = s.snapshot(ctx, func(tx *sql.Tx) error {
		var err error
		out, err = s.groups(ctx, tx, st, from, limit)
		return err
	})
	return out, err
}

func (s *Store) groups(ctx context.Context, q querier, st record.StreamID, from uint64, limit int) ([]record.Group, error) {
	out, err := bounds(ctx, q, st, from, limit)
	if err != nil || len(out) == 0 {
		return nil, err
	}
	last := out[len(out)-1]
	all, err := s.v.records(ctx, q, "r.stream=$1 AND r.seq>=$2 AND r.seq<$3", string(st), out[0].First, last.First+uint64(cap(last.Records)))
	if err != nil {
		return nil, err
	}
	for i := range out {
		n := cap(out[i].Records)
		if len(all) < n || all[0].Seq != out[i].First {
			return nil, fmt.Errorf("read %s at %d: records missing: %w", st, out[i].First, record.ErrNotFound)
		}
		out[i].Records, all = all[:n:n], all[n:]
	}
	return out, nil
}

// Headers returns at most limit headers of a stream from seq on, in order, without opening any content.
func (s *Store) Headers(ctx context.Context, st record.StreamID, from uint64, limit int) ([][]byte, error) {
	var out [][]byte
	err := each(ctx, s.read, "SELECT seq, header FROM record WHERE stream=$1 AND seq>=$2 ORDER BY seq LIMIT $3", []any{string(st), from, limit}, func(rows *sql.Rows) error {
		var seq uint64
		var b []byte
		if err := rows.Scan(&seq, &b); err != nil {
			return err
		}
		if seq != from+uint64(len(out)) {
			return fmt.Errorf("record %d is missing: %w", from+uint64(len(out)), record.ErrNotFound)
		}
		out = append(out, b)
		return nil
	})
	if err != nil {
		return nil, classify(fmt.Errorf("read headers of %s: %w", st, err))
	}
	return out, nil
}

// bounds returns the groups from the one containing from on, without records: the capacity of Records is their number.
// Beside limit the bytes are bounded, so that nobody can make this node read its whole log into memory.
func bounds(ctx context.Context, q querier, st record.StreamID, from uint64, limit int) ([]record.Group, error) {
	var out []record.Group
	count, bytes, full := 0, 0, false
	err := each(ctx, q, "SELECT first, size, bytes, checkpoint FROM commit_group WHERE stream=$1 AND size>$2 ORDER BY size LIMIT $3", []any{string(st), from, max(limit, 1)}, func(rows *sql.Rows) error {
		g := record.Group{Stream: st}
		var size uint64
		var b int
		if err := rows.Scan(&g.First, &size, &b, &g.Checkpoint); err != nil {
			return err
		}
		n := int(size - g.First)
		full = full || len(out) > 0 && (count+n > limit || bytes+b > record.MaxRangeBytes)
		if !full {
			count, bytes = count+n, bytes+b
			g.Records = make([]record.Stored, 0, n)
			out = append(out, g)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read groups of %s: %w", st, err)
	}
	return out, nil
}

// Record implements record.Log.
func (s *Store) Record(ctx context.Context, id record.RecordID) (record.Stored, error) {
	all, err := s.v.records(ctx, s.read, "r.id=$1", id[:])
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
	all, err := s.v.subjectRecords(ctx, s.read, st, subject)
	return all, classify(err)
}

// Subjects implements record.Log.
func (s *Store) Subjects(ctx context.Context, st record.StreamID, subjects []record.RecordID) (map[record.RecordID][]record.Stored, error) {
	of, err := s.v.subjectsRecords(ctx, s.read, st, subjects)
	if err != nil {
		return nil, classify(err)
	}
	for id, all := range of {
		of[id] = byVersion(all)
	}
	return of, nil
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
