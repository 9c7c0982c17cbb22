package node

import (
	"crypto/rand"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/workflow"
)

const (
	benchBulk    = 600  // entries that are published in bulk in one run
	benchIngest  = 2000 // records that one member takes in in one run
	benchSpread  = 1000 // records that seven members take in in one run
	benchCallers = 200  // a full commit group
)

// BenchmarkBulk is row c: publication in bulk until the broker has acknowledged every frame, by a node that is alone, so
// that nobody's intake shares its processors.
func BenchmarkBulk(b *testing.B) {
	m, f, t := beginWith(b, 1)
	for range benchRuns {
		m.bulk(t, f)
	}
	t.print(os.Stdout)
}

// BenchmarkIngest is row c: frames of full groups until one member has verified, opened and stored them and finds them.
func BenchmarkIngest(b *testing.B) {
	m, f, t := beginWith(b, 2)
	frames := m.fullFrames(benchIngest)
	for range benchRuns {
		m.ingest(t, f, frames)
	}
	t.print(os.Stdout)
}

// BenchmarkSpread is row c: one publisher and seven members on the cores of this machine.
func BenchmarkSpread(b *testing.B) {
	m, f, t := begin(b)
	for range benchRuns {
		m.spread(t, f)
	}
	t.print(os.Stdout)
}

// inBulk is the floor of publication in bulk: n entries with their outbox rows, 500 to a commit. It returns entries a second.
func (f *floor) inBulk(n int) float64 {
	const perCommit = 500
	begun := time.Now()
	for done := 0; done < n; done += perCommit {
		tx, err := f.db.BeginTx(f.t.Context(), nil)
		if err != nil {
			f.t.Fatal(err)
		}
		for table, bytes := range map[string][]byte{"entry": f.entry, "outbox": f.frame} {
			rows, args := "", make([]any, perCommit)
			for i := range perCommit {
				rows += fmt.Sprintf(",($%d)", i+1)
				args[i] = bytes
			}
			if _, err := tx.ExecContext(f.t.Context(), "INSERT INTO "+table+" (bytes) VALUES "+rows[1:], args...); err != nil {
				f.t.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			f.t.Fatal(err)
		}
	}
	return float64(n) / time.Since(begun).Seconds()
}

// copied is the floor of an intake: n rows of an entry's size by COPY, in one transaction. It returns rows a second.
func (f *floor) copied(n int) float64 {
	ctx := f.t.Context()
	if _, err := f.db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS copied (run BIGINT, id BIGINT, bytes BYTEA NOT NULL, PRIMARY KEY (run, id))"); err != nil {
		f.t.Fatal(err)
	}
	run := time.Now().UnixNano()
	begun := time.Now()
	tx, err := f.db.BeginTx(ctx, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	stmt, err := tx.PrepareContext(ctx, "COPY copied (run, id, bytes) FROM STDIN")
	if err != nil {
		f.t.Fatal(err)
	}
	defer stmt.Close()
	for i := range n {
		if _, err := stmt.ExecContext(ctx, run, i, f.entry); err != nil {
			f.t.Fatal(err)
		}
	}
	if _, err := stmt.ExecContext(ctx); err != nil {
		f.t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		f.t.Fatal(err)
	}
	return float64(n) / time.Since(begun).Seconds()
}

// bulk publishes as an approved import does: many at once through the register, group commit by whoever finds the writer
// idle.
func (m *measured) bulk(t *table, f *floor) {
	t.add("bulk_floor", f.inBulk(10_000))
	ready := m.approved(benchBulk)
	h, err := m.n.store.Head(m.t.Context(), m.own)
	m.ok(err)
	relayed := m.n.count.Get(exchange.CountRelayed, "")
	used, begun := cpu(), time.Now()
	m.together(benchCallers, benchBulk, func(_, i int) {
		if _, err := m.n.register.Publish(m.t.Context(), blacklist.Request{Actor: blacklist.Actor{Account: m.author, Roles: []workflow.Role{workflow.Liaison}}}, ready[i]); err != nil {
			m.t.Error(err)
		}
	})
	appended := time.Since(begun)
	groups, err := m.n.store.Groups(m.t.Context(), m.own, h.Size, benchBulk)
	m.ok(err)
	m.until("the broker has every frame", func() bool { return m.n.count.Get(exchange.CountRelayed, "") >= relayed+int64(len(groups)) })
	t.add("bulk", benchBulk/time.Since(begun).Seconds())
	t.add("bulk_appended", benchBulk/appended.Seconds())
	t.add("bulk_cpu_ms_an_entry", ms(cpu()-used)/benchBulk)
	t.add("bulk_entries_a_group", benchBulk/float64(len(groups)))
}

// published makes n penalties as they stand in the stream records.
func (m *measured) published(n int) []record.Draft {
	m.t.Helper()
	typ, ok := schemas.Lookup("penalty", "1")
	if !ok {
		m.t.Fatal("no type penalty")
	}
	drafts := make([]record.Draft, n)
	for i := range drafts {
		payload := fmt.Sprintf(`{"reviewed_by":{"user":"%s"},"published_at":"2025-09-01T09:00:00+08:00",%s`, m.reviewer, m.penalty()[1:])
		parts, err := typ.Split([]byte(payload))
		m.ok(err)
		id, err := record.NewBits128(rand.Reader)
		m.ok(err)
		drafts[i] = record.Draft{Stream: m.own, ID: id, Type: "penalty", Schema: "1", Day: "2025-09-01",
			Audience: map[record.GroupID]record.Level{record.All: record.L3}, Parts: map[record.PartName][]byte{}}
		for name, b := range parts {
			drafts[i].Parts[record.PartName(name)] = b
		}
	}
	return drafts
}

// append100 appends drafts, a hundred to an append and a few appends at once.
func (m *measured) append100(drafts []record.Draft) {
	m.together(4, len(drafts)/100, func(_, i int) {
		if _, err := m.n.append(m.t.Context(), record.Append{Drafts: drafts[100*i : 100*i+100]}); err != nil {
			m.t.Error(err)
		}
	})
}

// fullFrames appends n records and returns the frames that carry them to the others.
func (m *measured) fullFrames(n int) [][]byte {
	h, err := m.n.store.Head(m.t.Context(), m.own)
	m.ok(err)
	drafts := m.published(n)
	for i := 0; i < n; i += record.MaxGroupRecords {
		_, err := m.n.append(m.t.Context(), record.Append{Drafts: drafts[i:min(i+record.MaxGroupRecords, n)]})
		m.ok(err)
	}
	var frames [][]byte
	for from := h.Size; from < h.Size+uint64(n); {
		gs, err := m.n.store.Groups(m.t.Context(), m.own, from, record.MaxGroupRecords)
		m.ok(err)
		fr, err := record.SealedFrame(m.n.dir.Federation(), gs[0], m.n.roster.SealKey)
		m.ok(err)
		b, err := fr.Encode()
		m.ok(err)
		frames, from = append(frames, b), fr.End()
	}
	return frames
}

// emptyStore is a new database of a member, as its node would open it.
func (m *measured) emptyStore(n *Node) *sqlstore.Store {
	m.t.Helper()
	s, err := sqlstore.Open(m.t.Context(), sqlstore.Config{Keys: n.storage, Driver: "postgres", DSN: testsvc.PostgresDurable(m.t), Self: n.cfg.Member,
		Federation: n.dir.Federation, Signer: n.signer, Charter: n.dir.Charter, Now: time.Now, Project: project, ProjectVersion: projectVersion})
	m.ok(err)
	m.t.Cleanup(func() { _ = s.Close() })
	return s
}

// ingest lets a member with an empty database take frames in, as its intake hands them over. What the stream began with
// comes first and is not measured.
func (m *measured) ingest(t *table, f *floor, frames [][]byte) (*sqlstore.Store, *federation.LogIndex) {
	ctx := m.t.Context()
	t.add("ingest_floor", f.copied(benchIngest))
	member := m.nodes[m.members[1]]
	store := m.emptyStore(member)
	in := &exchange.Replicas{Log: store, Roster: member.roster}
	index := federation.NewLogIndex(store)
	fr, err := record.DecodeFrame(frames[0])
	m.ok(err)
	for from := uint64(0); from < fr.First; {
		gs, err := m.n.store.Groups(ctx, m.own, from, 1)
		m.ok(err)
		early, err := record.SealedFrame(m.n.dir.Federation(), gs[0], m.n.roster.SealKey)
		m.ok(err)
		if o := in.Offer(ctx, early, exchange.ViaHTTP, nil); o.Result != exchange.Applied {
			m.t.Fatal(o)
		}
		from = early.End()
	}
	m.ok(index.CatchUp(ctx))
	known := index.Len()
	used, begun := cpu(), time.Now()
	for i, b := range frames {
		if o := in.OfferBytes(ctx, m.n.cfg.Member, b, &record.Cursor{Topic: "bench", Offset: int64(i) + 1}); o.Result != exchange.Applied {
			m.t.Fatal(o)
		}
		m.ok(index.CatchUp(ctx))
	}
	t.add("ingest", benchIngest/time.Since(begun).Seconds())
	t.add("ingest_cpu_us_a_record", 1000*ms(cpu()-used)/benchIngest)
	if index.Len() != known+benchIngest {
		why, err := store.Unusable(ctx, m.own, 0, 1<<40)
		m.t.Fatalf("%d of %d can be found; of no effect: %v, %v", index.Len()-known, benchIngest, why, err)
	}
	return store, index
}

// spread lets one member append in bulk until the last of all has everything in its index. Its bound is the same rows once
// in bulk and once by COPY for each member, one after the other on the same processors.
func (m *measured) spread(t *table, f *floor) {
	bulk, copied := f.inBulk(10_000), f.copied(10_000)
	t.add("spread_floor", 1/(1/bulk+float64(len(m.members))/copied))
	drafts := m.published(benchSpread)
	h, err := m.n.store.Head(m.t.Context(), m.own)
	m.ok(err)
	watch := m.watch(h.Size, h.Size+benchSpread)
	used, begun := cpu(), time.Now()
	m.append100(drafts)
	t.add("spread_appended", benchSpread/time.Since(begun).Seconds())
	seen := watch()
	t.add("spread", benchSpread/seen[len(seen)-1].Sub(begun).Seconds())
	t.add("spread_cpu_us_a_record", 1000*ms(cpu()-used)/benchSpread)
}
