package federation

import (
	"context"

	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/record"
)

// Candidate is a subject that a question may mean, with the lines that say why: their bits add up to Score.
type Candidate struct {
	Place
	Outcome Outcome // Hit or Possible
	Score   float64 // bits
	Lines   []match.Evidence
}

// Place is where a subject stands.
type Place struct {
	Stream  record.StreamID
	Subject record.RecordID
}

// Findings are what an index knows of a question.
type Findings struct {
	Candidates []Candidate // hits first, then by score, each subject once; at most MaxHits and one more
	Same       []Place     // subjects with exactly the name asked for, at most as many: 同名, never a hit
	Namesakes  int         // how many subjects those are, also where Same is cut
	Truncated  bool        // a value was borne by too many to look at all of them: there may be more
}

// In says which subjects of a stream a question may find, by the audience of the record that tells of them.
type In func(s record.StreamID, audience map[record.GroupID]record.Level) bool

// Index finds subjects by what is known of them. It follows committed records by (stream, sequence), never ahead of them,
// and says how far it is. LogIndex is the one of a node.
type Index interface {
	// Find returns whom the question may mean of those that in accepts; nobody else changes the answer. It reads no clock:
	// asOf is the civil date that numbers are read for. An error means that nothing is known, not that nothing is there.
	Find(ctx context.Context, q Question, asOf string, in In) (Findings, error)
	// Applied returns the sequence before which all records of s are in the index or gone from it.
	Applied(s record.StreamID) uint64
	// Wait returns nil once Applied(s) ≥ seq, or the context's error.
	Wait(ctx context.Context, s record.StreamID, seq uint64) error
}
