package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
)

// ProposalBody is what an author hands in.
type ProposalBody struct {
	Type    string  `json:"type,omitempty" maxLength:"64" doc:"Of an entry blacklist.person (also when absent), blacklist.premises, blacklist.institution or blacklist.handle; else what the route says"`
	Level   string  `json:"level,omitempty" enum:"L1,L2,L3" doc:"Highest sharing level wanted; absent = the type's default"`
	Payload payload `json:"payload" doc:"The whole payload, as far as it is known"`
}

func (b ProposalBody) proposal(typ string) blacklist.Proposal {
	p := blacklist.Proposal{Type: b.Type, Payload: b.Payload}
	if p.Type == "" {
		p.Type = typ
	}
	p.Level, _ = record.ParseLevel(b.Level) // the enum above; absent is L0, the type's default
	return p
}

type draftIn struct {
	Writing
	Body ProposalBody
}

// StepBody is what a step of a draft or a published subject says; which members a step needs, its schema decides.
type StepBody struct {
	Version      uint64   `json:"version" minimum:"1" doc:"Version that the caller has seen"`
	ReasonCode   string   `json:"reason_code,omitempty" maxLength:"40"`
	Reason       string   `json:"reason,omitempty" maxLength:"1000" doc:"In words, without identifiers"`
	DocumentHash string   `json:"document_hash,omitempty" pattern:"^[0-9a-f]{64}$" doc:"SHA-256 of the paper that it rests on"`
	LegalBasis   string   `json:"legal_basis,omitempty" maxLength:"200"`
	Purpose      string   `json:"purpose,omitempty" maxLength:"16"`
	OccurredAt   string   `json:"occurred_at,omitempty" maxLength:"40" doc:"RFC 3339; absent = now"`
	WorkRef      *workRef `json:"work_ref,omitempty"`
}

func (b StepBody) change() blacklist.Change {
	return blacklist.Change{ReasonCode: b.ReasonCode, Reason: b.Reason, DocumentHash: b.DocumentHash, LegalBasis: b.LegalBasis, Purpose: b.Purpose,
		OccurredAt: b.OccurredAt, WorkRef: (*blacklist.WorkRef)(b.WorkRef)}
}

// workRef is 工作编号 (domain.md §2.1.2).
type workRef struct {
	Kind   string `json:"kind" maxLength:"20" doc:"case, operation, inspection, complaint, assistance, transfer, spot_check"`
	Number string `json:"number" maxLength:"64"`
}

type stepIn struct {
	ID string `path:"id" pattern:"^[0-9a-f]{32}$"`
	Writing
	Body StepBody
}

type amendIn struct {
	ID string `path:"id" pattern:"^[0-9a-f]{32}$"`
	Writing
	Body struct {
		Version uint64 `json:"version" minimum:"1"`
		ProposalBody
	}
}

type correctIn struct {
	ID string `path:"id" pattern:"^[0-9a-f]{32}$"`
	Writing
	Body struct {
		Version    uint64 `json:"version" minimum:"1"`
		ReasonCode string `json:"reason_code,omitempty" maxLength:"40"`
		DiffReason string `json:"diff_reason,omitempty" maxLength:"1000" doc:"What is changed and why, without identifiers"`
		ProposalBody
	}
}

// Written is what a write answers, byte for byte the same for a repeat under the same idempotency key.
type Written struct {
	ID      string `json:"id" doc:"Draft, or published subject"`
	Version uint64 `json:"version" doc:"Its version now: name it in the next step"`
	Record  string `json:"record" doc:"The record that was appended; its proof is at records/{id}/proof"`
	State   string `json:"state"`
}

type writtenOut struct{ Body Written }

func written(ctx context.Context, d blacklist.Done, err error) (*writtenOut, error) {
	if err != nil {
		return nil, err
	}
	noteRecord(ctx, d.Record)
	return &writtenOut{Written{ID: d.ID.String(), Version: d.Version, Record: d.Record.String(), State: string(d.State)}}, nil
}

// inPayload makes pointers into a payload pointers into the body that carries it.
func inPayload(err error) error {
	var x *blacklist.Invalid
	if !errors.As(err, &x) {
		return err
	}
	out := &blacklist.Invalid{}
	for _, v := range x.Violations {
		if v.Pointer != "/reason_code" && v.Pointer != "/diff_reason" { // a correction's own members stand beside the payload
			v.Pointer = "/payload" + v.Pointer
		}
		out.Violations = append(out.Violations, v)
	}
	return out
}

// on names what a step is about; the path's pattern has checked the form.
func on(id string, version uint64) blacklist.On {
	b, _ := record.ParseBits128(id)
	return blacklist.On{ID: b, Version: version}
}

// family is one kind of subject under its own path. Entries are of four types, all others of one.
type family struct {
	path, typ string // typ is what a body means that names none
	zh, en    string
}

// has reports whether subjects of a type stand under the path.
func (f family) has(typ string) bool {
	return typ == f.typ || f.typ == blacklist.TypePerson && blacklist.IsEntry(typ)
}

// proposal is what a body hands in under the path. was is the type of what it replaces, empty for something new; an entry's
// body need not repeat it.
func (f family) proposal(b ProposalBody, was string) (blacklist.Proposal, error) {
	p := b.proposal(f.typ)
	if b.Type == "" && was != "" && f.has(was) {
		p.Type = was
	}
	if p.Type != f.typ && !f.has(p.Type) && known(p.Type) {
		return p, &blacklist.Refusal{Code: blacklist.OtherSubject, Pointer: "/type"}
	}
	return p, nil
}

// known reports whether a type stands under any path; of others the register says that there is none.
func known(typ string) bool {
	return slices.ContainsFunc(families, func(f family) bool { return f.has(typ) })
}

var families = []family{
	{"entries", blacklist.TypePerson, "名单", "entry"},
	{"penalties", blacklist.TypePenalty, "处罚", "penalty"},
	{"links", blacklist.TypeLink, "身份关联", "link"},
	{"rosters", blacklist.TypeRoster, "值班表", "roster"},
}

// ends withdraws, at once, what has no correction.
var ends = map[string]func(*blacklist.Register, context.Context, blacklist.Request, blacklist.On, blacklist.Change) (blacklist.Done, error){
	blacklist.TypeLink: (*blacklist.Register).WithdrawLink, blacklist.TypeRoster: (*blacklist.Register).WithdrawRoster}

// stepFunc is a step that takes no more than StepBody.
type stepFunc func(ctx context.Context, r *blacklist.Register, req blacklist.Request, on blacklist.On, b StepBody) (blacklist.Done, error)

type stepRoute struct {
	name    string
	act     auth.Act
	zh, en  string
	entries bool // not of penalties
	do      stepFunc
}

var stepRoutes = []stepRoute{
	{"submit", auth.Draft, "送审", "Hand a draft to the legal reviewer", false, func(ctx context.Context, r *blacklist.Register, q blacklist.Request, on blacklist.On, _ StepBody) (blacklist.Done, error) {
		d, err := r.Submit(ctx, q, on)
		return d, inPayload(err)
	}},
	{"return", auth.Review, "退回", "Send a draft back with a reason", false, func(ctx context.Context, r *blacklist.Register, q blacklist.Request, on blacklist.On, b StepBody) (blacklist.Done, error) {
		return r.Return(ctx, q, on, b.Reason)
	}},
	{"approve", auth.Review, "审核通过", "Approve a draft; of a correction this publishes it", false, func(ctx context.Context, r *blacklist.Register, q blacklist.Request, on blacklist.On, _ StepBody) (blacklist.Done, error) {
		d, err := r.Approve(ctx, q, on)
		return d, inPayload(err)
	}},
	{"publish", auth.Publish, "发布", "Publish an approved draft", false, func(ctx context.Context, r *blacklist.Register, q blacklist.Request, on blacklist.On, _ StepBody) (blacklist.Done, error) {
		d, err := r.Publish(ctx, q, on)
		return d, inPayload(err)
	}},
	{"suspend", auth.Publish, "暂停", "Suspend at once", true, func(ctx context.Context, r *blacklist.Register, q blacklist.Request, on blacklist.On, b StepBody) (blacklist.Done, error) {
		return r.Suspend(ctx, q, on, b.change())
	}},
	{"withdraw", auth.Publish, "提出撤回", "Propose a withdrawal: suspended until the head confirms", true, func(ctx context.Context, r *blacklist.Register, q blacklist.Request, on blacklist.On, b StepBody) (blacklist.Done, error) {
		return r.Withdraw(ctx, q, on, b.change())
	}},
	{"repair", auth.Publish, "信用修复", "Hide after a repair decision", true, func(ctx context.Context, r *blacklist.Register, q blacklist.Request, on blacklist.On, b StepBody) (blacklist.Done, error) {
		return r.Repair(ctx, q, on, b.change())
	}},
	{"lift", auth.Confirm, "解除暂停", "End a suspension", true, func(ctx context.Context, r *blacklist.Register, q blacklist.Request, on blacklist.On, b StepBody) (blacklist.Done, error) {
		return r.Lift(ctx, q, on, b.change())
	}},
	{"confirm", auth.Confirm, "确认撤回", "Withdraw a suspended entry; there is no undo", true, func(ctx context.Context, r *blacklist.Register, q blacklist.Request, on blacklist.On, b StepBody) (blacklist.Done, error) {
		return r.Confirm(ctx, q, on, b.change())
	}},
}

func (h *people) entryRoutes(api huma.API) {
	for _, f := range families {
		op := func(act auth.Act, name, method, path, zh, en string, status int) huma.Operation {
			o := h.op(api, act, name+"-"+f.en, method, f.path+path, en+" "+zh+f.zh, status)
			o.Tags = []string{f.path}
			if path != "" {
				o = h.ofOwnUnits(api, o, h.reachesDraft)
			}
			return o
		}
		register(api, op(auth.Draft, "draft", http.MethodPost, "", "起草", "Begin a draft", http.StatusCreated), func(ctx context.Context, in *draftIn) (*writtenOut, error) {
			p, err := f.proposal(in.Body, "")
			if err != nil {
				return nil, err
			}
			d, err := h.Register.Draft(ctx, in.request(ctx, f.path), p)
			return written(ctx, d, inPayload(err))
		})
		list := op(auth.ListOwn, "list", http.MethodGet, "", "列出", "List own drafts or published subjects", http.StatusOK)
		if f.typ == blacklist.TypePerson {
			register(api, list, func(ctx context.Context, in *entryListIn) (*listOut, error) {
				return h.list(ctx, f, in.Type, &in.Listing)
			})
		} else {
			register(api, list, func(ctx context.Context, in *Listing) (*listOut, error) { return h.list(ctx, f, f.typ, in) })
		}
		register(api, op(auth.ListOwn, "read", http.MethodGet, "/{id}", "查看", "Read one with history and receipts", http.StatusOK), h.read(f))
		register(api, op(auth.Draft, "amend", http.MethodPost, "/{id}/amend", "修改", "Replace a draft by a new version", http.StatusOK), func(ctx context.Context, in *amendIn) (*writtenOut, error) {
			o := on(in.ID, in.Body.Version)
			was, err := h.Register.Sheet(ctx, o.ID)
			if err != nil {
				return nil, err
			}
			p, err := f.proposal(in.Body.ProposalBody, was.Type)
			if err != nil {
				return nil, err
			}
			d, err := h.Register.Amend(ctx, in.request(ctx, f.path+"/"+in.ID+"/amend"), o, p)
			return written(ctx, d, inPayload(err))
		})
		if end := ends[f.typ]; end != nil {
			// A link or roster is not corrected: a wrong one is withdrawn, and a new one published.
			register(api, op(auth.Publish, "withdraw", http.MethodPost, "/{id}/withdraw", "撤回", "End at once, as if it had never been", http.StatusOK), func(ctx context.Context, in *stepIn) (*writtenOut, error) {
				d, err := end(h.Register, ctx, in.request(ctx, f.path+"/"+in.ID+"/withdraw"), on(in.ID, in.Body.Version), in.Body.change())
				return written(ctx, d, err)
			})
		} else {
			register(api, op(auth.Draft, "correct", http.MethodPost, "/{id}/correct", "更正", "Propose a correction: a draft that is in review at once", http.StatusCreated), func(ctx context.Context, in *correctIn) (*writtenOut, error) {
				o := on(in.ID, in.Body.Version)
				was, err := h.Register.Entry(ctx, record.Stream(h.Directory.Self(), record.Records), o.ID, record.CivilDay(h.Now()))
				if err != nil {
					return nil, err
				}
				p, err := f.proposal(in.Body.ProposalBody, was.Type)
				if err != nil {
					return nil, err
				}
				d, err := h.Register.Correct(ctx, in.request(ctx, f.path+"/"+in.ID+"/correct"), o,
					blacklist.Correction{Proposal: p, ReasonCode: in.Body.ReasonCode, DiffReason: in.Body.DiffReason})
				return written(ctx, d, inPayload(err))
			})
		}
		for _, s := range stepRoutes {
			if s.entries && f.typ != blacklist.TypePerson {
				continue
			}
			register(api, op(s.act, s.name, http.MethodPost, "/{id}/"+s.name, s.zh, s.en, http.StatusOK), func(ctx context.Context, in *stepIn) (*writtenOut, error) {
				d, err := s.do(ctx, h.Register, in.request(ctx, f.path+"/"+in.ID+"/"+s.name), on(in.ID, in.Body.Version), in.Body)
				return written(ctx, d, err)
			})
		}
		if f.typ == blacklist.TypePenalty {
			register(api, op(auth.Record, "status", http.MethodPost, "/{id}/status", "登记状态", "Record service, remedy, suspension or annulment", http.StatusOK), h.penaltyStatus)
		}
	}
}

// Entry is one draft or published subject of this bureau, as far as the person may see it.
type Entry struct {
	ID         string      `json:"id"`
	Stage      string      `json:"stage" enum:"draft,published"`
	Type       string      `json:"type"`
	Version    uint64      `json:"version"`
	State      string      `json:"state"`
	Level      string      `json:"level,omitempty" doc:"Sharing level in the alliance"`
	ValidUntil string      `json:"valid_until,omitempty"`
	Payload    payload     `json:"payload,omitempty" doc:"What the person may see of it"`
	Corrects   string      `json:"corrects,omitempty" doc:"Subject that a draft corrects"`
	Published  string      `json:"published,omitempty" doc:"Record that a draft became"`
	DiffReason string      `json:"diff_reason,omitempty"`
	Authors    []string    `json:"authors,omitempty" doc:"Accounts that wrote a draft; none of them may review it"`
	History    []EntryStep `json:"history"`
	Receipts   *Receipts   `json:"receipts,omitempty" doc:"Who has applied the newest version"`
	Waiting    bool        `json:"waiting,omitzero" doc:"A part is still to come: the state may lag"`
}

// EntryStep is one record of its history.
type EntryStep struct {
	Event      string `json:"event"`
	To         string `json:"to"`
	Record     string `json:"record"`
	Version    uint64 `json:"version"`
	Day        string `json:"day"`
	At         string `json:"at,omitempty"`
	By         string `json:"by,omitempty" doc:"Opaque account id"`
	Reviewer   string `json:"reviewer,omitempty"`
	Approver   string `json:"approver,omitempty"`
	ReasonCode string `json:"reason_code,omitempty"`
	Ignored    bool   `json:"ignored,omitzero" doc:"Proven, and without effect"`
}

type entryIn struct {
	ID string `path:"id" pattern:"^[0-9a-f]{32}$"`
}

type entryOut struct{ Body Entry }

func (h *people) read(f family) func(context.Context, *entryIn) (*entryOut, error) {
	return func(ctx context.Context, in *entryIn) (*entryOut, error) {
		id, err := record.ParseBits128(in.ID)
		if err != nil {
			return nil, problem("not_found")
		}
		noteRecord(ctx, id)
		sheet, err := h.Register.Sheet(ctx, id)
		if err == nil && f.has(sheet.Type) {
			return h.sheet(ctx, sheet)
		}
		if err != nil && !isNotFound(err) {
			return nil, err
		}
		e, err := h.Register.Entry(ctx, record.Stream(h.Directory.Self(), record.Records), id, record.CivilDay(h.Now()))
		if err != nil {
			return nil, err
		}
		if !f.has(e.Type) {
			return nil, problem("not_found")
		}
		return h.entry(ctx, e)
	}
}

func isNotFound(err error) bool {
	var r *blacklist.Refusal
	return errors.As(err, &r) && r.Code == blacklist.NotFound
}

// sheet shows a draft.
func (h *people) sheet(ctx context.Context, d blacklist.Sheet) (*entryOut, error) {
	who := principalOf(ctx)
	v := auth.ViewOf(who.Roles, auth.Situation{Own: true, Author: slices.Contains(d.Authors, who.Account)})
	out := Entry{ID: d.ID.String(), Stage: "draft", Type: d.Type, Version: d.Version, State: string(d.State), Level: d.Level.String(), History: steps(d.History)}
	if v >= auth.ViewCard {
		var err error
		if out.Payload, err = cutPayload(d.Type, d.Payload, v); err != nil {
			return nil, err
		}
		out.Authors, out.DiffReason = d.Authors, d.DiffReason
	}
	if d.Corrects.Version > 0 {
		out.Corrects = d.Corrects.ID.String()
	}
	if !d.Published.IsZero() {
		out.Published = d.Published.String()
	}
	return &entryOut{out}, nil
}

// entry shows a published subject.
func (h *people) entry(ctx context.Context, e blacklist.Entry) (*entryOut, error) {
	who := principalOf(ctx)
	author := len(e.History) > 0 && e.History[0].By.User == who.Account
	v := auth.ViewOf(who.Roles, auth.Situation{Own: true, Author: author})
	out := Entry{ID: e.Subject.String(), Stage: "published", Type: e.Type, Version: e.Version, State: string(e.State), ValidUntil: e.ValidUntil,
		History: steps(e.History), Waiting: e.Waiting}
	for _, l := range e.Audience {
		out.Level = l.String()
	}
	b, err := e.Payload()
	switch {
	case errors.Is(err, blacklist.ErrNothing): // withdrawn: nothing is left to show
	case err != nil:
		return nil, err
	default:
		if out.Payload, err = cutPayload(e.Type, b, v); err != nil {
			return nil, err
		}
	}
	if n := len(e.History); n > 0 {
		if out.Receipts, err = h.receipts(ctx, e.Stream, e.History[n-1].Seq, h.Directory.Active()); err != nil {
			return nil, err
		}
	}
	return &entryOut{out}, nil
}

// cutPayload cuts a whole payload part by part and joins what is left.
func cutPayload(typ string, b []byte, v auth.View) (payload, error) {
	return cutParts(typ, map[record.PartName][]byte{record.Card: b, record.Body: b, record.Home: b}, v)
}

// cutParts cuts each part and joins what is left; nil if that is nothing.
func cutParts(typ string, parts map[record.PartName][]byte, v auth.View) (payload, error) {
	t, ok := schemas.Lookup(typ, "1")
	if !ok {
		return nil, nil
	}
	fields, left := fieldsOf(typ, "1"), map[string][]byte{}
	for name, b := range parts {
		p, err := auth.Cut(name, b, v, fields)
		if err != nil {
			return nil, err
		}
		if p != nil {
			left[string(name)] = p
		}
	}
	if len(left) == 0 {
		return nil, nil
	}
	return t.Join(left)
}

func steps(history []blacklist.Step) []EntryStep {
	out := make([]EntryStep, len(history))
	for i, s := range history {
		out[i] = EntryStep{Event: string(s.Event), To: string(s.To), Record: s.Record.String(), Version: s.Version, Day: s.Day, At: s.At,
			By: s.By.User, Reviewer: s.Reviewer.User, Approver: s.Approver.User, ReasonCode: s.ReasonCode, Ignored: s.Ignored}
	}
	return out
}
