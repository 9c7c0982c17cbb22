package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/pilinhub/pilin/record"
)

// Exec runs a statement on the writing connection, as an operator or a failing disk would.
func (s *Store) Exec(ctx context.Context, statement string) error {
	_, err := s.write.ExecContext(ctx, statement)
	return err
}

// Read begins a reading transaction that keeps the write-ahead log from being truncated.
func (s *Store) Read(ctx context.Context) (*sql.Tx, error) {
	tx, err := s.read.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	var n int
	return tx, tx.QueryRowContext(ctx, "SELECT count(*) FROM record").Scan(&n)
}

// LoseCommit makes the next COMMIT's answer get lost, after it took effect or before.
func (s *Store) LoseCommit(effect bool, err error) {
	s.d.commitUnknown = func(got error) bool { return errors.Is(got, err) }
	s.commitTx = func(tx *sql.Tx) error {
		s.commitTx = (*sql.Tx).Commit
		if effect {
			if err := tx.Commit(); err != nil {
				return err
			}
		} else if err := tx.Rollback(); err != nil {
			return err
		}
		return err
	}
}

// EraseOwed reports whether deleted bytes may still be in the files.
func (s *Store) EraseOwed() bool { return s.eraseOwed.Load() }

// Pragma returns a setting of the writing connection.
func (s *Store) Pragma(ctx context.Context, name string) (v string, err error) {
	err = s.write.QueryRowContext(ctx, "PRAGMA "+name).Scan(&v)
	return v, err
}

// ProjectBegun writes the read model of a subject that begins with st, in a transaction that is closed: any statement fails.
func (s *Store) ProjectBegun(ctx context.Context, st record.Stored) error {
	w := newWriter(s)
	var err error
	if w.tx, err = s.write.BeginTx(ctx, nil); err != nil {
		return err
	}
	if err := w.tx.Rollback(); err != nil {
		return err
	}
	id, _ := st.Meaning.Subject()
	at := subjectAt{st.Stream, id}
	w.placed[at], w.touched = []record.Stored{st}, []subjectAt{at}
	return w.project(ctx)
}

// Rows counts what a table, with its condition, holds.
func (s *Store) Rows(ctx context.Context, table string) (n int, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n)
	return n, err
}
