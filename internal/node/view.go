package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// view is federation.ViewFunc: what an answer may show of a subject as of a day. Only entries and penalties are found by
// a question; of other types an answer shows nothing yet.
func (n *Node) view(ctx context.Context, st record.StreamID, subject record.RecordID, asOf string) (federation.SubjectView, bool, error) {
	all, err := n.store.Subject(ctx, st, subject)
	if err != nil {
		return federation.SubjectView{}, false, fmt.Errorf("read subject %s: %w", subject, err)
	}
	e, err := blacklist.Fold(all, asOf)
	switch {
	case errors.Is(err, blacklist.ErrNothing), errors.Is(err, blacklist.ErrOtherType):
		return federation.SubjectView{}, false, nil
	case err != nil:
		return federation.SubjectView{}, false, fmt.Errorf("fold subject %s: %w", subject, err)
	case !e.Visible() || e.Content.Header == nil:
		return federation.SubjectView{}, false, nil
	}
	return federation.SubjectView{Version: e.Version, Type: e.Type, State: string(e.State), Record: e.Content}, true, nil
}

// project is the read model of a subject; it holds no personal data. Of entries and penalties, drafts included, it holds
// the state that records give, and expiry is computed when a list is read; of other types only that the subject is there.
func project(records []record.Stored) (sqlstore.Row, bool) {
	e, err := blacklist.Fold(records, "")
	if errors.Is(err, blacklist.ErrOtherType) {
		for _, r := range records {
			if !r.Meaning.IsZero() {
				_, version := records[len(records)-1].Meaning.Subject()
				return sqlstore.Row{Type: r.Meaning.Type, Version: version}, true
			}
		}
	}
	if err != nil {
		return sqlstore.Row{}, false
	}
	return sqlstore.Row{Type: e.Type, Version: e.Version, State: string(e.State), ValidUntil: e.ValidUntil}, true
}
