package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/transfer"
)

// Bounds of open questions (ADR 8).
const (
	openFor        = 12 * time.Hour
	maxOpen        = 128 // of a node
	maxOpenOf      = 8   // of an account
	maxWatchers    = 4   // of a question
	reaskAtOnce    = 4
	reaskGap       = 2 * time.Second // between two askings of one question
	reaskGapAtMost = time.Minute     // while a member stays missing
)

// Open holds the questions of this node that are still open, in memory alone, and asks them anew when a counted record
// changes or a missing member is heard again. Make it with NewOpen, hand it to People, and run it beside the listener.
type Open struct {
	now   func() time.Time
	wake  chan struct{}
	lanes chan struct{}

	mu      sync.Mutex
	by      map[string]*openQuestion
	stopped bool
	loop    func(context.Context) // set by People
}

// NewOpen returns a place for open questions.
func NewOpen(now func() time.Time) *Open {
	return &Open{now: now, wake: make(chan struct{}, 1), lanes: make(chan struct{}, reaskAtOnce), by: map[string]*openQuestion{}}
}

// Wake says that a record was applied, own or foreign. It never blocks.
func (o *Open) Wake() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Stop ends every stream, so that the listener can shut down.
func (o *Open) Stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stopped = true
	for _, q := range o.by {
		q.close("stopping")
	}
	clear(o.by)
}

// openQuestion is one question with what was last said of it. Its fields but id, req and until are guarded by mu.
type openQuestion struct {
	id    string // of its first asking
	req   federation.AskRequest
	until time.Time

	asking sync.Mutex // one asking at a time

	mu       sync.Mutex
	owner    auth.Principal
	signers  []auth.Principal // officers who signed the act; they may watch too
	act      *transfer.NewAct
	told     AskUpdate
	result   *transfer.Result
	silent   []record.MemberID // members that did not answer
	seen     map[record.RecordID]version
	asked    time.Time
	day      string // civil day of the last asking
	gap      time.Duration
	watchers map[chan struct{}]bool
	closed   string
}

// version is how new a subject was when the question was last asked, and where it stands.
type version struct {
	stream record.StreamID
	n      uint64
}

// AskUpdate is what an open question came to, each time that changes.
type AskUpdate struct {
	Seq       int       `json:"seq" doc:"1 = the first answer"`
	At        time.Time `json:"at"`
	Ask       string    `json:"ask" doc:"Id of the asking that this came from"`
	Cause     string    `json:"cause" enum:"asked,record,member,act,day" doc:"Why it was asked again"`
	Direction string    `json:"direction" enum:"up,down,same" doc:"A fall is told as loudly as a rise"`
	Change    CountText `json:"change"`
	Count     AskCount  `json:"count"`
	Signed    int       `json:"signed" doc:"Officers that have signed the new act; two confirm it"`
	Until     time.Time `json:"until" doc:"The question is open until then"`
}

func (q *openQuestion) close(why string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed == "" {
		q.closed = why
		q.tell()
	}
}

// tell wakes the watchers; mu is held.
func (q *openQuestion) tell() {
	for w := range q.watchers {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

// may reports whether a person may hear of the question.
func (q *openQuestion) may(who auth.Principal) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return mayCount(who, q.req.Purpose) && (who.Account == q.owner.Account || slices.ContainsFunc(q.signers, func(s auth.Principal) bool { return s.Account == who.Account }))
}

// add keeps a question open. An account's oldest makes room for its newest; a node that is full keeps no more.
func (o *Open) add(q *openQuestion) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stopped {
		return false
	}
	var mine []*openQuestion
	for _, p := range o.by {
		if p.owner.Account == q.owner.Account { // the owner's account never changes
			mine = append(mine, p)
		}
	}
	if len(mine) >= maxOpenOf {
		slices.SortFunc(mine, func(a, b *openQuestion) int { return a.until.Compare(b.until) })
		mine[0].close("replaced")
		delete(o.by, mine[0].id)
	}
	if len(o.by) >= maxOpen || o.by[q.id] != nil {
		return false
	}
	o.by[q.id] = q
	return true
}

func (o *Open) get(id string) *openQuestion {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.by[id]
}

func (o *Open) drop(q *openQuestion, why string) {
	o.mu.Lock()
	delete(o.by, q.id)
	o.mu.Unlock()
	q.close(why)
}

func (o *Open) all() []*openQuestion {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := make([]*openQuestion, 0, len(o.by))
	for _, q := range o.by {
		out = append(out, q)
	}
	return out
}

// run looks after the open questions until ctx ends: at each record that was applied, and once a second for members that
// came back and a day that began.
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
		for _, q := range h.Open.all() {
			cause := h.due(ctx, q)
			if cause == "" {
				continue
			}
			select {
			case h.Open.lanes <- struct{}{}:
			case <-ctx.Done():
				return
			}
			wg.Go(func() {
				defer func() { <-h.Open.lanes }()
				h.askAgain(ctx, q, cause)
			})
		}
	}
}

// due says why a question is to be asked anew; empty if it is not.
func (h *people) due(ctx context.Context, q *openQuestion) string {
	now := h.Now()
	if now.After(q.until) {
		h.Open.drop(q, "expired")
		return ""
	}
	if !q.asking.TryLock() {
		return "" // being asked
	}
	defer q.asking.Unlock()
	q.mu.Lock()
	seen, silent, asked, gap, day := q.seen, q.silent, q.asked, q.gap, q.day
	q.mu.Unlock()
	since := now.Sub(asked)
	switch {
	case since < reaskGap:
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
	for id, v := range h.subjects(ctx, q.req, seen) {
		if v.n > seen[id].n {
			return "record"
		}
	}
	return ""
}

// subjects says how new the subjects are, in own records and copies, that the question finds here or found before.
func (h *people) subjects(ctx context.Context, req federation.AskRequest, seen map[record.RecordID]version) map[record.RecordID]version {
	at := map[record.RecordID]record.StreamID{}
	for id, v := range seen {
		at[id] = v.stream
	}
	found, err := h.Hub.Index.Find(ctx, req.Question, h.dayOf(&req), func(s record.StreamID) bool {
		return s.Kind() == record.Records && (len(req.Scope) == 0 || slices.Contains(req.Scope, s.Member()))
	})
	if err != nil {
		return nil
	}
	for _, c := range found {
		at[c.Subject] = c.Stream
	}
	out := map[record.RecordID]version{}
	for id, s := range at {
		e, err := h.Register.Entry(ctx, s, id, "")
		var gone *blacklist.Refusal
		if err != nil && !errors.As(err, &gone) {
			continue // not known now; looked at again with the next sign
		}
		out[id] = version{s, e.Version}
	}
	return out
}

// askAgain puts the question anew, under the account that opened it, if that still may.
func (h *people) askAgain(ctx context.Context, q *openQuestion, cause string) {
	if !q.asking.TryLock() {
		return
	}
	defer q.asking.Unlock()
	q.mu.Lock()
	owner := q.owner
	q.mu.Unlock()
	now, err := h.People.Again(ctx, owner)
	var refused *auth.Refusal
	switch {
	case errors.As(err, &refused), err == nil && !(now.May(auth.Ask) && auth.MayAsk(now.Roles, q.req.Purpose) && mayCount(now, q.req.Purpose)):
		h.Open.drop(q, "rights")
		return
	case err != nil:
		return // the store cannot be asked: nobody is let in, and the question stays
	}
	if err := h.askOpen(ctx, q, now, cause); err != nil {
		h.Logger.LogAttrs(ctx, slog.LevelWarn, "open question not asked again", slog.String("ask", q.id), slog.String("err", scrub(err)))
	}
}

// askOpen asks once more as who, and tells the watchers if something changed. asking is held.
func (h *people) askOpen(ctx context.Context, q *openQuestion, who auth.Principal, cause string) error {
	req := q.req
	req.ID, req.Account, req.Certificate = record.Bits128{}, who.Account, who.Certificate
	q.mu.Lock()
	q.asked = h.Now()
	seen := q.seen
	q.mu.Unlock()
	here := h.subjects(ctx, req, seen)
	a, err := h.Hub.Ask(ctx, req)
	if err != nil {
		return err
	}
	q.take(ctx, h, a, who, here, cause)
	return nil
}

// take lets an answer act.
func (q *openQuestion) take(ctx context.Context, h *people, a *federation.Answer, who auth.Principal, here map[record.RecordID]version, cause string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r, missing := h.reckon(ctx, a, who, &q.req, q.act)
	if r == nil {
		return
	}
	q.silent = a.Missing()
	q.seen = seenIn(a, r, here, q.seen)
	q.day = record.CivilDay(h.Now())
	if q.gap = min(max(2*q.gap, reaskGap), reaskGapAtMost); len(q.silent) == 0 {
		q.gap = 0
	}
	count := h.countOf(r, missing, &q.req, true)
	if q.result != nil && cause != "act" && sameCount(&q.told.Count, count) {
		return // nothing to tell
	}
	u := AskUpdate{Seq: q.told.Seq + 1, At: a.At, Ask: a.Ask.String(), Cause: cause, Direction: "same", Count: *count, Until: q.until}
	if q.act != nil {
		u.Signed = len(q.act.Officers)
	}
	if q.result != nil {
		c := r.Since(q.result)
		u.Direction, u.Change = c.Direction, CountText(c.Text)
	}
	q.told, q.result = u, r
	q.tell()
}

// seenIn says how new each subject was when it was told: the newer of what its origin said and what lies here.
func seenIn(a *federation.Answer, r *transfer.Result, here, before map[record.RecordID]version) map[record.RecordID]version {
	out := map[record.RecordID]version{}
	note := func(id record.RecordID, v version) {
		if old, ok := out[id]; !ok || v.n > old.n {
			out[id] = v
		}
	}
	for id, v := range here {
		note(id, v)
	}
	for _, hit := range a.Hits {
		if hit.Version > out[hit.Subject].n {
			note(hit.Subject, version{streamOf(hit.Subject, hit.Member, here, before), hit.Version})
		}
	}
	for _, m := range a.Members {
		for id, n := range transfer.Versions(toHeard(m)) {
			b, err := record.ParseBits128(id)
			if err == nil {
				note(b, version{streamOf(b, m.Member, here, before), uint64(max(0, n))})
			}
		}
	}
	return out
}

// streamOf is the stream in which a subject stands here, or else the first one of its member.
func streamOf(id record.RecordID, m record.MemberID, known ...map[record.RecordID]version) record.StreamID {
	for _, k := range known {
		if v, ok := k[id]; ok {
			return v.stream
		}
	}
	return record.Stream(m, record.Records)
}

// sameCount compares all that a person is told.
func sameCount(a, b *AskCount) bool {
	same := func(x, y CountReason) bool {
		return x.Decision == y.Decision && x.Verdict == y.Verdict && x.Reason == y.Reason && x.Strict == y.Strict && x.Final == y.Final && x.Served == y.Served && slices.Equal(x.Merged, y.Merged)
	}
	return slices.Equal(a.Lines, b.Lines) && slices.EqualFunc(a.Decisions, b.Decisions, same) && a.FirstOffence.Text == b.FirstOffence.Text
}

// start hands over what Run is to do.
func (o *Open) start(run func(context.Context)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.loop = run
}

// Run looks after the open questions until ctx ends. The handler must have been made before.
func (o *Open) Run(ctx context.Context) {
	o.mu.Lock()
	run := o.loop
	o.mu.Unlock()
	if run != nil {
		run(ctx)
	}
}
