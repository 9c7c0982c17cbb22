package federation

import (
	"context"
	"crypto/ed25519"
	"errors"
	"regexp"
	"slices"

	"github.com/pilinhub/pilin/record"
)

// expected is what an answer must repeat to be an answer to this question by this member (wire.md §5).
type expected struct {
	federation    record.FederationID
	charter       record.CharterRef
	ask           record.Bits128
	nonce         Hash
	asOf          string
	asker, member record.MemberID
	fuzzy         bool
	keys          []ed25519.PublicKey // of the member; one must have signed
	signKey       func(record.StreamID, uint64) (ed25519.PublicKey, bool)
}

// checkAnswer says what a member's bytes are worth: the answer if it is the member's own and to this question, else nil,
// with the state and reason either way. It never counts what it cannot prove.
func checkAnswer(note []byte, want expected) (*answerText, MemberState, string) {
	if len(note) > MaxAnswer {
		return nil, Incompatible, ReasonMalformed
	}
	text, ok := "", false
	for _, k := range want.keys {
		if t, err := record.VerifyNote(note, answerName(want.federation, want.member), k); err == nil {
			text, ok = t, true
		}
	}
	if !ok {
		return nil, Incompatible, ReasonSignature
	}
	p, err := decodeAnswer(text)
	if err != nil {
		return nil, Incompatible, ReasonMalformed
	}
	switch {
	case p.Federation != want.federation, p.Ask != want.ask, p.Nonce != want.nonce, p.Asker != want.asker, p.Member != want.member,
		p.AsOf != want.asOf:
		return nil, Incompatible, ReasonNotMine
	case p.Charter.ref() != want.charter:
		return nil, StaleCharter, ""
	}
	if p.State == Refused {
		p.Hits, p.Tally = nil, nil
	}
	if !want.checkpoint(p) {
		return nil, Incompatible, ReasonCheckpoint
	}
	if p.State == Answered && want.fuzzy && p.Engine == "" {
		return p, Partial, ReasonNoFuzzy // by equal values alone it cannot say that there is nobody
	}
	if p.State == Answered {
		return p, Answered, ""
	}
	return p, p.State, reasonCode(p.Reason, string(p.State))
}

// checkpoint checks that an answer names a checkpoint of the member's own records stream, signed by the key in force, and
// that a full answer over records has one. The index then covers what the checkpoint does, no more.
func (want expected) checkpoint(p *answerText) bool {
	if p.Checkpoint == "" {
		ok := p.State != Answered || p.Index == 0
		p.Index = 0
		return ok
	}
	c, err := record.ParseCheckpoint([]byte(p.Checkpoint))
	if err != nil || c.Federation != want.federation || c.Stream.Member() != want.member || c.Stream.Kind() != record.Records ||
		c.Size == 0 || c.Size > p.Index {
		return false
	}
	key, ok := want.signKey(c.Stream, c.Size-1)
	if !ok {
		return false
	}
	_, err = record.VerifyCheckpoint([]byte(p.Checkpoint), key)
	p.Index = c.Size
	return err == nil
}

var codeForm = regexp.MustCompile(`^[a-z0-9_]{1,40}$`)

// reasonCode keeps a peer's code out of our records unless it has the form of one.
func reasonCode(code, instead string) string {
	if codeForm.MatchString(code) {
		return code
	}
	return instead
}

// judge says what came of asking one member. known is the size of its newest checkpoint that was here before the question
// was asked.
func (h *Hub) judge(a *Answer, m record.MemberID, known uint64, note []byte, err error) (*answerText, MemberAnswer) {
	out := MemberAnswer{Member: m}
	if err != nil {
		out.State, out.Reason = failure(err)
		return h.partials.standIn(a, out)
	}
	want := a.expect(h.Directory, m)
	if key, ok := h.Directory.CurrentKey(m); ok {
		want.keys = []ed25519.PublicKey{key}
	}
	part, state, reason := checkAnswer(note, want)
	out.State, out.Reason = state, reason
	if part == nil {
		return nil, out
	}
	out.Note, out.Index, out.Checkpoint = slices.Clone(note), part.Index, []byte(part.Checkpoint)
	if out.State == Answered && part.Index < known {
		// It has signed more than it now speaks for: its database was put back.
		out.State, out.Reason = Partial, ReasonBehindReplica
	}
	h.partials.keep(a, m, part)
	return part, out
}

// expect returns what m's answer to a must repeat, without keys.
func (a *Answer) expect(d *Directory, m record.MemberID) expected {
	return expected{federation: a.Federation, charter: a.Charter, ask: a.Ask, nonce: a.nonce, asOf: a.AsOf, asker: a.asker, member: m, fuzzy: a.Fuzzy,
		signKey: d.SignKey}
}

// failure turns the error of a call into a state and a reason.
func failure(err error) (MemberState, string) {
	var stale *StaleCharterError
	var refused *PeerRefusal
	var spent *SpentError
	switch {
	case errors.As(err, &stale):
		return StaleCharter, ""
	case errors.As(err, &refused):
		return Refused, reasonCode(refused.Code, "refused")
	case errors.As(err, &spent):
		return Refused, spent.Code
	case errors.Is(err, ErrDown):
		return Unreachable, ReasonDown
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return Timeout, ""
	case errors.Is(err, ErrIncompatible), errors.Is(err, ErrMalformed), errors.Is(err, ErrOtherFederation):
		return Incompatible, ReasonMalformed
	case errors.Is(err, record.ErrReplayed):
		return Refused, "replayed"
	case errors.Is(err, record.ErrStorageFull), errors.Is(err, record.ErrOutcomeUnknown):
		return Refused, "storage_full"
	}
	return Unreachable, ""
}
