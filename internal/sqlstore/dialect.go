package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"slices"
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
	// oneStatement: INSERT, UPDATE and DELETE may be parts of one statement (together).
	oneStatement bool
	// snapshotLevel makes a reading transaction see one state. SQLite's always do.
	snapshotLevel sql.IsolationLevel
	// durable refuses a database that acknowledges before its disk has the bytes.
	durable func(ctx context.Context, db *sql.DB) error
	// commitUnknown reports whether an error of COMMIT leaves open if the transaction took effect.
	commitUnknown func(error) bool
	// erase makes deleted bytes unreadable in the files; run after a transaction that deleted parts.
	erase func(ctx context.Context, db *sql.DB) error
	// room fails when the disk that the database lies on is known to be full. A probe that writes little cannot tell: it finds
	// room in pages that are there already.
	room func(dsn string) error
	// vacuum is erase's hourly half.
	vacuum func(ctx context.Context, db *sql.DB) error
	// hasTable counts the tables of a name.
	hasTable string
	// rewrite leaves no byte in the files that is not in the tables; run once, after an old database was sealed.
	rewrite func(ctx context.Context, s *Store) error
}

var postgresDialect = dialect{
	name: "postgres", room: func(string) error { return nil }, // the server's disk: it says itself
	goose: goose.DialectPostgres, forUpdate: " FOR UPDATE", oneStatement: true, snapshotLevel: sql.LevelRepeatableRead,
	durable: func(ctx context.Context, db *sql.DB) error {
		for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
			if err := refuse(ctx, db, "SHOW "+name, "off"); err != nil {
				return err
			}
		}
		return nil
	},
	// Unknown is every end but a server's plain refusal: a lost connection, and a server that is being stopped (57, 08).
	commitUnknown: func(err error) bool {
		var pe *pq.Error
		if errors.As(err, &pe) {
			return pe.Code.Class() == "57" || pe.Code.Class() == "08"
		}
		return !errors.Is(err, pq.ErrInFailedTransaction) && !errors.Is(err, sql.ErrTxDone) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
	},
	erase:    func(context.Context, *sql.DB) error { return nil }, // rows stay until VACUUM, in Maintain
	hasTable: "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname=current_schema() AND tablename=$1",
	rewrite:  rewritePostgres,
	vacuum: func(ctx context.Context, db *sql.DB) error {
		return exec(ctx, db, "VACUUM part", "VACUUM restricted_part", "VACUUM tail", "VACUUM open_question", "VACUUM import")
	},
}

var sqliteDialect = dialect{
	name: "sqlite", goose: goose.DialectSQLite3, room: diskRoom,
	durable: func(ctx context.Context, db *sql.DB) error {
		for query, bad := range map[string][]string{"PRAGMA synchronous": {"0", "1"}, "PRAGMA journal_mode": {"off", "memory"}} {
			if err := refuse(ctx, db, query, bad...); err != nil {
				return err
			}
		}
		return nil
	},
	// A commit that fails is rolled back, unless the disk failed under it: then a later start may find it in the WAL. Not when
	// a write failed, as on a disk that turned read-only: the frame that commits is the last to be written, and the WAL is
	// not padded behind it.
	commitUnknown: func(err error) bool {
		var se *sqlite.Error
		return errors.As(err, &se) && se.Code()&0xff == sqlite3.SQLITE_IOERR && se.Code() != sqlite3.SQLITE_IOERR_WRITE
	},
	erase: func(ctx context.Context, db *sql.DB) error { // secure_delete overwrites pages, the WAL may hold older ones
		var busy, frames, done int
		if err := db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &done); err != nil {
			return fmt.Errorf("truncate WAL: %w", err)
		}
		if busy != 0 {
			return errors.New("truncate WAL: a reader still needs it")
		}
		return nil
	},
	vacuum:   func(context.Context, *sql.DB) error { return nil },
	hasTable: "SELECT count(*) FROM sqlite_master WHERE type='table' AND name=$1",
	rewrite:  rewriteSQLite,
}

func exec(ctx context.Context, db *sql.DB, statements ...string) error {
	for _, q := range statements {
		if _, err := db.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
	}
	return nil
}

// refuse asks the database for a setting that must not be one of bad.
func refuse(ctx context.Context, db *sql.DB, query string, bad ...string) error {
	var v string
	if err := db.QueryRowContext(ctx, query).Scan(&v); err != nil {
		return classify(fmt.Errorf("%s: %w", query, err))
	}
	if slices.Contains(bad, v) {
		return fmt.Errorf("%s says %s: an acknowledged record could be lost", query, v)
	}
	return nil
}

// openSQLite returns a writing pool of one connection and a reading pool.
func openSQLite(file string) (write, read *sql.DB, err error) {
	base := "file:" + (&url.URL{Path: file}).EscapedPath() + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=secure_delete(1)"
	if write, err = sql.Open("sqlite", base+"&_txlock=immediate"); err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", file, err)
	}
	write.SetMaxOpenConns(1)
	if read, err = sql.Open("sqlite", base+"&_pragma=query_only(1)"); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open %s: %w", file, err), write.Close())
	}
	read.SetMaxOpenConns(8)
	read.SetMaxIdleConns(8)
	return write, read, nil
}

// Limits of waiting for PostgreSQL: lib/pq's context deadlines do not fire against a silent server (services.md §4), so
// every Read has a deadline, and the server gives up before it.
const (
	readDeadline     = 10 * time.Second
	statementTimeout = "8000" // milliseconds
)

// dialer gives connections whose every Read has a deadline.
type dialer struct {
	net.Dialer
	wait time.Duration
}

func (d dialer) wrap(c net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	return patient{c, d.wait}, nil
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

type patient struct {
	net.Conn
	wait time.Duration
}

// Read sets a deadline before every read; an idle pooled connection does not read and so survives.
func (p patient) Read(b []byte) (int, error) {
	if err := p.SetReadDeadline(time.Now().Add(p.wait)); err != nil {
		return 0, err
	}
	return p.Conn.Read(b)
}

// openPostgres returns a writing and a reading pool on the primary, so that readers never keep a writer waiting for a
// connection.
func openPostgres(dsn string, unsafeTest bool) (write, read *sql.DB, err error) {
	c, err := postgresConnector(dsn, unsafeTest)
	if err != nil {
		return nil, nil, err
	}
	pool := func(n int) *sql.DB {
		db := sql.OpenDB(c)
		db.SetMaxOpenConns(n)
		db.SetMaxIdleConns(n)
		db.SetConnMaxIdleTime(5 * time.Minute)
		return db
	}
	return pool(4), pool(12), nil
}

func postgresConnector(dsn string, unsafeTest bool) (driver.Connector, error) {
	cfg, err := pq.NewConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("postgres address: %w", err)
	}
	if !unsafeTest && !safeTransport(cfg) {
		return nil, errors.New("postgres address: set sslmode=verify-full, or host=/… for a unix socket")
	}
	cfg = cfg.Clone()
	cfg.Runtime["statement_timeout"] = statementTimeout
	cfg.BinaryParameters = true // []byte goes to BYTEA columns only
	c, err := pq.NewConnectorConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("postgres address: %w", err)
	}
	c.Dialer(dialer{net.Dialer{Timeout: 5 * time.Second}, readDeadline})
	return preparing{c}, nil
}

// openPatient returns one connection that waits for a statement as long as it takes.
func openPatient(dsn string) (*sql.DB, error) {
	c, err := pq.NewConnector(dsn)
	if err != nil {
		return nil, fmt.Errorf("postgres address: %w", err)
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(1)
	return db, nil
}

// safeTransport reports whether the server is reached over verified TLS, or every host over a unix socket.
func safeTransport(cfg pq.Config) bool {
	socket := func(host string, addr netip.Addr) bool { return !addr.IsValid() && strings.HasPrefix(host, "/") }
	all := socket(cfg.Host, cfg.Hostaddr)
	for _, m := range cfg.Multi {
		all = all && socket(m.Host, m.Hostaddr)
	}
	return cfg.SSLMode == pq.SSLModeVerifyFull || all
}

// standby reports whether a server that only follows another refused to begin a writing transaction. It has no code of its
// own for that and its text is in the server's language; the name of the function that refused a boolean setting is not, and
// reading and writing is the only such setting that this package makes.
func standby(e *pq.Error) bool { return e.Code == "0A000" && e.Routine == "call_bool_check_hook" }

// classify gives an error of the database the meaning that callers test for.
func classify(err error) error {
	var lost commitLost
	if err == nil || errors.Is(err, record.ErrStorageFull) || errors.As(err, &lost) {
		return err
	}
	var se *sqlite.Error
	if errors.As(err, &se) {
		switch se.Code() & 0xff {
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY:
			return fmt.Errorf("%w: %w", record.ErrStorageFull, err)
		}
	}
	var pe *pq.Error
	if errors.As(err, &pe) {
		switch {
		case slices.Contains([]string{"08", "53", "57", "58"}, string(pe.Code.Class())), pe.Code == "25006", standby(pe):
			return fmt.Errorf("%w: %w", record.ErrStorageFull, err)
		}
	}
	var ne net.Error
	if errors.As(err, &ne) || errors.Is(err, io.EOF) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, driver.ErrBadConn) {
		return fmt.Errorf("%w: %w", record.ErrStorageFull, err)
	}
	return err
}
