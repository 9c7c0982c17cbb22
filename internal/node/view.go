package node

import (
	"context"
	"fmt"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/events"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/transfer"
)

// view is federation.ViewFunc: what an answer may show of a subject as of a day. Only entries and penalties are found by
// a question.
func (n *Node) view(ctx context.Context, st record.StreamID, subject record.RecordID, asOf string) (federation.SubjectView, bool, error) {
	if n.isCopy() && st.Member() != n.cfg.Member {
		return federation.SubjectView{}, false, nil // it may have been withdrawn or erased since the copy was taken
	}
	e, visible, err := n.register.View(ctx, st, subject, asOf)
	switch {
	case err != nil:
		return federation.SubjectView{}, false, fmt.Errorf("view subject %s: %w", subject, err)
	case !visible || e.Content.Header == nil:
		return federation.SubjectView{}, false, nil
	}
	return federation.SubjectView{Version: e.Version, Type: e.Type, State: string(e.State), Record: e.Content}, true, nil
}

// subjects reads for a tally and for the evidence of a question; the register is made after the hub. On a copy it reads
// nothing of others: what they withdrew or erased since it was taken still stands in it.
type subjects struct{ n *Node }

// Entry reads one subject.
func (s subjects) Entry(ctx context.Context, st record.StreamID, subject record.RecordID, asOf string) (blacklist.Entry, error) {
	if s.n.isCopy() && st.Member() != s.n.cfg.Member {
		return blacklist.Entry{}, &blacklist.Refusal{Code: blacklist.NotFound}
	}
	return s.n.register.Entry(ctx, st, subject, asOf)
}

// EvidenceFor reads one link.
func (s subjects) EvidenceFor(ctx context.Context, st record.StreamID, subject record.RecordID, asOf string) (blacklist.Entry, blacklist.Link, bool, error) {
	if s.n.isCopy() && st.Member() != s.n.cfg.Member {
		return blacklist.Entry{}, blacklist.Link{}, false, nil
	}
	return s.n.register.EvidenceFor(ctx, st, subject, asOf)
}

// projectVersion names what project does. Whoever makes project give another row for the same records raises it: the rows
// of every node are then written anew at its next start. The index has its own (federation.OpenLogIndex).
const projectVersion = "5"

// project is the read model of a subject, by the domain that knows its type; it holds no personal data. Expiry and the day
// of an annulment are computed when a list is read.
func project(records []record.Stored) (sqlstore.Row, bool) {
	if r, ok := blacklist.Project(records); ok {
		return sqlstore.Row{Type: r.Type, Version: r.Version, State: string(r.Recorded), ValidUntil: r.ValidUntil}, true
	}
	if r, ok := blacklist.ProjectSheet(records); ok {
		return sqlstore.Row{Type: r.Type, Version: r.Version, State: string(r.State), About: r.About()}, true
	}
	if r, ok := events.Project(records); ok {
		return sqlstore.Row{Type: r.Type, Version: r.Version, State: string(r.State)}, true
	}
	if state, version, ok := transfer.ProjectAct(records); ok {
		return sqlstore.Row{Type: transfer.TypeActSigned, Version: version, State: string(state)}, true
	}
	return sqlstore.Row{}, false
}

// revisit lets the index and the open questions look at records from seq on again: parts of them came late.
func (n *Node) revisit(s record.StreamID, seq uint64) {
	n.index.Revisit(s, seq)
	n.duties.forget()
	n.quarantine.again(s)
	n.open.LookAgain()
}
