package testsvc_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/lib/pq"
	"github.com/redis/go-redis/v9"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/pilinhub/pilin/internal/testsvc"
)

func setting(t *testing.T, db *sql.DB, name string) string {
	t.Helper()
	var v string
	if err := db.QueryRowContext(t.Context(), "SELECT current_setting($1)", name).Scan(&v); err != nil {
		t.Fatalf("read setting %s: %v", name, err)
	}
	return v
}

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatalf("open database: %v", err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestPostgres(t *testing.T) {
	fast, durable := open(t, testsvc.Postgres(t)), open(t, testsvc.PostgresDurable(t))
	for _, c := range []struct {
		name string
		db   *sql.DB
		want string
	}{{"fast", fast, "off"}, {"durable", durable, "on"}} {
		for _, s := range []string{"fsync", "synchronous_commit"} {
			if got := setting(t, c.db, s); got != c.want {
				t.Errorf("%s server: %s is %s, want %s", c.name, s, got, c.want)
			}
		}
		var encrypted bool
		if err := c.db.QueryRowContext(t.Context(), "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").Scan(&encrypted); err != nil || !encrypted {
			t.Errorf("%s server: connection encrypted: %v, %v", c.name, encrypted, err)
		}
	}
	dsn := testsvc.Postgres(t)
	if err := open(t, strings.Replace(dsn, "sslmode=verify-full", "sslmode=disable", 1)).PingContext(t.Context()); err == nil {
		t.Error("the server let an unencrypted client in")
	}
}

func TestOwnPostgres(t *testing.T) {
	s := testsvc.OwnPostgres(t)
	db := open(t, s.Database())
	for _, statement := range []string{"CREATE TABLE kept (n integer)", "INSERT INTO kept VALUES (7)"} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	s.StopImmediate()
	if err := db.PingContext(t.Context()); err == nil {
		t.Fatal("a stopped server answered")
	}
	s.Start()
	var n int
	db.SetMaxIdleConns(0) // forget connections to the server that died
	if err := db.QueryRowContext(t.Context(), "SELECT n FROM kept").Scan(&n); err != nil || n != 7 {
		t.Fatalf("after an immediate stop: %d, %v", n, err)
	}
}

func TestRedis(t *testing.T) {
	client := func(url string) *redis.Client {
		o, err := redis.ParseURL(url)
		if err != nil {
			t.Fatal(err)
		}
		c := redis.NewClient(o)
		t.Cleanup(func() { c.Close() })
		return c
	}
	url := testsvc.Redis(t)
	a, b := client(url), client(testsvc.Redis(t))
	if err := a.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := b.Get(t.Context(), "k").Err(); !errors.Is(err, redis.Nil) {
		t.Errorf("two tests share a Redis database: %v", err)
	}
	before, after, _ := strings.Cut(url, "@")
	if err := client(before[:len("redis://pilin:")] + "wrong@" + after).Ping(t.Context()).Err(); err == nil {
		t.Error("a wrong password was let in")
	}
}

func TestOwnRedis(t *testing.T) {
	s := testsvc.OwnRedis(t)
	o, err := redis.ParseURL(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	defer c.Close()
	if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	if err := c.Ping(t.Context()).Err(); err == nil {
		t.Fatal("a stopped server answered")
	}
	s.Start()
	if v, err := c.Get(t.Context(), "k").Result(); err != nil || v != "v" {
		t.Fatalf("after a restart: %q, %v", v, err)
	}
}

// peer is one principal's way to the broker.
type peer struct {
	addr      string
	tls       *tls.Config
	mechanism sasl.Mechanism
}

func (p peer) write(t *testing.T, topic, value string) error {
	t.Helper()
	transport := &kafka.Transport{TLS: p.tls, SASL: p.mechanism, DialTimeout: 5 * time.Second}
	defer transport.CloseIdleConnections()
	c := &kafka.Client{Addr: kafka.TCP(p.addr), Transport: transport, Timeout: 10 * time.Second}
	resp, err := c.Produce(t.Context(), &kafka.ProduceRequest{Topic: topic, Partition: 0, RequiredAcks: kafka.RequireAll,
		Records: kafka.NewRecordReader(kafka.Record{Value: kafka.NewBytes([]byte(value))})})
	if err != nil {
		return err
	}
	return resp.Error
}

func (p peer) read(t *testing.T, topic string) (string, error) {
	t.Helper()
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{p.addr}, Topic: topic, Partition: 0, MaxWait: 250 * time.Millisecond,
		Dialer: &kafka.Dialer{Timeout: 5 * time.Second, TLS: p.tls, SASLMechanism: p.mechanism}})
	defer r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	m, err := r.FetchMessage(ctx)
	return string(m.Value), err
}

// TestKafka shows that the broker tells principals apart on both listeners and that rights are enforced: a test of ours
// that finds nothing where it must not be would mean nothing on a broker that lets everybody do everything.
func TestKafka(t *testing.T) {
	checkBroker(t, testsvc.Kafka(t))
}

func checkBroker(t *testing.T, k testsvc.KafkaService) (topic string, a peer) {
	t.Helper()
	codes := testsvc.MemberCodes(t, 2)
	topic = "pilin." + codes[0] + ".log"
	admin := k.Admin(t)
	created, err := admin.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: 1, ReplicationFactor: 1}}})
	if err != nil || created.Errors[topic] != nil {
		t.Fatalf("create topic: %v %v", err, created)
	}
	right := func(user, name string, op kafka.ACLOperationType) kafka.ACLEntry {
		return kafka.ACLEntry{ResourceType: kafka.ResourceTypeTopic, ResourceName: name, ResourcePatternType: kafka.PatternTypePrefixed,
			Principal: "User:" + user, Host: "*", Operation: op, PermissionType: kafka.ACLPermissionTypeAllow}
	}
	granted, err := admin.CreateACLs(t.Context(), &kafka.CreateACLsRequest{ACLs: []kafka.ACLEntry{
		right(codes[0], "pilin."+codes[0]+".", kafka.ACLOperationTypeWrite),
		right(codes[0], "pilin.", kafka.ACLOperationTypeRead), right(codes[1], "pilin.", kafka.ACLOperationTypeRead),
	}})
	if err != nil || errors.Join(granted.Errors...) != nil {
		t.Fatalf("grant: %v %v", err, granted)
	}
	user := func(name string) peer {
		password, _ := k.NewUser(t, name)
		m, err := scram.Mechanism(scram.SHA512, name, password)
		if err != nil {
			t.Fatal(err)
		}
		return peer{k.SASLAddr, k.TLS(t, "", ""), m}
	}
	holder := func(name string) peer {
		cert, key := k.ClientCertificate(t, name)
		return peer{k.MTLSAddr, k.TLS(t, cert, key), nil}
	}
	a, aCert, bCert, b := user(codes[0]), holder(codes[0]), holder(codes[1]), user(codes[1])
	stranger := user("stranger-" + codes[0])

	if err := a.write(t, topic, "by password"); err != nil {
		t.Errorf("owner by SCRAM: %v", err)
	}
	if err := aCert.write(t, topic, "by certificate"); err != nil {
		t.Errorf("owner by client certificate: %v", err)
	}
	for name, p := range map[string]peer{"SCRAM": b, "client certificate": bCert} {
		if err := p.write(t, topic, "by another"); !errors.Is(err, kafka.TopicAuthorizationFailed) {
			t.Errorf("another member by %s: %v, want [29]", name, err)
		}
		if v, err := p.read(t, topic); err != nil || v != "by password" {
			t.Errorf("another member reading by %s: %q, %v", name, v, err)
		}
	}
	if err := stranger.write(t, topic, "by nobody"); err == nil {
		t.Error("a user without rights wrote")
	}
	if err := (peer{k.MTLSAddr, k.TLS(t, "", ""), nil}).write(t, topic, "without certificate"); err == nil {
		t.Error("a client without a certificate wrote")
	}
	if err := a.write(t, "pilin."+codes[0]+".none", "x"); err == nil {
		t.Error("a topic made itself")
	}
	if k.DataDir != "" && !segmentsHold(t, k.DataDir, topic, "by certificate") {
		t.Error("the search of the broker's files does not find what was written")
	}
	return topic, a
}

func segmentsHold(t *testing.T, dir, topic, text string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, topic+"-0", "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(text)) {
			return true
		}
	}
	return false
}

func TestOwnKafka(t *testing.T) {
	s := testsvc.OwnKafka(t)
	topic, a := checkBroker(t, s.KafkaService)
	s.Kill()
	if err := a.write(t, topic, "while down"); err == nil {
		t.Fatal("a dead broker acknowledged")
	}
	s.Start()
	if v, err := a.read(t, topic); err != nil || v != "by password" {
		t.Fatalf("after kill -9: %q, %v", v, err)
	}
	s.Stop()
	s.Start()
	if v, err := a.read(t, topic); err != nil || v != "by password" {
		t.Fatalf("after a restart: %q, %v", v, err)
	}
}
