package httpapi

import (
	"context"
	"fmt"
	"slices"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas/identifier"
	"github.com/pilinhub/pilin/transfer"
)

// FindFunc finds subjects by what identifies them (federation.Index.Find).
type FindFunc func(ctx context.Context, q federation.Question, asOf string, in federation.In) (federation.Findings, error)

// Subjects reads what stands of a subject, own or another member's (blacklist.Register, as far as what this
// node keeps of others may be used).
type Subjects interface {
	Entry(ctx context.Context, s record.StreamID, subject record.RecordID, asOf string) (blacklist.Entry, error)
	EvidenceFor(ctx context.Context, s record.StreamID, subject record.RecordID, asOf string) (blacklist.Entry, blacklist.Link, bool, error)
}

// evidence finds the links of documents (R1L) that name the number of a question, own ones and copies of other members',
// as far as may accepts their audience. Whoever holds one applies it (domain.md §6.1).
func evidence(ctx context.Context, read Subjects, find FindFunc, q federation.Question, asOf string, may func(map[record.GroupID]record.Level) bool) ([]transfer.Link, error) {
	if q.IDNo.IsZero() {
		return nil, nil
	}
	found, err := find(ctx, federation.Question{IDType: q.IDType, IDNo: q.IDNo}, asOf, func(s record.StreamID, _ map[record.GroupID]record.Level) bool { return s.Kind() == record.Records })
	if err != nil {
		return nil, fmt.Errorf("find evidence: %w", err)
	}
	var out []transfer.Link
	for _, c := range found.Candidates {
		e, l, ok, err := read.EvidenceFor(ctx, c.Stream, c.Subject, asOf)
		switch {
		case err != nil:
			return nil, fmt.Errorf("read evidence: %w", err)
		case ok && may(e.Audience):
			out = append(out, transfer.LinkOf(l))
		}
	}
	return out, nil
}

// joined adds to what was found in a stream the subjects that links join with the question's number.
func joined(ctx context.Context, find FindFunc, q federation.Question, links []transfer.Link, asOf string, own record.StreamID, found []federation.Candidate) ([]federation.Candidate, error) {
	day, err := identifier.ParseDate(asOf)
	if err != nil {
		return nil, fmt.Errorf("find what is joined: %w", err)
	}
	found = slices.Clone(found)
	for _, d := range transfer.Joined(subjectOf(q), links, day) {
		more, err := find(ctx, federation.Question{IDType: d.Type, IDNo: identifier.NewSecret(d.No)}, asOf, func(s record.StreamID, _ map[record.GroupID]record.Level) bool { return s == own })
		if err != nil {
			return nil, fmt.Errorf("find what is joined: %w", err)
		}
		for _, c := range more.Candidates {
			if !slices.ContainsFunc(found, func(f federation.Candidate) bool { return f.Stream == c.Stream && f.Subject == c.Subject }) {
				found = append(found, c)
			}
		}
	}
	return found, nil
}

// evidence is what the asking node itself holds for a question.
func (h *people) evidence(ctx context.Context, req *federation.AskRequest, asOf string) ([]transfer.Link, error) {
	return evidence(ctx, h.Subjects, h.Hub.Index.Find, req.Question, asOf, func(map[record.GroupID]record.Level) bool { return true })
}
