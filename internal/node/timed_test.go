package node

import (
	"crypto/rand"
	"crypto/tls"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
)

// A member that is stopped, swallows every byte, or speaks with another key: each question ends by its deadline, says
// incomplete and names the member; the first question after its return is n/n.
func TestTimed_AskWithAMemberGone(t *testing.T) {
	const bound = federation.DefaultDeadline + 100*time.Millisecond
	impostor := func(t *testing.T, address string) func() {
		k, err := federation.GenerateKeys(rand.Reader, "310116-09", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		l, err := tls.Listen("tcp", address, &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{{Certificate: [][]byte{k.Cert}, PrivateKey: k.TLS}}})
		if err != nil {
			t.Fatal(err)
		}
		return serveNothing(l)
	}
	blackhole := func(t *testing.T, address string) func() {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		return serveNothing(l)
	}
	for name, occupy := range map[string]func(*testing.T, string) func(){"stopped": nil, "swallows": blackhole, "another_key": impostor} {
		t.Run(name, func(t *testing.T) {
			d := newDirect(t, onHTTP)
			a, gone := d.members[0], d.nodes[d.members[2]]
			for _, n := range d.nodes {
				d.until("released", n.t.release.Released)
			}
			d.until("everybody answers", func() bool { return d.ask(a).K == 3 })
			d.stop(gone)
			release := func() {}
			if occupy != nil {
				release = occupy(t, gone.cfg.Members.Listen)
			}
			var took []time.Duration
			for range 3 {
				begun := time.Now()
				got := d.ask(a)
				took = append(took, time.Since(begun))
				if got.Outcome != federation.Incomplete || got.K != 2 || got.N != 3 || got.Members[2].Member != d.members[2] || got.Members[2].State == federation.Answered {
					t.Fatalf("%s %d/%d, %s is %s", got.Outcome, got.K, got.N, got.Members[2].Member, got.Members[2].State)
				}
			}
			d.until("it counts as down", func() bool { _, down := d.nodes[a].t.breaker.Down(d.members[2]); return down })
			begun := time.Now()
			if got, took := d.ask(a), time.Since(begun); got.Outcome != federation.Incomplete || got.K != 2 || got.Members[2].Reason != federation.ReasonDown || got.Members[2].State != federation.Unreachable || took > time.Second {
				t.Errorf("a question waits for a member that is down: %v, %s %s, %s", took, got.Members[2].State, got.Members[2].Reason, got.Outcome)
			}
			if quickest := slices.Min(took); quickest > bound { // what the machine adds to one of them is not the node's
				t.Errorf("ended after %v", took)
			}
			release()
			again, err := Open(t.Context(), gone.cfg, gone.slog)
			d.ok(err)
			d.nodes[d.members[2]] = again
			d.wire(again)
			d.run(again)
			back := time.Now()
			d.until("n/n again", func() bool { got := d.ask(a); return got.K == 3 && got.Outcome == federation.NoHit })
			if took := time.Since(back); took > 20*time.Second {
				t.Errorf("n/n only %v after its return", took)
			}
		})
	}
}

// serveNothing accepts connections and answers nothing until it is released.
func serveNothing(l net.Listener) (release func()) {
	held := make(chan net.Conn, 1000)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(held)
				return
			}
			if t, ok := c.(*tls.Conn); ok {
				go func() { _ = t.Handshake() }()
			}
			held <- c
		}
	}()
	return func() {
		_ = l.Close()
		for c := range held {
			_ = c.Close()
		}
	}
}
