package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/lib/pq"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/pilinhub/pilin/record"
)

// dialect holds every difference between the two databases; all other SQL is one text for both.
type dialect struct {
	name  string
	goose goose.Dialect
	// forUpdate locks the rows that a SELECT returns. SQLite's write transactions lock the file at BEGIN.
	forUpdate string
	// snapshotLevel makes a reading transaction see one state. SQLite's always do.
	snapshotLevel sql.IsolationLevel
	// erase makes deleted bytes unreadable in the files; run after a transaction that deleted parts.
	erase func(ctx context.Context, db *sql.DB) error
	// vacuum is erase's hourly half.
	vacuum func(ctx context.Context, db *sql.DB) error
}

var postgresDialect = dialect{
	name: "postgres", goose: goose.DialectPostgres, forUpdate: " FOR UPDATE", snapshotLevel: sql.LevelRepeatableRead,
	erase:  func(context.Context, *sql.DB) error { return nil }, // rows stay until VACUUM, in Maintain
	vacuum: func(ctx context.Context, db *sql.DB) error { _, err := db.ExecContext(ctx, "VACUUM part"); return err },
}

var sqliteDialect = dialect{
	name: "sqlite", goose: goose.DialectSQLite3,
	erase: func(ctx context.Context, db *sql.DB) error { // secure_delete overwrites pages, the WAL may hold older ones
		_, err := db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
		return err
	},
	vacuum: func(context.Context, *sql.DB) error { return nil },
}

// openSQLite returns a writing pool of one connection and a reading pool.
func openSQLite(file string) (write, read *sql.DB, err error) {
	base := "file:" + (&url.URL{Path: file}).EscapedPath() + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=secure_delete(1)&_pragma=foreign_keys(1)"
	if write, err = sql.Open("sqlite", base+"&_txlock=immediate"); err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", file, err)
	}
	write.SetMaxOpenConns(1)
	if read, err = sql.Open("sqlite", base); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open %s: %w", file, err), write.Close())
	}
	read.SetMaxOpenConns(8)
	return write, read, nil
}

// Limits of waiting for PostgreSQL: lib/pq's context deadlines do not fire against a silent server (services.md §4), so
// every Read has a deadline, and the server gives up before it.
const (
	readDeadline     = 10 * time.Second
	statementTimeout = "8000" // milliseconds
)

// dialer gives connections whose every Read has a deadline.
type dialer struct{ net.Dialer }

func (d dialer) wrap(c net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	return patient{c}, nil
}

// Dial implements pq.Dialer.
func (d dialer) Dial(network, address string) (net.Conn, error) {
	return d.wrap(d.Dialer.Dial(network, address))
}

// DialTimeout implements pq.Dialer.
func (d dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

// DialContext implements pq.DialerContext.
func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d.wrap(d.Dialer.DialContext(ctx, network, address))
}

type patient struct{ net.Conn }

// Read sets a deadline before every read; an idle pooled connection does not read and so survives.
func (p patient) Read(b []byte) (int, error) {
	if err := p.SetReadDeadline(time.Now().Add(readDeadline)); err != nil {
		return 0, err
	}
	return p.Conn.Read(b)
}

// openPostgres returns one pool for reading and writing.
func openPostgres(dsn string, unsafeTest bool) (*sql.DB, error) {
	if !unsafeTest && !safeTransport(dsn) {
		return nil, errors.New("postgres: set sslmode=verify-full or a unix socket (host=/…)")
	}
	sep := " "
	if strings.Contains(dsn, "://") {
		sep = "&"
		if !strings.Contains(dsn, "?") {
			sep = "?"
		}
	}
	c, err := pq.NewConnector(dsn + sep + "statement_timeout=" + statementTimeout)
	if err != nil {
		return nil, fmt.Errorf("postgres address: %w", err)
	}
	c.Dialer(dialer{net.Dialer{Timeout: 5 * time.Second}})
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db, nil
}

// safeTransport reports whether a DSN reaches the server over verified TLS or a unix socket.
func safeTransport(dsn string) bool {
	return strings.Contains(dsn, "sslmode=verify-full") || strings.Contains(dsn, "host=/") || strings.Contains(dsn, "host=%2F")
}

// durable refuses a server that acknowledges before its disk has the bytes.
func durable(ctx context.Context, db *sql.DB) error {
	for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		var v string
		if err := db.QueryRowContext(ctx, "SHOW "+name).Scan(&v); err != nil {
			return fmt.Errorf("ask postgres for %s: %w", name, err)
		}
		if v == "off" {
			return fmt.Errorf("postgres has %s=off: an acknowledged record could be lost; switch it on", name)
		}
	}
	return nil
}

// classify gives an error of the database the meaning that callers test for.
func classify(err error) error {
	if err == nil || errors.Is(err, record.ErrStorageFull) {
		return err
	}
	var se *sqlite.Error
	if errors.As(err, &se) {
		switch se.Code() & 0xff {
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
			return fmt.Errorf("%w: %w", record.ErrStorageFull, err)
		}
	}
	var pe *pq.Error
	if errors.As(err, &pe) {
		switch {
		case pe.Code.Class() == "53", pe.Code.Class() == "58", pe.Code.Class() == "57", pe.Code == "25006":
			return fmt.Errorf("%w: %w", record.ErrStorageFull, err)
		}
	}
	var ne net.Error
	if errors.As(err, &ne) || errors.Is(err, io.EOF) || errors.Is(err, sql.ErrConnDone) || strings.Contains(err.Error(), "bad connection") {
		return fmt.Errorf("%w: %w", record.ErrStorageFull, err)
	}
	return err
}
