package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/internal/demo"
	"github.com/pilinhub/pilin/internal/embedded"
	"github.com/pilinhub/pilin/internal/node"
)

var update = flag.Bool("update", false, "write testdata/json.golden")

// notJSON are the commands whose output is a document of another kind, --json or not.
var notJSON = map[string]string{
	"completion bash":  "a script for a shell",
	"completion zsh":   "a script for a shell",
	"completion fish":  "a script for a shell",
	"completion words": "read by those scripts, one word a line",
	"openapi":          "the OpenAPI document, YAML",
	"demo":             "runs on; TestRun_ServesAndSurvivesARestart of internal/demo reads what it prints",
}

// told is what commands printed: the names of the fields, by command.
type told struct {
	t      *testing.T
	fields map[string][]string
}

// run runs a command with --json. Its output must be one JSON value on stdout and nothing on stderr.
func (r *told) run(command string, args ...string) jsontext.Value {
	r.t.Helper()
	return r.ends(0, command, args...)
}

// ends is run for a command that ends with a code of its own: then stderr has one JSON object.
func (r *told) ends(code int, command string, args ...string) jsontext.Value {
	r.t.Helper()
	var out, complaint bytes.Buffer
	all := append(append(strings.Fields(command), args...), "--json")
	if got := run(all, &out, &complaint); got != code {
		r.t.Fatalf("pilin %s ends with %d: %s%s", strings.Join(all, " "), got, out.String(), complaint.String())
	}
	if code == 0 && complaint.Len() > 0 {
		r.t.Errorf("pilin %s says %s beside its answer", command, complaint.String())
	}
	return r.note(command, out.Bytes())
}

// note reads one JSON value and notes the names of its fields, of an array those of its first element.
func (r *told) note(command string, printed []byte) jsontext.Value {
	r.t.Helper()
	v := jsontext.Value(bytes.TrimSpace(printed))
	if !v.IsValid() {
		r.t.Fatalf("pilin %s --json prints no JSON document: %s", command, printed)
	}
	var names []string
	var object map[string]jsontext.Value
	var list []jsontext.Value
	switch v.Kind() {
	case '{':
		r.into(v, &object)
	case '[':
		if r.into(v, &list); len(list) == 0 {
			r.t.Errorf("pilin %s: an empty list shows no field", command)
		} else if list[0].Kind() == '{' {
			r.into(list[0], &object)
		}
	}
	for n := range object {
		names = append(names, n)
	}
	slices.Sort(names)
	if r.fields[command] == nil {
		r.fields[command] = names
	}
	return v
}

func (r *told) into(v jsontext.Value, to any) {
	r.t.Helper()
	if err := json.Unmarshal(v, to); err != nil {
		r.t.Fatal(err)
	}
}

// text returns a field of an object.
func (r *told) text(v jsontext.Value, field string) string {
	r.t.Helper()
	var object map[string]jsontext.Value
	r.into(v, &object)
	var s string
	r.into(object[field], &s)
	return s
}

// serves starts a node as pilin serve does, and returns the secret of its first administrator and what ends it.
func (r *told) serves(config string) (secret string, end func()) {
	r.t.Helper()
	out, end := r.starts(config)
	r.until("serve prints its secret", func() bool { return strings.HasSuffix(out.String(), "\n") })
	return r.text(r.note("serve", []byte(out.String())), "secret"), end
}

// starts lets a node serve until end is called.
func (r *told) starts(config string) (out *printed, end func()) {
	ctx, stop := context.WithCancel(context.Background())
	out = &printed{}
	ended := make(chan error, 1)
	go func() { ended <- (&serveCmd{Config: config, log: io.Discard}).Run(ctx, &printer{out, true}) }()
	return out, func() {
		stop()
		if err := <-ended; err != nil {
			r.t.Error(err)
		}
	}
}

// until waits for what real nodes bring about.
func (r *told) until(what string, ok func() bool) {
	r.t.Helper()
	for up := time.Now().Add(60 * time.Second); !ok(); {
		if time.Now().After(up) {
			r.t.Fatalf("never: %s", what)
		}
		<-time.NewTimer(50 * time.Millisecond).C
	}
}

func (r *told) ok(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// Every command prints one JSON document with --json, whose fields have the names that are written down. A new command that
// nobody runs here, and is not named above with a reason, fails.
func TestJSON_everyCommand(t *testing.T) {
	t.Chdir(t.TempDir())
	r := &told{t, map[string][]string{}}
	ports := r.found()
	r.online(ports)
	r.offline()
	r.files()

	parser, err := kong.New(&cli{})
	r.ok(err)
	for _, leaf := range parser.Model.Leaves(false) {
		name := strings.TrimPrefix(leaf.Path(), parser.Model.Name+" ")
		if _, ran := r.fields[name]; ran == (notJSON[name] != "") {
			t.Errorf("pilin %s: run with --json %t, named as an exception %q", name, ran, notJSON[name])
		}
	}
	r.compare()
}

// compare compares the names of fields with testdata/json.golden.
func (r *told) compare() {
	r.t.Helper()
	var text bytes.Buffer
	for _, c := range slices.Sorted(func(yield func(string) bool) {
		for c := range r.fields {
			if !yield(c) {
				return
			}
		}
	}) {
		fmt.Fprintf(&text, "%s: %s\n", c, strings.Join(r.fields[c], " "))
	}
	name := filepath.Join(here, "testdata", "json.golden")
	if *update {
		r.ok(os.WriteFile(name, text.Bytes(), 0o644))
	}
	want, err := os.ReadFile(name)
	r.ok(err)
	if !bytes.Equal(text.Bytes(), want) {
		r.t.Errorf("fields are not those of %s (go test -update after a change that is meant):\n%s", name, text.String())
	}
}

// here is the folder of this package.
var here, _ = os.Getwd()

// found makes three bureaux, of which two will serve, and returns their people's ports.
func (r *told) found() (people []string) {
	codes := []string{"310116-01", "310117-01", "330482-01"}
	var requests []string
	for i, code := range codes {
		dir, port := fmt.Sprint("m", i), freePorts(r.t)
		r.run("init", "--dir", dir, "--member", code, "--name", "测"+code, "--address", "https://"+port[1],
			"--agreement-no", "测1", "--pipia-no", "测1", "--retention", "测1")
		requests = append(requests, filepath.Join(dir, code+".request"))
		people = append(people, "http://"+port[0])
		r.ok(os.WriteFile(dir+".yaml", fmt.Appendf(nil, "member: %s\ndata: %s\npeople: {listen: %s}\nmembers: {listen: %s}\nunsafe_test: true\n", code, dir, port[0], port[1]), 0o600))
	}
	r.run("charter found", append([]string{"--name", "测", "--synthetic", "--out", "c.note"}, requests...)...)
	for i := range codes {
		r.run("charter sign", "--dir", fmt.Sprint("m", i), "c.note")
	}
	r.run("charter merge", "c.note", "c.note", "--out", "charter.note")
	r.run("charter show", "charter.note")
	for i := range codes {
		r.run("join", "--config", fmt.Sprintf("m%d.yaml", i), "charter.note")
	}
	return people
}

func freePorts(t *testing.T) (addresses [2]string) {
	t.Helper()
	for i := range addresses {
		addresses[i] = freeAddress(t)
	}
	return addresses
}

// freeAddress returns a loopback address that was free a moment ago, below the ports that the machine gives to connections.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(15_000+rand.IntN(17_000)))
		if l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

const password = "yanshi-zhi-yong-2026"

// staff makes accounts at a node, each with its password.
func (r *told) staff(at, secret string) {
	r.t.Setenv("PILIN_PASSWORD", password)
	r.t.Setenv("PILIN_NODE", at)
	r.run("account password", "--secret", secret)
	for i, a := range [][]string{{"officer", "officer"}, {"officer2", "officer"}, {"legal", "legal_reviewer"}, {"liaison", "liaison"}, {"head", "head"}, {"coordinator", "coordinator"}, {"auditor", "auditor"}} {
		args := []string{"--account", "admin", a[0], "--roles", a[1]}
		if a[1] == "officer" {
			args = append(args, "--certificate", fmt.Sprint("9900000001", i))
		}
		made := r.run("account create", args...)
		r.run("account password", "--secret", r.text(made, "link"))
	}
}

// online runs what speaks to a running node.
func (r *told) online(people []string) {
	t := r.t
	secret, end := r.serves("m0.yaml")
	other, endOther := r.serves("m1.yaml")
	defer end()
	defer endOther()
	r.staff(people[1], other)
	r.staff(people[0], secret)
	var accounts []client.Account
	r.into(r.run("account list", "--account", "admin"), &accounts)
	r.run("account disable", "--account", "admin", accounts[len(accounts)-1].ID)
	r.run("account disable", "--account", "admin", "--enable", accounts[len(accounts)-1].ID)

	r.office(accounts[len(accounts)-1].ID)
	r.run("probe", "--config", "m0.yaml")

	spot := r.text(r.run("ref new", "--account", "officer", "--with", "99000000011"), "number")
	r.run("ref list", "--account", "officer")
	d := demo.Story[0]
	ask := []string{"--account", "officer", "--purpose", "RAID", "--ref", "spot_check:" + spot, "--id", d.Person.ID}
	var a client.Answer
	r.until("two of three answer", func() bool {
		r.into(r.run("ask", ask...), &a)
		return a.Answered == 2
	})
	today := time.Now().In(time.FixedZone("", 8*3600)).Format(time.DateOnly)
	r.run("act sign", "--account", "officer", a.Ask, "--at", today, "--place", "310116", "--qualification", "none")
	r.run("act list", "--account", "auditor")
	r.run("act withdraw", "--account", "officer", a.Ask, "--reason", "签认有误,予以撤回")
	r.run("ref tie", "--account", "officer", spot, "--to", "case:测金卫医案〔2026〕9001号")
	spot = r.text(r.run("ref new", "--account", "officer", "--with", "99000000011"), "number")
	r.run("ref close", "--account", "officer", spot, "--reason", "无人在场,予以销号")

	payload, err := d.Penalty()
	r.ok(err)
	payload = bytes.Replace(payload, []byte(d.Issuer.Issuer), []byte(demo.Bureaux[0].Issuer), 1)
	r.ok(os.WriteFile("penalty.json", payload, 0o600))
	w := r.run("publish", "--account", "officer", "--type", "penalty", "--file", "penalty.json")
	id := r.text(w, "id")
	for i, s := range [][]string{{"submit", "officer"}, {"approve", "legal"}, {"publish", "liaison"}} {
		w = r.run("publish", "--account", s[1], "--type", "penalty", "--step", s[0], "--id", id, "--version", fmt.Sprint(i+1))
	}
	r.run("list", "--account", "liaison", "--type", "penalty")
	r.run("show", "--account", "liaison", "--type", "penalty", r.text(w, "id"))
	r.run("status", "--account", "liaison", "--federation")
	r.run("audit", "--account", "auditor")
	r.operation(people)
	r.sheet()
	r.hears(people[0])

	p := r.problem(1, "show", "--account", "liaison", strings.Repeat("0", 32))
	if p.Code != "not_found" || p.Status != 404 || p.Detail == p.DetailEn || p.RequestID == "" || p.Type != "urn:pilin:problem:not_found" {
		t.Errorf("a node's problem: %+v", p)
	}
	if p := r.problem(exitUsage, "show"); p.Code != "usage" || p.Exit != exitUsage {
		t.Errorf("a command line that is not understood: %+v", p)
	}
	if p := r.problem(1, "export", "out", "--config", "charter.note"); p.Code != "failed" || p.Detail == "" {
		t.Errorf("an error of this program: %+v", p)
	}
	r.run("member address", "--config", "m0.yaml", "https://"+freeAddress(t)) // the node may run
	r.run("key list", "--config", "m0.yaml")
	r.run("key send", "--config", "m0.yaml")
	r.run("charter renew", "--config", "m0.yaml", "--out", "c2.note")
	r.run("charter remove", "--config", "m0.yaml", "--out", "c3.note", "330482-01")
	r.run("charter take", "--config", "m1.yaml", "charter.note")
}

// office runs what an administrator and the head do about people.
func (r *told) office(somebody string) {
	r.t.Helper()
	r.run("unit add", "--account", "admin", "KS-1", "测一科", "--kind", "section")
	r.run("unit list", "--account", "admin")
	r.run("unit change", "--account", "admin", "KS-1", "--name", "测执法科")
	r.run("unit assign", "--account", "admin", somebody, "KS-1")
	r.run("unit close", "--account", "admin", "KS-1", "--move-to", "-")
	today := time.Now().In(time.FixedZone("", 8*3600)).Format(time.DateOnly)
	id := r.text(r.run("acting give", "--account", "head", "liaison", "--from", today, "--until", today, "--paper", "charter.note"), "id")
	r.run("acting list", "--account", "head")
	r.run("acting end", "--account", "head", id)
	r.run("roster template", "--account", "admin", "--out", "roster.xlsx")
	r.run("roster import", "--account", "admin", "roster.xlsx", "--dry-run")
}

// problem runs a command that fails, and reads its complaint.
func (r *told) problem(code int, args ...string) (c complaint) {
	r.t.Helper()
	var out, said bytes.Buffer
	if got := run(append(args, "--json"), &out, &said); got != code || out.Len() > 0 || strings.Count(said.String(), "\n") != 1 {
		r.t.Fatalf("pilin %s ends with %d: %s%s", strings.Join(args, " "), got, out.String(), said.String())
	}
	r.ok(json.Unmarshal(said.Bytes(), &c, json.RejectUnknownMembers(true)))
	return c
}

// operation plans one with the other bureau, which accepts it.
func (r *told) operation(people []string) {
	day := time.Now().AddDate(0, 0, 2).Format(time.DateOnly)
	plan, err := demo.Operation(demo.Bureaux[0], []demo.Bureau{{Member: "310117-01"}}, day)
	r.ok(err)
	r.ok(os.WriteFile("plan.json", plan, 0o600))
	id := r.text(r.run("operation plan", "--account", "coordinator", "--file", "plan.json"), "id")
	r.run("operation show", "--account", "coordinator")
	r.until("the invitation is there", func() bool {
		return run([]string{"operation", "show", id, "--node", people[1], "--account", "liaison"}, io.Discard, io.Discard) == 0
	})
	r.run("operation reply", "--node", people[1], "--account", "liaison", id, "--accept", "--officers", "2")
	r.run("operation step", "--account", "coordinator", id, "cancel", "--version", "1", "--reason", "天气原因取消")
}

// sheet takes a line of an old list through to its publication.
func (r *told) sheet() {
	r.run("batch template", "--account", "officer", "--out", "new.xlsx")
	d := demo.Story[0]
	r.ok(os.WriteFile("old.csv", []byte("当事人,身份证号,性别,处罚决定书文号,处罚日期,案由,罚款金额(元)\n测甲一,"+d.Person.ID+",男,测金卫医罚〔2025〕8001号,2025-03-05,非医师行医,20000\n"), 0o600))
	mapping := client.Profile{Name: "旧台账", Type: "penalty", Constants: map[string]string{"/issuer_uscc": demo.Bureaux[0].Issuer, "/issuer_name": "测金山区卫生健康委员会",
		"/issuer_kind": "health_authority", "/respondent_kind": "person", "/legal_basis": "行政处罚法第26条", "/purpose": "CASE"}}
	b, err := json.Marshal(mapping)
	r.ok(err)
	r.ok(os.WriteFile("mapping.json", b, 0o600))
	r.run("batch profile", "--account", "officer", "--file", "mapping.json")
	var imp client.Import
	r.into(r.run("import", "--account", "officer", "old.csv", "--profile", "旧台账", "--commit"), &imp)
	r.run("batch list", "--account", "officer")
	args := []string{"--account", "legal", imp.ID, "approve", "--hash", imp.FileHash, "--rows", "1"}
	var shown struct {
		Rows []client.ImportRow `json:"rows"`
	}
	for _, state := range []string{"ok", "warning"} {
		r.into(r.run("batch show", "--account", "legal", imp.ID, "--state", state), &shown)
		if state == "warning" && len(shown.Rows) > 0 {
			args = append(args, "--warned", "2")
		}
	}
	r.run("batch step", args...)
	r.run("batch step", "--account", "liaison", imp.ID, "publish", "--hash", imp.FileHash, "--rows", "1")
	r.run("batch gaps", "--account", "liaison")
	r.run("export list", "--account", "liaison", "--out", "own.csv", "--purpose", "CASE", "--ref", "case:测金卫医案〔2026〕9001号")
}

// hears takes the first event about a record from the stream.
func (r *told) hears(at string) {
	ctx, stop := context.WithCancel(r.t.Context())
	defer stop()
	r.ok(os.WriteFile("place", []byte("310116-01/local:0\n"), 0o600))
	var out printed
	ended := make(chan error, 1)
	c := eventsCmd{person: person{Node: at, Account: "liaison"}, PlaceFile: "place"}
	go func() { ended <- c.Run(ctx, &printer{&out, true}) }()
	var entry string
	r.until("an event about a record", func() bool {
		for line := range strings.Lines(out.String()) {
			if strings.HasSuffix(line, "\n") && strings.Contains(line, `"topic":"entry"`) {
				entry = line
				return true
			}
		}
		return false
	})
	stop()
	r.ok(<-ended)
	r.note("events", []byte(entry))
}

// offline runs what works on a node that is stopped, keys and copies.
func (r *told) offline() {
	r.run("init", "--dir", "m3", "--member", "310119-01", "--name", "测南汇", "--address", "https://127.0.0.1:18449")
	r.run("charter admit", "charter.note", "m3/310119-01.request", "--out", "c4.note")
	r.run("export log", "out", "--config", "m0.yaml")
	r.run("verify", "out", "--charter", "charter.note")
	r.run("rebuild", "--config", "m0.yaml")
	r.run("backup", "--config", "m0.yaml", "--keys", "keys", "copy")
	r.run("restore", "--check", "copy")
	r.ok(os.WriteFile("r.yaml", []byte("member: 310116-01\ndata: r\nmembers: {listen: "+freeAddress(r.t)+"}\nunsafe_test: true\n"), 0o600))
	r.run("restore", "--config", "r.yaml", "--keys", "keys", "copy")
	_, end := r.starts("r.yaml")
	r.until("the restored node has looked for others", func() bool {
		return run([]string{"rejoin", "--config", "r.yaml"}, io.Discard, io.Discard) == 0
	})
	r.run("rejoin", "--config", "r.yaml")
	end()
	r.run("key rotate", "--config", "m0.yaml", "--unheard")
	keys := r.keys()
	r.run("key revoke", "--config", "m0.yaml", keys[0].Key, "--from", fmt.Sprint(keys[1].From))
	r.run("key rotate", "--config", "m0.yaml", "--storage")
	r.run("key recover", "--config", "m0.yaml", "--recovery", "m0/recovery.key", "--unheard")
	r.ends(1, "doctor", "--config", "m0.yaml")
	r.run("member leave", "--config", "m0.yaml", "--yes")

	s, err := embedded.Start(node.Topics("310117-01")...)
	r.ok(err)
	defer s.Stop()
	b, err := os.ReadFile("m1.yaml")
	r.ok(err)
	r.ok(os.WriteFile("k.yaml", append(b, "kafka: {brokers: ["+s.Brokers[0]+"]}\n"...), 0o600))
	r.ends(1, "kafka check", "--config", "k.yaml") // the stand-in lets anybody write everywhere
	r.run("kafka provision", "--config", "k.yaml", "--charter", "charter.note", "--table", filepath.Join(here, "../../deploy/kafka/topics.yaml"), "--replicas", "1")
}

func (r *told) keys() (keys []listedKey) {
	r.into(r.run("key list", "--config", "m0.yaml"), &keys)
	return keys
}

// files runs what reads files and needs no node.
func (r *told) files() {
	r.run("version")
	r.ok(os.WriteFile("count.json", []byte(`{}`), 0o600))
	r.ends(exitBroken, "count", "--input", "count.json")
	r.ok(os.WriteFile("registry.jsonl", []byte(`{"id":"E1","member":"310116","type":"person","name":"测甲一"}`+"\n"), 0o600))
	r.ok(os.WriteFile("queries.jsonl", []byte(`{"qid":"Q1","name":"测甲一"}`+"\n"), 0o600))
	r.run("match eval", "--registry", "registry.jsonl", "--queries", "queries.jsonl", "--out", "out.jsonl")
}
