package node

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

// This file is how a node whose database is an older copy comes back (architecture.md §5, "Never a self-fork"). As long as
// the mark lies in its data folder, nothing of its records leaves; it shows nothing of what it keeps for others, since what
// they withdrew or erased meanwhile is still in the copy; and it waits for an operator.

// copyMark marks a data folder whose database is an older copy.
type copyMark struct {
	Of     string          `json:"of"`     // when the copy was taken, or found out
	Size   uint64          `json:"size"`   // own records in it
	Digest string          `json:"digest"` // SHA-256 of the copy; empty if nobody restored it by pilin restore
	Audit  record.StreamID `json:"audit"`  // where the audit goes on; empty until the first start
}

func (n *Node) copyMarkFile() string  { return filepath.Join(n.cfg.Data, "restored.json") }
func (n *Node) waitingFile() string   { return filepath.Join(n.cfg.Data, "rejoin-waiting.json") }
func (n *Node) confirmedFile() string { return filepath.Join(n.cfg.Data, "rejoin-confirmed.json") }
func (n *Node) auditFile() string     { return filepath.Join(n.cfg.Data, "audit-begun") }
func (n *Node) isCopy() bool          { return n.mark.Load() != nil }
func (n *Node) own() record.StreamID  { return record.Stream(n.cfg.Member, record.Records) }
func readJSON(name string, v any) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

func writeJSON(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return WriteDurably(name, b, 0o600)
}

// readCopyMark finds out whether the database is an older copy: the mark says so, or the database is behind what left this
// node, which then gets the mark, so that a start after the taking back does not forget it. A federation of one has nobody
// to ask: its mark only moves the audit.
func (n *Node) readCopyMark(ctx context.Context) error {
	var m copyMark
	err := readJSON(n.copyMarkFile(), &m)
	switch {
	case errors.Is(err, os.ErrNotExist):
		size, err := n.releasedSize()
		if err != nil {
			return err
		}
		h, err := n.store.Head(ctx, n.own())
		if err != nil {
			return err
		}
		if h.Signed >= size {
			return n.goOn(ctx)
		}
		if err := os.Remove(n.confirmedFile()); err != nil && !errors.Is(err, os.ErrNotExist) { // of an earlier time
			return err
		}
		m = copyMark{Of: n.now().UTC().Format(time.RFC3339), Size: h.Signed}
	case err != nil:
		return fmt.Errorf("read %s: %w", n.copyMarkFile(), err)
	}
	if m.Audit == "" {
		if m.Audit, err = n.nextAudit(ctx); err != nil {
			return err
		}
		if err := writeJSON(n.copyMarkFile(), m); err != nil {
			return err
		}
	}
	n.audit = m.Audit
	n.mark.Store(&m)
	return nil
}

// audits returns this node's audit streams, in the order in which they were begun.
func (n *Node) audits(ctx context.Context) ([]record.Head, error) {
	heads, err := n.store.Heads(ctx)
	if err != nil {
		return nil, err
	}
	heads = slices.DeleteFunc(heads, func(h record.Head) bool { return h.Stream.Member() != n.cfg.Member || h.Stream.Kind() != record.Audit })
	slices.SortFunc(heads, func(a, b record.Head) int { return cmp.Compare(a.Stream.Number(), b.Stream.Number()) })
	return heads, nil
}

// goOn lets the audit go on in the newest of its streams.
func (n *Node) goOn(ctx context.Context) error {
	all, err := n.audits(ctx)
	if err != nil || len(all) == 0 {
		return err
	}
	n.audit = all[len(all)-1].Stream
	return nil
}

// nextAudit returns the stream in which the audit goes on after a restore: what was written after the copy is lost, and its
// places must not be taken by something else (log.md §1).
func (n *Node) nextAudit(ctx context.Context) (record.StreamID, error) {
	all, err := n.audits(ctx)
	if err != nil {
		return n.audit, err
	}
	o := operated{Event: didContinue, Stream: n.audit, Size: "0"} // a copy from before the first audit record: some may have followed
	if len(all) > 0 {
		last := all[len(all)-1]
		o.Stream, o.Size, o.Digest = last.Stream, number(last.Size), hex.EncodeToString(last.Root[:])
	}
	begun, err := n.auditBegun()
	if err != nil {
		return n.audit, err
	}
	next := record.Stream(n.cfg.Member, record.Audit+"."+strconv.FormatUint(max(o.Stream.Number(), begun.Number())+1, 10))
	if err := WriteDurably(n.auditFile(), []byte(next+"\n"), 0o600); err != nil {
		return n.audit, err
	}
	return next, noteOperated(n.cfg, o)
}

// auditBegun is the newest audit stream that a restore began, by the file beside the database: a copy that is restored a
// second time does not know it. Empty if there is none.
func (n *Node) auditBegun() (record.StreamID, error) {
	b, err := os.ReadFile(n.auditFile())
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	s := record.StreamID(strings.TrimSpace(string(b)))
	if err == nil && (s.Member() != n.cfg.Member || s.Kind() != record.Audit) {
		err = errors.New("it names no audit stream of this member")
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", n.auditFile(), err)
	}
	return s, nil
}

// keepAuditBegun keeps what an older mark says, before a restore replaces it: a node of before wrote it there alone.
func (n *Node) keepAuditBegun() error {
	var m copyMark
	err := readJSON(n.copyMarkFile(), &m)
	if errors.Is(err, os.ErrNotExist) || err == nil && m.Audit == "" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", n.copyMarkFile(), err)
	}
	begun, err := n.auditBegun()
	if err != nil || begun.Number() >= m.Audit.Number() {
		return err
	}
	return WriteDurably(n.auditFile(), []byte(m.Audit+"\n"), 0o600)
}

// Waiting is what a node tells that waits for Rejoin.
type Waiting struct {
	Phase  string            `json:"phase"`  // of the release: asking, taking_back, waiting, open, stuck
	Behind []record.StreamID `json:"behind"` // streams of others of which somebody holds more than is here yet
	Heard  []record.MemberID `json:"heard"`  // have said what they hold
	Silent []record.MemberID `json:"silent"` // have not
	Of     string            `json:"of"`     // when the copy was taken
	From   uint64            `json:"from"`   // own records in the copy
	Size   uint64            `json:"size"`   // own records now
	At     string            `json:"at"`
}

// ready reports whether an operator may confirm: somebody was heard, and what they hold is here.
func (w Waiting) ready() bool {
	return (w.Phase == exchange.Waiting.String() || w.Phase == exchange.Open.String()) && len(w.Behind) == 0
}

// waiting looks at what a copy still lacks.
func (n *Node) waiting(ctx context.Context, m *copyMark) (Waiting, error) {
	w := Waiting{Phase: n.t.release.Phase().String(), Heard: n.t.release.Heard(), Of: m.Of, From: m.Size, At: n.now().UTC().Format(time.RFC3339)}
	for _, p := range n.roster.Peers() {
		if !slices.Contains(w.Heard, p) {
			w.Silent = append(w.Silent, p)
		}
	}
	heads, err := n.store.Heads(ctx)
	if err != nil {
		return w, err
	}
	for _, h := range heads {
		switch {
		case h.Stream == n.own():
			w.Size = h.Signed
		case h.Stream.Member() != n.cfg.Member && h.Stream.Kind() == record.Records && h.Size < n.t.gaps.Seen(h.Stream) && h.Frozen == "":
			w.Behind = append(w.Behind, h.Stream)
		}
	}
	for _, p := range n.roster.Peers() { // of whom the copy has nothing at all
		s := record.Stream(p, record.Records)
		if n.t.gaps.Seen(s) > 0 && !slices.ContainsFunc(heads, func(h record.Head) bool { return h.Stream == s }) {
			w.Behind = append(w.Behind, s)
		}
	}
	return w, nil
}

// rejoin goes on with coming back: it writes what is still missing for the operator to read, takes his confirmation, and
// ends when the node is released and holds what it was shown.
func (n *Node) rejoin(ctx context.Context) error {
	m := n.mark.Load()
	if m == nil {
		return nil
	}
	w, err := n.waiting(ctx, m)
	if err != nil {
		return err
	}
	if err := writeJSON(n.waitingFile(), w); err != nil {
		return err
	}
	alone := len(n.roster.Peers()) == 0
	var c confirmation
	err = readJSON(n.confirmedFile(), &c)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if !alone || !n.t.release.Released() {
			return nil
		}
	case err != nil:
		return fmt.Errorf("read %s: %w", n.confirmedFile(), err)
	case !w.ready():
		return nil // more came meanwhile
	}
	if !n.t.release.Released() {
		n.t.release.Confirm()
		wake(n.t.wakeHeads)
		return nil // the next round sees it open
	}
	n.slog.LogAttrs(ctx, slog.LevelWarn, "rejoined", slog.Uint64("from", m.Size), slog.Uint64("size", w.Size))
	if err := noteOperated(n.cfg, operated{Event: didRejoin, By: c.By, Size: number(w.Size), Silent: w.Silent}); err != nil {
		return err
	}
	for _, name := range []string{n.confirmedFile(), n.waitingFile(), n.copyMarkFile()} {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	n.mark.Store(nil)
	return nil
}

// confirmation is the operator's word.
type confirmation struct {
	By string `json:"by"`
	At string `json:"at"`
}

// Errors of Rejoin.
var (
	// ErrNotRestored: the node's database is no older copy; there is nothing to confirm.
	ErrNotRestored = errors.New("this node was not restored, or has rejoined already")
	// ErrNotReady: nobody has been heard yet, or what they hold is not all here.
	ErrNotReady = errors.New("not ready: the node must run, at least one member must answer, and what the others hold must be here first")
	// ErrSilent: members have not said what they hold; they may hold records of this node that would fork from what it writes.
	ErrSilent = errors.New("some members have not answered: they may hold what nobody else does")
)

// Rejoin shows how far a restored node is, and confirms, if confirm says so, that it may let its records go. silent accepts
// that the members named as silent were not heard: whoever does so has found out, by telephone, that none of them holds
// more of this member's records than those that were heard.
func Rejoin(ctx context.Context, cfg Config, confirm, silent bool) (w Waiting, err error) {
	if err := cfg.complete(); err != nil {
		return w, err
	}
	n := &Node{cfg: cfg}
	if _, err := os.Stat(n.copyMarkFile()); errors.Is(err, os.ErrNotExist) {
		return w, ErrNotRestored
	}
	err = readJSON(n.waitingFile(), &w)
	if errors.Is(err, os.ErrNotExist) {
		return w, ErrNotReady
	}
	if err != nil {
		return w, fmt.Errorf("read %s: %w", n.waitingFile(), err)
	}
	switch {
	case !confirm:
		return w, nil
	case !w.ready() || len(w.Heard) == 0:
		return w, ErrNotReady
	case len(w.Silent) > 0 && !silent:
		return w, ErrSilent
	}
	return w, writeJSON(n.confirmedFile(), confirmation{By: login(), At: cfg.Now().UTC().Format(time.RFC3339)})
}
