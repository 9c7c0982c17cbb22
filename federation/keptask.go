package federation

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/record"
)

// KeptAsk is a question that stays open, as the asking node's database keeps it over a restart (ADR 9). State holds what
// was asked (C3): it must not outlive Until, and never stands in a log.
type KeptAsk struct {
	ID    record.Bits128 // of its first asking
	Until int64          // Unix seconds; afterwards the row is deleted
	State []byte
}

// Format prints "[redacted]": what was asked stands in here in plain text.
func (k KeptAsk) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }

// keptRequest is a request as it is kept. The person is not in it: who asks anew is looked up then.
type keptRequest struct {
	Purpose  Purpose           `json:"purpose"`
	WorkRef  WorkRef           `json:"work_ref"`
	Question questionText      `json:"question"`
	Scope    []record.MemberID `json:"scope,omitempty"`
	AsOf     string            `json:"as_of,omitempty"`
}

// Keep writes what a question needs to be put anew, without the person and without an id. It holds what was asked.
func (r *AskRequest) Keep() ([]byte, error) {
	b, err := json.Marshal(keptRequest{r.Purpose, r.WorkRef, r.Question.reveal(), r.Scope, r.AsOf})
	if err != nil {
		return nil, errors.New("keep question") // the cause could show it
	}
	return b, nil
}

// RecallAsk reads what Keep wrote. Of a version that kept more than this one knows nothing is recalled: a question that
// lacks an identifier would be another question.
func RecallAsk(b []byte) (AskRequest, error) {
	var t keptRequest
	if err := json.Unmarshal(b, &t, json.RejectUnknownMembers(true)); err != nil {
		return AskRequest{}, errors.New("recall question: not of this version")
	}
	return AskRequest{Purpose: t.Purpose, WorkRef: t.WorkRef, Question: t.Question.hide(), Scope: t.Scope, AsOf: t.AsOf}, nil
}

// Changed is a record of a subject, as far as an open question must know of it.
type Changed struct {
	Seq     uint64
	Subject record.RecordID
	Version uint64
	// Veiled says that the content is not for this node (L1, L2): nobody here can tell of whom the record is. Type is then
	// its type; empty of a sealed header.
	Veiled bool
	Type   string
}
