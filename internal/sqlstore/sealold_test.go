package sqlstore_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pilinhub/pilin/internal/keystore"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record/recordtest"
)

// TestAtRest_cutOff: a start that dies while it seals an old database leaves one that the next start goes on with; until then
// nothing is lost, and nobody takes it for sealed.
func TestAtRest_cutOff(t *testing.T) {
	for name, at := range map[string]string{
		"between the tables":   "CREATE TRIGGER die BEFORE UPDATE ON restricted_part BEGIN SELECT RAISE(ABORT, 'cut off'); END",
		"in the side tables":   "CREATE TRIGGER die BEFORE UPDATE ON import_row BEGIN SELECT RAISE(ABORT, 'cut off'); END",
		"before the rewrite":   "CREATE TRIGGER die BEFORE UPDATE ON node WHEN new.sealed=2 BEGIN SELECT RAISE(ABORT, 'cut off'); END",
		"within the last step": "CREATE TRIGGER die BEFORE UPDATE ON node WHEN new.sealed=1 BEGIN SELECT RAISE(ABORT, 'cut off'); END",
	} {
		t.Run(name, func(t *testing.T) {
			driver, dsn, read := atRest["SQLite"](t)
			k := recordtest.NewKit(19)
			cfg := config(k.Config(recordtest.Self))
			cfg.Driver, cfg.DSN = driver, dsn
			inClear(&cfg)
			f := fill(t, cfg, k)
			if err := f.Exec(f.ctx, at); err != nil {
				t.Fatal(err)
			}
			cfg.Keys = testKeys
			if s, err := sqlstore.Open(f.ctx, cfg); err == nil {
				_ = s.Close()
				t.Fatal("it was not cut off")
			}
			if err := f.Exec(f.ctx, "DROP TRIGGER die"); err != nil {
				t.Fatal(err)
			}
			f.Store = open(t, cfg)
			f.whole(t)
			if got := shows(read(), f); len(got) > 0 {
				t.Errorf("it shows %v", got)
			}
		})
	}
}

// TestAtRest_PostgresFiles: not one file of a server, its write-ahead log neither, shows a canary of a database that was
// sealed from its first day. Of one that was in clear its tables' files show nothing after it was sealed.
func TestAtRest_PostgresFiles(t *testing.T) {
	server := testsvc.OwnPostgres(t)
	files := func(f *full, under ...string) (all []byte) {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		server.Stop()
		defer server.Start()
		err := filepath.WalkDir(filepath.Join(append([]string{server.DataDir()}, under...)...), func(path string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				var b []byte
				b, err = os.ReadFile(path)
				all = append(all, b...)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	run := func(seed uint64, keys *keystore.Store) (*full, sqlstore.Config) {
		k := recordtest.NewKit(seed)
		cfg := config(k.Config(recordtest.Self))
		cfg.Driver, cfg.DSN, cfg.Keys = "postgres", server.Database(), keys
		return fill(t, cfg, k), cfg
	}
	f, _ := run(20, testKeys)
	if got := shows(files(f), f); len(got) > 0 {
		t.Errorf("sealed from the first day, the server's files show %v", got)
	}
	f, cfg := run(21, nil)
	if got := shows(files(f), f); len(got) != 5 {
		t.Fatalf("the search finds only %v in a database in clear", got)
	}
	cfg.Keys = testKeys
	f.Store = open(t, cfg)
	f.whole(t)
	if got := shows(files(f, "base"), f); len(got) > 0 {
		t.Errorf("after it was sealed the tables' files show %v", got)
	}
}
