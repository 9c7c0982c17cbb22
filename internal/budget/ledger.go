package budget

import (
	"sync"
	"time"
)

// Rate is a limit on how often: one in Every, and Burst at once after a rest (the generic cell rate algorithm of
// ITU-T I.371, one number for each key).
type Rate struct {
	Name  string // stable code
	Key   string
	Every time.Duration
	Burst int
}

// Set is a limit on how many distinct items until a moment. An item that is in the set already costs nothing.
type Set struct {
	Name  string // stable code
	Key   string
	Item  string
	Size  int
	Until time.Time
}

// Request is one thing to be counted: it is granted by all its limits or counted by none.
type Request struct {
	At    time.Time
	Owner string // whose keys these are; see maxKeys
	Rates []Rate
	Sets  []Set
}

// Verdict says whether a request was granted.
type Verdict struct {
	Refused string        // name of the limit that is used up; empty = granted
	Retry   time.Duration // when it may be granted again, at the earliest
}

// maxKeys bounds how many keys of one owner a Ledger holds: a member that invents accounts fills its own share only. It
// refuses what would be one more, because what is not counted is not limited.
const maxKeys = 4096

// Full is the name in a verdict when an owner has too many keys.
const Full = "keys"

// Ledger keeps counts in this process. The zero Ledger is ready.
type Ledger struct {
	mu     sync.Mutex
	owners map[string]*account
}

// account is one owner's counts.
type account struct {
	rates map[string]time.Time // when the last granted one will have been worked off
	sets  map[string]*items
}

type items struct {
	until time.Time
	has   map[string]bool
}

// Take counts a request if all its limits grant it. percent scales them: 50 grants half as often and half as many.
func (l *Ledger) Take(r Request, percent int) Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.owners == nil {
		l.owners = map[string]*account{}
	}
	a := l.owners[r.Owner]
	if a == nil {
		a = &account{rates: map[string]time.Time{}, sets: map[string]*items{}}
		l.owners[r.Owner] = a
	}
	if !a.room(r) {
		a.prune(r.At)
		if !a.room(r) {
			return Verdict{Full, time.Minute}
		}
	}
	next := make([]time.Time, len(r.Rates))
	for i, rate := range r.Rates {
		every, burst := rate.Every*100/time.Duration(percent), scaled(rate.Burst, percent)
		ahead := every * time.Duration(burst)
		// A clock that was put back leaves a moment far ahead; it may cost one wait, not a day.
		done := earlier(a.rates[rate.Key], r.At.Add(ahead))
		next[i] = later(done, r.At).Add(every)
		if wait := next[i].Sub(r.At) - ahead; wait > 0 {
			return Verdict{rate.Name, wait}
		}
	}
	for _, s := range r.Sets {
		in := a.sets[s.Key]
		if in == nil || !in.until.After(r.At) || in.has[s.Item] {
			continue
		}
		if len(in.has) >= scaled(s.Size, percent) {
			return Verdict{s.Name, s.Until.Sub(r.At)}
		}
	}
	for i, rate := range r.Rates {
		a.rates[rate.Key] = next[i]
	}
	for _, s := range r.Sets {
		in := a.sets[s.Key]
		if in == nil || !in.until.After(r.At) {
			in = &items{s.Until, map[string]bool{}}
			a.sets[s.Key] = in
		}
		in.has[s.Item] = true
	}
	return Verdict{}
}

// room reports whether the request's keys still fit.
func (a *account) room(r Request) bool {
	n := len(a.rates) + len(a.sets)
	for _, rate := range r.Rates {
		if _, ok := a.rates[rate.Key]; !ok {
			n++
		}
	}
	for _, s := range r.Sets {
		if a.sets[s.Key] == nil {
			n++
		}
	}
	return n <= maxKeys
}

// prune forgets what no longer counts.
func (a *account) prune(now time.Time) {
	for k, t := range a.rates {
		if !t.After(now) {
			delete(a.rates, k)
		}
	}
	for k, in := range a.sets {
		if !in.until.After(now) {
			delete(a.sets, k)
		}
	}
}

func scaled(n, percent int) int { return max(1, n*percent/100) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
