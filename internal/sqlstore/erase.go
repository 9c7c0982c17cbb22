package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"github.com/pilinhub/pilin/internal/sheets"
	"github.com/pilinhub/pilin/record"
)

// What an own record was made of goes when it is erased, in the same transaction: a fall leaves both or neither.

// eraseSources deletes the drafts of an own subject, its corrections among them, and the file of the import that brought it
// in, with what was said of the file's columns.
func (v *vault) eraseSources(ctx context.Context, tx *sql.Tx, subject record.RecordID) error {
	var drafts []subjectAt
	err := each(ctx, tx, "SELECT stream, subject FROM subject WHERE about=$1", []any{subject.String()}, func(rows *sql.Rows) error {
		var stream string
		var id []byte
		err := rows.Scan(&stream, &id)
		drafts = append(drafts, subjectAt{record.StreamID(stream), record.RecordID(id)})
		return err
	})
	if err != nil {
		return fmt.Errorf("find drafts of an erased record: %w", err)
	}
	for _, d := range drafts {
		if err := eraseDraft(ctx, tx, d); err != nil {
			return fmt.Errorf("erase draft %s: %w", d.subject, err)
		}
	}
	docs := map[string]string{}
	err = each(ctx, tx, "SELECT id, doc FROM import WHERE id IN (SELECT import FROM import_row WHERE record=$1)", []any{subject.String()}, func(rows *sql.Rows) error {
		var id, doc string
		err := rows.Scan(&id, &doc)
		docs[id] = doc
		return err
	})
	if err != nil {
		return fmt.Errorf("find imports of an erased record: %w", err)
	}
	for id, doc := range docs {
		if err := v.eraseFile(ctx, tx, id, doc, subject); err != nil {
			return fmt.Errorf("erase file of import %s: %w", id, err)
		}
	}
	return nil
}

func eraseDraft(ctx context.Context, tx *sql.Tx, d subjectAt) error {
	const of = "stream=$1 AND seq IN (SELECT seq FROM record WHERE stream=$1 AND subject=$2)"
	// What deletes the parts stands in another stream: no sequence of their own says so.
	if _, err := tx.ExecContext(ctx, "UPDATE part SET state=$3, salt=NULL, bytes=NULL, gone_by=$4 WHERE name<>'meta' AND "+of,
		string(d.stream), d.subject[:], int(record.PartGone), int64(math.MaxInt64)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM subject WHERE stream=$1 AND subject=$2", string(d.stream), d.subject[:])
	return err
}

func (v *vault) eraseFile(ctx context.Context, tx *sql.Tx, id, doc string, subject record.RecordID) error {
	b, err := v.openText(ctx, docPlace(id), doc)
	if err == nil {
		b, err = sheets.Redacted(b)
	}
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE import SET erased=1, file=NULL, doc=$2 WHERE id=$1", id, v.sealText(docPlace(id), string(b))); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE import_row SET issues='', gaps=CASE WHEN record=$2 THEN 0 ELSE gaps END WHERE import=$1", id, subject.String())
	return err
}

// isErased reports whether the file of an import was erased.
func isErased(ctx context.Context, tx *sql.Tx, id string) (bool, error) {
	var n int
	err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM import WHERE id=$1 AND erased=1", id).Scan(&n)
	return n > 0, err
}
