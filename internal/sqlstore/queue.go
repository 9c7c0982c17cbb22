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
	size int // sealed bytes of its drafts
	res  record.Appended
	err  error
	done chan struct{}
}

const (
	// writeTimeout bounds one commit group's transaction; the caller's own limit does not cancel it.
	writeTimeout = 15 * time.Second
	// maxQueued bounds the queue; whoever comes later waits before it, as long as its own limit allows.
	maxQueued = 4096
)

var errClosed = errors.New("store is closed")

// Append queues the request. Whoever finds the writer idle takes what is queued, so that callers at once share one commit
// without a timer. A caller that gives up while it waits for the outcome does not cancel it.
func (s *Store) Append(ctx context.Context, a record.Append) (record.Appended, error) {
	r := &request{a: a, done: make(chan struct{})}
	if err := s.admit(r); err != nil {
		return record.Appended{}, err
	}
	select {
	case s.places <- struct{}{}:
	case <-ctx.Done():
		return record.Appended{}, fmt.Errorf("append: queue is full: %w", ctx.Err())
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		<-s.places
		return record.Appended{}, errClosed
	}
	s.queue = append(s.queue, r)
	if !s.writing {
		s.writing = true
		s.writers.Go(s.writeQueued)
	}
	s.mu.Unlock()
	select {
	case <-r.done:
		return r.res, r.err
	case <-ctx.Done():
		return record.Appended{}, fmt.Errorf("append: outcome not awaited: %w", ctx.Err())
	}
}

// admit refuses what no transaction is needed to refuse. Drafts are sealed once on trial: what can be refused must not
// reach the queue.
func (s *Store) admit(r *request) error {
	if err := record.CheckAppend(s.cfg.Self, r.a); err != nil {
		return err
	}
	for _, d := range r.a.Drafts {
		st, err := s.cfg.Sealer.Seal(d, 0)
		if err != nil {
			return err
		}
		r.size += record.SealedSize(st)
	}
	if r.size > record.MaxGroupBytes {
		return fmt.Errorf("append %d bytes: %w", r.size, record.ErrTooLarge)
	}
	return nil
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
			<-s.places
		}
	}
}

// takeBatch takes requests from the front as far as they fit one commit group of each stream.
func (s *Store) takeBatch() []*request {
	count, size, n := 0, 0, 0
	for _, r := range s.queue {
		if n > 0 && (count+max(len(r.a.Drafts), 1) > record.MaxGroupRecords || size+r.size > record.MaxGroupBytes) {
			break
		}
		count, size, n = count+max(len(r.a.Drafts), 1), size+r.size, n+1
	}
	batch := slices.Clone(s.queue[:n])
	s.queue = slices.Delete(s.queue, 0, n)
	return batch
}

// commit writes a batch in one transaction. After an error that is nobody's own, each request is tried by itself, so that
// one never fails its neighbours; a store that is down fails them all at once.
func (s *Store) commit(batch []*request) {
	err := s.commitOnce(batch)
	var lost commitLost
	if errors.As(err, &lost) {
		switch landed, known := s.landed(batch); {
		case landed:
			return
		case known: // nothing of it is there, and nothing can come any more
			err = s.commitOnce(batch)
		}
	}
	switch {
	case err == nil:
		s.noteOutcome(nil)
	case len(batch) == 1, errors.As(err, &lost), errors.Is(err, record.ErrStorageFull), errors.Is(err, record.ErrFenced):
		s.noteOutcome(err)
		for _, r := range batch {
			r.res, r.err = record.Appended{}, err
		}
	default:
		for _, r := range batch {
			s.commit([]*request{r})
		}
	}
}

func (s *Store) commitOnce(batch []*request) error {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	for _, r := range batch {
		r.res, r.err = record.Appended{}, nil
	}
	fault.Point(fault.AppendBeforeLock)
	w := newWriter(s)
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
		if err := w.flush(ctx); err != nil {
			return err
		}
		fault.Point(fault.AppendAfterInsert)
		if err := w.seal(ctx, batch); err != nil {
			return err
		}
		fault.Point(fault.AppendBeforeCommit)
		return nil
	})
	if err != nil {
		return err
	}
	fault.Point(fault.AppendAfterCommit)
	if w.erased {
		s.eraseNow(ctx)
	}
	return nil
}

// Asking again whether a commit took effect: how often, and the first pause, which doubles.
const (
	landedTries = 6
	landedPause = 100 * time.Millisecond
)

// landed finds out whether a batch whose COMMIT was not answered is there. It asks behind the fence row's lock, so that a
// commit still under way has ended. known is false if the store does not answer or nothing of the batch can be told by a
// key: then the callers must ask by theirs.
func (s *Store) landed(batch []*request) (landed, known bool) {
	pause := landedPause
	for range landedTries {
		ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
		err := s.tx(ctx, func(tx *sql.Tx) error {
			if _, err := s.fence(ctx, tx); err != nil {
				return err
			}
			var err error
			landed, known, err = isThere(ctx, tx, batch)
			return err
		})
		cancel()
		if err == nil || errors.Is(err, record.ErrFenced) {
			return landed, known
		}
		landed, known = false, false
		time.Sleep(pause)
		pause *= 2
	}
	return landed, known
}

// isThere looks for the first trace that a batch must have left: a record with its leaf, or an idempotency answer.
func isThere(ctx context.Context, q querier, batch []*request) (there, known bool, err error) {
	for _, r := range batch {
		if r.err != nil || r.res.Repeated {
			continue
		}
		var n int
		switch {
		case len(r.res.Records) > 0:
			p := r.res.Records[0]
			err = q.QueryRowContext(ctx, "SELECT count(*) FROM record WHERE stream=$1 AND seq=$2 AND leaf=$3", string(p.Stream), p.Seq, p.Leaf[:]).Scan(&n)
		case r.a.Key != "":
			err = q.QueryRowContext(ctx, "SELECT count(*) FROM idempotency WHERE scope=$1 AND key=$2", r.a.Scope, r.a.Key).Scan(&n)
		default:
			continue
		}
		if err != nil {
			return false, false, fmt.Errorf("ask for the outcome: %w", err)
		}
		return n > 0, true, nil
	}
	return false, false, nil
}

// Answered implements record.Log.
func (s *Store) Answered(ctx context.Context, scope, key string) ([]byte, [32]byte, error) {
	var answer, hash []byte
	err := s.read.QueryRowContext(ctx, "SELECT answer, body_hash FROM idempotency WHERE scope=$1 AND key=$2", scope, key).Scan(&answer, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, [32]byte{}, record.ErrNotFound
	}
	if err != nil {
		return nil, [32]byte{}, classify(fmt.Errorf("read kept answer: %w", err))
	}
	answer, hash, err = s.v.openAnswer(ctx, slot{scope, key}, answer, hash)
	if err != nil {
		return nil, [32]byte{}, err
	}
	return answer, [32]byte(hash), nil
}
