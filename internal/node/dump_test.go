package node

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"testing"

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
