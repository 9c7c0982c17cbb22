package kafkabus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

// Read returns the messages of a topic from an offset to its end as it is now: all of them, or the last n where n is
// greater than zero. The release rule reads the node's own topic so (architecture.md §5, "Never a self-fork").
func Read(ctx context.Context, b *Broker, topic string, n int64) ([][]byte, error) {
	t := b.transport()
	defer t.CloseIdleConnections()
	first, next, err := offsets(ctx, b.client(t), topic)
	if err != nil {
		return nil, err
	}
	at := first
	if n > 0 {
		at = max(first, next-n)
	}
	if at >= next {
		return nil, nil
	}
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: b.addrs, Topic: topic, Partition: 0, Dialer: b.dialer(),
		MinBytes: 1, MaxBytes: MaxFetchBytes, MaxWait: 250 * time.Millisecond, OffsetOutOfRangeError: true})
	defer r.Close()
	if err := r.SetOffset(at); err != nil {
		return nil, fmt.Errorf("seek %s to %d: %w", topic, at, err)
	}
	var out [][]byte
	for {
		m, err := r.FetchMessage(ctx)
		if errors.Is(err, kafka.OffsetOutOfRange) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", topic, err)
		}
		out = append(out, m.Value)
		if m.Offset+1 >= next {
			return out, nil
		}
	}
}
