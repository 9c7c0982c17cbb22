package kafkabus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

// ErrRefused is a refusal that repeating will not change: the topic takes no message of this size, or the broker does
// not let this member write ([10], [29]). The relay alarms and waits; peers pull meanwhile.
var ErrRefused = errors.New("broker refuses for good")

// Event types of the two topics (CloudEvents 1.0 binary mode, wire.md §2).
const (
	FrameEvent   = "pilin.frame.v1"
	ReceiptEvent = "pilin.receipt.v1"
)

// Producer writes one message at a time and returns when the broker has it. It is the only place that builds a
// kafka.Writer: the zero Writer acknowledges nothing and reports success (reliability-security.md M1).
type Producer struct {
	w *kafka.Writer
	t *kafka.Transport
}

// NewProducer returns a Producer on b.
func NewProducer(b *Broker) *Producer {
	t := b.transport()
	return &Producer{t: t, w: &kafka.Writer{
		Addr:         kafka.TCP(b.addrs...),
		RequiredAcks: kafka.RequireAll,
		BatchSize:    1, // one frame = one message; BatchTimeout then never runs
		MaxAttempts:  1, // retries inside the library reorder and duplicate; our loop restarts from the last confirmed size
		BatchBytes:   MaxMessageBytes,
		ReadTimeout:  5 * time.Second,
		WriteTimeout: 5 * time.Second,
		Transport:    t,
	}}
}

// Produce writes data to topic. source is the CloudEvents source (a checkpoint origin line). An error never means "not
// written": the caller sends the same bytes again and every consumer is idempotent.
func (p *Producer) Produce(ctx context.Context, topic, key, event, source, contentType string, data []byte) error {
	sum := sha256.Sum256(data)
	err := p.w.WriteMessages(ctx, kafka.Message{Topic: topic, Key: []byte(key), Value: data, Headers: []kafka.Header{
		{Key: "ce_specversion", Value: []byte("1.0")},
		{Key: "ce_id", Value: []byte(hex.EncodeToString(sum[:]))},
		{Key: "ce_source", Value: []byte(source)},
		{Key: "ce_type", Value: []byte(event)},
		{Key: "content-type", Value: []byte(contentType)},
	}})
	if err == nil {
		return nil
	}
	if cause := firstCause(err); errors.Is(cause, kafka.MessageSizeTooLarge) || errors.Is(cause, kafka.TopicAuthorizationFailed) {
		return fmt.Errorf("produce to %s: %w: %w", topic, ErrRefused, cause)
	}
	return fmt.Errorf("produce to %s: %w", topic, err)
}

// firstCause unpacks kafka.WriteErrors, which has no Unwrap.
func firstCause(err error) error {
	var we kafka.WriteErrors
	if errors.As(err, &we) {
		for _, e := range we {
			if e != nil {
				return e
			}
		}
	}
	var big kafka.MessageTooLargeError
	if errors.As(err, &big) {
		return kafka.MessageSizeTooLarge
	}
	return err
}

// Close flushes and closes the connections.
func (p *Producer) Close() error {
	err := p.w.Close()
	p.t.CloseIdleConnections()
	return err
}
