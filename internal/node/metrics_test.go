package node

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"

	"github.com/pilinhub/pilin/record"
)

// A node exports everything that docs/operate lists, and nothing of what was asked or found.
func TestMetrics_ofANode(t *testing.T) {
	d := newDirect(t, onHTTP)
	d.released()
	a, b := d.members[0], d.members[1]
	d.publish(a)
	d.everywhere(a, 1)
	n := d.nodes[a]
	d.ask(a)
	once := usedIDs{n.store, nil, n.measures.replayed}
	u := record.Use{Kind: "jti", ID: "x", Expires: time.Now().Add(time.Minute).Unix()}
	d.ok(once.Use(t.Context(), u))
	if err := once.Use(t.Context(), u); !errors.Is(err, record.ErrReplayed) {
		t.Fatalf("used twice: %v", err)
	}
	families, err := n.registry.Gather()
	d.ok(err)
	var text bytes.Buffer
	var names []string
	for _, f := range families {
		names = append(names, f.GetName())
		_, err := expfmt.MetricFamilyToText(&text, f)
		d.ok(err)
	}
	for _, want := range []string{"publish_ack_seconds", "log_size", "apply_lag_events", "apply_lag_seconds", "gap_open", "part_pending", "checkpoint_cosigners",
		"fork_evidence_total", "lookup_seconds", "lookup_member_status_total", "audit_unpaired_total", "replay_rejected_total", "key_days_left", "clock_skew_seconds",
		"relay_stalled", "disk_used_ratio", "disk_free_bytes", "erase_overdue_total", "ready", "peer_heard_seconds", "charter_frozen", "build_info", "heads_total", "receipts_total"} {
		if !slices.Contains(names, "pilin_"+want) {
			t.Errorf("pilin_%s is missing", want)
		}
	}
	alerts, err := os.ReadFile("../../deploy/prometheus/alerts.yaml")
	d.ok(err)
	known := append(slices.Clone(names), "pilin_unusable_total")
	for name := range labelOf {
		known = append(known, "pilin_"+name)
	}
	for _, name := range regexp.MustCompile(`pilin_[a-z_]+`).FindAllString(string(alerts), -1) {
		if !slices.Contains(known, name) {
			t.Errorf("an alert is about %s, which no node exports", name)
		}
	}
	stream := string(record.Stream(a, record.Records))
	for _, line := range []string{`pilin_log_size{stream="` + stream + `"} 1`, `pilin_checkpoint_cosigners{stream="` + stream + `"} 3`, `pilin_replay_rejected_total{path="sql"} 1`,
		`pilin_lookup_member_status_total{member="` + string(b) + `",status="answered"} 1`, `pilin_lookup_seconds_count{complete="true"} 1`, `pilin_publish_ack_seconds_count 1`,
		`pilin_audit_unpaired_total 0`, `pilin_ready{capability="publish"} 1`, `pilin_relay_stalled 0`} {
		if !strings.Contains(text.String(), line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	for _, secret := range []string{"测", "19000", "154"} {
		for line := range strings.SplitSeq(text.String(), "\n") {
			if labels, _, _ := strings.Cut(line, "} "); !strings.HasPrefix(line, "#") && strings.Contains(labels, secret) {
				t.Errorf("%s in a label: %s", secret, line)
			}
		}
	}
}
