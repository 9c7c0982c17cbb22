package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/node"
)

// A bar comes after two seconds and not before, Chinese first, not more often than ten times a second; without a terminal
// and beside JSON it never comes.
func TestBar(t *testing.T) {
	now := time.Date(2026, 3, 13, 9, 0, 0, 0, time.UTC)
	var out bytes.Buffer
	b := &bar{out: &out, now: func() time.Time { return now }, begun: now}
	b.see("check", 1, 4)
	b.end()
	if out.Len() != 0 {
		t.Errorf("shown at once: %q", out.String())
	}
	now = now.Add(3 * time.Second)
	b.see("check", 2, 4)
	b.see("check", 3, 4) // too soon
	if s := out.String(); !strings.HasPrefix(s, "\r核对 checking [") || !strings.Contains(s, "2/4") || strings.Count(s, "#") != 15 || strings.Contains(s, "3/4") {
		t.Errorf("%q", s)
	}
	out.Reset()
	b.tool(node.StepCopy, 7, 7) // the end of a step is shown
	b.end()
	if s := out.String(); !strings.Contains(s, "复制数据库 copying") || !strings.Contains(s, "7/7") || !strings.HasSuffix(s, "\n") {
		t.Errorf("%q", s)
	}
	silent := &bar{now: b.now, begun: now.Add(-time.Hour)}
	silent.see("check", 2, 4)
	silent.end()
	if newBar(&printer{JSON: true}).out != nil {
		t.Error("a bar beside JSON")
	}
	for _, s := range []node.Step{node.StepCopy, node.StepCheck, node.StepSubject, node.StepIndex, node.StepExport} {
		if steps[string(s)] == "" {
			t.Errorf("step %s has no words", s)
		}
	}
}
