package sim_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// planted are the bugs that stand in production packages behind a build tag bug_<name>, and how many histories may pass
// before the simulation has found them (reliability-security.md §3.2).
var planted = []string{
	"serial_ids", "cursor_before_effect", "no_duplicate_check", "gap_skipped", "index_before_commit", "partial_cached",
	"withdrawn_reinserted", "receipt_before_apply", "checkpoint_over_unread_bytes", "epoch_ignored", "clock_expiry",
	"replay_floor_dropped",
}

var seedFound = regexp.MustCompile(`(?s)\[(.*?)\]\s+replay with: [^\n]*-seed=([0-9]+)`)

// TestPlanted builds the simulation with each bug in it: it must be found within 1,000 seeds. The unmarked build is clean
// in TestHistories.
func TestPlanted(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the simulation twelve times")
	}
	for _, name := range planted {
		t.Run(name, func(t *testing.T) {
			bin := filepath.Join(t.TempDir(), "sim.test")
			if out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-tags", "bug_"+name, "-o", bin, ".").CombinedOutput(); err != nil {
				t.Fatalf("build: %v\n%s", err, out)
			}
			began := time.Now()
			cmd := exec.CommandContext(t.Context(), bin, "-test.run", "^TestHistories$", "-test.timeout", "20m")
			cmd.Env = append(cmd.Environ(), "PILIN_SIM_HISTORIES=1000")
			out, err := cmd.CombinedOutput()
			found := seedFound.FindSubmatch(out)
			if err == nil || found == nil {
				t.Fatalf("not found in 1,000 histories: %v\n%.2000s", err, out)
			}
			t.Logf("seed %s after %v: %.160s", found[2], time.Since(began).Round(time.Millisecond), found[1])
		})
	}
}
