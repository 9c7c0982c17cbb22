package federation

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
)

// SubjectView is what may be shown of a subject as of a day.
type SubjectView struct {
	Version uint64
	Type    string
	State   string        // published, suspended (核实中), …; the state machine's word
	Record  record.Stored // the record that carries the content shown
}

// ViewFunc folds a subject. False: it is not to be found as of that day (withdrawn, expired, repaired, embargoed, unknown).
// An error means that it could not be read, which is never taken for "not there".
type ViewFunc func(ctx context.Context, s record.StreamID, subject record.RecordID, asOf string) (SubjectView, bool, error)

// AskFunc sends an ask to a member's listener and returns the answer's bytes, at most MaxAnswer. Its errors are
// ErrUnreachable, ErrDown, ErrIncompatible, *StaleCharterError, *PeerRefusal or the context's. It asks once and does not hedge.
type AskFunc func(ctx context.Context, m record.MemberID, body []byte) ([]byte, error)

// Hub asks every member and answers every member (domain.md T24, architecture.md §4). It keeps no answer. All fields are
// set before use; it is safe for use by several goroutines if its functions are.
type Hub struct {
	Directory *Directory
	Index     Index
	// Append, Answered and Head are those of the node's record.Log. Repeats of an ask are kept in its idempotency slots.
	Append   func(context.Context, record.Append) (record.Appended, error)
	Answered func(ctx context.Context, scope, key string) ([]byte, [32]byte, error)
	Head     func(context.Context, record.StreamID) (record.Head, error)
	View     ViewFunc
	Call     AskFunc
	// Tally computes what an answer says for the cross-region count; nil: this node's answers have no part in it.
	Tally TallyFunc
	// Age returns how long ago this node last knew that it held all of m's records; false if it never did.
	Age func(m record.MemberID) (time.Duration, bool)
	// Holds says whether the work reference of an own officer's question is one that he holds; nil: every reference of the
	// right form will do.
	Holds func(ctx context.Context, req *AskRequest) (*Refusal, error)
	// Spend takes a question out of the budgets of who asks it: before an own officer's leaves, and before another member's
	// is looked up. nil: there are no budgets.
	Spend func(ctx context.Context, c Charge) *SpentError
	// Measured is told once of every question that left: its answer, how long it took, and whether the outcome was audited,
	// without which the asker gets nothing. nil: nobody is.
	Measured func(a *Answer, took time.Duration, audited bool)
	// Released reports whether the own records stream is released (log.md §6).
	Released func() bool
	Now      func() time.Time
	Random   io.Reader // of ids and nonces; crypto/rand.Reader in a node
	// Records and Audit are the own streams in use.
	Records, Audit record.StreamID
	// Deadline bounds an Ask from its start; zero is DefaultDeadline.
	Deadline time.Duration
	// IndexWait is how long Reply waits for the index to reach the log's head before it answers partial; zero is 150 ms.
	IndexWait time.Duration
	// AsOfDays bounds how far the day of a foreign ask may lie from today in days, so that nobody reads expired entries by
	// asking for a past day; zero means no bound.
	AsOfDays int

	partials partialCache // used by a planted bug only
}

// DefaultDeadline is how long a question waits for its members (domain.md W1).
const DefaultDeadline = 2 * time.Second

// outcomeWait bounds the writing of the outcome record, which follows the answer within a second.
const outcomeWait = time.Second

// today returns the civil date.
func (h *Hub) today() string { return record.CivilDay(h.Now()) }

func (h *Hub) deadline() time.Duration {
	if h.Deadline > 0 {
		return h.Deadline
	}
	return DefaultDeadline
}

func (h *Hub) indexWait() time.Duration {
	if h.IndexWait > 0 {
		return h.IndexWait
	}
	return 150 * time.Millisecond
}

// auditDraft makes an audit record of a payload; its schema says which parts are for auditors and that the question stands
// in home, which auditor and reviewer open together.
func (h *Hub) auditDraft(typ string, payload any) (record.Draft, error) {
	d := record.Draft{Stream: h.Audit, Type: typ, Schema: "1", Day: h.today(), Parts: map[record.PartName][]byte{}}
	var err error
	if d.ID, err = record.NewBits128(h.Random); err != nil {
		return d, err
	}
	t, text, err := auditPayload(typ, payload)
	if err != nil {
		return d, err
	}
	parts, err := t.Split(text)
	if err != nil {
		return d, err
	}
	for name, b := range parts {
		d.Parts[record.PartName(name)] = b
	}
	return d, nil
}

// auditPayload writes a payload and names its type. Its errors show nothing of it.
func auditPayload(typ string, payload any) (*schemas.Type, []byte, error) {
	t, ok := schemas.Lookup(typ, "1")
	text, err := encodeLine(payload)
	if !ok || err != nil {
		return nil, nil, fmt.Errorf("write %s: %w", typ, ErrMalformed)
	}
	return t, []byte(text), nil
}

// Payloads of audit records: schemas/lookup.asked, lookup.answered and lookup.outcome.
type askedBody struct {
	Ask       record.Bits128    `json:"ask"`
	Member    record.MemberID   `json:"member"`
	Account   string            `json:"account"`
	CertNo    string            `json:"cert_no,omitempty"`
	Purpose   Purpose           `json:"purpose,omitempty"`
	WorkRef   *WorkRef          `json:"work_ref,omitempty"`
	AsOf      string            `json:"as_of,omitempty"`
	At        string            `json:"at"`
	Scope     []record.MemberID `json:"scope,omitempty"`
	QueryKind []string          `json:"query_kind,omitempty"`
	Refused   string            `json:"refused,omitempty"`
	Question  *questionText     `json:"question,omitempty"`
	Synthetic bool              `json:"synthetic"`
}

type answeredBody struct {
	Ask       record.Bits128  `json:"ask"`
	Member    record.MemberID `json:"member"`
	Account   string          `json:"account"`
	CertNo    string          `json:"cert_no,omitempty"`
	Purpose   Purpose         `json:"purpose,omitempty"`
	WorkRef   *WorkRef        `json:"work_ref,omitempty"`
	AsOf      string          `json:"as_of"`
	At        string          `json:"at"`
	State     MemberState     `json:"state"`
	Reason    string          `json:"reason,omitempty"`
	Shown     []shownRecord   `json:"shown"`
	Synthetic bool            `json:"synthetic"`
}

type shownRecord struct {
	Record  record.RecordID `json:"record"`
	Level   record.Level    `json:"level"`
	Outcome Outcome         `json:"outcome,omitempty"`
}

type outcomeBody struct {
	Ask       record.Bits128    `json:"ask"`
	At        string            `json:"at"`
	Outcome   Outcome           `json:"outcome"`
	Answered  int               `json:"answered"`
	Total     int               `json:"total"`
	States    []memberStateBody `json:"states"`
	LatencyMS int64             `json:"latency_ms"`
	Synthetic bool              `json:"synthetic"`
}

type memberStateBody struct {
	Member    record.MemberID `json:"member"`
	State     MemberState     `json:"state"`
	Reason    string          `json:"reason,omitempty"`
	LatencyMS int64           `json:"latency_ms"`
}

// at writes an instant as records do.
func (h *Hub) at() string { return h.Now().In(record.CivilZone).Format(time.RFC3339) }
