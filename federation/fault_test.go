package federation_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// faults are the ways in which asking one member goes wrong. None of them may ever be counted as an answer.
var faults = map[string]func(v *vector, ctx context.Context, from, to *desk, body []byte) ([]byte, error){
	"stopped": func(*vector, context.Context, *desk, *desk, []byte) ([]byte, error) {
		return nil, federation.ErrUnreachable
	},
	"reset": func(*vector, context.Context, *desk, *desk, []byte) ([]byte, error) {
		return nil, fmt.Errorf("connection reset")
	},
	"timeout": func(_ *vector, ctx context.Context, _, _ *desk, _ []byte) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	},
	"late": func(v *vector, ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
		time.Sleep(federation.DefaultDeadline + time.Millisecond)
		return v.honest(context.WithoutCancel(ctx), from, to, body)
	},
	"refused": func(*vector, context.Context, *desk, *desk, []byte) ([]byte, error) {
		return nil, &federation.PeerRefusal{Code: "Rate Limited!"}
	},
	"other version": func(*vector, context.Context, *desk, *desk, []byte) ([]byte, error) {
		return nil, federation.ErrIncompatible
	},
	"stale charter": func(*vector, context.Context, *desk, *desk, []byte) ([]byte, error) {
		return nil, &federation.StaleCharterError{}
	},
	"wrong signer":    signedBy(func(v *vector, from, to *desk) *desk { return v.another(to) }, nil),
	"asker's own key": signedBy(func(v *vector, from, to *desk) *desk { return from }, nil),
	"another's answer": func(v *vector, ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
		note, err := v.honest(ctx, from, to, body)
		if err != nil {
			return nil, err
		}
		other := v.another(to)
		me, it := string(to.dir.Self()), string(other.dir.Self())
		text := strings.ReplaceAll(string(note[:bytes.LastIndex(note, []byte("\n\n"))+1]), `"member":"`+me, `"member":"`+it)
		return other.keys.Signer().Note("pilin/"+to.dir.Federation().String()+"/"+it+"/answer", text)
	},
	"answer to another question": func(v *vector, ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
		return v.honest(ctx, from, to, bytes.Replace(body, []byte(`"nonce":"`), []byte(`"nonce":"ab`), 1)[:len(body)])
	},
	"wrong nonce":      altered(`"nonce":"`, 64),
	"wrong ask":        altered(`"ask":"`, 32),
	"wrong day":        altered(`"as_of":"`, 4),
	"other federation": altered(`"federation":"`, 64),
	"other asker":      altered(`"asker":"`, 6),
	"other charter":    altered(`"hash":"`, 64),
	"says partial":     replaced(`"state":"answered","reason":""`, `"state":"partial","reason":"index_behind"`),
	"says refused":     replaced(`"state":"answered","reason":""`, `"state":"refused","reason":"`+strings.Repeat("长", 99)+`"`),
	"unknown state":    replaced(`"state":"answered"`, `"state":"certain"`),
	"later format":     replaced(`"v":1`, `"v":2`),
	"other document":   replaced(`"pilin":"answer"`, `"pilin":"heads"`),
	"no checkpoint":    altered(`"checkpoint":"pilin/`, 5),
	"index too small":  altered(`"index":"`, 1),
	"hit without id":   replaced(`"hits":[`, `"hits":[{"record":"`+strings.Repeat("0", 32)+`","subject":"`+strings.Repeat("0", 32)+`","version":"1","type":"x","state":"published","outcome":"hit","level":"L3","explain":[]},`),
	"unsigned change": func(v *vector, ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
		note, err := v.honest(ctx, from, to, body)
		return bytes.Replace(note, []byte(`"hits":[`), []byte(`"hits": [`), 1), err
	},
	"truncated": func(v *vector, ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
		note, err := v.honest(ctx, from, to, body)
		return note[:v.rand.IntN(len(note)-1)], err
	},
	"garbage": func(v *vector, _ context.Context, _, _ *desk, _ []byte) ([]byte, error) {
		b := make([]byte, v.rand.IntN(2000))
		for i := range b {
			b[i] = byte(v.rand.Uint32())
		}
		return b, nil
	},
	"json": func(*vector, context.Context, *desk, *desk, []byte) ([]byte, error) {
		return []byte(`{"state":"answered","hits":[]}`), nil
	},
	"nothing": func(*vector, context.Context, *desk, *desk, []byte) ([]byte, error) { return nil, nil },
	"too large": func(v *vector, ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
		note, err := v.honest(ctx, from, to, body)
		return append(note, bytes.Repeat([]byte("— x AAAAAAAA\n"), federation.MaxAnswer/14+1)...), err
	},
	"replayed answer": func(v *vector, ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
		return v.before[to.dir.Self()], nil
	},
	"unreleased": func(v *vector, ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
		released := to.Released
		to.Released = func() bool { return false }
		defer func() { to.Released = released }()
		return v.honest(ctx, from, to, body)
	},
	"index behind": func(v *vector, ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
		to.mu.Lock()
		was := to.applied[to.Records]
		to.applied[to.Records] = was - 1
		hidden := to.entries
		to.entries = nil
		to.mu.Unlock()
		note, err := v.honest(ctx, from, to, body)
		to.mu.Lock()
		to.applied[to.Records], to.entries = was, hidden
		to.mu.Unlock()
		return note, err
	},
	"put back": func(v *vector, ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
		to.mu.Lock()
		hidden, was, size := to.entries, to.applied[to.Records], v.size
		to.entries = nil
		to.mu.Unlock()
		to.log.mu.Lock()
		head := to.log.heads[to.Records]
		to.log.mu.Unlock()
		v.commit(to, size-1)
		note, err := v.honest(ctx, from, to, body)
		to.mu.Lock()
		to.entries, to.applied[to.Records] = hidden, was
		to.mu.Unlock()
		to.log.mu.Lock()
		to.log.heads[to.Records] = head
		to.log.mu.Unlock()
		return note, err
	},
}

// signedBy answers honestly and has somebody else sign it, after a change of the text.
func signedBy(who func(v *vector, from, to *desk) *desk, change func(v *vector, text string) string) func(*vector, context.Context, *desk, *desk, []byte) ([]byte, error) {
	return func(v *vector, ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
		note, err := v.honest(ctx, from, to, body)
		if err != nil {
			return nil, err
		}
		text := string(note[:bytes.LastIndex(note, []byte("\n\n"))+1])
		if change != nil {
			if was := text; change(v, text) == was {
				v.t.Fatalf("the fault changes nothing in %s", text)
			} else {
				text = change(v, text)
			}
		}
		return who(v, from, to).keys.Signer().Note("pilin/"+to.dir.Federation().String()+"/"+string(to.dir.Self())+"/answer", text)
	}
}

func own(v *vector, from, to *desk) *desk { return to }

// replaced is a rogue that signs a text with another word in it.
func replaced(old, new string) func(*vector, context.Context, *desk, *desk, []byte) ([]byte, error) {
	return signedBy(own, func(v *vector, text string) string { return strings.Replace(text, old, new, 1) })
}

// altered is a rogue that signs a text with the digits behind a mark changed.
func altered(mark string, n int) func(*vector, context.Context, *desk, *desk, []byte) ([]byte, error) {
	return signedBy(own, func(v *vector, text string) string {
		i := strings.Index(text, mark) + len(mark)
		flip := strings.Map(func(r rune) rune {
			switch {
			case r == '0':
				return '1'
			case r >= '1' && r <= '9' && mark == `"index":"`:
				return '0'
			case r >= '0' && r <= '9', r >= 'a' && r <= 'f':
				return '0'
			}
			return r
		}, text[i:i+n])
		return text[:i] + flip + text[i+n:]
	})
}

// vector is one random history: who holds what, which member fails how.
type vector struct {
	*county
	t      *testing.T
	rand   *rand.Rand
	before map[record.MemberID][]byte // an older honest answer of each member, to another ask
	size   uint64                     // of every member's records stream
}

func (v *vector) another(d *desk) *desk {
	i := slices.Index(v.desks, d)
	return v.desks[(i+1+v.rand.IntN(len(v.desks)-1))%len(v.desks)]
}

// honest is the road without a fault, after some time.
func (v *vector) honest(ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
	return v.deliver(ctx, from, to, body)
}

// TestHub_Ask_faults is a share of I6 that is quick under the race detector too.
func TestHub_Ask_faults(t *testing.T) { askWithFaults(t, 300) }

// TestLong_Hub_Ask_faults is I6: 5,000 random fault vectors, never a false "no hit", every failing member named with a
// state that does not count, every other counted, no answer later than the deadline.
func TestLong_Hub_Ask_faults(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	askWithFaults(t, 5000)
}

func askWithFaults(t *testing.T, vectors int) {
	names := make([]string, 0, len(faults))
	for name := range faults {
		names = append(names, name)
	}
	slices.Sort(names)
	counts, outcomes := map[string]int{}, map[federation.Outcome]int{}
	allies := map[int]*alliance{}
	for n := 2; n <= 7; n++ {
		allies[n] = ally(t, n, true)
		for i := range n {
			allies[n].dirs = append(allies[n].dirs, allies[n].directory(i))
		}
	}
	for seed := range vectors {
		r := rand.New(rand.NewPCG(uint64(seed), 6))
		a := allies[2+r.IntN(6)]
		synctest.Test(t, func(t *testing.T) {
			a.t = t
			runVector(t, a, r, seed, names, counts, outcomes)
			time.Sleep(time.Minute) // whoever is late ends
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	for _, name := range names {
		if counts[name] == 0 {
			t.Errorf("fault %q never happened", name)
		}
	}
	for _, o := range []federation.Outcome{federation.Hit, federation.NoHit, federation.Incomplete} {
		if outcomes[o] < vectors/20 {
			t.Errorf("outcome %s only %d times: the test shows little", o, outcomes[o])
		}
	}
	t.Logf("%d vectors: %v; %v", vectors, outcomes, counts)
}

func runVector(t *testing.T, a *alliance, r *rand.Rand, seed int, names []string, counts map[string]int, outcomes map[federation.Outcome]int) {
	zero := time.Now()
	c := openAlliance(t, a)
	c.now = func() time.Time { return start.Add(time.Since(zero)) }
	v := &vector{county: c, t: t, rand: r, before: map[record.MemberID][]byte{}, size: 5}
	asker := c.desks[r.IntN(len(c.desks))]
	holder := map[record.MemberID]bool{}
	for _, d := range c.desks {
		d.IndexWait = time.Millisecond
		if r.IntN(4*len(c.desks)) == 0 {
			c.publish(d, record.L3, entryAt{id: testID}, r.IntN(2) == 0)
			holder[d.dir.Self()] = true
		}
		c.commit(d, v.size)
	}
	for _, d := range c.desks { // everybody has seen everybody's newest checkpoint
		for _, o := range c.desks {
			if o != d {
				d.log.heads[o.Records] = o.log.heads[o.Records]
			}
		}
	}
	// An earlier question that nobody answers with a hit, for faults that use its answers again.
	c.call = func(ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
		note, err := c.deliver(ctx, from, to, body)
		c.mu.Lock()
		defer c.mu.Unlock()
		v.before[to.dir.Self()] = note
		return note, err
	}
	if _, err := asker.Ask(t.Context(), ask(byID(otherID))); err != nil {
		t.Fatal(err)
	}
	failing := map[record.MemberID]string{}
	if r.IntN(3) > 0 {
		for _, d := range c.desks {
			if d != asker && r.IntN(3) == 0 {
				failing[d.dir.Self()] = names[r.IntN(len(names))]
			}
		}
	}
	delay := map[record.MemberID]time.Duration{}
	for _, d := range c.desks {
		delay[d.dir.Self()] = time.Duration(r.IntN(1990)) * time.Millisecond
	}
	one := make(chan struct{}, 1) // faults share the vector's random source; a channel, as time stands still for a mutex
	c.call = func(ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
		m := to.dir.Self()
		f, bad := faults[failing[m]]
		if bad && (failing[m] == "timeout" || failing[m] == "late") {
			return f(v, ctx, from, to, body)
		}
		time.Sleep(delay[m])
		one <- struct{}{}
		defer func() { <-one }()
		if bad {
			return f(v, ctx, from, to, body)
		}
		return v.honest(ctx, from, to, body)
	}
	begin := time.Now()
	got, err := asker.Ask(t.Context(), ask(byID(testID)))
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > federation.DefaultDeadline {
		t.Errorf("seed %d: ended after %s", seed, took)
	}
	found := false
	for _, m := range got.Members {
		fault := failing[m.Member]
		if (m.State == federation.Answered) != (fault == "") {
			t.Errorf("seed %d: %s with fault %q is %s %s", seed, m.Member, fault, m.State, m.Reason)
		}
		if fault != "" {
			counts[fault]++
		}
		if holder[m.Member] && fault == "" {
			found = true
		}
	}
	if got.K != len(c.desks)-len(failing) || got.N != len(c.desks) {
		t.Errorf("seed %d: %d/%d with %d of %d failing", seed, got.K, got.N, len(failing), len(c.desks))
	}
	switch {
	case got.Outcome == federation.NoHit && (len(holder) > 0 || len(failing) > 0):
		t.Errorf("seed %d: FALSE NO HIT: holders %v, failing %v", seed, holder, failing)
	case found && got.Outcome != federation.Hit, !found && len(failing) == 0 && got.Outcome != federation.NoHit:
		t.Errorf("seed %d: %s, holders %v, failing %v", seed, got.Outcome, holder, failing)
	}
	outcomes[got.Outcome]++
}
