package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync/atomic"

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
	t := &together{tx: w.tx, d: s.d}
	if err := w.project(ctx, t); err != nil {
		return err
	}
	return t.run(ctx)
}

// Rows counts what a table, with its condition, holds.
func (s *Store) Rows(ctx context.Context, table string) (n int, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n)
	return n, err
}

// CountStatements counts from now on what goes to the PostgreSQL server, BEGIN and COMMIT among it.
func (s *Store) CountStatements() (*atomic.Int64, error) {
	c, err := postgresConnector(s.cfg.DSN, s.cfg.UnsafeTest)
	if err != nil {
		return nil, err
	}
	n := new(atomic.Int64)
	err = errors.Join(s.write.Close(), s.read.Close())
	s.write, s.read = sql.OpenDB(counting{c, n}), sql.OpenDB(counting{c, n})
	s.write.SetMaxOpenConns(1) // what is prepared is prepared once
	s.read.SetMaxOpenConns(1)
	return n, err
}

type counting struct {
	driver.Connector
	n *atomic.Int64
}

func (c counting) Connect(ctx context.Context) (driver.Conn, error) {
	made, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &countingConn{made.(*preparingConn), c.n}, nil
}

type countingConn struct {
	*preparingConn
	n *atomic.Int64
}

func (c *countingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.n.Add(1)
	return c.preparingConn.QueryContext(ctx, query, args)
}

func (c *countingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.n.Add(1)
	return c.preparingConn.ExecContext(ctx, query, args)
}

func (c *countingConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	c.n.Add(2)
	return c.preparingConn.BeginTx(ctx, opts)
}

// Together runs three statements together; the last must find the head of a stream.
func (s *Store) Together(ctx context.Context, stream record.StreamID) error {
	return s.fenced(ctx, func(tx *sql.Tx) error {
		t := &together{tx: tx, d: s.d}
		rows := [][]any{{"t", 12}, {"u", 2}, {"v", 3}, {"w", 4}, {"x", 5}, {"y", 6}}
		if err := t.addRows(ctx, "INSERT INTO courier (topic, offset_next)", rows, ""); err != nil {
			return err
		}
		if err := t.add(ctx, "DELETE FROM evidence WHERE stream=$1", string(stream)); err != nil {
			return err
		}
		if err := t.addOne(ctx, "touch", "UPDATE stream_head SET size=size WHERE stream=$1", string(stream)); err != nil {
			return err
		}
		return t.run(ctx)
	})
}
