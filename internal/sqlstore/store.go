// Package sqlstore is record.Log, and the read models and side tables beside it, on PostgreSQL (lib/pq) and SQLite. One
// SQL text serves both; dialect.go holds every difference. What it stores it proves: sequences come from the head row
// under lock in the transaction of the record, and a checkpoint is signed over what was read back.
package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pilinhub/pilin/internal/keystore"
	"github.com/pilinhub/pilin/record"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config says what a store belongs to.
type Config struct {
	Driver string // "postgres" or "sqlite"
	DSN    string // sqlite: a file name
	Self   record.MemberID

	// Federation returns the federation that checkpoints name; it is known once the charter is read from this store.
	Federation func() record.FederationID
	Sealer     *record.Sealer
	// Signer returns the key that signs an own stream at a sequence.
	Signer func(s record.StreamID, seq uint64) (*record.Signer, bool)
	// Charter returns the charter version that checkpoints name.
	Charter func() record.CharterRef
	Now     func() time.Time
	// Project makes the read model of a subject from its records, by version; false: it has none. nil: no read models.
	Project func([]record.Stored) (Row, bool)
	// ProjectVersion names what Project does: rows that another version wrote are written anew at start, before anything
	// is read (architecture.md §5).
	ProjectVersion string
	// Keys are what content is sealed under (ADR 12). nil: a database that is not sealed stays in clear, and of one that is
	// sealed no content is read. A node always has them.
	Keys *keystore.Store
	// MakeKeys is called by Open when Keys is nil and nothing in the database is sealed yet; nil: it stays in clear.
	MakeKeys func() (*keystore.Store, error)
	// Progress hears, of CopyTo, Restore and Rebuild, how many rows or subjects of how many are done; nil: nobody does.
	Progress func(done, total uint64)
	// UnsafeTest allows a database that does not sync, and PostgreSQL without verified TLS. For tests only.
	UnsafeTest bool
}

// Store is one node's database.
type Store struct {
	cfg   Config
	d     dialect
	write *sql.DB // SQLite: one connection
	read  *sql.DB
	v     *vault
	epoch int64
	heads knownHeads
	// reshape is held by what signs, or takes off, groups that are stored; readers of groups share it.
	reshape sync.RWMutex
	floor   atomic.Int64 // of one-use ids, as Floor tells it: at most that of the database, which decides
	// commitTx is (*sql.Tx).Commit; tests let its answer get lost.
	commitTx func(*sql.Tx) error

	mu      sync.Mutex // guards queue, writing and closed
	queue   []*request
	writing bool
	closed  bool
	places  chan struct{} // one for each queued request
	writers sync.WaitGroup
	issued  map[record.StreamID]*uint64 // of the writing goroutine, for record.NextSeq alone

	tails     atomic.Bool               // the table tail may hold drafts; it is looked at only then
	failed    atomic.Pointer[time.Time] // when an append found the store unwritable, unless one has been written since
	eraseOwed atomic.Bool               // deleted bytes may still be in the files: Maintain erases again
}

var _ record.Log = (*Store)(nil)

// Open connects, brings the tables up to date and takes over from any older process of this node.
func Open(ctx context.Context, c Config) (*Store, error) {
	s, err := OpenReader(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(classify(err), s.Close())
	}
	return s, nil
}

// OpenReader connects for tools that only read: nothing is migrated and a running node keeps its place. Whatever appends
// is refused as fenced.
func OpenReader(ctx context.Context, c Config) (*Store, error) {
	s := &Store{cfg: c, epoch: -1, places: make(chan struct{}, maxQueued), issued: map[record.StreamID]*uint64{}, commitTx: (*sql.Tx).Commit}
	var err error
	switch c.Driver {
	case "sqlite":
		s.d = sqliteDialect
		s.write, s.read, err = openSQLite(c.DSN)
	case "postgres":
		s.d = postgresDialect
		s.write, s.read, err = openPostgres(c.DSN, c.UnsafeTest)
	default:
		err = fmt.Errorf("database driver %q: want postgres or sqlite", c.Driver)
	}
	if err != nil {
		return nil, err
	}
	s.v = newVault(c.Keys, s.read)
	if !c.UnsafeTest {
		if err := s.d.durable(ctx, s.write); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

func (s *Store) start(ctx context.Context) error {
	if err := migrate(ctx, s.d, s.write); err != nil {
		return err
	}
	if err := s.write.QueryRowContext(ctx, "UPDATE node SET epoch = epoch + 1 WHERE one = 1 RETURNING epoch").Scan(&s.epoch); err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	s.tails.Store(true)
	var floor int64
	if err := s.renewKeys(ctx); err != nil {
		return err
	}
	if err := s.sealExisting(ctx); err != nil {
		return err
	}
	if err := s.write.QueryRowContext(ctx, "SELECT floor FROM node WHERE one=1").Scan(&floor); err != nil {
		return fmt.Errorf("read floor: %w", err)
	}
	s.floor.Store(floor)
	all, err := heads(ctx, s.write)
	if err != nil {
		return err
	}
	s.heads.begin(all)
	if s.cfg.Project == nil {
		return nil
	}
	return s.rebuild(ctx)
}

// Close takes no more appends, waits until those that are queued are written, and ends all connections.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.writers.Wait()
	return errors.Join(s.read.Close(), s.write.Close())
}

// own reports whether a stream is this node's.
func (s *Store) own(st record.StreamID) bool { return st.Member() == s.cfg.Self }

// issuedOf belongs to the writing goroutine.
func (s *Store) issuedOf(st record.StreamID) *uint64 {
	if s.issued[st] == nil {
		s.issued[st] = new(uint64)
	}
	return s.issued[st]
}

// commitLost says that the answer to a COMMIT did not come: nobody can tell by it whether the transaction took effect.
type commitLost struct{ error }

func (e commitLost) Unwrap() error { return e.error }

// tx runs f in one writing transaction.
func (s *Store) tx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return classify(err)
	}
	committed, lost := false, false
	defer func() { s.heads.ended(tx, committed, lost) }()
	if err := f(tx); err != nil {
		if rb := tx.Rollback(); rb != nil && !errors.Is(rb, sql.ErrTxDone) {
			err = errors.Join(err, rb)
		}
		return classify(err)
	}
	if err := s.commitTx(tx); err != nil {
		if lost = s.d.commitUnknown(err); lost {
			return fmt.Errorf("%w: %w", record.ErrOutcomeUnknown, commitLost{err})
		}
		return classify(err)
	}
	committed = true
	return nil
}

// fenced runs f in one writing transaction, unless a newer process has taken over.
func (s *Store) fenced(ctx context.Context, f func(*sql.Tx) error) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := s.fence(ctx, tx); err != nil {
			return err
		}
		return f(tx)
	})
}

// eraseNow makes deleted bytes unreadable in the files. What deleted them is committed whether this succeeds or not;
// Maintain does it again within the hour, and only then a deletion is called gone.
func (s *Store) eraseNow(ctx context.Context) {
	if err := s.d.erase(ctx, s.write); err != nil {
		s.eraseOwed.Store(true)
	}
}

// fence fails with ErrFenced once a newer process has taken over; it locks out a take-over until the transaction ends.
func (s *Store) fence(ctx context.Context, tx *sql.Tx) (floor int64, err error) {
	var epoch int64
	if err := tx.QueryRowContext(ctx, "SELECT epoch, floor FROM node WHERE one = 1"+s.d.forUpdate).Scan(&epoch, &floor); err != nil {
		return 0, fmt.Errorf("read epoch: %w", err)
	}
	if epoch != s.epoch {
		return 0, record.ErrFenced
	}
	return floor, nil
}

// querier is a transaction or a pool: what a read needs.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}
