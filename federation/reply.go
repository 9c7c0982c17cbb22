package federation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/record"
)

// Reply answers a question for the own records stream alone. from is the member that connection and token name, token the
// token's one-use id. The answer is a signed note; an audit record with the ids of what it shows is durable before it is
// returned. Errors: ErrMalformed, ErrNotSender, ErrNotMember, ErrOtherFederation, *StaleCharterError, record.ErrReplayed
// (the token or the ask was used before), *SpentError, record.ErrStorageFull, or that of a log that cannot be read or written: then
// nothing may be answered. A question that this node will not answer is a signed answer with state refused.
//
// A repeated ask (same id, same body, new token) is answered from the record ids kept with the first answer while the
// first token lives, cut afresh; nothing that the first answer's audit record does not name is shown.
func (h *Hub) Reply(ctx context.Context, from record.MemberID, body []byte, token record.Use) ([]byte, error) {
	a, err := decodeAsk(body)
	if err != nil {
		return nil, err
	}
	switch {
	case a.Member != from:
		return nil, ErrNotSender
	case a.Federation != h.Directory.Federation():
		return nil, fmt.Errorf("reply: %w", ErrOtherFederation)
	case !h.Directory.IsActive(from):
		return nil, ErrNotMember
	}
	r := reply{hub: h, ask: a, from: from, token: token, hash: sha256.Sum256(body), charter: h.Directory.Charter()}
	if a.Charter.ref() != r.charter {
		return nil, r.stale(ctx)
	}
	kept, err := r.recall(ctx)
	if err != nil {
		return nil, err
	}
	if kept == nil {
		if err := r.spend(ctx); err != nil {
			return nil, err
		}
		kept, err = r.first(ctx)
		if err != nil || kept == nil {
			return r.note, err
		}
	}
	return r.again(ctx, kept)
}

// reply is one question being answered.
type reply struct {
	hub     *Hub
	ask     *askText
	from    record.MemberID
	token   record.Use
	hash    [32]byte
	charter record.CharterRef
	note    []byte
}

// keptAnswer is what is stored with the audit record for a repeat: ids and proofs, no content.
type keptAnswer struct {
	Expires    uint64      `json:"expires"` // Unix seconds
	State      MemberState `json:"state"`
	Reason     string      `json:"reason"`
	Checkpoint string      `json:"checkpoint"`
	Index      uint64      `json:"index"`
	Hits       []keptHit   `json:"hits"`
	Tally      *keptTally  `json:"tally,omitempty"`
	Namesakes  uint64      `json:"namesakes,omitzero"`
	Truncated  bool        `json:"truncated,omitzero"`
}

type keptHit struct {
	Record  record.RecordID  `json:"record"`
	Subject record.RecordID  `json:"subject"`
	Outcome Outcome          `json:"outcome"`
	Score   float64          `json:"score,omitzero"`
	Lines   []match.Evidence `json:"lines,omitempty"` // without characters of names
}

func (r *reply) slot() (scope, key string) { return "ask/" + string(r.from), r.ask.Ask.String() }

// recall returns what was kept for this ask, nil if it is new.
func (r *reply) recall(ctx context.Context) (*keptAnswer, error) {
	scope, key := r.slot()
	b, hash, err := r.hub.Answered(ctx, scope, key)
	if errors.Is(err, record.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("recall ask: %w", err)
	}
	return r.read(b, hash)
}

func (r *reply) read(b []byte, hash [32]byte) (*keptAnswer, error) {
	var k keptAnswer
	if err := decodeJSON(b, &k); err != nil {
		return nil, errors.New("recall ask: kept answer is unreadable")
	}
	if hash != r.hash || r.hub.Now().Unix() > int64(k.Expires) {
		return nil, record.ErrReplayed
	}
	return &k, nil
}

// stale audits and returns the refusal for another charter version. The ask id is not used up: the asker fetches the
// charter and may ask again.
func (r *reply) stale(ctx context.Context) error {
	d, err := r.audit(Refused, string(StaleCharter), []shownRecord{})
	if err != nil {
		return err
	}
	if _, err := r.hub.Append(ctx, record.Append{Drafts: []record.Draft{d}, Uses: []record.Use{r.token}}); err != nil {
		return fmt.Errorf("audit ask: %w", err)
	}
	return &StaleCharterError{Ours: r.charter, Theirs: r.ask.Charter.ref()}
}

// spend takes a question out of the budgets of the member that asks it and of its officer. Its refusal is audited and does
// not use the ask id up: the question may come again. Own questions were counted before they were asked, and what is
// refused anyway costs nothing.
func (r *reply) spend(ctx context.Context) error {
	var spent *SpentError
	if r.hub.Spend != nil && r.from != r.hub.Directory.Self() && r.refuse() == nil {
		spent = r.hub.Spend(ctx, Charge{r.from, r.ask.Account, r.ask.question.subject()})
	}
	if spent == nil {
		return nil
	}
	d, err := r.audit(Refused, spent.Code, []shownRecord{})
	if err != nil {
		return err
	}
	if _, err := r.hub.Append(ctx, record.Append{Drafts: []record.Draft{d}, Uses: []record.Use{r.token}}); err != nil {
		return fmt.Errorf("audit ask: %w", err)
	}
	return spent
}

// first answers an ask that is new. It leaves the note in r, or returns what another request with the same ask kept in
// the meantime.
func (r *reply) first(ctx context.Context) (*keptAnswer, error) {
	out, err := r.find(ctx)
	if err != nil {
		return nil, err
	}
	d, err := r.audit(out.State, out.Reason, out.shown())
	if err != nil {
		return nil, err
	}
	kept := keptAnswer{Expires: uint64(r.token.Expires), State: out.State, Reason: out.Reason, Checkpoint: out.Checkpoint,
		Index: out.Index, Namesakes: out.Namesakes, Truncated: out.Truncated}
	for _, hit := range out.Hits {
		kept.Hits = append(kept.Hits, keptHit{hit.Record, hit.Subject, hit.Outcome, hit.Score, plain(hit.Lines)})
	}
	if out.Tally != nil {
		kept.Tally = &keptTally{Told: keptOf(out.told)}
		for _, c := range out.found {
			kept.Tally.Found = append(kept.Tally.Found, keptHit{Record: c.Subject, Subject: c.Subject, Outcome: c.Outcome})
		}
	}
	text, err := encodeLine(kept)
	if err != nil {
		return nil, fmt.Errorf("keep answer: %w", err)
	}
	scope, key := r.slot()
	done, err := r.hub.Append(ctx, record.Append{
		Drafts: []record.Draft{d}, Scope: scope, Key: key, BodyHash: r.hash,
		Answer: func(record.Appended) ([]byte, error) { return []byte(text), nil },
		Uses:   []record.Use{r.token, {Kind: "ask", ID: string(r.from) + "/" + key, Expires: r.token.Expires}},
	})
	switch {
	case errors.Is(err, record.ErrIdempotencyConflict):
		return nil, record.ErrReplayed
	case err != nil:
		return nil, fmt.Errorf("audit ask: %w", err)
	case done.Repeated:
		return r.read(done.Answer, r.hash)
	}
	r.note, err = r.sign(out)
	return nil, err
}

// again answers a repeat. The token is used up; the audit record is the first one's.
func (r *reply) again(ctx context.Context, k *keptAnswer) ([]byte, error) {
	if _, err := r.hub.Append(ctx, record.Append{Uses: []record.Use{r.token}}); err != nil {
		return nil, fmt.Errorf("use token: %w", err)
	}
	out := &answerText{State: k.State, Reason: k.Reason, Checkpoint: k.Checkpoint, Index: k.Index, Namesakes: k.Namesakes, Truncated: k.Truncated}
	for _, kept := range k.Hits {
		hit, ok, err := r.hit(ctx, Candidate{Place{r.hub.Records, kept.Subject}, kept.Outcome, kept.Score, kept.Lines})
		switch {
		case err != nil:
			out.lower(ReasonStorage)
		case ok && hit.Record != kept.Record:
			out.lower(ReasonChanged) // a newer version, which the audit record does not name
		case ok:
			out.Hits = append(out.Hits, hit)
		}
	}
	if err := r.recount(ctx, out, k.Tally); err != nil {
		return nil, err
	}
	return r.sign(out)
}

// lower makes an answer partial; the first reason stays.
func (a *answerText) lower(reason string) {
	if a.State == Answered {
		a.State, a.Reason = Partial, reason
	}
}

// find looks the question up. Everything that keeps the answer from being complete makes it partial.
func (r *reply) find(ctx context.Context) (*answerText, error) {
	h, out := r.hub, &answerText{State: Answered}
	if ref := r.refuse(); ref != nil {
		out.State, out.Reason = Refused, ref.Code
		return out, nil
	}
	if !h.Released() {
		out.lower(ReasonUnreleased)
		return out, nil
	}
	head, err := h.Head(ctx, h.Records)
	if err != nil {
		return nil, fmt.Errorf("read own head: %w", err)
	}
	wait, cancel := context.WithTimeout(ctx, h.indexWait())
	defer cancel()
	if err := h.Index.Wait(wait, h.Records, head.Size); err != nil {
		out.lower(ReasonIndexBehind)
	}
	out.Index = min(h.Index.Applied(h.Records), head.Size)
	if head.Signed > 0 && head.Signed <= out.Index {
		out.Checkpoint, out.Index = string(head.Checkpoint), head.Signed
	}
	if head.Signed < head.Size {
		out.lower(ReasonUnreleased) // a tail that no checkpoint covers yet
	}
	if r.exercise() {
		return out, nil
	}
	found, err := r.look(ctx)
	if err != nil {
		return nil, fmt.Errorf("look up question: %w", err)
	}
	out.Truncated = found.Truncated
	size, possible := 0, 0
	for _, c := range found.Candidates {
		hit, ok, err := r.hit(ctx, c)
		if err == nil && ok && c.Outcome != Hit && possible == MaxPossible {
			out.Truncated = true
			continue // only who is surely meant is told of without end
		}
		size += len(hit.Card) + len(hit.Body)
		switch {
		case err != nil:
			out.lower(ReasonStorage)
		case ok && (len(out.Hits) == MaxHits || size > MaxAnswer/2):
			out.lower(ReasonTooMany)
			return out, nil
		case ok:
			out.Hits = append(out.Hits, hit)
			if c.Outcome != Hit {
				possible++
			}
		}
	}
	out.Namesakes = r.namesakes(ctx, out, found.Same)
	if rest := found.Namesakes - len(found.Same); rest > 0 { // too many to read: each record is taken for somebody
		out.Namesakes = min(out.Namesakes+uint64(rest), maxNamesakes)
	}
	return out, r.count(ctx, out, found.Candidates)
}

// look finds whom the question may mean among own records: first as if nothing were there but what the asker may see, so
// that nothing else changes a score; then what is there at L1, of which at most a hit is told, and a bare number.
func (r *reply) look(ctx context.Context) (Findings, error) {
	h, groups := r.hub, r.hub.Directory.Groups(r.from)
	own := r.from == h.Directory.Self()
	found, err := h.Index.Find(ctx, r.ask.question, r.ask.AsOf, func(s record.StreamID, audience map[record.GroupID]record.Level) bool {
		return s == h.Records && (own || levelFor(audience, groups) >= record.L2)
	})
	if err != nil || own {
		return found, err
	}
	bare, err := h.Index.Find(ctx, r.ask.question, r.ask.AsOf, func(s record.StreamID, audience map[record.GroupID]record.Level) bool {
		return s == h.Records && levelFor(audience, groups) == record.L1
	})
	for _, c := range bare.Candidates { // the count reads them too; of those that are only possible hit tells nothing
		c.Score = 0 // nor may bits order what is told of the number alone
		found.Candidates = append(found.Candidates, c)
	}
	found.Truncated = found.Truncated || bare.Truncated
	return found, err
}

// namesakes counts the people who bear exactly the name asked for, of records that the asker may see and that are in force:
// those with a number once, however many records they have. What cannot be read makes the answer partial.
func (r *reply) namesakes(ctx context.Context, out *answerText, same []Place) (n uint64) {
	groups := r.hub.Directory.Groups(r.from)
	counted := map[string]bool{}
	for _, p := range same {
		v, ok, err := r.hub.View(ctx, p.Stream, p.Subject, r.ask.AsOf)
		if err != nil {
			out.lower(ReasonStorage)
			continue
		}
		if !ok || levelFor(v.Record.Meaning.Audience, groups) < record.L2 {
			continue
		}
		card, body := cutParts(v.Record, groups)
		var numbers []string // a record may tell its own number twice
		for _, id := range identifiersOf(v.Type, v.Record.Meaning.Schema, card, body) {
			if id.Strong && match.IdentifiesPerson(id.Kind) {
				numbers = append(numbers, id.Value)
			}
		}
		if !slices.ContainsFunc(numbers, func(no string) bool { return counted[no] }) {
			n++
		}
		for _, no := range numbers {
			counted[no] = true
		}
	}
	return n
}

// exercise reports whether this is an exercise in a federation of real bureaux: no real record is shown in one.
func (r *reply) exercise() bool {
	return r.ask.Purpose == PurposeTest && !r.hub.Directory.Synthetic()
}

// refuse says why this node does not answer.
func (r *reply) refuse() *Refusal {
	a, d := r.ask, r.hub.Directory
	if ref := checkPurpose(a.Purpose, a.WorkRef); ref != nil {
		return ref
	}
	if a.WorkRef.Kind == spotCheckKind && !strings.HasPrefix(a.WorkRef.Number, string(r.from)+"-") {
		return &Refusal{RefusedNotHeld, "/work_ref/number"} // only the asking member can have issued it
	}
	if ref := a.question.check(); ref != nil {
		return ref
	}
	if ref := checkPerson(a.Account, a.Certificate); ref != nil {
		return ref
	}
	if !validDay(a.AsOf) || r.farDay() {
		return &Refusal{RefusedAsOf, "/as_of"}
	}
	if a.Purpose != PurposeTest && (d.TestOnly(d.Self()) || d.TestOnly(r.from)) {
		return &Refusal{RefusedTestOnly, "/purpose"}
	}
	if !d.IsActive(d.Self()) {
		return &Refusal{RefusedNotMember, ""}
	}
	return nil
}

func (r *reply) farDay() bool {
	if r.hub.AsOfDays == 0 {
		return false
	}
	day, _ := time.Parse(time.DateOnly, r.ask.AsOf)
	today, _ := time.Parse(time.DateOnly, r.hub.today())
	return day.Sub(today).Abs() > time.Duration(r.hub.AsOfDays)*24*time.Hour
}

// hit returns what the asker may be told of a candidate: nothing unless it is in the audience, at L1 that there is a hit,
// above that the parts that record.Cut gives out.
func (r *reply) hit(ctx context.Context, c Candidate) (hitText, bool, error) {
	v, ok, err := r.hub.View(ctx, c.Stream, c.Subject, r.ask.AsOf)
	if err != nil || !ok {
		return hitText{}, false, err
	}
	groups := r.hub.Directory.Groups(r.from)
	level := levelFor(v.Record.Meaning.Audience, groups)
	if level == record.L0 || level == record.L1 && c.Outcome != Hit {
		return hitText{}, false, nil
	}
	t := hitText{Record: v.Record.Meaning.ID, Subject: c.Subject, Version: v.Version, Type: v.Type, State: v.State,
		Outcome: c.Outcome, Level: level}
	t.Score, t.Lines = linesAt(v.Type, level, c.Score, c.Lines)
	t.Card, t.Body = cutParts(v.Record, groups)
	return t, true, nil
}

// cutParts returns card and body as far as a member of these groups is given them.
func cutParts(st record.Stored, groups map[record.GroupID]bool) (card, body jsontext.Value) {
	for _, name := range record.Cut(st, groups) {
		for _, p := range st.Parts {
			switch {
			case p.Name != name:
			case name == record.Card:
				card = bytes.Clone(p.Bytes)
			case name == record.Body:
				body = bytes.Clone(p.Bytes)
			}
		}
	}
	return card, body
}

// levelFor returns the highest level that the audience gives to a member of these groups.
func levelFor(audience map[record.GroupID]record.Level, groups map[record.GroupID]bool) record.Level {
	level := record.L0
	for g, l := range audience {
		if groups[g] {
			level = max(level, l)
		}
	}
	return level
}

// audit makes the record of this answer. What the asker wrote and we cannot keep in the schema's form is left out.
func (r *reply) audit(state MemberState, reason string, shown []shownRecord) (record.Draft, error) {
	a := r.ask
	b := answeredBody{Ask: a.Ask, Member: r.from, Account: a.Account, CertNo: a.Certificate, AsOf: a.AsOf, At: r.hub.at(),
		State: state, Reason: reason, Shown: shown, Synthetic: r.hub.Directory.Synthetic()}
	if checkPurpose(a.Purpose, a.WorkRef) == nil {
		b.Purpose, b.WorkRef = a.Purpose, &a.WorkRef
	}
	if checkPerson(a.Account, "") != nil {
		b.Account = "?"
	}
	if checkPerson("?", a.Certificate) != nil {
		b.CertNo = ""
	}
	if !validDay(a.AsOf) {
		b.AsOf = r.hub.today()
	}
	d, err := r.hub.auditDraft("lookup.answered", b)
	if err != nil {
		return d, fmt.Errorf("audit ask: %w", err)
	}
	return d, nil
}

// sign completes an answer and signs it. Padding to hide hit or miss by size is the transport's (T21).
func (r *reply) sign(out *answerText) ([]byte, error) {
	h, a := r.hub, r.ask
	out.Engine = match.EngineVersion
	out.Pilin, out.V, out.Federation, out.Ask, out.Nonce = "answer", 1, a.Federation, a.Ask, a.Nonce
	out.Member, out.Asker, out.Charter, out.AsOf = h.Directory.Self(), r.from, a.Charter, a.AsOf
	if out.Hits == nil {
		out.Hits = []hitText{}
	}
	text, err := encodeLine(out)
	if err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	sg, err := h.Directory.CurrentSigner()
	if err != nil {
		return nil, fmt.Errorf("sign answer: %w", err)
	}
	note, err := sg.Note(answerName(a.Federation, out.Member), text)
	if err != nil {
		return nil, fmt.Errorf("sign answer: %w", err)
	}
	if len(note) > MaxAnswer {
		return nil, fmt.Errorf("sign answer: %w", record.ErrTooLarge)
	}
	return note, nil
}
