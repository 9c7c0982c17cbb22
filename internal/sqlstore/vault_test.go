package sqlstore_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/keystore"
	"github.com/pilinhub/pilin/internal/sheets"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/record/recordtest"
)

// testKeys are the storage keys of all stores of these tests.
var testKeys = func() *keystore.Store {
	k, err := keystore.Generate(rand.Reader, time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC))
	if err != nil {
		panic(err)
	}
	return k
}()

const canary = "测甲一CANARY19000101"

// atRest are the databases that these tests are run on, each with what an attacker reads: every byte of it.
var atRest = map[string]func(t *testing.T) (driver, dsn string, bytes func() []byte){
	"SQLite": func(t *testing.T) (string, string, func() []byte) {
		file := filepath.Join(t.TempDir(), "pilin.db")
		return "sqlite", file, func() []byte {
			var all []byte
			for _, suffix := range []string{"", "-wal", "-shm"} {
				b, err := os.ReadFile(file + suffix)
				if err != nil && !errors.Is(err, os.ErrNotExist) {
					t.Fatal(err)
				}
				all = append(all, b...)
			}
			return all
		}
	},
	"PostgreSQL": func(t *testing.T) (string, string, func() []byte) {
		dsn := testsvc.Postgres(t)
		return "postgres", dsn, func() []byte { return pgDump(t, dsn) }
	},
}

// full is a store with a canary in every place that content comes to, and what was put there.
type full struct {
	*sqlstore.Store
	kit     *recordtest.Kit
	ctx     context.Context
	kept    record.RecordID // its body is the canary
	changed record.Stored   // superseded: restricted
	tail    record.RecordID // unreleased
	open    federation.KeptAsk
	ident   []byte
	attempt [32]byte
}

var onRecords = record.Stream(recordtest.Self, record.Records)

// fill puts the canary everywhere.
func fill(t *testing.T, cfg sqlstore.Config, k *recordtest.Kit) *full {
	t.Helper()
	f := &full{Store: open(t, cfg), kit: k, ctx: t.Context(), ident: bytes.Repeat([]byte{0xC3}, 32), attempt: [32]byte(bytes.Repeat([]byte{0xC4}, 32))}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(f.Release(f.ctx, onRecords))
	drafts := make([]record.Draft, 2)
	for i := range drafts {
		drafts[i] = k.Draft(recordtest.Self, record.Records)
		for _, p := range []record.PartName{record.Card, record.Body, record.Home} {
			drafts[i].Parts[p] = fmt.Appendf(nil, `{"name":"%s","part":"%s"}`, canary, p)
		}
	}
	f.kept = drafts[0].ID
	_, err := f.Append(f.ctx, record.Append{Drafts: drafts[:1], Scope: "account", Key: "key", BodyHash: [32]byte{0xC5, 0xC5, 0xC5, 0xC5}, Answer: func(record.Appended) ([]byte, error) { return []byte(canary), nil }})
	must(err)
	res, err := f.Append(f.ctx, record.Append{Drafts: drafts[1:]})
	must(err)
	f.changed = record.Stored{Stream: onRecords, Seq: res.Records[0].Seq}
	_, err = f.Append(f.ctx, record.Append{Drafts: []record.Draft{k.Draft(recordtest.Self, record.Records, record.Ref{Rel: record.Withdraws, ID: drafts[1].ID, Version: 1})}})
	must(err)
	f.open = federation.KeptAsk{ID: record.Bits128{7}, Until: cfg.Now().Add(time.Hour).Unix(), State: []byte(canary)}
	must(f.PutOpen(f.ctx, f.open))
	must(f.PutImport(f.ctx, "import", cfg.Now().Unix(), []byte(`{"doc":"`+canary+`"}`), []byte("a file, "+canary)))
	must(f.PutChecked(f.ctx, []sheets.StoredRow{{Import: "import", Row: 2, State: sheets.RowOK, Key: f.ident}}))
	must(f.PutSteps(f.ctx, []sheets.StoredRow{{Import: "import", Row: 2, State: sheets.RowOK, Draft: "draft", Issues: []sheets.Issue{{Heading: canary}}}}))
	_, err = f.BeginAttempt(f.ctx, f.attempt, 1000, 3, 60)
	must(err)
	// A new process takes an unreleased record off the stream: it waits in a table of its own.
	must(f.Close())
	f.Store = open(t, cfg)
	d := k.Draft(recordtest.Self, record.Records)
	d.Parts[record.Body] = []byte(canary)
	f.tail = d.ID
	_, err = f.Append(f.ctx, record.Append{Drafts: []record.Draft{d}})
	must(err)
	if got, err := f.Unreleased(f.ctx, onRecords); err != nil || len(got) != 1 {
		t.Fatal("tail:", got, err)
	}
	return f
}

// whole fails unless everything that fill put in comes back.
func (f *full) whole(t *testing.T) {
	t.Helper()
	st, err := f.Record(f.ctx, f.kept)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, p := range st.Parts {
		if want := fmt.Sprintf(`{"name":"%s","part":"%s"}`, canary, p.Name); string(p.Bytes) == want {
			found++
		}
	}
	if found != 3 {
		t.Errorf("%d of 3 parts: %+v", found, st.Parts)
	}
	if got, err := f.Restricted(f.ctx, onRecords, f.changed.Seq); err != nil || !strings.Contains(string(got[record.Body]), canary) {
		t.Errorf("restricted: %q, %v", got, err)
	}
	if got, err := f.Unreleased(f.ctx, onRecords); err != nil || len(got) != 1 || got[0].ID != f.tail || string(got[0].Parts[record.Body]) != canary {
		t.Errorf("tail: %v, %v", got, err)
	}
	if got, hash, err := f.Answered(f.ctx, "account", "key"); err != nil || string(got) != canary || hash[0] != 0xC5 {
		t.Errorf("answer: %q %x %v", got, hash, err)
	}
	if got, err := f.OpenAsks(f.ctx, f.open.Until-1); err != nil || len(got) != 1 || string(got[0].State) != canary {
		t.Errorf("open question: %+v, %v", got, err)
	}
	if got, err := f.ImportFile(f.ctx, "import"); err != nil || string(got) != "a file, "+canary {
		t.Errorf("file: %q, %v", got, err)
	}
	if got, err := f.Import(f.ctx, "import"); err != nil || !strings.Contains(string(got), canary) {
		t.Errorf("import: %q, %v", got, err)
	}
	if got, err := f.Imports(f.ctx, 9); err != nil || len(got) != 1 || !strings.Contains(string(got[0]), canary) {
		t.Errorf("imports: %q, %v", got, err)
	}
	if got, err := f.ImportRows(f.ctx, "import", "", "", 0, 9); err != nil || len(got) != 1 || len(got[0].Issues) != 1 || got[0].Issues[0].Heading != canary {
		t.Errorf("rows: %+v, %v", got, err)
	}
	if got, err := f.DraftedElsewhere(f.ctx, "other", [][]byte{f.ident}); err != nil || len(got[string(f.ident)]) != 1 {
		t.Errorf("known elsewhere: %v, %v", got, err)
	}
	if _, err := f.BeginAttempt(f.ctx, f.attempt, 1001, 2, 60); err != nil {
		t.Error(err)
	}
	if until, err := f.BeginAttempt(f.ctx, f.attempt, 1002, 2, 60); err != nil || until == 0 {
		t.Errorf("the attempts before are forgotten: %d, %v", until, err)
	}
	if err := f.ClearAttempts(f.ctx, f.attempt); err != nil { // so that this can be asked again
		t.Fatal(err)
	}
	if _, err := f.BeginAttempt(f.ctx, f.attempt, 1000, 3, 60); err != nil {
		t.Fatal(err)
	}
}

// shows returns which canaries stand in b: text, hashes in clear, and either as a dump writes them.
func shows(b []byte, f *full) (found []string) {
	for name, c := range map[string][]byte{"text": []byte(canary), "number": []byte("CANARY"), "ident": f.ident, "attempt": f.attempt[:], "body hash": {0xC5, 0xC5, 0xC5, 0xC5}} {
		if bytes.Contains(b, c) || bytes.Contains(b, fmt.Appendf(nil, "%x", c)) {
			found = append(found, name)
		}
	}
	return found
}

// TestAtRest: no byte of the database shows a canary without the storage keys, and everything is there with them. The
// search finds all of them in a database that is not sealed; one that is opened with keys for the first time becomes
// sealed, and nothing of before stays in its files.
func TestAtRest(t *testing.T) {
	for name, database := range atRest {
		t.Run(name, func(t *testing.T) {
			driver, dsn, read := database(t)
			k := recordtest.NewKit(15)
			cfg := config(k.Config(recordtest.Self))
			cfg.Driver, cfg.DSN, cfg.Keys = driver, dsn, nil
			f := fill(t, cfg, k)
			if got := shows(read(), f); len(got) != 5 {
				t.Fatalf("the search finds only %v in a database in clear", got)
			}
			f.whole(t)
			cfg.Keys = testKeys
			f.Store = open(t, cfg)
			f.whole(t)
			if got := shows(read(), f); len(got) > 0 {
				t.Errorf("after it was sealed it shows %v", got)
			}

			driver, dsn, read = database(t)
			k = recordtest.NewKit(16)
			cfg = config(k.Config(recordtest.Self))
			cfg.Driver, cfg.DSN = driver, dsn
			f = fill(t, cfg, k)
			f.whole(t)
			if got := shows(read(), f); len(got) > 0 {
				t.Errorf("sealed from the first day, it shows %v", got)
			}
		})
	}
}

// TestAtRest_keys: without the storage keys, or with others, nothing opens; a new one takes over, and what the old ones
// sealed is there; a new month has a key of its own.
func TestAtRest_keys(t *testing.T) {
	driver, dsn, _ := atRest["SQLite"](t)
	k := recordtest.NewKit(17)
	cfg := config(k.Config(recordtest.Self))
	cfg.Driver, cfg.DSN = driver, dsn
	f := fill(t, cfg, k)
	keys := func() int {
		tx, err := f.Read(f.ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback() }()
		var n int
		if err := tx.QueryRowContext(f.ctx, "SELECT count(*) FROM storage_key").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := keys(); n != 2 {
		t.Errorf("%d data keys on the first day", n)
	}
	other, err := keystore.Generate(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		keys *keystore.Store
		want error
	}{"none": {nil, sqlstore.ErrSealed}, "others": {other, keystore.ErrUnknownKey}} {
		bad := cfg
		bad.Keys = c.keys
		if s, err := sqlstore.Open(f.ctx, bad); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
			if err == nil {
				_ = s.Close()
			}
		}
		r, err := sqlstore.OpenReader(f.ctx, bad)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Record(f.ctx, f.kept); !errors.Is(err, c.want) {
			t.Errorf("%s: a record is read: %v", name, err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}

	f.Store = open(t, cfg)
	before, err := f.StorageKeys(f.ctx)
	if err != nil || len(before) != 1 || before[0] != testKeys.Current() {
		t.Fatal(before, err)
	}
	cfg.Keys, err = testKeys.Rotate(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	f.Store = open(t, cfg)
	f.whole(t)
	if after, err := f.StorageKeys(f.ctx); err != nil || len(after) != 1 || after[0] != cfg.Keys.Current() || keys() != 3 {
		t.Errorf("after the rotation: %v, %v, %d data keys", after, err, keys())
	}
	if s, err := sqlstore.Open(f.ctx, config(k.Config(recordtest.Self))); err == nil { // no driver
		_ = s.Close()
	}
	now := cfg.Now().AddDate(0, 1, 0)
	cfg.Now = func() time.Time { return now }
	f.Store = open(t, cfg)
	if keys() != 4 {
		t.Errorf("%d data keys in the next month", keys())
	}
	now = now.AddDate(0, 1, 0)
	if err := f.Maintain(f.ctx); err != nil || keys() != 5 {
		t.Errorf("%d data keys after the month ended under a running node, %v", keys(), err)
	}
	d := k.Draft(recordtest.Self, record.Local)
	if _, err := f.Append(f.ctx, record.Append{Drafts: []record.Draft{d}}); err != nil {
		t.Error(err)
	}
	if _, err := f.Record(f.ctx, d.ID); err != nil {
		t.Error(err)
	}
}

// TestAtRest_place: a cell that is put in another place, or changed, is no content.
func TestAtRest_place(t *testing.T) {
	for name, tamper := range map[string]string{
		"moved":   "UPDATE part SET bytes=(SELECT bytes FROM part q WHERE q.stream=part.stream AND q.seq=part.seq AND q.name='card') WHERE seq=0 AND name='body'",
		"changed": "UPDATE part SET bytes=substr(bytes,1,length(bytes)-1)||x'00' WHERE seq=0 AND name='body'",
		"cut":     "UPDATE part SET bytes=x'01' WHERE seq=0 AND name='body'",
		"no key":  "UPDATE part SET bytes=x'0100000063000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000' WHERE seq=0 AND name='body'",
	} {
		t.Run(name, func(t *testing.T) {
			driver, dsn, _ := atRest["SQLite"](t)
			k := recordtest.NewKit(18)
			cfg := config(k.Config(recordtest.Self))
			cfg.Driver, cfg.DSN = driver, dsn
			f := fill(t, cfg, k)
			if err := f.Exec(f.ctx, tamper); err != nil {
				t.Fatal(err)
			}
			if _, err := f.Record(f.ctx, f.kept); err == nil {
				t.Error("is read")
			}
		})
	}
}

// pgDump returns what pg_dump writes of a database.
func pgDump(t *testing.T, dsn string) []byte {
	t.Helper()
	out, err := exec.Command("pg_dump", dsn).Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}
