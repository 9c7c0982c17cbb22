package testsvc

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/pilinhub/pilin/internal/testsvc/servers"
)

// KafkaService says how to reach an Apache Kafka broker. Without an ACL nobody but the administrator may do anything, and
// topics are not made by themselves.
type KafkaService struct {
	SASLAddr      string // host:port, TLS + SCRAM-SHA-512
	MTLSAddr      string // host:port, TLS + client certificate; the principal is User:<common name>
	CAFile        string // PEM of the broker's CA
	CAKeyFile     string // PEM of its key; "" = client certificates cannot be made
	AdminUser     string
	AdminPassword string
	DataDir       string // the broker's log segments, for tests that search files; "" = not on this machine
}

// Kafka returns the shared broker. It keeps topics and users of all tests of a run: take member codes of your own
// (MemberCodes), or OwnKafka when the codes are given.
func Kafka(t testing.TB) KafkaService {
	t.Helper()
	return KafkaService{SASLAddr: need(t, servers.EnvKafka), MTLSAddr: need(t, servers.EnvKafkaMTLS), CAFile: need(t, servers.EnvKafkaCA),
		CAKeyFile: os.Getenv(servers.EnvKafkaCAKey), AdminUser: need(t, servers.EnvKafkaUser), AdminPassword: need(t, servers.EnvKafkaPassword),
		DataDir: os.Getenv(servers.EnvKafkaData)}
}

// MemberCodes draws n different member codes of the form 999999-99, so that tests that share a broker or a Redis do not
// meet: one in 90 million each.
func MemberCodes(t testing.TB, n int) []string {
	t.Helper()
	var codes []string
	for len(codes) < n {
		r, err := rand.Int(rand.Reader, big.NewInt(90_000_000))
		must(t, "draw member code", err)
		code := fmt.Sprintf("%06d-%02d", 100_000+r.Int64()/100, r.Int64()%100)
		if !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	return codes
}

// PasswordFile writes the administrator's password to a file and returns its name.
func (k KafkaService) PasswordFile(t testing.TB) string {
	t.Helper()
	return writePassword(t, k.AdminPassword)
}

// NewUser makes a SCRAM user without any right and returns its password and a file that holds it. It returns when the
// broker lets the user in.
func (k KafkaService) NewUser(t testing.TB, name string) (password, passwordFile string) {
	t.Helper()
	password = rand.Text()
	salt := make([]byte, 24)
	if _, err := rand.Read(salt); err != nil {
		t.Fatalf("draw salt: %v", err)
	}
	const iterations = 4096 // the least that Kafka takes
	salted, err := pbkdf2.Key(sha512.New, password, salt, iterations, sha512.Size)
	must(t, "salt password", err)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	admin, done := k.client(t, k.AdminUser, k.AdminPassword)
	defer done()
	resp, err := admin.AlterUserScramCredentials(ctx, &kafka.AlterUserScramCredentialsRequest{Upsertions: []kafka.UserScramCredentialsUpsertion{{
		Name: name, Mechanism: kafka.ScramMechanismSha512, Iterations: iterations, Salt: salt,
		SaltedPassword: salted}}})
	must(t, "make Kafka user", err)
	for _, r := range resp.Results {
		must(t, "make Kafka user "+name, r.Error)
	}
	// The credentials reach the listener through the metadata log: log in until it knows them.
	for {
		c, finish := k.client(t, name, password)
		_, err := c.Metadata(ctx, &kafka.MetadataRequest{})
		finish()
		if err == nil {
			return password, writePassword(t, password)
		}
		select {
		case <-ctx.Done():
			t.Fatalf("log in as Kafka user %s: %v", name, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// ClientCertificate issues a certificate of the broker's CA with the given common name and returns its files (PEM).
func (k KafkaService) ClientCertificate(t testing.TB, commonName string) (certFile, keyFile string) {
	t.Helper()
	if k.CAKeyFile == "" {
		lacking(t, servers.EnvKafkaCAKey+" is not set")
	}
	ca, err := servers.LoadCA(k.CAFile, k.CAKeyFile)
	must(t, "load Kafka's CA", err)
	certFile, keyFile, err = ca.Issue(t.TempDir(), "client", commonName)
	must(t, "issue client certificate", err)
	return certFile, keyFile
}

// TLS returns a client's TLS settings that trust the broker; with certificate files it shows them.
func (k KafkaService) TLS(t testing.TB, certFile, keyFile string) *tls.Config {
	t.Helper()
	pem, err := os.ReadFile(k.CAFile)
	must(t, "read Kafka's CA", err)
	c := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		t.Fatalf("Kafka's CA file holds no certificate")
	}
	if certFile != "" {
		cert, err := tls.LoadX509KeyPair(certFile, keyFile)
		must(t, "read client certificate", err)
		c.Certificates = []tls.Certificate{cert}
	}
	return c
}

// Admin returns a client that may do anything; it is closed when the test ends.
func (k KafkaService) Admin(t testing.TB) *kafka.Client {
	t.Helper()
	c, done := k.client(t, k.AdminUser, k.AdminPassword)
	t.Cleanup(done)
	return c
}

func (k KafkaService) client(t testing.TB, user, password string) (c *kafka.Client, done func()) {
	t.Helper()
	mechanism, err := scram.Mechanism(scram.SHA512, user, password)
	must(t, "prepare Kafka credentials", err)
	transport := &kafka.Transport{TLS: k.TLS(t, "", ""), SASL: mechanism, DialTimeout: 5 * time.Second, MetadataTTL: 500 * time.Millisecond}
	return &kafka.Client{Addr: kafka.TCP(k.SASLAddr), Timeout: 20 * time.Second, Transport: transport}, transport.CloseIdleConnections
}

func writePassword(t testing.TB, password string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "password")
	must(t, "write password file", os.WriteFile(file, []byte(password+"\n"), 0o600))
	return file
}

// OwnKafkaBroker is a broker of one test.
type OwnKafkaBroker struct {
	KafkaService
	t      testing.TB
	server *servers.Kafka
}

// OwnKafka starts a broker that only this test uses (about 5 s); it is ended when the test ends.
func OwnKafka(t testing.TB) *OwnKafkaBroker {
	t.Helper()
	if why := servers.KafkaMissing(); why != nil {
		lacking(t, why.Error())
	}
	s, err := servers.StartKafka(folder(t))
	must(t, "start own Kafka", err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("stop own Kafka: %v", err)
		}
	})
	return &OwnKafkaBroker{t: t, server: s, KafkaService: KafkaService{SASLAddr: s.SASLAddr(), MTLSAddr: s.MTLSAddr(), CAFile: s.CA.CertFile,
		CAKeyFile: s.CA.KeyFile, AdminUser: s.AdminUser, AdminPassword: s.AdminPassword, DataDir: s.DataDir()}}
}

// Stop stops the broker in order.
func (o *OwnKafkaBroker) Stop() {
	o.t.Helper()
	must(o.t, "stop own Kafka", o.server.Stop())
}

// Kill ends the broker as kill -9 does.
func (o *OwnKafkaBroker) Kill() { o.server.Kill() }

// Start starts it again on the same ports and data; it returns when the broker says that it has started.
func (o *OwnKafkaBroker) Start() {
	o.t.Helper()
	must(o.t, "start own Kafka again", o.server.Start())
}
