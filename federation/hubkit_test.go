package federation_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// The only person of these tests, synthetic as domain.md §7.1 wants it.
const (
	testID   = "310116190203049005"
	otherID  = "310116190506079013"
	testName = "测甲乙"
)

// ledger is a log that keeps what a Hub appends, and says what a Hub asks of a log. Stored groups come from sealing.
type ledger struct {
	mu    sync.Mutex
	audit []record.Draft
	slots map[string][]byte
	hash  map[string][32]byte
	used  map[string]bool
	heads map[record.StreamID]record.Head
	fail  error // every Append fails with it
}

func (l *ledger) Append(_ context.Context, a record.Append) (record.Appended, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return record.Appended{}, l.fail
	}
	slot := a.Scope + "|" + a.Key
	if kept, ok := l.slots[slot]; ok && a.Key != "" {
		if l.hash[slot] != a.BodyHash {
			return record.Appended{}, record.ErrIdempotencyConflict
		}
		return record.Appended{Repeated: true, Answer: kept}, nil
	}
	for _, u := range a.Uses {
		if l.used[u.Kind+u.ID] {
			return record.Appended{}, record.ErrReplayed
		}
	}
	for _, u := range a.Uses {
		l.used[u.Kind+u.ID] = true
	}
	l.audit = append(l.audit, a.Drafts...)
	if a.Key != "" {
		b, err := a.Answer(record.Appended{})
		if err != nil {
			return record.Appended{}, err
		}
		l.slots[slot], l.hash[slot] = b, a.BodyHash
	}
	return record.Appended{}, nil
}

func (l *ledger) Answered(_ context.Context, scope, key string) ([]byte, [32]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	slot := scope + "|" + key
	if b, ok := l.slots[slot]; ok {
		return b, l.hash[slot], nil
	}
	return nil, [32]byte{}, record.ErrNotFound
}

func (l *ledger) Head(_ context.Context, s record.StreamID) (record.Head, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heads[s], nil
}

// types returns the types of the audit records, in order.
func (l *ledger) types() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, d := range l.audit {
		out = append(out, d.Type)
	}
	return out
}

// entryAt is one published entry as one bureau holds it.
type entryAt struct {
	stream  record.StreamID
	subject record.RecordID
	view    federation.SubjectView
	id      string // identity number that finds it
	weak    string // name and birth date that finds it as possible
	sure    string // name and birth date that are a hit
}

// desk is one bureau: its Hub over what it holds.
type desk struct {
	*federation.Hub
	log     *ledger
	dir     *federation.Directory
	keys    *federation.Keys
	mu      sync.Mutex
	entries []entryAt
	applied map[record.StreamID]uint64
	broken  error // the index cannot be read

	truncated bool         // the index has left somebody out
	uncounted int          // more namesakes than the index names
	crowded   record.Level // it did so among records of this level alone
}

func toAll(l record.Level) map[record.GroupID]record.Level {
	return map[record.GroupID]record.Level{record.All: l}
}

func (d *desk) Find(_ context.Context, q federation.Question, _ string, in federation.In) (federation.Findings, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken != nil {
		return federation.Findings{}, d.broken
	}
	var out federation.Findings
	for _, e := range d.entries {
		p := federation.Place{Stream: e.stream, Subject: e.subject}
		switch {
		case !in(e.stream, e.view.Record.Meaning.Audience):
		case e.id == q.IDNo.Reveal() && e.id != "":
			out.Candidates = append(out.Candidates, federation.Candidate{Place: p, Outcome: federation.Hit, Score: 38,
				Lines: []match.Evidence{{Code: "prior", Bits: -7, Text: "先验:名单规模"}, {Code: "id_equal", Bits: 45, Text: "证件号相同"}}})
		case e.sure == q.Name.Reveal()+q.BirthDate.Reveal() && e.sure != "":
			out.Candidates = append(out.Candidates, federation.Candidate{Place: p, Outcome: federation.Hit, Score: 12,
				Lines: []match.Evidence{{Code: "name_equal", Bits: 12, Text: "姓名相同"}}})
		case e.weak == q.Name.Reveal()+q.BirthDate.Reveal() && e.weak != "":
			out.Candidates = append(out.Candidates, federation.Candidate{Place: p, Outcome: federation.Possible, Score: 12,
				Lines: []match.Evidence{{Code: "name_homophone", Bits: 12, Text: "姓名同音 甲/贾同音"}}})
			out.Same = append(out.Same, p)
		}
	}
	out.Namesakes = len(out.Same) + d.uncounted
	out.Truncated = d.truncated || d.crowded != record.L0 && in(record.Stream(d.dir.Self(), record.Records), toAll(d.crowded))
	return out, nil
}

func (d *desk) Applied(s record.StreamID) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.applied[s]
}

func (d *desk) Wait(ctx context.Context, s record.StreamID, seq uint64) error {
	if d.Applied(s) >= seq {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (d *desk) look(_ context.Context, s record.StreamID, subject record.RecordID, _ string) (federation.SubjectView, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.entries {
		if e.stream == s && e.subject == subject {
			return e.view, true, nil
		}
	}
	return federation.SubjectView{}, false, nil
}

// county is a federation at work in one process.
type county struct {
	*alliance
	t     testing.TB
	desks []*desk
	// call stands between two desks; nil delivers.
	call func(ctx context.Context, from, to *desk, body []byte) ([]byte, error)
	now  func() time.Time
	jti  uint64
	body string // of what is published; empty: of somebody
	mu   sync.Mutex
}

// open makes a desk for each member.
func open(t testing.TB, n int, synthetic bool) *county {
	t.Helper()
	return openAlliance(t, ally(t, n, synthetic))
}

func openAlliance(t testing.TB, a *alliance) *county {
	t.Helper()
	c := &county{alliance: a, t: t, now: func() time.Time { return start }}
	for i := range a.keys {
		c.desks = append(c.desks, c.desk(i))
	}
	return c
}

func (c *county) desk(i int) *desk {
	dir := c.directory
	if c.dirs != nil {
		dir = func(i int) *federation.Directory { return c.dirs[i] }
	}
	d := &desk{dir: dir(i), keys: c.keys[i], applied: map[record.StreamID]uint64{},
		log: &ledger{slots: map[string][]byte{}, hash: map[string][32]byte{}, used: map[string]bool{}, heads: map[record.StreamID]record.Head{}}}
	d.Hub = &federation.Hub{Directory: d.dir, Index: d, Append: d.log.Append, Answered: d.log.Answered, Head: d.log.Head, View: d.look,
		Age:      func(record.MemberID) (time.Duration, bool) { return time.Minute, true },
		Released: func() bool { return true }, Now: func() time.Time { return c.now() },
		Random:  &locked{r: seeded(fmt.Sprint("desk", i))},
		Records: record.Stream(c.code(i), record.Records), Audit: record.Stream(c.code(i), record.Audit)}
	d.Call = func(ctx context.Context, m record.MemberID, body []byte) ([]byte, error) {
		to := c.at(m)
		if c.call != nil {
			return c.call(ctx, d, to, body)
		}
		return c.deliver(ctx, d, to, body)
	}
	return d
}

func (c *county) at(m record.MemberID) *desk {
	for _, d := range c.desks {
		if d.dir.Self() == m {
			return d
		}
	}
	return nil
}

func (c *county) deliver(ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
	return to.Reply(ctx, from.dir.Self(), body, c.token())
}

// token returns a fresh member token's one-use id.
func (c *county) token() record.Use {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.jti++
	return record.Use{Kind: "jti", ID: fmt.Sprint("token", c.jti), Expires: c.now().Add(time.Minute).Unix()}
}

// publish puts an entry into a desk's own stream and, with replicas, into everybody's copy.
func (c *county) publish(d *desk, level record.Level, e entryAt, replicas bool) entryAt {
	c.t.Helper()
	s := d.Records
	head := d.log.heads[s]
	sealer := record.Sealer{Random: c.random, Current: d.dir.CurrentEpoch}
	id, err := record.NewBits128(c.random)
	must(c.t, err)
	audience := map[record.GroupID]record.Level{record.All: level}
	if level == record.L0 {
		audience = map[record.GroupID]record.Level{}
	}
	body := c.body
	if body == "" {
		body = `{"name":"测甲乙"}`
	}
	st, err := sealer.Seal(record.Draft{Stream: s, ID: id, Type: "blacklist.person", Schema: "1", Day: day0, Audience: audience,
		Parts: map[record.PartName][]byte{record.Card: []byte(`{"name_masked": "测某某"}`), record.Body: []byte(body), record.Home: []byte(`{"informer":"canary-home"}`)}}, head.Size)
	must(c.t, err)
	st.Seq = head.Size
	e.stream, e.subject = s, id
	e.view = federation.SubjectView{Version: 1, Type: "blacklist.person", State: "published", Record: st}
	c.commit(d, head.Size+1)
	d.entries = append(d.entries, e)
	if replicas && level >= record.L2 {
		for _, o := range c.desks {
			if o != d {
				o.entries = append(o.entries, e)
			}
		}
	}
	return e
}

// commit moves a desk's own head to size and signs it; all indexes follow.
func (c *county) commit(d *desk, size uint64) {
	c.t.Helper()
	s := d.Records
	cp, err := record.SignCheckpoint(d.keys.Signer(), record.Checkpoint{Federation: d.dir.Federation(), Stream: s, Size: size,
		Root: tlog.Hash(sha256.Sum256(u64(size))), Charter: d.dir.Charter()})
	must(c.t, err)
	d.log.mu.Lock()
	d.log.heads[s] = record.Head{Stream: s, Size: size, Applied: size, Checkpoint: cp, Signed: size}
	d.log.mu.Unlock()
	d.mu.Lock()
	d.applied[s] = size
	d.mu.Unlock()
}

// withdraw takes an entry out of a desk's own stream, not out of copies.
func (c *county) withdraw(d *desk, e entryAt) {
	d.entries = slices.DeleteFunc(d.entries, func(x entryAt) bool { return x.subject == e.subject })
	c.commit(d, d.log.heads[d.Records].Size+1)
}

func byID(id string) federation.Question { return federation.Question{IDNo: identifier.NewSecret(id)} }

func ask(q federation.Question) federation.AskRequest {
	return federation.AskRequest{Account: "u-1", Certificate: "31011600012", Purpose: federation.PurposeRaid,
		WorkRef: federation.WorkRef{Kind: "inspection", Number: "测检〔2026〕1号"}, Question: q}
}

// locked makes a seeded source safe for several goroutines.
type locked struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *locked) Read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(b)
}

var errBroken = errors.New("index cannot be read")
