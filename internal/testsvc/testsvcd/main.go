// Command testsvcd brings up the real servers that tests need, PostgreSQL twice (fsync off and on), Apache Kafka and
// Redis, on free loopback ports:
//
//	testsvcd run -- CMD ARG...   start them, run CMD with their addresses in its environment, stop them, pass its exit code on
//	testsvcd up                  start them and leave them running; prints where the environment file is
//	testsvcd down                stop what `up` left running
//	testsvcd env                 print that environment file as export lines
//	testsvcd fetch               install and fetch what is missing, start nothing
//
// What a test does with the addresses is in package testsvc. Servers whose address is in the environment already are
// not started.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/pilinhub/pilin/internal/testsvc/servers"
)

// The main goroutine keeps the main thread: the kernel's parent-death signal is tied to the thread that started a child.
func init() { runtime.LockOSThread() }

func main() {
	code, err := act(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsvcd:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func act(args []string) (int, error) {
	if len(args) == 0 {
		return 2, errors.New("want run -- CMD, up, down, env or fetch")
	}
	switch args[0] {
	case "run":
		if len(args) < 3 || args[1] != "--" {
			return 2, errors.New("want: run -- CMD ARG")
		}
		return run(args[2:])
	case "up":
		return 0, up()
	case "down":
		return 0, down()
	case "env":
		return 0, printEnv()
	case "fetch":
		return 0, servers.Install(say)
	case "serve": // what up leaves behind
		return 0, serve()
	default:
		return 2, fmt.Errorf("unknown command %q: want run, up, down, env or fetch", args[0])
	}
}

func say(s string) { fmt.Fprintln(os.Stderr, "testsvcd:", s) }

// launch installs what is missing and starts the servers.
func launch() (*servers.Set, error) {
	if err := servers.Install(say); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pilin-testsvc-")
	if err != nil {
		return nil, fmt.Errorf("make folder of servers: %w", err)
	}
	begun := time.Now()
	set, err := servers.StartSet(dir)
	if err != nil {
		return nil, err
	}
	say(fmt.Sprintf("servers up in %.1f s", time.Since(begun).Seconds()))
	return set, nil
}

func run(command []string) (code int, err error) {
	// From here on a signal does not end this program before its servers are stopped.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	set, err := launch()
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, set.Close()) }()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), set.Env()...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return 1, fmt.Errorf("run %s: %w", command[0], err)
	}
	var ended error
	done := make(chan struct{})
	go func() {
		ended = cmd.Wait()
		close(done)
	}()
	for {
		select {
		case <-done:
			var exit *exec.ExitError
			if errors.As(ended, &exit) {
				return max(exit.ExitCode(), 1), nil // a signal's -1 is a failure too
			}
			return 0, ended
		case sig := <-signals:
			// The whole group, so that no test binary stays behind; a second signal does not wait for manners.
			say("stopping: " + sig.String())
			if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
				return 1, fmt.Errorf("stop %s: %w", command[0], err)
			}
			select {
			case <-done:
			case <-signals:
			case <-time.After(10 * time.Second):
			}
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			return 130, nil
		}
	}
}

// stateFiles are where `up` leaves the environment and the process id of what it started, and that one's log.
func stateFiles() (env, pid, log string) {
	base := filepath.Join(os.TempDir(), "pilin-testsvc-up-"+strconv.Itoa(os.Getuid()))
	return base + ".env", base + ".pid", base + ".log"
}

func up() error {
	envFile, _, logFile := stateFiles()
	if p, err := servingPID(); err == nil {
		return fmt.Errorf("already up as process %d: testsvcd down first", p)
	}
	if err := servers.Install(say); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own program: %w", err)
	}
	log, err := os.Create(logFile)
	if err != nil {
		return fmt.Errorf("make log: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(self, "serve")
	ready, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("watch servers: %w", err)
	}
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start servers: %w", err)
	}
	// One line when all are up; the pipe's end when it gave up.
	if _, err := bufio.NewReader(ready).ReadString('\n'); err != nil {
		said, readErr := os.ReadFile(logFile)
		return errors.Join(fmt.Errorf("servers did not come up:\n%s", said), readErr, cmd.Wait())
	}
	fmt.Printf("up. Use them with:  set -a; . %s; set +a\n", envFile)
	return nil
}

func serve() error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	set, err := launch()
	if err != nil {
		return err
	}
	envFile, pidFile, _ := stateFiles()
	var lines strings.Builder
	for _, e := range set.Env() {
		name, value, _ := strings.Cut(e, "=")
		fmt.Fprintf(&lines, "%s='%s'\n", name, value)
	}
	err = errors.Join(os.WriteFile(envFile, []byte(lines.String()), 0o600),
		os.WriteFile(pidFile, []byte(strconv.Itoa(os.Getpid())), 0o600))
	if err == nil {
		fmt.Println("ready")
		<-signals
	}
	return errors.Join(err, set.Close(), os.Remove(envFile), os.Remove(pidFile))
}

// servingPID returns the process that `up` left running.
func servingPID() (int, error) {
	_, pidFile, _ := stateFiles()
	b, err := os.ReadFile(pidFile)
	if err != nil {
		return 0, errors.New("nothing is up")
	}
	pid, err := strconv.Atoi(string(b))
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", pidFile, err)
	}
	command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || !strings.Contains(string(command), "testsvcd\x00serve") {
		return 0, errors.New("nothing is up")
	}
	return pid, nil
}

func serving() bool {
	_, err := servingPID()
	return err == nil
}

func down() error {
	pid, err := servingPID()
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop process %d: %w", pid, err)
	}
	for range 600 {
		if !serving() {
			say("down")
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("process %d did not stop within 30 s", pid)
}

func printEnv() error {
	if _, err := servingPID(); err != nil {
		return err
	}
	envFile, _, _ := stateFiles()
	f, err := os.Open(envFile)
	if err != nil {
		return fmt.Errorf("read environment file: %w", err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fmt.Println("export " + lines.Text())
	}
	return nil
}
