package kafkabus

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/segmentio/kafka-go"
	"gopkg.in/yaml.v3"

	"github.com/pilinhub/pilin/record"
)

// Table is the list of topics and rights that a federation needs on its broker; deploy/kafka/topics.yaml is the one we
// ship. In names, "{member}" stands for each member's code.
type Table struct {
	Topics []TopicRule `yaml:"topics"`
	ACLs   []ACLRule   `yaml:"acls"`
}

// TopicRule is one topic per member.
type TopicRule struct {
	Name              string            `yaml:"name"`
	Partitions        int               `yaml:"partitions"`
	ReplicationFactor int               `yaml:"replication_factor"`
	Config            map[string]string `yaml:"config"`
}

// ACLRule is one right per member.
type ACLRule struct {
	Principal  string   `yaml:"principal"`  // e.g. User:{member}
	Resource   string   `yaml:"resource"`   // topic, group or cluster
	Pattern    string   `yaml:"pattern"`    // literal or prefixed
	Name       string   `yaml:"name"`       // e.g. "pilin.{member}."
	Operations []string `yaml:"operations"` // Read, Write, Describe
}

// ParseTable reads a table; unknown members are refused.
func ParseTable(b []byte) (Table, error) {
	var t Table
	d := yaml.NewDecoder(strings.NewReader(string(b)))
	d.KnownFields(true)
	if err := d.Decode(&t); err != nil {
		return t, fmt.Errorf("topic table: %w", err)
	}
	if len(t.Topics) == 0 || len(t.ACLs) == 0 {
		return t, errors.New("topic table: topics and acls must not be empty")
	}
	return t, nil
}

func fill(s string, m record.MemberID) string { return strings.ReplaceAll(s, "{member}", string(m)) }

var (
	resourceTypes = map[string]kafka.ResourceType{"topic": kafka.ResourceTypeTopic, "group": kafka.ResourceTypeGroup, "cluster": kafka.ResourceTypeCluster}
	patternTypes  = map[string]kafka.PatternType{"literal": kafka.PatternTypeLiteral, "prefixed": kafka.PatternTypePrefixed}
	operations    = map[string]kafka.ACLOperationType{"Read": kafka.ACLOperationTypeRead, "Write": kafka.ACLOperationTypeWrite, "Describe": kafka.ACLOperationTypeDescribe, "DescribeConfigs": kafka.ACLOperationTypeDescribeConfigs}
)

// Provision creates what the table asks for and the broker lacks: topics, their configuration, rights. It is run by the
// broker's operator (b has administrator credentials) and may be run again. replicas caps the replication factor where
// the cluster has fewer brokers than the table wants; 0 means no cap. principal maps a member to the broker's name for it.
func Provision(ctx context.Context, b *Broker, t Table, members []record.MemberID, replicas int) (done []string, err error) {
	tr := b.transport()
	defer tr.CloseIdleConnections()
	c := b.client(tr)
	for _, rule := range t.Topics {
		for _, m := range members {
			name := fill(rule.Name, m)
			rf := rule.ReplicationFactor
			if replicas > 0 {
				rf = min(rf, replicas)
			}
			var entries []kafka.ConfigEntry
			for k, v := range rule.Config {
				if k == "min.insync.replicas" && replicas > 0 {
					n, convErr := strconv.Atoi(v)
					if convErr != nil {
						return done, fmt.Errorf("topic %s: min.insync.replicas %q: %w", name, v, convErr)
					}
					v = strconv.Itoa(min(n, replicas))
				}
				entries = append(entries, kafka.ConfigEntry{ConfigName: k, ConfigValue: v})
			}
			sort.Slice(entries, func(i, j int) bool { return entries[i].ConfigName < entries[j].ConfigName })
			resp, err := c.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{
				Topic: name, NumPartitions: rule.Partitions, ReplicationFactor: rf, ConfigEntries: entries}}})
			if err != nil {
				return done, fmt.Errorf("create topic %s: %w", name, err)
			}
			switch e := resp.Errors[name]; {
			case e == nil:
				done = append(done, "created topic "+name)
			case errors.Is(e, kafka.TopicAlreadyExists):
				done = append(done, "topic "+name+" exists")
				if err := setConfig(ctx, c, name, entries); err != nil {
					return done, err
				}
			default:
				return done, fmt.Errorf("create topic %s: %w", name, e)
			}
		}
	}
	var acls []kafka.ACLEntry
	for _, rule := range t.ACLs {
		rt, ok1 := resourceTypes[rule.Resource]
		pt, ok2 := patternTypes[rule.Pattern]
		if !ok1 || !ok2 {
			return done, fmt.Errorf("acl for %s: unknown resource %q or pattern %q", rule.Principal, rule.Resource, rule.Pattern)
		}
		for _, op := range rule.Operations {
			ot, ok := operations[op]
			if !ok {
				return done, fmt.Errorf("acl for %s: unknown operation %q", rule.Principal, op)
			}
			for _, m := range members {
				acls = append(acls, kafka.ACLEntry{ResourceType: rt, ResourceName: fill(rule.Name, m), ResourcePatternType: pt,
					Principal: fill(rule.Principal, m), Host: "*", Operation: ot, PermissionType: kafka.ACLPermissionTypeAllow})
			}
		}
	}
	resp, err := c.CreateACLs(ctx, &kafka.CreateACLsRequest{ACLs: acls})
	if err != nil {
		return done, fmt.Errorf("create rights: %w", err)
	}
	for i, e := range resp.Errors {
		if e != nil {
			return done, fmt.Errorf("create right %s on %s: %w", acls[i].Principal, acls[i].ResourceName, e)
		}
	}
	return append(done, fmt.Sprintf("%d rights in place", len(acls))), nil
}

// setConfig brings an existing topic's settings to the table's, leaving all others alone.
func setConfig(ctx context.Context, c *kafka.Client, topic string, entries []kafka.ConfigEntry) error {
	var cfg []kafka.IncrementalAlterConfigsRequestConfig
	for _, e := range entries {
		cfg = append(cfg, kafka.IncrementalAlterConfigsRequestConfig{Name: e.ConfigName, Value: e.ConfigValue, ConfigOperation: kafka.ConfigOperationSet})
	}
	resp, err := c.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{{
		ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, Configs: cfg}}})
	if err != nil {
		return fmt.Errorf("configure topic %s: %w", topic, err)
	}
	for _, r := range resp.Resources {
		if r.Error != nil {
			return fmt.Errorf("configure topic %s: %w", topic, r.Error)
		}
	}
	return nil
}
