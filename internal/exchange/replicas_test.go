package exchange_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

func TestReplicas_InOrder(t *testing.T) {
	from, to := newNode(t, a).open(), newNode(t, b)
	from.publish(3)
	to.wantResult(to.take(a, 0, from.frames()...), exchange.Applied, "")
	if to.size(from.stream()) != 3 || to.position(a) != 3 || to.count.Get(exchange.CountApplied, exchange.ViaKafka) != 3 {
		t.Fatalf("%d records, position %d", to.size(from.stream()), to.position(a))
	}
	to.wantResult(to.take(a, 3, from.frames()[1]), exchange.Duplicate, "")
}

// A frame that comes too early waits in memory: the stored position stays before it until its effects are durable.
func TestReplicas_EarlyFrame(t *testing.T) {
	from, to := newNode(t, a).open(), newNode(t, b)
	from.publish(4)
	fs := from.frames()
	to.take(a, 0, fs[0])
	o := to.take(a, 1, fs[2])
	to.wantResult(o, exchange.Held, "")
	if o.Gap != 3 {
		t.Fatalf("gap %d", o.Gap)
	}
	to.wantResult(to.take(a, 2, fs[0]), exchange.Duplicate, "")
	if p := to.position(a); p != 1 {
		t.Fatalf("position %d is behind a frame that only memory has", p)
	}
	o = to.take(a, 3, fs[1])
	to.wantResult(o, exchange.Applied, "")
	if o.New != 2 || o.Size != 3 || to.position(a) != 4 {
		t.Fatalf("%d new, %d records, position %d", o.New, o.Size, to.position(a))
	}
}

// A frame that the store refused is handed over again; the position stays before it whatever else is stored meanwhile.
func TestReplicas_StoreFails(t *testing.T) {
	from, to := newNode(t, a).open(), newNode(t, b)
	from.publish(3)
	fs := from.frames()
	half, err := record.DecodeFrame(fs[0])
	from.ok(err)
	half.Boxes[1].Data = flipped(half.Boxes[1].Data, 40)
	first, err := half.Encode()
	from.ok(err)
	to.take(a, 0, first)
	to.log.SetFull(true)
	if o := to.take(a, 1, fs[1]); o.Result != exchange.Failed || o.Err == nil {
		t.Fatalf("outcome %s", o.Result)
	}
	to.log.SetFull(false)
	task := to.next(time.Second, true)
	to.gaps.Finish(ctx, start, task[0], from.ranges(b, from.stream(), 0)[:1], nil)
	if p := to.position(a); p != 1 {
		t.Fatalf("position %d is behind a frame that was not stored", p)
	}
	to.wantResult(to.take(a, 1, fs[1:]...), exchange.Applied, "")
	if to.size(from.stream()) != 3 || to.position(a) != 3 {
		t.Fatalf("%d records, position %d", to.size(from.stream()), to.position(a))
	}
}

func TestReplicas_Dropped(t *testing.T) {
	from, other, to := newNode(t, a).open(), newNode(t, c).open(), newNode(t, b).open()
	from.publish(1)
	other.publish(1)
	to.publish(1)
	good := from.frames()[0]
	for name, x := range map[string]struct {
		topic record.MemberID
		data  []byte
		why   string
	}{
		"empty":               {a, nil, record.WhyMalformed},
		"noise":               {a, []byte("not a frame"), record.WhyMalformed},
		"other stream":        {a, other.frames()[0], record.WhyWrongStream},
		"our own":             {b, to.frames()[0], exchange.WhyOwn},
		"another federation":  {a, flipped(good, 12), record.WhyWrongFederation},
		"a bit of a header":   {a, flipped(good, bytes.Index(good, []byte(`"day":"2`))+8), record.WhyBadRoot},
		"somebody not member": {"999999-99", good, record.WhyWrongStream},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, b)
			o := n.take(x.topic, 0, x.data)
			n.wantResult(o, exchange.Dropped, x.why)
			if n.size(from.stream()) != 0 || n.count.Get(exchange.CountDropped, x.why) != 1 {
				t.Fatal("something was stored or not counted")
			}
		})
	}
	o := newNode(t, b).take(a, 0, flipped(good, bytes.Index(good, []byte(`"day":"2`))+8))
	if !o.Doubt || o.Suspect == nil {
		t.Fatal("a well signed checkpoint over bad bytes leaves no doubt")
	}
}

// A frame whose charter is missing waits for it; other streams do not wait.
func TestReplicas_UnknownCharter(t *testing.T) {
	from, other, to := newNode(t, a).open(), newNode(t, c).open(), newNode(t, b)
	second := record.CharterRef{Version: 2, Hash: [32]byte{2}}
	from.charters = append(from.charters, second)
	from.publish(2)
	other.publish(1)
	o := to.take(a, 0, from.frames()...)
	to.wantResult(o, exchange.Held, "")
	if o.Charter == nil || *o.Charter != second {
		t.Fatalf("wanted charter %v", o.Charter)
	}
	to.wantResult(to.take(c, 0, other.frames()...), exchange.Applied, "")
	to.charters = append(to.charters, second)
	if _, err := to.replicas.Rekeyed(ctx); err != nil || to.size(from.stream()) != 2 {
		t.Fatalf("%d records, %v", to.size(from.stream()), err)
	}
}

// twin returns a node on a copy of n's disk that goes on by itself.
func (n *node) twin() *node {
	t := newNode(n.TB, n.id)
	t.log = n.log.Restore(n.log.Copy())
	t.boot()
	return t.open()
}

func TestReplicas_Fork(t *testing.T) {
	from := newNode(t, a).open()
	from.publish(2)
	evil := from.twin()
	from.publish(1)
	evil.random.Seed([32]byte{9})
	evil.publish(2)

	t.Run("same place in a frame", func(t *testing.T) {
		n := newNode(t, b)
		n.take(a, 0, from.frames()...)
		n.wantResult(n.take(a, 3, evil.frames()[2]), exchange.Forked, "")
		n.proven()
		n.wantResult(n.take(a, 4, evil.frames()[3]), exchange.Dropped, record.WhyFrozen)
	})
	t.Run("head at our size", func(t *testing.T) {
		n := newNode(t, b)
		n.take(a, 0, evil.frames()[:3]...)
		n.compare(exchange.FitForked, from)
		n.proven()
	})
	t.Run("larger head, shown by leaves", func(t *testing.T) {
		n := newNode(t, b)
		n.take(a, 0, from.frames()...)
		n.compare(exchange.FitAhead, evil)
		n.gaps.SawHead(start, c, from.stream(), 4)
		tasks, err := n.gaps.Next(ctx, start, false)
		n.ok(err)
		res := n.gaps.Finish(ctx, start, tasks[0], evil.ranges(b, from.stream(), 3), nil)
		if res.Leaves == nil || res.Leaves.Size != 4 {
			t.Fatalf("leaves not asked for: %+v", res)
		}
		leaves, err := exchange.ServeLeaves(ctx, evil.log, evil.roster, true, from.stream(), 4)
		n.ok(err)
		n.wantResult(n.gaps.FinishLeaves(ctx, *res.Leaves, leaves[:3], nil), exchange.Dropped, record.WhyMalformed)
		n.wantResult(n.gaps.FinishLeaves(ctx, *res.Leaves, leaves, nil), exchange.Forked, "")
		n.proven()
	})
	t.Run("honest leaves accuse nobody", func(t *testing.T) {
		n := newNode(t, b)
		n.take(a, 0, from.frames()[:2]...)
		leaves, err := from.log.Leaves(ctx, from.stream(), 0, 3)
		n.ok(err)
		h, err := from.log.Head(ctx, from.stream())
		n.ok(err)
		n.wantResult(n.replicas.OfferLeaves(ctx, h.Checkpoint, leaves), exchange.Duplicate, "")
	})
}

func (n *node) compare(want exchange.Fit, from *node) {
	n.Helper()
	h, err := from.log.Head(ctx, from.stream())
	n.ok(err)
	fit, _, err := n.replicas.Compare(ctx, h.Checkpoint)
	n.ok(err)
	if fit != want {
		n.Fatalf("fit %d, want %d", fit, want)
	}
}

// proven checks that the node holds evidence that convinces anybody, and is alarmed.
func (n *node) proven() {
	n.Helper()
	all, err := n.log.Evidence(ctx)
	n.ok(err)
	for _, raw := range all {
		e, err := record.DecodeEvidence(raw)
		n.ok(err)
		n.ok(e.Verify(n.roster.SignKey))
	}
	if len(all) != 1 {
		n.Fatalf("%d pieces of evidence", len(all))
	}
	n.wantAlarm(exchange.AlarmFork)
}

// A part that did not open is fetched from another holder; what the member is not given never comes.
func TestReplicas_LateParts(t *testing.T) {
	from, to, out := newNode(t, a).open(), newNode(t, b), newNode(t, c)
	_, err := from.log.Append(ctx, record.Append{Drafts: []record.Draft{from.draft(circle)}})
	from.ok(err)
	fr, err := record.DecodeFrame(from.frames()[0])
	from.ok(err)
	fr.Boxes[1].Data = flipped(fr.Boxes[1].Data, 40)
	bad, err := fr.Encode()
	from.ok(err)
	to.wantResult(to.take(a, 0, bad), exchange.Applied, "")
	if h, _ := to.replicas.Head(ctx, from.stream()); h.Size != 1 || h.Applied != 0 {
		t.Fatalf("applied %d of %d with a part missing", h.Applied, h.Size)
	}
	tasks, err := to.gaps.Next(ctx, start, true)
	to.ok(err)
	if len(tasks) != 1 || !tasks[0].Late || tasks[0].Peer != a {
		t.Fatalf("tasks %+v", tasks)
	}
	res := to.gaps.Finish(ctx, start, tasks[0], from.ranges(b, from.stream(), 0), nil)
	if h, _ := to.replicas.Head(ctx, from.stream()); !res.Outcomes[0].Parts || h.Applied != 1 {
		t.Fatalf("%+v, applied %d", res.Outcomes, h.Applied)
	}
	out.take(a, 0, from.frames()[0])
	gs, err := out.log.Groups(ctx, from.stream(), 0, 1)
	out.ok(err)
	for _, p := range gs[0].Records[0].Parts {
		if p.State != record.PartWithheld || p.Bytes != nil {
			t.Fatalf("an outsider has %s in state %d", p.Name, p.State)
		}
	}
	if frames := from.ranges(c, from.stream(), 0); len(frames) != 1 || len(frames[0].Boxes) != 0 {
		t.Fatal("an outsider is handed parts")
	}
}
