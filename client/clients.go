package client

import (
	"net/http"
	"sync"

	"github.com/pilinhub/pilin/record"
)

// memberClients keeps one HTTP client for each member, so that connections to one never serve another.
type memberClients struct {
	mu  sync.Mutex
	all map[record.MemberID]*http.Client
}

func (c *memberClients) get(m record.MemberID, build func() *http.Client) *http.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[record.MemberID]*http.Client{}
	}
	if c.all[m] == nil {
		c.all[m] = build()
	}
	return c.all[m]
}

// CloseIdle closes connections that wait for use.
func (m *Members) CloseIdle() {
	m.clients.mu.Lock()
	defer m.clients.mu.Unlock()
	for _, h := range m.clients.all {
		h.CloseIdleConnections()
	}
}
