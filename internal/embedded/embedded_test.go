package embedded_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/segmentio/kafka-go"

	"github.com/pilinhub/pilin/internal/embedded"
)

const topic = "pilin.log.310116-01"

func start(t *testing.T, topics ...string) *embedded.Services {
	t.Helper()
	s, err := embedded.Start(topics...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// leader connects to the topic's broker.
func leader(t *testing.T, s *embedded.Services) *kafka.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := kafka.DialLeader(ctx, "tcp", s.Brokers[0], topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

func send(t *testing.T, s *embedded.Services, value string) {
	t.Helper()
	c := leader(t, s)
	defer c.Close()
	if _, err := c.WriteMessages(kafka.Message{Value: []byte(value)}); err != nil {
		t.Fatal(err)
	}
}

// first reads what stands at the beginning of the topic.
func first(t *testing.T, s *embedded.Services) string {
	t.Helper()
	c := leader(t, s)
	defer c.Close()
	b := make([]byte, 100)
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

// Both services speak to the clients of production, on this machine only; a topic that is made again begins empty.
func TestStart(t *testing.T) {
	s := start(t, topic)
	for _, a := range append([]string{strings.TrimSuffix(strings.TrimPrefix(s.Redis, "redis://"), "/0")}, s.Brokers...) {
		host, _, err := net.SplitHostPort(a)
		if err != nil || !net.ParseIP(host).IsLoopback() {
			t.Errorf("listens at %s (%v)", a, err)
		}
	}
	send(t, s, "one")
	if got := first(t, s); got != "one" {
		t.Errorf("read %q", got)
	}
	if err := s.Recreate(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	send(t, s, "two")
	if got := first(t, s); got != "two" {
		t.Errorf("after the topic was made again: %q", got)
	}
	o, err := redis.ParseURL(s.Redis)
	if err != nil {
		t.Fatal(err)
	}
	r := redis.NewClient(o)
	defer r.Close()
	if err := r.Set(t.Context(), "a", "1", time.Second).Err(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for !errors.Is(r.Get(t.Context(), "a").Err(), redis.Nil) {
		if time.Now().After(deadline) {
			t.Fatal("a key does not expire: the clock of the in-process Redis stands")
		}
	}
}

// Two of them on one machine do not see each other, and after Stop nobody answers.
func TestStop(t *testing.T) {
	a, err := embedded.Start(topic)
	if err != nil {
		t.Fatal(err)
	}
	b := start(t, topic)
	if a.Redis == b.Redis || a.Brokers[0] == b.Brokers[0] {
		t.Error("two share an address")
	}
	a.Stop()
	for _, address := range []string{a.Brokers[0], strings.TrimSuffix(strings.TrimPrefix(a.Redis, "redis://"), "/0")} {
		if c, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			c.Close()
			t.Errorf("%s still listens", address)
		}
	}
}
