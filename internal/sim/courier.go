package sim

import (
	"errors"
	"slices"

	"github.com/pilinhub/pilin/internal/exchange"
)

var (
	errBrokerDown = errors.New("broker does not answer")
	errNoAck      = errors.New("no acknowledgement")
)

// message is one message of a topic as the broker keeps it.
type message struct {
	data  []byte
	clean bool // as it was produced
}

// topic is one partition at a broker that keeps what it confirmed unless a fault takes it away.
type topic struct {
	first    int64 // offset of the first message still kept
	messages []message
	made     int // how often it was created
}

func (t *topic) next() int64 { return t.first + int64(len(t.messages)) }

// read returns the message at an offset, or the first one kept if it was trimmed: silently, as kafka-go does.
func (t *topic) read(offset int64) (message, int64, bool) {
	offset = max(offset, t.first)
	if offset >= t.next() {
		return message{}, offset, false
	}
	return t.messages[offset-t.first], offset, true
}

// courier is the broker: topics by name.
type courier struct {
	w      *world
	topics map[string]*topic
	down   bool
	// Chances, 0 to 1, of what may happen to one produced message.
	noAck, lost, twice, again, flip float64
	refuse                          map[string]bool
}

func (c *courier) topic(name string) *topic {
	t := c.topics[name]
	if t == nil {
		t = &topic{made: 1}
		c.topics[name] = t
	}
	return t
}

// produce stores a message as a broker does on whose network nobody can rely: an error never means "not written".
func (c *courier) produce(name string, data []byte) error {
	if c.down {
		return errBrokerDown
	}
	if c.refuse[name] {
		c.w.fault("produce_refused")
		return exchange.ErrRefused
	}
	t := c.topic(name)
	if c.w.chance(c.lost) {
		c.w.fault("produce_lost")
		return errNoAck
	}
	if c.w.chance(c.again) && len(t.messages) > 0 { // an earlier attempt arrives late
		c.w.fault("resent_out_of_order")
		t.messages = append(t.messages, t.messages[c.w.draw(len(t.messages))])
	}
	m := message{slices.Clone(data), true}
	if c.w.chance(c.flip) {
		c.w.fault("message_flipped")
		m.clean = false
		m.data[c.w.draw(len(m.data))] ^= 1 << c.w.draw(8)
	}
	t.messages = append(t.messages, m)
	if c.w.chance(c.twice) {
		c.w.fault("message_twice")
		t.messages = append(t.messages, message{slices.Clone(m.data), m.clean})
	}
	if c.w.chance(c.noAck) {
		c.w.fault("ack_lost")
		return errNoAck
	}
	return nil
}

// trim drops the oldest n messages.
func (c *courier) trim(name string, n int) {
	t := c.topic(name)
	n = min(n, len(t.messages))
	t.first += int64(n)
	t.messages = slices.Clone(t.messages[n:])
}

// recreate deletes a topic and makes it again, empty.
func (c *courier) recreate(name string) {
	c.topics[name] = &topic{made: c.topic(name).made + 1}
}
