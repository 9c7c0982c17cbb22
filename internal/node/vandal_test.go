package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/pilinhub/pilin/internal/kafkabus"
	"github.com/pilinhub/pilin/record"
)

// vandal is a broker's operator who does to the topics what he likes, with nothing but the broker's own means: he reads,
// writes, deletes and makes topics, and takes rights away. He has no key of any member.
type vandal struct {
	d     *direct
	b     *kafkabus.Broker
	admin *kafka.Client
	done  map[string]int // what he did, for the log
}

func newVandal(d *direct) *vandal {
	b, err := kafkabus.Open(d.operator())
	d.ok(err)
	return &vandal{d: d, b: b, admin: d.kafka.Admin(d.t), done: map[string]int{}}
}

// put puts messages on a topic; one that was just made is not known to everybody at once.
func (v *vandal) put(ctx context.Context, topic string, messages ...[]byte) error {
	p := kafkabus.NewProducer(v.b)
	defer p.Close()
	for _, m := range messages {
		for {
			err := p.Produce(ctx, topic, "", kafkabus.FrameEvent, "pilin/nobody", "application/pilin-frame", m)
			if err == nil {
				break
			}
			select {
			case <-ctx.Done():
				return err
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
	return nil
}

// flipped returns a copy of a message with one bit turned over; where depends on k.
func flipped(m []byte, k int) []byte {
	c := slices.Clone(m)
	c[(k*2654435761)%len(c)] ^= 1 << (k % 8)
	return c
}

// repeat sends the end of a topic once more, the last first, and between them the same with a bit turned over.
func (v *vandal) repeat(ctx context.Context, m record.MemberID) error {
	topic := kafkabus.LogTopic(m)
	seen, err := kafkabus.Read(ctx, v.b, topic, 6)
	if err != nil {
		return err
	}
	for i, msg := range slices.Backward(seen) {
		v.done["repeated"]++
		v.done["flipped"]++
		if err := v.put(ctx, topic, msg, flipped(msg, v.done["flipped"])); err != nil {
			return fmt.Errorf("repeat %d: %w", i, err)
		}
	}
	return nil
}

// withhold keeps a topic from its readers until the member has put more frames on it, deletes it, makes it again and
// puts the frames back: of each eight in a row the order is turned round, one is missing, one is there twice and one has
// a bit turned over. Then readers are let in again.
func (v *vandal) withhold(ctx context.Context, m record.MemberID, more int) error {
	topic := kafkabus.LogTopic(m)
	if err := v.deny(ctx, m); err != nil {
		return err
	}
	had, err := v.next(ctx, topic)
	for next := had; err == nil && next < had+int64(more); next, err = v.next(ctx, topic) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	if err != nil {
		return err
	}
	kept, err := kafkabus.Read(ctx, v.b, topic, int64(more))
	if err != nil {
		return err
	}
	if err := v.again(ctx, topic); err != nil {
		return err
	}
	var back [][]byte
	for eight := range slices.Chunk(kept, 8) {
		for i, msg := range slices.Backward(eight) {
			switch i {
			case 1:
				v.done["withheld"]++
			case 3:
				v.done["repeated"]++
				back = append(back, msg, msg)
			case 5:
				v.done["flipped"]++
				back = append(back, flipped(msg, v.done["flipped"]))
			default:
				back = append(back, msg)
			}
			v.done["reordered"]++
		}
	}
	if err := v.put(ctx, topic, back...); err != nil {
		return err
	}
	return v.allow(ctx, topic)
}

// again deletes a topic and makes it anew, as empty as at first.
func (v *vandal) again(ctx context.Context, topic string) error {
	gone, err := v.admin.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})
	if err == nil {
		err = gone.Errors[topic]
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", topic, err)
	}
	v.done["deleted"]++
	for {
		made, err := v.admin.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: 1, ReplicationFactor: 1,
			ConfigEntries: []kafka.ConfigEntry{{ConfigName: "max.message.bytes", ConfigValue: fmt.Sprint(kafkabus.MaxMessageBytes)}}}}})
		if err == nil {
			err = made.Errors[topic]
		}
		if err == nil {
			return nil
		}
		if !errors.Is(err, kafka.TopicAlreadyExists) { // not quite gone yet
			return fmt.Errorf("make %s: %w", topic, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// next returns the offset behind a topic's last message.
func (v *vandal) next(ctx context.Context, topic string) (int64, error) {
	r, err := v.admin.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: {kafka.LastOffsetOf(0)}}})
	if err != nil {
		return 0, err
	}
	if p := r.Topics[topic]; len(p) == 1 {
		return p[0].LastOffset, p[0].Error
	}
	return 0, kafka.UnknownTopicOrPartition
}

// deny takes the reading of a member's topic from all others.
func (v *vandal) deny(ctx context.Context, m record.MemberID) error {
	var acls []kafka.ACLEntry
	for _, reader := range v.d.members {
		if reader != m {
			acls = append(acls, kafka.ACLEntry{ResourceType: kafka.ResourceTypeTopic, ResourceName: kafkabus.LogTopic(m), ResourcePatternType: kafka.PatternTypeLiteral,
				Principal: "User:" + string(reader), Host: "*", Operation: kafka.ACLOperationTypeRead, PermissionType: kafka.ACLPermissionTypeDeny})
		}
	}
	r, err := v.admin.CreateACLs(ctx, &kafka.CreateACLsRequest{ACLs: acls})
	if err != nil {
		return err
	}
	return errors.Join(r.Errors...)
}

// allow takes every denial on a topic back.
func (v *vandal) allow(ctx context.Context, topic string) error {
	r, err := v.admin.DeleteACLs(ctx, &kafka.DeleteACLsRequest{Filters: []kafka.DeleteACLsFilter{{ResourceTypeFilter: kafka.ResourceTypeTopic, ResourceNameFilter: topic,
		ResourcePatternTypeFilter: kafka.PatternTypeLiteral, Operation: kafka.ACLOperationTypeAny, PermissionType: kafka.ACLPermissionTypeDeny}}})
	if err != nil {
		return err
	}
	for _, res := range r.Results {
		if res.Error != nil {
			return res.Error
		}
		if len(res.MatchingACLs) == 0 {
			return fmt.Errorf("no denial on %s", topic)
		}
	}
	return nil
}
