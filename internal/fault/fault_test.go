package fault

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestMain lets the test binary play the process that dies: it passes a point five times and says after each that it lives.
func TestMain(m *testing.M) {
	if os.Getenv("FAULT_TEST_CHILD") != "" {
		for i := 1; i <= 5; i++ {
			Point(AppendBeforeLock)
			Point(AppendAfterLock)
			fmt.Println("alive", i)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestPointKills(t *testing.T) {
	for _, c := range []struct {
		fault string
		alive int // lines before the end
		code  int // exit code, -1 = killed by SIGKILL
	}{
		{"", 5, 0},
		{"append.after-lock", 0, -1},
		{"append.after-lock:4", 3, -1},
		{"append.before-lock:6", 5, 0},
		{"random:3", 1, -1},
		{"relay.after-produce", 5, 0},
		{"append.after-lokc", 0, 2},
		{"append.after-lock:0", 0, 2},
	} {
		t.Run(c.fault, func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "FAULT_TEST_CHILD=1", "PILIN_FAULT="+c.fault)
			var out bytes.Buffer
			cmd.Stdout = &out
			err := cmd.Run()
			if n := strings.Count(out.String(), "alive"); n != c.alive {
				t.Errorf("passed %d times, want %d", n, c.alive)
			}
			var exit *exec.ExitError
			switch {
			case c.code == 0 && err != nil:
				t.Errorf("ended with %v, want a clean end", err)
			case c.code != 0 && !errors.As(err, &exit):
				t.Errorf("ended with %v, want code %d", err, c.code)
			case c.code == -1 && exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL:
				t.Errorf("ended with %v, want SIGKILL", err)
			case c.code > 0 && exit.ExitCode() != c.code:
				t.Errorf("ended with %d, want %d", exit.ExitCode(), c.code)
			}
		})
	}
}

func TestParseRandom(t *testing.T) {
	last := func(n int64) int64 { return n - 1 }
	for v, want := range map[string]int64{"random": passesOfRandom, "append.after-lock:random": passesOfOne, "random:9": 9} {
		p, err := parse(v, last)
		if err != nil || p.at != want {
			t.Errorf("%s: %+v, %v; want pass %d", v, p, err, want)
		}
	}
}

func TestNamesAreEnough(t *testing.T) {
	seen := map[string]bool{}
	for _, n := range Names() {
		seen[n] = true
	}
	if len(seen) < 10 || len(seen) != len(Names()) {
		t.Errorf("%d distinct points, want at least ten and no name twice", len(seen))
	}
}

func BenchmarkPointOff(b *testing.B) {
	for b.Loop() {
		Point(AppendAfterLock)
	}
}
