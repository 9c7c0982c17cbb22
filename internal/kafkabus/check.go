package kafkabus

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/segmentio/kafka-go"

	"github.com/pilinhub/pilin/record"
)

// Finding is one line of Check: what was tried, whether it is as it must be, and what to do when not.
type Finding struct {
	What string
	OK   bool
	Do   string // what the operator should do; empty when OK
}

// Check tries, with this member's own credentials, what must work and what must not: reading all members' topics,
// writing to its own, and failing to write to everybody else's. It also compares the broker's sizes with ours.
// other is a member that is not self; a federation of one passes "".
func Check(ctx context.Context, b *Broker, self, other record.MemberID) []Finding {
	var out []Finding
	add := func(what string, err error, do string) bool {
		f := Finding{What: what, OK: err == nil}
		if err != nil {
			f.What += ": " + err.Error()
			f.Do = do
		}
		out = append(out, f)
		return err == nil
	}
	if !add("reach the broker", b.Reachable(ctx), "check kafka.brokers, the firewall and the broker's certificate; the node exchanges over HTTP meanwhile") {
		return out
	}
	tr := b.transport()
	defer tr.CloseIdleConnections()
	c := b.client(tr)
	for _, m := range []record.MemberID{self, other} {
		if m == "" {
			continue
		}
		for _, topic := range []string{LogTopic(m), AckTopic(m)} {
			_, _, err := offsets(ctx, c, topic)
			add("read "+topic, err, "the broker's operator runs: pilin kafka provision")
		}
	}
	add("message size of "+LogTopic(self), sizeOf(ctx, c, LogTopic(self)), "set max.message.bytes="+strconv.Itoa(MaxMessageBytes)+" (pilin kafka provision does)")
	p := NewProducer(b)
	defer p.Close()
	add("write "+AckTopic(self), p.Produce(ctx, AckTopic(self), "check", "pilin.check.v1", "pilin/check", "text/plain", []byte("check")),
		"grant Write on pilin."+string(self)+". to this member's principal")
	if other != "" {
		err := p.Produce(ctx, AckTopic(other), "check", "pilin.check.v1", "pilin/check", "text/plain", []byte("check"))
		switch {
		case errors.Is(firstCauseOf(err), kafka.TopicAuthorizationFailed), errors.Is(firstCauseOf(err), kafka.UnknownTopicOrPartition):
			add("broker refuses writing to "+AckTopic(other), nil, "")
		case err == nil:
			add("broker refuses writing to "+AckTopic(other), errors.New("it let us write"), "anyone may write anywhere: set authorizer.class.name and allow.everyone.if.no.acl.found=false, then pilin kafka provision")
		default:
			add("broker refuses writing to "+AckTopic(other), fmt.Errorf("could not tell: %w", err), "run the check again when the broker answers")
		}
	}
	return out
}

func firstCauseOf(err error) error {
	if err == nil {
		return nil
	}
	var k kafka.Error
	if errors.As(err, &k) {
		return k
	}
	return firstCause(err)
}

// sizeOf compares a topic's max.message.bytes with ours; a member without DescribeConfigs cannot tell and is let pass.
func sizeOf(ctx context.Context, c *kafka.Client, topic string) error {
	resp, err := c.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{{
		ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, ConfigNames: []string{"max.message.bytes"}}}})
	if err != nil {
		return fmt.Errorf("describe: %w", err)
	}
	for _, r := range resp.Resources {
		if r.Error != nil {
			if errors.Is(r.Error, kafka.TopicAuthorizationFailed) {
				return nil
			}
			return fmt.Errorf("describe: %w", r.Error)
		}
		for _, e := range r.ConfigEntries {
			if n, err := strconv.Atoi(e.ConfigValue); e.ConfigName == "max.message.bytes" && err == nil && n < MaxMessageBytes {
				return fmt.Errorf("broker takes %d bytes, a frame may have %d", n, MaxMessageBytes)
			}
		}
	}
	return nil
}
