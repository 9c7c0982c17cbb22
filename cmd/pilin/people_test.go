package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/node"
	"github.com/pilinhub/pilin/record"
)

// bureau is a federation of one that serves, and the command line at it.
type bureau struct{ t *testing.T }

const bureauPassword = "Correct-Horse-19"

// newBureau starts a node with an account for each of these roles, named like it.
func newBureau(t *testing.T, now func() time.Time, roles ...string) bureau {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	port := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(err)
		defer l.Close()
		return l.Addr().String()
	}
	const member record.MemberID = "310116-01"
	dir, members := t.TempDir(), port()
	id, err := node.Init(dir, member, federation.Entry{Name: "测区", Address: "https://" + members, AgreementNo: "测1", PIPIANo: "测1", Retention: "测1"}, now())
	must(err)
	request, err := os.ReadFile(id.RequestFile)
	must(err)
	note, err := federation.Found(rand.Reader, federation.Founding{Name: "测", Synthetic: true, Day: record.CivilDay(now())}, request)
	must(err)
	k, err := node.ReadKeys(dir)
	must(err)
	note, err = federation.Sign(note, member, k.Signer())
	must(err)
	cfg := node.Config{Member: member, Data: dir, People: node.People{Listen: port()}, Members: node.Members{Listen: members}, Now: now}
	_, err = node.Join(t.Context(), cfg, note)
	must(err)
	n, err := node.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	must(err)
	for _, role := range roles {
		_, err := n.NewAccount(t.Context(), node.Account{Name: strings.ReplaceAll(role, "_", "."), Password: bureauPassword, Roles: []string{role}})
		must(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, n.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("PILIN_NODE", "http://"+cfg.People.Listen)
	t.Setenv("PILIN_PASSWORD", bureauPassword)
	b := bureau{t}
	for up := time.Now().Add(60 * time.Second); ; {
		if code, _ := b.pilin("status", "--account", strings.ReplaceAll(roles[0], "_", ".")); code == 0 {
			return b
		}
		if time.Now().After(up) {
			t.Fatal("the node is never ready")
		}
	}
}

// pilin runs one command and returns its exit code and what it printed.
func (b bureau) pilin(args ...string) (int, string) {
	var out, complaint bytes.Buffer
	code := run(args, &out, &complaint)
	return code, out.String() + complaint.String()
}

// ok runs a command that must succeed; with into it prints JSON.
func (b bureau) ok(into any, args ...string) string {
	b.t.Helper()
	code, out := b.pilin(args...)
	if code != 0 {
		b.t.Fatalf("%v: %d %s", args, code, out)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(out), into); err != nil {
			b.t.Fatalf("%v: %v in %s", args, err, out)
		}
	}
	return out
}

// refused runs a command that must fail and say so.
func (b bureau) refused(code string, args ...string) {
	b.t.Helper()
	if n, out := b.pilin(args...); n == 0 || !strings.Contains(out, code) {
		b.t.Errorf("%v: %d %s, want %s", args, n, out, code)
	}
}

// file writes a file for a command to read.
func (b bureau) file(name, content string) string {
	b.t.Helper()
	at := filepath.Join(b.t.TempDir(), name)
	if err := os.WriteFile(at, []byte(content), 0o600); err != nil {
		b.t.Fatal(err)
	}
	return at
}

// The head names who acts for him by a signed paper; the term can be read and ended.
func TestActing_AtTheCommandLine(t *testing.T) {
	b := newBureau(t, time.Now, "head", "liaison", "sys_admin")
	today, later := record.CivilDay(time.Now()), record.CivilDay(time.Now().AddDate(0, 0, 7))
	paper := b.file("委托书.pdf", "已签字")
	var d client.Delegation
	b.ok(&d, "acting", "give", "liaison", "--from", today, "--until", later, "--paper", paper, "--json", "--account", "head")
	if !d.Runs || d.Until != later || len(d.DocumentHash) != 64 {
		t.Errorf("%+v", d)
	}
	b.ok(nil, "act", "list", "--account", "liaison") // for reviewer, head, auditor
	b.refused("delegation_overlaps", "acting", "give", "liaison", "--from", later, "--until", later, "--paper", paper, "--account", "head")
	b.refused("forbidden", "acting", "end", d.ID, "--account", "liaison")
	if out := b.ok(nil, "acting", "list", "--account", "liaison"); !strings.Contains(out, d.ID) || !strings.Contains(out, "running") {
		t.Error(out)
	}
	b.ok(nil, "acting", "end", d.ID, "--account", "head")
	b.refused("forbidden", "act", "list", "--account", "liaison")
}

// The certificate roster as a CSV file: tried, imported, and imported again to no effect.
func TestRoster_AtTheCommandLine(t *testing.T) {
	b := newBureau(t, time.Now, "sys_admin", "liaison")
	soon := record.CivilDay(time.Now().AddDate(1, 0, 0))
	file := b.file("名册.csv", "姓名,执法证号,有效期至,科室\n测甲,99000000101,"+soon+",一科\n测乙,9.9E+10,"+soon+",一科\n")
	back := filepath.Join(t.TempDir(), "back.csv")
	var r client.Officers
	b.ok(&r, "roster", "import", file, "--dry-run", "--json", "--copy", back, "--account", "sys.admin")
	if r.Created != 1 || r.Problems != 1 || !r.DryRun || r.Rows[0].Link != "" {
		t.Errorf("%+v", r)
	}
	if copied, err := os.ReadFile(back); err != nil || !strings.Contains(string(copied), "科学计数") || !strings.Contains(string(copied), "测乙") {
		t.Errorf("%s %v", copied, err)
	}
	if out := b.ok(nil, "roster", "import", file, "--account", "sys.admin"); !strings.Contains(out, "created 1") || !strings.Contains(out, "one-time secret") || !strings.Contains(out, "id_lost_precision") {
		t.Error(out)
	}
	if out := b.ok(nil, "roster", "import", file, "--account", "sys.admin"); !strings.Contains(out, "unchanged 1") || strings.Contains(out, "one-time secret") {
		t.Error(out)
	}
	b.refused("forbidden", "roster", "import", file, "--account", "liaison")
	b.refused("no_header", "roster", "import", b.file("x.csv", "甲,乙\n1,2\n"), "--account", "sys.admin")
	model := filepath.Join(t.TempDir(), "model.xlsx")
	b.ok(nil, "roster", "template", "--out", model, "--account", "sys.admin")
	if out := b.ok(nil, "roster", "import", model, "--dry-run", "--account", "sys.admin"); !strings.Contains(out, "created 0") {
		t.Error(out)
	}
}

// The tree of units as an administrator makes it, and a unit with people that is closed only with a place for them.
func TestUnit_AtTheCommandLine(t *testing.T) {
	b := newBureau(t, time.Now, "sys_admin", "officer", "liaison")
	admin := func(args ...string) []string { return append(args, "--account", "sys.admin") }
	b.ok(nil, admin("unit", "add", "KS-1", "一科", "--kind", "section")...)
	b.ok(nil, admin("unit", "add", "FS-1", "东分所", "--kind", "branch", "--parent", "KS-1")...)
	b.refused("unit_unknown", admin("unit", "add", "FS-2", "西分所", "--kind", "branch", "--parent", "KS-9")...)
	b.refused("forbidden", "unit", "add", "FS-2", "西分所", "--kind", "branch", "--account", "officer")
	var all []client.Account
	b.ok(&all, admin("account", "list")...)
	for _, a := range all {
		if a.Name == "officer" {
			b.ok(nil, admin("unit", "assign", a.ID, "东分所")...)
		}
	}
	b.refused("unit_in_use", admin("unit", "close", "FS-1")...)
	b.ok(nil, admin("unit", "change", "FS-1", "--name", "东部分所")...)
	if out := b.ok(nil, "unit", "list", "--account", "liaison"); out != "KS-1  一科  科室  0 人 people\n  FS-1  东部分所  分所  1 人 people\n" {
		t.Error(out)
	}
	b.ok(nil, admin("unit", "close", "FS-1", "--move-to", "KS-1")...)
	if out := b.ok(nil, "unit", "list", "--account", "liaison"); out != "KS-1  一科  科室  1 人 people\nFS-1  东部分所  已撤销 closed\n" {
		t.Error(out)
	}
	b.ok(nil, admin("unit", "close", "KS-1", "--move-to", "-")...)
	b.ok(&all, admin("account", "list")...)
	for _, a := range all {
		if a.Unit != "" {
			t.Errorf("%+v", a)
		}
	}
}

// A week of duty from a spreadsheet to the answer that names who is on duty.
func TestDutyRoster_AtTheCommandLine(t *testing.T) {
	b := newBureau(t, time.Now, "officer", "legal_reviewer", "liaison")
	var lines strings.Builder
	lines.WriteString("日期,起,止,值班人,副班,白天值班电话,夜间值班电话\n")
	for i := range 7 { // this week, whenever the test runs, and a little of the next
		lines.WriteString(record.CivilDay(time.Now().AddDate(0, 0, i)) + ",00:00,24:00,测值甲,测值乙,15400000001,15400000001\n")
	}
	var imp client.Import
	b.ok(&imp, "import", b.file("值班表.csv", lines.String()), "--type", "duty_roster", "--commit", "--json", "--account", "officer")
	if imp.Counts.Submitted < 1 || imp.Counts.Submitted > 2 || imp.Counts.Problem != 0 {
		t.Fatalf("%+v", imp.Counts)
	}
	for _, step := range [][]string{{"approve", "legal.reviewer"}, {"publish", "liaison"}} {
		b.ok(nil, "batch", "step", imp.ID, step[0], "--hash", imp.FileHash, "--rows", strconv.Itoa(imp.Counts.Submitted), "--account", step[1])
	}
	out := b.ok(nil, "ask", "--account", "officer", "--purpose", "CASE", "--ref", "case:测金卫医案〔2026〕9001", "--name", "测甲一", "--birth", "1900-01-15")
	if !strings.Contains(out, "值班 duty: 310116-01 测区  15400000001") || !strings.Contains(out, "00:00–00:00 测值甲 测值乙") {
		t.Error(out)
	}
}
