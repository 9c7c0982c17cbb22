package node

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// standing is where a subject stands by its records alone, for types of every domain and for types that this release does
// not know: the last record with content, and the state that the newest change says.
type standing struct {
	version    uint64
	typ        string // of the first record
	state      string
	validUntil string         // civil date, empty for none
	content    *record.Stored // nil: nothing may be shown
}

// States that an answer may show; every other state is not to be found (domain.md §5.1).
const (
	statePublished = "published"
	stateSuspended = "suspended" // shown as 核实中
	stateWithdrawn = "withdrawn"
)

// stateOf maps what a status record says to the state of its subject.
var stateOf = map[string]string{"suspended": stateSuspended, "resumed": statePublished, "lifted": statePublished, "served": statePublished,
	"remedy_event": statePublished, "repaired": "repaired", "expired": "expired", "voided": "voided"}

type cardText struct {
	Status     string `json:"status"`
	ValidUntil string `json:"valid_until"`
}

// standingOf folds a subject's records, in the order of their versions.
func standingOf(records []record.Stored) (standing, bool) {
	var s standing
	if len(records) == 0 || records[0].Meaning.IsZero() {
		return s, false
	}
	s.typ, s.state = records[0].Meaning.Type, statePublished
	for i, r := range records {
		_, s.version = r.Meaning.Subject()
		card, ok := cardOf(r)
		ref, change := r.Meaning.Change()
		switch {
		case change && ref.Rel.Ends():
			s.state, s.content = stateWithdrawn, nil
		case !change || ref.Rel == record.Supersedes:
			s.content, s.validUntil = &records[i], card.ValidUntil
			s.state = statePublished
		case ok && stateOf[card.Status] != "":
			s.state = stateOf[card.Status]
		}
	}
	return s, true
}

func cardOf(r record.Stored) (cardText, bool) {
	var c cardText
	for _, p := range r.Parts {
		if p.Name == record.Card && p.State == record.PartPresent {
			return c, json.Unmarshal(p.Bytes, &c) == nil
		}
	}
	return c, false
}

// view is federation.ViewFunc: what may be shown of a subject as of a day. Expiry is computed from the stored date.
func (n *Node) view(ctx context.Context, st record.StreamID, subject record.RecordID, asOf string) (federation.SubjectView, bool, error) {
	all, err := n.store.Subject(ctx, st, subject)
	if err != nil {
		return federation.SubjectView{}, false, fmt.Errorf("read subject %s: %w", subject, err)
	}
	s, ok := standingOf(all)
	if !ok || s.content == nil || s.validUntil != "" && s.validUntil < asOf || !slices.Contains([]string{statePublished, stateSuspended, "voided"}, s.state) {
		return federation.SubjectView{}, false, nil
	}
	return federation.SubjectView{Version: s.version, Type: s.typ, State: s.state, Record: *s.content}, true, nil
}

// project is the read model of a subject; it holds no personal data.
func project(records []record.Stored) (sqlstore.Row, bool) {
	s, ok := standingOf(records)
	return sqlstore.Row{Type: s.typ, Version: s.version, State: s.state, ValidUntil: s.validUntil}, ok
}
