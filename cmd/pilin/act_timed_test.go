package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/internal/demo"
)

// An act as officers sign it at the command line, in the demo's federation: two of them confirm it, and the auditor reads
// who it was.
func TestTimedAct_SignedAtTheCommandLine(t *testing.T) {
	port := 20000 + 10*rand.IntN(1000)
	now, err := demo.Clock("2026-03-13")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- demo.Run(ctx, demo.Options{Dir: t.TempDir(), Port: port, Background: 14, Log: slog.New(slog.DiscardHandler), Now: now}, io.Discard)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Setenv("PILIN_NODE", fmt.Sprintf("http://127.0.0.1:%d", port))
	t.Setenv("PILIN_PASSWORD", demo.Password)
	pilin := func(args ...string) (int, string) {
		var out, complaint bytes.Buffer
		code := run(args, &out, &complaint)
		return code, out.String() + complaint.String()
	}
	var code int
	var ref string
	for up := time.Now().Add(90 * time.Second); ; { // the federation is starting
		<-time.NewTimer(100 * time.Millisecond).C
		if code, ref = pilin("ref", "new", "--account", "officer", "--with", "99000000011"); code == 0 || time.Now().After(up) {
			break
		}
	}
	ref, _, _ = strings.Cut(ref, "\n")
	if code != 0 || !strings.HasPrefix(ref, "spot_check:310116-01-XC-20260313-") {
		t.Fatalf("a number: %d %s", code, ref)
	}
	var ans client.Answer
	deadline := time.Now().Add(90 * time.Second)
	for ans.Count == nil || ans.Count.Basic != 2 || ans.Count.Incomplete {
		if time.Now().After(deadline) {
			t.Fatalf("P1 is not counted twice: %+v", ans.Count)
		}
		wait := time.NewTimer(200 * time.Millisecond)
		<-wait.C
		if code, out := pilin("ask", "--account", "officer", "--purpose", "RAID", "--ref", ref, "--id", "320623190001159016", "--json"); code == 0 {
			if err := json.Unmarshal([]byte(out), &ans); err != nil {
				t.Fatal(err)
			}
		}
	}
	if code, out := pilin("ask", "--account", "officer", "--purpose", "RAID", "--ref", "spot_check:310116-01-XC-20260313-900", "--id", "320623190001159016"); code != 1 || !strings.Contains(out, "work_ref_not_held") {
		t.Errorf("a number that nobody gave: %d %s", code, out)
	}
	sign := []string{"act", "sign", ans.Ask, "--at", "2026-03-13", "--place", "310116", "--qualification", "none", "--account"}
	if code, out := pilin(append(sign, "liaison")...); code != 1 || !strings.Contains(out, "forbidden") {
		t.Errorf("a liaison signs: %d %s", code, out)
	}
	if code, out := pilin(append(sign, "officer")...); code != 0 || !strings.Contains(out, "signed by 1") || !strings.Contains(out, "G2") {
		t.Errorf("the first: %d %s", code, out)
	}
	if code, out := pilin(append(sign, "officer2")...); code != 0 || !strings.Contains(out, "signed by 2") || !strings.Contains(out, "G3") {
		t.Errorf("the second: %d %s", code, out)
	}
	if code, out := pilin("ref", "list", "--account", "coordinator"); code != 0 || !strings.Contains(out, strings.TrimPrefix(ref, "spot_check:")) || !strings.Contains(out, "2026-03-18") {
		t.Errorf("the coordinator's list: %d %s", code, out)
	}
	if code, out := pilin("ref", "tie", ref, "--to", "case:测金卫医案〔2026〕9001", "--account", "officer"); code != 0 || !strings.Contains(out, "tied to") {
		t.Errorf("tied: %d %s", code, out)
	}
	if code, out := pilin("ref", "close", ref, "--reason", "现场未发现违法", "--account", "legal"); code != 1 || !strings.Contains(out, "version_conflict") {
		t.Errorf("closed after it was tied: %d %s", code, out)
	}
	file := filepath.Join(t.TempDir(), "x.csv")
	if code, out := pilin("export", "list", "--account", "liaison", "--out", file, "--purpose", "CASE", "--ref", "case:测金卫医案〔2026〕9001"); code != 0 {
		t.Errorf("an export: %d %s", code, out)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if code, out := pilin("audit", "--account", "auditor", "--limit", "3"); code != 0 || !strings.Contains(out, fmt.Sprintf("rows  sha256:%x\n", sha256.Sum256(b))) || !strings.Contains(out, "case:测金卫医案〔2026〕9001") {
		t.Errorf("the auditor of an export: %d %s", code, out)
	}
	if code, out := pilin("act", "list", "--account", "auditor"); code != 0 || strings.Count(out, "\n") != 1 || !strings.Contains(out, ans.Ask) || !strings.Contains(out, "confirmed") || !strings.Contains(out, "、") {
		t.Errorf("the auditor: %d %s", code, out)
	}
	if code, out := pilin("act", "withdraw", ans.Ask, "--reason", "现场核对有误", "--account", "legal"); code != 0 || !strings.Contains(out, "withdrawn") {
		t.Errorf("taken back: %d %s", code, out)
	}
	if code, out := pilin("act", "list", "--account", "auditor"); code != 0 || !strings.Contains(out, "已撤回 withdrawn") {
		t.Errorf("the auditor of an act that was taken back: %d %s", code, out)
	}
	if code, out := pilin("act", "sign", strings.Repeat("0", 32), "--at", "2026-03-13", "--place", "310116", "--qualification", "none", "--account", "officer"); code != 1 || !strings.Contains(out, "not open") {
		t.Errorf("a question that is not open: %d %s", code, out)
	}
	if code, _ := pilin("act", "sign", ans.Ask, "--at", "2026-03-13", "--place", "310116", "--qualification", "king", "--account", "officer"); code != 64 {
		t.Errorf("a qualification that is none: %d", code)
	}
	hearsTheNeighbours(t, fmt.Sprintf("http://127.0.0.1:%d", port))
}
