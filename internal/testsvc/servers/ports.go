package servers

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Ports are taken from below the range that the kernel hands to outgoing connections (32768 on), so that a server which
// is stopped finds its port free when it starts again.
const (
	firstPort = 20000
	portCount = 12000
)

// ports are claimed loopback ports. The claim is a lock on a file, seen by other programs that use this package and
// released by the kernel when this one dies.
type ports struct {
	numbers []int
	locks   []*os.File
}

// claim reserves n ports that nobody listens on.
func claim(n int) (*ports, error) {
	dir := filepath.Join(os.TempDir(), "pilin-testsvc-ports-"+strconv.Itoa(os.Getuid()))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("claim ports: %w", err)
	}
	p := &ports{}
	for range 50 * n {
		if len(p.numbers) == n {
			return p, nil
		}
		var random [2]byte
		if _, err := rand.Read(random[:]); err != nil {
			return nil, fmt.Errorf("claim ports: %w", err)
		}
		port := firstPort + int(binary.BigEndian.Uint16(random[:]))%portCount
		lock, err := lockFile(filepath.Join(dir, strconv.Itoa(port)), syscall.LOCK_EX|syscall.LOCK_NB)
		if err != nil {
			continue
		}
		l, err := net.Listen("tcp4", Address(port))
		if err != nil {
			lock.Close()
			continue
		}
		l.Close()
		p.numbers, p.locks = append(p.numbers, port), append(p.locks, lock)
	}
	p.release()
	return nil, errors.New("claim ports: too many are taken")
}

func (p *ports) release() {
	for _, l := range p.locks {
		l.Close()
	}
	p.locks = nil
}

// lockFile opens and locks a file; closing it releases the lock.
func lockFile(name string, how int) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), how); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Address is the loopback address with the given port.
func Address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
