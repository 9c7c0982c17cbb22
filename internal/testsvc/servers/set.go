package servers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// Names of the environment variables by which tests learn where servers are. Whoever has servers of his own sets them;
// then none of that kind is started.
const (
	EnvPostgres        = "PILIN_TEST_POSTGRES"             // DSN of a superuser; fsync off
	EnvPostgresDurable = "PILIN_TEST_POSTGRES_DURABLE"     // DSN of a superuser; fsync and synchronous_commit on
	EnvKafka           = "PILIN_TEST_KAFKA"                // host:port, SASL_SSL with SCRAM-SHA-512
	EnvKafkaMTLS       = "PILIN_TEST_KAFKA_MTLS"           // host:port, TLS with client certificates
	EnvKafkaCA         = "PILIN_TEST_KAFKA_CA"             // PEM file of the broker's CA
	EnvKafkaCAKey      = "PILIN_TEST_KAFKA_CA_KEY"         // PEM file of its key, to issue client certificates
	EnvKafkaUser       = "PILIN_TEST_KAFKA_ADMIN_USER"     // SCRAM user that may do anything
	EnvKafkaPassword   = "PILIN_TEST_KAFKA_ADMIN_PASSWORD" // its password
	EnvKafkaData       = "PILIN_TEST_KAFKA_DATA"           // the broker's data folder, for tests that search it
	EnvRedis           = "PILIN_TEST_REDIS"                // redis://user:password@host:port/0
	EnvRequire         = "PILIN_REQUIRE_SERVICES"          // 1: a test that lacks a server fails instead of being skipped
)

// Set is one server of each kind, those left out that the environment already names.
type Set struct {
	dir     string
	fast    *Postgres
	durable *Postgres
	kafka   *Kafka
	redis   *Redis
}

// StartSet starts the servers side by side, each in a folder of its own below dir. On an error none is left running.
func StartSet(dir string) (*Set, error) {
	s := &Set{dir: dir}
	// Other users must be able to pass through to their own folder.
	if err := os.Chmod(dir, 0o711); err != nil {
		return nil, fmt.Errorf("open folder of servers: %w", err)
	}
	starts := []func() error{}
	add := func(env string, start func() error) {
		if os.Getenv(env) == "" {
			starts = append(starts, start)
		}
	}
	add(EnvKafka, func() (err error) { s.kafka, err = StartKafka(filepath.Join(dir, "kafka")); return err })
	add(EnvPostgres, func() (err error) { s.fast, err = StartPostgres(filepath.Join(dir, "postgres"), false); return err })
	add(EnvPostgresDurable, func() (err error) { s.durable, err = StartPostgres(filepath.Join(dir, "durable"), true); return err })
	add(EnvRedis, func() (err error) { s.redis, err = StartRedis(filepath.Join(dir, "redis")); return err })
	errs := make([]error, len(starts))
	var wait sync.WaitGroup
	for i, start := range starts {
		wait.Go(func() { errs[i] = start() })
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Env returns NAME=VALUE for every server of the set.
func (s *Set) Env() []string {
	var env []string
	add := func(name, value string) { env = append(env, name+"="+value) }
	if s.fast != nil {
		add(EnvPostgres, s.fast.DSN("postgres"))
	}
	if s.durable != nil {
		add(EnvPostgresDurable, s.durable.DSN("postgres"))
	}
	if k := s.kafka; k != nil {
		add(EnvKafka, k.SASLAddr())
		add(EnvKafkaMTLS, k.MTLSAddr())
		add(EnvKafkaCA, k.CA.CertFile)
		add(EnvKafkaCAKey, k.CA.KeyFile)
		add(EnvKafkaUser, k.AdminUser)
		add(EnvKafkaPassword, k.AdminPassword)
		add(EnvKafkaData, k.DataDir())
	}
	if s.redis != nil {
		add(EnvRedis, s.redis.URL())
	}
	return env
}

// Close stops every server of the set and removes its folder.
func (s *Set) Close() error {
	var stops []func() error
	if s.kafka != nil {
		stops = append(stops, s.kafka.Close)
	}
	if s.fast != nil {
		stops = append(stops, s.fast.Close)
	}
	if s.durable != nil {
		stops = append(stops, s.durable.Close)
	}
	if s.redis != nil {
		stops = append(stops, s.redis.Close)
	}
	errs := make([]error, len(stops))
	var wait sync.WaitGroup
	for i, stop := range stops {
		wait.Go(func() { errs[i] = stop() })
	}
	wait.Wait()
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}
