package servers

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Postgres is one PostgreSQL server: TLS only, scram-sha-256, its own data folder, not run as root.
type Postgres struct {
	Port     int
	User     string // a superuser
	Password string
	CAFile   string
	Durable  bool // fsync and synchronous_commit are on

	bin        string
	dir        string
	claimed    *ports
	credential *syscall.Credential
	proc       *process
}

// StartPostgres makes a data folder under dir and starts a server on it. durable says whether commits reach the disk;
// without, a power cut loses data and tests are faster.
func StartPostgres(dir string, durable bool) (*Postgres, error) {
	bin, err := PostgresBin()
	if err != nil {
		return nil, err
	}
	p := &Postgres{User: "pilin", Password: secret(), Durable: durable, bin: bin, dir: dir}
	if p.credential, err = unprivileged(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, fmt.Errorf("make PostgreSQL folder: %w", err)
	}
	ca, err := NewCA(dir, "ca")
	if err != nil {
		return nil, err
	}
	p.CAFile = ca.CertFile
	if _, _, err := ca.Issue(dir, "server", "postgres"); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "password"), []byte(p.Password+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("write PostgreSQL password: %w", err)
	}
	if err := give(dir, p.credential); err != nil {
		return nil, fmt.Errorf("hand over PostgreSQL folder: %w", err)
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", p.data(), "-U", p.User, "--pwfile", filepath.Join(dir, "password"),
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
	initdb.Dir, initdb.SysProcAttr = dir, &syscall.SysProcAttr{Credential: p.credential}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	hba := "local all all scram-sha-256\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
	if err := os.WriteFile(filepath.Join(p.data(), "pg_hba.conf"), []byte(hba), 0o600); err != nil {
		return nil, fmt.Errorf("write pg_hba.conf: %w", err)
	}
	if p.claimed, err = claim(1); err != nil {
		return nil, err
	}
	p.Port = p.claimed.numbers[0]
	if err := p.Start(); err != nil {
		p.claimed.release()
		return nil, err
	}
	return p, nil
}

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }

// DataDir is where the server keeps its files, for tests that search them.
func (p *Postgres) DataDir() string { return p.data() }

// Start starts a server that was stopped, on the same port and data.
func (p *Postgres) Start() error {
	if p.proc.running() {
		return nil
	}
	onOff := map[bool]string{true: "on", false: "off"}
	settings := []string{
		"listen_addresses=127.0.0.1", fmt.Sprintf("port=%d", p.Port), "unix_socket_directories=" + p.dir,
		"ssl=on", "ssl_cert_file=" + filepath.Join(p.dir, "server.pem"), "ssl_key_file=" + filepath.Join(p.dir, "server.key"),
		"fsync=" + onOff[p.Durable], "synchronous_commit=" + onOff[p.Durable], "full_page_writes=" + onOff[p.Durable],
		"max_connections=200", "shared_buffers=128MB", "lc_messages=C", "log_min_messages=warning", "timezone=UTC",
	}
	var args []string
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	var err error
	p.proc, err = spec{name: "PostgreSQL", path: filepath.Join(p.bin, "postgres"), args: append([]string{"-D", p.data()}, args...),
		dir: p.dir, log: filepath.Join(p.dir, "log"), ready: "database system is ready to accept connections",
		// SIGQUIT is its immediate shutdown: it takes its own children along.
		credential: p.credential, deathSignal: syscall.SIGQUIT}.start()
	return err
}

// Stop ends it in order: open transactions are rolled back, everything committed is on disk.
func (p *Postgres) Stop() error { return p.halt(syscall.SIGINT) }

// StopImmediate ends it as `pg_ctl stop -m immediate` does: no checkpoint, the next start recovers from the WAL.
func (p *Postgres) StopImmediate() error { return p.halt(syscall.SIGQUIT) }

func (p *Postgres) halt(sig syscall.Signal) error {
	if !p.proc.running() {
		return nil
	}
	return p.proc.stop(sig, 20*time.Second)
}

// Close stops it for good.
func (p *Postgres) Close() error {
	defer p.claimed.release()
	return p.Stop()
}

// DSN is the connection string of one of its databases, sslmode=verify-full, password included.
func (p *Postgres) DSN(database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(p.User, p.Password), Host: Address(p.Port), Path: "/" + database}
	u.RawQuery = url.Values{"sslmode": {"verify-full"}, "sslrootcert": {p.CAFile}}.Encode()
	return u.String()
}

// PostgresBin returns the folder of PostgreSQL's server programs, version 15 or later, or an error that says what to
// install.
func PostgresBin() (string, error) {
	candidates, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", fmt.Errorf("look for PostgreSQL: %w", err)
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		candidates = append(candidates, filepath.Dir(path))
	}
	var best string
	for _, dir := range candidates {
		if executable(filepath.Join(dir, "initdb")) && executable(filepath.Join(dir, "postgres")) {
			if best == "" || strings.Contains(dir, "/15/") { // the version that we are tested with
				best = dir
			}
		}
	}
	if best == "" {
		return "", fmt.Errorf("no PostgreSQL server programs found: install %s", postgresPackage)
	}
	return best, nil
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && info.Mode()&0o111 != 0
}
