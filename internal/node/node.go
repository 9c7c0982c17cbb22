package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/internal/kafkabus"
	"github.com/pilinhub/pilin/internal/keystore"
	"github.com/pilinhub/pilin/internal/rediscache"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// ErrNotJoined: the store holds no charter yet.
var ErrNotJoined = errors.New("not a member of a federation yet: run pilin join")

// Node is one member's node. Open builds it, Run serves until its context ends, Close lets go of the store.
type Node struct {
	cfg     Config
	slog    *slog.Logger
	now     func() time.Time
	keys    *federation.Keys // the key file
	storage *keystore.Store  // the storage keys
	known   *federation.Keys // those of it that the charter names now
	dir     *federation.Directory
	store   *sqlstore.Store
	redis   *rediscache.Cache // nil: none
	index   *federation.LogIndex
	duties  duties
	hub     *federation.Hub
	roster  *exchange.Roster
	count   *exchange.Counters
	t       *traffic

	wakeIndex chan struct{}
	alarms    alarms
	audit     record.StreamID          // where this node's audit goes on
	local     record.StreamID          // where its drafts and L0 records do
	calendar  *workflow.Calendar       // statutory, with the operator's years
	mark      atomic.Pointer[copyMark] // the database is an older copy; nil: it is not
	documents int                      // how many kept documents were read

	quarantine quarantine
	erasures   erasures
	lag        lagging // of what was applied, by stream
	relayLag   lagging // of what Kafka confirmed
	measures   *measures
	tracer     trace.Tracer
	endTracing func()

	services
}

// Open builds a node from its configuration. Nothing is served and nothing leaves before Run.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*Node, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	n := &Node{cfg: cfg, slog: log.With(slog.String("member", string(cfg.Member))), now: cfg.Now, count: &exchange.Counters{}, measures: newMeasures(),
		wakeIndex: newWake()}
	var err error
	if n.calendar, err = cfg.calendar(); err != nil {
		return nil, err
	}
	if n.keys, err = ReadKeys(cfg.Data); err != nil {
		return nil, err
	}
	if n.keys.Member != cfg.Member {
		return nil, fmt.Errorf("keys in %s are of %s, the configuration says %s", cfg.Data, n.keys.Member, cfg.Member)
	}
	if n.store, err = n.openStore(ctx); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := n.build(ctx); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// openStore opens the database with the storage keys; what it needs of the directory it asks for when it needs it.
func (n *Node) openStore(ctx context.Context) (*sqlstore.Store, error) {
	var err error
	if n.storage, err = readStorageKeys(&n.cfg); err != nil && !errors.Is(err, ErrNoStorageKeys) {
		return nil, err
	}
	missing := err // until it turns out that none are needed yet
	store, err := sqlstore.Open(ctx, sqlstore.Config{
		Keys: n.storage,
		MakeKeys: func() (*keystore.Store, error) {
			var err error
			n.storage, err = makeStorageKeys(&n.cfg, n.now())
			return n.storage, err
		},
		Driver: n.cfg.Database.Driver, DSN: n.cfg.Database.DSN, Self: n.cfg.Member,
		Federation: func() record.FederationID { return n.dir.Federation() },
		Sealer:     &record.Sealer{Random: rand.Reader, Current: func(g record.GroupID) (record.EpochKey, bool) { return n.dir.CurrentEpoch(g) }},
		Signer:     n.signer,
		Charter:    func() record.CharterRef { return n.dir.Charter() },
		Now:        n.now, Project: project, ProjectVersion: projectVersion, UnsafeTest: n.cfg.UnsafeTest, Progress: n.cfg.Progress.of(StepSubject),
	})
	if errors.Is(err, sqlstore.ErrSealed) && missing != nil {
		err = fmt.Errorf("%w; %w: bring the key store back from where it is kept apart", err, missing)
	}
	return store, err
}

// signer returns what signs an own stream at a sequence. The history of keys counts sequences of the streams that others
// hold; audit and local never leave, and are signed by the key of the day (ADR 11): a shorter stream must not ask for a key
// that is lost or stolen.
func (n *Node) signer(s record.StreamID, seq uint64) (*record.Signer, bool) {
	if s.Kind() == record.Records {
		return n.dir.Signer(s, seq)
	}
	sg, err := n.dir.CurrentSigner()
	return sg, err == nil && s.Member() == n.cfg.Member
}

// knownKeys returns those keys of the file that the charter names now: a file may hold a newer one whose statement was
// never made.
func knownKeys(dir *federation.Directory, k *federation.Keys) (*federation.Keys, error) {
	e, _ := dir.Member(k.Member)
	known, ok := k.As(e)
	if !ok {
		return nil, fmt.Errorf("the charter's signing or TLS key of %s is not in the key file: bring back the key file, or run pilin key recover", k.Member)
	}
	return known, nil
}

// build makes the parts, each from those before it.
func (n *Node) build(ctx context.Context) error {
	var err error
	if n.dir, err = readDirectory(ctx, n.store, n.keys); err != nil {
		return err
	}
	if !n.dir.IsActive(n.cfg.Member) {
		return fmt.Errorf("%s is not an active member of %s", n.cfg.Member, n.dir.Name())
	}
	if n.known, err = knownKeys(n.dir, n.keys); err != nil {
		return err
	}
	if signed, err := n.resign(ctx); err != nil {
		return fmt.Errorf("sign own records anew: %w", err)
	} else if signed > 0 { // a recovery was broken off
		n.slog.LogAttrs(ctx, slog.LevelWarn, "own records signed anew", slog.Int("groups", signed))
	}
	if n.cfg.Redis.URL != "" {
		if n.redis, err = rediscache.Open(n.cfg.Redis.URL, n.dir.Federation().String(), string(n.cfg.Member)); err != nil {
			return err
		}
	}
	n.audit, n.local = record.Stream(n.cfg.Member, record.Audit), record.Stream(n.cfg.Member, record.Local)
	if err := n.readCopyMark(ctx); err != nil {
		return err
	}
	if err := n.openIndex(ctx); err != nil {
		return err
	}
	if err := n.buildTracing(ctx); err != nil {
		return err
	}
	if err := n.buildTraffic(); err != nil {
		return err
	}
	records := record.Stream(n.cfg.Member, record.Records)
	n.hub = &federation.Hub{
		Directory: n.dir, Index: n.index, Append: n.append, Answered: n.store.Answered, Head: n.store.Head, View: n.view,
		Age: n.age, Released: n.t.release.Released, Now: n.now, Random: rand.Reader, Records: records, Audit: n.audit,
		Deadline: n.cfg.Ask.Deadline, AsOfDays: maxAsOfDays, Measured: n.measures.asked,
		Tally: httpapi.Tally(records, subjects{n}, n.index.Find),
	}
	if err := n.buildServices(ctx); err != nil {
		return err
	}
	if err := n.t.release.Begin(ctx, n.isCopy()); err != nil {
		return fmt.Errorf("begin release: %w", err)
	}
	if err := n.t.replicas.Load(ctx); err != nil {
		return fmt.Errorf("load replicas: %w", err)
	}
	return n.index.CatchUp(ctx)
}

func (n *Node) buildTraffic() error {
	signer, err := n.dir.CurrentSigner()
	if err != nil {
		return fmt.Errorf("signing key: %w", err)
	}
	n.roster = rosterOf(n.dir)
	t := &traffic{log: n.store, dir: n.dir, roster: n.roster, schedule: &exchange.Schedule{}, count: n.count, now: n.now, slog: n.slog, keep: n.keepDocuments,
		applied: func(record.StreamID) { wake(n.wakeIndex) }, revisit: n.revisit,
		changed: func() { n.members.Recheck() }, wakeRelay: newWake(), wakeGaps: newWake(), wakeReceipts: newWake(), wakeHeads: newWake()}
	t.replicas = &exchange.Replicas{Log: n.store, Roster: n.roster, Count: n.count, Alarm: n.alarm}
	t.gaps = &exchange.GapFiller{Replicas: t.replicas, Roster: n.roster, Count: n.count}
	t.release = &exchange.Release{Log: n.store, Roster: n.roster, Count: n.count, Alarm: n.alarm, Local: n.keepLocal, Rewind: n.index.Revisit}
	t.receipts = &exchange.Receipts{Log: n.store, Roster: n.roster, Replicas: t.replicas, Signer: signer, Count: n.count, Alarm: n.alarm, Released: t.release.Released}
	t.heads = &exchange.Heads{Log: n.store, Roster: n.roster, Replicas: t.replicas, Gaps: t.gaps, Receipts: t.receipts, Release: t.release, Signer: signer,
		Count: n.count, Alarm: n.alarm,
		Statements:   n.dir.Statements,
		State:        func(ctx context.Context, notes [][]byte) { t.takeStatements(ctx, notes) },
		Agreements:   func(m record.MemberID) [][32]byte { return hashes(n.dir.AgreementsOf(m)) },
		Software:     Release,
		HasAgreement: func(id [32]byte) bool { _, ok := n.dir.Agreement(id, n.cfg.Member); return ok }}
	t.relay = &exchange.Relay{Log: n.store, Roster: n.roster, Stream: record.Stream(n.cfg.Member, record.Records), Released: t.release.Released, Count: n.count, Alarm: n.alarm, Produce: n.produce}
	if len(n.cfg.Kafka.Brokers) > 0 {
		if t.broker, err = kafkabus.Open(n.cfg.Kafka); err != nil {
			return fmt.Errorf("kafka: %w", err)
		}
		t.producer = kafkabus.NewProducer(t.broker)
		t.kafkaUp.Store(true) // until it is seen to be down
	}
	n.t = t
	return nil
}

func hashes(ids []federation.Hash) [][32]byte {
	var out [][32]byte
	for _, id := range ids {
		out = append(out, id)
	}
	return out
}

// produce puts a frame on this member's topic.
func (n *Node) produce(ctx context.Context, key string, frame []byte) error {
	err := n.t.producer.Produce(ctx, kafkabus.LogTopic(n.cfg.Member), key, kafkabus.FrameEvent, record.Origin(n.dir.Federation(), record.StreamID(key)), "application/pilin-frame", frame)
	if errors.Is(err, kafkabus.ErrRefused) {
		return errors.Join(exchange.ErrRefused, err)
	}
	return err
}

// append is Log.Append for everything in this node: a record that is durable is in the index before its caller knows, and
// on its way.
func (n *Node) append(ctx context.Context, a record.Append) (record.Appended, error) {
	start := time.Now() // the machine's clock: the demo's stands on the days of its story
	res, err := n.tracedAppend(ctx, a)
	if err != nil {
		return res, err
	}
	took := time.Since(start)
	for i, p := range res.Records {
		if p.Stream.Kind() != record.Records {
			continue
		}
		if i == len(res.Records)-1 {
			n.measures.ack.Observe(took.Seconds())
		}
		n.t.announce()
		n.open.Wake()
		if err := n.index.Wait(ctx, p.Stream, p.Seq+1); err != nil {
			n.slog.LogAttrs(ctx, slog.LevelWarn, "record is durable, index follows later", slog.String("stream", string(p.Stream)), slog.Uint64("seq", p.Seq))
		}
	}
	return res, nil
}

// maxAsOfDays is how far the day of a peer's question may lie from today: time zones and a question asked at midnight,
// not a look at what expired.
const maxAsOfDays = 2

// keepLocal keeps a draft whose version somebody else's change took while this node was cut off (architecture.md §5).
func (n *Node) keepLocal(ctx context.Context, d record.Draft) error {
	n.slog.LogAttrs(ctx, slog.LevelError, "a change of this bureau lost its version after a restore; it is kept as a local record", slog.String("record", d.ID.String()), slog.String("type", d.Type))
	local := d
	local.Stream, local.Audience, local.Refs = n.local, nil, nil
	_, err := n.store.Append(ctx, record.Append{Drafts: []record.Draft{local}})
	if errors.Is(err, record.ErrDuplicateRecord) {
		return nil
	}
	return err
}

// age returns how long ago this node last knew that it held all of m's records.
func (n *Node) age(m record.MemberID) (time.Duration, bool) {
	heard := n.t.schedule.LastHeard(m)
	if heard.IsZero() {
		return 0, false
	}
	return n.now().Sub(heard), true
}

// releasedFile holds the largest size of the own records stream that may have left the node. A database behind it was
// restored from a backup.
func (n *Node) releasedFile() string { return filepath.Join(n.cfg.Data, "released-size") }

// noteReleased writes the released size beside the database when it has grown.
func (n *Node) noteReleased(ctx context.Context, last uint64) (uint64, error) {
	h, err := n.store.Head(ctx, record.Stream(n.cfg.Member, record.Records))
	if err != nil || h.Signed <= last || !n.t.release.Released() {
		return last, err
	}
	return h.Signed, WriteDurably(n.releasedFile(), []byte(strconv.FormatUint(h.Signed, 10)+"\n"), 0o600)
}

// A stop takes at most ten seconds: requests under way get requestsEnd, the exchange ends with its context, what is held
// in memory gets flushTime, spans a second.
const (
	requestsEnd = 6 * time.Second
	flushTime   = 2 * time.Second
)

// Run serves until ctx ends, then stops in reverse order within ten seconds.
func (n *Node) Run(ctx context.Context) error {
	listening, err := n.listen()
	if err != nil {
		return err
	}
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	for _, f := range []func(context.Context){n.t.run, n.indexLoop, n.upkeepLoop, n.snapshotLoop, n.open.Run, func(ctx context.Context) { n.beat(ctx, n.alive) }} {
		wg.Go(func() { f(inner) })
	}
	err = listening.serve(ctx)
	stop()
	wg.Wait()
	n.lastSnapshot()
	flush, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	return errors.Join(err, n.t.replicas.Flush(flush))
}

// indexLoop lets the index follow what was applied.
func (n *Node) indexLoop(ctx context.Context) {
	for pause(ctx, n.wakeIndex, time.Second) {
		if err := n.index.CatchUp(ctx); err != nil && ctx.Err() == nil {
			n.slog.LogAttrs(ctx, slog.LevelWarn, "index waits", slog.String("err", err.Error()))
		}
		n.open.Wake()
	}
}

// upkeepLoop prunes what has had its time, hourly, and notes the released size.
func (n *Node) upkeepLoop(ctx context.Context) {
	var last uint64
	swept := n.now()
	for pause(ctx, nil, time.Second) {
		var err error
		if last, err = n.noteReleased(ctx, last); err == nil {
			err = errors.Join(n.readNews(ctx), n.rejoin(ctx), n.auditOperated(ctx))
		}
		if err == nil && n.now().Sub(swept) >= time.Hour {
			swept = n.now()
			err = n.store.Maintain(ctx)
		}
		if err != nil && ctx.Err() == nil {
			n.slog.LogAttrs(ctx, slog.LevelWarn, "upkeep waits", slog.String("err", err.Error()))
		}
	}
}

// Close lets go of connections and the store.
func (n *Node) Close() error {
	var err error
	if n.intake != nil {
		n.intake.Close() // before the log that it writes to
	}
	if n.t != nil && n.t.producer != nil {
		err = n.t.producer.Close()
	}
	if n.redis != nil {
		err = errors.Join(err, n.redis.Close())
	}
	if n.endTracing != nil {
		n.endTracing()
	}
	if n.store != nil {
		err = errors.Join(err, n.store.Close())
	}
	return err
}

// Directory returns the node's directory of members.
func (n *Node) Directory() *federation.Directory { return n.dir }
