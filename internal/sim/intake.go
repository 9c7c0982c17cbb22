package sim

import (
	"context"
	"errors"
	"time"

	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

func logTopic(m record.MemberID) string { return "pilin." + string(m) + ".log" }
func ackTopic(m record.MemberID) string { return "pilin." + string(m) + ".ack" }

// intake reads one topic with the manners of kafka-go, as internal/kafkabus meets them: a trimmed head is jumped over
// and a topic made anew is met with silence until offsets are compared.
type intake struct {
	p        *process
	member   record.MemberID
	topic    string
	acks     bool
	pos      int64
	seenNext int64
	started  bool
	compared time.Duration
}

// compareEvery is how often offsets are compared with the broker's.
const compareEvery = 5 * time.Second

func (in *intake) loop() {
	w := in.p.node.w
	w.after(time.Duration(20+w.draw(150))*time.Millisecond, func() {
		w.in(in.p, func() {
			in.poll()
			in.loop()
		})
	})
}

// poll reads a few messages.
func (in *intake) poll() {
	w := in.p.node.w
	if w.courier.down {
		in.started = false
		return
	}
	t := w.courier.topic(in.topic)
	if !in.started && !in.start(t) {
		return
	}
	if w.now-in.compared >= compareEvery {
		in.compared = w.now
		if in.pos < t.first || in.pos > t.next() || t.next() < in.seenNext {
			w.count("intake.restarts")
			in.move(t.first)
		}
		in.seenNext = t.next()
	}
	for range 1 + w.draw(6) {
		m, at, ok := t.read(in.pos)
		if !ok {
			return
		}
		if !in.deliver(t, m, at) {
			return
		}
		in.pos = at + 1
	}
}

func (in *intake) start(t *topic) bool {
	w := in.p.node.w
	c, err := in.p.log.Cursor(w.ctx, in.topic)
	if err != nil && !errors.Is(err, record.ErrNotFound) {
		return false
	}
	in.pos = c.Offset
	if err != nil || in.pos < t.first || in.pos > t.next() {
		// Noted at once: a position of another life of the topic would skip messages when this one has grown past it.
		if !in.move(t.first) {
			return false
		}
	}
	in.started, in.seenNext, in.compared = true, t.next(), w.now
	return true
}

// move goes on reading elsewhere; false if that could not be noted.
func (in *intake) move(to int64) bool {
	w := in.p.node.w
	c := record.Cursor{Topic: in.topic, Offset: to}
	in.reads(w.courier.topic(in.topic))
	var err error
	if in.acks {
		err = in.p.log.SetCursor(w.ctx, c)
	} else {
		err = in.p.replicas.Rewound(w.ctx, record.Stream(in.member, record.Records), c)
	}
	if err == nil {
		in.pos = to
	}
	return err == nil
}

// reads notes of which life of the topic the node's positions are.
func (in *intake) reads(t *topic) {
	if in.p.node.reading == nil {
		in.p.node.reading = map[string]int{}
	}
	in.p.node.reading[in.topic] = t.made
}

// deliver hands one message over; false if it must be handed over again.
func (in *intake) deliver(t *topic, m message, at int64) bool {
	p, w := in.p, in.p.node.w
	next := record.Cursor{Topic: in.topic, Offset: at + 1}
	in.reads(t)
	if in.acks {
		if _, _, err := p.receipts.Take(w.ctx, in.member, m.data); err != nil {
			return false
		}
		return p.log.SetCursor(w.ctx, next) == nil
	}
	if m.clean {
		w.sawMessage(p.node, seenAt{in.topic, t.made, at}, m.data)
	}
	o := p.replicas.OfferBytes(w.ctx, in.member, m.data, &next)
	if o.Result == exchange.Failed {
		delete(p.node.seen, seenAt{in.topic, t.made, at}) // it counts when it is handed over again, if the topic keeps it
		return false
	}
	if o.Result == exchange.Dropped {
		delete(p.node.seen, seenAt{in.topic, t.made, at}) // refused, for want of a key or of room: HTTP brings it, not the courier
	}
	p.after(o, in.member)
	return true
}

// produce is the relay's way to the broker.
func (p *process) produce(_ context.Context, _ string, frame []byte) error {
	w := p.node.w
	return w.produced(p.node, frame, w.courier.produce(logTopic(p.node.ID), frame))
}
