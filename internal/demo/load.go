package demo

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/events"
	"github.com/pilinhub/pilin/internal/node"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// Desk is who loads the history of one bureau: an author and a reviewer, who are two people.
type Desk struct {
	Author, Reviewer, Liaison string // account ids
	Today                     string // civil day: what happens later is not loaded
}

// together is how many decisions one bureau works on at once, so that they share commits.
const together = 16

// Load takes every decision of one bureau from draft to published, and its list entry behind it, through the register as
// its people would.
func Load(ctx context.Context, n *node.Node, d Desk, decisions []Decision) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(together)
	for _, x := range decisions {
		g.Go(func() error {
			if err := loadOne(ctx, n.Register(), d, x); err != nil {
				return fmt.Errorf("load %s: %w", x.No, err)
			}
			return nil
		})
	}
	return g.Wait()
}

func loadOne(ctx context.Context, r *blacklist.Register, d Desk, x Decision) error {
	payload, err := x.Penalty()
	if err != nil {
		return err
	}
	penalty, err := publish(ctx, r, d, blacklist.Proposal{Type: "penalty", Payload: payload})
	if err == nil && x.ReviewApplied != "" && x.ReviewApplied <= d.Today {
		_, err = r.PenaltyStatus(ctx, d.as(d.Reviewer, workflow.LegalReviewer), penalty, blacklist.PenaltyChange{Status: "remedy_event",
			Change:      blacklist.Change{LegalBasis: "行政复议法第20条", Purpose: "CASE"},
			RemedyEvent: &blacklist.RemedyEvent{Type: "review_applied", At: x.ReviewApplied}})
	}
	if err != nil || !x.Entry {
		return err
	}
	if payload, err = x.ListEntry(penalty.ID.String()); err != nil {
		return err
	}
	person, err := publish(ctx, r, d, blacklist.Proposal{Type: blacklist.TypePerson, Payload: payload})
	if err != nil {
		return err
	}
	return loadThings(ctx, r, d, x, penalty.ID.String(), person.ID.String())
}

// loadThings lists the premises, handle and institution of a decision, each naming those before it.
func loadThings(ctx context.Context, r *blacklist.Register, d Desk, x Decision, penalty, person string) error {
	premises := ""
	for _, t := range []struct {
		typ     string
		none    bool
		payload func() ([]byte, error)
	}{
		{blacklist.TypePremises, x.Premises == Premises{}, func() ([]byte, error) { return x.PremisesEntry(penalty, person) }},
		{blacklist.TypeHandle, x.Handle == Handle{}, func() ([]byte, error) { return x.HandleEntry(penalty, person, premises) }},
		{blacklist.TypeInstitution, x.Institution == Institution{}, func() ([]byte, error) { return x.InstitutionEntry(penalty, person) }},
	} {
		if t.none {
			continue
		}
		payload, err := t.payload()
		if err != nil {
			return err
		}
		on, err := publish(ctx, r, d, blacklist.Proposal{Type: t.typ, Payload: payload})
		if err != nil {
			return fmt.Errorf("%s: %w", t.typ, err)
		}
		if t.typ == blacklist.TypePremises {
			premises = on.ID.String()
		}
	}
	return nil
}

func (d Desk) as(account string, role workflow.Role) blacklist.Request {
	return blacklist.Request{Actor: blacklist.Actor{Account: account, Roles: []workflow.Role{role}}}
}

// publish takes one proposal from draft to published and returns the subject.
func publish(ctx context.Context, r *blacklist.Register, d Desk, p blacklist.Proposal) (blacklist.On, error) {
	done, err := r.Draft(ctx, d.as(d.Author, workflow.Officer), p)
	if err == nil {
		done, err = r.Submit(ctx, d.as(d.Author, workflow.Officer), done.On)
	}
	if err == nil {
		done, err = r.Approve(ctx, d.as(d.Reviewer, workflow.LegalReviewer), done.On)
	}
	if err == nil {
		done, err = r.Publish(ctx, d.as(d.Liaison, workflow.Liaison), done.On)
	}
	return done.On, err
}

// plan lets the lead plan the demo's operation, with three other bureaux, for the day after tomorrow.
func plan(ctx context.Context, n *node.Node, coordinator string, now time.Time) error {
	payload, err := Operation(bureau("金山"), []Bureau{bureau("松江"), bureau("平湖"), bureau("吴江")}, record.CivilDay(now.AddDate(0, 0, 2)))
	if err != nil {
		return err
	}
	if _, err := n.Board().Plan(ctx, events.Request{Actor: events.Actor{Account: coordinator, Roles: []workflow.Role{workflow.Coordinator}}}, payload); err != nil {
		return fmt.Errorf("plan operation: %w", err)
	}
	return nil
}
