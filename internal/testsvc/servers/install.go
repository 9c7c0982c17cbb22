package servers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Debian's names of what the servers need.
const (
	postgresPackage = "postgresql-15"
	redisPackage    = "redis-server"
	javaPackage     = "openjdk-17-jre-headless"
	mavenPackage    = "maven"
)

// compilerPackages are what Go's race detector needs besides Go.
var compilerPackages = []string{"gcc", "libc6-dev"}

// Missing returns the Debian packages that must be installed before the servers can run and `go test -race` can build.
func Missing() []string {
	var missing []string
	if _, err := PostgresBin(); err != nil {
		missing = append(missing, postgresPackage)
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		missing = append(missing, redisPackage)
	}
	if _, err := exec.LookPath("java"); err != nil {
		missing = append(missing, javaPackage)
	}
	if _, complete, err := kafkaJars(); err != nil || !complete {
		if _, err := exec.LookPath("mvn"); err != nil {
			missing = append(missing, mavenPackage)
		}
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		missing = append(missing, compilerPackages...)
	}
	return missing
}

// Install makes everything ready that StartPostgres, StartKafka and StartRedis need: as root on Debian it installs
// missing packages without letting any of them start a service or make a database cluster; otherwise it says what to
// install. Then it fetches the broker's jars.
func Install(say func(string)) error {
	if missing := Missing(); len(missing) > 0 {
		_, err := exec.LookPath("apt-get")
		if os.Getuid() != 0 || err != nil {
			return fmt.Errorf("the test services need %s: install them, e.g. sudo apt-get install %[1]s", strings.Join(missing, " "))
		}
		say("installing " + strings.Join(missing, " "))
		if err := aptInstall(missing); err != nil {
			return err
		}
	}
	return FetchKafka(say)
}

const (
	policyFile  = "/usr/sbin/policy-rc.d"
	clusterConf = "/etc/postgresql-common/createcluster.conf"
)

func aptInstall(packages []string) (err error) {
	if _, statErr := os.Stat(policyFile); errors.Is(statErr, os.ErrNotExist) {
		// Debian asks this program before a package starts its service; 101 means no.
		if err := os.WriteFile(policyFile, []byte("#!/bin/sh\nexit 101\n"), 0o755); err != nil {
			return fmt.Errorf("keep services from starting: %w", err)
		}
		defer func() { err = errors.Join(err, os.Remove(policyFile)) }()
	}
	if err := apt("update", "-qq"); err != nil {
		return err
	}
	for _, p := range packages {
		if p != postgresPackage {
			continue
		}
		if err := apt("install", "-y", "-qq", "--no-install-recommends", "postgresql-common"); err != nil {
			return err
		}
		if err := noMainCluster(); err != nil {
			return err
		}
	}
	return apt(append([]string{"install", "-y", "-qq", "--no-install-recommends"}, packages...)...)
}

// noMainCluster tells Debian's scripts not to make a database cluster when the server package is installed.
func noMainCluster() error {
	const setting = "create_main_cluster = false"
	b, err := os.ReadFile(clusterConf)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read %s: %w", clusterConf, err)
	}
	for line := range strings.Lines(string(b)) {
		if strings.TrimSpace(line) == setting {
			return nil
		}
	}
	if err := os.WriteFile(clusterConf, append(b, "\n"+setting+"\n"...), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", clusterConf, err)
	}
	return nil
}

func apt(args ...string) error {
	cmd := exec.Command("apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}
