package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"github.com/pilinhub/pilin/internal/embedded"
	"github.com/pilinhub/pilin/internal/node"
	"github.com/pilinhub/pilin/record"
)

// Options of a demo.
type Options struct {
	Dir        string // where the seven bureaux keep keys and databases
	Fresh      bool   // begin anew
	Port       int    // of the first bureau's people
	Background int    // generated decisions beside the story
	JSON       bool   // describe itself as JSON
	Log        *slog.Logger
	Now        func() time.Time // the seven bureaux' clock; nil is the machine's
}

// Clock returns a clock that shows nine in the morning of the given civil day now, and goes on from there.
func Clock(day string) (func() time.Time, error) {
	t, err := time.ParseInLocation(time.DateOnly, day, record.CivilZone)
	if err != nil || day < StoryBegins {
		return nil, fmt.Errorf("clock %q: want a day from %s on", day, StoryBegins)
	}
	ahead := time.Until(t.Add(9 * time.Hour))
	return func() time.Time { return time.Now().Add(ahead) }, nil
}

// Password of every demo account.
const Password = "yanshi-zhi-yong-2026"

// roles of the demo accounts of each bureau, in the order in which they are printed.
var staff = []struct {
	name  string
	title string
	roles []string
}{
	{"officer", "执法人员", []string{"officer"}},
	{"officer2", "第二名执法人员", []string{"officer"}},
	{"liaison", "联络员", []string{"liaison"}},
	{"legal", "法制审核", []string{"legal_reviewer"}},
	{"head", "单位负责人", []string{"head"}},
	{"coordinator", "牵头联络人", []string{"coordinator"}},
	{"auditor", "稽查", []string{"auditor"}},
}

// loadedFile says that a bureau's history is in its database; it is written when all of it is.
const loadedFile = "loaded"

// Run founds or reads the federation, starts its seven nodes and serves until ctx ends. It prints what a visitor needs.
func Run(ctx context.Context, o Options, out io.Writer) error {
	begun := time.Now()
	if o.Now == nil {
		o.Now = time.Now
	}
	l, err := Found(o.Dir, o.Fresh, o.Port, o.Now())
	if err != nil {
		return err
	}
	var topics []string
	for _, b := range Bureaux {
		topics = append(topics, node.Topics(b.Member)...)
	}
	services, err := embedded.Start(topics...)
	if err != nil {
		return err
	}
	defer services.Stop()
	for i := range l.Configs {
		l.Configs[i].Kafka.Brokers, l.Configs[i].Redis.URL = services.Brokers, services.Redis
	}
	nodes, err := open(ctx, o, l)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	failed := make(chan error, len(nodes))
	var wg sync.WaitGroup
	for _, n := range nodes {
		wg.Go(func() {
			if err := n.Run(running); err != nil {
				failed <- err
				stop()
			}
		})
	}
	err = load(running, o, l, nodes)
	if err == nil {
		if err = describe(out, l, time.Since(begun), o.JSON); err == nil {
			<-running.Done()
		}
	}
	stop()
	wg.Wait()
	if errors.Is(err, context.Canceled) {
		err = nil // the person ended it, or a node failed: that one says below why
	}
	for _, n := range nodes {
		err = errors.Join(err, n.Close())
	}
	close(failed)
	for e := range failed {
		err = errors.Join(err, e)
	}
	return err
}

// open joins and opens the seven nodes over the services that their configurations name.
func open(ctx context.Context, o Options, l Layout) ([]*node.Node, error) {
	nodes := make([]*node.Node, len(l.Configs))
	g, ctx := errgroup.WithContext(ctx)
	for i, c := range l.Configs {
		c.Now = o.Now
		g.Go(func() error {
			if l.Founded {
				if _, err := node.Join(ctx, c, l.Charter); err != nil {
					return fmt.Errorf("join %s: %w", c.Member, err)
				}
			}
			n, err := node.Open(ctx, c, o.Log)
			if err != nil {
				return fmt.Errorf("open %s: %w", c.Member, err)
			}
			nodes[i] = n
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		for _, n := range nodes {
			if n != nil {
				err = errors.Join(err, n.Close())
			}
		}
		return nil, err
	}
	return nodes, nil
}

// load gives each bureau that has none yet its people and its history.
func load(ctx context.Context, o Options, l Layout, nodes []*node.Node) error {
	decisions := map[string][]Decision{}
	for _, d := range append(append([]Decision{}, Story...), Background(o.Background, 1)...) {
		decisions[d.Issuer.Name] = append(decisions[d.Issuer.Name], d)
	}
	g, ctx := errgroup.WithContext(ctx)
	for i, n := range nodes {
		done := filepath.Join(l.Configs[i].Data, loadedFile)
		if _, err := os.Stat(done); err == nil {
			continue
		}
		g.Go(func() error {
			ids := map[string]string{}
			for j, s := range staff {
				a := node.Account{Name: s.name, Password: Password, Roles: s.roles}
				if slices.Contains(s.roles, "officer") {
					a.Certificate = fmt.Sprintf("990000000%d%d", i+1, j)
				}
				id, err := n.NewAccount(ctx, a)
				if err != nil {
					return fmt.Errorf("account %s of %s: %w", s.name, Bureaux[i].Name, err)
				}
				ids[s.name] = id
			}
			if err := Load(ctx, n, Desk{Author: ids["officer"], Reviewer: ids["legal"], Liaison: ids["liaison"], Today: record.CivilDay(o.Now())}, decisions[Bureaux[i].Name]); err != nil {
				return err
			}
			if err := loadRosters(ctx, n.Register(), Desk{Author: ids["officer"], Reviewer: ids["legal"], Liaison: ids["liaison"]}, Bureaux[i], o.Now()); err != nil {
				return err
			}
			if i == 0 {
				if err := plan(ctx, n, ids["coordinator"], o.Now()); err != nil {
					return err
				}
			}
			return node.WriteDurably(done, []byte("yes\n"), 0o600)
		})
	}
	return g.Wait()
}

// described is a demo that is ready, as JSON.
type described struct {
	Federation string   `json:"federation"`
	Synthetic  bool     `json:"synthetic"` // always
	Members    []desk   `json:"members"`
	Accounts   []string `json:"accounts"` // of each
	Password   string   `json:"password"` // of all
}

type desk struct {
	Member string `json:"member"`
	Name   string `json:"name"`
	Node   string `json:"node"`
}

// describe prints addresses, accounts and what to try.
func describe(out io.Writer, l Layout, took time.Duration, asJSON bool) error {
	if asJSON {
		d := described{Federation: Name, Synthetic: true, Password: Password}
		for i, c := range l.Configs {
			d.Members = append(d.Members, desk{string(c.Member), Bureaux[i].Name, "http://" + c.People.Listen})
		}
		for _, s := range staff {
			d.Accounts = append(d.Accounts, s.name)
		}
		return json.MarshalWrite(out, d)
	}
	fmt.Fprintf(out, "\n合成数据 SYNTHETIC  %s  就绪 ready in %.1f s\n\n", Name, took.Seconds())
	for i, c := range l.Configs {
		fmt.Fprintf(out, "  %s %s  http://%s\n", Bureaux[i].Member, Bureaux[i].Name, c.People.Listen)
	}
	fmt.Fprintf(out, "\n每家账号 accounts of each:")
	for _, s := range staff {
		fmt.Fprintf(out, " %s(%s)", s.name, s.title)
	}
	fmt.Fprintf(out, "\n口令 password of all: %s\n", Password)
	at, ref := "http://"+l.Configs[0].People.Listen, "--purpose RAID --ref inspection:测检〔2026〕1号"
	fmt.Fprintf(out, "\n试一试 commands to try:\n  export PILIN_PASSWORD=%s\n", Password)
	fmt.Fprintf(out, "  pilin ask --node %s --account officer %s --id %s\n", at, ref, p1.ID)
	fmt.Fprintf(out, "  pilin ask --node %s --account officer %s --name %s --birth %s\n", at, ref, p1bis.Name, p1bis.Birth)
	fmt.Fprintf(out, "  pilin ask --node %s --account officer %s --plate %s\n", at, ref, Story[0].Handle.Value)
	_, err := fmt.Fprintf(out, "  pilin list --node http://%s --account liaison\n\n按 Ctrl-C 结束 · Ctrl-C ends\n", l.Configs[2].People.Listen)
	return err
}
