package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"github.com/pilinhub/pilin/record"
)

// This file seals a database of before there were storage keys (ADR 12). Every step is a transaction of its own, and the
// start that was cut off is gone on with at the next one.

// How far a database is; the column node.sealed.
const (
	notSealed   = 0 // some cells are in clear
	filesRemain = 1 // all are sealed; free pages may hold older bytes
	allSealed   = 2
)

// sealAtOnce is how many parts one step seals.
const sealAtOnce = 500

func (s *Store) sealExisting(ctx context.Context) error {
	if !s.v.on() {
		return nil
	}
	var state int
	if err := s.write.QueryRowContext(ctx, "SELECT sealed FROM node WHERE one=1").Scan(&state); err != nil {
		return fmt.Errorf("read how far the database is sealed: %w", err)
	}
	if state == notSealed {
		found := false
		for _, table := range []string{"part", "restricted_part"} {
			some, err := s.sealParts(ctx, table)
			if err != nil {
				return fmt.Errorf("seal %s: %w", table, err)
			}
			found = found || some
		}
		some, err := s.sealSide(ctx)
		if err != nil {
			return err
		}
		if !found && !some {
			return s.setSealed(ctx, allSealed) // nothing was there
		}
		state = filesRemain
	}
	if state == filesRemain {
		if err := s.d.rewrite(ctx, s); err != nil {
			return fmt.Errorf("rewrite the files: %w", err)
		}
		return s.setSealed(ctx, allSealed)
	}
	return nil
}

func (s *Store) setSealed(ctx context.Context, state int) error {
	return s.fenced(ctx, func(tx *sql.Tx) error { return setSealed(ctx, tx, state) })
}

func setSealed(ctx context.Context, tx *sql.Tx, state int) error {
	if _, err := tx.ExecContext(ctx, "UPDATE node SET sealed=$1 WHERE one=1", state); err != nil {
		return fmt.Errorf("note how far the database is sealed: %w", err)
	}
	return nil
}

// clearPart is a part whose salt stands in clear: it was not sealed yet.
type clearPart struct {
	stream     record.StreamID
	seq        uint64
	name       record.PartName
	salt, data []byte
}

// sealParts seals the parts of a table, page by page along its key.
func (s *Store) sealParts(ctx context.Context, table string) (found bool, err error) {
	last := clearPart{}
	for {
		var page []clearPart
		err := s.fenced(ctx, func(tx *sql.Tx) error {
			page = page[:0]
			err := each(ctx, tx, "SELECT stream, seq, name, salt, bytes FROM "+table+" WHERE (stream, seq, name) > ($1,$2,$3) AND salt IS NOT NULL AND name<>'meta' ORDER BY stream, seq, name LIMIT $4",
				[]any{string(last.stream), last.seq, string(last.name), sealAtOnce}, func(rows *sql.Rows) error {
					var p clearPart
					err := rows.Scan(&p.stream, &p.seq, &p.name, &p.salt, &p.data)
					page = append(page, p)
					return err
				})
			if err != nil {
				return err
			}
			for _, p := range page {
				if len(p.salt) != 32 {
					return fmt.Errorf("part %s of %s %d has a salt of %d bytes", p.name, p.stream, p.seq, len(p.salt))
				}
				part := record.StoredPart{Name: p.name, State: record.PartPresent, Salt: [32]byte(p.salt), Bytes: p.data}
				_, cell := s.v.partBytes(record.Stored{Stream: p.stream, Seq: p.seq}, part)
				if _, err := tx.ExecContext(ctx, "UPDATE "+table+" SET salt=NULL, bytes=$4 WHERE stream=$1 AND seq=$2 AND name=$3", string(p.stream), p.seq, string(p.name), cell); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return found, err
		}
		if len(page) == 0 {
			return found, nil
		}
		found, last = true, page[len(page)-1]
	}
}

// clearCell is a cell of a side table on its way to be sealed: its key, and what stands in it.
type clearCell struct {
	keys   []string
	values [][]byte
}

// sealSide seals the side tables, in the one transaction that notes it: whether their cells are sealed does not show.
func (s *Store) sealSide(ctx context.Context) (found bool, err error) {
	err = s.fenced(ctx, func(tx *sql.Tx) error {
		found = false
		for _, t := range []struct {
			query, update string
			keys, values  int
			seal          func(c clearCell) []any
		}{
			{"SELECT '', id, draft FROM tail", "UPDATE tail SET draft=$2 WHERE id=$1", 1, 2, func(c clearCell) []any {
				return []any{c.values[0], s.v.seal(place("tail", record.RecordID(c.values[0]).String()), c.values[1])}
			}},
			{"SELECT '', id, state FROM open_question", "UPDATE open_question SET state=$2 WHERE id=$1", 1, 2, func(c clearCell) []any {
				return []any{c.values[0], s.v.seal(place("open_question", record.Bits128(c.values[0]).String()), c.values[1])}
			}},
			{"SELECT scope, key, body_hash, answer FROM idempotency", "UPDATE idempotency SET body_hash=$3, answer=$4 WHERE scope=$1 AND key=$2", 2, 2, func(c clearCell) []any {
				hash, answer := s.v.sealAnswer(slot{c.keys[0], c.keys[1]}, c.values[0], c.values[1])
				return []any{c.keys[0], c.keys[1], hash, answer}
			}},
			{"SELECT id, file FROM import WHERE file IS NOT NULL", "UPDATE import SET file=$2 WHERE id=$1", 1, 1, func(c clearCell) []any {
				return []any{c.keys[0], s.v.seal(place("import", c.keys[0]), c.values[0])}
			}},
			{"SELECT id, doc FROM import", "UPDATE import SET doc=$2 WHERE id=$1", 2, 0, func(c clearCell) []any {
				return []any{c.keys[0], s.v.sealText(docPlace(c.keys[0]), c.keys[1])}
			}},
			{"SELECT import, CAST(row_no AS TEXT), issues FROM import_row", "UPDATE import_row SET issues=$3 WHERE import=$1 AND row_no=$2", 3, 0, func(c clearCell) []any {
				row, _ := strconv.Atoi(c.keys[1]) // the database wrote the number
				return []any{c.keys[0], row, s.v.sealText(issuesPlace(c.keys[0], row), c.keys[2])}
			}},
			{"SELECT DISTINCT '', ident FROM import_row WHERE ident IS NOT NULL", "UPDATE import_row SET ident=$2 WHERE ident=$1", 1, 1, func(c clearCell) []any {
				return []any{c.values[0], s.v.keyed("import_row", c.values[0])}
			}},
			{"SELECT '', key FROM attempt", "UPDATE attempt SET key=$2 WHERE key=$1", 1, 1, func(c clearCell) []any {
				return []any{c.values[0], s.v.keyed("attempt", c.values[0])}
			}},
		} {
			all, err := readClear(ctx, tx, t.query, t.keys, t.values)
			if err != nil {
				return err
			}
			found = found || len(all) > 0
			for _, c := range all {
				if _, err := tx.ExecContext(ctx, t.update, t.seal(c)...); err != nil {
					return err
				}
			}
		}
		return setSealed(ctx, tx, filesRemain)
	})
	if err != nil {
		return found, fmt.Errorf("seal side tables: %w", err)
	}
	return found, nil
}

// readClear reads rows of so many text columns and so many of bytes.
func readClear(ctx context.Context, tx *sql.Tx, query string, keys, values int) ([]clearCell, error) {
	var all []clearCell
	err := each(ctx, tx, query, nil, func(rows *sql.Rows) error {
		c := clearCell{make([]string, keys), make([][]byte, values)}
		var to []any
		for i := range c.keys {
			to = append(to, &c.keys[i])
		}
		for i := range c.values {
			to = append(to, &c.values[i])
		}
		err := rows.Scan(to...)
		all = append(all, c)
		return err
	})
	return all, err
}

// rewriteSQLite leaves no older bytes in the file or its write-ahead log.
func rewriteSQLite(ctx context.Context, s *Store) error {
	if err := exec(ctx, s.write, "VACUUM"); err != nil {
		return err
	}
	return s.d.erase(ctx, s.write)
}

// rewritePostgres rewrites the tables that held something in clear: VACUUM alone leaves the bytes of dead rows in their
// pages. It has no deadline, since a large table takes its time.
func rewritePostgres(ctx context.Context, s *Store) (err error) {
	db, err := openPatient(s.cfg.DSN)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, table := range []string{"part", "restricted_part", "tail", "open_question", "idempotency", "import", "import_row", "attempt"} {
		if err := exec(ctx, db, "VACUUM FULL "+table); err != nil {
			return err
		}
	}
	return nil
}
