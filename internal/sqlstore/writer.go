package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// writer is the work of one transaction that appends. Everything that may refuse a request is read once for the whole
// batch, under the locks; what a request then places is kept here and written many rows at a time.
type writer struct {
	s     *Store
	tx    *sql.Tx
	floor int64 // of one-use ids
	tail  bool  // drafts that were taken off wait to be appended again

	heads map[record.StreamID]*ownHead
	order []record.StreamID // in which they are locked

	slots map[slot]*request // idempotency slots taken in this batch
	kept  map[slot]keptAnswer
	used  map[useKey]bool // one-use ids of the database and of this batch
	ids   map[idAt]bool   // record ids of the database and of this batch
	lines map[subjectAt]*record.Versions

	fresh   []record.Stored               // placed and not inserted yet
	placed  map[subjectAt][]record.Stored // all records of subjects that began in this batch
	touched []subjectAt
	erased  bool
}

// ownHead is an own stream's head while a batch is written.
type ownHead struct {
	old, now record.Head
	tree     record.Tree
	released bool
	pending  *uint64              // first record with a pending part
	back     map[uint64]tlog.Hash // leaves of the new headers as the database returns them
	bytes    int                  // of what is placed
}

type (
	slot       struct{ scope, key string }
	keptAnswer struct{ answer, hash []byte }
	useKey     struct{ kind, id string }
	idAt       struct {
		stream record.StreamID
		id     record.RecordID
	}
	subjectAt struct {
		stream  record.StreamID
		subject record.RecordID
	}
)

func newWriter(s *Store) *writer {
	return &writer{s: s, heads: map[record.StreamID]*ownHead{}, slots: map[slot]*request{}, kept: map[slot]keptAnswer{}, used: map[useKey]bool{},
		ids: map[idAt]bool{}, lines: map[subjectAt]*record.Versions{}, placed: map[subjectAt][]record.Stored{}}
}

// lock fences off other processes, locks the heads of the batch in the fixed order and reads what may refuse a request.
func (w *writer) lock(ctx context.Context, batch []*request) error {
	var ids, slots, uses [][]any
	for _, r := range batch {
		for _, d := range r.a.Drafts {
			ids = append(ids, []any{d.ID[:]})
			if !slices.Contains(w.order, d.Stream) {
				w.order = append(w.order, d.Stream)
			}
		}
		if r.a.Key != "" {
			slots = append(slots, []any{r.a.Scope, r.a.Key})
		}
		for _, u := range r.a.Uses {
			uses = append(uses, []any{u.Kind, u.ID})
		}
	}
	slices.SortFunc(w.order, record.CompareLockOrder)
	heads, floor, err := w.s.lockHeads(ctx, w.tx, w.order...)
	if err != nil {
		return err
	}
	w.floor = floor
	for _, st := range w.order {
		h := heads[st]
		if h.Frozen != "" {
			return fmt.Errorf("append to %s: stream is frozen (%s)", st, h.Frozen)
		}
		own := &ownHead{old: h.Head, now: h.Head, tree: record.Tree{Size: h.Size, Frontier: h.Frontier}, released: h.released, back: map[uint64]tlog.Hash{}}
		if h.Applied < h.Size { // parts of records that were taken back are still on their way
			own.pending = &h.Applied
		}
		w.heads[st] = own
	}
	if err := w.readRefusals(ctx, ids, slots, uses); err != nil {
		return err
	}
	return w.readLines(ctx, batch)
}

// readRefusals reads which ids, idempotency slots and one-use ids of the batch the database knows. It looks after the
// locks are held, in a statement of its own: what was committed while it waited for them counts.
func (w *writer) readRefusals(ctx context.Context, ids, slots, uses [][]any) error {
	var query strings.Builder
	var args []any
	in := func(from, list string, rows [][]any) {
		if len(rows) == 0 {
			return
		}
		if len(args) > 0 {
			query.WriteString(" UNION ALL ")
		}
		query.WriteString(from + list + tuples(len(args), len(rows), len(rows[0])) + ")")
		args = append(args, flat(rows)...)
	}
	// Both databases take a list of VALUES for pairs; PostgreSQL takes its values for text.
	in("SELECT 1, stream, '', id, NULL FROM record WHERE id", " IN (", ids)
	in("SELECT 2, scope, key, answer, body_hash FROM idempotency WHERE (scope, key)", " IN (VALUES ", slots)
	in("SELECT 3, kind, id, NULL, NULL FROM used_id WHERE (kind, id)", " IN (VALUES ", uses)
	if len(args) > 0 {
		err := each(ctx, w.tx, query.String(), args, func(rows *sql.Rows) error {
			var what int
			var a, b string
			var x, y []byte
			if err := rows.Scan(&what, &a, &b, &x, &y); err != nil {
				return err
			}
			return w.known(ctx, what, a, b, x, y)
		})
		if err != nil {
			return fmt.Errorf("look up ids and idempotency keys: %w", err)
		}
	}
	if len(ids) > 0 && w.s.tails.Load() {
		var n int
		if err := w.tx.QueryRowContext(ctx, "SELECT count(*) FROM tail").Scan(&n); err != nil {
			return fmt.Errorf("read tail: %w", err)
		}
		w.tail = n > 0
		w.s.tails.Store(w.tail)
	}
	return nil
}

// known takes one row of readRefusals.
func (w *writer) known(ctx context.Context, what int, a, b string, x, y []byte) error {
	switch what {
	case 1:
		w.ids[idAt{record.StreamID(a), record.RecordID(x)}] = true
	case 2:
		at := slot{a, b}
		answer, hash, err := w.s.v.openAnswer(ctx, at, x, y)
		if err != nil {
			return err
		}
		w.kept[at] = keptAnswer{answer, hash}
	case 3:
		w.used[useKey{a, b}] = true
	}
	return nil
}

// place decides about one request and, unless it is refused, gives its records their places. A refusal is the request's
// own error and leaves the transaction whole; a returned error is the transaction's.
func (w *writer) place(ctx context.Context, r *request) error {
	if w.repeated(r) {
		return nil
	}
	for i, u := range r.a.Uses {
		again := slices.ContainsFunc(r.a.Uses[:i], func(v record.Use) bool { return v.Kind == u.Kind && v.ID == u.ID })
		if again || w.used[useKey{u.Kind, u.ID}] || record.Replayed(u, w.floor) {
			r.err = record.ErrReplayed
			return nil
		}
	}
	plan, refusal, err := w.plan(r)
	if err != nil || refusal != nil {
		r.err = refusal
		return err
	}
	for _, u := range r.a.Uses {
		w.used[useKey{u.Kind, u.ID}] = true
	}
	for at, line := range plan.lines {
		w.lines[at] = line
	}
	if r.a.Key != "" {
		w.slots[slot{r.a.Scope, r.a.Key}] = r
	}
	for _, st := range plan.records {
		if err := w.put(ctx, st); err != nil {
			return err
		}
		r.res.Records = append(r.res.Records, record.Placed{ID: st.Meaning.ID, Stream: st.Stream, Seq: st.Seq, Leaf: st.Leaf})
	}
	return nil
}

// repeated answers a request whose idempotency key was used before, in this batch or earlier.
func (w *writer) repeated(r *request) bool {
	if r.a.Key == "" {
		return false
	}
	at := slot{r.a.Scope, r.a.Key}
	if first := w.slots[at]; first != nil {
		if first.a.BodyHash != r.a.BodyHash {
			r.err = record.ErrIdempotencyConflict
		}
		r.res.Repeated = r.err == nil // answered as soon as the first one is
		return true
	}
	k, ok := w.kept[at]
	switch {
	case !ok:
		return false
	case [32]byte(k.hash) != r.a.BodyHash:
		r.err = record.ErrIdempotencyConflict
	default:
		r.res = record.Appended{Repeated: true, Answer: k.answer}
	}
	return true
}

// plan is what one request would place.
type plan struct {
	records []record.Stored
	lines   map[subjectAt]*record.Versions
}

// plan seals the request's drafts at their places, or says why it is refused.
func (w *writer) plan(r *request) (p plan, refusal, err error) {
	p.lines = map[subjectAt]*record.Versions{}
	sizes := map[record.StreamID]uint64{}
	ids := map[idAt]bool{}
	for _, d := range r.a.Drafts {
		seq := record.NextSeq(w.heads[d.Stream].now.Size+sizes[d.Stream], w.s.issuedOf(d.Stream))
		sizes[d.Stream]++
		st, err := w.s.cfg.Sealer.Seal(d, seq)
		if err != nil {
			return p, nil, err
		}
		if at := (idAt{d.Stream, d.ID}); w.ids[at] || ids[at] {
			return p, record.ErrDuplicateRecord, nil
		}
		ids[idAt{d.Stream, d.ID}] = true
		subject, _ := st.Meaning.Subject()
		at := subjectAt{d.Stream, subject}
		if p.lines[at] == nil {
			p.lines[at] = w.line(at)
		}
		if refusal := p.lines[at].Check(st.Meaning); refusal != nil {
			return p, refusal, nil
		}
		p.lines[at].Add(st.Meaning)
		p.records = append(p.records, st)
	}
	return p, nil, nil
}

// readLines reads what the streams hold of all subjects that the batch changes, with one statement for each stream.
func (w *writer) readLines(ctx context.Context, batch []*request) error {
	changed := map[record.StreamID][][]any{}
	for _, r := range batch {
		for _, d := range r.a.Drafts {
			for _, ref := range d.Refs {
				at := subjectAt{d.Stream, ref.ID}
				if ref.Rel.Changes() && w.lines[at] == nil {
					w.lines[at] = &record.Versions{}
					changed[d.Stream] = append(changed[d.Stream], []any{append([]byte{}, ref.ID[:]...)})
				}
			}
		}
	}
	for st, subjects := range changed {
		for some := range slices.Chunk(subjects, rowsAtOnce) {
			err := each(ctx, w.tx, "SELECT r.subject, r.header, p.bytes FROM record r LEFT JOIN part p ON p.stream=r.stream AND p.seq=r.seq AND p.name='meta' WHERE r.stream=$1 AND r.subject IN ("+tuples(1, len(some), 1)+")",
				append([]any{string(st)}, flat(some)...), func(rows *sql.Rows) error {
					var subject, header, meta []byte
					if err := rows.Scan(&subject, &header, &meta); err != nil {
						return err
					}
					h, err := record.DecodeHeader(header)
					if err != nil {
						return err
					}
					have, err := h.Meaning(meta)
					if err != nil {
						return err
					}
					w.lines[subjectAt{st, record.RecordID(subject)}].Add(have)
					return nil
				})
			if err != nil {
				return fmt.Errorf("read %d subjects of %s: %w", len(some), st, err)
			}
		}
	}
	return nil
}

// line returns a copy of what the stream holds of a subject.
func (w *writer) line(at subjectAt) *record.Versions {
	if known := w.lines[at]; known != nil {
		return known.Clone()
	}
	return &record.Versions{} // it begins in this batch: its name is its first record's id, and that id is free
}

// put takes a record into the batch: tree, effects at the origin, read model.
func (w *writer) put(ctx context.Context, st record.Stored) error {
	h := w.heads[st.Stream]
	h.tree = h.tree.Add(st.Leaf)
	h.now.Size++
	h.bytes += contentSize([]record.Stored{st})
	w.ids[idAt{st.Stream, st.Meaning.ID}] = true
	w.fresh = append(w.fresh, st)
	subject, _ := st.Meaning.Subject()
	at := subjectAt{st.Stream, subject}
	if !slices.Contains(w.touched, at) {
		w.touched = append(w.touched, at)
	}
	ref, change := st.Meaning.Change()
	if change {
		delete(w.placed, at) // read back: what was there before counts too
	} else {
		w.placed[at] = []record.Stored{st}
	}
	if w.tail {
		if err := clearTail(ctx, w.tx, st.Meaning.ID); err != nil {
			return err
		}
	}
	if !change || !ref.Rel.Deletes() {
		return nil
	}
	w.erased = w.erased || ref.Rel == record.Erases
	if err := w.flush(ctx); err != nil {
		return err
	}
	return w.s.v.restrict(ctx, w.tx, st)
}

// flush inserts what was placed.
func (w *writer) flush(ctx context.Context) error {
	recs, parts := w.s.v.rowsOf(w.fresh)
	w.fresh = nil
	t := &together{tx: w.tx, d: w.s.d}
	if err := t.addRows(ctx, insertRecord, recs, ""); err != nil {
		return err
	}
	if err := t.addRows(ctx, insertPart, parts, ""); err != nil {
		return err
	}
	if err := t.run(ctx); err != nil {
		return fmt.Errorf("insert %d records: %w", len(recs), err)
	}
	return nil
}
