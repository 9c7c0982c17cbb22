package sqlstore_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/record/recordtest"
)

// A node does not start on a database that acknowledges before its disk has the bytes, unless a test says so.
func TestPostgres_RefusedWithoutFsync(t *testing.T) {
	cfg := config(recordtest.NewKit(1).Config(recordtest.Self))
	cfg.Driver, cfg.DSN, cfg.UnsafeTest = "postgres", testsvc.Postgres(t), false
	s, err := sqlstore.Open(context.Background(), cfg)
	if err == nil {
		t.Fatalf("opened without fsync: %v", s.Close())
	}
	if !strings.Contains(err.Error(), "fsync") {
		t.Fatalf("refused for another reason: %v", err)
	}
	cfg.DSN = strings.Replace(cfg.DSN, "verify-full", "require", 1)
	if s, err := sqlstore.Open(context.Background(), cfg); err == nil {
		t.Fatalf("opened without verified TLS: %v", s.Close())
	}
}

func TestDurablePostgres_IsALog(t *testing.T) {
	dsn := testsvc.PostgresDurable(t)
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, name := range []string{"fsync", "synchronous_commit"} {
		var v string
		if err := db.QueryRow("SHOW " + name).Scan(&v); err != nil || v != "on" {
			t.Fatalf("%s is %q, %v: this test would prove nothing", name, v, err)
		}
	}
	d := sit(t, func(c *sqlstore.Config) { c.Driver, c.DSN, c.UnsafeTest = "postgres", dsn, false })
	a := d.append(d.Draft(recordtest.Self, record.Audit))
	d.ok(d.Close())
	d.Store = open(t, d.cfg)
	if st, err := d.Record(d.ctx, a.Records[0].ID); err != nil || st.Leaf != a.Records[0].Leaf {
		t.Fatalf("%+v, %v", st, err)
	}
}

func TestDurableSQLite_Syncs(t *testing.T) {
	cfg := config(recordtest.NewKit(1).Config(recordtest.Self))
	cfg.Driver, cfg.DSN, cfg.UnsafeTest = "sqlite", filepath.Join(t.TempDir(), "pilin.db"), false
	s := open(t, cfg)
	for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "secure_delete": "1", "locking_mode": "normal"} {
		v, err := s.Pragma(t.Context(), pragma)
		if err != nil || v != want {
			t.Errorf("%s is %q, %v, want %s", pragma, v, err, want)
		}
	}
}
