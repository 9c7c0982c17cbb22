package blacklist

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/workflow"
)

func (r *Register) records() record.StreamID {
	if r.Records != "" {
		return r.Records
	}
	return record.Stream(r.Self, record.Records)
}

func (r *Register) local() record.StreamID {
	if r.Local != "" {
		return r.Local
	}
	return record.Stream(r.Self, record.Local)
}

func (r *Register) today() string { return record.CivilDay(r.Now()) }

func (r *Register) covers(typ string, l record.Level) bool {
	return r.Covers == nil || r.Covers(typ, l)
}

// once answers a repeat from what was kept, and otherwise does the work (record.Once).
func (r *Register) once(ctx context.Context, req Request, work func() (Done, error)) (Done, error) {
	if req.Actor.Account == "" {
		return Done{}, &Refusal{Code: UnknownAccount}
	}
	slot := record.Slot{Scope: req.Scope, Key: req.Key, BodyHash: req.BodyHash}
	done, err := record.Once(ctx, slot, r.Log.Answered, func(answer []byte) (Done, error) { return repeated(req, answer) }, work)
	if errors.Is(err, record.ErrIdempotencyConflict) {
		return Done{}, &Refusal{Code: IdempotencyConflict}
	}
	return done, err
}

// doneText is the answer that is kept where the caller makes none.
type doneText struct {
	ID      string         `json:"id"`
	Version uint64         `json:"version,string"`
	Record  string         `json:"record"`
	State   workflow.State `json:"state"`
}

func repeated(req Request, answer []byte) (Done, error) {
	done := Done{Appended: record.Appended{Repeated: true, Answer: answer}}
	if req.Answer != nil {
		return done, nil
	}
	var t doneText
	if err := json.Unmarshal(answer, &t); err != nil {
		return Done{}, fmt.Errorf("read kept answer: %w", err)
	}
	var err error
	if done.ID, err = record.ParseBits128(t.ID); err == nil {
		done.Record, err = record.ParseBits128(t.Record)
	}
	done.Version, done.State = t.Version, t.State
	if err != nil {
		return Done{}, fmt.Errorf("read kept answer: %w", err)
	}
	return done, nil
}

// commit appends all drafts or none. The version that is taken decides between two people.
func (r *Register) commit(ctx context.Context, req Request, done Done, drafts ...record.Draft) (Done, error) {
	a := record.Append{Drafts: drafts, Scope: req.Scope, Key: req.Key, BodyHash: req.BodyHash}
	a.Answer = func(placed record.Appended) ([]byte, error) {
		d := done
		d.Appended = placed
		if req.Answer != nil {
			return req.Answer(d)
		}
		return json.Marshal(doneText{d.ID.String(), d.Version, d.Record.String(), d.State})
	}
	placed, err := r.Log.Append(ctx, a)
	switch {
	case errors.Is(err, record.ErrVersionTaken):
		return Done{}, &Refusal{Code: VersionConflict}
	case errors.Is(err, record.ErrIdempotencyConflict):
		return Done{}, &Refusal{Code: IdempotencyConflict}
	case err != nil:
		return Done{}, fmt.Errorf("append: %w", err)
	case placed.Repeated:
		return repeated(req, placed.Answer)
	}
	done.Appended = placed
	return done, nil
}

// localDraft makes the local record of one version of a draft.
func (r *Register) localDraft(typ string, home any, refs ...record.Ref) (record.Draft, error) {
	id, err := record.NewBits128(r.Random)
	if err != nil {
		return record.Draft{}, err
	}
	b, err := json.Marshal(home, json.Deterministic(true))
	if err != nil {
		return record.Draft{}, fmt.Errorf("encode %s: %w", typ, err)
	}
	t := schema(typ)
	if vs := t.Validate(b, r.today()); len(vs) > 0 {
		return record.Draft{}, &Invalid{vs}
	}
	parts, err := t.Split(b)
	if err != nil {
		return record.Draft{}, fmt.Errorf("split %s: %w", typ, err)
	}
	return record.Draft{Stream: r.local(), ID: id, Type: typ, Schema: schemaVersion, Day: r.today(), Refs: refs, Parts: named(parts)}, nil
}

// shared makes a record of the stream records from a whole payload, which must be ready for publication.
func (r *Register) shared(typ string, b []byte, audience map[record.GroupID]record.Level, refs ...record.Ref) (record.Draft, error) {
	id, err := record.NewBits128(r.Random)
	if err != nil {
		return record.Draft{}, err
	}
	t := schema(typ)
	if vs := t.Ready(b, r.today()); len(vs) > 0 {
		return record.Draft{}, &Invalid{vs}
	}
	parts, err := t.Split(b)
	if err != nil {
		return record.Draft{}, fmt.Errorf("split %s: %w", typ, err)
	}
	return record.Draft{Stream: r.records(), ID: id, Type: typ, Schema: schemaVersion, Day: r.today(), Audience: maps.Clone(audience),
		Refs: refs, Parts: named(parts)}, nil
}

func named(parts map[string][]byte) map[record.PartName][]byte {
	out := make(map[record.PartName][]byte, len(parts))
	for name, b := range parts {
		out[record.PartName(name)] = b
	}
	return out
}

// sheet reads a draft at the version that the caller has seen.
func (r *Register) sheet(ctx context.Context, on On) (Sheet, error) {
	d, err := r.Sheet(ctx, on.ID)
	if err == nil && d.Version != on.Version {
		err = &Refusal{Code: VersionConflict}
	}
	return d, err
}

// entry reads an own subject at the version that the caller has seen, as of today.
func (r *Register) entry(ctx context.Context, on On) (Entry, kind, error) {
	e, err := r.Entry(ctx, r.records(), on.ID, r.today())
	if err != nil {
		return Entry{}, kind{}, err
	}
	if e.Version != on.Version {
		return Entry{}, kind{}, &Refusal{Code: VersionConflict}
	}
	k, _ := kindOf(e.Type)
	return e, k, nil
}

// Sheet returns a draft of this bureau; a *Refusal not_found if there is none.
func (r *Register) Sheet(ctx context.Context, id record.RecordID) (Sheet, error) {
	records, err := r.Log.Subject(ctx, r.local(), id)
	if err != nil && !errors.Is(err, record.ErrNotFound) {
		return Sheet{}, fmt.Errorf("read draft %s: %w", id, err)
	}
	d, err := FoldSheet(records)
	if errors.Is(err, ErrNothing) || errors.Is(err, ErrOtherType) {
		return Sheet{}, &Refusal{Code: NotFound}
	}
	return d, err
}

// Entry folds a subject of any stream as of a day: own ones and replicas alike. A *Refusal not_found if there is nothing
// that can be read, or if the subject is something else than an entry or penalty.
func (r *Register) Entry(ctx context.Context, s record.StreamID, subject record.RecordID, asOf string) (Entry, error) {
	if bugClockExpiry {
		asOf = r.today()
	}
	records, err := r.Log.Subject(ctx, s, subject)
	if err != nil && !errors.Is(err, record.ErrNotFound) {
		return Entry{}, fmt.Errorf("read subject %s of %s: %w", subject, s, err)
	}
	e, err := Fold(records, asOf)
	if errors.Is(err, ErrNothing) || errors.Is(err, ErrOtherType) {
		return Entry{}, &Refusal{Code: NotFound}
	}
	return e, err
}

// refused turns the engine's word into ours. A missing guard that is about a field points at it.
func refused(x *workflow.Refusal) error {
	return &Refusal{Code: x.Code, Pointer: map[string]string{"guard:supported": "/penalty_refs", "guard:purpose": "/purpose", "guard:reason": "/reason",
		"guard:document": "/document_hash", "guard:served_or_l1": "/level", "guard:new_penalty": "/penalty_refs", "guard:not_author": "",
		"guard:not_served": "/served_at", "guard:not_proven": "/service_proof"}[x.Code]}
}

// invalid returns violations as an error, or nil.
func invalid(vs []schemas.Violation) error {
	if len(vs) == 0 {
		return nil
	}
	return &Invalid{vs}
}

// View is Entry for those who answer look-ups: false if an ordinary look-up of that day does not show the subject, which
// is not an error. An error means that nothing is known.
func (r *Register) View(ctx context.Context, s record.StreamID, subject record.RecordID, asOf string) (Entry, bool, error) {
	e, err := r.Entry(ctx, s, subject, asOf)
	var no *Refusal
	if errors.As(err, &no) {
		return Entry{}, false, nil
	}
	return e, err == nil && e.Visible(), err
}
