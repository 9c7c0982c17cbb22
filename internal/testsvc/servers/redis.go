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

// Redis is one Redis server on loopback with one user and a password; the default user is switched off.
type Redis struct {
	Port     int
	User     string
	Password string

	dir     string
	claimed *ports
	proc    *process
}

// StartRedis starts a server whose files lie in dir. It keeps an append-only file, so that a restart keeps the keys.
func StartRedis(dir string) (*Redis, error) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return nil, fmt.Errorf("no redis-server found: install %s", redisPackage)
	}
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, fmt.Errorf("make Redis folder: %w", err)
	}
	r := &Redis{User: "pilin", Password: secret(), dir: dir}
	var err error
	if r.claimed, err = claim(1); err != nil {
		return nil, err
	}
	r.Port = r.claimed.numbers[0]
	conf := strings.Join([]string{
		"bind 127.0.0.1", fmt.Sprintf("port %d", r.Port), "dir " + dir, "daemonize no", "save \"\"",
		"appendonly yes", "appendfsync everysec", "databases 1024", "maxmemory-policy noeviction",
		"user default off", "user " + r.User + " on >" + r.Password + " ~* &* +@all", "",
	}, "\n")
	if err := os.WriteFile(filepath.Join(dir, "redis.conf"), []byte(conf), 0o600); err != nil {
		return nil, fmt.Errorf("write redis.conf: %w", err)
	}
	if err := r.Start(); err != nil {
		r.claimed.release()
		return nil, err
	}
	return r, nil
}

// Start starts a server that was stopped, on the same port and data.
func (r *Redis) Start() error {
	if r.proc.running() {
		return nil
	}
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return fmt.Errorf("start Redis: %w", err)
	}
	r.proc, err = spec{name: "Redis", path: path, args: []string{filepath.Join(r.dir, "redis.conf")}, dir: r.dir,
		log: filepath.Join(r.dir, "log"), ready: "eady to accept connections", deathSignal: syscall.SIGKILL}.start()
	return err
}

// Stop ends it in order.
func (r *Redis) Stop() error {
	if !r.proc.running() {
		return nil
	}
	return r.proc.stop(syscall.SIGTERM, 10*time.Second)
}

// Kill ends it as kill -9 does.
func (r *Redis) Kill() {
	if r.proc.running() {
		r.proc.kill()
	}
}

// Close stops it for good.
func (r *Redis) Close() error {
	defer r.claimed.release()
	return r.Stop()
}

// URL is how clients reach database 0, password included.
func (r *Redis) URL() string {
	u := url.URL{Scheme: "redis", User: url.UserPassword(r.User, r.Password), Host: Address(r.Port), Path: "/0"}
	return u.String()
}

// DataDir is where the server keeps its files, for tests that search them.
func (r *Redis) DataDir() string { return r.dir }
