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
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/record"
)

// dumped is a stream as a node's tables hold it, read by plain SQL beside the node: one line for each record, part and
// commit group, everything in hex. Nothing of the code under test has a hand in it.
type dumped struct {
	text                   []byte
	records, parts, groups int
}

// dump reads a stream out of a node's database. The part home stays at its origin by design and is left out.
func dump(ctx context.Context, t testing.TB, c Config, s record.StreamID) dumped {
	t.Helper()
	db, err := sql.Open(c.Database.Driver, c.Database.DSN)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var d dumped
	d.records = d.read(ctx, t, db, "SELECT seq, header FROM record WHERE stream=$1 ORDER BY seq", s)
	d.parts = d.readParts(ctx, t, db, sealedKeys(ctx, t, db, c), s)
	d.groups = d.read(ctx, t, db, "SELECT first, size, checkpoint FROM commit_group WHERE stream=$1 ORDER BY first", s)
	return d
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
			plain, err := keys[binary.BigEndian.Uint32(b[1:5])].Open(nil, b[5:17], b[17:], fmt.Appendf(nil, "part\x00%s\x00%d\x00%s", s, seq, name))
			if err != nil {
				t.Fatal(err)
			}
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

func (d *dumped) read(ctx context.Context, t testing.TB, db *sql.DB, query string, s record.StreamID) (n int) {
	t.Helper()
	rows, err := db.QueryContext(ctx, query, string(s))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, to := make([]sql.RawBytes, len(names)), make([]any, len(names))
	for i := range values {
		to[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			d.text = fmt.Appendf(d.text, "%s=%x ", names[i], []byte(v))
		}
		d.text = append(d.text, '\n')
		n++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}

// differs returns the first line at which two dumps differ; empty if none does.
func (d dumped) differs(o dumped) string {
	a, b := bytes.Split(d.text, []byte("\n")), bytes.Split(o.text, []byte("\n"))
	for i := range max(len(a), len(b)) {
		var x, y []byte
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if !bytes.Equal(x, y) {
			return fmt.Sprintf("line %d:\n%.300s\n%.300s", i, x, y)
		}
	}
	return ""
}
