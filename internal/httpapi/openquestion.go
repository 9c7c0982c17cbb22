package httpapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/transfer"
)

// openQuestion is one question with what was last said of it. id, ask, req, owner and until never change; the other fields
// are guarded by mu.
type openQuestion struct {
	id    string // of its first asking
	ask   record.Bits128
	req   federation.AskRequest
	owner auth.Principal // account and session; roles and certificate are looked up anew each time
	until time.Time

	asking sync.Mutex // one asking at a time
	stored sync.Mutex // guards gone: keeping its row and deleting it, one after the other
	gone   bool       // its row is deleted, or owed

	mu       sync.Mutex
	signers  []string // accounts of officers who signed the act; they may watch too
	told     AskUpdate
	silent   []record.MemberID // members that did not answer
	seen     map[record.RecordID]version
	asked    time.Time
	day      string        // civil day of the last asking
	gap      time.Duration // while a member is missing
	hold     time.Duration // after an asking that failed
	watchers map[chan struct{}]bool
	closed   string

	signs      signs
	began      map[record.StreamID]uint64 // sizes of the streams when it was first asked, until they were read from there
	veiledWait time.Duration              // before it is asked because of veiled records
	resumed    time.Time                  // when a restart took it up; zero once it was asked since
}

// version is how new a subject was when the question was last asked, and where it stands.
type version struct {
	stream record.StreamID
	n      uint64
}

// AskUpdate is what an open question came to, each time that changes.
type AskUpdate struct {
	Seq       int          `json:"seq" doc:"1 = the first answer"`
	At        time.Time    `json:"at"`
	Ask       string       `json:"ask" doc:"Id of the asking that this came from"`
	Cause     string       `json:"cause" enum:"asked,record,member,act,day,restart" doc:"Why it was asked again"`
	Direction string       `json:"direction" enum:"up,down,same" doc:"A fall is told as loudly as a rise"`
	Change    CountText    `json:"change"`
	Count     AskCount     `json:"count"`
	Signed    int          `json:"signed" doc:"Officers that have signed the new act; two confirm it"`
	Until     time.Time    `json:"until" doc:"The question is open until then"`
	Duty      []MemberDuty `json:"duty,omitempty" doc:"Whom to call now at each member that was asked, as far as known"`
}

func newOpenQuestion(ask record.Bits128, req federation.AskRequest, owner auth.Principal, until time.Time) *openQuestion {
	return &openQuestion{id: ask.String(), ask: ask, req: req, owner: owner, until: until, watchers: map[chan struct{}]bool{}, signs: signs{look: true}}
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
	return mayCount(who, q.req.Purpose) && (who.Account == q.owner.Account || slices.Contains(q.signers, who.Account))
}

// keptState is a question as the database keeps it. Whom it found is not in it: the first asking after a restart looks
// everywhere.
type keptState struct {
	V       int            `json:"v"`
	Account string         `json:"account"`
	Session string         `json:"session"`
	Signers []string       `json:"signers,omitempty"`
	Request jsontext.Value `json:"request"`
	Told    AskUpdate      `json:"told"`
}

// keep makes the question, with what is about to be told, durable. false: it ended meanwhile, its row is deleted, and nothing
// is told. A node that stops keeps it: the next start resumes it.
func (o *Open) keep(ctx context.Context, q *openQuestion, told *AskUpdate, signers []string) (bool, error) {
	q.stored.Lock()
	defer q.stored.Unlock()
	if q.gone {
		return false, nil
	}
	req, err := q.req.Keep()
	if err != nil {
		return false, err
	}
	b, err := json.Marshal(keptState{1, q.owner.Account, q.owner.Family, signers, req, *told})
	if err != nil {
		return false, errors.New("keep open question") // the cause could show it
	}
	return true, o.store.PutOpen(ctx, federation.KeptAsk{ID: q.ask, Until: q.until.Unix(), State: b})
}

// recall reads what keep wrote.
func recall(k federation.KeptAsk) (*openQuestion, error) {
	var s keptState
	if err := json.Unmarshal(k.State, &s); err != nil || s.V != 1 {
		return nil, errors.New("open question is not of this version")
	}
	req, err := federation.RecallAsk(s.Request)
	if err != nil {
		return nil, err
	}
	q := newOpenQuestion(k.ID, req, auth.Principal{Account: s.Account, Family: s.Session}, time.Unix(k.Until, 0))
	q.told, q.signers = s.Told, s.Signers
	return q, nil
}

// askAgain puts the question anew, under the account that opened it, if that still may.
func (h *people) askAgain(ctx context.Context, q *openQuestion, cause string) error {
	if !q.asking.TryLock() {
		return nil
	}
	defer q.asking.Unlock()
	return h.askForOwner(ctx, q, cause)
}

// askForOwner is askAgain while asking is held.
func (h *people) askForOwner(ctx context.Context, q *openQuestion, cause string) error {
	now, err := h.People.Again(ctx, q.owner)
	var refused *auth.Refusal
	switch {
	case errors.As(err, &refused), err == nil && !(now.May(auth.Ask) && auth.MayAsk(now.Roles, q.req.Purpose) && mayCount(now, q.req.Purpose)):
		h.Open.drop(ctx, q, "rights")
		return nil
	case err != nil:
		return fmt.Errorf("look at the asker's rights: %w", err) // nobody is let in, and the question stays
	}
	return h.askOpen(ctx, q, now, cause)
}

// askOpen asks once more as who, and tells the watchers if something changed. asking is held. After an error everything is
// looked at again.
func (h *people) askOpen(ctx context.Context, q *openQuestion, who auth.Principal, cause string) error {
	req := q.req
	req.ID, req.Account, req.Certificate = record.Bits128{}, who.Account, who.Certificate
	q.mu.Lock()
	q.asked = h.Now()
	seen, served := q.seen, q.signs
	q.signs = signs{} // what comes from now on is for the next asking
	q.mu.Unlock()
	here, err := h.subjects(ctx, &req, seen)
	var a *federation.Answer
	if err == nil {
		req.Anew = true
		a, err = h.Hub.Ask(ctx, req)
	}
	if err == nil {
		for id, v := range served.changed { // whoever answers has them: they lie here already
			if v.n > here[id].n {
				here[id] = v
			}
		}
		err = h.take(ctx, q, a, who, here, cause)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if err == nil {
		q.hold = 0
	} else {
		q.hold = min(max(2*q.hold, reaskGap), reaskGapAtMost)
		q.signs.look, q.signs.veiled = true, q.signs.veiled || served.veiled
	}
	return err
}

// take lets an answer act: what changed is durable before anybody is told. asking is held.
func (h *people) take(ctx context.Context, q *openQuestion, a *federation.Answer, who auth.Principal, here map[record.RecordID]version, cause string) error {
	act, err := h.actOf(ctx, q.ask)
	if err != nil {
		return err
	}
	r, missing := h.reckon(ctx, a, who, &q.req, act.NewAct())
	if r == nil {
		return nil
	}
	q.mu.Lock()
	told, before := q.told, q.seen
	q.mu.Unlock()
	count := h.countOf(r, missing, a, &q.req, true)
	news := told.Seq == 0 || cause == "act" || !sameCount(&told.Count, count)
	if news {
		u := AskUpdate{Seq: told.Seq + 1, At: a.At, Ask: a.Ask.String(), Cause: cause, Direction: "same", Count: *count, Until: q.until, Signed: len(act.Signed)}
		if told.Seq > 0 {
			c := r.Since(toldResult(&told.Count))
			u.Direction, u.Change = c.Direction, CountText(c.Text)
		}
		kept, err := h.Open.keep(ctx, q, &u, act.Accounts())
		if err != nil {
			return fmt.Errorf("keep open question: %w", err)
		}
		if !kept {
			return nil
		}
		told = u
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.silent, q.seen, q.day, q.resumed = a.Missing(), seenIn(a, here, before), record.CivilDay(h.Now()), time.Time{}
	q.signers = act.Accounts()
	if q.gap = min(max(2*q.gap, reaskGap), reaskGapAtMost); len(q.silent) == 0 {
		q.gap = 0
	}
	if q.veiledWait = min(2*max(q.veiledWait, veiledGap), reaskGapAtMost); news {
		q.veiledWait = veiledGap
		q.told = told
		q.tell()
	}
	return nil
}

// toldResult is as much of a result as a later one is compared with.
func toldResult(c *AskCount) *transfer.Result {
	return &transfer.Result{Alert: transfer.Alert(c.Alert), Basic: c.Basic, Strict: c.Strict, Pending: c.Pending, Answered: c.Answered, Total: c.Total}
}

// seenIn says how new each subject was when it was told: the newer of what its origin said and what lies here.
func seenIn(a *federation.Answer, here, before map[record.RecordID]version) map[record.RecordID]version {
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
