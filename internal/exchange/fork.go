package exchange

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// Fit says how a checkpoint of somebody else stands to what this node holds.
type Fit int

// The answers of Compare.
const (
	FitSame    Fit = iota // of our tree, at our size or below it
	FitAhead              // well signed and larger than what we hold
	FitForked             // proves a fork; evidence is kept
	FitCharter            // its charter version is not here
	FitUnsound            // not a checkpoint of this stream, or not signed by the key in force
)

// Compare holds a checkpoint that a peer showed against a foreign stream. Its signature is verified unless it is the very
// checkpoint that is stored.
func (rs *Replicas) Compare(ctx context.Context, note []byte) (Fit, record.Checkpoint, error) {
	c, err := record.ParseCheckpoint(note)
	if err != nil || c.Federation != rs.Roster.Federation || !rs.Roster.replicated(c.Stream) {
		return FitUnsound, c, nil //nolint:nilerr // what is no checkpoint is an answer, not a failure
	}
	fit := FitSame
	err = rs.locked(ctx, c.Stream, func(r *replica) error {
		if c.Size == 0 || string(note) == string(r.head.Checkpoint) {
			return nil
		}
		if !rs.Roster.CharterKnown(c.Charter) {
			fit = FitCharter
			return nil
		}
		key, ok := rs.Roster.SignKey(c.Stream, lastSeq(c.Size))
		if !ok {
			fit = FitUnsound
			return nil
		}
		if _, err := record.VerifyCheckpoint(note, key); err != nil {
			fit = FitUnsound
			return nil //nolint:nilerr // a bad signature is an answer, not a failure
		}
		if c.Size > r.head.Size {
			fit = FitAhead
			return nil
		}
		e, same, err := fits(ctx, rs.Log, r.head, c, note)
		if err != nil || same {
			return err
		}
		fit = FitForked
		if r.head.Frozen != "" {
			return nil
		}
		return rs.forked(ctx, r, e, "heads").Err
	})
	return fit, c, err
}

// fits reports whether a checkpoint at or below our size is of our tree; if not, the evidence says so to anybody.
func fits(ctx context.Context, log record.Log, h record.Head, c record.Checkpoint, note []byte) (record.Evidence, bool, error) {
	gs, err := log.Groups(ctx, h.Stream, c.Size-1, 1)
	if err != nil || len(gs) == 0 {
		return record.Evidence{}, false, fmt.Errorf("read group of %s at %d: %w", h.Stream, c.Size-1, errors.Join(err, record.ErrNotFound))
	}
	end := gs[0].First + uint64(len(gs[0].Records))
	ours, err := record.ParseCheckpoint(gs[0].Checkpoint)
	if err != nil {
		return record.Evidence{}, false, fmt.Errorf("stored checkpoint of %s at %d: %w", h.Stream, end, err)
	}
	e := record.Evidence{A: gs[0].Checkpoint, B: note}
	if end == c.Size {
		return e, ours.Root == c.Root, nil
	}
	leaves, err := log.Leaves(ctx, h.Stream, 0, end)
	if err != nil {
		return e, false, fmt.Errorf("read leaves of %s: %w", h.Stream, err)
	}
	if rootOf(leaves[:c.Size]) == c.Root {
		return e, true, nil
	}
	if len(leaves) <= record.MaxEvidenceLeaves {
		e.Leaves = leaves
	}
	return e, false, nil
}

// rootOf returns the root of the tree of these leaves.
func rootOf(leaves []tlog.Hash) tlog.Hash {
	var t record.Tree
	for _, l := range leaves {
		t = t.Add(l)
	}
	return t.Root()
}

// OfferLeaves decides about a checkpoint that is well signed, larger than ours, and whose records did not fit behind
// ours (Outcome.Suspect). If the leaves give its root, either they show that ours is not in that tree, a fork, or the
// bytes were bad and the tree is good: then Duplicate. Dropped if the leaves prove nothing.
func (rs *Replicas) OfferLeaves(ctx context.Context, suspect []byte, leaves []tlog.Hash) Outcome {
	c, err := record.ParseCheckpoint(suspect)
	if err != nil || c.Federation != rs.Roster.Federation || !rs.Roster.replicated(c.Stream) {
		return rs.dropped(c.Stream, WhyForeign)
	}
	var o Outcome
	err = rs.locked(ctx, c.Stream, func(r *replica) error {
		o = Outcome{Stream: r.stream, Size: r.head.Size, Result: Duplicate}
		if r.head.Frozen != "" || r.head.Signed == 0 {
			return nil
		}
		e := record.Evidence{A: r.head.Checkpoint, B: suspect, Leaves: leaves}
		if c.Size < r.head.Signed { // we went on meanwhile: our own leaves are the larger tree's
			if e.Leaves, err = rs.Log.Leaves(ctx, r.stream, 0, r.head.Signed); err != nil {
				return fmt.Errorf("read leaves of %s: %w", r.stream, err)
			}
		} else if uint64(len(leaves)) != c.Size || rootOf(leaves) != c.Root {
			o.Result, o.Why, o.Doubt = Dropped, record.WhyMalformed, true
			return nil
		}
		if e.Verify(rs.Roster.SignKey) == nil {
			o = rs.forked(ctx, r, e, "leaves")
		}
		return o.Err
	})
	if err != nil {
		return Outcome{Result: Failed, Stream: c.Stream, Err: err}
	}
	return o
}
