package node

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/embedded"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/internal/kafkabus"
	"github.com/pilinhub/pilin/record"
)

// A federation that the first landed version left behind is opened by this one: everything is there to the byte, sealed,
// found as it was found, provable, and goes on in the same streams.
func TestUpgrade_FromTheFirstVersion(t *testing.T) {
	for name, postgres := range map[string]bool{"SQLite": false, "PostgreSQL": true} {
		t.Run(name, func(t *testing.T) {
			g := readGolden(t)
			d := g.layOut(t, postgres)
			for _, m := range d.members {
				d.opensTheSame(g, m)
			}
			d.movedHere()
			var topics []string
			for _, m := range d.members {
				topics = append(topics, Topics(m)...)
			}
			s, err := embedded.Start(topics...)
			d.ok(err)
			t.Cleanup(s.Stop)
			for _, m := range d.members {
				d.nodes[m].cfg.Kafka.Brokers, d.nodes[m].cfg.Redis.URL = s.Brokers, s.Redis
				d.again(m)
			}
			d.released()
			for _, m := range d.members {
				d.everywhere(m, d.held(m, record.Stream(m, record.Records)))
			}
			d.answersTheSame(g)
			d.goesOn(g)
		})
	}
}

// opensTheSame opens a bureau's database once, which migrates and seals it, and compares what it holds.
func (d *direct) opensTheSame(g golden, m record.MemberID) {
	t, old := d.t, d.nodes[m]
	cells := d.clear(old.cfg)
	canaries := []string{"测甲一", "320623190001159016"}
	if m == "330482-01" {
		canaries = append(canaries, "测丙三")
	}
	for _, c := range canaries {
		if !old.shows(t, c) {
			t.Fatalf("the golden files of %s do not show %q at all", m, c)
		}
	}
	n, err := Open(t.Context(), old.cfg, old.slog)
	d.ok(err)
	heads, err := n.store.Heads(t.Context())
	d.ok(err)
	for _, h := range heads {
		is := fmt.Sprintf("%d %d %s %s", h.Size, h.Applied, h.Root, base64.StdEncoding.EncodeToString(h.Checkpoint))
		if want := g.Heads[string(m)+" "+string(h.Stream)]; is != want {
			t.Errorf("%s: head of %s is %s, was %s", m, h.Stream, is, want)
		}
		delete(g.Heads, string(m)+" "+string(h.Stream))
	}
	for left := range g.Heads {
		if strings.HasPrefix(left, string(m)+" ") {
			t.Errorf("gone: %s", left)
		}
	}
	if got := n.cells(d); len(cells) < 150 || len(got) != len(cells) {
		t.Errorf("%s: %d headers and parts, were %d", m, len(got), len(cells))
	} else {
		for _, c := range cells {
			if is := got[at(c)]; is.State != c.State || !bytes.Equal(is.Bytes, c.Bytes) || c.Part != "" && !bytes.Equal(is.Salt, c.Salt) {
				t.Errorf("%s: %s %d %q differs", m, c.Stream, c.Seq, c.Part)
			}
		}
	}
	d.ok(n.Close())
	for _, c := range canaries {
		if old.shows(t, c) {
			t.Errorf("%s: %q stands in clear after the upgrade", m, c)
		}
	}
	if folder := filepath.Join(goldenDir, string(m), "export"); m == "330482-01" {
		d.exportsTheSame(old.cfg, folder)
	}
}

// cellAt is where a cell stands.
type cellAt struct {
	stream record.StreamID
	seq    uint64
	part   record.PartName
}

func at(c cell) cellAt { return cellAt{c.Stream, c.Seq, c.Part} }

// cells reads every header and part as this version reads them.
func (n *Node) cells(d *direct) map[cellAt]cell {
	d.t.Helper()
	all := map[cellAt]cell{}
	heads, err := n.store.Heads(d.t.Context())
	d.ok(err)
	for _, h := range heads {
		for from := uint64(0); from < h.Size; {
			gs, err := n.store.Groups(d.t.Context(), h.Stream, from, record.MaxGroupRecords)
			d.ok(err)
			for _, st := range gs[0].Records {
				all[cellAt{h.Stream, st.Seq, ""}] = cell{Stream: h.Stream, Seq: st.Seq, Bytes: st.Header}
				for _, p := range st.Parts {
					c := cell{Stream: h.Stream, Seq: st.Seq, Part: p.Name, State: p.State, Bytes: p.Bytes}
					if p.State == record.PartPresent {
						c.Salt = p.Salt[:]
					}
					all[at(c)] = c
				}
				from = st.Seq + 1
			}
		}
	}
	return all
}

// exportsTheSame exports and compares file by file with what the first version exported.
func (d *direct) exportsTheSame(cfg Config, golden string) {
	t, dir := d.t, filepath.Join(d.t.TempDir(), "export")
	_, err := Export(t.Context(), cfg, dir)
	d.ok(err)
	files := func(root string) (all []string) {
		d.ok(filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				name, _ := filepath.Rel(root, path)
				all = append(all, name)
			}
			return err
		}))
		return all
	}
	want := files(golden)
	if got := files(dir); len(want) < 8 || !slices.Equal(got, want) {
		t.Fatalf("exported %v, were %v", got, want)
	}
	for _, name := range want {
		is, err := os.ReadFile(filepath.Join(dir, name))
		d.ok(err)
		was, err := os.ReadFile(filepath.Join(golden, name))
		d.ok(err)
		if !bytes.Equal(is, was) {
			t.Errorf("%s is not what the first version exported", name)
		}
	}
}

// movedHere gives each bureau an address of this test: it states it, and the others take the statement by hand.
func (d *direct) movedHere() {
	d.t.Helper()
	var statements [][]byte
	for _, m := range d.members {
		s, err := ChangeAddress(d.t.Context(), d.nodes[m].cfg, "https://"+d.nodes[m].cfg.Members.Listen)
		d.ok(err)
		statements = append(statements, s.Statements...)
	}
	for _, m := range d.members {
		_, err := TakeNotes(d.t.Context(), d.nodes[m].cfg, statements...)
		d.ok(err)
	}
}

func (d *direct) firstDesk(bureau, account string) *client.Desk {
	d.t.Helper()
	desk := client.NewDesk("http://"+d.nodes[bureaux[bureau]].cfg.People.Listen, nil)
	d.ok(desk.SignIn(d.t.Context(), account, firstPassword))
	return desk
}

// answersTheSame asks what the first version was asked.
func (d *direct) answersTheSame(g golden) {
	t := d.t
	if len(g.Asked) < 6 {
		t.Fatalf("only %d golden questions", len(g.Asked))
	}
	for _, q := range g.Asked {
		a, err := d.firstDesk(q.Bureau, "officer").Ask(t.Context(), client.Ask{Purpose: federation.PurposeRaid, Question: q.Question, Why: true,
			WorkRef: client.WorkRef{Kind: "inspection", Number: "测检〔2026〕1号"}})
		d.ok(err)
		var hits []string
		for _, h := range a.Hits {
			hits = append(hits, fmt.Sprintf("%s %s %s %s %d", h.Member, h.Type, h.State, h.Subject, h.Version))
		}
		slices.Sort(hits)
		if q.Question.Name != "" && q.Outcome == "possible" && a.Outcome == "hit" {
			q.Outcome = "hit" // the matching engine came later: of a whole name with a birth date it is surer
		}
		if a.Outcome != q.Outcome || a.Answered != q.Answered || !slices.Equal(hits, q.Hits) {
			t.Errorf("%+v: %s %d %v, was %s %d %v", q.Question, a.Outcome, a.Answered, hits, q.Outcome, q.Answered, q.Hits)
		}
		if c := a.Count; c == nil && q.Alert != "" || c != nil && (c.Alert != q.Alert || c.Basic != q.Basic || c.Excluded != q.Excluded) {
			t.Errorf("%+v: counted %+v, was %s %d %d", q.Question, c, q.Alert, q.Basic, q.Excluded)
		}
	}
}

// goesOn takes a draft that the first version left behind to its publication: the stream goes on where it was.
func (d *direct) goesOn(g golden) {
	t, ctx := d.t, d.t.Context()
	lead := d.members[0]
	s := record.Stream(lead, record.Records)
	before := d.held(lead, s)
	officer, legal, liaison := d.firstDesk("金山", "officer"), d.firstDesk("金山", "legal"), d.firstDesk("金山", "liaison")
	draft, err := officer.Entry(ctx, client.Penalties, g.Drafts[0][1])
	d.ok(err)
	w, err := officer.Step(ctx, client.Penalties, draft.ID, "submit", "", client.Step{Version: draft.Version})
	d.ok(err)
	w, err = legal.Step(ctx, client.Penalties, w.ID, "approve", "", client.Step{Version: w.Version})
	d.ok(err)
	_, err = liaison.Step(ctx, client.Penalties, w.ID, "publish", "", client.Step{Version: w.Version})
	d.ok(err)
	d.everywhere(lead, before+1)
	for _, m := range d.members {
		if got := d.verified(m); got[s] != before+1 {
			t.Errorf("%s proves %d records of %s, want %d", m, got[s], s, before+1)
		}
		for _, st := range []record.StreamID{record.Stream(m, record.Audit), record.Stream(m, record.Local)} {
			if h, err := d.nodes[m].store.Head(ctx, st); err != nil || st.Kind() == record.Audit && h.Size < 30 || h.Size == 0 {
				t.Errorf("%s does not go on: %d, %v", st, h.Size, err)
			}
		}
	}
	exported := filepath.Join(t.TempDir(), "export")
	_, err = Export(ctx, d.nodes["330482-01"].cfg, exported)
	d.ok(err)
	folder := "streams/310116-01.records/00000000000000000000.range"
	is, err := os.ReadFile(filepath.Join(exported, folder))
	d.ok(err)
	was, err := os.ReadFile(filepath.Join(goldenDir, "330482-01/export", folder))
	d.ok(err)
	now, err := record.DecodeRange(is)
	d.ok(err)
	then, err := record.DecodeRange(was)
	d.ok(err)
	if len(now) != len(then)+1 {
		t.Fatalf("%d commit groups, were %d", len(now), len(then))
	}
	for i, f := range then {
		a, err := f.Encode()
		d.ok(err)
		b, err := now[i].Encode()
		d.ok(err)
		if !bytes.Equal(a, b) {
			t.Errorf("commit group %d is another", i)
		}
	}
}

// A peer of the first version and one of this version understand each other: this version makes the first one's frames
// anew to the byte, takes the first one's frames from the topic, and reads and answers its head exchange.
func TestUpgrade_ExchangesWithTheFirstVersion(t *testing.T) {
	g := readGolden(t)
	d := g.layOut(t, false)
	for _, m := range d.members {
		n, err := Open(t.Context(), d.nodes[m].cfg, d.nodes[m].slog)
		d.ok(err)
		d.framesTheSame(n, g.Topic[string(m)])
		d.ok(n.Close())
	}
	a, c := d.members[0], d.members[2]
	_, err := exchange.OpenHeadsAnswer(g.Wire["answer"], d.charter().Federation(), a, rosterOf(d.charter()).NoteKeys(a), [32]byte(g.Wire["nonce"]))
	if err != nil {
		t.Errorf("the first version's answer to a head exchange: %v", err)
	}
	d.movedHere()
	asker := d.nodes[c].cfg
	d.again(a)
	d.again(d.members[1])
	d.until("released", d.nodes[a].t.release.Released)
	d.until("answers", func() bool {
		keys, err := ReadKeys(asker.Data)
		d.ok(err)
		p := peersAs(d.nodes[a].dir, keys, asker.Now)
		defer p.Close()
		answer, err := p.Heads(t.Context(), a, g.Wire["request"])
		if err != nil {
			return false
		}
		h, err := exchange.OpenHeadsAnswer(answer, d.charter().Federation(), a, rosterOf(d.charter()).NoteKeys(a), [32]byte(g.Wire["nonce"]))
		d.ok(err)
		return len(h.Heads) == 3 && len(h.Receipts) == 2 // of everybody's records; its own receipts for the others'
	})
	d.stop(d.nodes[a])
	d.stop(d.nodes[d.members[1]])
	d.hearsTheFirst(g)
}

func (d *direct) charter() *federation.Directory {
	d.t.Helper()
	note, err := os.ReadFile(filepath.Join(goldenDir, "charter-1.note"))
	d.ok(err)
	dir, err := federation.NewDirectory(nil, note)
	d.ok(err)
	return dir
}

// framesTheSame makes the frames of a bureau's own records anew. A part that was superseded meanwhile is left out of them
// by design; then headers and checkpoint are compared alone.
func (d *direct) framesTheSame(n *Node, topic [][]byte) {
	t, whole := d.t, 0
	s := record.Stream(n.cfg.Member, record.Records)
	from := uint64(0)
	for i, was := range topic {
		gs, err := n.store.Groups(t.Context(), s, from, 1)
		d.ok(err)
		fr, err := record.SealedFrame(n.dir.Federation(), gs[0], n.roster.SealKey)
		d.ok(err)
		old, err := record.DecodeFrame(was)
		d.ok(err)
		if len(fr.Boxes) == len(old.Boxes) {
			whole++
		} else {
			fr.Boxes, old.Boxes = nil, nil
		}
		a, err := fr.Encode()
		d.ok(err)
		b, err := old.Encode()
		d.ok(err)
		if !bytes.Equal(a, b) {
			t.Errorf("frame %d of %s is another", i, s)
		}
		from = fr.End()
	}
	if whole < 3 {
		t.Errorf("only %d frames of %s could be compared whole", whole, s)
	}
}

// hearsTheFirst lets a bureau that begins anew read the frames that the first version put on the topics of the others.
func (d *direct) hearsTheFirst(g golden) {
	t, m := d.t, d.members[2]
	var topics []string
	for _, o := range d.members {
		topics = append(topics, Topics(o)...)
	}
	s, err := embedded.Start(topics...)
	d.ok(err)
	t.Cleanup(s.Stop)
	b, err := kafkabus.Open(kafkabus.Config{Brokers: s.Brokers})
	d.ok(err)
	p := kafkabus.NewProducer(b)
	for _, o := range d.members {
		for _, frame := range g.Topic[string(o)] {
			st := record.Stream(o, record.Records)
			d.ok(p.Produce(t.Context(), kafkabus.LogTopic(o), string(st), kafkabus.FrameEvent, record.Origin(d.charter().Federation(), st), "application/pilin-frame", frame))
		}
	}
	d.ok(p.Close())
	cfg := d.nodes[m].cfg
	keys, err := os.ReadFile(filepath.Join(cfg.Data, keysFile))
	d.ok(err)
	cfg.Data, cfg.Database, cfg.Kafka.Brokers, cfg.Redis.URL = t.TempDir(), Database{}, s.Brokers, s.Redis
	d.ok(os.WriteFile(filepath.Join(cfg.Data, keysFile), keys, 0o600))
	note, err := os.ReadFile(filepath.Join(goldenDir, "charter-1.note"))
	d.ok(err)
	_, err = Join(t.Context(), cfg, note)
	d.ok(err)
	d.nodes[m] = &Node{cfg: cfg, slog: slog.New(slog.DiscardHandler)}
	for _, o := range d.members[:2] {
		d.down[o].Store(true)
	}
	n := d.again(m)
	for _, o := range d.members[:2] {
		st := record.Stream(o, record.Records)
		want := strings.Fields(g.Heads[string(m)+" "+string(st)])
		d.until("heard of "+string(o), func() bool {
			h, err := n.store.Head(t.Context(), st)
			return err == nil && fmt.Sprint(h.Applied) == want[0] && h.Root.String() == want[2]
		})
	}
}

// The configuration of the first version is read, and means what it meant.
func TestUpgrade_FirstConfiguration(t *testing.T) {
	for _, m := range three {
		c, err := ReadConfig(filepath.Join(goldenDir, string(m), "pilin.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if c.Member != m || c.Ask.Deadline != 3*time.Second || c.Exchange.Heads != 20*time.Second || c.Database.DSN != "/var/lib/pilin/pilin.db" ||
			c.Kafka.User != string(m) || !c.Kafka.TLS || c.Members.Listen != "0.0.0.0:8443" || c.UnsafeTest {
			t.Errorf("%+v", c)
		}
		if c.Storage != (Storage{}) || c.Limits != (Limits{}) || c.Tracing.Endpoint != "" {
			t.Errorf("what is new is not left at its default: %+v", c)
		}
	}
}
