package node

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// some returns the codes of n synthetic bureaux.
func some(n int) (all []record.MemberID) {
	for i := range n {
		all = append(all, record.MemberID(fmt.Sprintf("31011%d-01", i+1)))
	}
	return all
}

// again starts a member's node that was stopped, as its configuration is now.
func (d *direct) again(m record.MemberID) *Node {
	d.t.Helper()
	old := d.nodes[m]
	n, err := Open(d.t.Context(), old.cfg, old.slog)
	d.ok(err)
	d.nodes[m] = n
	d.wire(n)
	d.run(n)
	return n
}

// held is how many records of a stream a member's node has applied.
func (d *direct) held(m record.MemberID, s record.StreamID) uint64 {
	h, err := d.nodes[m].store.Head(d.t.Context(), s)
	d.ok(err)
	return h.Applied
}

func (d *direct) released() {
	d.t.Helper()
	for m, n := range d.nodes {
		d.until("released: "+string(m), n.t.release.Released)
	}
}

// everywhere waits until every active member has applied so many records of m and says so by its receipt.
func (d *direct) everywhere(m record.MemberID, size uint64) {
	d.t.Helper()
	s := record.Stream(m, record.Records)
	for _, other := range d.nodes[m].dir.Active() {
		d.until(fmt.Sprintf("%d records of %s at %s", size, m, other), func() bool { return d.held(other, s) >= size })
	}
	d.until("receipts of all", func() bool { return d.covered(s, size-1).K == len(d.nodes[m].dir.Active()) })
}

// renew makes the next charter version at one member, lets these sign, and gives it to the first of them by hand.
func (d *direct) renew(make func(prev []byte, statements [][]byte) ([]byte, error), by ...record.MemberID) {
	d.t.Helper()
	dir := d.nodes[by[0]].dir
	note, err := make(dir.Versions(dir.Charter().Version)[0], dir.Statements())
	d.ok(err)
	for _, m := range by {
		k, err := ReadKeys(d.nodes[m].cfg.Data)
		d.ok(err)
		note, err = federation.Sign(note, m, k.Signer())
		d.ok(err)
	}
	_, err = TakeNotes(d.t.Context(), d.nodes[by[0]].cfg, note)
	d.ok(err)
}

func onlyRenew(prev []byte, statements [][]byte) ([]byte, error) {
	return federation.Renew(rand.Reader, prev, statements, day(prev))
}

func day(prev []byte) string {
	c, err := federation.ParseCharter(prev)
	if err != nil {
		return ""
	}
	return c.Day
}

// verified exports a member's logs and proves every stream of records from its charter and statements alone.
func (d *direct) verified(m record.MemberID) map[record.StreamID]uint64 {
	d.t.Helper()
	n := d.nodes[m]
	sizes := map[record.StreamID]uint64{}
	trusted, err := federation.NewDirectory(nil, n.dir.Versions(1)[0])
	d.ok(err)
	for _, v := range n.dir.Versions(2) {
		_, err := trusted.Add(v)
		d.ok(err)
	}
	for _, st := range n.dir.Statements() {
		_, err := trusted.AddStatement(st)
		d.ok(err)
	}
	heads, err := n.store.Heads(d.t.Context())
	d.ok(err)
	for _, h := range heads {
		if h.Stream.Kind() != record.Records {
			continue
		}
		v := &record.Verifier{Federation: trusted.Federation(), Stream: h.Stream, SignKey: trusted.SignKey}
		for from := uint64(0); from < h.Signed; {
			gs, err := n.store.Groups(d.t.Context(), h.Stream, from, 100)
			d.ok(err)
			for _, g := range gs {
				fr, err := record.OpenFrame(trusted.Federation(), g, nil)
				d.ok(err)
				d.ok(v.Add(fr))
				from = fr.End()
			}
		}
		sizes[h.Stream] = v.Size()
	}
	return sizes
}

// A member rotates all its keys while its node is stopped: the others take the statement at once, what was signed before
// stays provable, what comes after is proven by the new key, and every question is answered by all again.
func TestNode_Rotation(t *testing.T) {
	for _, size := range []int{1, 2, 3, 7} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			d := found(t, onHTTP, false, some(size)...)
			d.released()
			a, s := d.members[0], record.Stream(d.members[0], record.Records)
			d.publish(a)
			d.publish(a)
			d.everywhere(a, 2)
			cfg := d.nodes[a].cfg
			if _, err := RotateKeys(t.Context(), cfg, Change{Sign: true}); !errors.Is(err, ErrServing) {
				t.Fatalf("rotated under a running node: %v", err)
			}
			d.stop(d.nodes[a])
			st, err := RotateKeys(t.Context(), cfg, Change{Sign: true, TLS: true, KEM: true})
			d.ok(err)
			if st.From != 2 || st.Counter != 1 || len(st.Taken) != size-1 || len(st.Missing) != 0 {
				t.Fatalf("stated from %d, counter %d, taken by %v, not by %v", st.From, st.Counter, st.Taken, st.Missing)
			}
			n := d.again(a)
			d.released()
			d.publish(a)
			d.everywhere(a, 3)
			old, _ := n.dir.SignKey(s, 1)
			now, _ := n.dir.SignKey(s, 2)
			if old.Equal(now) {
				t.Fatal("one key for both sides of the rotation")
			}
			d.until("all answer", func() bool { got := d.ask(d.members[size-1]); return got.K == size && got.Outcome == federation.Hit })
			for _, m := range d.members {
				if got := d.verified(m)[s]; got != 3 {
					t.Errorf("%s proves %d records", m, got)
				}
			}
			d.until("audited", func() bool { return d.audits(a, "key_rotated") == 1 })
			// The next version holds the statement and wraps its epoch for the new key.
			d.renew(onlyRenew, d.members[:federation.Quorum(size)]...)
			for _, m := range d.members {
				d.until("version 2 at "+string(m), func() bool {
					return d.nodes[m].dir.Charter().Version == 2 && len(d.nodes[m].dir.Statements()) == 0
				})
			}
			d.publish(a)
			d.everywhere(a, 4)
		})
	}
}

// audits counts the audit records of an operator's event at a member.
func (d *direct) audits(m record.MemberID, event string) (n int) {
	d.t.Helper()
	gs, err := d.nodes[m].store.Groups(d.t.Context(), d.nodes[m].audit, 0, 1<<20)
	d.ok(err)
	for _, g := range gs {
		for _, r := range g.Records {
			for _, p := range r.Parts {
				if r.Meaning.Type == "node.event" && slices.Contains([]string{event}, field(p.Bytes, "event")) {
					n++
				}
			}
		}
	}
	return n
}

// A member that was away when another rotated every key cannot reach it any more, nor be reached, by the new ones: it is
// reached by the older ones, which bring the statement.
func TestNode_RotationWhileAway(t *testing.T) {
	d := found(t, onHTTP, false, some(2)...)
	d.released()
	a, b := d.members[0], d.members[1]
	d.publish(a)
	d.everywhere(a, 1)
	d.stop(d.nodes[b])
	d.stop(d.nodes[a])
	if _, err := RotateKeys(t.Context(), d.nodes[a].cfg, Change{Sign: true}); !errors.Is(err, ErrUnheard) {
		t.Fatalf("rotated though nobody said what it holds: %v", err)
	}
	for range 2 { // twice: the older keys are two statements back
		st, err := RotateKeys(t.Context(), d.nodes[a].cfg, Change{Sign: true, TLS: true, Unheard: true})
		d.ok(err)
		if len(st.Missing) != 1 {
			t.Fatalf("stated from %d, counter %d, taken by %v, not by %v", st.From, st.Counter, st.Taken, st.Missing)
		}
	}
	d.again(a)
	d.publish(a)
	d.again(b)
	d.released()
	d.everywhere(a, 2)
	d.until("all answer", func() bool { return d.ask(b).K == 2 })
}

// A member moves to another address and says so; the others call it there.
func TestNode_AddressChanged(t *testing.T) {
	d := found(t, onHTTP, false, some(3)...)
	d.released()
	a, b := d.members[0], d.members[1]
	d.publish(a)
	d.everywhere(a, 1)
	moved := freePort(t)
	st, err := ChangeAddress(t.Context(), d.nodes[a].cfg, "https://"+moved)
	d.ok(err)
	if len(st.Taken) != 2 {
		t.Fatalf("stated from %d, counter %d, taken by %v, not by %v", st.From, st.Counter, st.Taken, st.Missing)
	}
	d.until("audited", func() bool { return d.audits(a, "address_changed") == 1 })
	d.stop(d.nodes[a])
	d.nodes[a].cfg.Members.Listen = moved
	d.again(a)
	d.publish(a)
	d.everywhere(a, 2)
	d.until("all answer", func() bool { return d.ask(b).K == 3 })
	if address, _ := d.nodes[b].dir.Address(a); address != "https://"+moved {
		t.Fatalf("called at %s", address)
	}
}

// A member leaves: at once nobody counts it, its records stay provable, and the next version has an epoch without it.
func TestNode_Leaving(t *testing.T) {
	for _, size := range []int{1, 2, 3, 7} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			d := found(t, onHTTP, false, some(size)...)
			d.released()
			a, s := d.members[0], record.Stream(d.members[0], record.Records)
			rest := d.members[1:]
			d.publish(a)
			d.everywhere(a, 1)
			st, err := Leave(t.Context(), d.nodes[a].cfg)
			d.ok(err)
			if size > 1 && len(st.Taken) == 0 { // whoever hears it from another first does not answer any more
				t.Fatalf("not reached: %v", st.Missing)
			}
			d.until("it knows itself", func() bool { return !d.nodes[a].dir.IsActive(a) })
			d.stop(d.nodes[a])
			if n, err := Open(t.Context(), d.nodes[a].cfg, d.nodes[a].slog); err == nil {
				d.ok(n.Close())
				t.Fatal("its node starts again")
			}
			if size == 1 {
				return
			}
			for _, m := range rest {
				d.until("heard by "+string(m), func() bool { return !d.nodes[m].dir.IsActive(a) })
				if got := d.verified(m)[s]; got != 1 {
					t.Errorf("%s proves %d of its records", m, got)
				}
			}
			d.until("all that stay answer", func() bool { got := d.ask(rest[0]); return got.K == size-1 && got.N == size-1 })
			d.renew(onlyRenew, rest[:federation.Quorum(size-1)]...)
			for _, m := range rest {
				d.until("version 2 at "+string(m), func() bool { return d.nodes[m].dir.Charter().Version == 2 })
				g := d.nodes[m].dir.Current().Groups[0]
				if slices.Contains(g.Members, a) || len(g.Epochs) != 2 {
					t.Errorf("group all at %s: %v", m, g.Members)
				}
			}
			d.publish(rest[0])
			d.everywhere(rest[0], 1)
		})
	}
}

// The others remove a member: it is refused from then on, its records stay.
func TestNode_Removal(t *testing.T) {
	for _, size := range []int{3, 7} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			d := found(t, onHTTP, false, some(size)...)
			d.released()
			gone := d.members[size-1]
			rest, s := d.members[:size-1], record.Stream(gone, record.Records)
			d.publish(gone)
			d.everywhere(gone, 1)
			d.renew(func(prev []byte, statements [][]byte) ([]byte, error) {
				return federation.Remove(rand.Reader, prev, statements, day(prev), gone)
			}, rest[:federation.RemovalQuorum(size)]...)
			for _, m := range rest {
				d.until("removed at "+string(m), func() bool { return !d.nodes[m].dir.IsActive(gone) })
				if got := d.verified(m)[s]; got != 1 {
					t.Errorf("%s proves %d of its records", m, got)
				}
			}
			d.until("all that stay answer", func() bool { got := d.ask(rest[0]); return got.K == size-1 && got.N == size-1 })
			if got := d.ask(gone); got.K > 1 || got.Outcome == federation.NoHit {
				t.Errorf("whoever was removed is answered by %d", got.K)
			}
			d.publish(rest[0])
			d.everywhere(rest[0], 1)
			if held := d.held(gone, record.Stream(rest[0], record.Records)); held != 0 {
				t.Errorf("whoever was removed holds %d new records", held)
			}
		})
	}
}

// A member loses its key file, or somebody else has it: the recovery key states new keys, by the hand of one neighbour.
func TestNode_Recovery(t *testing.T) {
	for _, size := range []int{1, 2, 3, 7} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			d := found(t, onHTTP, false, some(size)...)
			d.released()
			a, s := d.members[0], record.Stream(d.members[0], record.Records)
			cfg := d.nodes[a].cfg
			d.publish(a)
			d.publish(a)
			d.everywhere(a, 2)
			d.stop(d.nodes[a])
			d.ok(os.Remove(filepath.Join(cfg.Data, keysFile)))
			st, err := RecoverKeys(t.Context(), cfg, Lost{Recovery: filepath.Join(cfg.Data, recoveryFile), Stolen: true, Unheard: true})
			d.ok(err)
			if st.From != 2 || st.Counter != 2 || len(st.Missing) != size-1 {
				t.Fatalf("stated from %d, counter %d, taken by %v, not by %v", st.From, st.Counter, st.Taken, st.Missing)
			}
			if size > 1 {
				_, err = TakeNotes(t.Context(), d.nodes[d.members[size-1]].cfg, st.Statements...)
				d.ok(err)
			}
			for _, m := range d.members[1:] {
				d.until("heard by "+string(m), func() bool { return d.nodes[m].dir.Counter(a) == 2 })
			}
			d.again(a)
			d.released()
			// It opens no epoch of before: until the next version it publishes nothing.
			if _, err := d.publishIn(t.Context(), a); !errors.Is(err, record.ErrNoEpoch) {
				t.Fatalf("published under an epoch that it cannot open: %v", err)
			}
			d.renew(onlyRenew, d.members[:federation.Quorum(size)]...)
			for _, m := range d.members {
				d.until("version 2 at "+string(m), func() bool { return d.nodes[m].dir.Charter().Version == 2 })
			}
			d.publish(a)
			d.everywhere(a, 3)
			d.until("all answer", func() bool { got := d.ask(a); return got.K == size && got.Outcome == federation.Hit })
			for _, m := range d.members {
				if got := d.verified(m)[s]; got != 3 {
					t.Errorf("%s proves %d records", m, got)
				}
			}
		})
	}
}

// field returns a string member of a JSON object; empty if it has none.
func field(object []byte, name string) string {
	var m map[string]any
	if json.Unmarshal(object, &m) != nil {
		return ""
	}
	s, _ := m[name].(string)
	return s
}
