package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/pilinhub/pilin/internal/sheets"
	"github.com/pilinhub/pilin/record"
)

// Row is a subject's read model: what a list is filtered by, no personal data.
type Row struct {
	Type       string
	Version    uint64
	State      string
	ValidUntil string // civil date, empty for none
	// About is of a draft the published subject that it became or corrects; zero while there is none. A row of an import that
	// made the draft is published with it, whoever took the step, and whoever erases the subject erases the draft.
	About record.RecordID
}

// projection is the read models that one transaction changes.
type projection struct {
	rows  [][]any
	none  []subjectAt // subjects that have none (any more)
	about [][]any     // drafts, with the published subject of each
}

// projectInto adds a subject's read model; began says that no transaction before this one knew the subject, so there is
// none to delete. That holds for every audit record, and a deletion for each would undo what a shared commit saves.
func (s *Store) projectInto(p *projection, at subjectAt, all []record.Stored, began bool) {
	if len(all) > 0 {
		if row, ok := s.cfg.Project(all); ok {
			p.rows = append(p.rows, []any{string(at.stream), append([]byte{}, at.subject[:]...), row.Type, row.Version, row.State, row.ValidUntil, all[0].Meaning.Day, all[len(all)-1].Seq, aboutText(row)})
			if !row.About.IsZero() {
				p.about = append(p.about, []any{at.subject.String(), row.About.String()})
			}
			return
		}
	}
	if !began {
		p.none = append(p.none, at)
	}
}

func aboutText(row Row) string {
	if row.About.IsZero() {
		return ""
	}
	return row.About.String()
}

func (p *projection) write(ctx context.Context, t *together) error {
	if err := t.addRows(ctx, "INSERT INTO subject (stream, subject, type, version, state, valid_until, day, seq, about)", p.rows,
		" ON CONFLICT (stream, subject) DO UPDATE SET type=excluded.type, version=excluded.version, state=excluded.state, valid_until=excluded.valid_until, day=excluded.day, seq=excluded.seq, about=excluded.about"); err != nil {
		return err
	}
	for some := range slices.Chunk(p.about, rowsAtOnce) { // how rows of an import ended
		if err := t.add(ctx, "UPDATE import_row SET step=$1, version=1, record=b.record FROM (SELECT column1 AS draft, column2 AS record FROM (VALUES "+tuples(1, len(some), 2)+
			") v) b WHERE import_row.draft=b.draft AND import_row.step<>$1", append([]any{string(sheets.StepPublished)}, flat(some)...)...); err != nil {
			return err
		}
	}
	for _, at := range p.none {
		if err := t.add(ctx, "DELETE FROM subject WHERE stream=$1 AND subject=$2", string(at.stream), at.subject[:]); err != nil {
			return err
		}
	}
	return nil
}

// project writes the read models of the batch. A subject that began in it needs no look at the database.
func (w *writer) project(ctx context.Context, t *together) error {
	if w.s.cfg.Project == nil {
		return nil
	}
	var stored []subjectAt
	for _, at := range w.touched {
		if w.placed[at] == nil {
			stored = append(stored, at)
		}
	}
	of, err := w.s.v.storedOf(ctx, w.tx, stored)
	if err != nil {
		return err
	}
	var p projection
	for _, at := range w.touched {
		if all := w.placed[at]; all != nil {
			w.s.projectInto(&p, at, all, true)
		} else {
			w.s.projectInto(&p, at, byVersion(of[at]), false)
		}
	}
	return p.write(ctx, t)
}

// projectStored writes subjects' read models anew from their stored records, with the next run of t.
func (s *Store) projectStored(ctx context.Context, t *together, subjects ...subjectAt) error {
	if s.cfg.Project == nil {
		return nil
	}
	of, err := s.v.storedOf(ctx, t.tx, subjects)
	if err != nil {
		return err
	}
	var p projection
	for _, at := range subjects {
		s.projectInto(&p, at, byVersion(of[at]), false)
	}
	return p.write(ctx, t)
}

// projectComing writes the read models of subjects that records of g belong to, which t is still to insert.
func (s *Store) projectComing(ctx context.Context, t *together, g *record.Group, subjects []subjectAt) error {
	if s.cfg.Project == nil || len(subjects) == 0 {
		return nil
	}
	of, err := s.v.storedOf(ctx, t.tx, subjects)
	if err != nil {
		return err
	}
	for _, st := range g.Records {
		if !st.Meaning.IsZero() || st.Unusable == "" {
			at := subjectAt{g.Stream, subjectOf(st)}
			of[at] = append(of[at], st)
		}
	}
	var p projection
	for _, at := range subjects {
		s.projectInto(&p, at, byVersion(of[at]), len(of[at]) == 1)
	}
	return p.write(ctx, t)
}

// storedOf is subjectsRecords of subjects of several streams.
func (v *vault) storedOf(ctx context.Context, q querier, subjects []subjectAt) (map[subjectAt][]record.Stored, error) {
	ids := map[record.StreamID][]record.RecordID{}
	for _, at := range subjects {
		ids[at.stream] = append(ids[at.stream], at.subject)
	}
	of := make(map[subjectAt][]record.Stored, len(subjects))
	for st, some := range ids {
		found, err := v.subjectsRecords(ctx, q, st, some)
		if err != nil {
			return nil, err
		}
		for id, all := range found {
			of[subjectAt{st, id}] = all
		}
	}
	return of, nil
}

// subjectsRecords returns what Log.Subject does of many subjects, in the order of their sequences, with one statement for
// rowsAtOnce of them.
func (v *vault) subjectsRecords(ctx context.Context, q querier, st record.StreamID, subjects []record.RecordID) (map[record.RecordID][]record.Stored, error) {
	of := make(map[record.RecordID][]record.Stored, len(subjects))
	for some := range slices.Chunk(subjects, rowsAtOnce) {
		args := []any{string(st)}
		for _, id := range some {
			args = append(args, append([]byte{}, id[:]...))
		}
		in := tuples(1, len(some), 1)
		found, err := v.records(ctx, q, "r.stream=$1 AND (r.subject IN ("+in+") OR (r.id IN ("+in+") AND r.subject IS NULL AND r.unusable=''))", args...)
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			of[subjectOf(r)] = append(of[subjectOf(r)], r)
		}
	}
	return of, nil
}

// subjectOf is the subject of a record, and of one whose meta is missing the subject that it would begin.
func subjectOf(st record.Stored) record.RecordID {
	if !st.Meaning.IsZero() {
		id, _ := st.Meaning.Subject()
		return id
	}
	h, _ := record.DecodeHeader(st.Header) // one that does not parse has no id
	return h.ID
}

// rebuild writes every read model anew if another code version wrote them, in one transaction: a start that is cut off
// leaves the old ones with their version.
func (s *Store) rebuild(ctx context.Context) error {
	_, err := s.rebuildIf(ctx, func(version string) bool { return version != s.cfg.ProjectVersion })
	return err
}

// Rebuild writes every read model anew from the records, whoever wrote them, and returns of how many subjects.
func (s *Store) Rebuild(ctx context.Context) (int, error) {
	return s.rebuildIf(ctx, func(string) bool { return true })
}

func (s *Store) rebuildIf(ctx context.Context, wanted func(version string) bool) (n int, err error) {
	err = s.fenced(ctx, func(tx *sql.Tx) error {
		var version string
		if err := tx.QueryRowContext(ctx, "SELECT read_model FROM node WHERE one=1").Scan(&version); err != nil {
			return fmt.Errorf("read version of read models: %w", err)
		}
		if !wanted(version) {
			return nil
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM subject"); err != nil {
			return fmt.Errorf("delete read models: %w", err)
		}
		var all []subjectAt
		err := each(ctx, tx, "SELECT DISTINCT stream, subject FROM record WHERE subject IS NOT NULL", nil, func(rows *sql.Rows) error {
			var stream string
			var subject []byte
			if err := rows.Scan(&stream, &subject); err != nil {
				return err
			}
			all = append(all, subjectAt{record.StreamID(stream), record.RecordID(subject)})
			return nil
		})
		if err != nil {
			return fmt.Errorf("list subjects: %w", err)
		}
		n = len(all)
		t, done := &together{tx: tx, d: s.d}, 0
		for some := range slices.Chunk(all, rowsAtOnce) {
			if err := s.projectStored(ctx, t, some...); err != nil {
				return err
			}
			if err := t.run(ctx); err != nil {
				return err
			}
			if done += len(some); s.cfg.Progress != nil {
				s.cfg.Progress(uint64(done), uint64(n))
			}
		}
		if _, err := tx.ExecContext(ctx, "UPDATE node SET read_model=$1 WHERE one=1", s.cfg.ProjectVersion); err != nil {
			return fmt.Errorf("note version of read models: %w", err)
		}
		return nil
	})
	return n, err
}
