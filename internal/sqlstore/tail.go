package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/record"
)

// isReleased reports whether checkpoints of an own stream are signed as records come. A release holds for the process that
// was released. Streams that never leave the node need none.
func (s *Store) isReleased(ctx context.Context, q querier, st record.StreamID) (bool, error) {
	if st.Kind() != record.Records {
		return true, nil
	}
	var n int
	if err := q.QueryRowContext(ctx, "SELECT count(*) FROM stream_head WHERE stream=$1 AND released=$2", string(st), s.epoch).Scan(&n); err != nil {
		return false, fmt.Errorf("read release of %s: %w", st, err)
	}
	return n > 0, nil
}

// Release implements record.Log.
func (s *Store) Release(ctx context.Context, st record.StreamID) error {
	if !s.own(st) || !st.Valid() {
		return fmt.Errorf("release %s: not a stream of %s", st, s.cfg.Self)
	}
	s.reshape.Lock()
	defer s.reshape.Unlock()
	return s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := s.fence(ctx, tx); err != nil {
			return err
		}
		h, err := head(ctx, tx, st, s.d.forUpdate)
		if err != nil {
			return err
		}
		next, err := s.signTail(ctx, tx, h)
		if err != nil {
			return err
		}
		if err := s.putHeadNow(ctx, tx, h, next); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE stream_head SET released=$2 WHERE stream=$1", string(st), s.epoch); err != nil {
			return fmt.Errorf("release %s: %w", st, err)
		}
		return nil
	})
}

// signTail signs the groups that were stored without checkpoint, in order, over headers as they are stored, and returns
// the head with the newest one.
func (s *Store) signTail(ctx context.Context, tx *sql.Tx, h record.Head) (record.Head, error) {
	if h.Size == h.Signed {
		return h, nil
	}
	var sizes []uint64
	err := each(ctx, tx, "SELECT size FROM commit_group WHERE stream=$1 AND checkpoint IS NULL ORDER BY size", []any{string(h.Stream)}, func(rows *sql.Rows) error {
		var n uint64
		err := rows.Scan(&n)
		sizes = append(sizes, n)
		return err
	})
	if err != nil {
		return h, fmt.Errorf("read unsigned groups of %s: %w", h.Stream, err)
	}
	hs, err := leaves(ctx, tx, h.Stream, 0, h.Signed)
	if err != nil {
		return h, err
	}
	tree := treeOf(hs)
	var tail [][]byte
	err = each(ctx, tx, "SELECT header FROM record WHERE stream=$1 AND seq>=$2 ORDER BY seq", []any{string(h.Stream), h.Signed}, func(rows *sql.Rows) error {
		var b []byte
		err := rows.Scan(&b)
		tail = append(tail, b)
		return err
	})
	if err != nil {
		return h, fmt.Errorf("read unsigned records of %s: %w", h.Stream, err)
	}
	first := h.Signed
	for _, size := range sizes {
		for tree.Size < size && tree.Size-first < uint64(len(tail)) {
			tree = tree.Add(record.Leaf(tail[tree.Size-first]))
		}
		if tree.Size != size {
			return h, fmt.Errorf("sign %s at %d: only %d records are stored", h.Stream, size, tree.Size)
		}
		if h.Checkpoint, err = s.checkpoint(h.Stream, tree); err != nil {
			return h, err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE commit_group SET checkpoint=$3 WHERE stream=$1 AND size=$2", string(h.Stream), size, h.Checkpoint); err != nil {
			return h, fmt.Errorf("sign group of %s: %w", h.Stream, err)
		}
		h.Signed = size
	}
	if tree.Root() != h.Root {
		return h, fmt.Errorf("sign %s at %d: the stored records are not those of the head", h.Stream, h.Size)
	}
	return h, nil
}

// Unreleased implements record.Log. What it takes off is kept in a table of its own until it is appended again, under its
// id in whichever own stream, so that a crash in between loses nothing; a repeat returns it again.
func (s *Store) Unreleased(ctx context.Context, st record.StreamID) ([]record.Draft, error) {
	if !s.own(st) || st.Kind() != record.Records {
		return nil, fmt.Errorf("unreleased tail of %s: not a records stream of %s", st, s.cfg.Self)
	}
	s.reshape.Lock()
	defer s.reshape.Unlock()
	var drafts []record.Draft
	err := s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := s.fence(ctx, tx); err != nil {
			return err
		}
		h, err := head(ctx, tx, st, s.d.forUpdate)
		if err != nil {
			return err
		}
		released, err := s.isReleased(ctx, tx, st)
		if err != nil {
			return err
		}
		if released {
			return fmt.Errorf("unreleased tail of %s: %w", st, record.ErrStale)
		}
		if h.Size > h.Signed {
			s.tails.Store(true)
			if err := s.takeOff(ctx, tx, h); err != nil {
				return err
			}
		}
		drafts, err = s.v.tailDrafts(ctx, tx, st)
		return err
	})
	return drafts, err
}

// takeOff moves everything behind the newest checkpoint to the table tail, and undoes what it did to the records before.
func (s *Store) takeOff(ctx context.Context, tx *sql.Tx, h record.Head) error {
	stream := string(h.Stream)
	// What the tail superseded is content again, of signed records and of the tail's own drafts. What it erased is not.
	const undo = "stream=$1 AND state=$2 AND gone_by>=$3 AND EXISTS (SELECT 1 FROM restricted_part q WHERE q.stream=part.stream AND q.seq=part.seq AND q.name=part.name)"
	if _, err := tx.ExecContext(ctx, "UPDATE part SET state=$4, gone_by=0,"+
		" salt=(SELECT q.salt FROM restricted_part q WHERE q.stream=part.stream AND q.seq=part.seq AND q.name=part.name),"+
		" bytes=(SELECT q.bytes FROM restricted_part q WHERE q.stream=part.stream AND q.seq=part.seq AND q.name=part.name) WHERE "+undo,
		stream, int(record.PartGone), h.Signed, int(record.PartPresent)); err != nil {
		return fmt.Errorf("give back superseded parts: %w", err)
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM restricted_part WHERE stream=$1 AND EXISTS (SELECT 1 FROM part p WHERE p.stream=restricted_part.stream AND p.seq=restricted_part.seq AND p.name=restricted_part.name AND p.state=$2)",
		stream, int(record.PartPresent)); err != nil {
		return fmt.Errorf("give back superseded parts: %w", err)
	}
	// The erasure itself comes back at another place and then says again what it deleted.
	if _, err := tx.ExecContext(ctx, "UPDATE part SET gone_by=$4 WHERE stream=$1 AND state=$2 AND gone_by>=$3", stream, int(record.PartGone), h.Signed, int64(math.MaxInt64)); err != nil {
		return fmt.Errorf("mark erased parts: %w", err)
	}
	all, err := s.v.records(ctx, tx, "r.stream=$1 AND r.seq>=$2", stream, h.Signed)
	if err != nil {
		return err
	}
	if err := s.v.keepTail(ctx, tx, all); err != nil {
		return err
	}
	for _, statement := range []string{"DELETE FROM part WHERE stream=$1 AND seq>=$2", "DELETE FROM restricted_part WHERE stream=$1 AND seq>=$2",
		"DELETE FROM record WHERE stream=$1 AND seq>=$2", "DELETE FROM commit_group WHERE stream=$1 AND first>=$2"} {
		if _, err := tx.ExecContext(ctx, statement, stream, h.Signed); err != nil {
			return fmt.Errorf("take off tail: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM tile WHERE stream=$1 AND n>=$2", stream, h.Signed/tileSize); err != nil {
		return fmt.Errorf("take off tail: %w", err)
	}
	t := &together{tx: tx, d: s.d}
	touched := make([]subjectAt, 0, len(all))
	for _, r := range all {
		if id, _ := r.Meaning.Subject(); !slices.Contains(touched, subjectAt{h.Stream, id}) {
			touched = append(touched, subjectAt{h.Stream, id})
		}
	}
	if err := s.projectStored(ctx, t, touched...); err != nil {
		return err
	}
	hs, err := leaves(ctx, tx, h.Stream, 0, h.Signed)
	if err != nil {
		return err
	}
	tree, back := treeOf(hs), h
	back.Size, back.Root, back.Frontier = tree.Size, tree.Root(), tree.Frontier
	if back.Applied, err = appliedSize(ctx, tx, h.Stream, back.Size); err != nil {
		return err
	}
	if err := s.putHead(ctx, t, h, back); err != nil {
		return err
	}
	return t.run(ctx)
}

func (v *vault) keepTail(ctx context.Context, tx *sql.Tx, all []record.Stored) error {
	var next int64
	if err := tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(ord), 0) + 1 FROM tail").Scan(&next); err != nil {
		return fmt.Errorf("read tail: %w", err)
	}
	var rows [][]any
	for i, r := range all {
		d := record.DraftOf(r)
		b, err := encodeDraft(d)
		if err != nil {
			return err
		}
		rows = append(rows, []any{next + int64(i), string(r.Stream), d.ID[:], v.seal(place("tail", d.ID.String()), b)})
	}
	if err := insertMany(ctx, tx, "INSERT INTO tail (ord, stream, id, draft)", rows, ""); err != nil {
		return fmt.Errorf("keep tail: %w", err)
	}
	return nil
}

// clearTail notes that a record that was taken off is in a stream again.
func clearTail(ctx context.Context, tx *sql.Tx, id record.RecordID) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM tail WHERE id=$1", id[:]); err != nil {
		return fmt.Errorf("clear tail: %w", err)
	}
	return nil
}

func (v *vault) tailDrafts(ctx context.Context, q querier, st record.StreamID) ([]record.Draft, error) {
	var out []record.Draft
	err := each(ctx, q, "SELECT id, draft FROM tail WHERE stream=$1 ORDER BY ord", []any{string(st)}, func(rows *sql.Rows) error {
		var id, b []byte
		if err := rows.Scan(&id, &b); err != nil {
			return err
		}
		b, err := v.open(ctx, place("tail", record.RecordID(id).String()), b)
		if err != nil {
			return err
		}
		d, err := decodeDraft(b)
		out = append(out, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read tail of %s: %w", st, err)
	}
	return out, nil
}

// keptDraft is a draft in the table tail.
type keptDraft struct {
	Stream   record.StreamID            `json:"stream"`
	ID       string                     `json:"id"`
	Type     string                     `json:"type"`
	Schema   string                     `json:"schema"`
	Day      string                     `json:"day"`
	Audience map[record.GroupID]uint8   `json:"audience"`
	Refs     []keptRef                  `json:"refs"`
	Parts    map[record.PartName][]byte `json:"parts"`
}

type keptRef struct {
	Rel     record.Relation `json:"rel"`
	ID      string          `json:"id"`
	Version uint64          `json:"version"`
}

func encodeDraft(d record.Draft) ([]byte, error) {
	k := keptDraft{Stream: d.Stream, ID: d.ID.String(), Type: d.Type, Schema: d.Schema, Day: d.Day, Audience: map[record.GroupID]uint8{}, Parts: d.Parts}
	for g, l := range d.Audience {
		k.Audience[g] = uint8(l)
	}
	for _, r := range d.Refs {
		k.Refs = append(k.Refs, keptRef{r.Rel, r.ID.String(), r.Version})
	}
	b, err := json.Marshal(k, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("encode draft: %w", err)
	}
	return b, nil
}

func decodeDraft(b []byte) (record.Draft, error) {
	var k keptDraft
	if err := json.Unmarshal(b, &k); err != nil {
		return record.Draft{}, fmt.Errorf("decode draft: %w", err)
	}
	d := record.Draft{Stream: k.Stream, Type: k.Type, Schema: k.Schema, Day: k.Day, Audience: map[record.GroupID]record.Level{}, Parts: k.Parts}
	var err error
	if d.ID, err = record.ParseBits128(k.ID); err != nil {
		return d, fmt.Errorf("decode draft: %w", err)
	}
	for g, l := range k.Audience {
		d.Audience[record.GroupID(strings.Clone(string(g)))] = record.Level(l)
	}
	for _, r := range k.Refs {
		id, err := record.ParseBits128(r.ID)
		if err != nil {
			return d, fmt.Errorf("decode draft: %w", err)
		}
		d.Refs = append(d.Refs, record.Ref{Rel: r.Rel, ID: id, Version: r.Version})
	}
	return d, nil
}
