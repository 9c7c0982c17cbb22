//go:build linux

package bench

import (
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pilinhub/pilin/match"
)

var (
	records = flag.Int("records", 1000000, "size of the registry")
	asks    = flag.Int("questions", 20000, "distinct questions")
	dir     = flag.String("dir", "", "where snapshots are written; a temporary directory if empty")
)

const seed = 20261125

// BenchmarkMatch is rows b and f of the goals, in-process: build, memory, questions by name alone and with a birth year,
// after 1,000 deletes and while 1,000 records a second come in, and the way back from a snapshot.
func BenchmarkMatch(b *testing.B) {
	for b.Loop() {
		measure(b, *records, *asks)
	}
}

func measure(b *testing.B, records, asks int) {
	r := registry{seed}
	before := resident()
	begun, cpu := time.Now(), processor()
	e := match.NewEngine(match.WithSecret([]byte("a secret of synthetic benchmarks")))
	e.LoadEach(func(yield func(match.Entry) bool) {
		for i := range records {
			if !yield(r.entry(i)) {
				return
			}
		}
	})
	logf("load average %s, %d records", load(), records)
	logf("build %.1f s, processor %.1f s (with making the records)", time.Since(begun).Seconds(), (processor() - cpu).Seconds())
	debug.FreeOSMemory()
	logf("memory %d B/record resident", (resident()-before)/records)
	for i := range 1000 {
		e.Delete(ref(i*(records/1000)), 1<<40)
	}
	qs := r.questions(records, asks)
	stop := inserting(e, r, records)
	ask(e, r, qs, "name alone", false)
	ask(e, r, qs, "name and birth year", true)
	places(e, r, records, asks/4)
	both(e, qs)
	stop()
	restart(b, e)
}

func (q *asked) question(r registry, year bool) match.Question {
	out := match.Question{Name: q.name}
	if year {
		out.Birth = r.entry(q.id).Birth[:4]
	}
	return out
}

// ask puts the questions one after the other.
func ask(e *match.Engine, r registry, qs []asked, about string, year bool) {
	runtime.LockOSThread() // questions are timed by the wall and by this thread's own processor time
	defer runtime.UnlockOSThread()
	var took, used []time.Duration
	byKind := map[string][]time.Duration{}
	hits, of := map[string]int{}, map[string]int{}
	posed := make([]match.Question, len(qs))
	for i := range qs {
		posed[i] = qs[i].question(r, year)
	}
	for i, q := range posed {
		begun, cpu := time.Now(), threadProcessor()
		a := e.Ask(q)
		d := time.Since(begun)
		used = append(used, threadProcessor()-cpu)
		took, byKind[qs[i].kind] = append(took, d), append(byKind[qs[i].kind], d)
		of[qs[i].kind]++
		if found(r, &qs[i], a) {
			hits[qs[i].kind]++
		}
	}
	logf("%s: %d questions, p50 %s p99 %s max %s; processor time p50 %s p99 %s; load average %s", about, len(qs), quantile(took, 0.5), quantile(took, 0.99), slices.Max(took),
		quantile(used, 0.5), quantile(used, 0.99), load())
	for _, k := range kinds {
		logf("   %-14s n %6d  among ten %5.1f %%  p50 %s p99 %s", k.kind, of[k.kind], 100*float64(hits[k.kind])/float64(max(1, of[k.kind])), quantile(byKind[k.kind], 0.5), quantile(byKind[k.kind], 0.99))
	}
}

// places asks by whole addresses with one character lost, and as they are.
func places(e *match.Engine, r registry, records, asks int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	d := r.draw(1 << 61)
	for _, lost := range []bool{false, true} {
		var took, used []time.Duration
		hits := 0
		for len(took) < asks {
			id := d.IntN(records)
			if id%(records/1000) == 0 { // deleted
				continue
			}
			en := r.entry(id)
			if len(en.Addresses) == 0 {
				continue
			}
			at := en.Addresses[0]
			if lost {
				at = withoutOne(d, at)
			}
			begun, cpu := time.Now(), threadProcessor()
			a := e.Ask(match.Question{Address: at})
			took = append(took, time.Since(begun))
			used = append(used, threadProcessor()-cpu)
			if slices.ContainsFunc(a.Candidates, func(c match.Candidate) bool {
				n := number(c.Ref)
				return n == id || slices.Equal(r.entry(n).Addresses, en.Addresses)
			}) {
				hits++
			}
		}
		about := "address"
		if lost {
			about = "address, one character lost"
		}
		logf("%s: %d questions, among ten %.1f %%, p50 %s p99 %s; processor time p50 %s p99 %s; load average %s", about, len(took), 100*float64(hits)/float64(len(took)), quantile(took, 0.5), quantile(took, 0.99),
			quantile(used, 0.5), quantile(used, 0.99), load())
	}
}

// withoutOne leaves out one character of province, city, county, town, road or village: between two numbers it would make
// another number.
func withoutOne(d draw, s string) string {
	r := []rune(s)
	for {
		if i := d.IntN(len(r) - 1); r[i] > '9' && (i == 0 || r[i-1] > '9' || r[i+1] > '9') {
			return string(slices.Delete(r, i, i+1))
		}
	}
}

// found: the record that is meant, or a namesake of it, as a name alone cannot tell them apart.
func found(r registry, q *asked, a match.Answer) bool {
	name := r.name(q.id)
	return slices.ContainsFunc(a.Candidates, func(c match.Candidate) bool { return number(c.Ref) == q.id || r.name(number(c.Ref)) == name })
}

// both keeps two askers busy for ten seconds.
func both(e *match.Engine, qs []asked) {
	var wg sync.WaitGroup
	var n atomic.Int64
	begun := time.Now()
	for w := range 2 {
		wg.Go(func() {
			for i := w; time.Since(begun) < 10*time.Second; i += 2 {
				e.Ask(match.Question{Name: qs[i%len(qs)].name})
				n.Add(1)
			}
		})
	}
	wg.Wait()
	logf("two askers: %.0f questions/s; load average %s", float64(n.Load())/time.Since(begun).Seconds(), load())
}

// inserting puts 1,000 records a second until stop is called.
func inserting(e *match.Engine, r registry, from int) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		t := time.NewTicker(10 * time.Millisecond)
		defer t.Stop()
		begun, n := time.Now(), 0
		var slowest time.Duration
		for {
			select {
			case <-done:
				logf("%d records came in, %.0f/s, the slowest took %s", n, float64(n)/time.Since(begun).Seconds(), slowest)
				return
			case <-t.C:
				for due := int(time.Since(begun).Milliseconds()); n < due; n++ {
					one := time.Now()
					e.Put(r.entry(from + n))
					slowest = max(slowest, time.Since(one))
				}
			}
		}
	})
	return func() { close(done); wg.Wait() }
}

func restart(b *testing.B, e *match.Engine) {
	where := *dir
	if where == "" {
		where = b.TempDir()
	}
	path := filepath.Join(where, "bench.index")
	defer os.Remove(path) //nolint:errcheck // a temporary file
	begun := time.Now()
	if err := e.WriteSnapshot(path, nil, rand.Reader); err != nil {
		b.Fatal(err)
	}
	st, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	n := e.Len()
	logf("snapshot written in %.1f s, %d B/record", time.Since(begun).Seconds(), int(st.Size())/n)
	*e = match.Engine{}
	runtime.GC()
	begun, cpu := time.Now(), processor()
	back, _, err := match.OpenSnapshot(path, match.WithSecret([]byte("a secret of synthetic benchmarks")))
	if err != nil {
		b.Fatal(err)
	}
	logf("restart from it %.1f s, processor %.1f s, %d records; load average %s", time.Since(begun).Seconds(), (processor() - cpu).Seconds(), back.Len(), load())
}

// logf prints at once: testing keeps only some lines of a benchmark.
func logf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	d = slices.Sorted(slices.Values(d))
	return d[int(q*float64(len(d)-1))].Round(time.Microsecond)
}

// resident is the memory of this process in RAM, without mapped files.
func resident() int {
	b, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			n, _ := strconv.Atoi(strings.Fields(rest)[0])
			return n * 1024
		}
	}
	return 0
}

func load() string {
	b, _ := os.ReadFile("/proc/loadavg")
	return strings.Join(strings.Fields(string(b))[:min(3, len(strings.Fields(string(b))))], " ")
}
