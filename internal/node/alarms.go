package node

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/pilinhub/pilin/internal/exchange"
)

// alarms are what a person must look at, since this process began; each code once.
type alarms struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (a *alarms) note(code string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen == nil {
		a.seen = map[string]bool{}
	}
	a.seen[code] = true
}

func (a *alarms) codes() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.AppendSeq([]string{}, slices.Values(slices.Sorted(maps.Keys(a.seen))))
}

// alarm tells the operator; doctor and docs/operate explain the codes.
func (n *Node) alarm(a exchange.Alarm) {
	n.alarms.note(a.Code)
	n.slog.LogAttrs(context.Background(), slog.LevelError, "alarm", slog.String("code", a.Code), slog.String("stream", string(a.Stream)), slog.String("peer", string(a.Peer)))
}
