package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

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
	about [][2]string // drafts, with the published subject of each
}

// projectInto adds a subject's read model; began says that no transaction before this one knew the subject, so there is
// none to delete. That holds for every audit record, and a deletion for each would undo what a shared commit saves.
func (s *Store) projectInto(p *projection, at subjectAt, all []record.Stored, began bool) {
	if len(all) > 0 {
		if row, ok := s.cfg.Project(all); ok {
			p.rows = append(p.rows, []any{string(at.stream), append([]byte{}, at.subject[:]...), row.Type, row.Version, row.State, row.ValidUntil, all[0].Meaning.Day, all[len(all)-1].Seq, aboutText(row)})
			if !row.About.IsZero() {
				p.about = append(p.about, [2]string{at.subject.String(), row.About.String()})
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

func (p *projection) write(ctx context.Context, tx *sql.Tx) error {
	if err := insertMany(ctx, tx, "INSERT INTO subject (stream, subject, type, version, state, valid_until, day, seq, about)", p.rows,
		" ON CONFLICT (stream, subject) DO UPDATE SET type=excluded.type, version=excluded.version, state=excluded.state, valid_until=excluded.valid_until, day=excluded.day, seq=excluded.seq, about=excluded.about"); err != nil {
		return fmt.Errorf("write read models: %w", err)
	}
	for _, b := range p.about {
		if _, err := tx.ExecContext(ctx, "UPDATE import_row SET step=$2, version=1, record=$3 WHERE draft=$1 AND step<>$2", b[0], string(sheets.StepPublished), b[1]); err != nil {
			return fmt.Errorf("write how a row of an import ended: %w", err)
		}
	}
	for _, at := range p.none {
		if _, err := tx.ExecContext(ctx, "DELETE FROM subject WHERE stream=$1 AND subject=$2", string(at.stream), at.subject[:]); err != nil {
			return fmt.Errorf("delete read model: %w", err)
		}
	}
	return nil
}

// project writes the read models of the batch. A subject that began in it needs no look at the database.
func (w *writer) project(ctx context.Context) error {
	if w.s.cfg.Project == nil {
		return nil
	}
	var p projection
	for _, at := range w.touched {
		all := w.placed[at]
		began := all != nil
		if !began {
			var err error
			if all, err = w.s.v.subjectRecords(ctx, w.tx, at.stream, at.subject); err != nil {
				return err
			}
		}
		w.s.projectInto(&p, at, all, began)
	}
	return p.write(ctx, w.tx)
}

// projectStored writes one subject's read model anew from its stored records.
func (s *Store) projectStored(ctx context.Context, tx *sql.Tx, at subjectAt) error {
	if s.cfg.Project == nil {
		return nil
	}
	all, err := s.v.subjectRecords(ctx, tx, at.stream, at.subject)
	if err != nil {
		return err
	}
	var p projection
	s.projectInto(&p, at, all, false)
	return p.write(ctx, tx)
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
		for i, at := range all {
			if err := s.projectStored(ctx, tx, at); err != nil {
				return err
			}
			if s.cfg.Progress != nil {
				s.cfg.Progress(uint64(i)+1, uint64(n))
			}
		}
		if _, err := tx.ExecContext(ctx, "UPDATE node SET read_model=$1 WHERE one=1", s.cfg.ProjectVersion); err != nil {
			return fmt.Errorf("note version of read models: %w", err)
		}
		return nil
	})
	return n, err
}
