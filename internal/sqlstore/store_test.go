package sqlstore_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/record/recordtest"
)

func config(c recordtest.Config) sqlstore.Config {
	return sqlstore.Config{Self: c.Self, Federation: func() record.FederationID { return c.Federation }, Sealer: c.Sealer, Signer: c.Signer, Charter: c.Charter, Now: c.Now, Keys: testKeys, UnsafeTest: true}
}

func open(t *testing.T, c sqlstore.Config) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func openSQLite(t *testing.T, c recordtest.Config) record.Log {
	cfg := config(c)
	cfg.Driver, cfg.DSN = "sqlite", filepath.Join(t.TempDir(), "pilin.db")
	return open(t, cfg)
}

// suite runs recordtest on stores that configure makes a database for.
func suite(t *testing.T, runs int, database func(t *testing.T) (driver, dsn string)) {
	opened := map[record.Log]sqlstore.Config{}
	recordtest.Run(t, func(t *testing.T, c recordtest.Config) record.Log {
		cfg := config(c)
		cfg.Driver, cfg.DSN = database(t)
		s := open(t, cfg)
		opened[s] = cfg
		return s
	}, recordtest.Features{
		Restart: func(t *testing.T, l record.Log) record.Log {
			cfg := opened[l]
			if err := l.(*sqlstore.Store).Close(); err != nil {
				t.Fatal(err)
			}
			s := open(t, cfg)
			opened[s] = cfg
			return s
		},
		Prune: func(t *testing.T, l record.Log, _ time.Time) { // the store's clock is the kit's
			if err := l.(*sqlstore.Store).Maintain(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		Runs: runs,
	})
}

func TestSQLite_IsALog(t *testing.T) {
	suite(t, 8, func(t *testing.T) (string, string) { return "sqlite", filepath.Join(t.TempDir(), "pilin.db") })
}

func TestPostgres_IsALog(t *testing.T) {
	testsvc.Postgres(t) // skips aloud once for all cases
	suite(t, 3, func(t *testing.T) (string, string) { return "postgres", testsvc.Postgres(t) })
}

// What a correction deletes is nowhere in the database's files, nor in its write-ahead log.
func TestSQLite_DeletedBytesAreNowhere(t *testing.T) {
	k := recordtest.NewKit(3)
	ctx := context.Background()
	origin := openSQLite(t, k.Config(recordtest.Self))
	stream := record.Stream(recordtest.Self, record.Records)
	if err := origin.Release(ctx, stream); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "peer.db")
	cfg := config(k.Config(recordtest.Peer))
	cfg.Driver, cfg.DSN = "sqlite", file
	inClear(&cfg)
	peer := open(t, cfg)
	d := k.Draft(recordtest.Self, record.Records)
	d.Parts[record.Body] = []byte(`{"name":"测甲一CANARY"}`)
	if _, err := origin.Append(ctx, record.Append{Drafts: []record.Draft{d}}); err != nil {
		t.Fatal(err)
	}
	k.Copy(t, origin, peer, recordtest.Peer, stream, nil)
	if !inFiles(t, file, "测甲一CANARY") {
		t.Fatal("the search does not find what is there")
	}
	if _, err := origin.Append(ctx, record.Append{Drafts: []record.Draft{k.Draft(recordtest.Self, record.Records, record.Ref{Rel: record.Withdraws, ID: d.ID, Version: 1})}}); err != nil {
		t.Fatal(err)
	}
	k.Copy(t, origin, peer, recordtest.Peer, stream, nil)
	if inFiles(t, file, "测甲一CANARY") {
		t.Fatal("deleted bytes are still in the files")
	}
}

// While somebody reads an older state the write-ahead log keeps its bytes; Maintain says so until they are gone.
func TestSQLite_ErasureIsNotClaimedTooEarly(t *testing.T) {
	d := sit(t, inClear)
	dr := d.Draft(recordtest.Self, record.Records)
	dr.Parts[record.Body] = []byte(`{"name":"测乙二CANARY"}`)
	d.append(dr)
	reader, err := d.Read(d.ctx)
	d.ok(err)
	d.ok(d.Exec(d.ctx, "PRAGMA busy_timeout=20"))
	d.append(d.Draft(recordtest.Self, record.Records, record.Ref{Rel: record.Erases, ID: dr.ID, Version: 1}))
	if !inFiles(t, d.cfg.DSN, "测乙二CANARY") || !d.EraseOwed() || d.Maintain(d.ctx) == nil {
		t.Fatal("the erasure is said to be done while a reader holds the old bytes")
	}
	d.ok(reader.Rollback())
	d.ok(d.Maintain(d.ctx))
	if inFiles(t, d.cfg.DSN, "测乙二CANARY") || d.EraseOwed() {
		t.Fatal("erased bytes are still in the files")
	}
}

func inFiles(t *testing.T, file, canary string) bool {
	t.Helper()
	found := false
	for _, suffix := range []string{"", "-wal", "-shm"} {
		b, err := os.ReadFile(file + suffix)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		found = found || strings.Contains(string(b), canary)
	}
	return found
}

// A second process of the same node takes over; the first one can write no more.
func TestStore_OlderProcessIsFenced(t *testing.T) {
	k := recordtest.NewKit(4)
	cfg := config(k.Config(recordtest.Self))
	cfg.Driver, cfg.DSN = "sqlite", filepath.Join(t.TempDir(), "pilin.db")
	first := open(t, cfg)
	second := open(t, cfg)
	if _, err := first.Append(context.Background(), record.Append{Drafts: []record.Draft{k.Draft(recordtest.Self, record.Audit)}}); err == nil {
		t.Fatal("the older process still appends")
	}
	if _, err := second.Append(context.Background(), record.Append{Drafts: []record.Draft{k.Draft(recordtest.Self, record.Audit)}}); err != nil {
		t.Fatal(err)
	}
}
