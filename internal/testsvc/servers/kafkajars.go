package servers

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// KafkaVersion is the broker that tests run against; its classes need Java 17. The pom repeats it.
const KafkaVersion = "4.4.0"

//go:embed kafka/pom.xml
var kafkaPOM []byte

// cacheDir is where what was fetched is kept between runs: the user's cache folder.
func cacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		base = filepath.Join(os.TempDir(), "cache-"+fmt.Sprint(os.Getuid()))
	}
	dir := filepath.Join(base, "pilin-testsvc")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make cache folder: %w", err)
	}
	return dir, nil
}

// kafkaJars returns the folder of the broker's jars and whether they are all there.
func kafkaJars() (dir string, complete bool, err error) {
	cache, err := cacheDir()
	if err != nil {
		return "", false, err
	}
	dir = filepath.Join(cache, "kafka-"+KafkaVersion)
	_, err = os.Stat(filepath.Join(dir, ".done"))
	return dir, err == nil, nil
}

// FetchKafka lets Maven fetch the broker's jars into the cache unless they are there. Programs that run at the same
// time wait for each other.
func FetchKafka(say func(string)) (err error) {
	dir, complete, err := kafkaJars()
	if err != nil || complete {
		return err
	}
	lock, err := lockFile(dir+".lock", syscall.LOCK_EX)
	if err != nil {
		return fmt.Errorf("lock Kafka jars: %w", err)
	}
	defer lock.Close()
	if _, complete, err = kafkaJars(); err != nil || complete {
		return err
	}
	say("fetching Apache Kafka " + KafkaVersion + " with Maven (45 MB, once)")
	work, err := os.MkdirTemp("", "pilin-kafka-pom-")
	if err != nil {
		return fmt.Errorf("fetch Kafka: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	pom := filepath.Join(work, "pom.xml")
	if err := os.WriteFile(pom, kafkaPOM, 0o644); err != nil {
		return fmt.Errorf("fetch Kafka: %w", err)
	}
	mvn := exec.Command("mvn", "-B", "-ntp", "-q", "-f", pom, "dependency:copy-dependencies", "-DincludeScope=runtime",
		"-DoutputDirectory="+dir, "-Dkafka.version="+KafkaVersion)
	if out, err := mvn.CombinedOutput(); err != nil {
		return fmt.Errorf("fetch Kafka with Maven: %w\n%s", err, out)
	}
	if jars, err := filepath.Glob(filepath.Join(dir, "kafka_2.13-"+KafkaVersion+".jar")); err != nil || len(jars) != 1 {
		return fmt.Errorf("fetch Kafka with Maven: %s holds no broker jar", dir)
	}
	return os.WriteFile(filepath.Join(dir, ".done"), []byte(strings.TrimSpace(KafkaVersion)+"\n"), 0o644)
}
