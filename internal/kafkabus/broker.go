// Package kafkabus is the courier's side of the exchange: it puts one frame on this member's topic (Producer), hands
// over what other members' topics bring (Intake), and sets up and tests a broker (Provision, Check). Kafka may lose,
// repeat, reorder or corrupt; what a frame means and whether it is believed is decided by record.Follower, never here.
package kafkabus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/pilinhub/pilin/record"
)

// Sizes that writer, reader and topic must agree on (architecture.md §5, Frame); Check compares them with the broker's.
const (
	MaxMessageBytes = 2 << 20 // topic max.message.bytes and Writer BatchBytes
	MaxFetchBytes   = 4 << 20 // Reader MaxBytes
)

// LogTopic is where a member's frames go.
func LogTopic(m record.MemberID) string { return "pilin." + string(m) + ".log" }

// AckTopic is where a member's receipts go.
func AckTopic(m record.MemberID) string { return "pilin." + string(m) + ".ack" }

// Config says how to reach the broker. Secrets are files, never values.
type Config struct {
	Brokers      []string `yaml:"brokers"`       // host:port; empty = this node exchanges over HTTP alone
	TLS          bool     `yaml:"tls"`           // required on anything but the embedded broker
	CAFile       string   `yaml:"ca_file"`       // PEM of the broker's CA; empty = the system's
	CertFile     string   `yaml:"cert_file"`     // client certificate for mutual TLS
	KeyFile      string   `yaml:"key_file"`      // its key
	User         string   `yaml:"user"`          // SCRAM-SHA-512 user; empty = none
	PasswordFile string   `yaml:"password_file"` // file that holds the password
}

// Broker is a usable Config: credentials read, TLS built.
type Broker struct {
	addrs     []string
	tls       *tls.Config
	mechanism sasl.Mechanism
}

// Open reads the credentials that c names. It does not connect.
func Open(c Config) (*Broker, error) {
	b := &Broker{addrs: c.Brokers}
	if len(c.Brokers) == 0 {
		return nil, errors.New("no brokers configured")
	}
	if c.TLS {
		b.tls = &tls.Config{MinVersion: tls.VersionTLS12}
		if c.CAFile != "" {
			pem, err := os.ReadFile(c.CAFile)
			if err != nil {
				return nil, fmt.Errorf("read broker CA: %w", err)
			}
			b.tls.RootCAs = x509.NewCertPool()
			if !b.tls.RootCAs.AppendCertsFromPEM(pem) {
				return nil, fmt.Errorf("broker CA %s holds no certificate", c.CAFile)
			}
		}
		if c.CertFile != "" {
			cert, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
			if err != nil {
				return nil, fmt.Errorf("read broker client certificate: %w", err)
			}
			b.tls.Certificates = []tls.Certificate{cert}
		}
	}
	if c.User != "" {
		if !c.TLS {
			return nil, errors.New("a broker password over plain text is refused: set tls")
		}
		pw, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("read broker password: %w", err)
		}
		for len(pw) > 0 && (pw[len(pw)-1] == '\n' || pw[len(pw)-1] == '\r') {
			pw = pw[:len(pw)-1]
		}
		if b.mechanism, err = scram.Mechanism(scram.SHA512, c.User, string(pw)); err != nil {
			return nil, fmt.Errorf("SCRAM credentials: %w", err)
		}
	}
	return b, nil
}

// transport makes a client transport of its own: kafka-go caches the topic list, absences too, for MetadataTTL, so a
// transport that is used for provisioning is not shared with writers.
func (b *Broker) transport() *kafka.Transport {
	return &kafka.Transport{
		DialTimeout: 3 * time.Second,
		IdleTimeout: 30 * time.Second,
		MetadataTTL: 2 * time.Second,
		ClientID:    "pilin",
		TLS:         b.tls,
		SASL:        b.mechanism,
	}
}

func (b *Broker) dialer() *kafka.Dialer {
	return &kafka.Dialer{ClientID: "pilin", Timeout: 3 * time.Second, TLS: b.tls, SASLMechanism: b.mechanism}
}

func (b *Broker) client(t *kafka.Transport) *kafka.Client {
	return &kafka.Client{Addr: kafka.TCP(b.addrs...), Timeout: 5 * time.Second, Transport: t}
}

// Reachable dials the first broker that answers and reports an error if none does.
func (b *Broker) Reachable(ctx context.Context) error {
	var last error
	for _, a := range b.addrs {
		c, err := b.dialer().DialContext(ctx, "tcp", a)
		if err == nil {
			return c.Close()
		}
		last = err
	}
	return fmt.Errorf("reach broker: %w", last)
}

// offsets asks the broker for the first offset still held and the next one to be written, of partition 0.
func offsets(ctx context.Context, c *kafka.Client, topic string) (first, next int64, err error) {
	resp, err := c.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{
		topic: {kafka.FirstOffsetOf(0), kafka.LastOffsetOf(0)},
	}})
	if err != nil {
		return 0, 0, fmt.Errorf("list offsets of %s: %w", topic, err)
	}
	parts := resp.Topics[topic]
	if len(parts) == 0 {
		return 0, 0, fmt.Errorf("list offsets of %s: %w", topic, kafka.UnknownTopicOrPartition)
	}
	if parts[0].Error != nil {
		return 0, 0, fmt.Errorf("list offsets of %s: %w", topic, parts[0].Error)
	}
	return parts[0].FirstOffset, parts[0].LastOffset, nil
}
