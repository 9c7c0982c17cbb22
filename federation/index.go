package federation

import (
	"context"

	"github.com/pilinhub/pilin/record"
)

// Candidate is a subject that a question may mean.
type Candidate struct {
	Stream  record.StreamID
	Subject record.RecordID
	Outcome Outcome // Hit or Possible
	Explain []Explanation
}

// Index finds subjects by what identifies them. It follows committed records by (stream, sequence), never ahead of them,
// and says how far it is. LogIndex is the one of a node.
type Index interface {
	// Find returns the candidates of the streams that in accepts, best first, each subject once. It reads no clock: asOf is
	// the civil date that identifiers are read for. An error means that nothing is known, not that nothing is there.
	Find(ctx context.Context, q Question, asOf string, in func(record.StreamID) bool) ([]Candidate, error)
	// Applied returns the sequence before which all records of s are in the index or gone from it.
	Applied(s record.StreamID) uint64
	// Wait returns nil once Applied(s) ≥ seq, or the context's error.
	Wait(ctx context.Context, s record.StreamID, seq uint64) error
}
