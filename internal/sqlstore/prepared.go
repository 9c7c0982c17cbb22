package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/lib/pq"
)

// preparing is a connector whose connections prepare each statement once: the server parses and plans the same few dozen
// texts once a connection instead of every time, which costs it more than running them. A connection keeps its statements
// as long as it lives. database/sql's own Stmt would take a second connection to prepare one while a transaction holds the
// first.
type preparing struct{ *pq.Connector }

// pqConn is what a connection of lib/pq can do.
type pqConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
	driver.NamedValueChecker
}

// Connect implements driver.Connector.
func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	all, ok := c.(pqConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("connection %T lacks what lib/pq's had", c), c.Close())
	}
	return &preparingConn{pqConn: all, stmts: map[string]pqStmt{}}, nil
}

// pqStmt is what a statement of lib/pq can do.
type pqStmt interface {
	driver.StmtExecContext
	driver.StmtQueryContext
}

// preparingConn is used by one goroutine at a time, as every driver.Conn.
type preparingConn struct {
	pqConn
	stmts map[string]pqStmt
}

// What is prepared: not the rare, long texts of large batches, each of another length.
const (
	maxPrepared     = 200
	maxPreparedText = 4 << 10
)

// stmt returns the prepared statement of a text; nil if it is to be run as it is. Without parameters it is: that is one
// message, and may be several statements.
func (c *preparingConn) stmt(ctx context.Context, query string, args []driver.NamedValue) (pqStmt, error) {
	if len(args) == 0 || len(query) > maxPreparedText {
		return nil, nil
	}
	if s := c.stmts[query]; s != nil || len(c.stmts) >= maxPrepared {
		return s, nil
	}
	made, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s, ok := made.(pqStmt)
	if !ok {
		return nil, errors.Join(fmt.Errorf("statement %T lacks what lib/pq's had", made), made.Close())
	}
	c.stmts[query] = s
	return s, nil
}

// QueryContext implements driver.QueryerContext.
func (c *preparingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.stmt(ctx, query, args)
	switch {
	case err != nil:
		return nil, err
	case s == nil:
		return c.pqConn.QueryContext(ctx, query, args)
	}
	rows, err := s.QueryContext(ctx, args)
	return rows, c.forget(query, err)
}

// ExecContext implements driver.ExecerContext.
func (c *preparingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.stmt(ctx, query, args)
	switch {
	case err != nil:
		return nil, err
	case s == nil:
		return c.pqConn.ExecContext(ctx, query, args)
	}
	res, err := s.ExecContext(ctx, args)
	return res, c.forget(query, err)
}

// forget drops a statement that the server does not run any more as it was prepared: its tables were changed, or whatever
// stands between gave the connection another server process.
func (c *preparingConn) forget(query string, err error) error {
	var pe *pq.Error
	if errors.As(err, &pe) && (pe.Code == "0A000" || pe.Code == "26000") {
		delete(c.stmts, query)
	}
	return err
}
