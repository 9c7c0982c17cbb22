package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// lines collects what a demo prints and tells when a text has come.
type lines struct {
	b    bytes.Buffer
	want string
	seen chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	n, err := l.b.Write(p)
	if l.seen != nil && strings.Contains(l.b.String(), l.want) {
		close(l.seen)
		l.seen = nil
	}
	return n, err
}

// freePorts returns a port from which on as many are free as a demo takes: other runs of these tests may go on beside.
func freePorts(t *testing.T) int {
	t.Helper()
	for range 100 {
		base := 20000 + 10*rand.IntN(1000) // below what the system gives to those who connect
		free := true
		for i := range len(Bureaux) {
			for _, p := range []int{base + i, base + 100 + i} {
				l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", p))
				if free = free && err == nil; err == nil {
					must(t, l.Close())
				}
			}
		}
		if free {
			return base
		}
	}
	t.Fatal("no ports are free")
	return 0
}

// A port that somebody else has is an error that says so, not a silent end.
func TestRun_APortIsTaken(t *testing.T) {
	port := freePorts(t)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	must(t, err)
	defer l.Close()
	err = Run(t.Context(), Options{Dir: t.TempDir(), Port: port, Background: 14, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Fatalf("ended with %v", err)
	}
}

// The demo founds, loads, serves, stops, and goes on where it was at its next start; then it describes itself as JSON.
func TestRun_ServesAndSurvivesARestart(t *testing.T) {
	dir, port := t.TempDir(), freePorts(t)
	for round, background := range []int{14, 14} {
		ctx, cancel := context.WithCancel(t.Context())
		out := &lines{want: Password, seen: make(chan struct{})}
		seen := out.seen
		done := make(chan error, 1)
		go func() {
			done <- Run(ctx, Options{Dir: dir, Port: port, Background: background, JSON: round == 1, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}, out)
		}()
		select {
		case <-seen:
		case err := <-done:
			t.Fatalf("round %d ended: %v", round, err)
		case <-time.After(60 * time.Second):
			t.Fatalf("round %d was never ready", round)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		var d described
		if err := json.Unmarshal(out.b.Bytes(), &d); (err == nil) != (round == 1) || err == nil && (len(d.Members) != len(Bureaux) || !d.Synthetic || d.Members[6].Node == "") {
			t.Errorf("round %d describes itself as %s", round, out.b.String())
		}
	}
}
