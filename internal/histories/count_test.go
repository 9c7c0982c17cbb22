package histories_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas/identifier"
	"github.com/pilinhub/pilin/transfer"
)

// asked is what was typed at the door, as the look-up and as the count read it.
var asked = federation.Question{Name: identifier.NewSecret("测甲一"), BirthDate: identifier.NewSecret("1900-01-15"), IDType: "RIC", IDNo: identifier.NewSecret(card)}

func subjectAsked() transfer.Person {
	d, err := identifier.ParseDate("1900-01-15")
	if err != nil {
		panic(err)
	}
	return transfer.Person{Name: "测甲一", IDType: "RIC", IDNo: card, Sex: identifier.SexMale, Birth: transfer.Birth{Year: 1900, Day: d}, HukouRegion: "320623"}
}

// count reckons the question as of a day: each member's tally from the records of its place, joined by the asker's.
func (h *history) count(at func(record.MemberID) *place, asOf string) (transfer.Result, error) {
	day, err := identifier.ParseDate(asOf)
	if err != nil {
		return transfer.Result{}, err
	}
	var said []transfer.Heard
	for _, m := range bureaux {
		t, err := at(m).tally(m, asked, asOf, h.levels[m])
		if err != nil {
			return transfer.Result{}, fmt.Errorf("tally of %s as of %s: %w", m, asOf, err)
		}
		said = append(said, transfer.Heard{Member: string(m), Rule: t.Rule, Facts: t.Facts, Lines: t.Lines, Basic: int(t.Basic), Full: true})
	}
	q, silent := transfer.Collect(subjectAsked(), day, len(bureaux), said)
	if len(silent) > 0 {
		return transfer.Result{}, fmt.Errorf("as of %s: unreadable: %v", asOf, silent)
	}
	q.NewAct = &transfer.NewAct{At: day.AddDays(-3), Place: "310116", TreatingConfirmed: true, Officers: []string{"99000000001", "99000000002"}, Qualification: transfer.Unqualified}
	return transfer.Count(q), nil
}

// lived is a count while the history was lived.
type lived struct {
	frames int // that had gone out by then
	asOf   string
	result transfer.Result
}

// live lives a history of about so many acts: after every append the bureaux count from what they have folded so far.
func live(seed uint64, acts int) (*history, []lived, error) {
	h := newHistory(seed)
	if err := h.begin(); err != nil {
		return nil, nil, err
	}
	var out []lived
	for range acts - 3 + h.draw.IntN(7) {
		from, err := h.act()
		if err != nil {
			return nil, nil, err
		}
		before := len(h.frames)
		if err := h.deliver(from); err != nil {
			return nil, nil, err
		}
		if len(h.frames) == before {
			continue
		}
		asOf := record.CivilDay(h.now)
		r, err := h.count(func(m record.MemberID) *place { return h.places[m] }, asOf)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, lived{len(h.frames), asOf, r})
	}
	return h, out, nil
}

// check lives a history of so many acts, and compares the count as of so many days; prefixes is of how many moments of it
// the past is rebuilt.
func check(seed uint64, acts, days, prefixes int) (*history, error) {
	h, moments, err := live(seed, acts)
	if err != nil {
		return nil, err
	}
	// Whoever rebuilds does so later: what was so then may not hang on the clock.
	later := func() time.Time { return h.now.AddDate(1, 0, 0) }
	rebuilt := map[record.MemberID]*place{}
	for _, m := range bureaux {
		p := placeOn(h.places[m].log.Crash(), m, chacha(seed, 50), later)
		if err := p.index.CatchUp(ctx); err != nil {
			return nil, err
		}
		rebuilt[m] = p
	}
	draw := rand.New(rand.NewPCG(seed, 77))
	other, err := redelivered(h.frames, draw, chacha(seed, 51), later)
	if err != nil {
		return nil, err
	}
	for i := range days {
		// From before the first decision to after the last period for remedies has passed; the first one is today.
		asOf := record.CivilDay(h.now.AddDate(0, 0, draw.IntN(600)-400))
		if i == 0 {
			asOf = record.CivilDay(h.now)
		}
		want, err := h.count(func(m record.MemberID) *place { return h.places[m] }, asOf)
		if err != nil {
			return nil, err
		}
		for what, at := range map[string]func(record.MemberID) *place{
			"rebuilt from the logs":  func(m record.MemberID) *place { return rebuilt[m] },
			"in another valid order": func(record.MemberID) *place { return other },
		} {
			got, err := h.count(at, asOf)
			if err != nil {
				return nil, err
			}
			if !reflect.DeepEqual(got, want) {
				return nil, fmt.Errorf("as of %s, %s:\n%+v\nlived:\n%+v", asOf, what, got, want)
			}
		}
	}
	for range min(prefixes, len(moments)) {
		m := moments[draw.IntN(len(moments))]
		then, err := redelivered(h.frames[:m.frames], draw, chacha(seed, 52), later)
		if err != nil {
			return nil, err
		}
		got, err := h.count(func(record.MemberID) *place { return then }, m.asOf)
		if err != nil {
			return nil, err
		}
		if !reflect.DeepEqual(got, m.result) {
			return nil, fmt.Errorf("after frame %d as of %s, rebuilt:\n%+v\nlived:\n%+v", m.frames, m.asOf, got, m.result)
		}
	}
	h.told["counts lived"] += len(moments)
	for _, m := range moments {
		h.told["alert "+string(m.result.Alert)]++
		for _, v := range m.result.Verdicts {
			h.told["verdict "+string(v.Verdict)+" "+string(v.Reason)]++
			h.told["level "+string(v.Level)]++
		}
	}
	return h, nil
}

// play checks n histories and fails with the lowest seed that differs.
func play(t *testing.T, n, acts, days, prefixes, workers int) {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // histories are small and many
	began := time.Now()
	var next atomic.Int64
	var mu sync.Mutex
	var wg sync.WaitGroup
	worst, worstSeed := error(nil), uint64(0)
	total := map[string]int{}
	for range workers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				h, err := check(uint64(i), acts, days, prefixes)
				mu.Lock()
				if err != nil && (worst == nil || uint64(i) < worstSeed) {
					worst, worstSeed = err, uint64(i)
					next.Store(int64(n))
				}
				if h != nil {
					for k, c := range h.told {
						total[k] += c
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if worst != nil {
		t.Fatalf("seed %d: %v", worstSeed, worst)
	}
	t.Logf("%d histories in %v with %d workers", n, time.Since(began).Round(time.Millisecond), workers)
	for _, k := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%9d %s", total[k], k)
	}
	// A run in which nothing of this happens proves nothing.
	for _, k := range []string{"penalty", "identity.link", "blacklist.person", "correct", "withdraw link", "suspend entry", "lift entry", "withdraw entry", "status served",
		"status remedy_event", "status suspended", "status lifted", "status voided", "status confirmed", "status objection", "status transferred", "status photo_compared",
		"level R1", "level R1L", "level R2", "level RX", "alert G0", "alert G1", "alert GP", "alert G3d", "verdict C counted"} {
		if total[k] == 0 {
			t.Errorf("no %s in %d histories", k, n)
		}
	}
}

// ctx is that of all calls: nothing here waits.
var ctx = context.Background()

func setting(t *testing.T, unset int) int {
	t.Helper()
	s := os.Getenv("PILIN_COUNT_HISTORIES")
	if s == "" {
		return unset
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("PILIN_COUNT_HISTORIES: %q", s)
	}
	return n
}

// TestHistories is the short form, with more of the past of each.
func TestHistories(t *testing.T) { play(t, 24, 20, 4, 3, runtime.GOMAXPROCS(0)) }

// TestLongHistories is issue-sized: it runs alone. PILIN_COUNT_HISTORIES sets how many.
func TestLongHistories(t *testing.T) { play(t, setting(t, 10_000), 9, 2, 0, runtime.GOMAXPROCS(0)) }
