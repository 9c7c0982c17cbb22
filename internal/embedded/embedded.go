// Package embedded starts an in-process Kafka (kfake) and an in-process Redis (miniredis) on 127.0.0.1 and returns
// their addresses; nothing else. A trial run and fast tests then use the very code path of production. Neither keeps
// anything over a restart: the topics begin empty, and the log and the head exchange make up for it.
package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
)

// Services are the addresses of what was started.
type Services struct {
	Brokers []string // Kafka bootstrap addresses, plain text, 127.0.0.1 only
	Redis   string   // redis:// URL

	kafka *kfake.Cluster
	redis *miniredis.Miniredis
	stop  chan struct{}
	done  chan struct{}
}

// Start runs Kafka with the given topics (one partition each) and Redis. Stop ends both.
func Start(topics ...string) (*Services, error) {
	opts := []kfake.Opt{kfake.NumBrokers(1), kfake.DefaultNumPartitions(1)}
	for _, t := range topics {
		opts = append(opts, kfake.SeedTopics(1, t))
	}
	k, err := kfake.NewCluster(opts...)
	if err != nil {
		return nil, fmt.Errorf("start in-process kafka: %w", err)
	}
	r := miniredis.NewMiniRedis()
	if err := r.StartAddr("127.0.0.1:0"); err != nil {
		k.Close()
		return nil, fmt.Errorf("start in-process redis: %w", err)
	}
	s := &Services{Brokers: k.ListenAddrs(), Redis: "redis://" + r.Addr() + "/0", kafka: k, redis: r,
		stop: make(chan struct{}), done: make(chan struct{})}
	go s.age()
	slog.Debug("in-process services up", slog.Any("brokers", s.Brokers))
	return s, nil
}

// age lets miniredis' clock run: its keys do not expire by themselves.
func (s *Services) age() {
	defer close(s.done)
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-t.C:
			s.redis.FastForward(time.Second)
		}
	}
}

// Recreate deletes a topic and makes it again, empty, as an operator's mistake or a restart would.
func (s *Services) Recreate(ctx context.Context, topic string) error {
	c := &kafka.Client{Addr: kafka.TCP(s.Brokers...), Transport: &kafka.Transport{}}
	d, err := c.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})
	if err == nil {
		err = d.Errors[topic]
	}
	if err != nil {
		return fmt.Errorf("delete topic %s: %w", topic, err)
	}
	m, err := c.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: 1, ReplicationFactor: 1}}})
	if err == nil {
		err = m.Errors[topic]
	}
	if err != nil {
		return fmt.Errorf("create topic %s: %w", topic, err)
	}
	return nil
}

// Stop ends both services and waits for them.
func (s *Services) Stop() {
	close(s.stop)
	<-s.done
	s.redis.Close()
	s.kafka.Close()
}
