package federation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// SpotCheck 现场核查号 is an on-the-spot check number: the work reference of two officers at a door where no case exists yet
// (domain.md §2.1.2). It is untied until it is tied to a case or lead, or closed with a reason.
type SpotCheck struct {
	Number      string // e.g. 310116-01-XC-20260313-001: member, XC, civil day, serial of the day
	Account     string // opaque id of the officer's account that took it
	Certificate string // his 执法证号
	Second      string // that of the second officer; an enforcement visit is made by two (行政处罚法 art. 42)
	Place       string // county of the spot, GB/T 2260
	Issued      time.Time
	Tied        WorkRef // zero: not tied
	Reason      string  // why it was closed; empty: it was not
	Settled     time.Time
	SettledBy   string // account
}

// Untied reports whether it still waits for a case, a lead or a reason.
func (s *SpotCheck) Untied() bool { return s.Settled.IsZero() }

// Limits of on-the-spot check numbers (domain.md §2.1.2).
const (
	SpotCheckDays   = 3 // working days within which a number is tied or closed
	MaxUntiedChecks = 3 // untied numbers of one officer; he gets no further one
)

// SpotCheckStore keeps on-the-spot check numbers. All methods may be called at once; each is one transaction.
type SpotCheckStore interface {
	// IssueSpotCheck keeps s under the next number of its day, which number makes of the serial from 1, unless its account
	// has most untied ones: then ErrUntied. A key that was used before by the account returns what it was used for.
	IssueSpotCheck(ctx context.Context, s SpotCheck, key string, most int, number func(serial int) string) (kept SpotCheck, repeated bool, err error)
	// SpotCheck returns one by number; record.ErrNotFound.
	SpotCheck(ctx context.Context, number string) (SpotCheck, error)
	// UntiedSpotChecks returns the untied ones of an account, or of all if it is empty, oldest first.
	UntiedSpotChecks(ctx context.Context, account string) ([]SpotCheck, error)
	// SettleSpotCheck keeps what s says of its end; record.ErrStale if it has ended before.
	SettleSpotCheck(ctx context.Context, s SpotCheck) error
}

// ErrUntied: the officer has MaxUntiedChecks untied numbers.
var ErrUntied = errors.New("too many untied on-the-spot check numbers")

// Codes of refusals of SpotChecks.
const (
	RefusedUntied      = "spot_checks_untied"  // the officer must tie or close one first
	RefusedCertificate = "certificate_missing" // the account has none, or the second officer's is ill-formed or the same
	RefusedSecondOver  = "second_certificate_expired"
	RefusedPlace       = "place_invalid"
	RefusedTie         = "tie_invalid" // neither a case nor a lead
	RefusedReason      = "reason_invalid"
)

// SpotChecks 现场核查号簿 issues and settles the numbers of one member. All fields are set before use.
type SpotChecks struct {
	Hub      *Hub // whose audit stream takes what happens to numbers
	Store    SpotCheckStore
	Calendar *workflow.Calendar // nil: the statutory one of this version
}

// settleTerm is how long a number may be untied.
var settleTerm = workflow.Term{Name: "spot_check", N: SpotCheckDays, Unit: workflow.WorkingDays}

// Visit is what an officer says when he takes a number.
type Visit struct {
	Account     string
	Certificate string
	Second      string // certificate number of the second officer
	SecondOver  bool   // this bureau knows that it has expired
	Place       string // GB/T 2260; empty = the member's own county
	Key         string // of the caller, so that a repeat gets the same number
}

// Issue gives an officer a number. A *Refusal says why not; it has been audited. A number that was issued is durable, and
// so is its audit record, when Issue returns.
func (b *SpotChecks) Issue(ctx context.Context, v Visit) (SpotCheck, error) {
	h := b.Hub
	self := string(h.Directory.Self())
	if v.Place == "" {
		v.Place = self[:6]
	}
	ref := b.refuse(v)
	var s SpotCheck
	var err error
	repeated := false
	if ref == nil {
		now := h.Now()
		prefix := self + "-XC-" + strings.ReplaceAll(record.CivilDay(now), "-", "") + "-"
		s, repeated, err = b.Store.IssueSpotCheck(ctx, SpotCheck{Account: v.Account, Certificate: v.Certificate, Second: v.Second, Place: v.Place, Issued: now},
			v.Key, MaxUntiedChecks, func(serial int) string { return fmt.Sprintf("%s%03d", prefix, serial) })
		if errors.Is(err, ErrUntied) {
			ref, err = &Refusal{Code: RefusedUntied}, nil
		}
	}
	switch {
	case err != nil:
		return SpotCheck{}, fmt.Errorf("issue on-the-spot check number: %w", err)
	case ref != nil:
		if err := b.audit(ctx, spotCheckBody{Event: "refused", Account: v.Account, Refused: ref.Code}); err != nil {
			return SpotCheck{}, err
		}
		return SpotCheck{}, ref
	case repeated && (s.Second != v.Second || s.Place != v.Place):
		return SpotCheck{}, record.ErrIdempotencyConflict
	case repeated:
		return s, nil
	}
	return s, b.audit(ctx, spotCheckBody{Event: "issued", Number: s.Number, Account: s.Account, Certificate: s.Certificate, Second: s.Second, Place: s.Place})
}

func (b *SpotChecks) refuse(v Visit) *Refusal {
	switch {
	case v.Certificate == "" || checkPerson("?", v.Certificate) != nil:
		return &Refusal{Code: RefusedCertificate}
	case v.Second == "" || checkPerson("?", v.Second) != nil || strings.EqualFold(v.Second, v.Certificate):
		return &Refusal{RefusedCertificate, "/second_certificate"}
	case v.SecondOver:
		return &Refusal{RefusedSecondOver, "/second_certificate"}
	case !countyForm.MatchString(v.Place):
		return &Refusal{RefusedPlace, "/place"}
	}
	return nil
}

// Tie ties a number to the case or lead that came of the visit. by is the account that does it; whose number that must be
// is the caller's to decide. Errors: *Refusal, record.ErrNotFound, record.ErrStale if it is settled.
func (b *SpotChecks) Tie(ctx context.Context, number, by string, to WorkRef) (SpotCheck, error) {
	if to.Kind != "case" && to.Kind != "complaint" || checkPurpose(PurposeRaid, to) != nil {
		return SpotCheck{}, &Refusal{RefusedTie, "/work_ref"}
	}
	return b.settle(ctx, number, by, func(s *SpotCheck) { s.Tied = to })
}

// PlainReason reports whether a reason in words has 4 to 200 characters and no number of a person, and returns it without the
// spaces around it.
func PlainReason(reason string) (string, bool) {
	reason = strings.TrimSpace(reason)
	n := len([]rune(reason))
	return reason, n >= 4 && n <= 200 && !hasControl(reason) && !longNumber(reason)
}

// Close closes a number of which neither case nor lead came. A reason has 4 to 200 characters and no number of a person.
func (b *SpotChecks) Close(ctx context.Context, number, by, reason string) (SpotCheck, error) {
	reason, ok := PlainReason(reason)
	if !ok {
		return SpotCheck{}, &Refusal{RefusedReason, "/reason"}
	}
	return b.settle(ctx, number, by, func(s *SpotCheck) { s.Reason = reason })
}

func (b *SpotChecks) settle(ctx context.Context, number, by string, how func(*SpotCheck)) (SpotCheck, error) {
	s, err := b.Store.SpotCheck(ctx, number)
	if err != nil {
		return s, err
	}
	if !s.Untied() {
		return s, record.ErrStale
	}
	how(&s)
	s.Settled, s.SettledBy = b.Hub.Now(), by
	if err := b.Store.SettleSpotCheck(ctx, s); err != nil {
		return s, err
	}
	e := spotCheckBody{Event: "closed", Number: s.Number, Account: s.Account, Reason: s.Reason}
	if s.Reason == "" {
		e.Event, e.WorkRef = "tied", &s.Tied
	}
	if by != s.Account {
		e.By = by
	}
	return s, b.audit(ctx, e)
}

// longNumber reports five digits in a row, which belong to a person or a telephone more often than not.
func longNumber(s string) bool {
	run := 0
	return strings.ContainsFunc(s, func(r rune) bool {
		if !unicode.IsDigit(r) {
			run = 0
			return false
		}
		run++
		return run == 5
	})
}

// UntiedCheck is an untied number with the day by which it must be settled.
type UntiedCheck struct {
	SpotCheck
	LastDay string // civil date
	Overdue bool
	// NoCalendar is the year whose working days are not known: then LastDay is empty, never guessed (domain.md L58).
	NoCalendar int
}

// Untied returns the untied numbers of an account, or of all if it is empty, oldest first.
func (b *SpotChecks) Untied(ctx context.Context, account string) ([]UntiedCheck, error) {
	all, err := b.Store.UntiedSpotChecks(ctx, account)
	if err != nil {
		return nil, err
	}
	out := make([]UntiedCheck, len(all))
	for i, s := range all {
		if out[i], err = b.Due(s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Due says by when a number is to be settled; nothing of one that is.
func (b *SpotChecks) Due(s SpotCheck) (UntiedCheck, error) {
	u := UntiedCheck{SpotCheck: s}
	if !s.Untied() {
		return u, nil
	}
	calendar := b.Calendar
	if calendar == nil {
		calendar = workflow.Statutory()
	}
	until, last, err := settleTerm.Ends(s.Issued, calendar)
	var unknown *workflow.NoCalendarError
	switch {
	case errors.As(err, &unknown):
		u.NoCalendar = unknown.Year
	case err != nil:
		return u, err
	default:
		u.LastDay, u.Overdue = last, !b.Hub.Now().Before(until)
	}
	return u, nil
}

// Holds is Hub.Holds: an on-the-spot check number is good for a question by the officers who took it, until it is closed.
// Other references are the bureau's own and cannot be looked up here.
func (b *SpotChecks) Holds(ctx context.Context, req *AskRequest) (*Refusal, error) {
	if req.WorkRef.Kind != spotCheckKind {
		return nil, nil
	}
	not := &Refusal{RefusedNotHeld, "/work_ref/number"}
	s, err := b.Store.SpotCheck(ctx, req.WorkRef.Number)
	switch {
	case errors.Is(err, record.ErrNotFound):
		return not, nil
	case err != nil:
		return nil, err
	case s.Reason != "", s.Account != req.Account && !slices.Contains([]string{s.Certificate, s.Second}, req.Certificate):
		return not, nil
	}
	return nil, nil
}

// spotCheckKind is the kind of work reference that nodes issue themselves.
const spotCheckKind = "spot_check"

// spotCheckBody is the payload of schemas/spot_check.event.
type spotCheckBody struct {
	Event       string   `json:"event"`
	Number      string   `json:"number,omitempty"`
	Account     string   `json:"account"`
	By          string   `json:"by,omitempty"`
	Certificate string   `json:"cert_no,omitempty"`
	Second      string   `json:"second_cert_no,omitempty"`
	Place       string   `json:"place,omitempty"`
	WorkRef     *WorkRef `json:"work_ref,omitempty"`
	Reason      string   `json:"reason,omitempty"`
	Refused     string   `json:"refused,omitempty"`
	At          string   `json:"at"`
	Synthetic   bool     `json:"synthetic"`
}

// audit records what happened to a number. It does not end with the caller's context: it has happened.
func (b *SpotChecks) audit(ctx context.Context, e spotCheckBody) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), outcomeWait)
	defer cancel()
	e.At, e.Synthetic = b.Hub.at(), b.Hub.Directory.Synthetic()
	return b.Hub.audit(ctx, "spot_check.event", e)
}
