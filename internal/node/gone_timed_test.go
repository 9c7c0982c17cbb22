package node

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/record"
)

// childEnv names the configuration of a node that this test binary is to be instead of a test.
const childEnv = "PILIN_NODE_CHILD"

func TestMain(m *testing.M) {
	if file := os.Getenv(childEnv); file != "" {
		if err := serveChild(file); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// serveChild is a node until it is told to end.
func serveChild(file string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cfg, err := ReadConfig(file)
	if err != nil {
		return err
	}
	n, err := Open(ctx, cfg, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		return err
	}
	return errors.Join(n.Run(ctx), n.Close())
}

// own moves a member out of the test into a process of its own.
func (d *direct) own(m record.MemberID) *os.Process {
	d.t.Helper()
	n := d.nodes[m]
	d.stop(n)
	delete(d.nodes, m)
	b, err := yaml.Marshal(n.cfg)
	d.ok(err)
	file := filepath.Join(d.t.TempDir(), "node.yaml")
	d.ok(os.WriteFile(file, b, 0o600))
	var said bytes.Buffer
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), childEnv+"="+file), &said
	d.ok(cmd.Start())
	d.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGCONT) // one that is gone already is found by Wait
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			d.t.Errorf("the member's process: %v %s", err, said.String())
		}
	})
	return cmd.Process
}

// askedWithout asks three times while a member gives no answer that counts: each time the question ends in time, says
// incomplete and names the member.
func (d *direct) askedWithout(asker, gone record.MemberID) {
	d.t.Helper()
	var took []time.Duration
	for range 3 {
		begun := time.Now()
		got := d.ask(asker)
		took = append(took, time.Since(begun))
		if got.Outcome != federation.Incomplete || got.K != 2 || got.N != 3 {
			d.t.Fatalf("%s %d/%d", got.Outcome, got.K, got.N)
		}
		for _, s := range got.Members {
			if (s.Member == gone) != (s.State != federation.Answered) {
				d.t.Fatalf("%s is %s", s.Member, s.State)
			}
		}
	}
	if quickest := slices.Min(took); quickest > federation.DefaultDeadline+100*time.Millisecond { // what the machine adds to one of them is not the node's
		d.t.Errorf("ended after %v", took)
	}
	d.t.Logf("ended after %v", took)
}

// back waits for the first complete answer after a member's return.
func (d *direct) back(asker record.MemberID) {
	d.t.Helper()
	since := time.Now()
	d.until("n/n again", func() bool { got := d.ask(asker); return got.K == 3 && got.Outcome == federation.NoHit })
	if took := time.Since(since); took > 20*time.Second {
		d.t.Errorf("n/n only %v after its return", took)
	}
}

// A member's process is stopped by SIGSTOP: its machine accepts connections and nothing answers.
func TestTimed_AskWithAMemberFrozen(t *testing.T) {
	d := newDirect(t, onHTTP)
	a, frozen := d.members[0], d.members[2]
	for _, n := range d.nodes {
		d.until("released", n.t.release.Released)
	}
	p := d.own(frozen)
	d.until("everybody answers", func() bool { return d.ask(a).K == 3 })
	d.ok(p.Signal(syscall.SIGSTOP))
	d.askedWithout(a, frozen)
	d.ok(p.Signal(syscall.SIGCONT))
	d.back(a)
}

// A member's listener shows the right key and sends the member's own answer under another member's signature: under the
// member's name, or under the other's.
func TestTimed_AskWithAnothersSignature(t *testing.T) {
	for how, named := range map[string]int{"in_its_own_name": 2, "in_the_others_name": 1} {
		t.Run(how, func(t *testing.T) {
			d := found(t, onHTTP, true, three...)
			a, other, liar := d.members[0], d.nodes[d.members[1]], d.nodes[d.members[2]]
			for _, n := range d.nodes {
				d.until("released", n.t.release.Released)
			}
			d.until("everybody answers", func() bool { return d.ask(a).K == 3 })
			d.gates[liar.cfg.Member].shut()
			var lies atomic.Bool
			end := d.impersonate(liar, a, func(body []byte, u record.Use) ([]byte, error) {
				note, err := liar.hub.Reply(t.Context(), a, body, u)
				if err != nil || !lies.Load() {
					return note, err
				}
				text, _, ok := bytes.Cut(note, []byte("\n\n"))
				if !ok {
					return nil, errors.New("no signature in the note")
				}
				return other.keys.Signer().Note("pilin/"+liar.dir.Federation().String()+"/"+string(d.members[named])+"/answer", string(text)+"\n")
			})
			d.until("answers count while they are not signed anew", func() bool { return d.ask(a).K == 3 })
			lies.Store(true)
			d.askedWithout(a, liar.cfg.Member)
			end()
			d.gates[liar.cfg.Member].open()
			d.back(a)
		})
	}
}

// impersonate serves a member's address with its own TLS key; reply makes the answers to asker's questions. It returns
// what ends it.
func (d *direct) impersonate(n *Node, asker record.MemberID, reply func(body []byte, u record.Use) ([]byte, error)) (end func()) {
	d.t.Helper()
	l, err := tls.Listen("tcp", d.gates[n.cfg.Member].address, &tls.Config{MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAnyClientCert,
		Certificates: []tls.Certificate{{Certificate: [][]byte{n.keys.Cert}, PrivateKey: n.keys.TLS}}})
	d.ok(err)
	s := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, ok := httpapi.PeerOf(n.dir, r.TLS)
		if !ok || from != asker || r.URL.Path != "/member/v1/ask" {
			http.Error(w, "not here", http.StatusNotFound)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err == nil {
			var id record.Bits128
			if id, err = record.NewBits128(rand.Reader); err == nil {
				body, err = reply(body, record.Use{Kind: "jti", ID: id.String(), Expires: time.Now().Add(time.Minute).Unix()})
			}
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(body)
	})}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	return func() {
		d.t.Helper()
		if err := errors.Join(s.Close(), <-done); !errors.Is(err, http.ErrServerClosed) {
			d.t.Error(err)
		}
	}
}
