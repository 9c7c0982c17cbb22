package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// Apply implements record.Log: one transaction with records, parts, deletions, read models, courier position and head.
func (s *Store) Apply(ctx context.Context, a record.Apply) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	err := s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := s.fence(ctx, tx); err != nil {
			return err
		}
		h, err := head(ctx, tx, a.Stream, s.d.forUpdate)
		if err != nil {
			return err
		}
		if h.Size != a.From || h.Frozen != "" {
			return fmt.Errorf("apply to %s at %d, stored %d: %w", a.Stream, a.From, h.Size, record.ErrStale)
		}
		return s.apply(ctx, tx, h, a)
	})
	if err != nil {
		return classify(err)
	}
	if len(a.Deletes) > 0 || hasGone(a) {
		s.eraseNow(ctx)
	}
	return nil
}

// eraseNow makes deleted bytes unreadable in the files. What deleted them is committed whether this succeeds or not;
// Maintain does it again within the hour, and only then a deletion is called gone.
func (s *Store) eraseNow(ctx context.Context) {
	if err := s.d.erase(ctx, s.write); err != nil {
		s.eraseFails.Add(1)
	}
}

// hasGone reports whether late parts were found to be deleted already.
func hasGone(a record.Apply) bool {
	return slices.ContainsFunc(a.Late, func(st record.Stored) bool {
		return slices.ContainsFunc(st.Parts, func(p record.StoredPart) bool { return p.State == record.PartGone })
	})
}

func (s *Store) apply(ctx context.Context, tx *sql.Tx, h record.Head, a record.Apply) error {
	var subjects []record.RecordID
	touch := func(st record.Stored) {
		if st.Meaning.IsZero() {
			return
		}
		if id, _ := st.Meaning.Subject(); !slices.Contains(subjects, id) {
			subjects = append(subjects, id)
		}
	}
	if a.Group != nil {
		for _, st := range a.Group.Records {
			if err := insertRecord(ctx, tx, st); err != nil {
				return err
			}
			touch(st)
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO commit_group (stream, first, size, checkpoint) VALUES ($1,$2,$3,$4)",
			string(a.Stream), a.Group.First, a.NewHead.Size, a.Group.Checkpoint); err != nil {
			return fmt.Errorf("insert commit group: %w", err)
		}
	}
	for _, st := range a.Late {
		if err := updateRecord(ctx, tx, st); err != nil {
			return err
		}
		touch(st)
	}
	for _, d := range a.Deletes {
		if err := deleteParts(ctx, tx, a.Stream, d); err != nil {
			return err
		}
	}
	for _, id := range subjects {
		if err := s.project(ctx, tx, a.Stream, id); err != nil {
			return err
		}
	}
	if a.Cursor != nil {
		if err := setCursor(ctx, tx, *a.Cursor); err != nil {
			return err
		}
	}
	return putHead(ctx, tx, h, a.NewHead)
}

// Rekey implements record.Log.
func (s *Store) Rekey(ctx context.Context, st record.StreamID, has func(record.KeyID) bool) (int, error) {
	n := 0
	err := s.tx(ctx, func(tx *sql.Tx) error {
		h, err := head(ctx, tx, st, s.d.forUpdate)
		if err != nil {
			return err
		}
		found, err := withheld(ctx, tx, st, has)
		if err != nil || len(found) == 0 {
			return err
		}
		for _, at := range found {
			if _, err := tx.ExecContext(ctx, "UPDATE part SET state=$4 WHERE stream=$1 AND seq=$2 AND name=$3", string(st), at.Seq, string(at.Part), int(record.PartPending)); err != nil {
				return fmt.Errorf("rekey: %w", err)
			}
		}
		n = len(found)
		next := h
		next.Applied = min(h.Applied, found[0].Seq)
		return putHead(ctx, tx, h, next)
	})
	return n, classify(err)
}

// withheld returns the withheld parts of which has knows a key, ascending.
func withheld(ctx context.Context, q querier, st record.StreamID, has func(record.KeyID) bool) ([]record.PartAt, error) {
	rows, err := q.QueryContext(ctx, "SELECT seq, name, keys FROM part WHERE stream=$1 AND state=$2 ORDER BY seq, ord", string(st), int(record.PartWithheld))
	if err != nil {
		return nil, fmt.Errorf("read withheld parts: %w", err)
	}
	defer rows.Close()
	var out []record.PartAt
	for rows.Next() {
		var at record.PartAt
		var keys []byte
		if err := rows.Scan(&at.Seq, &at.Part, &keys); err != nil {
			return nil, fmt.Errorf("read withheld parts: %w", err)
		}
		if slices.ContainsFunc(splitKeys(keys), has) {
			out = append(out, at)
		}
	}
	return out, rows.Err()
}

// Release implements record.Log.
func (s *Store) Release(ctx context.Context, st record.StreamID) error {
	if !s.own(st) {
		return fmt.Errorf("release %s: not a stream of %s", st, s.cfg.Self)
	}
	// The lock keeps new groups out until those before them are signed: checkpoints are signed in order.
	s.relMu.Lock()
	defer s.relMu.Unlock()
	if s.released[st] {
		return nil
	}
	err := s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := s.fence(ctx, tx); err != nil {
			return err
		}
		h, err := head(ctx, tx, st, s.d.forUpdate)
		if err != nil || h.Size == h.Signed {
			return err
		}
		sizes, err := unsigned(ctx, tx, st)
		if err != nil {
			return err
		}
		hs, err := leaves(ctx, tx, st, 0, h.Size)
		if err != nil {
			return err
		}
		tree, next := record.Tree{}, h
		for _, size := range sizes {
			for tree.Size < size {
				tree = tree.Add(hs[tree.Size])
			}
			if next.Checkpoint, err = s.checkpoint(st, tree); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "UPDATE commit_group SET checkpoint=$3 WHERE stream=$1 AND size=$2", string(st), size, next.Checkpoint); err != nil {
				return fmt.Errorf("sign group: %w", err)
			}
			next.Signed = size
		}
		return putHead(ctx, tx, h, next)
	})
	if err != nil {
		return classify(err)
	}
	s.released[st] = true
	return nil
}

// unsigned returns the sizes at which groups without checkpoint end, ascending.
func unsigned(ctx context.Context, q querier, st record.StreamID) ([]uint64, error) {
	rows, err := q.QueryContext(ctx, "SELECT size FROM commit_group WHERE stream=$1 AND checkpoint IS NULL ORDER BY size", string(st))
	if err != nil {
		return nil, fmt.Errorf("read unsigned groups: %w", err)
	}
	defer rows.Close()
	var out []uint64
	for rows.Next() {
		var n uint64
		if err := rows.Scan(&n); err != nil {
			return nil, fmt.Errorf("read unsigned groups: %w", err)
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

// Unreleased implements record.Log. What it takes off is kept in a table of its own until it is appended again, so that a
// crash in between loses nothing; a repeat returns it again.
func (s *Store) Unreleased(ctx context.Context, st record.StreamID) ([]record.Draft, error) {
	if !s.own(st) || st.Kind() != record.Records {
		return nil, fmt.Errorf("unreleased tail of %s: not a records stream of %s", st, s.cfg.Self)
	}
	s.relMu.RLock()
	defer s.relMu.RUnlock()
	if s.released[st] {
		return nil, fmt.Errorf("unreleased tail of %s: %w", st, record.ErrStale)
	}
	var drafts []record.Draft
	err := s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := s.fence(ctx, tx); err != nil {
			return err
		}
		h, err := head(ctx, tx, st, s.d.forUpdate)
		if err != nil {
			return err
		}
		if h.Size > h.Signed {
			if err := s.takeOff(ctx, tx, st, h); err != nil {
				return err
			}
		}
		drafts, err = tailDrafts(ctx, tx, st)
		return err
	})
	return drafts, classify(err)
}

func (s *Store) takeOff(ctx context.Context, tx *sql.Tx, st record.StreamID, h record.Head) error {
	all, err := records(ctx, tx, "r.stream=$1 AND r.seq>=$2", string(st), h.Signed)
	if err != nil {
		return err
	}
	var next int64
	if err := tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(ord), 0) + 1 FROM tail").Scan(&next); err != nil {
		return fmt.Errorf("read tail: %w", err)
	}
	for i, r := range all {
		d := draftOf(r)
		b, err := encodeDraft(d)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO tail (ord, stream, id, draft) VALUES ($1,$2,$3,$4)", next+int64(i), string(st), d.ID[:], b); err != nil {
			return fmt.Errorf("keep tail: %w", err)
		}
		if id, _ := r.Meaning.Subject(); true {
			if _, err := tx.ExecContext(ctx, "DELETE FROM subject WHERE stream=$1 AND subject=$2", string(st), id[:]); err != nil {
				return fmt.Errorf("take off read model: %w", err)
			}
		}
	}
	for _, table := range []string{"part", "record"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE stream=$1 AND seq>=$2", string(st), h.Signed); err != nil {
			return fmt.Errorf("take off tail: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM commit_group WHERE stream=$1 AND first>=$2", string(st), h.Signed); err != nil {
		return fmt.Errorf("take off tail: %w", err)
	}
	for _, r := range all {
		id, _ := r.Meaning.Subject()
		if err := s.project(ctx, tx, st, id); err != nil {
			return err
		}
	}
	hs, err := leaves(ctx, tx, st, 0, h.Signed)
	if err != nil {
		return err
	}
	tree := treeOf(hs)
	back := h
	back.Size, back.Applied, back.Root, back.Frontier = h.Signed, h.Signed, tree.Root(), tree.Frontier
	return putHead(ctx, tx, h, back)
}

func treeOf(hs []tlog.Hash) record.Tree {
	var t record.Tree
	for _, l := range hs {
		t = t.Add(l)
	}
	return t
}

// draftOf returns what a record of an own stream said before it had a place.
func draftOf(st record.Stored) record.Draft {
	m := st.Meaning
	d := record.Draft{Stream: st.Stream, ID: m.ID, Type: m.Type, Schema: m.Schema, Day: m.Day, Audience: m.Audience, Refs: m.Refs, Parts: map[record.PartName][]byte{}}
	for _, p := range st.Parts {
		if p.Name != record.Meta && p.State == record.PartPresent {
			d.Parts[p.Name] = p.Bytes
		}
	}
	return d
}

func tailDrafts(ctx context.Context, q querier, st record.StreamID) ([]record.Draft, error) {
	rows, err := q.QueryContext(ctx, "SELECT draft FROM tail WHERE stream=$1 ORDER BY ord", string(st))
	if err != nil {
		return nil, fmt.Errorf("read tail: %w", err)
	}
	defer rows.Close()
	var out []record.Draft
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return nil, fmt.Errorf("read tail: %w", err)
		}
		d, err := decodeDraft(b)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// PutEvidence implements record.Log.
func (s *Store) PutEvidence(ctx context.Context, st record.StreamID, evidence []byte) error {
	return classify(s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO evidence (stream, evidence) VALUES ($1,$2) ON CONFLICT (stream) DO NOTHING", string(st), evidence); err != nil {
			return fmt.Errorf("keep evidence: %w", err)
		}
		h, err := head(ctx, tx, st, s.d.forUpdate)
		if err != nil {
			return err
		}
		next := h
		next.Frozen = "forked"
		return putHead(ctx, tx, h, next)
	}))
}

// Cosign implements record.Log.
func (s *Store) Cosign(ctx context.Context, st record.StreamID, old, size uint64, root tlog.Hash, receipt []byte) error {
	if size < old {
		return fmt.Errorf("cosign %s at %d after %d: %w", st, size, old, record.ErrStale)
	}
	return classify(s.tx(ctx, func(tx *sql.Tx) error {
		h, err := head(ctx, tx, st, s.d.forUpdate)
		if err != nil {
			return err
		}
		if size > appliedLimit(h) {
			return fmt.Errorf("cosign %s at %d, applied %d: %w", st, size, h.Applied, record.ErrStale)
		}
		if old == 0 {
			if _, err := tx.ExecContext(ctx, "INSERT INTO cosigned (stream, size, root) VALUES ($1,0,$2) ON CONFLICT (stream) DO NOTHING", string(st), root[:]); err != nil {
				return fmt.Errorf("cosign %s: %w", st, err)
			}
		}
		res, err := tx.ExecContext(ctx, "UPDATE cosigned SET size=$2, root=$3 WHERE stream=$1 AND size=$4", string(st), size, root[:], old)
		if err := changedOne(res, err, "cosign "+string(st)); err != nil {
			return err
		}
		return putReceipt(ctx, tx, st, s.cfg.Self, size, receipt)
	}))
}

// appliedLimit is how far a stream may be vouched for: to its first pending part.
func appliedLimit(h record.Head) uint64 { return h.Applied }

// Cosigned implements record.Log.
func (s *Store) Cosigned(ctx context.Context, st record.StreamID) (uint64, tlog.Hash, error) {
	var size uint64
	var root []byte
	err := s.read.QueryRowContext(ctx, "SELECT size, root FROM cosigned WHERE stream=$1", string(st)).Scan(&size, &root)
	if errors.Is(err, sql.ErrNoRows) || err == nil && size == 0 {
		return 0, tlog.Hash{}, nil
	}
	if err != nil {
		return 0, tlog.Hash{}, classify(fmt.Errorf("read cosigned size of %s: %w", st, err))
	}
	return size, tlog.Hash(root), nil
}
