package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/internal/sheets"
)

var _ sheets.Store = (*Store)(nil)

// keepFiles is how long the file of an import is kept after the last thing that was done with it; what is known of its rows
// stays, so that the same file never goes in twice.
const keepFiles = 90 * 24 * time.Hour

// PutImport implements sheets.Store.
func (s *Store) PutImport(ctx context.Context, id string, at int64, doc, file []byte) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		erased, err := isErased(ctx, tx, id)
		switch {
		case err != nil:
			return fmt.Errorf("write import: %w", err)
		case erased && file != nil:
			return &sheets.Conflict{Code: sheets.FileErased}
		case erased: // work that began before may still know what was erased
			if doc, err = sheets.Redacted(doc); err != nil {
				return err
			}
		}
		if file == nil {
			_, err := tx.ExecContext(ctx, "UPDATE import SET at=$2, doc=$3 WHERE id=$1", id, at, s.v.sealText(docPlace(id), string(doc)))
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO import (id, at, doc, file) VALUES ($1,$2,$3,$4) ON CONFLICT (id) DO UPDATE SET at=excluded.at, doc=excluded.doc, file=excluded.file",
			id, at, s.v.sealText(docPlace(id), string(doc)), s.v.seal(place("import", id), file))
		return err
	})
}

// Import implements sheets.Store.
func (s *Store) Import(ctx context.Context, id string) ([]byte, error) {
	var doc string
	err := s.read.QueryRowContext(ctx, "SELECT doc FROM import WHERE id=$1", id).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, classify(err)
	}
	return s.v.openText(ctx, docPlace(id), doc)
}

// ImportFile implements sheets.Store.
func (s *Store) ImportFile(ctx context.Context, id string) ([]byte, error) {
	var file []byte
	err := s.read.QueryRowContext(ctx, "SELECT file FROM import WHERE id=$1", id).Scan(&file)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil || file == nil {
		return nil, classify(err)
	}
	return s.v.open(ctx, place("import", id), file)
}

// Imports implements sheets.Store.
func (s *Store) Imports(ctx context.Context, limit int) ([][]byte, error) {
	return s.documents(ctx, func(id, doc string) ([]byte, error) { return s.v.openText(ctx, docPlace(id), doc) },
		"SELECT id, doc FROM import ORDER BY at DESC, id LIMIT $1", limit)
}

// docPlace and issuesPlace name what is known of a file: its headings, which in a sheet without a heading row are somebody's
// name and number.
func docPlace(id string) string { return place("import.doc", id) }

func issuesPlace(id string, row int) string { return place("import_row.issues", id, strconv.Itoa(row)) }

// documents reads a name and a text column.
func (s *Store) documents(ctx context.Context, open func(name, doc string) ([]byte, error), query string, args ...any) ([][]byte, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, classify(err)
	}
	defer rows.Close()
	var out [][]byte
	for rows.Next() {
		var name, doc string
		if err := rows.Scan(&name, &doc); err != nil {
			return nil, classify(err)
		}
		b, err := open(name, doc)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, classify(rows.Err())
}

const importRowColumns = "import, row_no, state, step, draft, version, record, ident, gaps, issues"

// PutChecked implements sheets.Store.
func (s *Store) PutChecked(ctx context.Context, rows []sheets.StoredRow) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		erased, err := erasedImports(ctx, tx, rows)
		if err != nil {
			return err
		}
		put, err := tx.PrepareContext(ctx, "INSERT INTO import_row ("+importRowColumns+") VALUES ($1,$2,$3,$4,'',0,'',$5,$6,$7) "+
			"ON CONFLICT (import, row_no) DO UPDATE SET gaps=excluded.gaps") // only a row that has a draft is still there
		if err != nil {
			return err
		}
		defer func() { _ = put.Close() }() // it ends with its transaction
		for _, r := range rows {
			if erased[r.Import] {
				continue // a check that began before
			}
			issues, err := s.issuesCell(r, false)
			if err != nil {
				return err
			}
			if _, err := put.ExecContext(ctx, r.Import, r.Row, string(r.State), string(r.Step), s.v.keyed("import_row", r.Key), r.Gaps, issues); err != nil {
				return fmt.Errorf("write checked row: %w", err)
			}
		}
		return nil
	})
}

// erasedImports reports of which of the rows' imports the file was erased.
func erasedImports(ctx context.Context, tx *sql.Tx, rows []sheets.StoredRow) (map[string]bool, error) {
	out := map[string]bool{}
	for _, r := range rows {
		if _, known := out[r.Import]; known {
			continue
		}
		erased, err := isErased(ctx, tx, r.Import)
		if err != nil {
			return nil, fmt.Errorf("look at import: %w", err)
		}
		out[r.Import] = erased
	}
	return out, nil
}

// issuesCell writes what is said of a row: nothing once the file was erased.
func (s *Store) issuesCell(r sheets.StoredRow, erased bool) (string, error) {
	if erased {
		return "", nil
	}
	b, err := json.Marshal(r.Issues)
	if err != nil {
		return "", fmt.Errorf("encode issues: %w", err)
	}
	return s.v.sealText(issuesPlace(r.Import, r.Row), string(b)), nil
}

// DropChecked implements sheets.Store.
func (s *Store) DropChecked(ctx context.Context, id string) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM import_row WHERE import=$1 AND draft=''", id)
		return err
	})
}

// PutSteps implements sheets.Store. A row whose draft was published meanwhile stays so (projection.write).
func (s *Store) PutSteps(ctx context.Context, rows []sheets.StoredRow) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		erased, err := erasedImports(ctx, tx, rows)
		if err != nil {
			return err
		}
		for _, r := range rows {
			issues, err := s.issuesCell(r, erased[r.Import])
			if err != nil {
				return err
			}
			res, err := tx.ExecContext(ctx, "UPDATE import_row SET state=$3, issues=$8, draft=$5, "+
				"step=CASE WHEN step=$9 AND draft=$5 THEN step ELSE $4 END, version=CASE WHEN step=$9 AND draft=$5 THEN version ELSE $6 END, record=CASE WHEN step=$9 AND draft=$5 THEN record ELSE $7 END "+
				"WHERE import=$1 AND row_no=$2",
				r.Import, r.Row, string(r.State), string(r.Step), r.Draft, r.Version, r.Record, issues, string(sheets.StepPublished))
			if err := one(res, err, "write step of a row", errors.New("no such row of an import")); err != nil {
				return err
			}
		}
		return nil
	})
}

// ImportRows implements sheets.Store.
func (s *Store) ImportRows(ctx context.Context, id string, state sheets.RowState, step sheets.Step, after, limit int) ([]sheets.StoredRow, error) {
	return s.importRows(ctx, "SELECT "+importRowColumns+" FROM import_row WHERE import=$1 AND row_no>$2 AND ($3='' OR state=$3) AND ($4='' OR step=$4) ORDER BY row_no LIMIT $5",
		id, after, string(state), string(step), limit)
}

// GapRows implements sheets.Store.
func (s *Store) GapRows(ctx context.Context, afterImport string, afterRow, limit int) ([]sheets.StoredRow, error) {
	return s.importRows(ctx, "SELECT "+importRowColumns+" FROM import_row WHERE gaps>0 AND draft<>'' AND (import>$1 OR import=$1 AND row_no>$2) ORDER BY import, row_no LIMIT $3",
		afterImport, afterRow, limit)
}

func (s *Store) importRows(ctx context.Context, query string, args ...any) ([]sheets.StoredRow, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, classify(err)
	}
	defer rows.Close()
	var out []sheets.StoredRow
	for rows.Next() {
		var r sheets.StoredRow
		var issues string
		if err := rows.Scan(&r.Import, &r.Row, &r.State, &r.Step, &r.Draft, &r.Version, &r.Record, &r.Key, &r.Gaps, &issues); err != nil {
			return nil, classify(err)
		}
		var b []byte
		if issues != "" { // else erased
			b, err = s.v.openText(ctx, issuesPlace(r.Import, r.Row), issues)
		}
		if err == nil && len(b) > 0 {
			err = json.Unmarshal(b, &r.Issues)
		}
		if err != nil {
			return nil, fmt.Errorf("read issues of row %d: %w", r.Row, err)
		}
		out = append(out, r)
	}
	return out, classify(rows.Err())
}

// CountRows implements sheets.Store.
func (s *Store) CountRows(ctx context.Context, id string) ([]sheets.Count, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT state, step, COUNT(*) FROM import_row WHERE import=$1 GROUP BY state, step", id)
	if err != nil {
		return nil, classify(err)
	}
	defer rows.Close()
	var out []sheets.Count
	for rows.Next() {
		var c sheets.Count
		if err := rows.Scan(&c.State, &c.Step, &c.N); err != nil {
			return nil, classify(err)
		}
		out = append(out, c)
	}
	return out, classify(rows.Err())
}

// DraftedElsewhere implements sheets.Store.
func (s *Store) DraftedElsewhere(ctx context.Context, id string, keys [][]byte) (map[string][]sheets.StoredRow, error) {
	found := map[string][]sheets.StoredRow{}
	for _, k := range keys {
		rows, err := s.importRows(ctx, "SELECT "+importRowColumns+" FROM import_row WHERE ident=$1 AND import<>$2 AND draft<>'' ORDER BY import, row_no", s.v.keyed("import_row", k), id)
		if err != nil {
			return nil, err
		}
		if rows != nil {
			found[string(k)] = rows
		}
	}
	return found, nil
}

// PutProfile implements sheets.Store.
func (s *Store) PutProfile(ctx context.Context, name string, doc []byte) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO import_profile (name, doc) VALUES ($1,$2) ON CONFLICT (name) DO UPDATE SET doc=excluded.doc", name, string(doc))
		return err
	})
}

// Profiles implements sheets.Store.
func (s *Store) Profiles(ctx context.Context) ([][]byte, error) {
	return s.documents(ctx, func(_, doc string) ([]byte, error) { return []byte(doc), nil }, "SELECT name, doc FROM import_profile ORDER BY name")
}

// pruneFiles forgets files of imports that nobody has touched for keepFiles.
func (s *Store) pruneFiles(ctx context.Context, now time.Time) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE import SET file=NULL WHERE file IS NOT NULL AND at<$1", now.Add(-keepFiles).Unix())
		return err
	})
}
