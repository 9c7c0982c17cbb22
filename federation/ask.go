package federation

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/record"
)

// Limits of one ask and one answer in bytes and hits. An answer carries at most MaxHits; where more records fit, it is
// partial and says so.
const (
	MaxAsk    = 16 << 10
	MaxAnswer = 4 << 20
	MaxHits   = 200
	// MaxPossible bounds how many of its hits are only possible (domain.md L35).
	MaxPossible = 10
)

type charterRefText struct {
	Version uint64 `json:"version"`
	Hash    Hash   `json:"hash"`
}

func (c charterRefText) ref() record.CharterRef {
	return record.CharterRef{Version: c.Version, Hash: c.Hash}
}

func writeRef(r record.CharterRef) charterRefText {
	return charterRefText{Version: r.Version, Hash: r.Hash}
}

// askText is the body of POST /member/v1/ask (wire.md §5).
type askText struct {
	V           int                 `json:"v"`
	Ask         record.Bits128      `json:"ask"`
	Nonce       Hash                `json:"nonce"`
	Federation  record.FederationID `json:"federation"`
	Charter     charterRefText      `json:"charter"`
	Member      record.MemberID     `json:"member"`
	Account     string              `json:"account"`
	Certificate string              `json:"certificate"`
	Purpose     Purpose             `json:"purpose"`
	WorkRef     WorkRef             `json:"work_ref"`
	AsOf        string              `json:"as_of"`
	Question    jsontext.Value      `json:"question"`
	// Fuzzy: whoever has no matching engine must not answer. Releases without one do not know the member and refuse the ask.
	Fuzzy bool `json:"fuzzy,omitzero"`

	question Question
}

// decodeAsk reads an ask strictly: a member of it that we do not know could be an identifier that we would not look for,
// and our "answered" would then be false. The error shows nothing of the body.
func decodeAsk(b []byte) (*askText, error) {
	bad := fmt.Errorf("decode ask: %w", ErrMalformed)
	if len(b) > MaxAsk {
		return nil, bad
	}
	var a askText
	if err := decodeJSON(b, &a, json.RejectUnknownMembers(true)); err != nil {
		return nil, bad
	}
	var q questionText
	if err := decodeJSON(a.Question, &q, json.RejectUnknownMembers(true)); err != nil {
		return nil, bad
	}
	a.question = q.hide()
	if a.V != 1 || a.Ask.IsZero() || a.Nonce == (Hash{}) || !a.Member.Valid() || a.Charter.Version == 0 {
		return nil, bad
	}
	return &a, nil
}

// nonceOf binds an ask's nonce to its question: the salt makes it fresh and tells nothing, and whoever is later shown salt
// and question can check what the signed answers were about.
func nonceOf(salt [32]byte, question string) Hash {
	return sha256.Sum256([]byte("pilin nonce 1" + string(salt[:]) + question))
}

// MemberState says what came of asking one member.
type MemberState string

// States of one member in an answer. Only Answered counts.
const (
	Answered     MemberState = "answered"
	Partial      MemberState = "partial"       // a signed answer that is not complete: unreleased, index behind, …
	Timeout      MemberState = "timeout"       // nothing by the deadline
	Unreachable  MemberState = "unreachable"   // no connection
	Refused      MemberState = "refused"       // it will not answer this
	StaleCharter MemberState = "stale_charter" // the two hold different charter versions
	Incompatible MemberState = "incompatible"  // what came is not an answer to this question by this member
)

// Reasons beside states partial, unreachable and incompatible; those of refusals are codes of Refusal.
const (
	ReasonUnreleased    = "unreleased"     // the answerer has not yet been shown its own newest checkpoint (log.md §6)
	ReasonIndexBehind   = "index_behind"   // its index has not applied its whole log
	ReasonBehindReplica = "behind_replica" // we hold records of it that its answer does not cover
	ReasonTooMany       = "too_many"       // more than MaxHits
	ReasonChanged       = "changed"        // a repeated ask whose records have changed since
	ReasonStorage       = "storage"        // a record could not be read
	ReasonSignature     = "bad_signature"  // not signed by the member that was asked
	ReasonNotMine       = "other_question" // another ask, nonce, asker, federation or day
	ReasonCheckpoint    = "bad_checkpoint" // its checkpoint is not one of its records stream, or does not fit
	ReasonMalformed     = "malformed"      // not an answer at all
	ReasonDown          = "known_down"     // it did not answer lately; it was not asked, and is tried by the next head exchange
	ReasonNoFuzzy       = "no_fuzzy"       // a fuzzy question, and the answer names no matching engine
)

// Outcome is what a question came to.
type Outcome string

// Outcomes. Hit and Possible occur in answers of one member too.
const (
	Hit        Outcome = "hit"        // a gate holds: an equal number, or a name with enough beside it (docs/design/matching.md)
	Possible   Outcome = "possible"   // somebody may be meant, among them namesakes: 同名不等于本人
	NoHit      Outcome = "no_hit"     // 未发现: every member in scope answered live
	Incomplete Outcome = "incomplete" // 答复不全: nothing found, and not everybody answered
)

// hitText is one hit of a partial answer (wire.md §5). Card and body are the exact JSON of the parts.
type hitText struct {
	Record  record.RecordID  `json:"record"`
	Subject record.RecordID  `json:"subject"`
	Version uint64           `json:"version"`
	Type    string           `json:"type"`
	State   string           `json:"state"`
	Outcome Outcome          `json:"outcome"`
	Level   record.Level     `json:"level"`
	Score   float64          `json:"score"`
	Lines   []match.Evidence `json:"lines"`
	Card    jsontext.Value   `json:"card,omitempty"`
	Body    jsontext.Value   `json:"body,omitempty"`
}

// answerText is the text of a partial answer's note.
type answerText struct {
	Pilin      string              `json:"pilin"`
	V          int                 `json:"v"`
	Federation record.FederationID `json:"federation"`
	Ask        record.Bits128      `json:"ask"`
	Nonce      Hash                `json:"nonce"`
	Member     record.MemberID     `json:"member"`
	Asker      record.MemberID     `json:"asker"`
	Charter    charterRefText      `json:"charter"`
	AsOf       string              `json:"as_of"`
	State      MemberState         `json:"state"`
	Reason     string              `json:"reason"`
	Checkpoint string              `json:"checkpoint"`
	Index      uint64              `json:"index"`
	Hits       []hitText           `json:"hits"`
	Tally      *Tally              `json:"tally,omitempty"`
	Engine     string              `json:"engine,omitempty"`   // version of the matching engine that looked
	Namesakes  uint64              `json:"namesakes,omitzero"` // people of exactly this name among own records that the asker may see
	Truncated  bool                `json:"truncated,omitzero"` // there may be more possible ones than are told

	told  []Disclosed // what the tally tells of, for the audit record
	found []Candidate // whom it was made of, for a repeat
}

func answerName(fed record.FederationID, m record.MemberID) string {
	return "pilin/" + fed.String() + "/" + string(m) + "/answer"
}

// decodeAnswer reads the text of an answer that is verified already. Members of later releases are tolerated: the note is
// kept verbatim, and none of ours changes its meaning by another's presence.
func decodeAnswer(text string) (*answerText, error) {
	var a answerText
	if err := decodeJSON([]byte(text), &a); err != nil || a.Pilin != "answer" || a.V != 1 {
		return nil, fmt.Errorf("decode answer: %w", ErrMalformed)
	}
	if len(a.Hits) > MaxHits || a.State != Answered && a.State != Partial && a.State != Refused {
		return nil, fmt.Errorf("decode answer: %w", ErrMalformed)
	}
	if len(a.Engine) > maxEngine || hasControl(a.Engine) || a.Namesakes > maxNamesakes {
		return nil, fmt.Errorf("decode answer: %w", ErrMalformed)
	}
	if t := a.Tally; t != nil && len(t.Facts)+len(t.Lines) > MaxHits {
		return nil, fmt.Errorf("decode answer: %w", ErrMalformed)
	}
	for _, h := range a.Hits {
		if h.Outcome != Hit && h.Outcome != Possible || h.Record.IsZero() || h.Subject.IsZero() || len(h.Type) > 64 || len(h.State) > 64 || !readable(h.Lines) {
			return nil, fmt.Errorf("decode answer: %w", ErrMalformed)
		}
	}
	return &a, nil
}

// Limits of what an answer says of its candidates. Honest lines are far shorter and fewer.
const (
	maxLines     = 64
	maxLine      = 400 // bytes
	maxEngine    = 64  // bytes
	maxNamesakes = 1 << 20
)

// readable reports lines that may be shown to people as they are.
func readable(lines []match.Evidence) bool {
	return len(lines) <= maxLines && !slices.ContainsFunc(lines, func(l match.Evidence) bool {
		return !codeForm.MatchString(l.Code) || len(l.Text) > maxLine || hasControl(l.Text)
	})
}

// Errors with which an AskFunc says what happened; anything else counts as unreachable. Reply returns them too, for the
// members' listener to turn into status codes.
var (
	// ErrUnreachable: no connection, or the listener is down.
	ErrUnreachable = errors.New("unreachable")
	// ErrDown: the member is known not to answer, so it was not called at all.
	ErrDown = errors.New("known to be down")
	// ErrIncompatible: the peer spoke, but not this protocol.
	ErrIncompatible = errors.New("incompatible")
	// ErrNotSender: the body names another member than the one whose token and connection brought it.
	ErrNotSender = errors.New("ask of another member than the sender")
	// ErrNotMember: the sender is not an active member.
	ErrNotMember = errors.New("sender is not an active member")
)

// StaleCharterError: asker and answerer hold different charter versions. Ours is the one that the answerer holds; if the
// other is newer, the answerer must fetch it, else the asker.
type StaleCharterError struct{ Ours, Theirs record.CharterRef }

// Error names both versions.
func (e *StaleCharterError) Error() string {
	return fmt.Sprintf("stale charter: we hold version %d, the ask names %d", e.Ours.Version, e.Theirs.Version)
}

// PeerRefusal: the peer's listener refused the request as such, e.g. replayed, clock_skew, storage_full, rate_limited.
type PeerRefusal struct {
	Code  string
	Retry time.Duration // when to ask again, at the earliest; 0 if it did not say
}

// Error returns the code.
func (e *PeerRefusal) Error() string { return "refused by peer: " + e.Code }
