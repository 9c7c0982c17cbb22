package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/pilinhub/pilin/record"
)

// together collects statements of one transaction, none of which needs to see what another of them does, and runs them
// with one round trip where the database can: on PostgreSQL as one statement, of which each is a part (a data-modifying
// WITH), on SQLite, which is in this process, one after the other. Two of them must not write the same row.
type together struct {
	tx    *sql.Tx
	d     dialect
	parts []part
	args  int
}

// part is one statement of a together.
type part struct {
	query string
	args  []any
	one   string // what must change exactly one row, else ErrStale; empty: any number
}

// argsAtOnce keeps what runs together under the 65,535 parameters of PostgreSQL.
const argsAtOnce = 50_000

// add takes an INSERT, UPDATE or DELETE; a comma-separated list of values is in query already.
func (t *together) add(ctx context.Context, query string, args ...any) error {
	return t.put(ctx, part{query: query, args: args})
}

// addOne is add of a statement that must change one row: none changed is ErrStale of what.
func (t *together) addOne(ctx context.Context, what, query string, args ...any) error {
	return t.put(ctx, part{query: query, args: args, one: what})
}

func (t *together) put(ctx context.Context, p part) error {
	if t.args+len(p.args) > argsAtOnce {
		if err := t.run(ctx); err != nil {
			return err
		}
	}
	t.parts, t.args = append(t.parts, p), t.args+len(p.args)
	return nil
}

// addRows is insertMany.
func (t *together) addRows(ctx context.Context, insert string, rows [][]any, suffix string) error {
	for len(rows) > 0 {
		some := rows[:min(len(rows), rowsAtOnce)]
		rows = rows[len(some):]
		if err := t.add(ctx, insert+" VALUES "+tuples(0, len(some), len(some[0]))+suffix, flat(some)...); err != nil {
			return err
		}
	}
	return nil
}

// run runs what was added since the last run.
func (t *together) run(ctx context.Context) error {
	parts := t.parts
	t.parts, t.args = nil, 0
	if len(parts) < 2 || !t.d.oneStatement {
		for _, p := range parts {
			res, err := t.tx.ExecContext(ctx, p.query, p.args...)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name(), err)
			}
			if p.one == "" {
				continue
			}
			if err := changedOne(res, nil, p.one); err != nil {
				return err
			}
		}
		return nil
	}
	changed := make([]any, len(parts))
	for i := range changed {
		changed[i] = new(int64)
	}
	query, args := inOne(parts)
	if err := t.tx.QueryRowContext(ctx, query, args...).Scan(changed...); err != nil {
		return fmt.Errorf("%s and %d more: %w", parts[0].name(), len(parts)-1, err)
	}
	for i, p := range parts {
		if n := *changed[i].(*int64); p.one != "" && n != 1 {
			return fmt.Errorf("%s: %w", p.one, record.ErrStale)
		}
	}
	return nil
}

// inOne writes parts as one statement that returns how many rows each changed.
func inOne(parts []part) (string, []any) {
	var with, counts strings.Builder
	var args []any
	for i, p := range parts {
		name, comma := "s"+strconv.Itoa(i), ","
		if i == 0 {
			comma = ""
		}
		with.WriteString(comma + name + " AS (")
		renumber(&with, p.query, len(args))
		with.WriteString(" RETURNING 1)")
		args = append(args, p.args...)
		counts.WriteString(comma + "(SELECT count(*) FROM " + name + ")")
	}
	return "WITH " + with.String() + " SELECT " + counts.String(), args
}

// renumber writes a query with its parameters $1, $2… numbered from after+1 on. No text in these queries has a dollar.
func renumber(b *strings.Builder, query string, after int) {
	for {
		at := strings.IndexByte(query, '$')
		if at < 0 {
			b.WriteString(query)
			return
		}
		end := at + 1
		for end < len(query) && '0' <= query[end] && query[end] <= '9' {
			end++
		}
		n, _ := strconv.Atoi(query[at+1 : end]) // only digits
		b.WriteString(query[:at+1])
		b.WriteString(strconv.Itoa(n + after))
		query = query[end:]
	}
}

// name says in an error which statement it was: its first words.
func (p part) name() string {
	words := strings.SplitN(p.query, " ", 4)
	return strings.Join(words[:min(len(words), 3)], " ")
}
