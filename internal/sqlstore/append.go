package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pilinhub/pilin/internal/fault"
	"github.com/pilinhub/pilin/record"
)

// request is one Append in the writer's queue.
type request struct {
	a    record.Append
	res  record.Appended
	err  error
	done chan struct{}
}

// writeTimeout bounds one commit group's transaction; the caller's own limit does not cancel it.
const writeTimeout = 15 * time.Second

// Append queues the request. Whoever finds the writer idle takes what is queued, so that callers at once share one commit
// without a timer.
func (s *Store) Append(ctx context.Context, a record.Append) (record.Appended, error) {
	if err := s.admit(a); err != nil {
		return record.Appended{}, err
	}
	r := &request{a: a, done: make(chan struct{})}
	s.mu.Lock()
	s.queue = append(s.queue, r)
	lead := !s.writing
	s.writing = true
	s.mu.Unlock()
	if lead {
		go s.writeQueued()
	}
	select {
	case <-r.done:
		return r.res, r.err
	case <-ctx.Done():
		return record.Appended{}, fmt.Errorf("append: outcome not awaited: %w", ctx.Err())
	}
}

// admit refuses what no transaction is needed to refuse.
func (s *Store) admit(a record.Append) error {
	if len(a.Drafts) > record.MaxGroupRecords {
		return fmt.Errorf("append %d records: %w", len(a.Drafts), record.ErrTooLarge)
	}
	size := 0
	for _, d := range a.Drafts {
		if !d.Stream.Valid() || !s.own(d.Stream) {
			return fmt.Errorf("append to %s: not a stream of %s", d.Stream, s.cfg.Self)
		}
		if _, err := s.cfg.Sealer.Seal(d, 0); err != nil { // a dry run: nothing that can be refused reaches the queue
			return err
		}
		size += draftSize(d)
	}
	if size > record.MaxGroupBytes {
		return fmt.Errorf("append %d bytes: %w", size, record.ErrTooLarge)
	}
	return nil
}

// draftSize bounds what a draft takes in a frame.
func draftSize(d record.Draft) int {
	n := 1024
	for _, b := range d.Parts {
		n += len(b) + 256
	}
	return n
}

// writeQueued commits batches until the queue is empty.
func (s *Store) writeQueued() {
	for {
		s.mu.Lock()
		batch := s.takeBatch()
		if len(batch) == 0 {
			s.writing = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		s.commit(batch)
		for _, r := range batch {
			close(r.done)
		}
	}
}

// takeBatch takes requests from the front as far as they fit one commit group of each stream.
func (s *Store) takeBatch() []*request {
	count, size, n := 0, 0, 0
	for _, r := range s.queue {
		c, z := len(r.a.Drafts), 0
		for _, d := range r.a.Drafts {
			z += draftSize(d)
		}
		if n > 0 && (count+c > record.MaxGroupRecords || size+z > record.MaxGroupBytes) {
			break
		}
		count, size, n = count+c, size+z, n+1
	}
	batch := slices.Clone(s.queue[:n])
	s.queue = slices.Delete(s.queue, 0, n)
	return batch
}

// commit writes a batch in one transaction. After an error that is nobody's own, each request is tried by itself, so that
// one never fails its neighbours; a store that is down fails them all at once.
func (s *Store) commit(batch []*request) {
	err := s.commitOnce(batch)
	if err == nil {
		return
	}
	if len(batch) == 1 || errors.Is(err, record.ErrStorageFull) || errors.Is(err, record.ErrFenced) {
		for _, r := range batch {
			r.res, r.err = record.Appended{}, err
		}
		return
	}
	for _, r := range batch {
		s.commit([]*request{r})
	}
}

func (s *Store) commitOnce(batch []*request) error {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	for _, r := range batch {
		r.res, r.err = record.Appended{}, nil
	}
	fault.Point(fault.AppendBeforeLock)
	w := &writer{s: s, heads: map[record.StreamID]*ownHead{}, slots: map[[2]string]*request{}}
	erased := false
	err := s.tx(ctx, func(tx *sql.Tx) error {
		w.tx = tx
		if err := w.lock(ctx, batch); err != nil {
			return err
		}
		fault.Point(fault.AppendAfterLock)
		for _, r := range batch {
			if err := w.place(ctx, r); err != nil {
				return err
			}
		}
		fault.Point(fault.AppendAfterInsert)
		if err := w.seal(ctx); err != nil {
			return err
		}
		for _, r := range batch {
			if err := w.answer(ctx, r); err != nil {
				return err
			}
		}
		erased = w.erased
		fault.Point(fault.AppendBeforeCommit)
		return nil
	})
	if err != nil {
		return err
	}
	fault.Point(fault.AppendAfterCommit)
	if erased {
		s.eraseNow(ctx)
	}
	return nil
}

// Answered implements record.Log.
func (s *Store) Answered(ctx context.Context, scope, key string) ([]byte, [32]byte, error) {
	answer, hash, err := answered(ctx, s.read, scope, key)
	return answer, hash, classify(err)
}

func answered(ctx context.Context, q querier, scope, key string) ([]byte, [32]byte, error) {
	var answer, hash []byte
	err := q.QueryRowContext(ctx, "SELECT answer, body_hash FROM idempotency WHERE scope=$1 AND key=$2", scope, key).Scan(&answer, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, [32]byte{}, record.ErrNotFound
	}
	if err != nil {
		return nil, [32]byte{}, fmt.Errorf("read kept answer: %w", err)
	}
	return answer, [32]byte(hash), nil
}
