package record

import (
	"context"
	"errors"
	"fmt"
)

// Slot names an idempotency slot and what was asked under it. Without a Key there is none: every call is a new one.
type Slot struct {
	Scope, Key string
	BodyHash   [32]byte
}

// AnsweredFunc is Log.Answered.
type AnsweredFunc func(ctx context.Context, scope, key string) (answer []byte, bodyHash [32]byte, err error)

// kept returns the answer that the slot keeps; false if it keeps none.
func (s Slot) kept(ctx context.Context, answered AnsweredFunc) ([]byte, bool, error) {
	if s.Key == "" {
		return nil, false, nil
	}
	answer, hash, err := answered(ctx, s.Scope, s.Key)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("look for the answer of a repeat: %w", err)
	case hash != s.BodyHash:
		return nil, false, ErrIdempotencyConflict
	}
	return answer, true, nil
}

// Once answers a repeat from what its slot keeps, by repeated, and otherwise does the work. The work of a repeat that ran
// beside the first call is refused, since the state has moved on: then the kept answer is looked for once more.
// ErrIdempotencyConflict if the slot was used with another body.
func Once[T any](ctx context.Context, s Slot, answered AnsweredFunc, repeated func(answer []byte) (T, error), work func() (T, error)) (T, error) {
	var none T
	if answer, known, err := s.kept(ctx, answered); err != nil {
		return none, err
	} else if known {
		return repeated(answer)
	}
	done, err := work()
	if err == nil {
		return done, nil
	}
	if answer, known, keptErr := s.kept(ctx, answered); known && keptErr == nil {
		if again, keptErr := repeated(answer); keptErr == nil {
			return again, nil
		}
	}
	return done, err
}
