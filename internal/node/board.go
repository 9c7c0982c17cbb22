package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/pilinhub/pilin/events"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// buildBoard makes the desk of joint operations.
func (n *Node) buildBoard() {
	n.board = &events.Board{Log: ownLog{n.store, n}, Self: n.cfg.Member, Now: n.now, Random: rand.Reader, Synthetic: n.dir.Synthetic(), NewGroup: n.newGroup, Replies: n.replies}
}

// Board returns the desk of joint operations.
func (n *Node) Board() *events.Board { return n.board }

// subjects returns the records of every subject of a type that one member's stream holds here and that can be read.
func (n *Node) subjects(ctx context.Context, s record.StreamID, typ string) ([][]record.Stored, error) {
	var out [][]record.Stored
	for before := uint64(0); ; {
		rows, err := n.store.List(ctx, sqlstore.Filter{Stream: s, Type: typ, AfterSeq: before, Limit: 200})
		if err != nil {
			return nil, fmt.Errorf("list %s of %s: %w", typ, s, err)
		}
		for _, r := range rows {
			all, err := n.store.Subject(ctx, s, r.Subject)
			if err != nil {
				return nil, fmt.Errorf("read %s of %s: %w", typ, s, err)
			}
			out, before = append(out, all), r.Seq
		}
		if len(rows) < 200 {
			return out, nil
		}
	}
}

// replies returns the replies that answer a plan, of these members' streams.
func (n *Node) replies(ctx context.Context, plan record.RecordID, members []record.MemberID) ([]record.Stored, error) {
	var out []record.Stored
	for _, m := range members {
		all, err := n.subjects(ctx, record.Stream(m, record.Records), events.TypeReply)
		if err != nil {
			return nil, err
		}
		for _, records := range all {
			for _, r := range records {
				for _, ref := range r.Meaning.Refs {
					if ref.Rel == record.Answers && ref.ID == plan {
						out = append(out, records...)
					}
				}
				break // the first version says what the subject answers
			}
		}
	}
	return out, nil
}

// Operations returns every operation that this node can read: those that its bureau leads or is invited to.
func (n *Node) Operations(ctx context.Context) ([]events.Operation, error) {
	var out []events.Operation
	for _, m := range n.dir.Active() {
		s := record.Stream(m, record.Records)
		all, err := n.subjects(ctx, s, events.TypeOperation)
		if err != nil {
			return nil, err
		}
		for _, records := range all {
			if len(records) == 0 {
				continue
			}
			id, _ := records[0].Meaning.Subject()
			o, err := n.board.Operation(ctx, s, id)
			var no *events.Refusal
			if errors.As(err, &no) {
				continue
			}
			if err != nil {
				return nil, err
			}
			out = append(out, o)
		}
	}
	return out, nil
}

// newGroup founds a sealed group of some members: an agreement, kept here before anything is sealed for it, and handed to
// those that it names with the next head exchanges, which come at once.
func (n *Node) newGroup(ctx context.Context, members []record.MemberID) (record.GroupID, error) {
	note, err := federation.NewAgreement(rand.Reader, n.dir, members, record.CivilDay(n.now()))
	if err != nil {
		return "", fmt.Errorf("found group: %w", err)
	}
	a, err := federation.ParseAgreement(note)
	if err != nil {
		return "", fmt.Errorf("found group: %w", err)
	}
	if _, err := n.dir.AddAgreement(note); err != nil {
		return "", fmt.Errorf("found group: %w", err)
	}
	if err := n.keepDocuments(ctx); err != nil {
		return "", fmt.Errorf("keep agreement: %w", err)
	}
	n.t.news.Store(true)
	return a.Group, nil
}
