package client_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"log/slog"
	mrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/node"
	"github.com/pilinhub/pilin/record"
)

// launched is the running node of a federation of one.
type launched struct {
	base    string // where people reach it
	charter []byte
	stop    func() error
}

// launch founds a federation of one in a folder and starts its node, with accounts by name and role.
func launch(dir string, accounts map[string]string) (l launched, err error) {
	people, members := freePort(), freePort()
	id, err := node.Init(dir, member, federation.Entry{Name: "测区", Address: "https://" + members, AgreementNo: "测1", PIPIANo: "测1", Retention: "测1"}, time.Now())
	if err != nil {
		return l, err
	}
	request, err := os.ReadFile(id.RequestFile)
	if err != nil {
		return l, err
	}
	note, err := federation.Found(rand.Reader, federation.Founding{Name: "测", Synthetic: true, Day: record.CivilDay(time.Now())}, request)
	if err != nil {
		return l, err
	}
	k, err := node.ReadKeys(dir)
	if err != nil {
		return l, err
	}
	if l.charter, err = federation.Sign(note, member, k.Signer()); err != nil {
		return l, err
	}
	cfg := node.Config{Member: member, Data: dir, People: node.People{Listen: people}, Members: node.Members{Listen: members}}
	if _, err := node.Join(context.Background(), cfg, l.charter); err != nil {
		return l, err
	}
	n, err := node.Open(context.Background(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return l, err
	}
	for name, role := range accounts {
		a := node.Account{Name: name, Password: password, Certificate: "99000000001", Roles: []string{role}}
		if _, err := n.NewAccount(context.Background(), a); err != nil {
			return l, errors.Join(err, n.Close())
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	l.stop = func() error {
		stop()
		return errors.Join(<-ended, n.Close())
	}
	l.base = "http://" + people
	for deadline := time.Now().Add(20 * time.Second); !l.ready(); {
		if time.Now().After(deadline) {
			return l, errors.Join(errors.New("the node is never ready"), l.stop())
		}
	}
	return l, nil
}

func (l launched) ready() bool {
	for _, what := range []string{"publish", "release", "lookup_federated"} {
		res, err := http.Get(l.base + "/readyz/" + what) //nolint:noctx // ends by the caller's deadline
		if err != nil {
			return false
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return false
		}
	}
	return true
}

// freePort returns a loopback address that was free a moment ago, below the ports that the machine gives to connections.
func freePort() string {
	for {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(15_000+mrand.IntN(17_000)))
		if l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address); err == nil {
			l.Close()
			return address
		}
	}
}

// shared is the node that the examples speak to; it starts with the first of them.
var (
	sharedDir string
	used      bool
	shared    = sync.OnceValue(func() launched {
		used = true
		l, err := launch(sharedDir, map[string]string{"officer": "officer", "legal": "legal_reviewer", "liaison": "liaison"})
		if err != nil {
			log.Fatal(err)
		}
		return l
	})
)

func address() string { return shared().base }
func charter() []byte { return shared().charter }

// as signs one of the bureau's people in.
func as(name string) *client.Desk {
	d := client.NewDesk(address(), nil)
	if err := d.SignIn(context.Background(), name, password); err != nil {
		log.Fatal(err)
	}
	return d
}

// published takes a penalty of its own to its publication.
var published = sync.OnceFunc(func() {
	ctx := context.Background()
	w, err := as("officer").Draft(ctx, client.Penalties, "", client.Proposal{Payload: []byte(strings.Replace(decision, "9101号", "9102号", 1))})
	for _, step := range [][2]string{{"submit", "officer"}, {"approve", "legal"}, {"publish", "liaison"}} {
		if err == nil {
			w, err = as(step[1]).Step(ctx, client.Penalties, w.ID, step[0], "", client.Step{Version: w.Version})
		}
	}
	if err != nil {
		log.Fatal(err)
	}
})

func TestMain(m *testing.M) {
	code := func() int {
		var err error
		if sharedDir, err = os.MkdirTemp("", "pilin-examples-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(sharedDir)
		code := m.Run()
		if used {
			if err := shared().stop(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
		return code
	}()
	os.Exit(code)
}
