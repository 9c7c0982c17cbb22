package testsvc_test

import (
	"os"
	"testing"

	"github.com/segmentio/kafka-go"

	"github.com/pilinhub/pilin/internal/kafkabus"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
)

// TestDeploy_topics_and_rights lays deploy/kafka/topics.yaml on a real broker, twice, and lets a member check it; then it
// loosens one right and expects the check to say so.
func TestDeploy_topics_and_rights(t *testing.T) {
	k := testsvc.Kafka(t)
	text, err := os.ReadFile("../../deploy/kafka/topics.yaml")
	if err != nil {
		t.Fatal(err)
	}
	table, err := kafkabus.ParseTable(text)
	if err != nil {
		t.Fatal(err)
	}
	codes := testsvc.MemberCodes(t, 2)
	self, other := record.MemberID(codes[0]), record.MemberID(codes[1])
	broker := func(user, passwordFile string) *kafkabus.Broker {
		b, err := kafkabus.Open(kafkabus.Config{Brokers: []string{k.SASLAddr}, TLS: true, CAFile: k.CAFile, User: user, PasswordFile: passwordFile})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	admin := broker(k.AdminUser, k.PasswordFile(t))
	for range 2 {
		if done, err := kafkabus.Provision(t.Context(), admin, table, []record.MemberID{self, other}, 1); err != nil {
			t.Fatalf("after %v: %v", done, err)
		}
	}
	for topic, want := range map[string]map[string]string{
		kafkabus.LogTopic(self): {"retention.ms": "604800000", "max.message.bytes": "2097152", "cleanup.policy": "delete"},
		kafkabus.AckTopic(self): {"retention.ms": "86400000", "cleanup.policy": "delete"},
	} {
		resp, err := k.Admin(t).DescribeConfigs(t.Context(), &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{
			{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic}}})
		if err != nil || len(resp.Resources) != 1 {
			t.Fatalf("settings of %s: %v", topic, err)
		}
		have := map[string]string{}
		for _, e := range resp.Resources[0].ConfigEntries {
			have[e.ConfigName] = e.ConfigValue
		}
		for name, value := range want {
			if have[name] != value {
				t.Errorf("%s: %s is %q, want %q", topic, name, have[name], value)
			}
		}
	}

	_, passwordFile := k.NewUser(t, codes[0])
	member := broker(codes[0], passwordFile)
	for _, f := range kafkabus.Check(t.Context(), member, self, other) {
		if !f.OK {
			t.Errorf("%s: %s", f.What, f.Do)
		}
	}
	granted, err := k.Admin(t).CreateACLs(t.Context(), &kafka.CreateACLsRequest{ACLs: []kafka.ACLEntry{{ResourceType: kafka.ResourceTypeTopic,
		ResourceName: kafkabus.AckTopic(other), ResourcePatternType: kafka.PatternTypeLiteral, Principal: "User:" + codes[0], Host: "*",
		Operation: kafka.ACLOperationTypeWrite, PermissionType: kafka.ACLPermissionTypeAllow}}})
	if err != nil || granted.Errors[0] != nil {
		t.Fatalf("loosen a right: %v %v", err, granted)
	}
	var seen int
	for _, f := range kafkabus.Check(t.Context(), member, self, other) {
		if !f.OK {
			seen++
		}
	}
	if seen != 1 {
		t.Errorf("a member that may write another's topic: %d findings, want 1", seen)
	}
}
