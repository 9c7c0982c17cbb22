package exchange

import (
	"cmp"
	"slices"
	"sync"

	"github.com/pilinhub/pilin/record"
)

// Roads on which a frame can come; values of the label via.
const (
	ViaKafka = "kafka"
	ViaHTTP  = "http"
)

// Names of the counters. internal/node exports each as pilin_<name>.
const (
	CountApplied   = "applied_total"     // records applied, by via
	CountLate      = "late_parts_total"  // frames that brought parts of records stored before, by via
	CountDropped   = "dropped_total"     // frames dropped, by reason (the Follower's codes and those of Replicas)
	CountDuplicate = "duplicates_total"  // frames that brought nothing new, by via
	CountHeld      = "held_total"        // frames that came too early and were kept
	CountLives     = "topic_lives_total" // times a log topic was found made again or trimmed and was read from its first offset
	CountForked    = "forked_total"      // forks found, by road (kafka, http, heads, leaves)
	CountFetched   = "fetched_total"     // range requests, by result (ok, empty, error, unproven)
	CountHeads     = "heads_total"       // head exchanges processed, by role (asked, answered)
	CountReceipts  = "receipts_total"    // receipts, by what happened (signed, kept, refused)
	CountRelayed   = "relayed_total"     // frames confirmed by the broker
	CountRelayFail = "relay_fails_total" // attempts to produce that failed, by kind (error, refused)
	CountBreaker   = "breaker_total"     // members that stopped answering, by what (opened, closed, spared = questions that did not wait)
	CountRests     = "rests_total"       // peers that said too many requests, by what (told, waited = calls that were not made)
	CountDeleted   = "deleted_parts_total"
)

// Counters counts events by name and one label value. The zero Counters is ready; nil counts nothing. Label values are
// stable codes, never something that a peer chose, so the set is bounded.
type Counters struct {
	mu sync.Mutex
	n  map[counterKey]int64
}

type counterKey struct{ name, value string }

// Add adds n to the counter name with this label value (empty for a counter without label).
func (c *Counters) Add(name, value string, n int64) {
	if c == nil || n == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[counterKey]int64{}
	}
	c.n[counterKey{name, value}] += n
}

// Get returns one counter.
func (c *Counters) Get(name, value string) int64 {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[counterKey{name, value}]
}

// Count is one counter's value.
type Count struct {
	Name, Value string // Value of the label
	N           int64
}

// All returns every counter that was ever raised, sorted by name and value.
func (c *Counters) All() []Count {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []Count
	for k, n := range c.n {
		all = append(all, Count{k.name, k.value, n})
	}
	slices.SortFunc(all, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
	})
	return all
}

// Alarm is something that a person must look at. Code is stable and has its text at the border.
type Alarm struct {
	Code   string
	Stream record.StreamID
	Peer   record.MemberID // whose bytes or answer it was about; empty if nobody's
}

// Codes of alarms.
const (
	AlarmFork         = "fork"           // a member signed two trees of one stream
	AlarmSelfFork     = "self_fork"      // a peer shows a checkpoint of ours that does not fit our log
	AlarmWrongStream  = "wrong_stream"   // a topic carries frames of somebody else's stream
	AlarmUnproven     = "unproven_bytes" // a peer handed over bytes that do not prove
	AlarmRelayRefused = "relay_refused"  // the broker refuses a frame for good; peers pull meanwhile
	AlarmTakenBack    = "taken_back"     // peers held records of ours that the log had lost
	AlarmCharterSplit = "charter_split"  // a peer holds another charter of our version
	AlarmReceipt      = "bad_receipt"    // a peer's receipt does not verify
	AlarmClock        = "clock_skew"     // a peer's clock differs by more than five minutes
)
