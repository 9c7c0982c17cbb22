package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/record"
)

// This file exports what docs/operate (metrics) lists. Labels are member codes, stream names, and words of ours; no metric
// says anything about a person or about what was asked.

// measures are the metrics that are written as things happen. Those that tell how things stand are read at the scrape.
type measures struct {
	ack      prometheus.Histogram
	lookup   *prometheus.HistogramVec
	members  *prometheus.CounterVec
	unpaired prometheus.Counter
	replayed *prometheus.CounterVec
}

func newMeasures() *measures {
	return &measures{
		ack: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "pilin_publish_ack_seconds", Help: "From the append of own records to their durability.",
			Buckets: []float64{.001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 2, 5}}),
		lookup: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "pilin_lookup_seconds", Help: "Federated questions of this node's people, audited on both ends; complete says whether every member in scope answered.",
			Buckets: []float64{.02, .05, .1, .2, .4, .8, 1.5, 2, 2.5, 5}}, []string{"complete"}),
		members:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "pilin_lookup_member_status_total", Help: "What came of asking each member."}, []string{"member", "status"}),
		unpaired: prometheus.NewCounter(prometheus.CounterOpts{Name: "pilin_audit_unpaired_total", Help: "Questions that left and whose outcome could not be audited; the asker got no answer."}),
		replayed: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "pilin_replay_rejected_total", Help: "One-use ids that were used before, by who knew: redis or sql."}, []string{"path"}),
	}
}

// asked takes what came of a question (federation.Hub.Measured).
func (m *measures) asked(a *federation.Answer, took time.Duration, audited bool) {
	if !audited {
		m.unpaired.Inc()
		return
	}
	m.lookup.WithLabelValues(strconv.FormatBool(a.K == a.N)).Observe(took.Seconds())
	for _, x := range a.Members {
		m.members.WithLabelValues(string(x.Member), string(x.State)).Inc()
	}
}

// register gives all metrics of this node to its registry.
func (n *Node) registerMetrics() error {
	m := n.measures
	for _, c := range []prometheus.Collector{m.ack, m.lookup, m.members, m.unpaired, m.replayed, &exchangeMetrics{n.count}, &standing{n}} {
		if err := n.registry.Register(c); err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
	}
	return nil
}

// exchangeMetrics exports the exchange's counters as pilin_<name>{value}; label values are stable codes.
type exchangeMetrics struct{ count *exchange.Counters }

// labelOf names the one label of a counter.
var labelOf = map[string]string{exchange.CountApplied: "via", exchange.CountLate: "via", exchange.CountDropped: "reason", exchange.CountDuplicate: "via",
	exchange.CountForked: "road", exchange.CountFetched: "result", exchange.CountHeads: "role", exchange.CountReceipts: "what", exchange.CountRelayFail: "kind",
	exchange.CountBreaker: "what", exchange.CountRests: "what", countGranted: "by", countRefused: "limit"}

// Describe implements prometheus.Collector: the set grows with what happens, so it is left unchecked.
func (m *exchangeMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (m *exchangeMetrics) Collect(out chan<- prometheus.Metric) {
	for _, c := range m.count.All() {
		var labels, values []string
		if l := labelOf[c.Name]; l != "" {
			labels, values = []string{l}, []string{c.Value}
		}
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc("pilin_"+c.Name, "Counted by the exchange.", labels, nil), prometheus.CounterValue, float64(c.N), values...)
	}
}

// standing exports how things stand at the moment of the scrape.
type standing struct{ n *Node }

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("pilin_"+name, help, labels, nil)
}

var (
	descBuild    = gauge("build_info", "Always 1; release is the version of the software.", "release")
	descReady    = gauge("ready", "1 if the capability works.", "capability")
	descSize     = gauge("log_size", "Records stored and verified.", "stream")
	descLag      = gauge("apply_lag_events", "Records that somebody showed and this node has not applied.", "stream")
	descLagTime  = gauge("apply_lag_seconds", "Since when the stream has been behind.", "stream")
	descGap      = gauge("gap_open", "1 if records are missing that somebody showed.", "stream")
	descPending  = gauge("part_pending", "Parts that this node is entitled to and does not have.", "stream")
	descUnusable = gauge("unusable_total", "Proven records that have no effect here.", "stream", "reason")
	descCosigned = gauge("checkpoint_cosigners", "Active members whose newest receipt covers the newest checkpoint.", "stream")
	descForks    = gauge("fork_evidence_total", "Streams of which evidence of a fork is kept.")
	descKeyDays  = gauge("key_days_left", "Days until the rotation of this member's key is due.", "kind")
	descSkew     = gauge("clock_skew_seconds", "The peer's clock less ours.", "peer")
	descHeard    = gauge("peer_heard_seconds", "Since the last head exchange with the peer.", "peer")
	descErase    = gauge("erase_overdue_total", "Own corrections, withdrawals and erasures that the member has not shown to have applied after 72 hours.", "member")
	descStalled  = gauge("relay_stalled", "1 if own records have waited for Kafka for more than a minute.")
	descDisk     = gauge("disk_used_ratio", "Used share of the disk that this place lies on.", "place")
	descDiskFree = gauge("disk_free_bytes", "Bytes that are left there.", "place")
	descFrozen   = gauge("charter_frozen", "1 if the charter has two successors.")
)

// Describe implements prometheus.Collector: series come and go with the members, so the set is left unchecked.
func (s *standing) Describe(chan<- *prometheus.Desc) {}

// scrapeTime bounds one scrape: a database that is gone must not hold the collector up.
const scrapeTime = 3 * time.Second

// Collect implements prometheus.Collector.
func (s *standing) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	put := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	n := s.n
	put(descBuild, 1, Release)
	for _, c := range n.ready(ctx) {
		put(descReady, truth(c.Ready), c.Name)
	}
	for _, d := range n.disks() {
		put(descDisk, d.UsedPercent/100, d.Place)
		put(descDiskFree, float64(d.FreeBytes), d.Place)
	}
	_, frozen := n.dir.Frozen()
	put(descFrozen, truth(frozen))
	if err := s.members(put); err != nil {
		n.slog.LogAttrs(ctx, slog.LevelWarn, "metrics of members left out", slog.String("err", err.Error()))
	}
	if err := s.streams(ctx, put); err != nil && !errors.Is(err, record.ErrStorageFull) {
		n.slog.LogAttrs(ctx, slog.LevelWarn, "metrics of streams left out", slog.String("err", err.Error()))
	}
}

type putFunc func(d *prometheus.Desc, v float64, labels ...string)

// members writes what is known of the members.
func (s *standing) members(put putFunc) error {
	days, err := namedOn(s.n.dir)
	if err != nil {
		return err
	}
	for _, code := range s.n.dir.Active() {
		m, ok := s.n.dir.Member(code)
		if !ok {
			continue
		}
		st := s.n.memberStatus(m, s.n.dir.Synthetic(), days)
		if st.Self {
			for _, k := range st.Keys {
				if k.DaysLeft != nil {
					put(descKeyDays, float64(*k.DaysLeft), k.Kind)
				}
			}
			continue
		}
		if st.ClockOffset != nil {
			put(descSkew, float64(*st.ClockOffset), string(code))
		}
		if st.HeardSecAgo >= 0 {
			put(descHeard, float64(st.HeardSecAgo), string(code))
		}
	}
	return nil
}

// streams writes how far this node is with every stream of records.
func (s *standing) streams(ctx context.Context, put putFunc) error {
	all, err := s.n.streamStatus(ctx)
	if err != nil {
		return err
	}
	for i := range all {
		s.stream(&all[i], put)
	}
	evidence, err := s.n.store.Evidence(ctx)
	if err != nil {
		return err
	}
	put(descForks, float64(len(evidence)))
	overdue, err := s.n.eraseOverdue(ctx)
	if err != nil {
		return err
	}
	for m, n := range overdue {
		put(descErase, float64(n), string(m))
	}
	stalled, err := s.n.relayStalled(ctx)
	if err != nil {
		return err
	}
	put(descStalled, truth(stalled))
	return nil
}

func (s *standing) stream(st *httpapi.StreamStatus, put putFunc) {
	put(descSize, float64(st.Size), st.Stream)
	put(descLag, float64(st.Seen-min(st.Seen, st.Applied)), st.Stream)
	put(descLagTime, float64(st.LagSeconds), st.Stream)
	put(descGap, truth(st.Seen > st.Size), st.Stream)
	put(descPending, float64(st.PendingParts), st.Stream)
	put(descCosigned, float64(st.Receipts), st.Stream)
	for why, k := range st.Unusable {
		put(descUnusable, float64(k), st.Stream, why)
	}
}

// relayStalledAfter is how long own records may wait for Kafka before it counts as stalled.
const relayStalledAfter = time.Minute

// relayStalled reports whether own signed records have waited for the broker for long. Peers pull them meanwhile.
func (n *Node) relayStalled(ctx context.Context) (bool, error) {
	if n.t.broker == nil {
		return false, nil
	}
	own := record.Stream(n.cfg.Member, record.Records)
	h, err := n.store.Head(ctx, own)
	if err != nil {
		return false, err
	}
	confirmed, err := n.t.relay.Sent(ctx) // what is stored is a few frames behind while a bureau publishes without a pause
	if err != nil {
		return false, err
	}
	return n.relayLag.of(own, confirmed < h.Signed, n.now()) > relayStalledAfter, nil
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
