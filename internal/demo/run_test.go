package demo

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"
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

// The demo founds, loads, serves, stops, and goes on where it was at its next start.
func TestRun_ServesAndSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	for round, background := range []int{14, 14} {
		ctx, cancel := context.WithCancel(t.Context())
		out := &lines{want: Password, seen: make(chan struct{})}
		seen := out.seen
		done := make(chan error, 1)
		go func() {
			done <- Run(ctx, Options{Dir: dir, Port: 28101, Background: background, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}, out)
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
	}
}
