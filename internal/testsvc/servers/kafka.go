package servers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Kafka is one Apache Kafka broker that is its own controller. No principal is anonymous: one listener for clients wants TLS
// and SCRAM-SHA-512; the other one, and the controller, want a client certificate of its CA. Without an ACL nobody but the administrator and
// the broker may do anything, and topics are never made by themselves.
type Kafka struct {
	SASLPort      int // SASL_SSL, SCRAM-SHA-512
	MTLSPort      int // SSL, the client certificate's common name is the principal
	AdminUser     string
	AdminPassword string
	CA            *CA

	dir     string
	java    string
	jars    string
	claimed *ports
	proc    *process
}

// Readiness is the broker's own word, logged by logger kafka.server: an open port says less.
const kafkaReady = "Kafka Server started"

// StartKafka makes certificates, formats a data folder under dir and starts a broker on it. The jars must be there
// (FetchKafka).
func StartKafka(dir string) (*Kafka, error) {
	if err := KafkaMissing(); err != nil {
		return nil, err
	}
	k := &Kafka{AdminUser: "admin", AdminPassword: secret(), dir: dir}
	var err error
	if k.jars, _, err = kafkaJars(); err != nil {
		return nil, err
	}
	if k.java, err = exec.LookPath("java"); err != nil {
		return nil, fmt.Errorf("find java: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make Kafka folder: %w", err)
	}
	if err := k.makeCertificates(); err != nil {
		return nil, err
	}
	if k.claimed, err = claim(3); err != nil {
		return nil, err
	}
	k.SASLPort, k.MTLSPort = k.claimed.numbers[0], k.claimed.numbers[1]
	if err := k.format(); err != nil {
		k.claimed.release()
		return nil, err
	}
	if err := k.Start(); err != nil {
		k.claimed.release()
		return nil, err
	}
	return k, nil
}

// KafkaMissing says what StartKafka lacks and how to get it; nil when nothing.
func KafkaMissing() error {
	if _, complete, err := kafkaJars(); err != nil {
		return err
	} else if !complete {
		return errors.New("the jars of Apache Kafka are not in the cache: run go run ./internal/testsvc/testsvcd fetch")
	}
	if _, err := exec.LookPath("java"); err != nil {
		return fmt.Errorf("no java found: install %s", javaPackage)
	}
	return nil
}

func (k *Kafka) makeCertificates() error {
	var err error
	if k.CA, err = NewCA(k.dir, "ca"); err != nil {
		return err
	}
	cert, key, err := k.CA.Issue(k.dir, "broker", "broker")
	if err != nil {
		return err
	}
	return concat(k.keystore(), key, cert, k.CA.CertFile)
}

func (k *Kafka) keystore() string   { return filepath.Join(k.dir, "broker-keystore.pem") }
func (k *Kafka) properties() string { return filepath.Join(k.dir, "server.properties") }

// DataDir is where the broker keeps its log segments, for tests that search them.
func (k *Kafka) DataDir() string { return filepath.Join(k.dir, "data") }

// SASLAddr is where SCRAM users connect.
func (k *Kafka) SASLAddr() string { return Address(k.SASLPort) }

// MTLSAddr is where holders of a client certificate connect.
func (k *Kafka) MTLSAddr() string { return Address(k.MTLSPort) }

// format writes the settings and the empty metadata log that already knows the administrator.
func (k *Kafka) format() error {
	controller := Address(k.claimed.numbers[2])
	settings := []string{
		"process.roles=broker,controller", "node.id=1", "controller.quorum.voters=1@" + controller,
		"listeners=SASL_SSL://" + k.SASLAddr() + ",MTLS://" + k.MTLSAddr() + ",CONTROLLER://" + controller,
		"advertised.listeners=SASL_SSL://" + k.SASLAddr() + ",MTLS://" + k.MTLSAddr(),
		"listener.security.protocol.map=SASL_SSL:SASL_SSL,MTLS:SSL,CONTROLLER:SSL",
		"inter.broker.listener.name=MTLS", "controller.listener.names=CONTROLLER",
		"sasl.enabled.mechanisms=SCRAM-SHA-512",
		// Without this line the broker stops at start: it looks for a JAAS file.
		"listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;",
		"ssl.keystore.type=PEM", "ssl.keystore.location=" + k.keystore(),
		"ssl.truststore.type=PEM", "ssl.truststore.location=" + k.CA.CertFile,
		"listener.name.mtls.ssl.client.auth=required", "listener.name.controller.ssl.client.auth=required",
		"ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/,DEFAULT",
		"authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"allow.everyone.if.no.acl.found=false", "super.users=User:broker;User:" + k.AdminUser,
		"auto.create.topics.enable=false", "num.partitions=1", "default.replication.factor=1",
		"offsets.topic.replication.factor=1", "offsets.topic.num.partitions=4",
		"transaction.state.log.replication.factor=1", "transaction.state.log.min.isr=1", "group.initial.rebalance.delay.ms=0",
		// After kill -9 the controller waits for the dead incarnation this long.
		"broker.session.timeout.ms=2000", "broker.heartbeat.interval.ms=500",
		"log.dirs=" + k.DataDir(), "log.cleaner.dedupe.buffer.size=16777216", "unclean.leader.election.enable=false",
		"num.network.threads=2", "num.io.threads=2", "background.threads=2", "num.recovery.threads.per.data.dir=1", "",
	}
	if err := os.WriteFile(k.properties(), []byte(strings.Join(settings, "\n")), 0o600); err != nil {
		return fmt.Errorf("write server.properties: %w", err)
	}
	id := strings.ToLower(secret())[:22]
	cmd := exec.Command(k.java, k.jvm("kafka.tools.StorageTool", "format", "-t", id, "-c", k.properties(),
		"-S", "SCRAM-SHA-512=[name="+k.AdminUser+",password="+k.AdminPassword+"]")...)
	cmd.Dir = k.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("format Kafka folder: %w\n%s", err, out)
	}
	return nil
}

// jvm returns the arguments that run class: the serial collector and the first compiler only, which start in half the
// time on two cores.
func (k *Kafka) jvm(class string, args ...string) []string {
	return append([]string{"-Xmx512m", "-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.log.kafka.server=info",
		"-cp", filepath.Join(k.jars, "*"), class}, args...)
}

// Start starts a broker that was stopped, on the same ports and data.
func (k *Kafka) Start() error {
	if k.proc.running() {
		return nil
	}
	var err error
	k.proc, err = spec{name: "Kafka", path: k.java, args: k.jvm("kafka.Kafka", k.properties()), dir: k.dir,
		log: filepath.Join(k.dir, "log"), ready: kafkaReady, deathSignal: syscall.SIGKILL}.start()
	return err
}

// Stop ends it in order.
func (k *Kafka) Stop() error {
	if !k.proc.running() {
		return nil
	}
	return k.proc.stop(syscall.SIGTERM, 20*time.Second)
}

// Kill ends it as kill -9 does.
func (k *Kafka) Kill() {
	if k.proc.running() {
		k.proc.kill()
	}
}

// Close ends it for good. Its data are not wanted any more, so it is given no time to flush them.
func (k *Kafka) Close() error {
	defer k.claimed.release()
	k.Kill()
	return nil
}
