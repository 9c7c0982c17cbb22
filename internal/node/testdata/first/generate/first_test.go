// This file belongs to the first landed version, commit 0dcf64a: make.sh lays it into that version's internal/demo and
// runs it there. It makes the golden files beside it; nothing of the present version has a hand in it.
package demo

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/embedded"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/internal/kafkabus"
	"github.com/pilinhub/pilin/internal/node"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
)

// asked is a question with what the first version answered.
type asked struct {
	Bureau   string          `json:"bureau"`
	Question client.Question `json:"question"`
	Outcome  string          `json:"outcome"`
	Answered int             `json:"answered"`
	Hits     []string        `json:"hits"` // member, type, state, subject, version
	Alert    string          `json:"alert"`
	Basic    int             `json:"basic"`
	Excluded int             `json:"excluded"`
}

// golden is what the tests of later versions compare with, beside the files.
type golden struct {
	Day       string              `json:"day"`
	Heads     map[string]string   `json:"heads"` // bureau and stream → size and root
	Asked     []asked             `json:"asked"`
	Drafts    [][2]string         `json:"drafts"`    // left behind: bureau, id
	Suspended string              `json:"suspended"` // number of the person whose entry is suspended
	Wire      map[string][]byte   `json:"wire"`      // a head exchange: request of 330482-01, answer of 310116-01, nonce
	Topic     map[string][][]byte `json:"topic"`     // frames on each member's topic, in order
}

const firstDay = "2026-03-13"

func TestFirst(t *testing.T) {
	out := os.Getenv("FIRST_OUT")
	if out == "" {
		t.Fatal("FIRST_OUT: want a folder")
	}
	Bureaux = []Bureau{bureau("金山"), bureau("松江"), bureau("平湖")}
	a := &alliance{t: t, stop: map[string]func(){}}
	a.day(firstDay)
	a.options = Options{Now: a.now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	var err error
	a.layout, err = Found(t.TempDir(), false, 39701, a.now())
	must(t, err)
	var topics []string
	for _, b := range Bureaux {
		topics = append(topics, node.Topics(b.Member)...)
	}
	s, err := embedded.Start(topics...)
	must(t, err)
	t.Cleanup(s.Stop)
	for i := range a.layout.Configs {
		a.layout.Configs[i].Kafka.Brokers, a.layout.Configs[i].Redis.URL = s.Brokers, s.Redis
	}
	nodes, err := open(t.Context(), a.options, a.layout)
	must(t, err)
	for i, n := range nodes {
		a.run(Bureaux[i].Name, n)
	}
	g := golden{Day: firstDay, Heads: map[string]string{}, Wire: map[string][]byte{}, Topic: map[string][][]byte{}}
	a.history(&g, nodes)
	for _, q := range []asked{
		{Bureau: "金山", Question: client.Question{IDNo: p1.ID}},
		{Bureau: "松江", Question: client.Question{Name: p1.Name, BirthDate: p1.Birth}},
		{Bureau: "平湖", Question: client.Question{IDNo: p3.ID}},
		{Bureau: "金山", Question: client.Question{IDNo: p2.ID}},
		{Bureau: "金山", Question: client.Question{IDNo: g.Suspended}},
		{Bureau: "平湖", Question: client.Question{DocNo: "测松卫医罚〔2025〕9017号"}},
	} {
		ans := a.asked(a.desk(q.Bureau, "officer"), q.Question)
		q.Outcome, q.Answered = ans.Outcome, ans.Answered
		for _, h := range ans.Hits {
			q.Hits = append(q.Hits, fmt.Sprintf("%s %s %s %s %d", h.Member, h.Type, h.State, h.Subject, h.Version))
		}
		slices.Sort(q.Hits)
		if c := ans.Count; c != nil {
			q.Alert, q.Basic, q.Excluded = c.Alert, c.Basic, c.Excluded
		}
		g.Asked = append(g.Asked, q)
	}
	a.settle(nodes)
	a.heads(&g, nodes)
	for _, b := range Bureaux {
		a.halt(b.Name)
	}
	broker, err := kafkabus.Open(a.layout.Configs[0].Kafka)
	must(t, err)
	for _, b := range Bureaux {
		g.Topic[string(b.Member)], err = kafkabus.Read(t.Context(), broker, kafkabus.LogTopic(b.Member), 0)
		must(t, err)
	}
	for i, c := range a.layout.Configs {
		a.keep(&g, filepath.Join(out, string(c.Member)), c)
		if i == 0 {
			a.postgres(&g, filepath.Join(out, string(c.Member)), c)
		}
	}
	must(t, os.WriteFile(filepath.Join(out, "charter-1.note"), a.layout.Charter, 0o644))
	b, err := json.Marshal(g, json.Deterministic(true), jsontext.WithIndent("\t"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(out, "golden.json"), append(b, '\n'), 0o644))
}

// asked asks until everybody has answered.
func (a *alliance) asked(d *client.Desk, q client.Question) (ans client.Answer) {
	eventually(a.t, "everybody answers", func() bool {
		var err error
		ans, err = d.Ask(a.t.Context(), raid(q))
		return err == nil && ans.Answered == len(Bureaux)
	})
	return ans
}

// history is penalties, entries, a correction, a withdrawal, a suspension, a remedy, an operation, drafts and refusals.
func (a *alliance) history(g *golden, nodes []*node.Node) {
	t, ctx := a.t, a.t.Context()
	by := map[string][]Decision{}
	for _, d := range Story {
		by[d.Issuer.Name] = append(by[d.Issuer.Name], d)
	}
	for i, d := range Background(6, 1) {
		d.Issuer, d.Entry = Bureaux[i%len(Bureaux)], true
		d.No = strings.Replace(d.No, "测", "测测", 1)
		by[d.Issuer.Name] = append(by[d.Issuer.Name], d)
	}
	remedied := by["松江"][1]
	remedied.ReviewApplied = "2026-03-12"
	by["松江"][1] = remedied
	for i, n := range nodes {
		ids := map[string]string{}
		for j, s := range append(slices.Clone(staff), struct {
			name, title string
			roles       []string
		}{"admin", "管理员", []string{"sys_admin"}}) {
			acc := node.Account{Name: s.name, Password: Password, Roles: s.roles}
			if slices.Contains(s.roles, "officer") {
				acc.Certificate = fmt.Sprintf("990000000%d%d", i+1, j)
			}
			id, err := n.NewAccount(ctx, acc)
			must(t, err)
			ids[s.name] = id
		}
		must(t, Load(ctx, n, Desk{Author: ids["officer"], Reviewer: ids["legal"], Liaison: ids["liaison"], Today: record.CivilDay(a.now())}, by[Bureaux[i].Name]))
	}
	officer, liaison, legal, head := a.desk("松江", "officer"), a.desk("松江", "liaison"), a.desk("松江", "legal"), a.desk("松江", "head")
	page, err := liaison.List(ctx, client.Entries, client.Filter{})
	must(t, err)
	if len(page.Rows) < 3 {
		t.Fatalf("only %d entries", len(page.Rows))
	}
	paper := strings.Repeat("ab", 32)
	// corrected
	e, err := officer.Entry(ctx, client.Entries, page.Rows[0].ID)
	must(t, err)
	w, err := officer.Correct(ctx, client.Entries, e.ID, "", e.Version, client.Proposal{Payload: bytes.Replace(e.Payload, []byte(`"qual_source":"国`), []byte(`"qual_source":"改国`), 1)}, "typing_error", "来源名称有误")
	must(t, err)
	_, err = legal.Step(ctx, client.Entries, w.ID, "approve", "", client.Step{Version: w.Version})
	must(t, err)
	// withdrawn
	w, err = liaison.Step(ctx, client.Entries, page.Rows[1].ID, "withdraw", "", client.Step{Version: page.Rows[1].Version, ReasonCode: "no_basis", Reason: "复核后依据不足", DocumentHash: paper, LegalBasis: "行政处罚法第57条", Purpose: "CORRECT"})
	must(t, err)
	_, err = head.Step(ctx, client.Entries, page.Rows[1].ID, "confirm", "", client.Step{Version: w.Version, ReasonCode: "no_basis", Reason: "复核后依据不足", DocumentHash: paper, LegalBasis: "行政处罚法第57条", Purpose: "CORRECT"})
	must(t, err)
	// suspended
	_, err = liaison.Step(ctx, client.Entries, page.Rows[2].ID, "suspend", "", client.Step{Version: page.Rows[2].Version, ReasonCode: "objection", Reason: "当事人异议", DocumentHash: paper, LegalBasis: "个人信息保护法第46条", Purpose: "CORRECT"})
	must(t, err)
	e, err = liaison.Entry(ctx, client.Entries, page.Rows[2].ID)
	must(t, err)
	var about struct {
		IDNo string `json:"id_no"`
	}
	must(t, json.Unmarshal(e.Payload, &about))
	g.Suspended = about.IDNo
	// drafts left behind
	payload, err := Story[0].Penalty()
	must(t, err)
	for _, name := range []string{"金山", "平湖"} {
		w, err = a.desk(name, "officer").Draft(ctx, client.Penalties, "", client.Proposal{Payload: payload})
		must(t, err)
		g.Drafts = append(g.Drafts, [2]string{name, w.ID})
	}
	// an operation of two
	plan, err := Operation(bureau("金山"), []Bureau{bureau("松江")}, "2026-03-15")
	must(t, err)
	w, err = a.desk("金山", "coordinator").Plan(ctx, "", plan)
	must(t, err)
	eventually(t, "the invitation is there", func() bool {
		_, err := a.desk("松江", "liaison").Accept(ctx, w.ID, "", client.OperationAnswer{Officers: 2, LegalBasis: "行政处罚法第26条"})
		return err == nil
	})
	// refused: a wrong password, a purpose that is none
	_ = client.NewDesk("http://"+a.layout.Configs[0].People.Listen, nil).SignIn(ctx, "officer", "wrong")
	if _, err := officer.Ask(ctx, client.Ask{Purpose: "NONE", WorkRef: client.WorkRef{Kind: "inspection", Number: "测检〔2026〕1号"}, Question: client.Question{IDNo: p1.ID}}); err == nil {
		t.Fatal("a purpose that is none was taken")
	}
	_, err = a.desk("金山", "admin").CreateAccount(ctx, client.Account{Name: "newcomer", Roles: []string{"officer"}, Certificate: "99000000099"})
	must(t, err)
}

// settle waits until everybody has applied everything of everybody and has said so.
func (a *alliance) settle([]*node.Node) {
	for _, b := range Bureaux {
		d := a.desk(b.Name, "liaison")
		eventually(a.t, "applied by all of "+b.Name, func() bool {
			page, err := d.List(a.t.Context(), client.Entries, client.Filter{Limit: 200})
			if err != nil {
				return false
			}
			for _, r := range page.Rows {
				e, err := d.Entry(a.t.Context(), client.Entries, r.ID)
				if err != nil || e.Receipts == nil || e.Receipts.Applied != len(Bureaux) {
					return false
				}
			}
			return len(page.Rows) > 0
		})
	}
}

// heads keeps a head exchange of 平湖 with 金山 as it stands on the wire.
func (a *alliance) heads(g *golden, nodes []*node.Node) {
	t := a.t
	from, to := a.layout.Configs[2], a.layout.Configs[0]
	k, err := node.ReadKeys(from.Data)
	must(t, err)
	dir := nodes[2].Directory()
	issuer := &auth.MemberIssuer{Federation: dir.Federation(), Self: from.Member, Now: a.now, Random: rand.Reader, Key: func() (ed25519.PrivateKey, error) { return k.Sign, nil }}
	p := client.NewPeers(dir, k, issuer.Issue)
	defer p.Close()
	var nonce [32]byte
	_, _ = rand.Read(nonce[:])
	body, err := exchange.HeadsRequest{Nonce: nonce, Charter: dir.Charter()}.Encode()
	must(t, err)
	answer, err := p.Heads(t.Context(), to.Member, body)
	must(t, err)
	g.Wire["nonce"], g.Wire["request"], g.Wire["answer"] = nonce[:], body, answer
}

// keep writes one bureau's folder: keys, released size, database as SQL, and what pilin export wrote.
func (a *alliance) keep(g *golden, dir string, c node.Config) {
	t := a.t
	must(t, os.MkdirAll(dir, 0o755))
	for _, name := range []string{"keys.json", "recovery.key", "released-size", "index.snapshot"} {
		b, err := os.ReadFile(filepath.Join(c.Data, name))
		if os.IsNotExist(err) {
			t.Logf("%s: no %s", c.Member, name)
			continue
		}
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, name), b, 0o644))
	}
	file := filepath.Join(c.Data, "pilin.db")
	c.Database = node.Database{Driver: "sqlite", DSN: file}
	if c.Member == "330482-01" { // of a bureau in no sealed group: with an agreement this version's export refuses
		_, err := node.Export(t.Context(), c, filepath.Join(dir, "export"))
		must(t, err)
	}
	a.config(dir, c)
	dump(t, filepath.Join(dir, "sqlite.sql"), "sqlite3", file, ".dump")
	a.sizes(g, c, func(ctx context.Context) (*sqlstore.Store, error) {
		return sqlstore.OpenReader(ctx, sqlstore.Config{Driver: "sqlite", DSN: file, Self: c.Member, Now: a.now})
	}, false)
}

// config writes a configuration with everything that the first version knows, and lets it be read by that version.
func (a *alliance) config(dir string, c node.Config) {
	text := fmt.Sprintf(`member: %s
data: /var/lib/pilin
database:
  driver: sqlite
  dsn: /var/lib/pilin/pilin.db
kafka:
  brokers: [kafka-1.example:9093]
  tls: true
  ca_file: /etc/pilin/kafka-ca.pem
  user: %[1]s
  password_file: /run/credentials/pilin.service/kafka-password
redis:
  url: redis://127.0.0.1:6379/0
people:
  listen: 127.0.0.1:8080
members:
  listen: 0.0.0.0:8443
ask:
  deadline: 3s
exchange:
  heads: 20s
unsafe_test: false
`, c.Member)
	name := filepath.Join(dir, "pilin.yaml")
	must(a.t, os.WriteFile(name, []byte(text), 0o644))
	_, err := node.ReadConfig(name)
	must(a.t, err)
}

// sizes notes the heads of a bureau's streams, or compares them.
func (a *alliance) sizes(g *golden, c node.Config, open func(context.Context) (*sqlstore.Store, error), compare bool) {
	t := a.t
	s, err := open(t.Context())
	must(t, err)
	defer s.Close()
	heads, err := s.Heads(t.Context())
	must(t, err)
	for _, h := range heads {
		name, is := string(c.Member)+" "+string(h.Stream), fmt.Sprintf("%d %d %s %s", h.Size, h.Applied, h.Root, base64.StdEncoding.EncodeToString(h.Checkpoint))
		if compare && g.Heads[name] != is {
			t.Fatalf("%s: %s, want %s", name, is, g.Heads[name])
		}
		g.Heads[name] = is
	}
}

func dump(t *testing.T, to, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	b, err := cmd.Output()
	must(t, err)
	var kept []string
	for line := range strings.Lines(string(b)) {
		if !strings.HasPrefix(line, `\`) { // psql's own commands
			kept = append(kept, line)
		}
	}
	must(t, os.WriteFile(to, []byte(strings.Join(kept, "")), 0o644))
}

// postgres lets the first version make its tables on PostgreSQL, copies every row of the SQLite database into them, sees
// that the first version reads the same heads out of it, and dumps it.
func (a *alliance) postgres(g *golden, dir string, c node.Config) {
	t, ctx := a.t, a.t.Context()
	dsn := testsvc.Postgres(t)
	s, err := sqlstore.Open(ctx, sqlstore.Config{Driver: "postgres", DSN: dsn, Self: c.Member, Now: a.now, UnsafeTest: true})
	must(t, err)
	must(t, s.Close())
	from, err := sql.Open("sqlite", filepath.Join(c.Data, "pilin.db"))
	must(t, err)
	defer from.Close()
	to, err := sql.Open("postgres", dsn)
	must(t, err)
	defer to.Close()
	rows, err := to.QueryContext(ctx, "SELECT table_name FROM information_schema.tables WHERE table_schema='public' AND table_type='BASE TABLE' AND table_name NOT LIKE 'goose%' ORDER BY 1")
	must(t, err)
	var tables []string
	for rows.Next() {
		var n string
		must(t, rows.Scan(&n))
		tables = append(tables, n)
	}
	must(t, rows.Err())
	total := 0
	for _, table := range tables {
		_, err := to.ExecContext(ctx, "DELETE FROM "+table)
		must(t, err)
		types := map[string]string{}
		rows, err := to.QueryContext(ctx, "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema='public' AND table_name=$1", table)
		must(t, err)
		for rows.Next() {
			var n, k string
			must(t, rows.Scan(&n, &k))
			types[n] = k
		}
		must(t, rows.Err())
		names := slices.Sorted(func(yield func(string) bool) {
			for n := range types {
				if !yield(n) {
					return
				}
			}
		})
		rows, err = from.QueryContext(ctx, "SELECT "+strings.Join(names, ",")+" FROM "+table)
		must(t, err)
		for rows.Next() {
			values, at := make([]any, len(names)), make([]any, len(names))
			for i := range values {
				at[i] = &values[i]
			}
			must(t, rows.Scan(at...))
			var marks []string
			for i, n := range names {
				marks = append(marks, fmt.Sprintf("$%d", i+1))
				if b, ok := values[i].([]byte); ok && types[n] != "bytea" {
					values[i] = string(b)
				} else if ok && b == nil {
					values[i] = []byte{} // empty, not null
				}
				if v, ok := values[i].(int64); ok && types[n] == "boolean" {
					values[i] = v != 0
				}
			}
			_, err := to.ExecContext(ctx, "INSERT INTO "+table+" ("+strings.Join(names, ",")+") VALUES ("+strings.Join(marks, ",")+")", values...)
			must(t, err)
			total++
		}
		must(t, rows.Err())
	}
	t.Logf("%d tables, %d rows copied to PostgreSQL", len(tables), total)
	a.sizes(g, c, func(ctx context.Context) (*sqlstore.Store, error) {
		return sqlstore.OpenReader(ctx, sqlstore.Config{Driver: "postgres", DSN: dsn, Self: c.Member, Now: a.now, UnsafeTest: true})
	}, true)
	dump(t, filepath.Join(dir, "postgres.sql"), "pg_dump", "--no-owner", "--no-privileges", "--inserts", "--dbname", dsn)
}
