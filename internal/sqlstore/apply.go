package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

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
		released := false
		if s.own(a.Stream) { // nobody else's stream waits for this node's release
			if released, err = s.isReleased(ctx, tx, a.Stream); err != nil {
				return err
			}
		}
		if err := record.CheckApply(h, a, released); err != nil {
			return err
		}
		return s.apply(ctx, tx, h, a)
	})
	if err != nil {
		return err
	}
	if len(a.Deletes) > 0 || hasGone(a) {
		s.eraseNow(ctx)
	}
	return nil
}

// hasGone reports whether late parts were found to be deleted already.
func hasGone(a record.Apply) bool {
	return slices.ContainsFunc(a.Late, func(st record.Stored) bool {
		return slices.ContainsFunc(st.Parts, func(p record.StoredPart) bool { return p.State == record.PartGone })
	})
}

func (s *Store) apply(ctx context.Context, tx *sql.Tx, h record.Head, a record.Apply) error {
	var touched []record.RecordID
	touch := func(st record.Stored) {
		if id, _ := st.Meaning.Subject(); !st.Meaning.IsZero() && !slices.Contains(touched, id) {
			touched = append(touched, id)
		}
	}
	if g := a.Group; g != nil {
		if err := s.v.insertRecords(ctx, tx, g.Records); err != nil {
			return err
		}
		if err := insertGroup(ctx, tx, a.Stream, g.First, a.NewHead.Size, contentSize(g.Records), g.Checkpoint); err != nil {
			return err
		}
		for _, st := range g.Records {
			touch(st)
		}
	}
	if err := reviseLate(ctx, tx, h, a.Late); err != nil {
		return err
	}
	for _, st := range a.Late {
		if err := s.v.updateRecord(ctx, tx, st); err != nil {
			return err
		}
		touch(st)
	}
	for _, d := range a.Deletes {
		if err := deleteParts(ctx, tx, a.Stream, d); err != nil {
			return err
		}
	}
	if s.own(a.Stream) {
		if err := s.v.takenBack(ctx, tx, a, touched); err != nil {
			return err
		}
	}
	for _, id := range touched {
		if err := s.projectStored(ctx, tx, subjectAt{a.Stream, id}); err != nil {
			return err
		}
	}
	if a.Cursor != nil {
		if err := setCursor(ctx, tx, *a.Cursor); err != nil {
			return err
		}
	}
	next := a.NewHead
	if h.Applied == h.Size && !leavesPending(a) { // the daily case, and nothing to ask for
		next.Applied = next.Size
		return putHead(ctx, tx, h, next)
	}
	var err error
	if next.Applied, err = appliedSize(ctx, tx, a.Stream, next.Size); err != nil {
		return err
	}
	return putHead(ctx, tx, h, next)
}

// leavesPending reports whether a has a part whose bytes are still to come.
func leavesPending(a record.Apply) bool {
	pending := func(st record.Stored) bool {
		return slices.ContainsFunc(st.Parts, func(p record.StoredPart) bool { return p.State == record.PartPending })
	}
	return slices.ContainsFunc(a.Late, pending) || a.Group != nil && slices.ContainsFunc(a.Group.Records, pending)
}

// takenBack does what own records that came back from others mean at their origin. What a record supersedes may come
// after it, in a late frame, and so may its own meaning: the whole subject is looked at again.
func (v *vault) takenBack(ctx context.Context, tx *sql.Tx, a record.Apply, touched []record.RecordID) error {
	if a.Group != nil {
		for _, st := range a.Group.Records {
			if h, err := record.DecodeHeader(st.Header); err == nil {
				if err := clearTail(ctx, tx, h.ID); err != nil {
					return err
				}
			}
		}
	}
	for _, id := range touched {
		all, err := v.subjectRecords(ctx, tx, a.Stream, id)
		if err != nil {
			return err
		}
		slices.SortFunc(all, func(x, y record.Stored) int { return cmp.Compare(x.Seq, y.Seq) })
		for _, st := range all {
			if err := v.restrict(ctx, tx, st); err != nil {
				return err
			}
		}
	}
	return nil
}

// appliedSize returns how far a stream of the given size is applied.
func appliedSize(ctx context.Context, q querier, st record.StreamID, size uint64) (uint64, error) {
	var first sql.NullInt64
	if err := q.QueryRowContext(ctx, "SELECT MIN(seq) FROM part WHERE stream=$1 AND state=$2", string(st), int(record.PartPending)).Scan(&first); err != nil {
		return 0, fmt.Errorf("read first pending part of %s: %w", st, err)
	}
	return record.AppliedSize(size, uint64(first.Int64), first.Valid), nil
}

// Pending implements record.Log.
func (s *Store) Pending(ctx context.Context, st record.StreamID) ([]record.PartAt, error) {
	var out []record.PartAt
	err := each(ctx, s.read, "SELECT seq, name FROM part WHERE stream=$1 AND state=$2 ORDER BY seq, ord", []any{string(st), int(record.PartPending)}, func(rows *sql.Rows) error {
		var at record.PartAt
		err := rows.Scan(&at.Seq, &at.Part)
		out = append(out, at)
		return err
	})
	if err != nil {
		return nil, classify(fmt.Errorf("read pending parts of %s: %w", st, err))
	}
	return out, nil
}

// Rekey implements record.Log. The caller's has is asked outside of the transaction.
func (s *Store) Rekey(ctx context.Context, st record.StreamID, has func(record.KeyID) bool) (int, error) {
	var found []record.PartAt
	err := each(ctx, s.read, "SELECT seq, name, keys FROM part WHERE stream=$1 AND state=$2 ORDER BY seq, ord", []any{string(st), int(record.PartWithheld)}, func(rows *sql.Rows) error {
		var at record.PartAt
		var keys []byte
		if err := rows.Scan(&at.Seq, &at.Part, &keys); err != nil {
			return err
		}
		if slices.ContainsFunc(splitKeys(keys), has) {
			found = append(found, at)
		}
		return nil
	})
	if err != nil {
		return 0, classify(fmt.Errorf("read withheld parts of %s: %w", st, err))
	}
	if len(found) == 0 {
		return 0, nil
	}
	n := 0
	err = s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := s.fence(ctx, tx); err != nil {
			return err
		}
		h, err := head(ctx, tx, st, s.d.forUpdate)
		if err != nil {
			return err
		}
		for _, at := range found {
			res, err := tx.ExecContext(ctx, "UPDATE part SET state=$4 WHERE stream=$1 AND seq=$2 AND name=$3 AND state=$5",
				string(st), at.Seq, string(at.Part), int(record.PartPending), int(record.PartWithheld))
			if err != nil {
				return fmt.Errorf("rekey %s: %w", st, err)
			}
			changed, err := res.RowsAffected()
			if err != nil {
				return fmt.Errorf("rekey %s: %w", st, err)
			}
			n += int(changed)
		}
		if n > 0 {
			if err := revise(ctx, tx, st, found[0].Seq); err != nil {
				return err
			}
		}
		next := h
		if next.Applied, err = appliedSize(ctx, tx, st, h.Size); err != nil {
			return err
		}
		return putHead(ctx, tx, h, next)
	})
	return n, err
}
