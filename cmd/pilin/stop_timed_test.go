package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pilinhub/pilin/client"
)

// served is a node of a federation of one, as a process of its own under a supervisor.
type served struct {
	t      *testing.T
	cmd    *exec.Cmd
	out    *printed
	heard  chan string // messages to the supervisor
	exited chan error
	base   string
}

// serveOne founds a federation of one and starts its node.
func serveOne(t *testing.T, watchdog time.Duration) *served {
	t.Helper()
	dir := t.TempDir()
	pilin := func(args ...string) {
		t.Helper()
		var out bytes.Buffer
		if code := run(args, &out, &out); code != 0 {
			t.Fatalf("pilin %v: %d %s", args, code, out.String())
		}
	}
	members, people := closedPort(t), closedPort(t)
	data, note, cfg := filepath.Join(dir, "a"), filepath.Join(dir, "charter-1.note"), filepath.Join(dir, "a.yaml")
	if err := os.WriteFile(cfg, []byte(fmt.Sprintf("member: 310116-01\ndata: %s\nmembers: {listen: %s}\npeople: {listen: %s}\n", data, members, people)), 0o600); err != nil {
		t.Fatal(err)
	}
	pilin("init", "--dir", data, "--member", "310116-01", "--name", "测金山", "--address", "https://"+members)
	pilin("charter", "found", "--name", "测联盟", "--synthetic", "--out", note, filepath.Join(data, "310116-01.request"))
	pilin("charter", "sign", "--dir", data, note)
	pilin("join", "--config", cfg, note)

	socket := filepath.Join(dir, "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	s := &served{t: t, out: &printed{}, heard: make(chan string, 1000), exited: make(chan error, 1), base: "http://" + people}
	go func() {
		defer close(s.heard)
		for b := make([]byte, 4096); ; {
			n, err := l.Read(b)
			if err != nil {
				return
			}
			s.heard <- string(b[:n])
		}
	}()
	s.cmd = &exec.Cmd{Path: os.Args[0], Args: []string{"pilin", "serve", "--config", cfg}, Stdout: s.out, Stderr: s.out,
		Env: append(os.Environ(), "NOTIFY_SOCKET="+socket, fmt.Sprintf("WATCHDOG_USEC=%d", watchdog.Microseconds()))}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.exited <- s.cmd.Wait() }()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill() // it has ended if all went well
		_ = l.Close()
	})
	return s
}

// hears waits for a message to the supervisor.
func (s *served) hears(want string) {
	s.t.Helper()
	late := time.After(30 * time.Second)
	for {
		select {
		case m := <-s.heard:
			if m == want {
				return
			}
		case err := <-s.exited:
			s.t.Fatalf("the node ended before %s: %v\n%s", want, err, s.out)
		case <-late:
			s.t.Fatalf("the supervisor never heard %s\n%s", want, s.out)
		}
	}
}

// closedPort returns a loopback address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

var oneTime = regexp.MustCompile(`one-time secret\([^)]*\): (\S+)`)

// officer makes an account and signs it in.
func (s *served) officer(ctx context.Context) *client.Desk {
	s.t.Helper()
	const password = "synthetic-password-1"
	ok := func(err error) {
		s.t.Helper()
		if err != nil {
			s.t.Fatalf("%v\n%s", err, s.out)
		}
	}
	found := oneTime.FindStringSubmatch(s.out.String())
	if found == nil {
		s.t.Fatalf("no one-time secret in\n%s", s.out)
	}
	admin := client.NewDesk(s.base, nil)
	ok(admin.UseLink(ctx, found[1], password))
	ok(admin.SignIn(ctx, "admin", password))
	a, err := admin.CreateAccount(ctx, client.Account{Name: "officer", Roles: []string{"officer"}, Certificate: "99000000001"})
	ok(err)
	d := client.NewDesk(s.base, nil)
	ok(d.UseLink(ctx, a.Link, password))
	ok(d.SignIn(ctx, "officer", password))
	return d
}

// A stop ends the process by itself, with code 0 and within ten seconds, whatever connections are open: one that is idle,
// one that never said anything, one that sends a body for ever, and one that watches an open question, which is told. The
// supervisor heard that the node serves, that it lives, and that it stops.
func TestTimedServe_StopsWithOpenConnections(t *testing.T) {
	s := serveOne(t, 400*time.Millisecond)
	s.hears("READY=1")
	s.hears("WATCHDOG=1")
	s.hears("WATCHDOG=1")
	d := s.officer(t.Context())
	ans, err := d.Ask(t.Context(), client.Ask{Purpose: "RAID", WorkRef: client.WorkRef{Kind: "inspection", Number: "测检〔2026〕1号"}, Question: client.Question{IDNo: "320623190001159016"}})
	if err != nil {
		t.Fatal(err)
	}

	host := strings.TrimPrefix(s.base, "http://")
	for _, text := range []string{"", "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", "POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"} {
		c, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base+"/api/v1/asks/"+ans.Ask+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+d.Session().Access)
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("watch: %v %v", res, err)
	}
	defer res.Body.Close()
	told := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(res.Body)
		told <- string(b)
	}()

	began := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.hears("STOPPING=1")
	select {
	case err := <-s.exited:
		if took := time.Since(began); err != nil || took > 10*time.Second {
			t.Errorf("ended after %s with %v\n%s", took, err, s.out)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("still runs after twenty seconds\n%s", s.out)
	}
	if text := <-told; !strings.Contains(text, "event: count") || !strings.Contains(text, `"reason":"stopping"`) {
		t.Errorf("the watcher was told %q", text)
	}
}
