package exchange

import (
	"errors"
	"fmt"
	"time"

	"github.com/pilinhub/pilin/record"
)

type askedPeer struct {
	at     time.Time // when last asked
	next   time.Time // when to ask again
	tries  int
	flying bool
	heard  bool
	failed bool
	since  time.Time // when it first said that it has too many requests
	busy   time.Time // it is there, and until then it answers nobody
}

type topicState struct {
	at     time.Time
	asked  bool
	flying bool
	done   bool
}

// shownSize is a checkpoint under our own key that somebody holds.
type shownSize struct {
	peer record.MemberID // empty: the own topic
	c    record.Checkpoint
	note []byte
}

// ask returns whom to ask now.
func (r *Release) ask(now time.Time) Do {
	var do Do
	for _, m := range r.Roster.Peers() {
		p := r.peers[m]
		if p == nil {
			p = &askedPeer{}
			r.peers[m] = p
		}
		if p.heard || p.flying && now.Sub(p.at) < HeardWithin || now.Before(p.next) {
			continue
		}
		p.at, p.flying, p.failed = now, true, false
		p.next = now.Add(min(AskAgainFirst<<min(p.tries, 10), AskAgainLast))
		p.tries++
		do.Ask = append(do.Ask, m)
	}
	if t := &r.topic; !t.done && !t.flying {
		if !t.asked {
			t.at, t.asked = now, true
		}
		t.flying, do.Topic = true, true
	}
	return do
}

// known reports whether at least one member has answered, everybody else has failed or let HeardWithin pass since it was
// last asked and is not busy, and the topic's end was read or could not be.
func (r *Release) known(now time.Time) bool {
	if !r.heard || !r.topic.done && now.Sub(r.topic.at) < HeardWithin {
		return false
	}
	for _, m := range r.Roster.Peers() {
		p := r.peers[m]
		if p == nil || !p.heard && (now.Before(p.busy) || !p.failed && now.Sub(p.at) < HeardWithin) {
			return false
		}
	}
	return true
}

// Answered takes what a member, by its signed answer, holds of our streams. An answer with a checkpoint that we did not
// sign is no answer.
func (r *Release) Answered(now time.Time, peer record.MemberID, yours []Yours) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.phase == Open || r.phase == Stuck {
		return nil
	}
	for _, y := range yours {
		if y.Stream.Member() != r.Roster.Self || y.Stream.Kind() != record.Records {
			return fmt.Errorf("%s answers about %s: not our stream", peer, y.Stream)
		}
		if y.Checkpoint == nil {
			continue
		}
		if r.overruled(y.Checkpoint) {
			continue // it does not count, cosigned or not; whoever holds it takes the next group under the new key
		}
		c, err := r.ours(y.Checkpoint)
		if err != nil || c.Stream != y.Stream {
			return fmt.Errorf("%s shows a checkpoint of %s that we did not sign: %w", peer, y.Stream, err)
		}
		r.show(shownSize{peer, c, y.Checkpoint})
	}
	p := r.peers[peer]
	if p == nil {
		p = &askedPeer{}
		r.peers[peer] = p
	}
	p.heard, p.flying, p.failed = true, false, false
	if !r.heard {
		r.heard = true
		for _, other := range r.peers { // whoever failed before may be reachable as this one is: all are asked once more
			if !other.heard && !(other.flying && now.Sub(other.at) < HeardWithin) {
				other.at, other.next, other.failed, other.flying = now, now, false, false
			}
		}
	}
	return nil
}

// ours verifies a checkpoint under our own key.
func (r *Release) ours(note []byte) (record.Checkpoint, error) {
	c, err := record.ParseCheckpoint(note)
	if err != nil {
		return c, err
	}
	if c.Federation != r.Roster.Federation || c.Stream.Member() != r.Roster.Self {
		return c, errors.New("of another stream")
	}
	key, ok := r.Roster.SignKey(c.Stream, lastSeq(c.Size))
	if !ok {
		return c, errors.New("no key of ours at this size")
	}
	return record.VerifyCheckpoint(note, key)
}

// overruled reports whether a checkpoint is under a key of ours that was revoked, from a sequence on that it covers: what it
// says was taken back by us before everybody (charter.md §1), and what it covered is signed anew.
func (r *Release) overruled(note []byte) bool {
	if r.Roster.Revoked == nil {
		return false
	}
	c, err := record.ParseCheckpoint(note)
	if err != nil || c.Federation != r.Roster.Federation || c.Stream.Member() != r.Roster.Self {
		return false
	}
	in, _ := r.Roster.SignKey(c.Stream, lastSeq(c.Size))
	for _, key := range r.Roster.Revoked() {
		if _, err := record.VerifyCheckpoint(note, key); err == nil && !key.Equal(in) {
			return true
		}
	}
	return false
}

func (r *Release) show(s shownSize) {
	list := r.shown[s.c.Stream]
	for i, old := range list {
		if old.peer == s.peer && old.c.Size <= s.c.Size {
			list[i] = s
			return
		}
	}
	r.shown[s.c.Stream] = append(list, s)
}

// Failed tells that a member did not answer.
func (r *Release) Failed(peer record.MemberID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.peers[peer]; p != nil && p.flying {
		p.flying, p.failed = false, true
	}
}

// Busy tells that a member refused to answer for a while, having too many requests. It is reachable, so it is waited for and
// asked again; for RestLast from the first time, or a member could keep this node from its release for good.
func (r *Release) Busy(now time.Time, peer record.MemberID, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.peers[peer]
	if p == nil || !p.flying {
		return
	}
	p.flying, p.failed = false, true
	if p.since.IsZero() {
		p.since = now
	}
	p.next = now.Add(min(max(wait, AskAgainFirst), RestLast))
	p.busy = p.next.Add(HeardWithin)
	if last := p.since.Add(RestLast + HeardWithin); p.busy.After(last) {
		p.busy = last
	}
}

// TopicEnd takes the last messages of the own topic, or why they could not be read: then it is read again until
// HeardWithin has passed.
func (r *Release) TopicEnd(messages [][]byte, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.topic.flying = false
	if err != nil {
		return
	}
	r.topic.done = true
	for _, b := range messages {
		fr, err := record.DecodeFrame(b)
		if err != nil {
			continue
		}
		if c, err := r.ours(fr.Checkpoint); err == nil && c.Stream == fr.Stream {
			r.show(shownSize{"", c, fr.Checkpoint})
		}
	}
}
