package node

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/pilinhub/pilin/internal/testsvc"
)

// floor is the least that the outside world charges for what the product does: the same servers, the same TLS, the same
// fsync and as many bytes in each row and message, and nothing else.
type floor struct {
	t       testing.TB
	db      *sql.DB
	kafka   *kafka.Client
	topic   string
	readers []*kafka.Reader
	entry   []byte // as many bytes as an entry's row in the product
	frame   []byte // as many as its message
	audit   []byte // as many as an audit record's row

	mu   sync.Mutex
	seen map[uint64]int
	last map[uint64]time.Time // when the last reader had a message
}

// newFloor makes tables on a database of its own, a topic, and one reader of it for each member.
func newFloor(t testing.TB, members int, entry, frame, audit int) *floor {
	t.Helper()
	f := &floor{t: t, seen: map[uint64]int{}, last: map[uint64]time.Time{}}
	for size, into := range map[int]*[]byte{entry: &f.entry, frame: &f.frame, audit: &f.audit} {
		*into = make([]byte, max(size, 8))
		if _, err := rand.Read(*into); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if f.db, err = sql.Open("postgres", testsvc.PostgresDurable(t)+"&binary_parameters=yes"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.db.Close() })
	f.db.SetMaxOpenConns(4)
	f.db.SetMaxIdleConns(4)
	for _, table := range []string{"entry", "outbox", "audit"} {
		if _, err := f.db.ExecContext(t.Context(), "CREATE TABLE "+table+" (id BIGSERIAL PRIMARY KEY, bytes BYTEA NOT NULL)"); err != nil {
			t.Fatal(err)
		}
	}
	f.openKafka(members)
	return f
}

func (f *floor) openKafka(members int) {
	t := f.t
	k := testsvc.Kafka(t)
	mechanism, err := scram.Mechanism(scram.SHA512, k.AdminUser, k.AdminPassword)
	if err != nil {
		t.Fatal(err)
	}
	topic := "floor." + strings.ToLower(rand.Text())
	made, err := k.Admin(t).CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: 1, ReplicationFactor: 1}}})
	if err != nil || made.Errors[topic] != nil {
		t.Fatal(err, made)
	}
	transport := &kafka.Transport{TLS: k.TLS(t, "", ""), SASL: mechanism}
	t.Cleanup(transport.CloseIdleConnections)
	f.kafka, f.topic = &kafka.Client{Addr: kafka.TCP(k.SASLAddr), Timeout: 10 * time.Second, Transport: transport}, topic
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range members {
		r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{k.SASLAddr}, Topic: topic, MinBytes: 1, MaxBytes: 4 << 20, MaxWait: 250 * time.Millisecond,
			Dialer: &kafka.Dialer{TLS: k.TLS(t, "", ""), SASLMechanism: mechanism, Timeout: 5 * time.Second}})
		f.readers = append(f.readers, r)
		wg.Go(func() { f.read(ctx, r, members) })
	}
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		for _, r := range f.readers {
			r.Close()
		}
	})
}

func (f *floor) read(ctx context.Context, r *kafka.Reader, members int) {
	for {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			return
		}
		n := binary.BigEndian.Uint64(m.Value)
		f.mu.Lock()
		if f.seen[n]++; f.seen[n] == members {
			f.last[n] = time.Now()
		}
		f.mu.Unlock()
	}
}

// publish is the floor of one publication: a transaction with the entry and its outbox row, a message that the broker
// acknowledged. n tells messages apart.
func (f *floor) publish(n uint64) error {
	ctx := f.t.Context()
	tx, err := f.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, "INSERT INTO entry (bytes) VALUES ($1)", f.entry); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO outbox (bytes) VALUES ($1)", f.frame); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	value := slices.Clone(f.frame)
	binary.BigEndian.PutUint64(value, n)
	res, err := f.kafka.Produce(ctx, &kafka.ProduceRequest{Topic: f.topic, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(kafka.Record{Value: kafka.NewBytes(value)})})
	if err != nil {
		return err
	}
	return res.Error
}

// seenByAll returns when the last reader had message n.
func (f *floor) seenByAll(n uint64) (time.Time, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, ok := f.last[n]
	return at, ok
}

// commit is one audit row in one transaction.
func (f *floor) commit() error {
	_, err := f.db.ExecContext(f.t.Context(), "INSERT INTO audit (bytes) VALUES ($1)", f.audit)
	return err
}

// servers is what the processes of PostgreSQL that are there now have used of processors; 0 where that cannot be read.
func (f *floor) servers() (used time.Duration) {
	rows, err := f.db.QueryContext(f.t.Context(), "SELECT pid FROM pg_stat_activity WHERE pid IS NOT NULL")
	if err != nil {
		return 0
	}
	defer rows.Close()
	for rows.Next() {
		var pid, user, system int
		if err := rows.Scan(&pid); err != nil {
			return 0
		}
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // it has ended, or the server is elsewhere
		}
		_, rest, _ := strings.Cut(string(b), ") ") // proc(5): state is field 3, utime and stime are 14 and 15, in hundredths
		fields := strings.Fields(rest)
		if len(fields) < 13 {
			continue
		}
		user, _ = strconv.Atoi(fields[11])
		system, _ = strconv.Atoi(fields[12])
		used += time.Duration(user+system) * 10 * time.Millisecond
	}
	if rows.Err() != nil {
		return 0
	}
	return used
}

// groupCommits returns a function that returns when one more audit row is durable; callers at once share a commit.
func (f *floor) groupCommits() (one func() error, stop func()) {
	queue := make(chan chan error, 4096)
	var wg sync.WaitGroup
	wg.Go(func() {
		for first := range queue {
			batch := []chan error{first}
			for more := true; more && len(batch) < 256; {
				select {
				case next, ok := <-queue:
					if more = ok; ok {
						batch = append(batch, next)
					}
				default:
					more = false
				}
			}
			rows, args := make([]string, len(batch)), make([]any, len(batch))
			for i := range batch {
				rows[i], args[i] = fmt.Sprintf("($%d)", i+1), f.audit
			}
			_, err := f.db.ExecContext(f.t.Context(), "INSERT INTO audit (bytes) VALUES "+strings.Join(rows, ","), args...)
			for _, c := range batch {
				c <- err
			}
		}
	})
	one = func() error {
		c := make(chan error, 1)
		queue <- c
		return <-c
	}
	return one, func() { close(queue); wg.Wait() }
}

// echoServer answers every question with the same bytes, after the same check of the access token as the node's.
func echoServer(t testing.TB, verify func(context.Context, string) error, answer []byte) string {
	t.Helper()
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.POST("/api/v1/asks", func(c echo.Context) error {
		token, _ := strings.CutPrefix(c.Request().Header.Get("Authorization"), "Bearer ")
		if err := verify(c.Request().Context(), token); err != nil {
			return c.NoContent(http.StatusUnauthorized)
		}
		if _, err := io.Copy(io.Discard, c.Request().Body); err != nil {
			return err
		}
		return c.Blob(http.StatusOK, "application/json", answer)
	})
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: e, ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}
