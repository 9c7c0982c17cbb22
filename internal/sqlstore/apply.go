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
		heads, _, err := s.lockHeads(ctx, tx, a.Stream)
		if err != nil {
			return err
		}
		h := heads[a.Stream]
		// Nobody else's stream waits for this node's release.
		if err := record.CheckApply(h.Head, a, s.own(a.Stream) && h.released); err != nil {
			return err
		}
		return s.apply(ctx, &together{tx: tx, d: s.d}, h.Head, a)
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

func (s *Store) apply(ctx context.Context, t *together, h record.Head, a record.Apply) error {
	var touched []subjectAt
	touch := func(st record.Stored) {
		id, _ := st.Meaning.Subject()
		if at := (subjectAt{a.Stream, id}); !st.Meaning.IsZero() && !slices.Contains(touched, at) {
			touched = append(touched, at)
		}
	}
	if g := a.Group; g != nil {
		for _, st := range g.Records {
			touch(st)
		}
		recs, parts := s.v.rowsOf(g.Records)
		if err := t.addRows(ctx, insertRecord, recs, ""); err != nil {
			return err
		}
		if err := t.addRows(ctx, insertPart, parts, ""); err != nil {
			return err
		}
		if err := insertGroup(ctx, t, a.Stream, g.First, a.NewHead.Size, contentSize(g.Records), g.Checkpoint); err != nil {
			return err
		}
	}
	if a.Cursor != nil {
		if err := t.add(ctx, putCursor, a.Cursor.Topic, a.Cursor.Offset); err != nil {
			return err
		}
	}
	next := a.NewHead
	next.Applied = next.Size
	if len(a.Late) > 0 || len(a.Deletes) > 0 || s.own(a.Stream) {
		for _, st := range a.Late {
			touch(st)
		}
		if err := s.change(ctx, t, h, a, touched); err != nil {
			return err
		}
		if err := s.projectStored(ctx, t, touched...); err != nil {
			return err
		}
	} else if err := s.projectComing(ctx, t, a.Group, touched); err != nil { // the daily case: records come, none that is here changes
		return err
	}
	if h.Applied < h.Size || leavesPending(a) {
		if err := t.run(ctx); err != nil {
			return fmt.Errorf("apply: %w", err)
		}
		var err error
		if next.Applied, err = appliedSize(ctx, t.tx, a.Stream, next.Size); err != nil {
			return err
		}
	}
	if err := s.putHead(ctx, t, h, next); err != nil {
		return err
	}
	if err := t.run(ctx); err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	return nil
}

// change does what an apply means for records that are stored, those that come with it included.
func (s *Store) change(ctx context.Context, t *together, h record.Head, a record.Apply, touched []subjectAt) error {
	if err := t.run(ctx); err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	if err := reviseLate(ctx, t.tx, h, a.Late); err != nil {
		return err
	}
	for _, st := range a.Late {
		if err := s.v.updateRecord(ctx, t.tx, st); err != nil {
			return err
		}
	}
	for _, d := range a.Deletes {
		if err := deleteParts(ctx, t.tx, a.Stream, d); err != nil {
			return err
		}
	}
	if !s.own(a.Stream) {
		return nil
	}
	return s.v.takenBack(ctx, t.tx, a, touched)
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
func (v *vault) takenBack(ctx context.Context, tx *sql.Tx, a record.Apply, touched []subjectAt) error {
	if a.Group != nil {
		for _, st := range a.Group.Records {
			if h, err := record.DecodeHeader(st.Header); err == nil {
				if err := clearTail(ctx, tx, h.ID); err != nil {
					return err
				}
			}
		}
	}
	for _, at := range touched {
		all, err := v.subjectRecords(ctx, tx, at.stream, at.subject)
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
		return s.putHeadNow(ctx, tx, h, next)
	})
	return n, err
}
