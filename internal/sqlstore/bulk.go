package sqlstore

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"github.com/pilinhub/pilin/record"
)

// A round trip costs more than a row: rows are written and looked up many at a time.

// rowsAtOnce keeps a statement under the 32,766 parameters of SQLite and the 65,535 of PostgreSQL.
const rowsAtOnce = 500

// insertMany inserts rows with one statement for each rowsAtOnce of them. insert ends before VALUES, suffix follows it.
func insertMany(ctx context.Context, tx *sql.Tx, insert string, rows [][]any, suffix string) error {
	for len(rows) > 0 {
		some := rows[:min(len(rows), rowsAtOnce)]
		rows = rows[len(some):]
		if _, err := tx.ExecContext(ctx, insert+" VALUES "+tuples(0, len(some), len(some[0]))+suffix, flat(some)...); err != nil {
			return err
		}
	}
	return nil
}

// tuples returns "($1,$2),($3,$4)…" for n rows of width columns, numbered from after+1 on.
func tuples(after, n, width int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for j := range width {
			if j > 0 {
				b.WriteByte(',')
			}
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(after + i*width + j + 1))
		}
		b.WriteByte(')')
	}
	return b.String()
}

// flat returns the values of rows one after the other.
func flat(rows [][]any) []any {
	if len(rows) == 0 {
		return nil
	}
	args := make([]any, 0, len(rows)*len(rows[0]))
	for _, r := range rows {
		args = append(args, r...)
	}
	return args
}

// each calls f on every row of a query.
func each(ctx context.Context, q querier, query string, args []any, f func(*sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

const (
	insertRecord = "INSERT INTO record (stream, seq, header, leaf, id, subject, version, unusable)"
	insertPart   = "INSERT INTO part (stream, seq, ord, name, state, salt, bytes, keys, gone_by)"
)

// rowsOf returns whole records as rows of the tables record and part.
func (v *vault) rowsOf(all []record.Stored) (recs, parts [][]any) {
	for _, st := range all {
		id, subject, version := columnsOf(st)
		recs = append(recs, []any{string(st.Stream), st.Seq, st.Header, st.Leaf[:], id, subject, version, st.Unusable})
		for i, p := range st.Parts {
			salt, data := v.partBytes(st, p)
			parts = append(parts, []any{string(st.Stream), st.Seq, i, string(p.Name), int(p.State), salt, data, joinKeys(p.Keys), p.GoneBy})
		}
	}
	return recs, parts
}

// contentSize is what records hold here: headers and the bytes of their parts.
func contentSize(all []record.Stored) int {
	n := 0
	for _, st := range all {
		n += len(st.Header)
		for _, p := range st.Parts {
			n += len(p.Bytes)
		}
	}
	return n
}
