package sim

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pilinhub/pilin/record"
)

// request is what a client asks of its node, and asks again with the same key until it knows the outcome.
type request struct {
	node   *node
	a      record.Append
	canary string
	born   int // restores of the node's disk when it was first asked
	tries  int
	done   bool
	answer []byte
}

const day = "2026-03-02"

// work lets people do one thing somewhere.
func (w *world) work() {
	n := w.nodes[w.draw(len(w.nodes))]
	if n.process == nil {
		w.count("op.node_down")
		return
	}
	w.ops++
	x := w.draw(100)
	if w.desks && x < 71 {
		w.deskWork(n)
		return
	}
	switch {
	case x < 36:
		w.publish(n)
	case x < 64:
		w.change(n)
	case x < 68:
		w.race(n)
	case x < 71:
		w.meddle(n)
	case x < 75:
		w.replay(n)
	case x < 77:
		w.count("op.prune")
		w.must("prune", n.durable.log.Prune(n.wall().Add(-5*time.Minute).Unix()))
	default:
		w.askCoverage(n)
	}
}

// audience draws who is given what.
func (w *world) audience(n *node) map[record.GroupID]record.Level {
	level := func() record.Level { return record.Level(1 + w.draw(3)) }
	can := []record.GroupID{record.All, record.All, record.All}
	for _, g := range []record.GroupID{w.circle, w.team} {
		if n.in(g) {
			can = append(can, g)
		}
	}
	out := map[record.GroupID]record.Level{can[w.draw(len(can))]: record.L3}
	if w.chance(0.3) {
		out[can[w.draw(len(can))]] = level()
	}
	return out
}

// draft makes a draft with content that nobody else has.
func (w *world) draft(n *node, audience map[record.GroupID]record.Level, refs ...record.Ref) (record.Draft, string) {
	id, err := record.NewBits128(n.random)
	if err != nil {
		panic(err)
	}
	canary := "canary-" + id.String()
	d := record.Draft{
		Stream: n.stream(), ID: id, Type: "blacklist.person", Schema: "1", Day: day, Audience: audience, Refs: refs,
		Parts: map[record.PartName][]byte{
			record.Card: fmt.Appendf(nil, `{"card":"%s"}`, canary),
			record.Body: fmt.Appendf(nil, `{"body":"%s"}`, canary),
		},
	}
	if w.chance(0.3) {
		d.Parts[record.Home] = fmt.Appendf(nil, `{"home":"%s"}`, canary)
	}
	if w.chance(0.03) {
		d.Type = futureType
	}
	return d, canary
}

// side makes a record of a stream that does not leave the node.
func (w *world) side(n *node, name string) record.Draft {
	d, _ := w.draft(n, nil)
	d.Stream = record.Stream(n.ID, name)
	return d
}

func (w *world) publish(n *node) {
	d, canary := w.draft(n, w.audience(n))
	drafts := []record.Draft{d}
	if w.chance(0.5) {
		drafts = append(drafts, w.side(n, record.Audit))
	}
	for w.chance(0.3) {
		more, _ := w.draft(n, w.audience(n))
		drafts = append(drafts, more)
	}
	if w.chance(0.1) {
		drafts = append(drafts, w.side(n, record.Local))
	}
	w.ask(n, drafts, canary)
}

// live returns a subject of the node's stream, its newest record and whether it goes on; ok is false if there is none.
func (w *world) live(n *node) (subject record.RecordID, last record.Stored, ended, ok bool) {
	for len(n.subjects) > 0 {
		i := w.draw(len(n.subjects))
		subject = n.subjects[i]
		all, err := n.log().Subject(w.ctx, n.stream(), subject)
		if !w.must("read subject", err) {
			return subject, last, false, false
		}
		if len(all) == 0 { // lost with the disk
			n.subjects = slices.Delete(n.subjects, i, i+1)
			continue
		}
		last = all[len(all)-1]
		ref, change := last.Meaning.Change()
		return subject, last, change && ref.Rel.Ends(), true
	}
	return subject, last, false, false
}

func (w *world) change(n *node) {
	subject, last, ended, ok := w.live(n)
	if !ok {
		w.publish(n)
		return
	}
	_, version := last.Meaning.Subject()
	rel := []record.Relation{record.Supersedes, record.Supersedes, record.Withdraws, record.Follows, record.Erases}[w.draw(5)]
	if ended {
		rel = record.Erases
		if ref, _ := last.Meaning.Change(); ref.Rel == record.Erases {
			w.publish(n)
			return
		}
	}
	audience := last.Meaning.Audience
	if !n.knowsAll(audience) { // the copy that came back does not know the agreement yet
		w.publish(n)
		return
	}
	d, canary := w.draft(n, audience, record.Ref{Rel: rel, ID: subject, Version: version})
	if rel == record.Withdraws || rel == record.Erases {
		delete(d.Parts, record.Card)
		delete(d.Parts, record.Home)
	}
	w.count("op." + string(rel))
	w.ask(n, []record.Draft{d}, canary)
}

// race lets two officers change the same version: one wins.
func (w *world) race(n *node) {
	subject, last, ended, ok := w.live(n)
	if !ok || ended || !n.knowsAll(last.Meaning.Audience) {
		w.publish(n)
		return
	}
	_, version := last.Meaning.Subject()
	ref := record.Ref{Rel: record.Supersedes, ID: subject, Version: version}
	a, canary := w.draft(n, last.Meaning.Audience, ref)
	b, _ := w.draft(n, last.Meaning.Audience, ref)
	w.ask(n, []record.Draft{a}, canary)
	p := n.process
	if p == nil {
		return
	}
	w.in(p, func() {
		_, err := p.log.Append(w.ctx, record.Append{Drafts: []record.Draft{b}})
		all, readErr := n.log().Subject(w.ctx, n.stream(), subject)
		if !w.must("read subject", readErr) {
			return
		}
		versions := 0
		for _, st := range all {
			if _, v := st.Meaning.Subject(); v == version+1 {
				versions++
			}
		}
		if versions > 1 || err == nil && versions != 1 {
			w.violated("I2", "%s: %d records are version %d of %s", n.ID, versions, version+1, subject)
		}
		w.count("op.race")
	})
}

func (n *node) knowsAll(audience map[record.GroupID]record.Level) bool {
	for g := range audience {
		if !n.in(g) {
			return false
		}
	}
	return true
}

// meddle lets a member change what is another's: it must have no effect anywhere.
func (w *world) meddle(n *node) {
	other := w.nodes[w.draw(len(w.nodes))]
	if other == n || len(other.subjects) == 0 {
		w.publish(n)
		return
	}
	ref := record.Ref{Rel: record.Withdraws, ID: other.subjects[w.draw(len(other.subjects))], Version: 1}
	d, canary := w.draft(n, map[record.GroupID]record.Level{record.All: record.L3}, ref)
	w.count("op.foreign_change")
	w.ask(n, []record.Draft{d}, canary)
}

// ask submits a request with a key of its own.
func (w *world) ask(n *node, drafts []record.Draft, canary string) {
	key := drafts[0].ID.String()
	r := &request{node: n, canary: canary, born: n.restores, a: record.Append{
		Drafts: drafts, Scope: "officer", Key: key, BodyHash: sha256.Sum256([]byte(key)),
		Answer: func(a record.Appended) ([]byte, error) { return []byte(a.Records[0].ID.String()), nil },
	}}
	if w.chance(0.2) {
		use := record.Use{Kind: "jti", ID: key, Expires: n.wall().Unix() + 60}
		r.a.Uses = []record.Use{use}
	}
	w.submit(r)
}

// submit tries once; whoever hears nothing tries again with the same key.
func (w *world) submit(r *request) {
	n := r.node
	if r.done || w.ended {
		return
	}
	w.after(time.Duration(2000+w.draw(4000))*time.Millisecond, func() { w.submit(r) })
	p := n.process
	if p == nil {
		return
	}
	w.in(p, func() {
		r.tries++
		res, err := p.log.Append(w.ctx, r.a)
		switch {
		case err == nil:
			w.acked(r, res)
		case errors.Is(err, record.ErrStorageFull):
			w.count("op.storage_full")
		case errors.Is(err, record.ErrDuplicateRecord) && r.tries > 1 && n.restores == r.born:
			w.violated("I10", "%s: %s asked again is a duplicate: record and answer were not one transaction", n.ID, r.a.Key)
		default:
			r.done = true
			w.count("op.refused")
		}
	})
}

// acked notes what a client was told.
func (w *world) acked(r *request, res record.Appended) {
	r.done = true
	n := r.node
	if res.Repeated && r.tries == 1 {
		w.violated("I10", "%s answers a first request as a repeat", n.ID)
		return
	}
	r.answer = res.Answer
	if string(res.Answer) != r.a.Drafts[0].ID.String() {
		w.violated("I10", "%s answers %s to request %s", n.ID, res.Answer, r.a.Key)
		return
	}
	w.count("op.acked")
	w.tell("%s acknowledges %s", n.ID, r.a.Key)
	for i, d := range r.a.Drafts {
		a := &ack{node: n, id: d.ID, stream: d.Stream, recorded: res.Checkpoint[d.Stream] == nil}
		if i == 0 {
			a.canary = r.canary
		}
		w.promises = append(w.promises, a)
		if d.Stream == n.stream() && !slices.ContainsFunc(d.Refs, func(x record.Ref) bool { return x.Rel.Changes() }) {
			n.subjects = append(n.subjects, d.ID)
		}
	}
	if w.chance(0.15) {
		w.after(time.Duration(w.draw(20_000))*time.Millisecond, func() { w.again(r) })
	}
}

// again repeats an answered request, with the same body or another.
func (w *world) again(r *request) {
	p := r.node.process
	if p == nil || r.node.restores != r.born {
		return
	}
	w.in(p, func() {
		a := r.a
		other := w.chance(0.3)
		if other {
			a.BodyHash[0] ^= 1
		}
		res, err := p.log.Append(w.ctx, a)
		switch {
		case errors.Is(err, record.ErrStorageFull):
		case other && !errors.Is(err, record.ErrIdempotencyConflict):
			w.violated("I10", "%s: key %s with another body: %v", r.node.ID, a.Key, err)
		case !other && (err != nil || !res.Repeated || !bytes.Equal(res.Answer, r.answer)):
			w.violated("I10", "%s: key %s again: repeated %v, %v", r.node.ID, a.Key, res.Repeated, err)
		default:
			w.count("op.repeat")
		}
	})
}

// replay uses a one-use id twice, the second time after the clock was set back and used ids were pruned.
func (w *world) replay(n *node) {
	use := record.Use{Kind: "jti", ID: fmt.Sprint("replay ", w.ops), Expires: n.wall().Unix() + 60}
	try := func() error {
		d := w.side(n, record.Audit)
		_, err := n.process.log.Append(w.ctx, record.Append{Drafts: []record.Draft{d}, Uses: []record.Use{use}})
		return err
	}
	w.in(n.process, func() {
		if err := try(); err != nil {
			return
		}
		born := n.restores
		w.count("op.token_used")
		w.after(time.Duration(w.draw(3000))*time.Millisecond, func() {
			if n.process == nil || n.restores != born {
				return
			}
			if w.chance(0.7) {
				// An hour later by the clock of the node the id is pruned; then the clock is set back.
				w.must("prune", n.durable.log.Prune(use.Expires+int64(w.draw(7200))))
				w.fault("clock_set_back")
			}
			w.in(n.process, func() {
				if err := try(); err == nil {
					w.violated("I10", "%s takes %s a second time", n.ID, use.ID)
				}
				w.count("op.token_replayed")
			})
		})
	})
}

// askCoverage reads "k/n applied" somewhere and holds it to what the members have.
func (w *world) askCoverage(n *node) {
	p := n.process
	at := w.nodes[w.draw(len(w.nodes))]
	s := at.stream()
	h, err := n.log().Head(w.ctx, s)
	if !w.must("read head", err) || h.Signed == 0 {
		return
	}
	seq := uint64(w.draw(int(h.Signed)))
	w.in(p, func() {
		c, err := p.receipts.Coverage(w.ctx, s, seq, w.members())
		if err != nil {
			return
		}
		w.count("op.coverage")
		for _, m := range w.nodes {
			if slices.Contains(c.Missing, m.ID) || m == at || m.restores > 0 || w.groups[w.team][m.ID] {
				continue
			}
			theirs, err := m.log().Head(w.ctx, s)
			if !w.must("read head", err) {
				return
			}
			if theirs.Applied <= seq {
				w.violated("I19", "%s counts %s for record %d of %s, which has applied %d", n.ID, m.ID, seq, s, theirs.Applied)
			}
		}
	})
}

// keepLocal keeps a draft whose version was taken while the node had forgotten it.
func (p *process) keepLocal(_ context.Context, d record.Draft) error {
	w, n := p.node.w, p.node
	for _, a := range w.promises {
		if a.node == n && a.id == d.ID && a.stream == d.Stream {
			a.void = true
		}
	}
	d.Stream, d.Audience, d.Refs = record.Stream(n.ID, record.Local), nil, nil
	_, err := p.log.Append(w.ctx, record.Append{Drafts: []record.Draft{d}})
	if errors.Is(err, record.ErrDuplicateRecord) {
		return nil
	}
	w.count("local_drafts")
	return err
}
