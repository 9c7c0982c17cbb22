package sim

import (
	"errors"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

const (
	tickEvery    = 250 * time.Millisecond
	headsTimeout = 2 * time.Second
	rangeTimeout = 4 * time.Second
)

// tick lets each state machine of a process do what is due.
func (w *world) tick(p *process) {
	w.after(tickEvery, func() {
		w.in(p, func() {
			w.tick(p)
			p.stepRelease()
			for _, m := range p.schedule.Due(w.hour(), p.roster.Peers(), w.rng.Float64) {
				p.askHeads(m)
			}
			p.fillGaps()
			p.stepReceipts()
			p.stepRelay()
			p.catchUp()
		})
	})
}

func (p *process) stepRelay() {
	w := p.node.w
	for range 4 {
		if w.now < p.relayAt {
			return
		}
		sent, err := p.relay.Step(w.ctx)
		if err != nil {
			p.relayAt = w.now + time.Duration(300+w.draw(1500))*time.Millisecond
		}
		if !sent {
			if err == nil && w.now >= p.keepAt {
				_ = p.relay.Keep(w.ctx)
				p.keepAt = w.now + time.Second
			}
			return
		}
	}
}

func (p *process) stepReceipts() {
	w := p.node.w
	made, _ := p.receipts.Step(w.ctx, w.hour())
	for _, m := range made {
		if !w.acks {
			break
		}
		_ = w.courier.produce(ackTopic(p.node.ID), m.Receipt) // what is lost goes with the next head exchange
	}
}

func (p *process) fillGaps() {
	w := p.node.w
	tasks, _ := p.gaps.Next(w.ctx, w.hour(), !w.courier.down)
	for _, t := range tasks {
		w.net.call(p, t.Peer, rangeTimeout, func(there *process) ([]byte, error) { return w.serveRange(there, p.node.ID, t.Stream, t.From) },
			func(b []byte, err error) {
				var frames []*record.Frame
				if err == nil {
					frames, err = record.DecodeRange(b)
				}
				res := p.gaps.Finish(w.ctx, w.hour(), t, frames, err)
				for _, o := range res.Outcomes {
					p.after(o, t.Peer)
				}
				if res.Charter != nil {
					p.fetchCharter(t.Peer)
				}
				if res.Leaves != nil {
					p.fetchLeaves(*res.Leaves)
				}
			})
	}
}

func (p *process) fetchLeaves(t exchange.LeavesTask) {
	w := p.node.w
	w.net.call(p, t.Peer, rangeTimeout, func(there *process) ([]byte, error) {
		leaves, err := w.serveLeaves(there, p.node.ID, t.Stream, t.Size)
		var b []byte
		for _, l := range leaves {
			b = append(b, l[:]...)
		}
		return b, err
	}, func(b []byte, err error) {
		var leaves []tlog.Hash
		for c := range slices.Chunk(b, tlog.HashSize) {
			if len(c) == tlog.HashSize {
				leaves = append(leaves, tlog.Hash(c))
			}
		}
		p.after(p.gaps.FinishLeaves(w.ctx, t, leaves, err), t.Peer)
	})
}

// after acts on what became of a frame.
func (p *process) after(o exchange.Outcome, from record.MemberID) {
	p.gaps.Note(o)
	if o.Charter != nil {
		p.fetchCharter(from)
	}
	if o.Parts && p.desk != nil {
		p.desk.index.Revisit(o.Stream, 0)
	}
	if o.New > 0 || o.Parts {
		p.node.w.tell("%s has %s to %d", p.node.ID, o.Stream, o.Size)
	}
}

func (p *process) askHeads(m record.MemberID) {
	w := p.node.w
	if p.asking[m] {
		return
	}
	var nonce [32]byte
	for i := range nonce {
		nonce[i] = byte(w.rng.Uint32())
	}
	r, err := p.heads.Request(w.ctx, nonce)
	r.Heads = w.face(p, m, r.Heads)
	if err != nil {
		return
	}
	body, err := r.Encode()
	if err != nil {
		w.violated("heads", "%s cannot encode its request: %v", p.node.ID, err)
		return
	}
	p.asking[m] = true
	w.net.call(p, m, headsTimeout, func(there *process) ([]byte, error) { return w.answerHeads(there, p.node.ID, body) },
		func(b []byte, err error) {
			delete(p.asking, m)
			var wanted exchange.Wanted
			if err == nil {
				if wanted, err = p.heads.Answered(w.ctx, w.hour(), m, nonce, b); err != nil && p.states(exchange.StatementsOf(b)) {
					wanted, err = p.heads.Answered(w.ctx, w.hour(), m, nonce, b)
				}
			}
			if err != nil {
				p.release.Failed(m)
				return
			}
			w.count("heads")
			w.headsMet(p.node.ID, m)
			p.schedule.Heard(m, w.hour())
			p.want(m, wanted)
		})
}

func (w *world) answerHeads(there *process, from record.MemberID, body []byte) ([]byte, error) {
	if !admits(there, from) {
		return nil, errNotMember
	}
	if b, lied := w.lieHeads(there, from, body); lied {
		return b, nil
	}
	r, err := exchange.DecodeHeadsRequest(body)
	if err != nil {
		return nil, err
	}
	b, wanted, err := there.heads.Answer(w.ctx, w.hour(), from, r)
	if err == nil && (wanted.Charter || len(wanted.Agreements) > 0) {
		there.schedule.Soon(from)
	}
	return b, err
}

// states puts member statements in force; it reports whether one was new.
func (p *process) states(notes [][]byte) bool {
	changed := false
	for _, note := range notes {
		changed = p.node.state(note) || changed
	}
	return changed
}

// want fetches what a peer has of charter and agreements.
func (p *process) want(m record.MemberID, wanted exchange.Wanted) {
	if wanted.Charter {
		p.fetchCharter(m)
	}
	for _, id := range wanted.Agreements {
		p.fetchAgreement(m, id)
	}
}

var (
	errNotHeld   = errors.New("not held")
	errNotMember = errors.New("not a member")
)

// admits is what the members' listener checks before anything else.
func admits(there *process, from record.MemberID) bool { return there.node.dir.IsActive(from) }

func (p *process) fetchCharter(m record.MemberID) {
	n, w := p.node, p.node.w
	from := n.dir.Charter().Version
	w.net.call(p, m, headsTimeout, func(there *process) ([]byte, error) {
		if !admits(there, n.ID) {
			return nil, errNotMember
		}
		vs := there.node.dir.Versions(from + 1)
		if len(vs) == 0 {
			return nil, errNotHeld
		}
		return vs[0], nil
	}, func(b []byte, err error) {
		if err == nil && n.learn(b, nil) {
			w.tell("%s holds a newer charter", n.ID)
			p.rekeyed()
		}
	})
}

func (p *process) fetchAgreement(m record.MemberID, id [32]byte) {
	n, w := p.node, p.node.w
	w.net.call(p, m, headsTimeout, func(there *process) ([]byte, error) {
		b, ok := there.node.dir.Agreement(federation.Hash(id), n.ID)
		if !ok || !admits(there, n.ID) {
			return nil, errNotHeld
		}
		return b, nil
	}, func(b []byte, err error) {
		if err == nil && n.learn(nil, b) {
			w.tell("%s holds an agreement", n.ID)
			p.rekeyed()
		}
	})
}

func (p *process) rekeyed() {
	outcomes, err := p.replicas.Rekeyed(p.node.w.ctx)
	for _, o := range outcomes {
		p.after(o, o.Stream.Member())
	}
	if err != nil { // parts of streams that were not reached wait for the next start or document
		p.node.w.after(time.Second, func() { p.node.w.in(p, p.rekeyed) })
	}
}

// stepRelease does what the release rule wants done.
func (p *process) stepRelease() {
	w := p.node.w
	do, err := p.release.Step(w.ctx, w.hour())
	if err != nil {
		w.tell("%s release waits: %v", p.node.ID, err)
		return
	}
	for _, m := range do.Ask {
		if p.asking[m] {
			continue
		}
		p.askHeads(m)
	}
	if do.Topic {
		w.after(w.net.way(), func() {
			w.in(p, func() {
				if w.courier.down {
					p.release.TopicEnd(nil, errBrokerDown)
					return
				}
				p.release.TopicEnd(w.topicMessages(p.node.ID, exchange.TopicTail), nil)
			})
		})
	}
	if do.Fetch != nil {
		p.fetchOwn(*do.Fetch)
	}
	if do.Open {
		w.opened(p)
	}
	if p.release.Phase() == exchange.Waiting && len(p.release.Heard()) == len(p.roster.Peers()) {
		p.release.Confirm() // pilin rejoin: the operator has seen that everybody answered
	}
}

func (w *world) topicMessages(m record.MemberID, last int) [][]byte {
	t := w.courier.topic(logTopic(m))
	var out [][]byte
	for _, x := range t.messages[max(0, len(t.messages)-last):] {
		out = append(out, x.data)
	}
	return out
}

func (p *process) fetchOwn(t exchange.Task) {
	w := p.node.w
	if t.Peer == "" {
		w.after(w.net.way(), func() {
			w.in(p, func() {
				if w.courier.down {
					_ = p.release.Fetched(w.ctx, w.hour(), t, nil, errBrokerDown)
					return
				}
				var frames []*record.Frame
				for _, b := range w.topicMessages(p.node.ID, len(w.courier.topic(logTopic(p.node.ID)).messages)) {
					if fr, err := record.DecodeFrame(b); err == nil && fr.Stream == t.Stream && fr.End() > t.From {
						frames = append(frames, fr)
					}
				}
				_ = p.release.Fetched(w.ctx, w.hour(), t, frames, nil)
			})
		})
		return
	}
	w.net.call(p, t.Peer, rangeTimeout, func(there *process) ([]byte, error) { return w.serveRange(there, p.node.ID, t.Stream, t.From) },
		func(b []byte, err error) {
			var frames []*record.Frame
			if err == nil {
				frames, err = record.DecodeRange(b)
			}
			_ = p.release.Fetched(w.ctx, w.hour(), t, frames, err)
		})
}

func (w *world) serveRange(there *process, peer record.MemberID, s record.StreamID, from uint64) ([]byte, error) {
	if !admits(there, peer) {
		return nil, errNotMember
	}
	if b, lied := w.lieRange(there, peer, s, from); lied {
		return b, nil
	}
	return exchange.ServeRange(w.ctx, there.log, there.roster, there.release.Released(), peer, s, from)
}

func (w *world) serveLeaves(there *process, peer record.MemberID, s record.StreamID, size uint64) ([]tlog.Hash, error) {
	if !admits(there, peer) {
		return nil, errNotMember
	}
	if leaves, lied := w.lieLeaves(there, peer, s, size); lied {
		return leaves, nil
	}
	return exchange.ServeLeaves(w.ctx, there.log, there.roster, there.release.Released(), s, size)
}
