package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/pilinhub/pilin/client"
)

// A bar comes after two seconds and not before; without a terminal it never comes.
func TestBar(t *testing.T) {
	now := time.Date(2026, 3, 13, 9, 0, 0, 0, time.UTC)
	var out bytes.Buffer
	b := &bar{out: &out, now: func() time.Time { return now }, begun: now}
	b.see(client.Work{Step: "check", Done: 1, Total: 4})
	b.end()
	if out.Len() != 0 {
		t.Errorf("shown at once: %q", out.String())
	}
	now = now.Add(3 * time.Second)
	b.see(client.Work{Step: "check", Done: 2, Total: 4})
	b.end()
	if s := out.String(); !strings.Contains(s, "2/4") || strings.Count(s, "#") != 15 || !strings.HasSuffix(s, "\n") {
		t.Errorf("%q", s)
	}
	silent := &bar{now: b.now, begun: now.Add(-time.Hour)}
	silent.see(client.Work{Done: 2, Total: 4})
	silent.end()
}
