package kafkabus_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/segmentio/kafka-go"
	"gopkg.in/yaml.v3"

	"github.com/pilinhub/pilin/internal/kafkabus"
	"github.com/pilinhub/pilin/record"
)

// asyncDoc is what the tests read of schemas/asyncapi.yaml; the rest stays generic.
type asyncDoc struct {
	Channels map[string]struct {
		Address  string
		Bindings struct {
			Kafka struct {
				Partitions, Replicas int
				TopicConfiguration   map[string]any `yaml:"topicConfiguration"`
			}
		}
	}
	Components struct {
		Messages map[string]struct {
			ContentType string `yaml:"contentType"`
			Headers     any
		}
		MessageTraits map[string]struct{ Headers any } `yaml:"messageTraits"`
		Schemas       map[string]any
	}
}

func readAsyncAPI(t *testing.T) (d asyncDoc) {
	t.Helper()
	b, err := os.ReadFile("../../schemas/asyncapi.yaml")
	if err == nil {
		err = yaml.Unmarshal(b, &d)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// conforms reports what a schema of the document says against a value.
func conforms(t *testing.T, schema, value any) error {
	t.Helper()
	b, err := json.Marshal(schema) // the validator wants the numbers of JSON
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("of.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("of.json")
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(value)
}

// The document names the topics as they are laid.
func TestAsyncAPI_Topics(t *testing.T) {
	d := readAsyncAPI(t)
	b, err := os.ReadFile("../../deploy/kafka/topics.yaml")
	if err != nil {
		t.Fatal(err)
	}
	table, err := kafkabus.ParseTable(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Channels) != len(table.Topics) {
		t.Errorf("%d channels, %d topics", len(d.Channels), len(table.Topics))
	}
	for _, topic := range table.Topics {
		found := false
		for name, c := range d.Channels {
			if c.Address != topic.Name {
				continue
			}
			found = true
			k := c.Bindings.Kafka
			if k.Partitions != topic.Partitions || k.Replicas != topic.ReplicationFactor {
				t.Errorf("%s: %d partitions, %d replicas; laid are %d, %d", name, k.Partitions, k.Replicas, topic.Partitions, topic.ReplicationFactor)
			}
			for setting, v := range k.TopicConfiguration {
				if list, ok := v.([]any); ok && len(list) == 1 {
					v = list[0]
				}
				if want := topic.Config[setting]; fmt.Sprint(v) != want {
					t.Errorf("%s: %s is %v, laid is %q", name, setting, v, want)
				}
			}
		}
		if !found {
			t.Errorf("no channel for %s", topic.Name)
		}
	}
	for name, want := range map[string]string{"log": kafkabus.LogTopic(member), "ack": kafkabus.AckTopic(member)} {
		if got := strings.ReplaceAll(d.Channels[name].Address, "{member}", string(member)); got != want {
			t.Errorf("%s is at %s, the code uses %s", name, got, want)
		}
	}
}

// vectors returns one member of every good vector of a file.
func vectors(t *testing.T, name string) []string {
	t.Helper()
	var v struct{ Good []map[string]any }
	b, err := os.ReadFile("../../schemas/vectors/" + name + ".json")
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, g := range v.Good {
		text, ok := g[name].(string)
		if !ok {
			t.Fatalf("a good vector of %s holds no %s", name, name)
		}
		out = append(out, text)
	}
	if len(out) == 0 {
		t.Fatal("no vectors")
	}
	return out
}

// What the node puts on its topics is what the document says: key, headers, and payloads, those of the vectors.
func TestAsyncAPI_Messages(t *testing.T) {
	d := readAsyncAPI(t)
	s, b := start(t)
	p := kafkabus.NewProducer(b)
	defer p.Close()
	stream := record.Stream(member, record.Records)
	var fed record.FederationID
	for _, c := range []struct {
		message, topic, event string
		payloads              []string
		value                 func(string) any
	}{
		{"frame", kafkabus.LogTopic(member), kafkabus.FrameEvent, vectors(t, "frame"), func(s string) any { return s }},
		{"receipt", kafkabus.AckTopic(member), kafkabus.ReceiptEvent, vectors(t, "receipt"), func(s string) any {
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(s))
			if err != nil {
				t.Fatal(err)
			}
			return v
		}},
	} {
		data := []byte(c.payloads[0])
		for _, text := range c.payloads {
			if c.message == "frame" {
				raw, err := base64.StdEncoding.DecodeString(text)
				if err != nil {
					t.Fatal(err)
				}
				text, data = strings.Repeat("x", len(raw)), raw // a schema counts characters; what it bounds are bytes
			}
			if err := conforms(t, d.Components.Schemas[c.message], c.value(text)); err != nil {
				t.Errorf("%s of the vectors: %v", c.message, err)
			}
		}
		m := d.Components.Messages[c.message]
		if err := p.Produce(t.Context(), c.topic, string(stream), c.event, record.Origin(fed, stream), m.ContentType, data); err != nil {
			t.Fatal(err)
		}
		r := kafka.NewReader(kafka.ReaderConfig{Brokers: s.Brokers, Topic: c.topic, MaxBytes: 4 << 20, MaxWait: 50 * time.Millisecond})
		got, err := r.ReadMessage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		headers := map[string]any{}
		for _, h := range got.Headers {
			headers[h.Key] = string(h.Value)
		}
		for _, schema := range []any{m.Headers, d.Components.MessageTraits["event"].Headers} {
			if err := conforms(t, schema, headers); err != nil {
				t.Errorf("%s: headers %v: %v", c.message, headers, err)
			}
		}
		told := slices.Concat(properties(m.Headers), properties(d.Components.MessageTraits["event"].Headers))
		if sent := slices.Collect(maps.Keys(headers)); !slices.Equal(slices.Sorted(slices.Values(sent)), slices.Sorted(slices.Values(told))) {
			t.Errorf("%s: headers %v are sent, %v are told", c.message, sent, told)
		}
		if err := conforms(t, d.Components.Schemas["stream"], string(got.Key)); err != nil {
			t.Errorf("%s: key: %v", c.message, err)
		}
	}
}

// properties are the names that an object's schema describes.
func properties(schema any) []string {
	of, _ := schema.(map[string]any)
	p, _ := of["properties"].(map[string]any)
	return slices.Collect(maps.Keys(p))
}
