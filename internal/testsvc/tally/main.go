// Command tally runs one or more `go test -json` commands, shows what fails while it happens, and ends with one count
// over all of them:
//
//	tally go test -json ./... ::: go test -json -run TestTimed ./internal/nodetest
//
// Commands stand between ":::" and run one after the other, also after a failure. A skipped test is counted under the
// reason that it printed. The exit code is 1 if anything failed, if no test ran at all, or if anything was skipped while
// PILIN_REQUIRE_SERVICES=1. It says nothing about what a test is worth.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/pilinhub/pilin/internal/testsvc/servers"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Getenv(servers.EnvRequire) == "1"))
}

// run tallies the commands in args and returns the exit code.
func run(args []string, out io.Writer, require bool) int {
	commands := split(args)
	if len(commands) == 0 {
		fmt.Fprintln(out, "tally: want COMMAND ARG... ::: COMMAND ARG...")
		return 2
	}
	t := newTally(out)
	for _, c := range commands {
		begun := time.Now()
		fmt.Fprintf(out, "== %s\n", strings.Join(c, " "))
		if err := follow(c, t); err != nil {
			t.commandFailed(err)
		}
		fmt.Fprintf(out, "== took %s\n", time.Since(begun).Round(time.Second))
	}
	return t.close(require)
}

func split(args []string) [][]string {
	var commands [][]string
	var current []string
	for _, a := range append(args, ":::") {
		switch {
		case a != ":::":
			current = append(current, a)
		case len(current) > 0:
			commands = append(commands, current)
			current = nil
		}
	}
	return commands
}

// follow runs one command and feeds its lines to t.
func follow(command []string, t *tally) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	lines, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("run %s: %w", command[0], err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("run %s: %w", command[0], err)
	}
	r := bufio.NewReader(lines)
	for {
		line, err := r.ReadString('\n')
		if line != "" {
			t.line(line)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read output of %s: %w", command[0], err)
		}
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(command, " "), err)
	}
	return nil
}
