package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/pilinhub/pilin/record"
)

// seal closes the commit groups of a batch: read models, checkpoints over headers read back from the database, heads, and
// what answers repeats.
func (w *writer) seal(ctx context.Context, batch []*request) error {
	t := &together{tx: w.tx, d: w.s.d}
	if err := w.project(ctx, t); err != nil {
		return err
	}
	if err := w.reread(ctx); err != nil {
		return err
	}
	for _, st := range w.order {
		h := w.heads[st]
		if h.now.Size == h.old.Size {
			continue
		}
		tree, err := h.grown()
		if err != nil {
			return err
		}
		h.now.Frontier, h.now.Root, h.now.Applied = tree.Frontier, tree.Root(), tree.Size
		if h.pending != nil {
			h.now.Applied = record.AppliedSize(tree.Size, *h.pending, true)
		}
		var note []byte
		if h.released {
			if note, err = w.s.checkpoint(st, tree); err != nil {
				return err
			}
			h.now.Checkpoint, h.now.Signed = note, tree.Size
		}
		if err := insertGroup(ctx, t, st, h.old.Size, h.now.Size, h.bytes, note); err != nil {
			return err
		}
		if err := w.s.putHead(ctx, t, h.old, h.now); err != nil {
			return err
		}
	}
	if err := w.answer(ctx, t, batch); err != nil {
		return err
	}
	if err := t.run(ctx); err != nil {
		return fmt.Errorf("close commit group: %w", err)
	}
	return nil
}

// insertGroup closes a group whose records are inserted.
func insertGroup(ctx context.Context, t *together, st record.StreamID, first, size uint64, bytes int, note []byte) error {
	if err := t.add(ctx, "INSERT INTO commit_group (stream, first, size, bytes, checkpoint) VALUES ($1,$2,$3,$4,$5)", string(st), first, size, bytes, note); err != nil {
		return err
	}
	return writeTiles(ctx, t, st, first, size)
}

// reread hashes the new headers as the database returns them: a bit that flipped on the way is found before it is signed.
func (w *writer) reread(ctx context.Context) error {
	var where []string
	var args []any
	for _, st := range w.order {
		if h := w.heads[st]; h.now.Size > h.old.Size {
			where = append(where, fmt.Sprintf("stream=$%d AND seq>=$%d", len(args)+1, len(args)+2))
			args = append(args, string(st), h.old.Size)
		}
	}
	if len(where) == 0 {
		return nil
	}
	err := each(ctx, w.tx, "SELECT stream, seq, header, leaf FROM record WHERE "+strings.Join(where, " OR "), args, func(rows *sql.Rows) error {
		var st record.StreamID
		var seq uint64
		var b, leaf []byte
		if err := rows.Scan(&st, &seq, &b, &leaf); err != nil {
			return err
		}
		hash := record.Leaf(b)
		if string(hash[:]) != string(leaf) {
			return fmt.Errorf("header %d of %s is not of its leaf", seq, st)
		}
		w.heads[st].back[seq] = hash
		return nil
	})
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	return nil
}

// grown returns the tree with the new headers as they were read back.
func (h *ownHead) grown() (record.Tree, error) {
	tree := record.Tree{Size: h.old.Size, Frontier: h.old.Frontier}
	for leaf, ok := h.back[tree.Size]; ok; leaf, ok = h.back[tree.Size] {
		tree = tree.Add(leaf)
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

// answer makes and keeps the answers of a batch, and notes its one-use ids.
func (w *writer) answer(ctx context.Context, t *together, batch []*request) error {
	var kept, uses [][]any
	for _, r := range batch {
		if r.err != nil {
			continue
		}
		if r.res.Repeated {
			if first := w.slots[slot{r.a.Scope, r.a.Key}]; first != nil {
				r.res.Answer = first.res.Answer
			}
			continue
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
			answer := r.res.Answer
			if answer == nil {
				answer = []byte{}
			}
			hash, answer := w.s.v.sealAnswer(slot{r.a.Scope, r.a.Key}, r.a.BodyHash[:], answer)
			kept = append(kept, []any{r.a.Scope, r.a.Key, hash, answer, w.s.cfg.Now().Unix()})
		}
		for _, u := range r.a.Uses {
			uses = append(uses, []any{u.Kind, u.ID, u.Expires})
		}
	}
	if err := t.addRows(ctx, "INSERT INTO idempotency (scope, key, body_hash, answer, at)", kept, ""); err != nil {
		return err
	}
	return t.addRows(ctx, "INSERT INTO used_id (kind, id, expires)", uses, "")
}

// sealAnswer returns the columns of a kept answer. It shows what was written, and the hash of the request shows whoever
// guesses it that he guessed it: they are sealed together.
func (v *vault) sealAnswer(at slot, hash, answer []byte) (h, a []byte) {
	if !v.on() {
		return hash, answer
	}
	return []byte{}, v.seal(place("idempotency", at.scope, at.key), slices.Concat(hash, answer))
}

func (v *vault) openAnswer(ctx context.Context, at slot, answer, hash []byte) (a, h []byte, err error) {
	if !v.on() {
		return answer, hash, nil
	}
	b, err := v.open(ctx, place("idempotency", at.scope, at.key), answer)
	if err == nil && len(b) < sha256.Size {
		err = errCell
	}
	if err != nil {
		return nil, nil, fmt.Errorf("kept answer: %w", err)
	}
	return b[sha256.Size:], b[:sha256.Size], nil
}

// restrict takes the content of what an own record supersedes, ends or erases out of every view, frame and range. Until
// retention ends the origin keeps it in a table of its own that nothing else reads; an erasure deletes it there too.
func (v *vault) restrict(ctx context.Context, tx *sql.Tx, st record.Stored) error {
	ref, ok := st.Meaning.Change()
	if !ok || !ref.Rel.Deletes() {
		return nil
	}
	const earlier = "stream=$1 AND seq IN (SELECT seq FROM record WHERE stream=$1 AND subject=$2 AND seq<$3)"
	args := []any{string(st.Stream), ref.ID[:], st.Seq}
	if ref.Rel == record.Erases {
		if _, err := tx.ExecContext(ctx, "DELETE FROM restricted_part WHERE "+earlier, args...); err != nil {
			return fmt.Errorf("erase: %w", err)
		}
		if err := v.eraseSources(ctx, tx, ref.ID); err != nil {
			return err
		}
	} else if _, err := tx.ExecContext(ctx, "INSERT INTO restricted_part (stream, seq, name, salt, bytes) SELECT stream, seq, name, salt, bytes FROM part WHERE name<>'meta' AND state=$4 AND "+earlier,
		append(args, int(record.PartPresent))...); err != nil {
		return fmt.Errorf("restrict superseded parts: %w", err)
	}
	if _, err := tx.ExecContext(ctx, "UPDATE part SET state=$4, salt=NULL, bytes=NULL, gone_by=$3 WHERE name<>'meta' AND (state<>$4 OR gone_by>=$3) AND "+earlier,
		append(args, int(record.PartGone))...); err != nil {
		return fmt.Errorf("take out superseded parts: %w", err)
	}
	return nil
}
