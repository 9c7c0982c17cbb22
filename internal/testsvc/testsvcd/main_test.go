package main_test

import (
	"bytes"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/testsvc/servers"
)

// build compiles the command and returns a function that makes an invocation whose environment names no servers.
func build(t *testing.T) func(args ...string) *exec.Cmd {
	t.Helper()
	if missing := servers.Missing(); len(missing) > 0 || servers.KafkaMissing() != nil {
		if os.Getenv(servers.EnvRequire) == "1" {
			t.Fatalf("service required: %v %v", missing, servers.KafkaMissing())
		}
		t.Skipf("service missing: %v %v", missing, servers.KafkaMissing())
	}
	program := filepath.Join(t.TempDir(), "testsvcd")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "PILIN_TEST_") {
			env = append(env, e)
		}
	}
	return func(args ...string) *exec.Cmd {
		cmd := exec.Command(program, args...)
		cmd.Env = env
		return cmd
	}
}

// addresses reads host:port of each server from an environment printed by the command.
func addresses(t *testing.T, environment string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for line := range strings.Lines(environment) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch name {
		case servers.EnvKafkaCA:
			// A killed run cannot remove its folder: the test does.
			t.Cleanup(func() { os.RemoveAll(filepath.Dir(filepath.Dir(value))) })
		case servers.EnvKafka:
			found[name] = value
		case servers.EnvPostgres, servers.EnvPostgresDurable, servers.EnvRedis:
			u, err := url.Parse(value)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			found[name] = u.Host
		}
	}
	if len(found) != 4 {
		t.Fatalf("want four servers, have %v in:\n%s", found, environment)
	}
	return found
}

func listening(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

func TestRun_passes_the_exit_code_on_and_leaves_nothing(t *testing.T) {
	out, err := build(t)("run", "--", "sh", "-c", "env; exit 3").Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Fatalf("exit: %v, want 3", err)
	}
	for name, addr := range addresses(t, string(out)) {
		if listening(addr) {
			t.Errorf("%s still listens at %s", name, addr)
		}
	}
}

func TestRun_killed_takes_its_servers_along(t *testing.T) {
	file := filepath.Join(t.TempDir(), "env")
	cmd := build(t)("run", "--", "sh", "-c", `env > "$0.part"; mv "$0.part" "$0"; exec sleep 600`, file)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "the command to run", func() bool { _, err := os.Stat(file); return err == nil })
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := addresses(t, string(b))
	for name, addr := range found {
		if !listening(addr) {
			t.Errorf("%s does not listen at %s while the command runs:\n%s", name, addr, said.String())
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed: the error is the point
	for name, addr := range found {
		await(t, name+" to go", func() bool { return !listening(addr) })
	}
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	limit := time.NewTimer(2 * time.Minute)
	defer limit.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-limit.C:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}
