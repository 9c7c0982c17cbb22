package httpapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/schemas/identifier"
	"github.com/pilinhub/pilin/transfer"
)

type actIn struct {
	ID   string `path:"id" pattern:"^[0-9a-f]{32}$"`
	Body struct {
		At            string `json:"at" maxLength:"10" doc:"Day of the treating act; of a continuing one its last day"`
		Place         string `json:"place" pattern:"^[0-9]{6}$" doc:"County, GB/T 2260: of this bureau (domain.md §5.3)"`
		Qualification string `json:"qualification_at_act" maxLength:"40" doc:"Of the person on that day: none, forged, revoked, unknown, …"`
	}
}

// ActRow is an act with its signatures, for those who examine it.
type ActRow struct {
	Act           string         `json:"act" doc:"Subject of the signatures"`
	Ask           string         `json:"ask" doc:"The question that it belongs to: whom it is about stands in that question's audit record"`
	At            string         `json:"at"`
	Place         string         `json:"place"`
	Qualification string         `json:"qualification_at_act"`
	State         string         `json:"state" enum:"signed,confirmed,withdrawn" doc:"confirmed: by two officers with different certificates; withdrawn: taken back, and signed by nobody since"`
	Signed        []ActSignature `json:"signed"`
	Passed        []ActSignature `json:"passed" doc:"Signatures that do not stand: taken back, replaced by the same officer's later one, or for another act"`
	Leaving       []ActWithdrawn `json:"leaving,omitempty" doc:"Signers who took theirs back; the act stands until every signer has"`
	Withdrawn     []ActWithdrawn `json:"withdrawn,omitempty" doc:"Withdrawals by which signatures came to stand no more"`
}

// ActSignature is one officer's signature: a record in this bureau's audit stream.
type ActSignature struct {
	Account     string    `json:"account"`
	Certificate string    `json:"certificate"`
	At          time.Time `json:"at"`
	Record      string    `json:"record" doc:"Proven at /records/{record}/proof"`
}

type actsIn struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string `query:"cursor" maxLength:"64" doc:"From the answer before"`
}

type actsOut struct {
	Body struct {
		Rows []ActRow `json:"rows"`
		Next string   `json:"next,omitempty" doc:"Cursor of the next page; absent on the last"`
	}
}

func (h *people) actRoutes(api huma.API) {
	sign := h.op(api, auth.Ask, "sign-act", http.MethodPost, "asks/{id}/act", "Sign, for oneself, that a new treating act was met 签认新的诊疗行为", http.StatusOK)
	sign.Tags = []string{"asks"}
	sign.Description = "Two officers with different certificates confirm an act, each under his own sign-in; a typed number confirms nothing. Each signature is a record (act.signed)."
	register(api, sign, h.signAct)
	h.withdrawRoute(api)
	list := h.op(api, auth.SeeActs, "list-acts", http.MethodGet, "acts", "Acts that officers of this bureau signed, newest first 签认记录", http.StatusOK)
	list.Tags = []string{"acts"}
	register(api, list, h.listActs)
}

// signAct lets an officer sign for himself. Whoever knows the question's id and may ask in this bureau may sign: the second
// officer has it from the first. The signature is a durable record before it counts; the asking that follows is audited
// under the signer's account and certificate.
func (h *people) signAct(ctx context.Context, in *actIn) (*openOut, error) {
	who, b := principalOf(ctx), &in.Body
	if h.Open == nil {
		return nil, problem("not_found")
	}
	q := h.Open.get(in.ID)
	if q == nil {
		return nil, problem("not_found")
	}
	if !slices.Contains(who.Roles, auth.Officer) || who.Certificate == "" || !auth.MayAsk(who.Roles, q.req.Purpose) {
		return nil, problem("forbidden")
	}
	s, err := h.readAct(b.At, b.Place, b.Qualification)
	if err != nil {
		return nil, err
	}
	s.Ask, s.Account, s.Certificate, s.Purpose, s.Signed = q.ask, who.Account, who.Certificate, string(q.req.Purpose), h.Now()
	s.WorkRef.Kind, s.WorkRef.Number = q.req.WorkRef.Kind, q.req.WorkRef.Number
	q.asking.Lock()
	defer q.asking.Unlock()
	if err := h.recordSignature(ctx, &s); err != nil {
		return nil, err
	}
	if err := h.askOpen(ctx, q, who, "act"); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return &openOut{q.told}, nil
}

// readAct reads an act that is signed: not of a day to come, and in this bureau's county.
func (h *people) readAct(at, place, qualification string) (transfer.ActSignature, error) {
	day, err := identifier.ParseDate(at)
	if err != nil {
		return transfer.ActSignature{}, violations([]schemas.Violation{{Pointer: "/at", Code: "format"}})
	}
	today, _ := identifier.ParseDate(record.CivilDay(h.Now()))
	if day.After(today) {
		return transfer.ActSignature{}, violations([]schemas.Violation{{Pointer: "/at", Code: "date_future"}})
	}
	if !transfer.ActPlace(h.Directory.Self(), place) {
		return transfer.ActSignature{}, violations([]schemas.Violation{{Pointer: "/place", Code: "act_elsewhere"}})
	}
	q, ok := transfer.ParseQualification(qualification)
	if !ok {
		return transfer.ActSignature{}, violations([]schemas.Violation{{Pointer: "/qualification_at_act", Code: "enum"}})
	}
	return transfer.ActSignature{At: day, Place: place, Qualification: q}, nil
}

// signAttempts is how often a signature is tried that another officer's overtakes.
const signAttempts = 3

// recordSignature appends a signature, unless it stands already. Two officers must sign the same; until the second has
// signed, the first may sign anew. The version that is taken decides between two who sign at once.
func (h *people) recordSignature(ctx context.Context, s *transfer.ActSignature) error {
	for attempt := 1; ; attempt++ {
		act, err := h.actOf(ctx, s.Ask)
		if err != nil {
			return err
		}
		switch {
		case act.Same(s) && act.Has(s.Certificate):
			return nil
		case !act.Takes(s):
			return problem("act_differs")
		}
		d, err := s.Draft(h.Hub.Audit, act.Version, h.Random, h.Directory.Synthetic())
		if err != nil {
			return err
		}
		_, err = h.Log.Append(ctx, record.Append{Drafts: []record.Draft{d}})
		overtaken := errors.Is(err, record.ErrVersionTaken) || errors.Is(err, record.ErrDuplicateRecord)
		if !overtaken || attempt == signAttempts {
			if err != nil {
				return fmt.Errorf("record signature: %w", err)
			}
			noteRecord(ctx, d.ID)
			return nil
		}
	}
}

// actOf reads from the records what was signed under a question; Version is what the next record follows.
func (h *people) actOf(ctx context.Context, ask record.Bits128) (transfer.Act, error) {
	records, err := h.actRecords(ctx, transfer.ActID(ask), 0, h.Hub.Audit.Number())
	if err != nil {
		return transfer.Act{}, err
	}
	a := transfer.FoldAct(records)
	if a.Last != h.Hub.Audit {
		a.Version = 0
	}
	return a, nil
}

// actRecords reads an act's records from the audit streams with the numbers from to to: a restore begins another one, and
// what was half signed before it is the same act.
func (h *people) actRecords(ctx context.Context, act record.RecordID, from, to uint64) ([]record.Stored, error) {
	var all []record.Stored
	for i := from; i <= to; i++ {
		s := record.Stream(h.Directory.Self(), record.Audit)
		if i > 0 {
			s = record.Stream(h.Directory.Self(), record.Audit+"."+strconv.FormatUint(i, 10))
		}
		records, err := h.Log.Subject(ctx, s, act)
		if err != nil && !errors.Is(err, record.ErrNotFound) {
			return nil, fmt.Errorf("read signatures: %w", err)
		}
		all = append(all, records...)
	}
	return all, nil
}

// audits returns this bureau's audit streams, the newest first: a restore begins another one (log.md §1).
func (h *people) audits(ctx context.Context) ([]record.StreamID, error) {
	heads, err := h.Log.Heads(ctx)
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	var all []record.StreamID
	for _, hd := range heads {
		if h.ownAudit(hd.Stream) {
			all = append(all, hd.Stream)
		}
	}
	slices.SortFunc(all, func(a, b record.StreamID) int { return cmp.Compare(b.Number(), a.Number()) })
	return all, nil
}

func (h *people) ownAudit(s record.StreamID) bool {
	return s.Member() == h.Directory.Self() && s.Kind() == record.Audit
}

// A cursor over audit streams holds the number of the stream above the sequence.
const (
	auditSeqBits = 48
	auditSeqMask = 1<<auditSeqBits - 1
)

// listActs shows the acts that were signed in this bureau, those in older audit streams behind those in newer ones. No
// person is named but the officers.
func (h *people) listActs(ctx context.Context, in *actsIn) (*actsOut, error) {
	who := principalOf(ctx).Account
	streams, err := h.audits(ctx)
	if err != nil {
		return nil, err
	}
	before := uint64(0)
	if in.Cursor != "" {
		at, ok := h.openCursor(in.Cursor, who, transfer.TypeActSigned)
		if !ok {
			return nil, problem("cursor_invalid")
		}
		before = at & auditSeqMask
		streams = slices.DeleteFunc(streams, func(s record.StreamID) bool {
			return s.Number() > at>>auditSeqBits || before == 0 && s.Number() == at>>auditSeqBits // nothing stands before its first record
		})
		if len(streams) > 0 && streams[0].Number() < at>>auditSeqBits {
			before = 0
		}
	}
	out := &actsOut{}
	out.Body.Rows = []ActRow{}
	left := in.Limit
	for _, s := range streams {
		items, err := h.List(ctx, Filter{Stream: s, Type: transfer.TypeActSigned, Limit: left, Before: before})
		if err != nil {
			return nil, fmt.Errorf("list acts: %w", err)
		}
		for _, it := range items {
			row, ok, err := h.actRow(ctx, s, it.Subject)
			if err != nil {
				return nil, err
			}
			if ok {
				out.Body.Rows = append(out.Body.Rows, row)
			}
		}
		if left -= len(items); left == 0 {
			out.Body.Next = h.cursor(s.Number()<<auditSeqBits|items[len(items)-1].Seq, who, transfer.TypeActSigned)
			break
		}
		before = 0
	}
	return out, nil
}

// actRow shows one act of a stream; false if none of its signatures ever counted, or if it goes on in a newer stream and is
// shown there.
func (h *people) actRow(ctx context.Context, s record.StreamID, subject record.RecordID) (ActRow, bool, error) {
	newer, err := h.actRecords(ctx, subject, s.Number()+1, h.Hub.Audit.Number())
	if err != nil || len(newer) > 0 {
		return ActRow{}, false, err
	}
	records, err := h.actRecords(ctx, subject, 0, s.Number())
	if err != nil {
		return ActRow{}, false, err
	}
	a := transfer.FoldAct(records)
	return rowOf(&a, subject), a.State() != "", nil
}

func rowOf(a *transfer.Act, subject record.RecordID) ActRow {
	return ActRow{Act: subject.String(), Ask: a.Ask.String(), At: a.At.String(), Place: a.Place, Qualification: string(a.Qualification),
		State: string(a.State()), Signed: signatures(a.Signed), Passed: signatures(a.Passed), Leaving: withdrawals(a.Leaving), Withdrawn: withdrawals(a.Withdrawn)}
}

func signatures(all []transfer.SignedBy) []ActSignature {
	out := []ActSignature{}
	for _, s := range all {
		out = append(out, ActSignature{s.Account, s.Certificate, s.Signed, s.Record.String()})
	}
	return out
}
