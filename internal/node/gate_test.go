package node

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// gate stands before a member's listener at the address that the charter names. Shut, its socket is closed and so is
// every connection through it: who knocks is refused by the machine, while the member behind it lives on.
type gate struct {
	t               testing.TB
	address, target string

	mu    sync.Mutex
	l     net.Listener // nil while shut
	conns map[net.Conn]bool
	wg    sync.WaitGroup
}

func newGate(t testing.TB, target string) *gate {
	t.Helper()
	g := &gate{t: t, target: target, address: freePort(t), conns: map[net.Conn]bool{}}
	g.open()
	t.Cleanup(g.shut)
	return g
}

func (g *gate) open() {
	g.t.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", g.address)
	if err != nil {
		g.t.Fatal(err)
	}
	g.mu.Lock()
	g.l = l
	g.mu.Unlock()
	g.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			g.wg.Go(func() { g.pass(l, c) })
		}
	})
}

// shut closes the socket and every connection, and returns when they are.
func (g *gate) shut() {
	g.mu.Lock()
	if g.l != nil {
		g.l.Close()
		g.l = nil
	}
	for c := range g.conns {
		c.Close()
	}
	g.mu.Unlock()
	g.wg.Wait()
}

// keep notes a connection that came through l; false, and it is closed, if the gate was shut meanwhile.
func (g *gate) keep(l net.Listener, c net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.l != l {
		c.Close()
		return false
	}
	g.conns[c] = true
	return true
}

func (g *gate) drop(c net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c.Close()
	delete(g.conns, c)
}

// pass carries bytes both ways until one side ends.
func (g *gate) pass(l net.Listener, in net.Conn) {
	if !g.keep(l, in) {
		return
	}
	defer g.drop(in)
	out, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", g.target)
	if err != nil || !g.keep(l, out) {
		return
	}
	defer g.drop(out)
	g.wg.Go(func() {
		_, _ = io.Copy(out, in) // a broken connection is what these tests are about
		out.Close()
	})
	_, _ = io.Copy(in, out)
}
