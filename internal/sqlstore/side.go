package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
)

var _ auth.UsedIDs = (*Store)(nil)

// Use implements auth.UsedIDs: an append of nothing but a used id, so that many at once share one commit.
func (s *Store) Use(ctx context.Context, u record.Use) error {
	_, err := s.Append(ctx, record.Append{Uses: []record.Use{u}})
	return err
}

// Floor implements auth.UsedIDs.
func (s *Store) Floor(ctx context.Context) (int64, error) {
	if s.epoch >= 0 { // only this process raises it; if another took over, the append of what was used is refused
		return s.floor.Load(), nil
	}
	var floor int64
	err := s.read.QueryRowContext(ctx, "SELECT floor FROM node WHERE one=1").Scan(&floor)
	return floor, classify(err)
}

// Retention of side tables.
const (
	keepAnswers = 30 * 24 * time.Hour // idempotency answers (architecture.md §5)
	keepUsed    = 5 * time.Minute     // one-use ids after their expiry; then the floor refuses them
	keepTried   = 24 * time.Hour      // failed sign-ins after the last one; a lock is over long before
)

// Maintain prunes side tables within their retention and makes deleted parts unreadable in the files. It is run hourly;
// after it a deletion may be called gone.
func (s *Store) Maintain(ctx context.Context) error {
	now := s.cfg.Now()
	var raised int64
	err := s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := s.fence(ctx, tx); err != nil {
			return err
		}
		limit := now.Add(-keepUsed).Unix()
		var newest sql.NullInt64
		if err := tx.QueryRowContext(ctx, "SELECT MAX(expires) FROM used_id WHERE expires<=$1", limit).Scan(&newest); err != nil {
			return fmt.Errorf("prune used ids: %w", err)
		}
		raised = newest.Int64
		if newest.Valid { // the floor rises to what is pruned, in the same transaction
			if _, err := tx.ExecContext(ctx, "UPDATE node SET floor=$1 WHERE one=1 AND floor<$1", newest.Int64); err != nil {
				return fmt.Errorf("raise floor: %w", err)
			}
			if _, err := tx.ExecContext(ctx, "DELETE FROM used_id WHERE expires<=$1", newest.Int64); err != nil {
				return fmt.Errorf("prune used ids: %w", err)
			}
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM idempotency WHERE at<$1", now.Add(-keepAnswers).Unix()); err != nil {
			return fmt.Errorf("prune kept answers: %w", err)
		}
		return nil
	})
	if err == nil {
		s.floor.Store(max(s.floor.Load(), raised))
		err = s.PruneSessions(ctx, now.Unix())
	}
	if err == nil {
		err = s.prunePeople(ctx, now)
	}
	if err == nil {
		err = s.endOpen(ctx, now.Unix())
	}
	if err == nil {
		err = s.pruneFiles(ctx, now)
	}
	if err == nil {
		err = s.pruneRevisions(ctx)
	}
	if err == nil {
		err = s.renewKeys(ctx)
	}
	if err == nil {
		err = s.d.erase(ctx, s.write)
	}
	if err == nil {
		err = s.d.vacuum(ctx, s.write)
	}
	if err == nil {
		s.eraseOwed.Store(false)
	}
	return classify(err)
}

// Kinds of kept documents.
const (
	CharterDocument   = "charter"
	StatementDocument = "statement"
	AgreementDocument = "agreement"
)

// Document is a signed note that the directory is built from at start.
type Document struct {
	Kind string
	Hash [32]byte // of its bytes
	Note []byte
}

// PutDocuments keeps notes in the order given; those that are kept already stay where they are.
func (s *Store) PutDocuments(ctx context.Context, docs []Document) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, d := range docs {
			if _, err := tx.ExecContext(ctx, "INSERT INTO document (ord, kind, hash, note) VALUES ((SELECT COALESCE(MAX(ord), 0) + 1 FROM document),$1,$2,$3) ON CONFLICT (hash) DO NOTHING",
				d.Kind, d.Hash[:], d.Note); err != nil {
				return fmt.Errorf("keep %s: %w", d.Kind, err)
			}
		}
		return nil
	})
}

// Documents returns all kept notes in the order in which they came.
func (s *Store) Documents(ctx context.Context) ([]Document, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT kind, hash, note FROM document ORDER BY ord")
	if err != nil {
		return nil, classify(fmt.Errorf("read documents: %w", err))
	}
	defer rows.Close()
	var out []Document
	for rows.Next() {
		var d Document
		var hash []byte
		if err := rows.Scan(&d.Kind, &hash, &d.Note); err != nil {
			return nil, classify(fmt.Errorf("read documents: %w", err))
		}
		d.Hash = [32]byte(hash)
		out = append(out, d)
	}
	return out, classify(rows.Err())
}

// CountDocuments returns how many notes are kept: what tells cheaply that one came.
func (s *Store) CountDocuments(ctx context.Context) (n int, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT count(*) FROM document").Scan(&n)
	return n, classify(err)
}

// Filter selects own subjects. Empty fields select everything.
type Filter struct {
	Stream      record.StreamID
	Type, State string
	DayFrom     string // civil date of the first record, inclusive
	DayTo       string
	AfterSeq    uint64 // cursor: rows whose newest record stands before this sequence; 0 = from the newest
	// ValidOn leaves out what ended before a civil day and turns the order round: what ends first comes first.
	ValidOn string
	Limit   int // at most 10,000: a page of a screen, or a whole export
}

// maxList bounds a list. Whoever asks for fewer gets fewer; nobody gets fewer than he asked for without being told.
const maxList = 10_000

// Item is one row of a list.
type Item struct {
	Row
	Subject record.RecordID
	Day     string
	Seq     uint64 // of the newest record: the cursor
}

// List returns subjects of one stream, newest change first (but see Filter.ValidOn).
func (s *Store) List(ctx context.Context, f Filter) ([]Item, error) {
	q := "SELECT subject, type, version, state, valid_until, day, seq FROM subject WHERE stream=$1"
	args := []any{string(f.Stream)}
	add := func(cond string, v any) {
		args = append(args, v)
		q += fmt.Sprintf(" AND "+cond, len(args))
	}
	if f.Type != "" {
		add("type=$%d", f.Type)
	}
	if f.State != "" {
		add("state=$%d", f.State)
	}
	if f.DayFrom != "" {
		add("day>=$%d", f.DayFrom)
	}
	if f.DayTo != "" {
		add("day<=$%d", f.DayTo)
	}
	if f.AfterSeq > 0 {
		add("seq<$%d", f.AfterSeq)
	}
	order := "seq DESC"
	if f.ValidOn != "" {
		add("valid_until>=$%d", f.ValidOn)
		order = "valid_until, seq DESC"
	}
	args = append(args, min(max(f.Limit, 1), maxList))
	q += fmt.Sprintf(" ORDER BY "+order+" LIMIT $%d", len(args))
	rows, err := s.read.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, classify(fmt.Errorf("list: %w", err))
	}
	defer rows.Close()
	var out []Item
	for rows.Next() {
		var it Item
		var subject []byte
		if err := rows.Scan(&subject, &it.Type, &it.Version, &it.State, &it.ValidUntil, &it.Day, &it.Seq); err != nil {
			return nil, classify(fmt.Errorf("list: %w", err))
		}
		it.Subject = record.RecordID(subject)
		out = append(out, it)
	}
	return out, classify(rows.Err())
}

// Restricted returns the restricted parts of an own record: what it said before a correction or withdrawal superseded it.
func (s *Store) Restricted(ctx context.Context, st record.StreamID, seq uint64) (map[record.PartName][]byte, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT name, salt, bytes FROM restricted_part WHERE stream=$1 AND seq=$2", string(st), seq)
	if err != nil {
		return nil, classify(fmt.Errorf("read restricted parts: %w", err))
	}
	defer rows.Close()
	out := map[record.PartName][]byte{}
	for rows.Next() {
		var name record.PartName
		var salt, b []byte
		if err := rows.Scan(&name, &salt, &b); err != nil {
			return nil, classify(fmt.Errorf("read restricted parts: %w", err))
		}
		p := record.StoredPart{Name: name}
		if err := s.v.openPart(ctx, record.Stored{Stream: st, Seq: seq}, &p, salt, b); err != nil {
			return nil, err
		}
		out[name] = p.Bytes
	}
	return out, classify(rows.Err())
}
