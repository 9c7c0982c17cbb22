package exchange_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

// asked counts how often a log is asked what it has cosigned.
type asked struct {
	record.Log
	n int
}

func (l *asked) Cosigned(ctx context.Context, s record.StreamID) (uint64, tlog.Hash, error) {
	l.n++
	return l.Log.Cosigned(ctx, s)
}

// Every frame that comes wakes the receipts: where nothing was applied since the last one, the log is not asked.
func TestReceipts_AskNothingWhereNothingMoved(t *testing.T) {
	from, other, to := newNode(t, a).open(), newNode(t, c).open(), newNode(t, b).open()
	from.publish(1)
	other.publish(1)
	to.take(a, 0, from.frames()...)
	to.take(c, 0, other.frames()...)
	log := &asked{Log: to.log}
	to.receipts.Log = log
	at := start
	step := func(want int) {
		t.Helper()
		made, err := to.receipts.Step(ctx, at)
		to.ok(err)
		if len(made) != want {
			t.Fatalf("%d receipts, want %d", len(made), want)
		}
		at = at.Add(exchange.ReceiptEvery)
	}
	step(2)
	before := log.n
	step(0)
	if log.n != before {
		t.Fatalf("asked %d times although nothing moved", log.n-before)
	}
	from.publish(1)
	to.take(a, 1, from.frames()[1:]...)
	step(1)
	if log.n != before+1 {
		t.Fatalf("asked %d times about one stream", log.n-before)
	}
}

// A receipt covers what is applied, goes out once a second at most, and names what has no effect.
func TestReceipts_Step(t *testing.T) {
	from, to := newNode(t, a).open(), newNode(t, b)
	from.publish(1)
	d := from.draft(circle)
	_, err := from.log.Append(ctx, record.Append{Drafts: []record.Draft{d}})
	from.ok(err)
	from.publish(1)
	to.roster.Usable = func(m record.Meaning, _ map[record.PartName][]byte) string {
		if m.ID == d.ID {
			return "schema"
		}
		return ""
	}
	fs := from.frames()
	to.take(a, 0, fs[0])
	if made, _ := to.receipts.Step(ctx, start); len(made) != 0 {
		t.Fatal("a receipt before the release")
	}
	to.open()
	at := start
	size := func() (uint64, record.Receipt) {
		t.Helper()
		made, err := to.receipts.Step(ctx, at)
		to.ok(err)
		if len(made) == 0 {
			return 0, record.Receipt{}
		}
		r, err := record.VerifyReceipt(made[0].Receipt, fed, b, signer(b).Public(), to.roster.SignKey)
		to.ok(err)
		return r.Size, r
	}
	if n, _ := size(); n != 1 {
		t.Fatalf("receipt for %d", n)
	}
	bad, err := record.DecodeFrame(fs[1])
	from.ok(err)
	bad.Boxes[1].Data = flipped(bad.Boxes[1].Data, 40)
	data, err := bad.Encode()
	from.ok(err)
	to.take(a, 1, data, fs[2])
	at = at.Add(exchange.ReceiptEvery)
	if n, _ := size(); n != 0 {
		t.Fatalf("receipt for %d with a part of record 1 missing", n)
	}
	task := to.next(time.Second, true)
	to.gaps.Finish(ctx, at, task[0], from.ranges(b, from.stream(), 1), nil)
	n, r := size()
	if n != 3 || !r.Covers(0) || r.Covers(1) || !r.Covers(2) {
		t.Fatalf("receipt for %d, held %v", n, r.Held)
	}
	from.publish(1)
	to.take(a, 3, from.frames()[3])
	if n, _ := size(); n != 0 {
		t.Fatal("two receipts in a second")
	}
	at = at.Add(exchange.ReceiptEvery)
	if n, r := size(); n != 4 || r.Covers(1) {
		t.Fatalf("receipt for %d, held %v", n, r.Held)
	}

	// k/n at the origin: itself, b by its receipt, c not heard of.
	kept, err := to.log.Receipts(ctx, from.stream())
	to.ok(err)
	if _, note, err := from.receipts.Take(ctx, b, kept[b]); err != nil || note == nil {
		t.Fatalf("receipt refused: %v", err)
	}
	for seq, want := range []exchange.Coverage{{K: 2, N: 3, Missing: []record.MemberID{c}}, {K: 1, N: 3, Missing: []record.MemberID{b, c}}} {
		got, err := from.receipts.Coverage(ctx, from.stream(), uint64(seq), []record.MemberID{c, b, a})
		if err != nil || got.K != want.K || got.N != want.N || !slices.Equal(got.Missing, want.Missing) {
			t.Fatalf("record %d: %+v, want %+v", seq, got, want)
		}
	}
	// The charter revokes the key of b: what b said under it counts no more, although it was verified before.
	keys := from.roster.NoteKeys
	from.roster.NoteKeys = func(m record.MemberID) []ed25519.PublicKey {
		if m == b {
			return nil
		}
		return keys(m)
	}
	from.charters = append(from.charters, record.CharterRef{Version: 2, Hash: [32]byte{2}})
	if got, err := from.receipts.Coverage(ctx, from.stream(), 0, []record.MemberID{a, b, c}); err != nil || got.K != 1 || !slices.Equal(got.Missing, []record.MemberID{b, c}) {
		t.Fatalf("with b's key revoked: %+v %v", got, err)
	}
	from.roster.NoteKeys, from.charters = keys, from.charters[:1]
	if _, note, _ := from.receipts.Take(ctx, c, kept[b]); note != nil {
		t.Fatal("a receipt of b counts for c")
	}
	if _, note, _ := from.receipts.Take(ctx, b, bytes.Replace(kept[b], []byte(`"held"`), []byte(`"hELd"`), 1)); note != nil {
		t.Fatal("an ill-formed receipt counts")
	}
}

// The relay restarts from the last confirmed size with the same bytes, and never skips.
func TestRelay_Step(t *testing.T) {
	n := newNode(t, a)
	var sent [][]byte
	var fail error
	r := &exchange.Relay{
		Log: n.log, Roster: n.roster, Stream: n.stream(), Released: n.release.Released, Count: n.count,
		Alarm: func(x exchange.Alarm) { n.alarms = append(n.alarms, x) },
		Produce: func(_ context.Context, key string, frame []byte) error {
			if key != string(n.stream()) {
				t.Errorf("key %s", key)
			}
			sent = append(sent, frame)
			return fail
		},
	}
	step := func(want bool, wantErr error) {
		t.Helper()
		if ok, err := r.Step(ctx); ok != want || !errors.Is(err, wantErr) {
			t.Fatalf("sent %v, %v", ok, err)
		}
	}
	n.publish(3)
	step(false, nil)
	if len(sent) != 0 {
		t.Fatal("a frame before the release")
	}
	n.open()
	fail = errors.New("no acknowledgement")
	step(false, fail)
	fail = fmt.Errorf("too large: %w", exchange.ErrRefused)
	step(false, exchange.ErrRefused)
	step(false, exchange.ErrRefused)
	if len(n.alarms) != 1 {
		t.Fatalf("%d alarms about one refusal", len(n.alarms))
	}
	fail = nil
	for range 3 {
		step(true, nil)
	}
	step(false, nil)
	if len(sent) != 6 || !bytes.Equal(sent[0], sent[3]) || !slices.EqualFunc(sent[3:], n.frames(), bytes.Equal) {
		t.Fatalf("%d frames, not those of the log in order", len(sent))
	}
	kept := func(want uint64) {
		t.Helper()
		if size, err := exchange.Confirmed(ctx, n.log, n.stream()); err != nil || size != want {
			t.Fatalf("confirmed %d, %v, want %d", size, err, want)
		}
	}
	kept(0)
	if size, err := r.Sent(ctx); err != nil || size != 3 { // what waits for the broker is told by this
		t.Fatalf("sent %d, %v", size, err)
	}
	n.ok(r.Keep(ctx))
	kept(3)
	if size, err := (&exchange.Relay{Log: n.log, Stream: n.stream()}).Sent(ctx); err != nil || size != 3 {
		t.Fatalf("sent %d by another process, %v", size, err)
	}
	if r.Unkept() {
		t.Fatal("what was stored is still to be stored")
	}
	// What is superseded before it is sent goes without its content.
	id := n.publish(1)
	_, err := n.log.Append(ctx, record.Append{Drafts: []record.Draft{n.draft(record.All, record.Ref{Rel: record.Withdraws, ID: id, Version: 1})}})
	n.ok(err)
	step(true, nil)
	fr, err := record.DecodeFrame(sent[6])
	if err != nil || len(fr.Boxes) != 0 {
		t.Fatalf("%d boxes of a withdrawn record, %v", len(fr.Boxes), err)
	}
}

// Processes that are killed before they store what the broker confirmed send frames again behind newer ones. The end of the
// topic that the release rule reads shows the newest all the same, or a copy that is restored then would fork from it.
func TestRelay_TopicTail(t *testing.T) {
	n := newNode(t, a).open()
	var topic [][]byte
	relay := func(log record.Log) *exchange.Relay {
		return &exchange.Relay{Log: log, Roster: n.roster, Stream: n.stream(), Released: n.release.Released, Count: n.count,
			Produce: func(_ context.Context, _ string, frame []byte) error { topic = append(topic, frame); return nil }}
	}
	send := func(r *exchange.Relay, frames int) {
		t.Helper()
		for range frames {
			if sent, err := r.Step(ctx); !sent || err != nil {
				t.Fatalf("sent %v, %v", sent, err)
			}
		}
	}
	n.publish(100)
	kept := 0 // after so many the position is stored
	for r := relay(n.log.Restore(n.log.Copy())); kept == 0 || r.Unkept(); kept++ {
		send(r, 1)
	}
	if kept < 4 || kept >= 100 {
		t.Fatalf("the position is stored after %d frames: the test says nothing", kept)
	}
	n, topic = newNode(t, a).open(), nil
	n.publish(kept - 2)
	disk := n.log.Copy()
	n.publish(1)
	for i := range 3 { // each is killed
		send(relay(n.log), kept-1-min(i, 1))
	}
	n.log = n.log.Restore(disk)
	n.boot()
	n.step(0)
	n.release.TopicEnd(topic[max(0, len(topic)-exchange.TopicTail):], nil)
	n.ok(n.release.Answered(start, b, nil))
	n.ok(n.release.Answered(start, c, nil))
	if n.step(time.Second).Open {
		t.Fatal("released behind what stands on the topic")
	}
}

func TestServeRange(t *testing.T) {
	n := newNode(t, a).open()
	for range 6 {
		var drafts []record.Draft
		for range record.MaxGroupRecords {
			drafts = append(drafts, n.draft(record.All))
		}
		_, err := n.log.Append(ctx, record.Append{Drafts: drafts})
		n.ok(err)
	}
	if frames := n.ranges(b, n.stream(), 205); len(frames) != 5 || frames[0].First != 200 {
		t.Fatalf("%d groups from %d, want the five that %d records allow", len(frames), frames[0].First, record.MaxRangeRecords)
	}
	if frames := n.ranges(b, n.stream(), 1200); len(frames) != 0 {
		t.Fatal("something at the end")
	}
	for _, s := range []record.StreamID{record.Stream(a, record.Audit), record.Stream(a, record.Local), "999999-99/records", "x"} {
		if _, err := exchange.ServeRange(ctx, n.log, n.roster, true, b, s, 0); !errors.Is(err, exchange.ErrNotServed) {
			t.Errorf("%s: %v", s, err)
		}
	}
	if _, err := exchange.ServeLeaves(ctx, n.log, n.roster, true, n.stream(), 1201); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("leaves past the end: %v", err)
	}
	if leaves, err := exchange.ServeLeaves(ctx, n.log, n.roster, true, n.stream(), 7); err != nil || len(leaves) != 7 {
		t.Errorf("%d leaves, %v", len(leaves), err)
	}
}

// Two nodes exchange heads: each learns what the other has, what it holds of it, receipts and charters.
func TestHeads_Exchange(t *testing.T) {
	x, y := newNode(t, a).open(), newNode(t, b).open()
	x.publish(2)
	y.publish(1)
	y.take(a, 0, x.frames()[0])
	_, err := y.receipts.Step(ctx, start)
	y.ok(err)
	y.charters = append(y.charters, record.CharterRef{Version: 2, Hash: [32]byte{2}})
	y.heads.Software = "0.9.1"
	nonce := [32]byte{7}
	r, err := x.heads.Request(ctx, nonce)
	x.ok(err)
	body, err := r.Encode()
	x.ok(err)
	got, err := exchange.DecodeHeadsRequest(body)
	y.ok(err)
	answer, wanted, err := y.heads.Answer(ctx, start.Add(90*time.Second), a, got)
	y.ok(err)
	if wanted.Charter {
		t.Fatal("y wants a charter that it has")
	}
	wanted, err = x.heads.Answered(ctx, start, b, nonce, answer)
	x.ok(err)
	if !wanted.Charter {
		t.Fatal("x does not see that y's charter is newer")
	}
	if st, ok := x.heads.Standing(b); !ok || !st.Known || st.Offset != 90*time.Second || st.Release != "0.9.1" || st.Charter.Version != 2 {
		t.Errorf("x knows of y: %+v", st)
	}
	if st, ok := y.heads.Standing(a); !ok || st.Known || st.Charter.Version != 1 || st.Release != "" {
		t.Errorf("y knows of x, which told no time: %+v", st)
	}
	if _, ok := x.heads.Standing(c); ok {
		t.Error("x knows of somebody who never spoke")
	}
	if tasks := x.next(0, false); len(tasks) != 1 || tasks[0].Stream != y.stream() {
		t.Fatalf("x fetches %+v", tasks)
	}
	if tasks := y.next(0, false); len(tasks) != 1 || tasks[0].Stream != x.stream() || tasks[0].From != 1 {
		t.Fatalf("y fetches %+v", tasks)
	}
	if cov, err := x.receipts.Coverage(ctx, x.stream(), 0, []record.MemberID{a, b}); err != nil || cov.K != 2 {
		t.Fatalf("receipts did not come: %+v %v", cov, err)
	}
	for name, bad := range map[string]struct {
		by    record.MemberID
		nonce [32]byte
		body  []byte
	}{
		"of somebody else":   {c, nonce, answer},
		"to another request": {b, [32]byte{8}, answer},
		"changed":            {b, nonce, flipped(answer, 40)},
		"cut":                {b, nonce, answer[:len(answer)-30]},
	} {
		if _, err := x.heads.Answered(ctx, start, bad.by, bad.nonce, bad.body); err == nil {
			t.Errorf("an answer %s is believed", name)
		}
	}
	a2, err := exchange.OpenHeadsAnswer(answer, fed, b, x.roster.NoteKeys(b), nonce)
	x.ok(err)
	if len(a2.Yours) != 1 || a2.Yours[0].Stream != x.stream() || a2.Yours[0].Checkpoint == nil || !a2.Time.Equal(start.Add(90*time.Second)) {
		t.Fatalf("%+v", a2)
	}
}

// A frame that waits in memory is known of too: its member must not sign anything beside it.
func TestHeads_YoursInMemory(t *testing.T) {
	x, y := newNode(t, a).open(), newNode(t, b).open()
	x.publish(3)
	y.take(a, 0, x.frames()[0], x.frames()[2])
	r, err := x.heads.Request(ctx, [32]byte{7})
	x.ok(err)
	answer, _, err := y.heads.Answer(ctx, start, a, r)
	y.ok(err)
	got, err := exchange.OpenHeadsAnswer(answer, fed, b, keysOfB, r.Nonce)
	x.ok(err)
	c, err := record.ParseCheckpoint(got.Yours[0].Checkpoint)
	if err != nil || c.Size != 3 {
		t.Fatalf("y says that it holds %d of 3, %v", c.Size, err)
	}
}

func TestDecodeHeadsRequest(t *testing.T) {
	const nonce, hash = `"0700000000000000000000000000000000000000000000000000000000000000"`, `"fed0000000000000000000000000000000000000000000000000000000000000"`
	good := `{"v":1,"nonce":` + nonce + `,"charter":{"version":"1","hash":` + hash + `},"heads":[],"receipts":[]}`
	if _, err := exchange.DecodeHeadsRequest([]byte(good)); err != nil {
		t.Fatal(err)
	}
	if _, err := exchange.DecodeHeadsRequest([]byte(good[:len(good)-1] + `,"later":1}`)); err != nil {
		t.Fatalf("a newer peer's member: %v", err)
	}
	for name, bad := range map[string]string{
		"empty":              ``,
		"not an object":      `[]`,
		"another version":    `{"v":2` + good[6:],
		"version as string":  `{"v":"1"` + good[6:],
		"twice":              good[:len(good)-1] + `,"heads":[]}`,
		"other letter case":  `{"V":1` + good[6:],
		"trailing":           good + `{}`,
		"short nonce":        `{"v":1,"nonce":"07","charter":{"version":"1","hash":` + hash + `},"heads":[],"receipts":[]}`,
		"upper-case nonce":   `{"v":1,"nonce":` + `"FF00000000000000000000000000000000000000000000000000000000000000"` + `,"charter":{"version":"1","hash":` + hash + `},"heads":[],"receipts":[]}`,
		"charter as number":  `{"v":1,"nonce":` + nonce + `,"charter":{"version":1,"hash":` + hash + `},"heads":[],"receipts":[]}`,
		"charter zero":       `{"v":1,"nonce":` + nonce + `,"charter":{"version":"0","hash":` + hash + `},"heads":[],"receipts":[]}`,
		"receipt as string":  `{"v":1,"nonce":` + nonce + `,"charter":{"version":"1","hash":` + hash + `},"heads":[],"receipts":["x"]}`,
		"heads missing":      `{"v":1,"nonce":` + nonce + `,"charter":{"version":"1","hash":` + hash + `},"receipts":[]}`,
		"invalid UTF-8":      good[:len(good)-1] + ",\"x\":\"\xff\"}",
		"receipt with a dup": `{"v":1,"nonce":` + nonce + `,"charter":{"version":"1","hash":` + hash + `},"heads":[],"receipts":[{"a":1,"a":2}]}`,
	} {
		if _, err := exchange.DecodeHeadsRequest([]byte(bad)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func FuzzDecodeHeadsRequest(f *testing.F) {
	n := newNode(f, a).open()
	n.publish(1)
	r, err := n.heads.Request(ctx, [32]byte{7})
	n.ok(err)
	body, err := r.Encode()
	n.ok(err)
	f.Add(body)
	f.Add([]byte(`{"v":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := exchange.DecodeHeadsRequest(b)
		if err != nil {
			return
		}
		again, err := r.Encode()
		if err != nil {
			t.Fatalf("accepted and cannot be written: %v", err)
		}
		if back, err := exchange.DecodeHeadsRequest(again); err != nil || back.Nonce != r.Nonce || back.Charter != r.Charter || len(back.Heads) != len(r.Heads) {
			t.Fatalf("written again it says something else: %v", err)
		}
	})
}

func FuzzOpenHeadsAnswer(f *testing.F) {
	line := `{"pilin":"heads","v":1,"nonce":"0700000000000000000000000000000000000000000000000000000000000000","charter":{"version":"1","hash":"fed0000000000000000000000000000000000000000000000000000000000000"},` +
		`"heads":["x"],"receipts":[{}],"yours":[{"stream":"310116-01/records","checkpoint":""}],"agreements":["0700000000000000000000000000000000000000000000000000000000000000"],"time":"2026-03-02T06:00:00Z"}`
	f.Add(line)
	f.Add(`{"pilin":"heads"}`)
	sg := signer(b)
	name := "pilin/" + fed.String() + "/" + string(b) + "/heads"
	f.Fuzz(func(t *testing.T, line string) {
		note, err := sg.Note(name, line+"\n")
		if err != nil {
			return
		}
		ans, err := exchange.OpenHeadsAnswer(note, fed, b, keysOfB, [32]byte{7})
		if err != nil {
			return
		}
		again, err := ans.Sign(sg, fed, b)
		if err != nil {
			t.Fatalf("accepted and cannot be written: %v", err)
		}
		if _, err := exchange.OpenHeadsAnswer(again, fed, b, keysOfB, [32]byte{7}); err != nil {
			t.Fatalf("written again it is refused: %v", err)
		}
	})
}

func TestSchedule(t *testing.T) {
	var s exchange.Schedule
	peers := []record.MemberID{b, c}
	draws := []float64{0, 0.999, 0.5}
	random := func() float64 { d := draws[0]; draws = append(draws[1:], d); return d }
	if due := s.Due(start, peers, random); len(due) != 2 {
		t.Fatalf("at the start: %v", due)
	}
	low, high := exchange.HeadsEvery-exchange.HeadsJitter, exchange.HeadsEvery+exchange.HeadsJitter
	if due := s.Due(start.Add(low-time.Millisecond), peers, random); len(due) != 0 {
		t.Fatalf("too early: %v", due)
	}
	if due := s.Due(start.Add(low), peers, random); !slices.Equal(due, []record.MemberID{b}) {
		t.Fatalf("b drew the least: %v", due)
	}
	if due := s.Due(start.Add(high), peers, random); !slices.Equal(due, []record.MemberID{c}) {
		t.Fatalf("c drew the most: %v", due)
	}
	s.Soon(b)
	if due := s.Due(start.Add(high), peers, random); !slices.Equal(due, []record.MemberID{b}) {
		t.Fatalf("soon: %v", due)
	}
}
