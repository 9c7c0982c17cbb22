package federation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/record"
)

// AskRequest is one person's question.
type AskRequest struct {
	ID          record.Bits128 // chosen by the caller so that a repeat is the same question; zero = drawn here
	Account     string         // opaque account id
	Certificate string         // 执法证号, may be empty
	Purpose     Purpose
	WorkRef     WorkRef
	Question    Question
	Scope       []record.MemberID // empty = every active member
	AsOf        string            // civil date; empty = today at +08:00
	// Anew: the node asks an open question again by itself. That costs the officer none of his budget here, and his work
	// reference was looked at when he asked.
	Anew bool
	// First, if set, is called once, from another goroutine, with what this node's copies say, as soon as that is known.
	First func([]ReplicaHit)
}

// Ask puts a question to every member in scope, this one included, and returns by the deadline what came of it. The
// question is durably audited before it leaves and the outcome before Ask returns. A *Refusal says why nothing was asked;
// it has been audited. Other errors are those of the log: without audit there is no look-up.
func (h *Hub) Ask(ctx context.Context, req AskRequest) (*Answer, error) {
	start := h.Now()
	asking, cancel := context.WithTimeout(ctx, h.deadline())
	defer cancel()
	a, err := h.newAnswer(&req)
	if err != nil {
		return nil, err
	}
	if err := h.admit(ctx, &req, a); err != nil {
		return nil, err
	}
	if err := h.write(&req, a); err != nil {
		return nil, err
	}
	if err := h.audit(ctx, "lookup.asked", h.asked(&req, a)); err != nil {
		return nil, err
	}
	parts, replica := h.gather(asking, &req, a)
	a.merge(parts, replica)
	a.At = h.Now()
	took := a.At.Sub(start)
	err = h.auditOutcome(ctx, a, took)
	if h.Measured != nil {
		h.Measured(a, took, err == nil)
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// admit returns why a question is not asked, audited: a *Refusal or a *SpentError. Form comes first: what is ill-formed
// costs nothing.
func (h *Hub) admit(ctx context.Context, req *AskRequest, a *Answer) error {
	ref := h.refuseAsk(req, a)
	if ref == nil && h.Holds != nil && !req.Anew {
		var err error
		if ref, err = h.Holds(ctx, req); err != nil {
			return fmt.Errorf("look up work reference: %w", err)
		}
	}
	if ref != nil {
		if err := h.auditRefused(ctx, req, a, ref); err != nil {
			return err
		}
		return ref
	}
	if h.Spend == nil || req.Anew {
		return nil
	}
	spent := h.Spend(ctx, Charge{a.asker, req.Account, req.Question.subject()})
	if spent == nil {
		return nil
	}
	if err := h.auditRefused(ctx, req, a, &Refusal{Code: spent.Code}); err != nil {
		return err
	}
	return spent
}

func (h *Hub) newAnswer(req *AskRequest) (*Answer, error) {
	d := h.Directory
	a := &Answer{Ask: req.ID, Federation: d.Federation(), Charter: d.Charter(), AsOf: req.AsOf, asker: d.Self()}
	if a.AsOf == "" {
		a.AsOf = h.today()
	}
	if a.Ask.IsZero() {
		var err error
		if a.Ask, err = record.NewBits128(h.Random); err != nil {
			return nil, fmt.Errorf("ask: %w", err)
		}
	}
	a.Scope = d.Active()
	if len(req.Scope) > 0 {
		chosen := slices.Clone(req.Scope)
		slices.Sort(chosen)
		chosen = slices.Compact(chosen)
		a.Scoped = !slices.Equal(chosen, a.Scope)
		a.Scope = chosen
	}
	a.N = len(a.Scope)
	a.TestOnly = d.TestOnly(d.Self()) || slices.ContainsFunc(a.Scope, d.TestOnly) || req.Purpose == PurposeTest && !d.Synthetic()
	for _, m := range a.Scope {
		a.Members = append(a.Members, MemberAnswer{Member: m})
	}
	return a, nil
}

// refuseAsk says why a question is not asked at all.
func (h *Hub) refuseAsk(req *AskRequest, a *Answer) *Refusal {
	d := h.Directory
	if ref := checkPurpose(req.Purpose, req.WorkRef); ref != nil {
		return ref
	}
	if ref := req.Question.check(); ref != nil {
		return ref
	}
	if ref := checkPerson(req.Account, req.Certificate); ref != nil {
		return ref
	}
	for _, m := range a.Scope {
		if !d.IsActive(m) {
			return &Refusal{RefusedScope, "/scope"}
		}
	}
	switch {
	case !validDay(a.AsOf):
		return &Refusal{RefusedAsOf, "/as_of"}
	case !d.IsActive(d.Self()):
		return &Refusal{RefusedNotMember, ""}
	case req.Purpose != PurposeTest && d.TestOnly(d.Self()):
		return &Refusal{RefusedTestOnly, "/purpose"}
	}
	return h.refuseByForm(req, a)
}

// refuseByForm refuses what the audit record of the question could not hold by its schema, such as a spot-check number of
// a day to come.
func (h *Hub) refuseByForm(req *AskRequest, a *Answer) *Refusal {
	t, payload, err := auditPayload("lookup.asked", h.asked(req, a))
	if err != nil {
		return &Refusal{RefusedQuestion, ""}
	}
	violations := t.Validate(payload, h.today())
	if len(violations) == 0 {
		return nil
	}
	at, code := violations[0].Pointer, RefusedQuestion
	if strings.HasPrefix(at, "/work_ref") {
		code = RefusedWorkRef
	}
	return &Refusal{code, at}
}

// write makes the ask as every member gets it. One nonce serves them all: each signs it under its own name.
func (h *Hub) write(req *AskRequest, a *Answer) error {
	if _, err := io.ReadFull(h.Random, a.salt[:]); err != nil {
		return fmt.Errorf("ask: draw nonce: %w", err)
	}
	question, err := encodeLine(req.Question.reveal())
	if err != nil {
		return errors.New("ask: encode question") // the cause could show the question
	}
	a.question = question[:len(question)-1]
	a.Fuzzy, a.CheckDigit = req.Question.Fuzzy(), req.Question.engineQuestion(a.AsOf).WrongCheckDigit()
	a.nonce = nonceOf(a.salt, a.question)
	text, err := encodeLine(askText{V: 1, Ask: a.Ask, Nonce: a.nonce, Federation: a.Federation, Charter: writeRef(a.Charter),
		Member: a.asker, Account: req.Account, Certificate: req.Certificate, Purpose: req.Purpose, WorkRef: req.WorkRef,
		AsOf: a.AsOf, Question: jsontext.Value(a.question), Fuzzy: a.Fuzzy})
	if err != nil || len(text) > MaxAsk {
		return errors.New("ask: encode question")
	}
	a.body = []byte(text[:len(text)-1])
	return nil
}

// gather asks all members in scope at once and looks into the copies meanwhile. It returns at the latest when ctx ends;
// what comes later is dropped.
func (h *Hub) gather(ctx context.Context, req *AskRequest, a *Answer) ([]*answerText, []ReplicaHit) {
	type came struct {
		i    int
		part *answerText
		m    MemberAnswer
	}
	answers := make(chan came, len(a.Scope))
	started := h.Now()
	for i, m := range a.Scope {
		go func() {
			known := h.known(ctx, m)
			note, err := h.callOne(ctx, m, a.body)
			part, out := h.judge(a, m, known, note, err)
			out.Latency = h.Now().Sub(started)
			answers <- came{i, part, out}
		}()
	}
	copies := make(chan []ReplicaHit, 1)
	go func() {
		r := h.replica(ctx, req, a)
		if req.First != nil && ctx.Err() == nil {
			req.First(slices.Clone(r))
		}
		copies <- r
	}()
	parts := make([]*answerText, len(a.Scope))
	for i := range a.Members {
		a.Members[i].State = Timeout
	}
	take := func(c came) { parts[c.i], a.Members[c.i] = c.part, c.m }
	var replica []ReplicaHit
	for left := len(a.Scope) + 1; left > 0; left-- {
		select {
		case c := <-answers:
			take(c)
		case replica = <-copies:
		case <-ctx.Done():
			left = 0
		}
	}
	for more := true; more; { // what had come when the deadline struck
		select {
		case c := <-answers:
			take(c)
		case replica = <-copies:
		default:
			more = false
		}
	}
	for i := range a.Members {
		if a.Members[i].State == Timeout && a.Members[i].Latency == 0 {
			a.Members[i].Latency = h.Now().Sub(started)
		}
	}
	return parts, replica
}

// callOne asks one member; this node answers itself by the same road.
func (h *Hub) callOne(ctx context.Context, m record.MemberID, body []byte) ([]byte, error) {
	if m != h.Directory.Self() {
		return h.Call(ctx, m, body)
	}
	id, err := record.NewBits128(h.Random)
	if err != nil {
		return nil, err
	}
	return h.Reply(ctx, m, body, record.Use{Kind: "jti", ID: id.String(), Expires: h.Now().Add(time.Minute).Unix()})
}

// known returns the size of the newest checkpoint of m's records stream that this node holds. What cannot be read is
// taken for the worst: then m's answer does not count.
func (h *Hub) known(ctx context.Context, m record.MemberID) uint64 {
	if m == h.Directory.Self() {
		return 0
	}
	head, err := h.Head(ctx, record.Stream(m, record.Records))
	if err != nil {
		return math.MaxUint64
	}
	return head.Signed
}

// replica looks into this node's copies of the members in scope. It fails silently: what it finds counts for nothing.
func (h *Hub) replica(ctx context.Context, req *AskRequest, a *Answer) []ReplicaHit {
	if req.Purpose == PurposeTest && !h.Directory.Synthetic() {
		return nil
	}
	self := h.Directory.Self()
	groups := h.Directory.Groups(self)
	found, err := h.Index.Find(ctx, req.Question, a.AsOf, func(s record.StreamID, audience map[record.GroupID]record.Level) bool {
		return s.Member() != self && s.Kind() == record.Records && slices.Contains(a.Scope, s.Member()) && levelFor(audience, groups) >= record.L2
	})
	if err != nil {
		return nil
	}
	var out []ReplicaHit
	possible := 0
	for _, c := range found.Candidates {
		if c.Outcome != Hit && possible == MaxPossible {
			break
		}
		v, ok, err := h.View(ctx, c.Stream, c.Subject, a.AsOf)
		level := levelFor(v.Record.Meaning.Audience, groups)
		if err != nil || !ok || level < record.L2 || len(out) == MaxHits {
			continue
		}
		r := ReplicaHit{Stream: c.Stream, Seq: v.Record.Seq, Age: -1, LiveHit: LiveHit{Member: c.Stream.Member(), Record: v.Record.Meaning.ID,
			Subject: c.Subject, Version: v.Version, Type: v.Type, State: v.State, Outcome: c.Outcome, Level: level}}
		r.Score, r.Lines = linesAt(v.Type, level, c.Score, c.Lines)
		if c.Outcome != Hit {
			possible++
		}
		r.Card, r.Body = cutParts(v.Record, groups)
		if age, ok := h.Age(r.Member); ok {
			r.Age = age
		}
		out = append(out, r)
	}
	return out
}

// asked is the audit record of a question. What was asked stands in its part home alone.
func (h *Hub) asked(req *AskRequest, a *Answer) askedBody {
	q := req.Question.reveal()
	return askedBody{Ask: a.Ask, Member: a.asker, Account: req.Account, CertNo: req.Certificate, Purpose: req.Purpose,
		WorkRef: &req.WorkRef, AsOf: a.AsOf, At: h.at(), Scope: a.Scope, QueryKind: req.Question.kinds(), Question: &q,
		Synthetic: h.Directory.Synthetic()}
}

// auditRefused records a question that was not asked. What the caller wrote and the schema cannot hold is left out.
func (h *Hub) auditRefused(ctx context.Context, req *AskRequest, a *Answer, ref *Refusal) error {
	b := askedBody{Ask: a.Ask, Member: a.asker, Account: req.Account, CertNo: req.Certificate, At: h.at(), Refused: ref.Code,
		Synthetic: h.Directory.Synthetic()}
	if ref.Code != RefusedWorkRef && ref.Code != RefusedNotHeld && checkPurpose(req.Purpose, req.WorkRef) == nil {
		b.Purpose, b.WorkRef = req.Purpose, &req.WorkRef
	}
	if checkPerson(req.Account, "") != nil {
		b.Account = "?"
	}
	if checkPerson("?", req.Certificate) != nil {
		b.CertNo = ""
	}
	if validDay(a.AsOf) {
		b.AsOf = a.AsOf
	}
	return h.audit(ctx, "lookup.asked", b)
}

// auditOutcome records what the asker is told. It does not end with the caller's context: the question was asked.
func (h *Hub) auditOutcome(ctx context.Context, a *Answer, took time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), outcomeWait)
	defer cancel()
	b := outcomeBody{Ask: a.Ask, At: h.at(), Outcome: a.Outcome, Answered: a.K, Total: a.N, LatencyMS: max(0, took.Milliseconds()),
		Synthetic: h.Directory.Synthetic()}
	for _, m := range a.Members {
		b.States = append(b.States, memberStateBody{m.Member, m.State, m.Reason, max(0, m.Latency.Milliseconds())})
	}
	return h.audit(ctx, "lookup.outcome", b)
}

func (h *Hub) audit(ctx context.Context, typ string, payload any) error {
	d, err := h.auditDraft(typ, payload)
	if err != nil {
		return fmt.Errorf("audit question: %w", err)
	}
	if _, err := h.Append(ctx, record.Append{Drafts: []record.Draft{d}}); err != nil {
		return fmt.Errorf("audit question: %w", err)
	}
	return nil
}
