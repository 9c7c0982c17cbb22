package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/client"
)

// printed is what a command printed while it runs.
type printed struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

// hearsTheNeighbours lets the liaison of a running federation hear everything from the beginning, and looks whether what
// the neighbours published is in it and whether the place is remembered.
func hearsTheNeighbours(t *testing.T, node string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "place")
	if err := os.WriteFile(file, []byte("310116-01/local:0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	c := eventsCmd{person: person{Node: node, Account: "liaison"}, PlaceFile: file}
	var out printed
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx, &printer{&out, true}) }()
	from := map[string]bool{}
	deadline := time.Now().Add(60 * time.Second)
	for len(from) < 3 || !from["310116-01"] {
		if time.Now().After(deadline) {
			t.Fatalf("heard of %v", from)
		}
		wait := time.NewTimer(100 * time.Millisecond)
		<-wait.C
		for line := range strings.Lines(out.String()) {
			var n client.Notice
			if strings.HasSuffix(line, "\n") && json.Unmarshal([]byte(line), &n, json.RejectUnknownMembers(true)) != nil {
				t.Fatalf("%q is no notice", line)
			}
			if n.Topic == "entry" {
				from[n.Member] = true
			}
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	if b, err := os.ReadFile(file); err != nil || !strings.Contains(string(b), "/records:") {
		t.Errorf("the place that is remembered: %q %v", b, err)
	}
}
