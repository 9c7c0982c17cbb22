package federation

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/record"
)

// Tally 处罚情况 is what a member discloses of its own penalties for the cross-region count (domain.md §6.1, ADR 8). What
// stands in it is for package transfer; here it is opaque.
type Tally struct {
	Rule  string           `json:"rule"`
	Facts []jsontext.Value `json:"facts"` // of penalties at L3
	Lines []jsontext.Value `json:"lines"` // of penalties at L2: the origin's findings, no name and no number
	Basic uint64           `json:"basic"` // of penalties at L1: a bare number
}

// Disclosed is an own record that a tally tells of.
type Disclosed struct {
	Record  record.RecordID // that carries the content in force
	Subject record.RecordID
	Version uint64
	Level   record.Level
}

// TallyFunc computes a tally over own candidates, also over those that an ordinary look-up of the day does not show. level
// gives the level of an audience towards the asker; nothing above it may be told. An error means that nothing can be said.
type TallyFunc func(ctx context.Context, q Question, asOf string, found []Candidate, level func(map[record.GroupID]record.Level) record.Level) (Tally, []Disclosed, error)

// keptTally is what is stored for a repeat: of whom was asked and what was told, no content.
type keptTally struct {
	Found []keptHit       `json:"found"`
	Told  []keptDisclosed `json:"told"`
}

type keptDisclosed struct {
	Subject record.RecordID `json:"subject"`
	Version uint64          `json:"version"`
}

func keptOf(told []Disclosed) []keptDisclosed {
	out := []keptDisclosed{}
	for _, d := range told {
		out = append(out, keptDisclosed{d.Subject, d.Version})
	}
	return out
}

// count adds the tally to an answer. Without one, or if the audit record could not name all that it tells, the answer is
// partial: the asker must not take it for "no penalties".
func (r *reply) count(ctx context.Context, out *answerText, found []Candidate) error {
	if r.hub.Tally == nil {
		return nil
	}
	groups := r.hub.Directory.Groups(r.from)
	t, told, err := r.hub.Tally(ctx, r.ask.question, r.ask.AsOf, found, func(a map[record.GroupID]record.Level) record.Level {
		if r.from == r.hub.Directory.Self() {
			return record.L3 // its own records it reads whole
		}
		return levelFor(a, groups)
	})
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("tally: %w", err)
		}
		out.lower(ReasonStorage)
		return nil
	}
	if len(told)+len(out.Hits) > MaxHits {
		out.lower(ReasonTooMany)
		return nil
	}
	size := 0
	for _, b := range slices.Concat(t.Facts, t.Lines) {
		size += len(b)
	}
	if size > MaxAnswer/4 {
		out.lower(ReasonTooMany)
		return nil
	}
	out.Tally, out.told, out.found = &t, told, found
	return nil
}

// recount makes the tally of a repeat: from the same candidates, and only if it tells no more and nothing else than the
// audit record of the first answer names.
func (r *reply) recount(ctx context.Context, out *answerText, kept *keptTally) error {
	if kept == nil {
		return nil
	}
	var found []Candidate
	for _, k := range kept.Found {
		found = append(found, Candidate{Place: Place{r.hub.Records, k.Subject}, Outcome: k.Outcome})
	}
	if err := r.count(ctx, out, found); err != nil {
		return err
	}
	if out.Tally != nil && !slices.Equal(keptOf(out.told), kept.Told) {
		out.Tally = nil
		out.lower(ReasonChanged)
	}
	return nil
}

// shown lists what the audit record names: hits, and what only the tally tells of.
func (a *answerText) shown() []shownRecord {
	out := []shownRecord{}
	for _, h := range a.Hits {
		out = append(out, shownRecord{h.Record, h.Level, h.Outcome})
	}
	for _, d := range a.told {
		if !slices.ContainsFunc(out, func(s shownRecord) bool { return s.Record == d.Record }) {
			out = append(out, shownRecord{Record: d.Record, Level: d.Level})
		}
	}
	return out
}
