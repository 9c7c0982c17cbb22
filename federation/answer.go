package federation

import (
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/record"
)

// Answer 核查答复 is what a question came to. It is made for one asker and kept nowhere; what the person may see of cards
// and bodies is cut once more by internal/auth.
type Answer struct {
	Ask        record.Bits128
	Federation record.FederationID
	Charter    record.CharterRef
	AsOf       string // civil date that the answer speaks for
	At         time.Time
	Outcome    Outcome
	// K of N: members that answered live and in full, of those in scope. N is every active member unless Scoped.
	K, N   int
	Scope  []record.MemberID // sorted; printed with the answer
	Scoped bool              // the asker chose Scope, so that "no hit" speaks for it only
	// TestOnly: a member in scope, or this one, may take part in exercises only, or this is an exercise among real bureaux;
	// then "no hit" is impossible whatever K is.
	TestOnly bool
	Members  []MemberAnswer // one for each member of Scope, in that order
	Hits     []LiveHit      // from live answers, full or partial
	Cards    []Card         // who the hits are about, best first; of this answer alone
	// Namesakes sums what the members said: 同名 N 人. Each counts its own, so somebody known to two is counted twice.
	Namesakes uint64
	// CheckDigit: 校验位不符,按相近号码查: the check digit of the number asked for is wrong.
	CheckDigit bool
	Fuzzy      bool         // only members with a matching engine count
	Replica    []ReplicaHit // from this node's copies; they count for nothing

	asker    record.MemberID
	body     []byte   // the ask as it was sent
	question string   // its question, as the nonce binds it
	salt     [32]byte // opens the nonce
	nonce    Hash
}

// Complete reports whether every member in scope answered live and in full.
func (a *Answer) Complete() bool { return a.K == a.N && !a.TestOnly }

// Missing returns the members that do not count.
func (a *Answer) Missing() []record.MemberID {
	var out []record.MemberID
	for _, m := range a.Members {
		if m.State != Answered {
			out = append(out, m.Member)
		}
	}
	return out
}

// MemberAnswer is what came of asking one member.
type MemberAnswer struct {
	Member     record.MemberID
	State      MemberState
	Reason     string // stable code, empty for Answered
	Latency    time.Duration
	Index      uint64 // sequence of its records stream that the answer covers
	Checkpoint []byte // its signed checkpoint of that sequence, empty for an empty stream
	Note       []byte // its signed answer verbatim; nil if it gave none that is its own
	Hits       int
	Engine     string // version of its matching engine; empty: an older release
	Namesakes  uint64 // people of exactly the name asked for among its records
	Truncated  bool   // it found more possible ones than it told, or may have
	Tally      *Tally // what it said for the count; nil if nothing
}

// LiveHit is one subject that its origin named.
type LiveHit struct {
	Member  record.MemberID
	Record  record.RecordID
	Subject record.RecordID
	Version uint64
	Type    string
	State   string
	Outcome Outcome
	Level   record.Level
	Score   float64 // bits, the sum of Lines; nothing at L1
	Lines   []match.Evidence
	Card    jsontext.Value // nil below L2
	Body    jsontext.Value // nil below L3
}

// ReplicaHit is one subject that this node's copy of a member's records names.
type ReplicaHit struct {
	LiveHit
	Stream record.StreamID
	Seq    uint64
	// Age is how long ago this node knew that the copy was whole; negative if it never did.
	Age time.Duration
	// Gone: the origin answered live, covers this record, and does not name it: withdrawn at origin, not yet here.
	Gone bool
}

// merge decides what the members' answers and the replica say together.
func (a *Answer) merge(parts []*answerText, replica []ReplicaHit) {
	covered := map[record.MemberID]uint64{}
	live := map[record.MemberID]bool{}
	seen := map[record.RecordID]uint64{} // subject → version that its origin named
	for i, p := range parts {
		m := &a.Members[i]
		if m.State == Answered {
			a.K++
			live[m.Member], covered[m.Member] = true, m.Index
		}
		if p == nil {
			continue
		}
		m.Hits, m.Tally, m.Engine, m.Namesakes, m.Truncated = len(p.Hits), p.Tally, p.Engine, p.Namesakes, p.Truncated
		a.Namesakes += p.Namesakes
		for _, h := range p.Hits {
			a.Hits = append(a.Hits, LiveHit{Member: m.Member, Record: h.Record, Subject: h.Subject, Version: h.Version, Type: h.Type,
				State: h.State, Outcome: h.Outcome, Level: h.Level, Score: h.Score, Lines: h.Lines, Card: h.Card, Body: h.Body})
			seen[h.Subject] = max(seen[h.Subject], h.Version)
		}
	}
	for _, r := range replica {
		named, ok := seen[r.Subject]
		if ok && r.Version <= named {
			continue // the origin's live answer is as new
		}
		r.Gone = !ok && live[r.Member] && r.Seq < covered[r.Member]
		a.Replica = append(a.Replica, r)
	}
	a.Cards = cards(a.Hits)
	if a.Fuzzy {
		undecided(a.Cards)
	}
	a.Outcome = a.outcome()
}

// NotFuzzy returns the members that could not serve a fuzzy question: they answered without a matching engine, or did not
// understand the ask.
func (a *Answer) NotFuzzy() []record.MemberID {
	var out []record.MemberID
	for _, m := range a.Members {
		if a.Fuzzy && (m.Reason == ReasonNoFuzzy || m.Reason == ReasonMalformed) {
			out = append(out, m.Member)
		}
	}
	return out
}

// outcome says "no hit" only when everybody in scope answered live and in full, nothing was found although nobody was left
// out for being one of too many, and no copy here is newer than what its origin's answer covers.
func (a *Answer) outcome() Outcome {
	best := Incomplete
	if a.K == a.N && a.N > 0 && !a.TestOnly && !slices.ContainsFunc(a.Replica, func(r ReplicaHit) bool { return !r.Gone }) &&
		!slices.ContainsFunc(a.Members, func(m MemberAnswer) bool { return m.Truncated }) {
		best = NoHit
	}
	for _, c := range a.Cards {
		if c.Outcome == Hit {
			return Hit
		}
		best = Possible
	}
	return best
}
