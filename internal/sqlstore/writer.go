package sqlstore

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/pilinhub/pilin/record"
)

// ownHead is an own stream's head while a batch is written.
type ownHead struct {
	old, now record.Head
	tree     record.Tree
}

// writer is the work of one transaction.
type writer struct {
	s        *Store
	tx       *sql.Tx
	floor    int64
	heads    map[record.StreamID]*ownHead
	order    []record.StreamID
	slots    map[[2]string]*request // idempotency slots taken in this batch
	touched  []subjectAt
	uses     map[[2]string]bool
	erased   bool
	taken    map[versionAt]bool
	ids      map[record.RecordID]bool
	repeated []*request
}

type subjectAt struct {
	stream  record.StreamID
	subject record.RecordID
}

type versionAt struct {
	subjectAt
	version uint64
}

// streamRank is the order in which streams are locked: audit, local, records.
func streamRank(s record.StreamID) int {
	switch s.Kind() {
	case record.Audit:
		return 0
	case record.Local:
		return 1
	}
	return 2
}

// lock fences off other processes and locks the heads of the batch in the fixed order.
func (w *writer) lock(ctx context.Context, batch []*request) error {
	var err error
	if w.floor, err = w.s.fence(ctx, w.tx); err != nil {
		return err
	}
	for _, r := range batch {
		for _, d := range r.a.Drafts {
			if !slices.Contains(w.order, d.Stream) {
				w.order = append(w.order, d.Stream)
			}
		}
	}
	slices.SortFunc(w.order, func(a, b record.StreamID) int {
		if ra, rb := streamRank(a), streamRank(b); ra != rb {
			return ra - rb
		}
		if a < b {
			return -1
		}
		return 1
	})
	for _, st := range w.order {
		h, err := head(ctx, w.tx, st, w.s.d.forUpdate)
		if err != nil {
			return err
		}
		if h.Frozen != "" {
			return fmt.Errorf("append to %s: stream is frozen (%s)", st, h.Frozen)
		}
		w.heads[st] = &ownHead{old: h, now: h, tree: record.Tree{Size: h.Size, Frontier: h.Frontier}}
	}
	w.uses, w.taken, w.ids = map[[2]string]bool{}, map[versionAt]bool{}, map[record.RecordID]bool{}
	return nil
}

// place decides about one request and, unless it is refused, inserts its records. A refusal is the request's own error and
// leaves the transaction whole; a returned error is the transaction's.
func (w *writer) place(ctx context.Context, r *request) error {
	if done, err := w.known(ctx, r); done || err != nil {
		return err
	}
	if refusal, err := w.refusal(ctx, r); refusal != nil || err != nil {
		r.err = refusal
		return err
	}
	for _, u := range r.a.Uses {
		w.uses[[2]string{u.Kind, u.ID}] = true
		if _, err := w.tx.ExecContext(ctx, "INSERT INTO used_id (kind, id, expires) VALUES ($1,$2,$3)", u.Kind, u.ID, u.Expires); err != nil {
			return fmt.Errorf("note used id: %w", err)
		}
	}
	for _, d := range r.a.Drafts {
		h := w.heads[d.Stream]
		st, err := w.s.cfg.Sealer.Seal(d, h.now.Size)
		if err != nil {
			return err
		}
		if err := insertRecord(ctx, w.tx, st); err != nil {
			return err
		}
		if err := w.effect(ctx, st); err != nil {
			return err
		}
		h.tree = h.tree.Add(st.Leaf)
		h.now.Size++
		r.res.Records = append(r.res.Records, record.Placed{ID: d.ID, Stream: d.Stream, Seq: st.Seq, Leaf: st.Leaf})
	}
	if r.a.Key != "" {
		w.slots[[2]string{r.a.Scope, r.a.Key}] = r
	}
	return nil
}

// known answers a request whose idempotency key was used before, in this batch or earlier.
func (w *writer) known(ctx context.Context, r *request) (bool, error) {
	if r.a.Key == "" {
		return false, nil
	}
	if first := w.slots[[2]string{r.a.Scope, r.a.Key}]; first != nil {
		if first.a.BodyHash != r.a.BodyHash {
			r.err = record.ErrIdempotencyConflict
			return true, nil
		}
		r.res.Repeated = true
		w.repeated = append(w.repeated, r)
		return true, nil
	}
	answer, hash, err := answered(ctx, w.tx, r.a.Scope, r.a.Key)
	switch {
	case errors.Is(err, record.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	case subtle.ConstantTimeCompare(hash[:], r.a.BodyHash[:]) != 1:
		r.err = record.ErrIdempotencyConflict
	default:
		r.res = record.Appended{Repeated: true, Answer: answer}
	}
	return true, nil
}

// refusal says why a request cannot be done, before anything of it is written.
func (w *writer) refusal(ctx context.Context, r *request) (refusal, err error) {
	for i, u := range r.a.Uses {
		if u.Expires <= w.floor || w.uses[[2]string{u.Kind, u.ID}] || slices.Contains(r.a.Uses[:i], u) {
			return record.ErrReplayed, nil
		}
		var n int
		if err := w.tx.QueryRowContext(ctx, "SELECT count(*) FROM used_id WHERE kind=$1 AND id=$2", u.Kind, u.ID).Scan(&n); err != nil {
			return nil, fmt.Errorf("read used id: %w", err)
		}
		if n > 0 {
			return record.ErrReplayed, nil
		}
	}
	mine := map[versionAt]bool{}
	for _, d := range r.a.Drafts {
		if w.ids[d.ID] {
			return record.ErrDuplicateRecord, nil
		}
		m := record.Meaning{ID: d.ID, Refs: d.Refs}
		subject, version := m.Subject()
		at := versionAt{subjectAt{d.Stream, subject}, version}
		if w.taken[at] || mine[at] {
			return record.ErrVersionTaken, nil
		}
		mine[at] = true
		var ids, versions int
		if err := w.tx.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM record WHERE id=$1 AND stream=$2), (SELECT count(*) FROM record WHERE stream=$2 AND subject=$3 AND version=$4)",
			d.ID[:], string(d.Stream), subject[:], version).Scan(&ids, &versions); err != nil {
			return nil, fmt.Errorf("read version: %w", err)
		}
		switch {
		case ids > 0:
			return record.ErrDuplicateRecord, nil
		case versions > 0:
			return record.ErrVersionTaken, nil
		}
	}
	for at := range mine {
		w.taken[at] = true
	}
	return nil, nil
}

// effect does what a record means at its origin: an erasure deletes, a record that was taken off is back.
func (w *writer) effect(ctx context.Context, st record.Stored) error {
	w.ids[st.Meaning.ID] = true
	subject, _ := st.Meaning.Subject()
	at := subjectAt{st.Stream, subject}
	if !slices.Contains(w.touched, at) {
		w.touched = append(w.touched, at)
	}
	if _, err := w.tx.ExecContext(ctx, "DELETE FROM tail WHERE id=$1", st.Meaning.ID[:]); err != nil {
		return fmt.Errorf("clear tail: %w", err)
	}
	ref, ok := st.Meaning.Change()
	if !ok || !ref.Rel.Deletes() {
		return nil
	}
	return w.restrict(ctx, st, subject, ref.Rel == record.Erases)
}

// restrict takes the content of a subject's earlier records out of every view, frame and range. Until retention ends the
// origin keeps it in a table of its own that nothing else reads; an erasure deletes it there too.
func (w *writer) restrict(ctx context.Context, st record.Stored, subject record.RecordID, erase bool) error {
	const earlier = "stream=$1 AND seq IN (SELECT seq FROM record WHERE stream=$1 AND subject=$2 AND seq<$3)"
	args := []any{string(st.Stream), subject[:], st.Seq}
	if erase {
		w.erased = true
		if _, err := w.tx.ExecContext(ctx, "DELETE FROM restricted_part WHERE "+earlier, args...); err != nil {
			return fmt.Errorf("erase: %w", err)
		}
	} else if _, err := w.tx.ExecContext(ctx, "INSERT INTO restricted_part (stream, seq, name, salt, bytes) SELECT stream, seq, name, salt, bytes FROM part WHERE name<>'meta' AND state=$4 AND "+earlier,
		append(args, int(record.PartPresent))...); err != nil {
		return fmt.Errorf("restrict superseded parts: %w", err)
	}
	if _, err := w.tx.ExecContext(ctx, "UPDATE part SET state=$4, salt=NULL, bytes=NULL, gone_by=$3 WHERE name<>'meta' AND state<>$4 AND "+earlier,
		append(args, int(record.PartGone))...); err != nil {
		return fmt.Errorf("take out superseded parts: %w", err)
	}
	return nil
}

// seal closes the commit groups: read models, heads, and last the checkpoints, over headers read back from the database.
func (w *writer) seal(ctx context.Context) error {
	for _, at := range w.touched {
		if err := w.s.project(ctx, w.tx, at.stream, at.subject); err != nil {
			return err
		}
	}
	for _, st := range w.order {
		h := w.heads[st]
		if h.now.Size == h.old.Size {
			continue
		}
		tree, err := w.reread(ctx, h)
		if err != nil {
			return err
		}
		h.now.Frontier, h.now.Root, h.now.Applied = tree.Frontier, tree.Root(), tree.Size
		var note []byte
		if w.s.isReleased(st) {
			if note, err = w.s.checkpoint(st, tree); err != nil {
				return err
			}
			h.now.Checkpoint, h.now.Signed = note, tree.Size
		}
		if _, err := w.tx.ExecContext(ctx, "INSERT INTO commit_group (stream, first, size, checkpoint) VALUES ($1,$2,$3,$4)", string(st), h.old.Size, h.now.Size, note); err != nil {
			return fmt.Errorf("insert commit group: %w", err)
		}
		if err := putHead(ctx, w.tx, h.old, h.now); err != nil {
			return err
		}
	}
	return nil
}

// reread hashes the new headers as the database returns them: a bit that flipped on the way is found before it is signed.
func (w *writer) reread(ctx context.Context, h *ownHead) (record.Tree, error) {
	rows, err := w.tx.QueryContext(ctx, "SELECT header FROM record WHERE stream=$1 AND seq>=$2 ORDER BY seq", string(h.old.Stream), h.old.Size)
	if err != nil {
		return record.Tree{}, fmt.Errorf("read back: %w", err)
	}
	defer rows.Close()
	tree := record.Tree{Size: h.old.Size, Frontier: h.old.Frontier}
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return tree, fmt.Errorf("read back: %w", err)
		}
		tree = tree.Add(record.Leaf(b))
	}
	if err := rows.Err(); err != nil {
		return tree, fmt.Errorf("read back: %w", err)
	}
	if tree.Size != h.now.Size || tree.Root() != h.tree.Root() {
		return tree, fmt.Errorf("%s: what was read back is not what was written", h.old.Stream)
	}
	return tree, nil
}

// checkpoint signs a tree of an own stream.
func (s *Store) checkpoint(st record.StreamID, tree record.Tree) ([]byte, error) {
	sg, ok := s.cfg.Signer(st, max(tree.Size, 1)-1)
	if !ok {
		return nil, fmt.Errorf("sign %s at %d: the charter names a key that this node does not have", st, tree.Size)
	}
	return record.SignCheckpoint(sg, record.Checkpoint{Federation: s.cfg.Federation(), Stream: st, Size: tree.Size, Root: tree.Root(), Charter: s.cfg.Charter()})
}

// answer makes and keeps the request's answer.
func (w *writer) answer(ctx context.Context, r *request) error {
	if r.err != nil || r.res.Repeated {
		return nil
	}
	r.res.Checkpoint = map[record.StreamID][]byte{}
	for _, p := range r.res.Records {
		if h := w.heads[p.Stream]; h.now.Signed > p.Seq {
			r.res.Checkpoint[p.Stream] = h.now.Checkpoint
		}
	}
	if r.a.Answer != nil {
		var err error
		if r.res.Answer, err = r.a.Answer(r.res); err != nil {
			return fmt.Errorf("make answer: %w", err)
		}
	}
	if r.a.Key != "" {
		kept := r.res.Answer
		if kept == nil {
			kept = []byte{}
		}
		if _, err := w.tx.ExecContext(ctx, "INSERT INTO idempotency (scope, key, body_hash, answer, at) VALUES ($1,$2,$3,$4,$5)",
			r.a.Scope, r.a.Key, r.a.BodyHash[:], kept, w.s.cfg.Now().Unix()); err != nil {
			return fmt.Errorf("keep answer: %w", err)
		}
	}
	for _, again := range w.repeated {
		if w.slots[[2]string{again.a.Scope, again.a.Key}] == r {
			again.res.Answer = r.res.Answer
		}
	}
	return nil
}
