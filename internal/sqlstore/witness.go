package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// PutReceipt implements record.Log.
func (s *Store) PutReceipt(ctx context.Context, st record.StreamID, by record.MemberID, size uint64, receipt []byte) error {
	return s.fenced(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO receipt (stream, member, size, receipt) VALUES ($1,$2,$3,$4)"+
			" ON CONFLICT (stream, member) DO UPDATE SET size=$3, receipt=$4 WHERE receipt.size < $3", string(st), string(by), size, receipt); err != nil {
			return fmt.Errorf("keep receipt of %s: %w", by, err)
		}
		return nil
	})
}

// Receipts implements record.Log.
func (s *Store) Receipts(ctx context.Context, st record.StreamID) (map[record.MemberID][]byte, error) {
	out := map[record.MemberID][]byte{}
	err := each(ctx, s.read, "SELECT member, receipt FROM receipt WHERE stream=$1", []any{string(st)}, func(rows *sql.Rows) error {
		var m record.MemberID
		var b []byte
		err := rows.Scan(&m, &b)
		out[m] = b
		return err
	})
	if err != nil {
		return nil, classify(fmt.Errorf("read receipts about %s: %w", st, err))
	}
	return out, nil
}

// Cosign implements record.Log. The UPDATE's condition decides, whatever was read before it.
func (s *Store) Cosign(ctx context.Context, st record.StreamID, old, size uint64, root tlog.Hash, receipt []byte) error {
	return s.fenced(ctx, func(tx *sql.Tx) error {
		h, err := head(ctx, tx, st, s.d.forUpdate)
		if err != nil {
			return err
		}
		last, lastRoot, err := cosigned(ctx, tx, st)
		if err != nil {
			return err
		}
		note, err := checkpointAt(ctx, tx, st, size)
		if err != nil {
			return err
		}
		if err := record.CheckCosign(h, last, lastRoot, old, size, root, note); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO cosigned (stream, size, root) VALUES ($1,0,$2) ON CONFLICT (stream) DO NOTHING", string(st), lastRoot[:]); err != nil {
			return fmt.Errorf("cosign %s: %w", st, err)
		}
		res, err := tx.ExecContext(ctx, "UPDATE cosigned SET size=$2, root=$3 WHERE stream=$1 AND size=$4", string(st), size, root[:], old)
		if err := changedOne(res, err, "cosign "+string(st)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO receipt (stream, member, size, receipt) VALUES ($1,$2,$3,$4)"+
			" ON CONFLICT (stream, member) DO UPDATE SET size=$3, receipt=$4", string(st), string(s.cfg.Self), size, receipt); err != nil {
			return fmt.Errorf("keep own receipt about %s: %w", st, err)
		}
		return nil
	})
}

// checkpointAt returns the stored checkpoint of exactly that size, nil if there is none.
func checkpointAt(ctx context.Context, q querier, st record.StreamID, size uint64) ([]byte, error) {
	var note []byte
	err := q.QueryRowContext(ctx, "SELECT checkpoint FROM commit_group WHERE stream=$1 AND size=$2", string(st), size).Scan(&note)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read checkpoint of %s at %d: %w", st, size, err)
	}
	return note, nil
}

// Cosigned implements record.Log.
func (s *Store) Cosigned(ctx context.Context, st record.StreamID) (uint64, tlog.Hash, error) {
	size, root, err := cosigned(ctx, s.read, st)
	return size, root, classify(err)
}

func cosigned(ctx context.Context, q querier, st record.StreamID) (uint64, tlog.Hash, error) {
	var size uint64
	var root []byte
	err := q.QueryRowContext(ctx, "SELECT size, root FROM cosigned WHERE stream=$1", string(st)).Scan(&size, &root)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, tlog.Hash{}, nil
	}
	if err != nil {
		return 0, tlog.Hash{}, fmt.Errorf("read cosigned size of %s: %w", st, err)
	}
	return size, tlog.Hash(root), nil
}

// PutEvidence implements record.Log.
func (s *Store) PutEvidence(ctx context.Context, st record.StreamID, evidence []byte) error {
	return s.fenced(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO evidence (stream, evidence) VALUES ($1,$2) ON CONFLICT (stream) DO NOTHING", string(st), evidence); err != nil {
			return fmt.Errorf("keep evidence about %s: %w", st, err)
		}
		h, err := head(ctx, tx, st, s.d.forUpdate)
		if err != nil {
			return err
		}
		next := h
		next.Frozen = "forked"
		return s.putHeadNow(ctx, tx, h, next)
	})
}

// Evidence implements record.Log.
func (s *Store) Evidence(ctx context.Context) (map[record.StreamID][]byte, error) {
	out := map[record.StreamID][]byte{}
	err := each(ctx, s.read, "SELECT stream, evidence FROM evidence", nil, func(rows *sql.Rows) error {
		var st record.StreamID
		var b []byte
		err := rows.Scan(&st, &b)
		out[st] = b
		return err
	})
	if err != nil {
		return nil, classify(fmt.Errorf("read evidence: %w", err))
	}
	return out, nil
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
	return s.fenced(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, putCursor, c.Topic, c.Offset); err != nil {
			return fmt.Errorf("store position in %s: %w", c.Topic, err)
		}
		return nil
	})
}

const putCursor = "INSERT INTO courier (topic, offset_next) VALUES ($1,$2) ON CONFLICT (topic) DO UPDATE SET offset_next=$2"
