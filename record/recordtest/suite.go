package recordtest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/record"
)

// Run runs the suite; each case opens logs of its own. A log without one of the features skips the cases that need it.
func Run(t *testing.T, open Opener, fs Features) {
	for name, f := range map[string]func(*bench){
		"append places records without gap":                  appendPlaces,
		"append is all or none":                              appendAllOrNone,
		"a refused append takes no number":                   refusedTakesNoNumber,
		"one bad append fails no neighbour":                  neighbours,
		"what replicas would not count is refused":           changesFit,
		"too much at once is refused":                        tooLarge,
		"own checkpoints cover what is released":             releaseSigns,
		"release and appends at once end":                    releaseWhileAppending,
		"unreleased tail is taken off and put back":          unreleasedTail,
		"a tail comes back with what it superseded":          tailWithCorrection,
		"a tail that erased erases again":                    tailWithErasure,
		"what peers hold is taken back":                      takenBack,
		"what is taken back late gives no old content out":   takenBackLate,
		"idempotency keeps the first answer":                 idempotency,
		"concurrent repeats have one effect":                 concurrentRepeats,
		"one-use ids are used once":                          usesOnce,
		"pruned one-use ids stay refused":                    pruned,
		"one of two officers wins a version":                 versionRace,
		"a caller that gives up does not cancel":             givesUp,
		"a restart keeps what was acknowledged":              restart,
		"groups end at checkpoints and parts come back":      groupsWhole,
		"inclusion and consistency are proven from leaves":   proofs,
		"leaves of a long stream":                            leavesLong,
		"a replica equals its origin":                        replicaEqual,
		"apply refuses another head":                         applyStale,
		"records without effect are listed":                  noEffect,
		"apply refuses what does not fit":                    applyFits,
		"a correction takes the old content away everywhere": correctionDeletes,
		"deleted bytes are in no answer":                     deletedBytes,
		"an erasure deletes at home too":                     erasureDeletes,
		"withheld parts become pending with the key":         rekey,
		"receipts only grow":                                 receiptsGrow,
		"one cosignature wins, none above applied":           cosignRace,
		"none above a pending part is cosigned":              cosignPending,
		"evidence freezes":                                   evidenceFreezes,
		"cursors are kept":                                   cursors,
		"subjects come by version":                           subjects,
		"a stream of another member is not appended to":      foreignAppend,
		"histories agree with the model":                     modelled,
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			k := NewKit(1)
			f(&bench{T: t, Kit: k, log: open(t, k.Config(Self)), open: open, fs: fs, ctx: t.Context()})
		})
	}
}

// bench is one case's desk: a kit and an empty log of Self.
type bench struct {
	*testing.T
	*Kit
	log  record.Log
	open Opener
	fs   Features
	ctx  context.Context
}

func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) is(err, want error) {
	b.Helper()
	if !errors.Is(err, want) {
		b.Fatalf("got error %v, want %v", err, want)
	}
}

func (b *bench) append(drafts ...record.Draft) record.Appended {
	b.Helper()
	a, err := b.log.Append(b.ctx, record.Append{Drafts: drafts})
	b.ok(err)
	return a
}

func (b *bench) own() record.StreamID { return record.Stream(Self, record.Records) }

func (b *bench) head(s record.StreamID) record.Head {
	b.Helper()
	h, err := b.log.Head(b.ctx, s)
	b.ok(err)
	return h
}

func follows(r record.Placed, rel record.Relation, version uint64) record.Ref {
	return record.Ref{Rel: rel, ID: r.ID, Version: version}
}

// part returns one part of a record as a log has it.
func part(st record.Stored, name record.PartName) record.StoredPart {
	for _, p := range st.Parts {
		if p.Name == name {
			return p
		}
	}
	return record.StoredPart{}
}

// at returns the record of Self's own stream at seq in a log.
func (b *bench) at(log record.Log, seq uint64) record.Stored {
	b.Helper()
	gs, err := log.Groups(b.ctx, b.own(), seq, 1)
	b.ok(err)
	if len(gs) == 0 {
		b.Fatalf("no group holds %d", seq)
	}
	return gs[0].Records[seq-gs[0].First]
}
