// Package testsvc gives tests real servers: PostgreSQL, Apache Kafka and Redis. The shared ones are named by the
// environment (package servers lists the variables; `make test` and the command testsvcd set them): a test gets a
// database, a Redis database or member codes of its own there. The Own functions start a server that belongs to one
// test, which may stop, kill and restart it.
//
// A test that lacks a server is skipped with the reason printed, or fails when PILIN_REQUIRE_SERVICES=1. What the servers
// are configured to is fixed in package servers; what is tested on them is left to the tests.
package testsvc

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"testing"

	"github.com/pilinhub/pilin/internal/testsvc/servers"
)

// lacking ends the test for want of a server: aloud, and as a failure where servers are required.
func lacking(t testing.TB, why string) {
	t.Helper()
	if os.Getenv(servers.EnvRequire) == "1" {
		t.Fatalf("service required: %s", why)
	}
	t.Skipf("service missing: %s", why)
}

// need returns the value of an environment variable or ends the test.
func need(t testing.TB, env string) string {
	t.Helper()
	v := os.Getenv(env)
	if v == "" {
		lacking(t, env+" is not set (make test sets it, or: go run ./internal/testsvc/testsvcd run -- go test ./...)")
	}
	return v
}

// folder makes a folder that other users may pass through: PostgreSQL does not run as root. It is removed when the test
// ends; a clean-up registered later, such as stopping the server in it, runs first.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pilin-own-")
	if err != nil {
		t.Fatalf("make folder of own server: %v", err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove folder of own server: %v", err)
		}
	})
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatalf("open folder of own server: %v", err)
	}
	return dir
}

// must ends the test on an error of a server's control.
func must(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func randomHex(n int) string {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		panic(err) // crypto/rand never fails on the systems we run on
	}
	return hex.EncodeToString(b)
}
