package node

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/record"
)

// What people work with stands in no file and no table of a node, nor in what is backed up, for whoever has not its storage
// keys: in no form, at its origin, at a peer, and where it was asked for. With them it is there.
func TestNode_AtRest(t *testing.T) {
	for _, on := range []stack{onHTTP, onOwnRedis} {
		t.Run(strings.ReplaceAll(string(on), " ", "_"), func(t *testing.T) {
			d := newDirect(t, on)
			a, b := d.members[0], d.members[1]
			d.released()
			gone := d.publish(a)
			d.publish(a)
			d.publish(a, record.Ref{Rel: record.Withdraws, ID: gone, Version: 1}) // restricted at its origin
			d.everywhere(a, 3)
			d.until("found", func() bool { return len(d.ask(b).Hits) > 0 })
			canaries := []string{somebody, somebody[6:14], "测甲一"}
			for _, m := range d.members {
				n := d.nodes[m]
				for _, c := range canaries {
					if !contains(openedCells(t.Context(), t, n.cfg), forms(c)) {
						t.Fatalf("%q is not at %s at all", c, m)
					}
				}
				backup := filepath.Join(t.TempDir(), "backup")
				_, err := BackUp(t.Context(), n.cfg, backup, "")
				d.ok(err)
				d.stop(n) // its index snapshot is written
				if _, err := os.Stat(n.snapshotFile()); err != nil {
					t.Fatal(err)
				}
				for _, c := range canaries {
					if n.shows(t, c) {
						t.Errorf("%q stands at %s", c, m)
					}
					if inFolder(t, backup, c) {
						t.Errorf("%q stands in the backup of %s", c, m)
					}
				}
			}
			if !d.nodes[a].shows(t, string(record.Stream(a, record.Records))) {
				t.Fatal("the search finds nothing at all")
			}
		})
	}
}

// A new storage key: the node finds everything, builds its index anew and says so, and the change is audited. Without its
// key store it does not start, and makes no other.
func TestNode_StorageRotated(t *testing.T) {
	d := found(t, onHTTP, false, some(1)...)
	d.released()
	a := d.members[0]
	d.publish(a)
	d.stop(d.nodes[a])
	cfg := d.nodes[a].cfg
	if _, err := RotateStorage(t.Context(), cfg, ""); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	n, err := Open(t.Context(), cfg, slog.New(slog.NewTextHandler(&log, nil)))
	d.ok(err)
	said := log.String() // before anything runs
	d.nodes[a] = n
	d.wire(n)
	d.run(n)
	if !strings.Contains(said, "damaged, or of another secret") || !strings.Contains(said, "subjects=0") {
		t.Errorf("the old snapshot is used, or nothing is said: %s", said)
	}
	d.until("found", func() bool { return n.index.Len() == 1 && len(d.ask(a).Hits) == 1 })
	d.until("audited", func() bool { return d.audits(a, "storage_rotated") == 1 })
	d.stop(n)
	name := filepath.Join(cfg.Data, storageFile)
	kept, err := os.ReadFile(name)
	d.ok(err)
	d.ok(os.Remove(name))
	if _, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler)); !errors.Is(err, ErrNoStorageKeys) {
		t.Errorf("without the key store: %v", err)
	}
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Error("another key store was made")
	}
	d.ok(os.WriteFile(name, kept, 0o600))
	n = d.again(a)
	d.until("found again", func() bool { return n.index.Len() == 1 && len(d.ask(a).Hits) == 1 })
}

// sealedKeys unwraps the data keys of a database (ADR 12), written a second time.
func sealedKeys(ctx context.Context, t testing.TB, db *sql.DB, c Config) map[uint32]cipher.AEAD {
	t.Helper()
	var file struct {
		Keys []struct {
			Key []byte `json:"key"`
		} `json:"keys"`
	}
	b, err := os.ReadFile(filepath.Join(c.Data, "storage.keys"))
	if err == nil {
		err = json.Unmarshal(b, &file)
	}
	if err != nil || len(file.Keys) != 1 {
		t.Fatalf("storage keys: %d, %v", len(file.Keys), err)
	}
	aead := func(key []byte) cipher.AEAD {
		block, err := aes.NewCipher(key)
		if err != nil {
			t.Fatal(err)
		}
		a, err := cipher.NewGCM(block)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	key, err := hkdf.Key(sha256.New, file.Keys[0].Key, nil, "pilin storage wrap", 32)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := db.QueryContext(ctx, "SELECT id, wrapped FROM storage_key")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	keys := map[uint32]cipher.AEAD{}
	for rows.Next() {
		var id uint32
		var wrapped []byte
		if err := rows.Scan(&id, &wrapped); err != nil {
			t.Fatal(err)
		}
		k, err := aead(key).Open(nil, wrapped[:12], wrapped[12:], fmt.Appendf(nil, "storage_key\x00%d", id))
		if err != nil {
			t.Fatal(err)
		}
		keys[id] = aead(k)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return keys
}

// readParts reads the parts of a stream; what is sealed is opened, so that two nodes can be compared.
func (d *dumped) readParts(ctx context.Context, t testing.TB, db *sql.DB, keys map[uint32]cipher.AEAD, s record.StreamID) (n int) {
	t.Helper()
	rows, err := db.QueryContext(ctx, "SELECT seq, ord, name, state, salt, bytes, gone_by FROM part WHERE stream=$1 AND name <> 'home' ORDER BY seq, ord", string(s))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var seq, ord, state, goneBy uint64
		var name string
		var salt, b []byte
		if err := rows.Scan(&seq, &ord, &name, &state, &salt, &b, &goneBy); err != nil {
			t.Fatal(err)
		}
		if salt == nil && b != nil {
			plain := opened(t, keys, b, "part", string(s), strconv.FormatUint(seq, 10), name)
			salt, b = plain[:32], plain[32:]
		}
		d.text = fmt.Appendf(d.text, "seq=%d ord=%d name=%s state=%d salt=%x bytes=%x gone_by=%d\n", seq, ord, name, state, salt, b, goneBy)
		n++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}

// opened opens a cell of a place.
func opened(t testing.TB, keys map[uint32]cipher.AEAD, cell []byte, place ...string) []byte {
	t.Helper()
	key := keys[binary.BigEndian.Uint32(cell[1:5])]
	if cell[0] != 1 || key == nil {
		t.Fatalf("%q is not sealed", place)
	}
	plain, err := key.Open(nil, cell[5:17], cell[17:], []byte(strings.Join(place, "\x00")))
	if err != nil {
		t.Fatalf("%q: %v", place, err)
	}
	return plain
}

// openedCells opens everything that is sealed in a node's database.
func openedCells(ctx context.Context, t testing.TB, c Config) (all []byte) {
	t.Helper()
	db, err := sql.Open(c.Database.Driver, c.Database.DSN)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	keys := sealedKeys(ctx, t, db, c)
	for _, q := range []string{
		"SELECT 'part', stream, seq, name, bytes FROM part WHERE salt IS NULL AND bytes IS NOT NULL",
		"SELECT 'part', stream, seq, name, bytes FROM restricted_part WHERE salt IS NULL AND bytes IS NOT NULL",
		"SELECT 'idempotency', scope, 0, key, answer FROM idempotency",
		"SELECT 'import', id, 0, '', file FROM import WHERE file IS NOT NULL",
	} {
		eachCell(ctx, t, db, q, func(rows *sql.Rows) error {
			var table, first, last string
			var seq uint64
			var cell []byte
			if err := rows.Scan(&table, &first, &seq, &last, &cell); err != nil {
				return err
			}
			place := map[string][]string{"part": {table, first, strconv.FormatUint(seq, 10), last}, "idempotency": {table, first, last}, "import": {table, first}}
			all = append(append(all, opened(t, keys, cell, place[table]...)...), 0)
			return nil
		})
	}
	for table, column := range map[string]string{"tail": "draft", "open_question": "state"} {
		eachCell(ctx, t, db, "SELECT id, "+column+" FROM "+table, func(rows *sql.Rows) error {
			var id, cell []byte
			if err := rows.Scan(&id, &cell); err != nil {
				return err
			}
			all = append(append(all, opened(t, keys, cell, table, record.Bits128(id).String())...), 0)
			return nil
		})
	}
	return all
}

func eachCell(ctx context.Context, t testing.TB, db *sql.DB, query string, f func(*sql.Rows) error) {
	t.Helper()
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
