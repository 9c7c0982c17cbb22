package httpapi_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/events"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/internal/sheets"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/transfer"
)

// office is one bureau: its store, hub and register, and the people's listener on top.
type office struct {
	t         *testing.T
	dir       *federation.Directory
	store     *sqlstore.Store
	hub       *federation.Hub
	register  *blacklist.Register
	desk      *events.Board
	people    *auth.People
	clock     *clock
	log       *buffer
	registry  *prometheus.Registry
	server    *httptest.Server
	tokens    map[string]string // by account name
	status    func(context.Context) (httpapi.Status, error)
	ready     []httpapi.Capability
	receipts  *exchange.Receipts
	questions *httpapi.Open
	heads     atomic.Int64 // how often the border read the heads of the log
	intake    *sheets.Intake
	full      error // what the log's Append answers when set
}

// indexed is the log as the domains append to it: what is durable is in the index.
type indexed struct {
	*sqlstore.Store
	o     *office
	index *federation.LogIndex
}

func (l indexed) Append(ctx context.Context, a record.Append) (record.Appended, error) {
	if l.o.full != nil {
		return record.Appended{}, l.o.full
	}
	res, err := l.Store.Append(ctx, a)
	if err == nil {
		err = l.index.CatchUp(ctx)
	}
	return res, err
}

// headed is the log as the border reads it; it says how often the heads were read.
type headed struct {
	*sqlstore.Store
	o *office
}

func (l headed) Heads(ctx context.Context) ([]record.Head, error) {
	l.o.heads.Add(1)
	return l.Store.Heads(ctx)
}

// offices founds a federation of n bureaux that ask each other without a network.
func offices(t *testing.T, n int) []*office {
	t.Helper()
	addresses := make([]string, n)
	for i := range addresses {
		addresses[i] = fmt.Sprintf("https://127.0.0.1:%d", 9000+i)
	}
	keys, charter := bureaux(t, addresses...)
	var all []*office
	for _, k := range keys {
		d, err := federation.NewDirectory(k, charter)
		must(t, err)
		o := &office{t: t, dir: d, clock: newClock(), log: &buffer{}, registry: prometheus.NewRegistry(), tokens: map[string]string{}}
		o.store = openStore(t, d, o.clock.Now)
		records := record.Stream(k.Member, record.Records)
		must(t, o.store.Release(t.Context(), records))
		must(t, o.store.Release(t.Context(), record.Stream(k.Member, record.Audit)))
		index := federation.NewLogIndex(o.store)
		log := indexed{o.store, o, index}
		o.register = &blacklist.Register{Log: log, Self: k.Member, Now: o.clock.Now, Random: seeded("register" + string(k.Member)), Synthetic: true}
		o.hub = &federation.Hub{Directory: d, Index: index, Append: log.Append, Answered: o.store.Answered, Head: o.store.Head, View: o.view,
			Call: func(ctx context.Context, m record.MemberID, body []byte) ([]byte, error) {
				i := slices.IndexFunc(all, func(p *office) bool { return p.dir.Self() == m })
				id, err := record.NewBits128(o.hub.Random)
				if err != nil {
					return nil, err
				}
				return all[i].hub.Reply(ctx, k.Member, body, record.Use{Kind: "jti", ID: id.String(), Expires: o.clock.Now().Add(time.Minute).Unix()})
			},
			Age: func(record.MemberID) (time.Duration, bool) { return 0, false }, Released: func() bool { return true }, Now: o.clock.Now,
			Random: seeded("hub" + string(k.Member)), Records: records, Audit: record.Stream(k.Member, record.Audit), Deadline: 5 * time.Second}
		o.hub.Tally = httpapi.Tally(records, o.register, index.Find)
		o.desk = o.board(log)
		o.signIns(log.Append)
		all = append(all, o)
	}
	return all
}

func (o *office) view(ctx context.Context, s record.StreamID, subject record.RecordID, asOf string) (federation.SubjectView, bool, error) {
	rs, err := o.store.Subject(ctx, s, subject)
	if err != nil {
		return federation.SubjectView{}, false, err
	}
	e, err := blacklist.Fold(rs, asOf)
	if errors.Is(err, blacklist.ErrNothing) || errors.Is(err, blacklist.ErrOtherType) {
		return federation.SubjectView{}, false, nil
	}
	return federation.SubjectView{Version: e.Version, Type: e.Type, State: string(e.State), Record: e.Content}, err == nil && e.Visible(), err
}

func (o *office) signIns(appendTo func(context.Context, record.Append) (record.Appended, error)) {
	random := seeded("audit" + string(o.dir.Self()))
	p, err := auth.NewPasswords(2, 64)
	must(o.t, err)
	seed := sha256.Sum256([]byte("people"))
	o.people = &auth.People{Federation: o.dir.Federation(), Self: o.dir.Self(), Key: ed25519.NewKeyFromSeed(seed[:]), Accounts: o.store, Sessions: o.store,
		Passwords: p, Now: o.clock.Now, Random: seeded("people" + string(o.dir.Self())),
		Audit: func(ctx context.Context, e auth.Event) error {
			d, err := e.Draft(record.Stream(o.dir.Self(), record.Audit), random, true)
			if err != nil {
				return err
			}
			_, err = appendTo(ctx, record.Append{Drafts: []record.Draft{d}})
			return err
		}}
}

// list is what node hands to the border: the read model where the store has one, else a fold of every subject.
func (o *office) list(ctx context.Context, f httpapi.Filter) ([]httpapi.Item, error) {
	gs, err := o.store.Groups(ctx, f.Stream, 0, 200)
	if err != nil {
		return nil, err
	}
	newest := map[record.RecordID]httpapi.Item{}
	for _, g := range gs {
		for _, st := range g.Records {
			id, _ := st.Meaning.Subject()
			all, err := o.store.Subject(ctx, f.Stream, id)
			if err != nil {
				return nil, err
			}
			it := httpapi.Item{Subject: id, Seq: st.Seq, Day: st.Meaning.Day}
			if f.Stream.Kind() == record.Audit {
				state, version, ok := transfer.ProjectAct(all)
				if !ok {
					continue
				}
				it.Type, it.Version, it.State = transfer.TypeActSigned, version, string(state)
			} else if f.Stream.Kind() == record.Local {
				s, err := blacklist.FoldSheet(all)
				if err != nil {
					return nil, err
				}
				it.Type, it.Version, it.State = s.Type, s.Version, string(s.State)
			} else {
				e, err := blacklist.Fold(all, "")
				if err != nil {
					return nil, err
				}
				it.Type, it.Version, it.State, it.ValidUntil = e.Type, e.Version, string(e.State), e.ValidUntil
			}
			newest[id] = it
		}
	}
	var out []httpapi.Item
	for _, it := range newest {
		if it.Type == f.Type && (f.State == "" || f.State == it.State) && (f.Before == 0 || it.Seq < f.Before) {
			out = append(out, it)
		}
	}
	slices.SortFunc(out, func(a, b httpapi.Item) int { return int(b.Seq) - int(a.Seq) })
	return out[:min(len(out), f.Limit)], nil
}

// open starts the people's listener.
func (o *office) open() *office {
	o.t.Helper()
	o.ready = []httpapi.Capability{{Name: "write", Ready: true}, {Name: "kafka", Ready: true, Optional: true}}
	o.questions = httpapi.NewOpen(o.clock.Now, o.store)
	must(o.t, o.questions.Resume(o.t.Context()))
	o.intake = &sheets.Intake{Store: o.store, Register: o.register, Synthetic: true, Now: o.clock.Now,
		Decision: httpapi.OwnDecision(o.hub.Index, o.hub.Records, func() string { return record.CivilDay(o.clock.Now()) }, o.register.Entry)}
	o.t.Cleanup(o.intake.Close)
	checks := &federation.SpotChecks{Hub: o.hub, Store: o.store}
	o.hub.Holds = checks.Holds
	h, err := httpapi.People(httpapi.Deps{SpotChecks: checks, Open: o.questions, Intake: o.intake, Directory: o.dir, People: o.people, Hub: o.hub, Register: o.register, Subjects: o.register, Board: o.desk, Log: headed{o.store, o}, List: o.list, Coverage: o.coverage, Operations: o.operations,
		Status: func(ctx context.Context) (httpapi.Status, error) {
			if o.status != nil {
				return o.status(ctx)
			}
			return httpapi.Status{Member: o.dir.Self(), Kafka: "none", Alarms: []string{}}, nil
		},
		Ready:  func(context.Context) []httpapi.Capability { return o.ready },
		Duty:   o.duty,
		Logger: slog.New(slog.NewJSONHandler(o.log, nil)), Metrics: o.registry, Gatherer: o.registry, MetricsFrom: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/24")}, Now: o.clock.Now, Random: seeded("border")})
	must(o.t, err)
	o.server = httptest.NewUnstartedServer(nil)
	o.server.Config = httpapi.PeopleServer(h, nil)
	o.server.Start()
	o.t.Cleanup(o.server.Close)
	o.t.Cleanup(o.questions.Stop)
	return o
}

const password = "Correct-Horse-19"

// person makes an account and signs it in.
func (o *office) person(name string, roles ...auth.Role) {
	o.t.Helper()
	_, link, err := o.people.Create(o.t.Context(), "", auth.NewAccount{Name: name, Certificate: "99000000001", Roles: roles})
	must(o.t, err)
	must(o.t, o.people.UseLink(o.t.Context(), link, password, netip.MustParseAddr("127.0.0.1")))
	k, err := o.people.SignIn(o.t.Context(), name, password, netip.MustParseAddr("127.0.0.1"))
	must(o.t, err)
	o.tokens[name] = k.Access
}

// staff makes the usual people.
func (o *office) staff() *office {
	for _, p := range []struct {
		name string
		role auth.Role
	}{{"officer", auth.Officer}, {"reviewer", auth.LegalReviewer}, {"liaison", auth.Liaison}, {"head", auth.Head},
		{"coordinator", auth.Coordinator}, {"auditor", auth.Auditor}, {"admin", auth.SysAdmin}, {"aide", auth.Aide}} {
		o.person(p.name, p.role)
	}
	return o
}

// request is one HTTP request to an office.
type request struct {
	as, method, path string
	body             string
	key              string // idempotency key; "" = a new one for a POST
	header           http.Header
}

var keys int

func (o *office) do(r request) (*http.Response, []byte) {
	o.t.Helper()
	req, err := http.NewRequestWithContext(o.t.Context(), r.method, o.server.URL+r.path, bytes.NewReader([]byte(r.body)))
	must(o.t, err)
	if r.method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
		if r.key == "" {
			keys++
			r.key = fmt.Sprint("key-", keys)
		}
		req.Header.Set("Idempotency-Key", r.key)
	}
	if r.as != "" {
		req.Header.Set("Authorization", "Bearer "+o.tokens[r.as])
	}
	for k, v := range r.header {
		if req.Header[k] = v; v == nil {
			req.Header.Del(k)
		}
	}
	res, err := http.DefaultClient.Do(req)
	must(o.t, err)
	b, err := io.ReadAll(res.Body)
	must(o.t, err)
	must(o.t, res.Body.Close())
	res.Body = io.NopCloser(bytes.NewReader(b))
	return res, b
}

// ok makes a request that must succeed and decodes its answer.
func (o *office) ok(as, method, path string, body, into any) {
	o.t.Helper()
	b := ""
	if s, is := body.(string); is {
		b = s
	} else if body != nil {
		j, err := json.Marshal(body)
		must(o.t, err)
		b = string(j)
	}
	res, got := o.do(request{as: as, method: method, path: path, body: b})
	if res.StatusCode >= 300 {
		o.t.Fatalf("%s %s as %s: %d %s", method, path, as, res.StatusCode, got)
	}
	if into != nil {
		if err := json.Unmarshal(got, into); err != nil {
			o.t.Fatalf("%s: %v in %s", path, err, got)
		}
	}
}

// refused makes a request that must be refused.
func (o *office) refused(r request, status int, code string) httpapi.Problem {
	o.t.Helper()
	res, got := o.do(r)
	if res.StatusCode < 400 {
		o.t.Fatalf("%s %s as %s: %d %s, want %s", r.method, r.path, r.as, res.StatusCode, got, code)
	}
	p := problemIn(o.t, res)
	if p.Status != status || p.Code != code {
		o.t.Errorf("%s %s as %s: %d %s %v, want %d %s", r.method, r.path, r.as, p.Status, p.Code, p.Errors, status, code)
	}
	return p
}

// example returns a good example of a record type.
func example(t testing.TB, typ, name string) map[string]any {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "schemas", typ, "examples", "good", name+".json"))
	must(t, err)
	var m map[string]any
	must(t, json.Unmarshal(b, &m))
	return m
}

type obj = map[string]any

// publish takes a draft through review to publication and returns the subject.
func (o *office) publish(path string, payload obj) httpapi.Written {
	o.t.Helper()
	var w httpapi.Written
	o.ok("officer", "POST", "/api/v1/"+path, obj{"payload": payload}, &w)
	for _, s := range []struct{ who, step string }{{"officer", "submit"}, {"reviewer", "approve"}, {"liaison", "publish"}} {
		o.ok(s.who, "POST", "/api/v1/"+path+"/"+w.ID+"/"+s.step, obj{"version": w.Version}, &w)
	}
	if w.State != "published" || w.Version != 1 {
		o.t.Fatalf("%+v", w)
	}
	return w
}

// penaltyAndEntry publishes a penalty and an entry on it.
func (o *office) penaltyAndEntry() (penalty, entry httpapi.Written) {
	o.t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "schemas", "penalty", "examples", "good", "*.json"))
	must(o.t, err)
	penalty = o.publish("penalties", example(o.t, "penalty", filepath.Base(files[0][:len(files[0])-len(".json")])))
	e := example(o.t, "blacklist.person", "entry")
	e["penalty_refs"] = []string{penalty.ID}
	return penalty, o.publish("entries", e)
}

// signInAgain signs people in after their tokens have ended.
func (o *office) signInAgain(names ...string) {
	o.t.Helper()
	for _, n := range names {
		k, err := o.people.SignIn(o.t.Context(), n, password, netip.MustParseAddr("127.0.0.1"))
		must(o.t, err)
		o.tokens[n] = k.Access
	}
}
