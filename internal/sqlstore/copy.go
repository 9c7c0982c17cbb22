package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"

	"github.com/pilinhub/pilin/internal/keystore"
	"github.com/pilinhub/pilin/record"
)

// ErrNotEmpty: a copy is restored into an empty database only.
var ErrNotEmpty = errors.New("the database is not empty")

// ErrOtherTables: the two databases do not have the same tables; start the node once with this release, which brings them
// up to date.
var ErrOtherTables = errors.New("the tables are of another release")

// Copied says what a copy holds.
type Copied struct {
	Tables map[string]uint64 // rows
	Heads  []record.Head     // sorted by stream
}

// CopyTo writes everything that this store holds at one moment into a new SQLite file, whatever database the store is on.
// The node goes on serving meanwhile. The file is complete and synced when CopyTo returns nil.
func (s *Store) CopyTo(ctx context.Context, file string) (c Copied, err error) {
	dst, err := openPlain(file, "?_pragma=journal_mode(DELETE)&_pragma=synchronous(FULL)")
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	if err := migrate(ctx, sqliteDialect, dst); err != nil {
		return c, err
	}
	into, err := dst.BeginTx(ctx, nil)
	if err != nil {
		return c, fmt.Errorf("copy database: %w", err)
	}
	defer into.Rollback()
	err = s.snapshot(ctx, func(from *sql.Tx) error {
		if c.Heads, err = heads(ctx, from); err != nil {
			return err
		}
		c.Tables, err = copyTables(ctx, from, into, into, s.cfg.Progress)
		return err
	})
	if err != nil {
		return c, fmt.Errorf("copy database: %w", err)
	}
	if err := into.Commit(); err != nil {
		return c, fmt.Errorf("copy database: %w", err)
	}
	return c, nil
}

// OpenCopy opens a file that CopyTo wrote, for reading alone; not a byte of it changes. Without keys no content is read of a
// copy that is sealed.
func OpenCopy(file string, self record.MemberID, keys *keystore.Store) (*Store, error) {
	db, err := openPlain(file, "?mode=ro&immutable=1&_pragma=query_only(1)")
	if err != nil {
		return nil, err
	}
	return &Store{cfg: Config{Driver: "sqlite", Self: self}, d: sqliteDialect, v: newVault(keys, db), read: db, write: db, epoch: -1, places: make(chan struct{}, maxQueued),
		issued: map[record.StreamID]*uint64{}, commitTx: (*sql.Tx).Commit}, nil
}

func openPlain(file, query string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+query)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	db.SetMaxOpenConns(4)
	return db, nil
}

// Restore fills an empty database from a copy, in one transaction. What must not come back does not: sign-ins of people
// end, and one-use ids that expire at or before floor, in Unix seconds, are refused, since the copy does not know all that
// were used. Every process of this node that may still run is fenced off.
func Restore(ctx context.Context, c Config, from *Store, floor int64) (tables map[string]uint64, err error) {
	s, err := OpenReader(ctx, c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := migrate(ctx, s.d, s.write); err != nil {
		return nil, err
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		if err := empty(ctx, tx); err != nil {
			return err
		}
		err := from.snapshot(ctx, func(copied *sql.Tx) error {
			tables, err = copyTables(ctx, copied, tx, copied, c.Progress)
			return err
		})
		if err != nil {
			return err
		}
		for _, q := range []string{"DELETE FROM session", "DELETE FROM rotated_token"} {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return fmt.Errorf("restore: %w", err)
			}
		}
		_, err = tx.ExecContext(ctx, "UPDATE node SET epoch=epoch+1, floor=CASE WHEN floor<$1 THEN $1 ELSE floor END WHERE one=1", floor)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	return tables, nil
}

// Empty fails with ErrNotEmpty if Restore would: whoever writes something else for a restore asks first.
func Empty(ctx context.Context, c Config) (err error) {
	s, err := OpenReader(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := migrate(ctx, s.d, s.write); err != nil {
		return err
	}
	return s.tx(ctx, func(tx *sql.Tx) error { return empty(ctx, tx) })
}

func empty(ctx context.Context, tx *sql.Tx) error {
	var used int
	if err := tx.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM stream_head) + (SELECT count(*) FROM document) + (SELECT count(*) FROM account)").Scan(&used); err != nil {
		return fmt.Errorf("look into the database: %w", err)
	}
	if used > 0 {
		return ErrNotEmpty
	}
	return nil
}

func migrate(ctx context.Context, d dialect, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	p, err := goose.NewProvider(d.goose, db, files)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// table is what SQLite says of one of our tables; both databases are made by the same statements.
type table struct {
	name          string
	columns, keys []string
}

// tables lists our tables with their columns and primary keys, from a SQLite file.
func tables(ctx context.Context, q querier) ([]table, error) {
	var all []table
	err := each(ctx, q, "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%' ORDER BY name", nil, func(rows *sql.Rows) error {
		var t table
		err := rows.Scan(&t.name)
		all = append(all, t)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	for i := range all {
		t := &all[i]
		places := map[int]string{}
		err := each(ctx, q, "SELECT name, pk FROM pragma_table_info($1) ORDER BY cid", []any{t.name}, func(rows *sql.Rows) error {
			var name string
			var pk int
			err := rows.Scan(&name, &pk)
			t.columns = append(t.columns, name)
			if pk > 0 {
				places[pk] = name
			}
			return err
		})
		for pk := 1; pk <= len(places); pk++ {
			t.keys = append(t.keys, places[pk])
		}
		if err == nil && len(t.keys) == 0 {
			err = errors.New("no primary key")
		}
		if err != nil {
			return nil, fmt.Errorf("columns of %s: %w", t.name, err)
		}
	}
	return all, nil
}

// copyAtOnce is how many rows are read at once: a part may be 256 KiB, and a statement of PostgreSQL has eight seconds.
const copyAtOnce = 100

// atOnce is how many rows of a table are read at once: whole spreadsheets stand in one, up to 20 MiB each.
func (t table) atOnce() int {
	if t.name == "import" {
		return 1
	}
	return copyAtOnce
}

// copyTables copies every table, page by page along its primary key; shape is the SQLite side, which knows the tables.
func copyTables(ctx context.Context, from, into *sql.Tx, shape querier, progress func(done, total uint64)) (map[string]uint64, error) {
	all, err := tables(ctx, shape)
	if err != nil {
		return nil, err
	}
	if err := sameRelease(ctx, from, into); err != nil {
		return nil, err
	}
	if _, err := into.ExecContext(ctx, "DELETE FROM node"); err != nil { // the migrations made its one row
		return nil, fmt.Errorf("copy node: %w", err)
	}
	moved, err := rowsMoved(ctx, from, all, progress)
	if err != nil {
		return nil, err
	}
	counts := map[string]uint64{}
	for _, t := range all {
		n, err := t.copy(ctx, from, into, moved)
		if err != nil {
			return nil, fmt.Errorf("copy %s: %w", t.name, err)
		}
		counts[t.name] = n
	}
	return counts, nil
}

// rowsMoved returns what is told of every page of rows; rows are counted only if somebody hears.
func rowsMoved(ctx context.Context, from querier, all []table, progress func(done, total uint64)) (func(rows int), error) {
	if progress == nil {
		return func(int) {}, nil
	}
	var done, total uint64
	for _, t := range all {
		var n uint64
		if err := from.QueryRowContext(ctx, "SELECT count(*) FROM "+t.name).Scan(&n); err != nil {
			return nil, fmt.Errorf("count %s: %w", t.name, err)
		}
		total += n
	}
	return func(rows int) { done += uint64(rows); progress(done, total) }, nil
}

// sameRelease compares the newest migration of both sides.
func sameRelease(ctx context.Context, from, into querier) error {
	var a, b int64
	const newest = "SELECT MAX(version_id) FROM goose_db_version"
	if err := from.QueryRowContext(ctx, newest).Scan(&a); err != nil {
		return fmt.Errorf("read release of the tables: %w", err)
	}
	if err := into.QueryRowContext(ctx, newest).Scan(&b); err != nil {
		return fmt.Errorf("read release of the tables: %w", err)
	}
	if a != b {
		return fmt.Errorf("%w: %d and %d", ErrOtherTables, a, b)
	}
	return nil
}

func (t table) copy(ctx context.Context, from, into *sql.Tx, moved func(rows int)) (n uint64, err error) {
	columns, keys := strings.Join(t.columns, ", "), strings.Join(t.keys, ", ")
	page := fmt.Sprintf(" ORDER BY %s LIMIT %d", keys, t.atOnce())
	query, args := "SELECT "+columns+" FROM "+t.name+page, []any(nil)
	for {
		var rows [][]any
		err := each(ctx, from, query, args, func(r *sql.Rows) error {
			row := make([]any, len(t.columns))
			to := make([]any, len(row))
			for i := range row {
				to[i] = &row[i]
			}
			if err := r.Scan(to...); err != nil {
				return err
			}
			for i, v := range row {
				if b, ok := v.([]byte); ok && len(b) == 0 {
					row[i] = []byte{} // empty is not NULL
				}
			}
			rows = append(rows, row)
			return nil
		})
		if err != nil || len(rows) == 0 {
			return n, err
		}
		if err := insertMany(ctx, into, "INSERT INTO "+t.name+" ("+columns+")", rows, ""); err != nil {
			return n, err
		}
		n += uint64(len(rows))
		moved(len(rows))
		last := rows[len(rows)-1]
		args = args[:0]
		for _, k := range t.keys {
			args = append(args, last[slices.Index(t.columns, k)])
		}
		query = "SELECT " + columns + " FROM " + t.name + " WHERE (" + keys + ") > " + tuples(0, 1, len(t.keys)) + page
	}
}
