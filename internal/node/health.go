package node

import (
	"context"
	"sync"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// Release is the version of this software, told to members and printed by pilin version; between releases it says so.
const Release = "0.1-dev"

// keyLife is how long a signing key is in use before its rotation is due: a quarter (docs/operate, keys).
const keyLife = 91

// quarantine counts proven records that have no effect here. Counting them is a walk over a stream, so each stream is
// walked once and then followed; a part that came late can give an older record its effect, so then it is walked anew.
type quarantine struct {
	mu      sync.Mutex
	streams map[record.StreamID]*followed
}

type followed struct {
	to    uint64
	count map[string]int
}

// again makes the next look at a stream begin at its first record.
func (q *quarantine) again(s record.StreamID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.streams, s)
}

// of returns how many records of a stream have no effect, by reason.
func (q *quarantine) of(ctx context.Context, store *sqlstore.Store, h record.Head) (map[string]int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.streams == nil {
		q.streams = map[record.StreamID]*followed{}
	}
	f := q.streams[h.Stream]
	if f == nil || f.to > h.Size {
		f = &followed{count: map[string]int{}}
	}
	if f.to < h.Size {
		news, err := store.Unusable(ctx, h.Stream, f.to, h.Size)
		if err != nil {
			return nil, err
		}
		next := &followed{to: h.Size, count: news}
		for why, n := range f.count {
			next.count[why] += n
		}
		f = next
		q.streams[h.Stream] = f
	}
	return f.count, nil
}

// lagging remembers since when a stream is behind what somebody showed of it.
type lagging struct {
	mu    sync.Mutex
	since map[record.StreamID]time.Time
}

// of returns how long a stream has been behind; zero when it is not.
func (l *lagging) of(s record.StreamID, behind bool, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.since == nil {
		l.since = map[record.StreamID]time.Time{}
	}
	began, ok := l.since[s]
	switch {
	case !behind:
		delete(l.since, s)
		return 0
	case !ok:
		l.since[s] = now
		return 0
	}
	return max(0, now.Sub(began))
}

// streamStatus tells how far this node is with every records stream, and since when it is behind.
func (n *Node) streamStatus(ctx context.Context) ([]httpapi.StreamStatus, error) {
	heads, err := n.store.Heads(ctx)
	if err != nil {
		return nil, err
	}
	pending, err := n.store.CountPending(ctx)
	if err != nil {
		return nil, err
	}
	out := []httpapi.StreamStatus{}
	for _, h := range heads {
		if h.Stream.Kind() != record.Records {
			continue
		}
		s := httpapi.StreamStatus{Stream: string(h.Stream), Size: h.Size, Applied: h.Applied, Signed: h.Signed, Indexed: n.index.Applied(h.Stream),
			Seen: max(h.Size, n.t.gaps.Seen(h.Stream)), Frozen: h.Frozen, PendingParts: pending[h.Stream]}
		s.LagSeconds = int64(n.lag.of(h.Stream, s.Applied < s.Seen, n.now()) / time.Second)
		if s.Unusable, err = n.quarantine.of(ctx, n.store, h); err != nil {
			return nil, err
		}
		if h.Signed > 0 {
			c, err := n.t.receipts.Coverage(ctx, h.Stream, h.Signed-1, n.dir.Active())
			if err != nil {
				return nil, err
			}
			s.Receipts, s.WithoutReceipt = c.K, append([]record.MemberID{}, c.Missing...)
		}
		out = append(out, s)
	}
	return out, nil
}

// memberStatus tells of one member what its last head exchange told, and how old its keys are.
func (n *Node) memberStatus(m federation.Member, synthetic bool, days *namings) httpapi.MemberStatus {
	s := httpapi.MemberStatus{Member: m.Code, Name: m.Name, State: string(m.State), TestOnly: m.TestOnly(synthetic), HeardSecAgo: -1, Self: m.Code == n.cfg.Member}
	if age, ok := n.age(m.Code); ok {
		s.HeardSecAgo = int64(age / time.Second)
	}
	_, s.Down = n.t.breaker.Down(m.Code)
	if st, ok := n.t.heads.Standing(m.Code); ok {
		s.CharterVersion, s.Release = st.Charter.Version, st.Release
		if st.Known {
			offset := int64(st.Offset / time.Second)
			s.ClockOffset = &offset
		}
	}
	if s.Self {
		zero := int64(0)
		s.CharterVersion, s.Release, s.ClockOffset, s.HeardSecAgo = n.dir.Charter().Version, Release, &zero, 0
	}
	s.Keys = n.keyStatus(m, days)
	return s
}

// namings are the days on which charter versions first named a key. A key that no version names yet stands in a statement
// alone, which carries no day.
type namings struct {
	sign map[string]string
	tls  map[federation.Hash]string
	kem  map[federation.KEMKey]string
}

// namedOn reads the versions of the charter.
func namedOn(dir *federation.Directory) (*namings, error) {
	d := &namings{sign: map[string]string{}, tls: map[federation.Hash]string{}, kem: map[federation.KEMKey]string{}}
	for _, note := range dir.Versions(1) {
		c, err := federation.ParseCharter(note)
		if err != nil {
			return nil, err
		}
		for _, m := range c.Members {
			for _, k := range m.Sign {
				first(d.sign, string(k.Key), c.Day)
			}
			first(d.tls, m.TLS, c.Day)
			first(d.kem, m.KEM, c.Day)
		}
	}
	return d, nil
}

func first[K comparable](days map[K]string, k K, day string) {
	if _, known := days[k]; !known {
		days[k] = day
	}
}

// keyStatus lists the keys of a member that are in use.
func (n *Node) keyStatus(m federation.Member, days *namings) []httpapi.KeyStatus {
	key := func(kind, day string) httpapi.KeyStatus {
		k := httpapi.KeyStatus{Kind: kind, Since: day, AgeDays: -1}
		if t, err := time.ParseInLocation(time.DateOnly, day, record.CivilZone); err == nil {
			k.AgeDays = int(n.now().Sub(t) / (24 * time.Hour))
			left := keyLife - k.AgeDays
			k.DaysLeft = &left
		}
		return k
	}
	cur := m.Sign[len(m.Sign)-1]
	sign := key("sign", days.sign[string(cur.Key)])
	sign.Name = KeyName(cur.Key)
	out := []httpapi.KeyStatus{sign, key("tls", days.tls[m.TLS]), key("kem", days.kem[m.KEM])}
	for _, r := range m.Revoked {
		k := key("sign_revoked", days.sign[string(r.Key)])
		k.Name, k.DaysLeft = KeyName(r.Key), nil
		out = append(out, k)
	}
	return out
}
