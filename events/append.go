package events

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// once answers a repeat from what was kept, and otherwise does the work (record.Once).
func (b *Board) once(ctx context.Context, req Request, work func() (Done, error)) (Done, error) {
	if req.Actor.Account == "" {
		return Done{}, &Refusal{Code: UnknownAccount}
	}
	slot := record.Slot{Scope: req.Scope, Key: req.Key, BodyHash: req.BodyHash}
	done, err := record.Once(ctx, slot, b.Log.Answered, func(answer []byte) (Done, error) { return repeated(req, answer) }, work)
	if errors.Is(err, record.ErrIdempotencyConflict) {
		return Done{}, &Refusal{Code: IdempotencyConflict}
	}
	return done, err
}

// doneText is the answer that is kept where the caller makes none.
type doneText struct {
	Stream  record.StreamID `json:"stream"`
	ID      string          `json:"id"`
	Version uint64          `json:"version,string"`
	Record  string          `json:"record"`
	State   workflow.State  `json:"state"`
}

func repeated(req Request, answer []byte) (Done, error) {
	done := Done{Appended: record.Appended{Repeated: true, Answer: answer}}
	if req.Answer != nil {
		return done, nil
	}
	var t doneText
	err := json.Unmarshal(answer, &t)
	if err == nil {
		done.ID, err = record.ParseBits128(t.ID)
	}
	if err == nil {
		done.Record, err = record.ParseBits128(t.Record)
	}
	if err != nil {
		return Done{}, fmt.Errorf("read kept answer: %w", err)
	}
	done.Stream, done.Version, done.State = t.Stream, t.Version, t.State
	return done, nil
}

// commit appends the draft. The version that is taken decides between two people.
func (b *Board) commit(ctx context.Context, req Request, done Done, d record.Draft) (Done, error) {
	a := record.Append{Drafts: []record.Draft{d}, Scope: req.Scope, Key: req.Key, BodyHash: req.BodyHash}
	a.Answer = func(placed record.Appended) ([]byte, error) {
		out := done
		out.Appended = placed
		if req.Answer != nil {
			return req.Answer(out)
		}
		return json.Marshal(doneText{out.Stream, out.ID.String(), out.Version, out.Record.String(), out.State})
	}
	placed, err := b.Log.Append(ctx, a)
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
