package exchange

import (
	"context"
	"fmt"
	"slices"

	"github.com/pilinhub/pilin/record"
)

// restrict returns the group as it may leave its origin: content that a later record of the subject deleted is gone. The
// origin keeps it until retention ends, but nobody is given it any more. Groups of other members' streams come out as
// they are: there it is gone already.
func restrict(ctx context.Context, log record.Log, self record.MemberID, g record.Group) (record.Group, error) {
	if g.Stream.Member() != self {
		return g, nil
	}
	g.Records = slices.Clone(g.Records)
	for i, st := range g.Records {
		if st.Meaning.IsZero() {
			continue
		}
		subject, _ := st.Meaning.Subject()
		all, err := log.Subject(ctx, g.Stream, subject)
		if err != nil {
			return g, fmt.Errorf("read subject of record %d of %s: %w", st.Seq, g.Stream, err)
		}
		if by, ok := deletedBy(st, all); ok {
			g.Records[i].Parts = emptied(st.Parts, by)
		}
	}
	return g, nil
}

// deletedBy returns the first later record of the subject that deletes st's content.
func deletedBy(st record.Stored, subject []record.Stored) (by uint64, ok bool) {
	for _, later := range subject {
		ref, change := later.Meaning.Change()
		if later.Seq > st.Seq && change && ref.Rel.Deletes() && (!ok || later.Seq < by) {
			by, ok = later.Seq, true
		}
	}
	return by, ok
}

// emptied returns the parts without their content. Meta stays: it says no more than an open header does.
func emptied(parts []record.StoredPart, by uint64) []record.StoredPart {
	parts = slices.Clone(parts)
	for i, p := range parts {
		if p.Name != record.Meta && p.State == record.PartPresent {
			parts[i] = record.StoredPart{Name: p.Name, State: record.PartGone, Keys: p.Keys, GoneBy: by}
		}
	}
	return parts
}
