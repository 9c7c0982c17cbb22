package testsvc

import (
	"context"
	"database/sql"
	"net/url"
	"testing"
	"time"

	_ "github.com/lib/pq" // registers the driver that makes and drops databases

	"github.com/pilinhub/pilin/internal/testsvc/servers"
)

// Postgres returns the DSN (a URL, sslmode=verify-full) of a new empty database on the shared server whose commits do not
// reach the disk. The database is dropped when the test ends, whoever is still connected.
func Postgres(t testing.TB) string {
	t.Helper()
	return newDatabase(t, need(t, servers.EnvPostgres), true)
}

// PostgresDurable is Postgres on the shared server that has fsync and synchronous_commit on; for tests named Durable.
func PostgresDurable(t testing.TB) string {
	t.Helper()
	return newDatabase(t, need(t, servers.EnvPostgresDurable), true)
}

// OwnPostgresServer is a PostgreSQL server of one test, fsync on.
type OwnPostgresServer struct {
	t      testing.TB
	server *servers.Postgres
}

// OwnPostgres starts a PostgreSQL server that only this test uses; it is stopped when the test ends.
func OwnPostgres(t testing.TB) *OwnPostgresServer {
	t.Helper()
	if _, err := servers.PostgresBin(); err != nil {
		lacking(t, err.Error())
	}
	s, err := servers.StartPostgres(folder(t), true)
	must(t, "start own PostgreSQL", err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("stop own PostgreSQL: %v", err)
		}
	})
	return &OwnPostgresServer{t: t, server: s}
}

// Database makes an empty database and returns its DSN, which stays good across restarts.
func (o *OwnPostgresServer) Database() string {
	o.t.Helper()
	return newDatabase(o.t, o.server.DSN("postgres"), false)
}

// DataDir is the server's data folder, for tests that search files.
func (o *OwnPostgresServer) DataDir() string { return o.server.DataDir() }

// StopImmediate stops the server as `pg_ctl stop -m immediate` does: the next start recovers from the WAL.
func (o *OwnPostgresServer) StopImmediate() {
	o.t.Helper()
	must(o.t, "stop own PostgreSQL -m immediate", o.server.StopImmediate())
}

// Stop stops the server in order (-m fast).
func (o *OwnPostgresServer) Stop() {
	o.t.Helper()
	must(o.t, "stop own PostgreSQL", o.server.Stop())
}

// Start starts it again on the same port and data; it returns when clients are welcome.
func (o *OwnPostgresServer) Start() {
	o.t.Helper()
	must(o.t, "start own PostgreSQL again", o.server.Start())
}

// newDatabase makes a database beside the one that dsn names and returns its DSN.
func newDatabase(t testing.TB, dsn string, drop bool) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme != "postgres" {
		t.Fatalf("PostgreSQL address: want postgres://user:password@host:port/database?sslmode=verify-full&sslrootcert=FILE")
	}
	name := "pilin_" + randomHex(8)
	exec := func(statement string) error {
		db, err := sql.Open("postgres", dsn)
		if err != nil {
			return err
		}
		defer db.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		_, err = db.ExecContext(ctx, statement)
		return err
	}
	must(t, "make database", exec("CREATE DATABASE "+name))
	if drop {
		t.Cleanup(func() {
			if err := exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
				t.Errorf("drop database: %v", err)
			}
		})
	}
	u.Path = "/" + name
	return u.String()
}
