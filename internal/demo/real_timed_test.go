package demo

import (
	"os"
	"testing"

	"github.com/pilinhub/pilin/internal/node"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
)

// onServers lets the configurations name a broker of their own (Apache Kafka over SASL_SSL, provisioned from the table that
// we ship), a PostgreSQL database for each bureau, and Redis.
func onServers(t *testing.T, configs []node.Config) {
	t.Helper()
	k := testsvc.OwnKafka(t)
	table, err := os.ReadFile("../../deploy/kafka/topics.yaml")
	must(t, err)
	var operator node.Config
	operator.Kafka.Brokers, operator.Kafka.TLS, operator.Kafka.CAFile = []string{k.SASLAddr}, true, k.CAFile
	operator.Kafka.User, operator.Kafka.PasswordFile = k.AdminUser, k.PasswordFile(t)
	var members []record.MemberID
	for _, c := range configs {
		members = append(members, c.Member)
	}
	_, err = node.ProvisionKafka(t.Context(), operator, table, members, 1)
	must(t, err)
	redis := testsvc.Redis(t)
	for i := range configs {
		c := &configs[i]
		_, file := k.NewUser(t, string(c.Member))
		c.Kafka = operator.Kafka
		c.Kafka.User, c.Kafka.PasswordFile = string(c.Member), file
		c.Redis.URL, c.UnsafeTest = redis, true
		c.Database = node.Database{Driver: "postgres", DSN: testsvc.Postgres(t)}
	}
}

// The story of domain.md §7.3 on PostgreSQL, Apache Kafka and Redis: the outcomes, the revocation that turns an open
// answer, and a member that is missing and returns. Each takes a broker of its own, because the demo's members have fixed
// codes, and so runs alone.
func TestTimedStory_OnServers(t *testing.T) {
	t.Run("outcomes", func(t *testing.T) { outcomes(playOn(t, "2026-03-13", onServers)) })
	t.Run("follows", func(t *testing.T) { follows(t, playOn(t, "2026-03-13", onServers)) })
	t.Run("returns", func(t *testing.T) { returns(t, playOn(t, "2026-03-13", onServers)) })
}
