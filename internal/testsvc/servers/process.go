// Package servers starts and stops the real servers that tests run against: Apache Kafka, PostgreSQL and Redis, each a
// child process on a free loopback port with a folder of its own. It knows how to start, stop and kill them and how to
// install what is missing; what a test does with them is the business of package testsvc and of the tests.
//
// No server outlives the program that started it: the kernel signals each when its parent dies, however it dies.
package servers

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// startLimit is how long a server may take until it says that it is ready. A quiet machine needs a tenth of it.
const startLimit = 90 * time.Second

// spec says how to run one server.
type spec struct {
	name        string // for messages
	path        string
	args        []string
	env         []string // added to this process's environment
	dir         string
	log         string              // file that takes stdout and stderr, appended
	ready       string              // what the log says when clients are welcome
	credential  *syscall.Credential // other user to run as; nil = ours
	deathSignal syscall.Signal      // sent by the kernel when this program dies
}

// process is a running server.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when it has exited
	err  error         // how; readable after done
}

// start runs s and returns once its log says that it is ready.
func (s spec) start() (*process, error) {
	out, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", s.name, err)
	}
	defer out.Close()
	before, err := out.Seek(0, 2)
	if err != nil {
		return nil, fmt.Errorf("find end of log of %s: %w", s.name, err)
	}
	cmd := exec.Command(s.path, s.args...)
	cmd.Env = append(os.Environ(), s.env...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, out, out
	// Its own process group, so that Ctrl-C at the terminal reaches the program, which then stops it in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: s.credential, Pdeathsig: s.deathSignal}
	p := &process{name: s.name, cmd: cmd, log: s.log, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// The death signal is tied to the thread that forked: keep it until the server is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", s.name, err)
	}
	if err := p.awaitReady(before, s.ready); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// awaitReady watches the log from offset on for the line that tells readiness: an open port says less.
func (p *process) awaitReady(offset int64, ready string) error {
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if said, err := tailFrom(p.log, offset); err == nil && bytes.Contains(said, []byte(ready)) {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s stopped while starting (%w); its log ends:\n%s", p.name, exitOf(p.err), p.lastLines())
		case <-limit.C:
			return fmt.Errorf("%s was not ready within %s; its log ends:\n%s", p.name, startLimit, p.lastLines())
		case <-tick.C:
		}
	}
}

func exitOf(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

func tailFrom(file string, offset int64) ([]byte, error) {
	b, err := os.ReadFile(file)
	if err != nil || int64(len(b)) < offset {
		return nil, err
	}
	return b[offset:], nil
}

func (p *process) lastLines() []byte {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return []byte(err.Error())
	}
	return b[max(0, len(b)-3000):]
}

// stop sends sig and waits; who has not gone after patience is killed, which is reported as an error.
func (p *process) stop(sig syscall.Signal, patience time.Duration) error {
	select {
	case <-p.done:
		return nil
	default:
	}
	// An error here means that it has just gone by itself.
	_ = p.cmd.Process.Signal(sig)
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-p.done:
		return nil
	case <-limit.C:
		p.kill()
		return fmt.Errorf("%s did not stop within %s and was killed", p.name, patience)
	}
}

// kill ends it as a power cut would, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// running reports whether it has not exited.
func (p *process) running() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// unprivileged returns the user "nobody" when this program runs as root, for servers that refuse to run as root.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		return nil, fmt.Errorf("find an unprivileged user: %w", err)
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("ids of user nobody: %w", err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// give makes the credential's user the owner of everything below dir.
func give(dir string, c *syscall.Credential) error {
	if c == nil {
		return nil
	}
	return filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(c.Uid), int(c.Gid))
	})
}
