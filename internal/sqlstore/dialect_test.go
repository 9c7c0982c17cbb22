package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/lib/pq"

	"github.com/pilinhub/pilin/record"
)

func TestSafeTransport(t *testing.T) {
	for dsn, want := range map[string]bool{
		"postgres://u:p@db.example/pilin?sslmode=verify-full":                     true,
		"host=db.example sslmode=verify-full":                                     true,
		"host=/run/postgresql dbname=pilin":                                       true,
		"postgres:///pilin?host=/run/postgresql":                                  true,
		"postgres://u:p@db.example/pilin?sslmode=require":                         false,
		"postgres://u:p@db.example/pilin?sslmode=verify-ca":                       false,
		"postgres://u:p@db.example/pilin":                                         false,
		"host=db.example sslmode=require application_name='sslmode=verify-full'":  false,
		"host=/run/postgresql,db.example sslmode=disable dbname=pilin":            false,
		"host=/run/postgresql hostaddr=192.0.2.1 sslmode=disable dbname=pilin":    false,
		"host=db.example sslmode=disable password='host=/x' dbname=pilin user=u ": false,
	} {
		cfg, err := pq.NewConfig(dsn)
		if err != nil {
			t.Errorf("%s: %v", dsn, err)
			continue
		}
		if got := safeTransport(cfg); got != want {
			t.Errorf("%s: safe %v, want %v", dsn, got, want)
		}
	}
}

// A server that says nothing more cannot hold a caller: each read ends after its own time.
func TestPatientReadEnds(t *testing.T) {
	client, server := net.Pipe()
	defer server.Close()
	go func() { _, _ = server.Write([]byte("x")) }()
	c := patient{client, 50 * time.Millisecond}
	b := make([]byte, 1)
	if _, err := c.Read(b); err != nil {
		t.Fatalf("a server that speaks: %v", err)
	}
	if _, err := c.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("a silent server: %v", err)
	}
}

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		err  error
		full bool
	}{
		{&pq.Error{Code: "53100"}, true}, // disk full
		{&pq.Error{Code: "53300"}, true}, // too many connections
		{&pq.Error{Code: "25006"}, true}, // read-only
		{&pq.Error{Code: "57P03"}, true}, // starting up
		{&pq.Error{Code: "57014"}, true}, // statement timeout
		{driver.ErrBadConn, true},
		{fmt.Errorf("read: %w", io.EOF), true},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, true},
		{&pq.Error{Code: "23505"}, false},
		{&pq.Error{Code: "42P01"}, false},
		{record.ErrVersionTaken, false},
		{fmt.Errorf("commit: %w", commitLost{driver.ErrBadConn}), false}, // "nothing was written" would be a guess
	} {
		if got := errors.Is(classify(c.err), record.ErrStorageFull); got != c.full {
			t.Errorf("%v: storage full %v, want %v", c.err, got, c.full)
		}
	}
	if classify(nil) != nil {
		t.Error("no error became one")
	}
}

func TestCommitUnknown(t *testing.T) {
	for _, c := range []struct {
		err     error
		unknown bool
	}{
		{driver.ErrBadConn, true}, {io.ErrUnexpectedEOF, true}, {os.ErrDeadlineExceeded, true},
		{&pq.Error{Code: "57P01"}, true}, {&pq.Error{Code: "08006"}, true},
		{&pq.Error{Code: "40001"}, false}, {&pq.Error{Code: "53100"}, false}, {pq.ErrInFailedTransaction, false},
		{sql.ErrTxDone, false}, {context.Canceled, false},
	} {
		if got := postgresDialect.commitUnknown(c.err); got != c.unknown {
			t.Errorf("%v: unknown %v, want %v", c.err, got, c.unknown)
		}
	}
}
