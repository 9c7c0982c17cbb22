package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// This file is how an open question learns that it must be asked anew. Records are read once, for all questions together:
// which subjects they touch, not what they say. A record of a subject that a question has heard of touches it. A subject
// that no question has heard of is looked for in the index once a reading. A record whose content is not for this node may
// be of anybody: it touches every question, coalesced.

// seenUpTo is how far one stream was read: subjects up to size, what the index can find up to applied.
type seenUpTo struct{ applied, size uint64 }

// signs are what speaks for asking a question anew, since its last asking began.
type signs struct {
	look    bool                        // everything is to be looked at
	changed map[record.RecordID]version // subjects that changed, as new as they are now
	veiled  bool                        // records came that nobody here can read
}

// Bounds of one reading. Whatever does not fit is not missed: every question is then looked at as a whole.
const (
	changesAtOnce  = 1000
	maxChanges     = 4096
	maxSigns       = 256
	noticeGap      = 200 * time.Millisecond // between two readings, and ten times as long as the last one took
	settleAtMost   = 15 * time.Second       // how long a resumed question waits for this node's release
	maxNoticePause = 5 * time.Second
)

// lookAgain says that anything may have changed.
func (q *openQuestion) lookAgain() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.signs.look, q.signs.veiled = true, true
}

// touch notes a change. A version that the last answer had is dropped when the question comes due.
func (q *openQuestion) touch(id record.RecordID, v version) {
	if len(q.signs.changed) >= maxSigns {
		q.signs.look = true
		return
	}
	if q.signs.changed == nil {
		q.signs.changed = map[record.RecordID]version{}
	}
	if v.n > q.signs.changed[id].n {
		q.signs.changed[id] = v
	}
}

// run looks after the open questions until ctx ends: when a record was applied, and once a second for members that came
// back and a day that began.
func (h *people) run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.Open.wake:
		case <-tick.C:
		}
		began := time.Now()
		h.Open.settleOwed(ctx)
		if err := h.notice(ctx); err != nil && ctx.Err() == nil {
			h.Logger.LogAttrs(ctx, slog.LevelWarn, "open questions wait for the log", slog.String("err", scrub(err)))
		}
		causes := map[*openQuestion]string{}
		for _, q := range h.Open.all() {
			if cause := h.due(ctx, q); cause != "" {
				causes[q] = cause
			}
		}
		took := time.Since(began)
		for q, cause := range causes {
			select {
			case h.Open.lanes <- struct{}{}:
			case <-ctx.Done():
				return
			}
			wg.Go(func() {
				defer func() { <-h.Open.lanes }()
				if err := h.askAgain(ctx, q, cause); err != nil && ctx.Err() == nil {
					h.Logger.LogAttrs(ctx, slog.LevelWarn, "open question not asked again", slog.String("ask", q.id), slog.String("err", scrub(err)))
				}
			})
		}
		pause := time.NewTimer(min(max(noticeGap, 10*took), maxNoticePause))
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}

// notice reads what the streams brought since the last time and touches the questions. How far it read moves only when all
// of it has acted.
func (h *people) notice(ctx context.Context) error {
	heads, err := h.Log.Heads(ctx)
	if err != nil {
		return fmt.Errorf("read heads: %w", err)
	}
	o := h.Open
	open, first := o.all(), o.at == nil
	at, moved := map[record.StreamID]seenUpTo{}, &changes{by: map[record.StreamID][]federation.Changed{}}
	for _, hd := range heads {
		if hd.Stream.Kind() != record.Records {
			continue
		}
		now, was := seenUpTo{h.Hub.Index.Applied(hd.Stream), hd.Size}, o.at[hd.Stream]
		if at[hd.Stream] = now; now == was || first || len(open) == 0 {
			continue
		}
		if err := o.read(ctx, moved, hd.Stream, min(was.applied, now.applied), now.size); err != nil {
			return err
		}
	}
	for _, q := range open {
		if err := h.touched(ctx, q, moved); err != nil {
			return err
		}
		if err := h.touchedSinceAsked(ctx, q, at); err != nil {
			return err
		}
	}
	o.at = at
	return nil
}

// changes are what one reading brought.
type changes struct {
	by map[record.StreamID][]federation.Changed
	n  int
}

// read adds the changes of a stream from one sequence to before another; more than maxChanges are not needed.
func (o *Open) read(ctx context.Context, c *changes, s record.StreamID, from, to uint64) error {
	for from < to && c.n <= maxChanges {
		some, err := o.store.Changes(ctx, s, from, changesAtOnce)
		if err != nil {
			return fmt.Errorf("read changes of %s: %w", s, err)
		}
		if len(some) == 0 {
			return nil
		}
		c.by[s] = append(c.by[s], some...)
		c.n += len(some)
		from = some[len(some)-1].Seq + 1
	}
	return nil
}

// touchedSinceAsked lets what came while a new question was first asked touch it: nobody had read that for it.
func (h *people) touchedSinceAsked(ctx context.Context, q *openQuestion, at map[record.StreamID]seenUpTo) error {
	q.mu.Lock()
	began := q.began
	q.mu.Unlock()
	if began == nil {
		return nil
	}
	since := &changes{by: map[record.StreamID][]federation.Changed{}}
	for s, now := range at {
		if err := h.Open.read(ctx, since, s, began[s], now.size); err != nil {
			return err
		}
	}
	if err := h.touched(ctx, q, since); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.began = nil
	return nil
}

// sizes says how long the records streams are here.
func (h *people) sizes(ctx context.Context) (map[record.StreamID]uint64, error) {
	heads, err := h.Log.Heads(ctx)
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	out := map[record.StreamID]uint64{}
	for _, hd := range heads {
		if hd.Stream.Kind() == record.Records {
			out[hd.Stream] = hd.Size
		}
	}
	return out, nil
}

// touched notes which of the changes touch a question.
func (h *people) touched(ctx context.Context, q *openQuestion, moved *changes) error {
	if moved.n > maxChanges {
		q.lookAgain()
		return nil
	}
	fresh := map[record.RecordID]version{} // of subjects that the question has not heard of
	var in []record.StreamID
	q.mu.Lock()
	for s, some := range moved.by {
		if !q.scoped(s) {
			continue
		}
		for _, c := range some {
			old, known := q.seen[c.Subject]
			switch {
			case known && c.Version > old.n:
				q.touch(c.Subject, version{s, c.Version})
			case known:
			case c.Veiled:
				q.signs.veiled = q.signs.veiled || c.Type == "" || c.Type == blacklist.TypePenalty || strings.HasPrefix(c.Type, blacklist.TypePenalty+".")
			default:
				if c.Version > fresh[c.Subject].n {
					fresh[c.Subject] = version{s, c.Version}
				}
				in = append(in, s)
			}
		}
	}
	q.mu.Unlock()
	if len(fresh) == 0 {
		return nil
	}
	found, err := h.Hub.Index.Find(ctx, q.req.Question, h.dayOf(&q.req), func(s record.StreamID, _ map[record.GroupID]record.Level) bool { return slices.Contains(in, s) })
	if err != nil {
		return fmt.Errorf("look into the index: %w", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, c := range found.Candidates {
		if v, ok := fresh[c.Subject]; ok {
			q.touch(c.Subject, v)
		}
	}
	return nil
}

// scoped reports whether a stream is one that the question is put to.
func (q *openQuestion) scoped(s record.StreamID) bool {
	return s.Kind() == record.Records && (len(q.req.Scope) == 0 || slices.Contains(q.req.Scope, s.Member()))
}

// due says why a question is to be asked anew; empty if it is not.
func (h *people) due(ctx context.Context, q *openQuestion) string {
	now := h.Now()
	if now.After(q.until) {
		h.Open.drop(ctx, q, "expired")
		return ""
	}
	if !q.asking.TryLock() {
		return "" // being asked
	}
	defer q.asking.Unlock()
	q.mu.Lock()
	silent, asked, gap, hold, day, resumed, wait := q.silent, q.asked, q.gap, q.hold, q.day, q.resumed, q.veiledWait
	q.mu.Unlock()
	since := now.Sub(asked)
	switch {
	case since < max(reaskGap, hold):
		return ""
	case !resumed.IsZero():
		// A node that is not released answers its own question only in part: a fall that is none would be told.
		if h.Hub.Released() || now.Sub(resumed) > settleAtMost {
			return "restart"
		}
		return ""
	case q.req.AsOf == "" && record.CivilDay(now) != day:
		return "day"
	}
	if since >= gap {
		for _, m := range silent {
			if age, ok := h.Hub.Age(m); ok && age < since {
				return "member"
			}
		}
	}
	if h.newer(ctx, q) {
		return "record"
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.signs.veiled && since >= max(wait, veiledGap) {
		return "record"
	}
	return ""
}

// newer reports whether a subject of the question is newer than it was told. Signs that tell nothing new are forgotten.
func (h *people) newer(ctx context.Context, q *openQuestion) bool {
	q.mu.Lock()
	look, seen := q.signs.look, q.seen
	q.signs.look = false
	for id, v := range q.signs.changed {
		if v.n > seen[id].n {
			q.mu.Unlock()
			return true
		}
		delete(q.signs.changed, id)
	}
	q.mu.Unlock()
	if !look {
		return false
	}
	here, err := h.subjects(ctx, &q.req, seen)
	if err != nil {
		q.mu.Lock()
		q.signs.look = true
		q.mu.Unlock()
		return false
	}
	for id, v := range here {
		if v.n > seen[id].n {
			return true
		}
	}
	return false
}

// subjects says how new the subjects are, in own records and copies, that the question finds here or found before.
func (h *people) subjects(ctx context.Context, req *federation.AskRequest, seen map[record.RecordID]version) (map[record.RecordID]version, error) {
	at := map[record.RecordID]record.StreamID{}
	for id, v := range seen {
		at[id] = v.stream
	}
	found, err := h.Hub.Index.Find(ctx, req.Question, h.dayOf(req), func(s record.StreamID, _ map[record.GroupID]record.Level) bool {
		return s.Kind() == record.Records && (len(req.Scope) == 0 || slices.Contains(req.Scope, s.Member()))
	})
	if err != nil {
		return nil, fmt.Errorf("look into the index: %w", err)
	}
	for _, c := range found.Candidates {
		at[c.Subject] = c.Stream
	}
	out := map[record.RecordID]version{}
	for id, s := range at {
		e, err := h.Register.Entry(ctx, s, id, "")
		var gone *blacklist.Refusal
		switch {
		case err == nil, errors.As(err, &gone):
			out[id] = version{s, e.Version}
		case ctx.Err() != nil, errors.Is(err, record.ErrStorageFull):
			return nil, err
		}
	}
	return out, nil
}
