package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/record/recordtest"
)

// databases are the two, by name.
var databases = map[string]func(t *testing.T, c *sqlstore.Config){
	"sqlite": func(t *testing.T, c *sqlstore.Config) {
		c.Driver, c.DSN = "sqlite", filepath.Join(t.TempDir(), "pilin.db")
	},
	"postgres": func(t *testing.T, c *sqlstore.Config) { c.Driver, c.DSN = "postgres", testsvc.Postgres(t) },
}

// dump returns every row of every table of a SQLite file as text, without the process epoch.
func dump(t *testing.T, file string) (lines []string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, name := range texts(t, db, "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%' AND name<>'node'") {
		for _, line := range texts(t, db, "SELECT * FROM "+name[0].(string)) {
			lines = append(lines, fmt.Sprintf("%s %v", name, line))
		}
	}
	slices.Sort(lines)
	return lines
}

func texts(t *testing.T, db *sql.DB, query string) (all [][]any) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		v, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range v {
			to[i] = &v[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// A copy taken while the node appends is one moment of it: every stream whole to its head. Restored into either database
// it is the same, row for row; a database that holds something is not touched.
func TestStore_Copy(t *testing.T) {
	for from, source := range databases {
		for into, target := range databases {
			t.Run(from+"_to_"+into, func(t *testing.T) {
				d := sit(t, func(c *sqlstore.Config) { source(t, c) })
				records := record.Stream(recordtest.Self, record.Records)
				d.ok(d.Release(d.ctx, records))
				first := d.Draft(recordtest.Self, record.Records)
				d.append(first, d.Draft(recordtest.Self, record.Records), d.Draft(recordtest.Self, record.Audit))
				gone := d.Draft(recordtest.Self, record.Records)
				gone.Refs = []record.Ref{{Rel: record.Withdraws, ID: first.ID, Version: 1}}
				d.append(gone)
				for range 150 { // more than a page
					d.append(d.Draft(recordtest.Self, record.Records))
				}
				var wg sync.WaitGroup
				ctx, stop := context.WithCancel(context.Background())
				drafts := make(chan record.Draft)
				wg.Go(func() {
					for dr := range drafts {
						if _, err := d.Append(context.Background(), record.Append{Drafts: []record.Draft{dr}}); err != nil {
							t.Error(err)
						}
					}
				})
				wg.Go(func() { // one goroutine draws: the kit's randomness is not shared
					defer close(drafts)
					for {
						select {
						case <-ctx.Done():
							return
						case drafts <- d.Draft(recordtest.Self, record.Records):
						}
					}
				})
				file := filepath.Join(t.TempDir(), "copy.sqlite")
				c, err := d.CopyTo(d.ctx, file)
				stop()
				wg.Wait()
				d.ok(err)
				kept, err := sqlstore.OpenCopy(file, recordtest.Self, testKeys)
				d.ok(err)
				before, err := os.ReadFile(file)
				d.ok(err)
				whole(t, kept, c.Heads)

				cfg := d.cfg
				target(t, &cfg)
				counts, err := sqlstore.Restore(d.ctx, cfg, kept, 12345)
				d.ok(err)
				if fmt.Sprint(counts) != fmt.Sprint(c.Tables) {
					t.Errorf("restored %v of %v", counts, c.Tables)
				}
				if _, err := sqlstore.Restore(d.ctx, cfg, kept, 0); !errors.Is(err, sqlstore.ErrNotEmpty) {
					t.Errorf("restored twice: %v", err)
				}
				after, err := os.ReadFile(file)
				if err != nil || string(after) != string(before) {
					t.Errorf("reading changed the copy: %v", err)
				}
				d.ok(kept.Close())

				again := open(t, cfg)
				if floor, err := again.Floor(d.ctx); err != nil || floor != 12345 {
					t.Errorf("floor %d, %v", floor, err)
				}
				second := filepath.Join(t.TempDir(), "again.sqlite")
				_, err = again.CopyTo(d.ctx, second)
				d.ok(err)
				if a, b := dump(t, file), dump(t, second); !slices.Equal(a, b) {
					t.Errorf("%d rows before, %d after, or not the same", len(a), len(b))
				} else if len(a) < 300 || !strings.Contains(strings.Join(a, "\n"), "restricted_part") {
					t.Errorf("only %d rows compared", len(a))
				}
				// It goes on where it was, unreleased: a new process.
				res, err := again.Append(d.ctx, record.Append{Drafts: []record.Draft{d.Draft(recordtest.Self, record.Records)}})
				d.ok(err)
				if res.Checkpoint[records] != nil {
					t.Error("a restored node signs before it was released")
				}
			})
		}
	}
}

// whole checks that every stream of a copy has exactly the records of its head, and their root.
func whole(t *testing.T, s *sqlstore.Store, heads []record.Head) {
	t.Helper()
	for _, h := range heads {
		hs, err := s.Leaves(t.Context(), h.Stream, 0, h.Size)
		if err != nil || uint64(len(hs)) != h.Size {
			t.Fatalf("%s: %d leaves of %d, %v", h.Stream, len(hs), h.Size, err)
		}
		var tree record.Tree
		for _, l := range hs {
			tree = tree.Add(l)
		}
		if tree.Root() != h.Root {
			t.Errorf("%s: another root than its head's", h.Stream)
		}
		n := uint64(0)
		for n < h.Size {
			gs, err := s.Groups(t.Context(), h.Stream, n, 200)
			if err != nil || len(gs) == 0 {
				t.Fatalf("%s at %d: %v", h.Stream, n, err)
			}
			for _, g := range gs {
				n += uint64(len(g.Records))
			}
		}
		if n != h.Size {
			t.Errorf("%s: %d records in groups, head says %d", h.Stream, n, h.Size)
		}
	}
}
