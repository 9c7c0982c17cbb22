package node

import (
	"compress/gzip"
	"database/sql"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
)

// golden is what the first landed version left behind: three bureaux with keys, charter, databases, what it exported and
// answered (testdata/first/README.md).
type golden struct {
	Day   string            `json:"day"`
	Heads map[string]string `json:"heads"` // bureau and stream → size, applied, root, checkpoint
	Asked []struct {
		Bureau   string          `json:"bureau"`
		Question client.Question `json:"question"`
		Outcome  string          `json:"outcome"`
		Answered int             `json:"answered"`
		Hits     []string        `json:"hits"`
		Alert    string          `json:"alert"`
		Basic    int             `json:"basic"`
		Excluded int             `json:"excluded"`
	} `json:"asked"`
	Drafts [][2]string         `json:"drafts"`
	Wire   map[string][]byte   `json:"wire"`
	Topic  map[string][][]byte `json:"topic"`
}

// bureaux are the golden members by the names of the golden questions.
var bureaux = map[string]record.MemberID{"金山": "310116-01", "松江": "310117-01", "平湖": "330482-01"}

const goldenDir = "testdata/first"

// firstPassword is the password of every golden account.
const firstPassword = "yanshi-zhi-yong-2026"

func unzipped(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join(goldenDir, name+".gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readGolden(t testing.TB) (g golden) {
	t.Helper()
	if err := json.Unmarshal(unzipped(t, "golden.json"), &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// layOut puts the three bureaux on disk as the first version left them, and 310116-01 into PostgreSQL if so asked. Nothing
// is opened by this version yet. Their clock shows the morning after.
func (g golden) layOut(t testing.TB, postgres bool) *direct {
	t.Helper()
	d := &direct{t: t, gates: map[record.MemberID]*gate{}, members: three, nodes: map[record.MemberID]*Node{}, down: map[record.MemberID]*atomic.Bool{}, ends: map[*Node]func(){}}
	at, err := time.ParseInLocation(time.DateOnly, g.Day, record.CivilZone)
	d.ok(err)
	ahead := time.Until(at.Add(33 * time.Hour))
	dir := t.TempDir()
	for _, m := range d.members {
		cfg := Config{Member: m, Data: filepath.Join(dir, string(m)), Members: Members{Listen: freePort(t)}, People: People{Listen: freePort(t)}, UnsafeTest: true,
			Limits: unlimited, Now: func() time.Time { return time.Now().Add(ahead) }}
		d.ok(os.MkdirAll(cfg.Data, 0o700))
		for _, name := range []string{keysFile, recoveryFile, "released-size"} {
			b, err := os.ReadFile(filepath.Join(goldenDir, string(m), name))
			d.ok(err)
			d.ok(os.WriteFile(filepath.Join(cfg.Data, name), b, 0o600))
		}
		cfg.Database = Database{Driver: "sqlite", DSN: filepath.Join(cfg.Data, "pilin.db")}
		dump := "sqlite.sql"
		if postgres && m == three[0] {
			cfg.Database, dump = Database{Driver: "postgres", DSN: testsvc.Postgres(t)}, "postgres.sql"
		}
		db, err := sql.Open(cfg.Database.Driver, cfg.Database.DSN)
		d.ok(err)
		_, err = db.ExecContext(t.Context(), string(unzipped(t, string(m)+"/"+dump)))
		d.ok(err)
		d.ok(db.Close())
		d.nodes[m], d.down[m] = &Node{cfg: cfg, slog: slog.New(slog.DiscardHandler)}, &atomic.Bool{}
	}
	return d
}

// cell is a record's header or one of its parts as the first version's tables hold it.
type cell struct {
	Stream record.StreamID
	Seq    uint64
	Part   record.PartName // empty: the header
	State  record.PartState
	Salt   []byte
	Bytes  []byte
}

// clear reads every header and part by plain SQL.
func (d *direct) clear(c Config) (all []cell) {
	d.t.Helper()
	db, err := sql.Open(c.Database.Driver, c.Database.DSN)
	d.ok(err)
	defer db.Close()
	eachCell(d.t.Context(), d.t, db, "SELECT stream, seq, '', 0, header, header FROM record UNION ALL SELECT stream, seq, name, state, salt, bytes FROM part", func(rows *sql.Rows) error {
		var x cell
		err := rows.Scan(&x.Stream, &x.Seq, &x.Part, &x.State, &x.Salt, &x.Bytes)
		all = append(all, x)
		return err
	})
	return all
}
