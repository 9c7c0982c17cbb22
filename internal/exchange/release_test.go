package exchange_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

func (n *node) step(after time.Duration) exchange.Do {
	n.Helper()
	do, err := n.release.Step(ctx, start.Add(after))
	n.ok(err)
	return do
}

func (n *node) wantPhase(p exchange.Phase) {
	n.Helper()
	if n.release.Phase() != p {
		n.Fatalf("%s is %s, want %s", n.id, n.release.Phase(), p)
	}
}

// yours is what a peer says that it holds of n.
func (n *node) yours(of *node) []exchange.Yours {
	h, err := of.log.Head(ctx, n.stream())
	n.ok(err)
	return []exchange.Yours{{Stream: n.stream(), Checkpoint: h.Checkpoint}}
}

// Nobody answers: the node goes on asking, with longer waits, and nothing leaves it.
func TestRelease_NobodyAnswers(t *testing.T) {
	n := newNode(t, a)
	n.publish(1)
	do := n.step(0)
	if !slices.Equal(do.Ask, []record.MemberID{b, c}) || !do.Topic {
		t.Fatalf("asks %v, topic %v", do.Ask, do.Topic)
	}
	n.release.TopicEnd(nil, nil)
	n.release.Failed(b)
	n.release.Failed(c)
	var asked []time.Duration
	for at := time.Duration(0); at < 8*time.Second; at += 100 * time.Millisecond {
		if do := n.step(at); len(do.Ask) > 0 {
			asked = append(asked, at)
			n.release.Failed(b)
			n.release.Failed(c)
		}
	}
	if want := []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond, 3500 * time.Millisecond, 7500 * time.Millisecond}; !slices.Equal(asked, want) {
		t.Fatalf("asked at %v, want %v", asked, want)
	}
	n.wantPhase(exchange.Asking)
	if h, _ := n.log.Head(ctx, n.stream()); h.Size != 1 || h.Signed != 0 {
		t.Fatalf("size %d, signed %d", h.Size, h.Signed)
	}
	if _, err := exchange.ServeRange(ctx, n.log, n.roster, n.release.Released(), b, n.stream(), 0); !errors.Is(err, exchange.ErrNotServed) {
		t.Fatalf("a range of an unreleased tail: %v", err)
	}
	r, err := n.heads.Request(ctx, [32]byte{1})
	n.ok(err)
	if len(r.Heads) != 0 {
		t.Fatal("the own head leaves before the release")
	}
}

// The first answer lets everybody else be asked once more; who is silent for two seconds is not reachable.
func TestRelease_FirstAnswer(t *testing.T) {
	n := newNode(t, a)
	n.publish(2)
	n.step(0)
	n.release.TopicEnd(nil, nil)
	n.release.Failed(c)
	n.ok(n.release.Answered(start.Add(100*time.Millisecond), b, nil))
	if do := n.step(100 * time.Millisecond); !slices.Equal(do.Ask, []record.MemberID{c}) {
		t.Fatalf("asks %v", do.Ask)
	}
	n.step(2 * time.Second)
	n.wantPhase(exchange.Asking)
	if do := n.step(100*time.Millisecond + exchange.HeardWithin); !do.Open {
		t.Fatalf("not released: %s", n.release.Phase())
	}
	if h, _ := n.log.Head(ctx, n.stream()); h.Signed != 2 {
		t.Fatalf("signed %d of 2", h.Signed)
	}
}

// Who says that it has too many requests is reachable and may hold more of ours: it is waited for, but not for ever.
func TestRelease_BusyPeer(t *testing.T) {
	n := newNode(t, a)
	n.publish(2)
	n.step(0)
	n.release.TopicEnd(nil, nil)
	n.release.Busy(start, c, 5*time.Second)
	n.ok(n.release.Answered(start, b, nil))
	n.step(100 * time.Millisecond) // all are asked once more
	n.release.Busy(start.Add(100*time.Millisecond), c, 5*time.Second)
	if do := n.step(exchange.HeardWithin + time.Second); do.Open || len(do.Ask) > 0 {
		t.Fatalf("open %v, asks %v while a member that is reachable was not heard", do.Open, do.Ask)
	}
	at := 5*time.Second + 100*time.Millisecond
	if do := n.step(at); do.Open || !slices.Equal(do.Ask, []record.MemberID{c}) {
		t.Fatalf("open %v, asks %v", do.Open, do.Ask)
	}
	for ; at < exchange.RestLast+exchange.HeardWithin; at += 5 * time.Second {
		n.step(at)
		n.release.Busy(start.Add(at), c, exchange.RestLast)
	}
	if !n.step(at + exchange.HeardWithin).Open {
		t.Fatal("a member that is always busy keeps this node from its release")
	}
}

// The topic is waited for two seconds; a node without a readable topic is released by its peers.
func TestRelease_TopicUnreadable(t *testing.T) {
	n := newNode(t, a)
	n.step(0)
	n.ok(n.release.Answered(start, b, nil))
	n.ok(n.release.Answered(start, c, nil))
	n.release.TopicEnd(nil, errors.New("broker does not answer"))
	if do := n.step(time.Second); do.Open || !do.Topic {
		t.Fatalf("open %v, reads again %v", do.Open, do.Topic)
	}
	if do := n.step(exchange.HeardWithin); !do.Open {
		t.Fatal("waits for a broker for ever")
	}
}

func TestRelease_Alone(t *testing.T) {
	n := newNode(t, a)
	n.roster.Members = func() []record.MemberID { return []record.MemberID{a} }
	if !n.step(0).Open {
		t.Fatal("a federation of one has nobody to ask")
	}
}

// lost returns n's node with an older disk of size records, and a peer that holds everything.
func lost(t *testing.T, size, all int) (n, peer *node, restored bool) {
	n, peer = newNode(t, a).open(), newNode(t, b)
	n.publish(size)
	disk := n.log.Copy()
	n.publish(all - size)
	peer.take(a, 0, n.frames()...)
	n.log = n.log.Restore(disk)
	n.random.Seed([32]byte{7})
	n.boot()
	return n, peer, true
}

// What a peer holds is taken back, and the tail goes behind it under its own ids.
func TestRelease_TakeBack(t *testing.T) {
	n, peer, _ := lost(t, 1, 4)
	tail := n.publish(1)
	rewound := uint64(99)
	n.release.Rewind = func(_ record.StreamID, seq uint64) { rewound = min(rewound, seq) }
	n.step(0)
	n.release.TopicEnd(nil, nil)
	n.ok(n.release.Answered(start, b, n.yours(peer)))
	n.ok(n.release.Answered(start, c, nil))
	do := n.step(time.Second)
	n.wantPhase(exchange.TakingBack)
	n.wantAlarm(exchange.AlarmTakenBack)
	if do.Fetch == nil || *do.Fetch != (exchange.Task{Peer: b, Stream: n.stream(), From: 1}) {
		t.Fatalf("fetches %+v", do.Fetch)
	}
	if rewound != 1 {
		t.Fatalf("whoever follows by sequence is told to read again from %d", rewound)
	}
	late := n.publish(1) // people go on
	n.ok(n.release.Fetched(ctx, start, *do.Fetch, peer.ranges(a, n.stream(), 1), nil))
	if n.step(time.Second); !n.step(time.Second).Open {
		t.Fatalf("phase %s", n.release.Phase())
	}
	gs, err := n.log.Groups(ctx, n.stream(), 0, 100)
	n.ok(err)
	var ids []record.RecordID
	for _, g := range gs {
		for _, st := range g.Records {
			ids = append(ids, st.Meaning.ID)
		}
	}
	if len(ids) != 6 || !slices.Contains(ids[4:], tail) || !slices.Contains(ids[4:], late) {
		t.Fatalf("%d records, the tail is not behind what came back", len(ids))
	}
	peer.wantResult(peer.take(a, 4, n.frames()[4:]...), exchange.Applied, "")
}

// The topic alone may know more; then it is read from its beginning.
func TestRelease_TakeBackFromTopic(t *testing.T) {
	n := newNode(t, a).open()
	n.publish(1)
	disk := n.log.Copy()
	n.publish(2)
	messages := n.frames()
	n.log = n.log.Restore(disk)
	n.boot()
	n.step(0)
	n.release.TopicEnd([][]byte{[]byte("noise"), messages[2]}, nil)
	n.ok(n.release.Answered(start, b, nil))
	n.ok(n.release.Answered(start, c, nil))
	do := n.step(time.Second)
	if do.Fetch == nil || do.Fetch.Peer != "" {
		t.Fatalf("fetches %+v", do.Fetch)
	}
	var frames []*record.Frame
	for _, m := range messages {
		fr, err := record.DecodeFrame(m)
		n.ok(err)
		frames = append(frames, fr)
	}
	n.ok(n.release.Fetched(ctx, start, *do.Fetch, frames, nil))
	if n.step(time.Second); !n.step(time.Second).Open || n.size(n.stream()) != 3 {
		t.Fatalf("phase %s, %d records", n.release.Phase(), n.size(n.stream()))
	}
}

// A tail record whose version is taken becomes a local draft, and so does what was written on top of it.
func TestRelease_VersionTaken(t *testing.T) {
	n, peer := newNode(t, a).open(), newNode(t, b)
	subject := n.publish(1)
	disk := n.log.Copy()
	change := func(version uint64) record.Draft {
		d := n.draft(record.All, record.Ref{Rel: record.Supersedes, ID: subject, Version: version})
		_, err := n.log.Append(ctx, record.Append{Drafts: []record.Draft{d}})
		n.ok(err)
		return d
	}
	change(1)
	peer.take(a, 0, n.frames()...)
	n.log = n.log.Restore(disk)
	n.random.Seed([32]byte{7})
	n.boot()
	lostOne, onTop := change(1), change(2)
	kept := n.publish(1)
	n.step(0)
	n.release.TopicEnd(nil, nil)
	n.ok(n.release.Answered(start, b, n.yours(peer)))
	n.ok(n.release.Answered(start, c, nil))
	do := n.step(time.Second)
	n.ok(n.release.Fetched(ctx, start, *do.Fetch, peer.ranges(a, n.stream(), 1), nil))
	if n.step(time.Second); !n.step(time.Second).Open {
		t.Fatalf("phase %s", n.release.Phase())
	}
	if len(n.locals) != 2 || n.locals[0].ID != lostOne.ID || n.locals[1].ID != onTop.ID {
		t.Fatalf("local drafts %v", n.locals)
	}
	if st, err := n.log.Record(ctx, kept); err != nil || st.Seq != 2 {
		t.Fatalf("the rest of the tail: %+v %v", st.Seq, err)
	}
}

// Another tree under our key is never joined: the node stays shut and says so.
func TestRelease_SelfFork(t *testing.T) {
	n := newNode(t, a).open()
	n.publish(1)
	evil := n.twin()
	evil.random.Seed([32]byte{9})
	evil.publish(1)
	n.publish(2)
	n.log = n.log.Crash()
	n.boot()
	n.step(0)
	n.release.TopicEnd(nil, nil)
	n.ok(n.release.Answered(start, b, n.yours(evil)))
	n.ok(n.release.Answered(start, c, nil))
	n.step(time.Second)
	n.wantPhase(exchange.Stuck)
	n.wantAlarm(exchange.AlarmSelfFork)
}

// After the release a checkpoint of ours that our log does not have is an alarm, a forged one is nothing.
func TestRelease_ShownLater(t *testing.T) {
	n := newNode(t, a).open()
	n.publish(1)
	more := n.twin()
	more.random.Seed([32]byte{9})
	more.publish(1)
	show := func(note []byte, want bool) {
		t.Helper()
		if fits, err := n.release.Shown(ctx, b, note); err != nil || fits != want {
			t.Fatalf("fits %v, %v", fits, err)
		}
	}
	show(n.yours(n)[0].Checkpoint, true)
	show([]byte("noise"), false)
	if len(n.alarms) != 0 {
		t.Fatalf("alarms %v", n.alarms)
	}
	show(n.yours(more)[0].Checkpoint, false)
	n.wantAlarm(exchange.AlarmSelfFork)
}

// A checkpoint that we did not sign is no answer.
func TestRelease_ForgedAnswer(t *testing.T) {
	n, other := newNode(t, a), newNode(t, b).open()
	other.publish(1)
	n.step(0)
	h, err := other.log.Head(ctx, other.stream())
	n.ok(err)
	if n.release.Answered(start, b, []exchange.Yours{{Stream: n.stream(), Checkpoint: h.Checkpoint}}) == nil {
		t.Fatal("somebody else's checkpoint counts as ours")
	}
	if n.release.Answered(start, b, []exchange.Yours{{Stream: other.stream()}}) == nil {
		t.Fatal("an answer about another stream counts")
	}
	if len(n.release.Heard()) != 0 {
		t.Fatal("heard")
	}
}

// A restored database waits for the operator's word, whatever the peers say.
func TestRelease_Restored(t *testing.T) {
	n := newNode(t, a)
	n.ok(n.release.Begin(ctx, true))
	n.step(0)
	n.release.TopicEnd(nil, nil)
	n.ok(n.release.Answered(start, b, nil))
	n.ok(n.release.Answered(start, c, nil))
	n.step(time.Minute)
	n.wantPhase(exchange.Waiting)
	n.release.Confirm()
	if !n.step(time.Minute).Open {
		t.Fatal("the operator has confirmed")
	}
}
