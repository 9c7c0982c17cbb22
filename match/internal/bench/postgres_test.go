//go:build linux

package bench

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"

	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/match/normal"
)

// besides is how many of the questions the peers answer.
const besides = 200

// BenchmarkMatchPostgres asks a random part of the same questions of PostgreSQL on the same records: by pg_trgm at two
// thresholds, and by a table of syllable keys of its own, beside the engine.
func BenchmarkMatchPostgres(b *testing.B) {
	for b.Loop() {
		r := registry{seed}
		db, err := sql.Open("postgres", testsvc.PostgresDurable(b))
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		db.SetMaxOpenConns(1)
		fill(b, db, r, *records)
		e := match.NewEngine()
		e.LoadEach(func(yield func(match.Entry) bool) {
			for i := range *records {
				if !yield(r.entry(i)) {
					return
				}
			}
		})
		qs := r.questions(*records, *asks)
		d := draw{r.draw(1 << 62).Rand}
		d.Shuffle(len(qs), func(i, j int) { qs[i], qs[j] = qs[j], qs[i] })
		qs = qs[:min(besides, len(qs))]
		for _, peer := range []struct {
			about string
			ask   func(*asked) ([]int, error)
		}{
			{"engine", func(q *asked) ([]int, error) {
				var ids []int
				for _, c := range e.Ask(match.Question{Name: q.name}).Candidates {
					ids = append(ids, number(c.Ref))
				}
				return ids, nil
			}},
			{"pg_trgm 0.3", trigrams(b, db, 0.3)},
			{"pg_trgm 0.6", trigrams(b, db, 0.6)},
			{"PostgreSQL, syllable keys", syllableKeys(b.Context(), db)},
		} {
			beside(b, r, qs, peer.about, peer.ask)
		}
	}
}

func beside(b *testing.B, r registry, qs []asked, about string, ask func(*asked) ([]int, error)) {
	var took []time.Duration
	hits := 0
	for i := range qs {
		q := &qs[i]
		begun := time.Now()
		ids, err := ask(q)
		took = append(took, time.Since(begun))
		if err != nil {
			b.Fatal(err)
		}
		name := r.name(q.id)
		if slices.ContainsFunc(ids, func(id int) bool { return id == q.id || r.name(id) == name }) {
			hits++
		}
	}
	logf("%-26s %d questions, among ten %.1f %%, p50 %s p99 %s; load average %s", about, len(qs), 100*float64(hits)/float64(len(qs)), quantile(took, 0.5), quantile(took, 0.99), load())
}

// fill writes names and keys, and indexes both.
func fill(b *testing.B, db *sql.DB, r registry, n int) {
	ctx := b.Context()
	exec := func(q string) {
		if _, err := db.ExecContext(ctx, q); err != nil {
			b.Fatal(q, err)
		}
	}
	exec("CREATE EXTENSION IF NOT EXISTS pg_trgm")
	exec("CREATE TABLE person (id INT PRIMARY KEY, name TEXT NOT NULL)")
	exec("CREATE UNLOGGED TABLE key (key TEXT NOT NULL, id INT NOT NULL)")
	rows := func(table string, columns []string, each func(add func(...any))) {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			b.Fatal(err)
		}
		st, err := tx.PrepareContext(ctx, fmt.Sprintf("COPY %s (%s) FROM STDIN", table, strings.Join(columns, ", ")))
		if err != nil {
			b.Fatal(err)
		}
		each(func(v ...any) {
			if _, err := st.ExecContext(ctx, v...); err != nil {
				b.Fatal(err)
			}
		})
		if _, err := st.ExecContext(ctx); err != nil {
			b.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	begun := time.Now()
	rows("person", []string{"id", "name"}, func(add func(...any)) {
		for i := range n {
			add(i, r.name(i))
		}
	})
	rows("key", []string{"key", "id"}, func(add func(...any)) {
		for i := range n {
			for _, k := range keysOf(r.name(i)) {
				add(k, i)
			}
		}
	})
	exec("CREATE INDEX ON person USING gin (name gin_trgm_ops)")
	exec("CREATE INDEX ON key (key) INCLUDE (id)")
	exec("ANALYZE")
	logf("PostgreSQL filled and indexed in %.1f s; load average %s", time.Since(begun).Seconds(), load())
}

// keysOf are what a careful builder in SQL would file: the characters, the syllables of the whole name, and both with one
// left out.
func keysOf(name string) []string {
	n := normal.ReadName(name)
	var syllables, chars []string
	for i := range n.Chars {
		s := "?"
		if r := n.Readings(i); len(r) > 0 {
			s = r[0].String()
		}
		syllables, chars = append(syllables, s), append(chars, string(n.Chars[i]))
	}
	out := []string{strings.Join(chars, ""), strings.Join(syllables, " ")}
	if len(chars) >= 3 {
		for i := range chars {
			out = append(out, "-"+strings.Join(slices.Delete(slices.Clone(chars), i, i+1), ""), "-"+strings.Join(slices.Delete(slices.Clone(syllables), i, i+1), " "))
		}
		return out
	}
	return append(out, "-"+strings.Join(chars, ""), "-"+strings.Join(syllables, " "))
}

func trigrams(b *testing.B, db *sql.DB, threshold float64) func(*asked) ([]int, error) {
	return func(q *asked) ([]int, error) {
		if _, err := db.ExecContext(b.Context(), fmt.Sprintf("SET pg_trgm.similarity_threshold = %g", threshold)); err != nil {
			return nil, err
		}
		return numbers(b.Context(), db, "SELECT id FROM person WHERE name % $1 ORDER BY similarity(name, $1) DESC LIMIT 10", q.name)
	}
}

func syllableKeys(ctx context.Context, db *sql.DB) func(*asked) ([]int, error) {
	return func(q *asked) ([]int, error) {
		return numbers(ctx, db, "SELECT key.id FROM key JOIN person USING (id) WHERE key = ANY($1) GROUP BY key.id, person.name ORDER BY count(*) DESC, similarity(person.name, $2) DESC LIMIT 10",
			pq.Array(keysOf(q.name)), q.name)
	}
}

func numbers(ctx context.Context, db *sql.DB, query string, args ...any) ([]int, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []int
	for rows.Next() {
		var id int
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, rows.Err()
}
