package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// Rebuilt is what Rebuild made from the log.
type Rebuilt struct {
	Subjects int    `json:"subjects"` // rows of the read model
	Records  uint64 `json:"records"`  // that the index read
}

// Rebuild makes the read models anew from the log, and the index once, to show that it can be made: a node makes its index
// from the log at every start. The node must be stopped.
func Rebuild(ctx context.Context, cfg Config) (r Rebuilt, err error) {
	o, err := operate(ctx, cfg, true)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, o.store.Close()) }()
	if r.Subjects, err = o.store.Rebuild(ctx); err != nil {
		return r, fmt.Errorf("rebuild read models: %w", err)
	}
	index := federation.NewLogIndex(o.store)
	heads, err := o.store.Heads(ctx)
	if err != nil {
		return r, err
	}
	if err := indexed(ctx, index, heads, cfg.Progress); err != nil {
		return r, fmt.Errorf("rebuild index: %w", err)
	}
	for _, h := range heads {
		if h.Stream.Kind() == record.Records {
			r.Records += index.Applied(h.Stream)
		}
	}
	return r, nil
}

// lookEvery is between two looks at how far the index is.
const lookEvery = 200 * time.Millisecond

// indexed lets an index read everything, and looks now and then how far it is.
func indexed(ctx context.Context, index *federation.LogIndex, heads []record.Head, progress Progress) error {
	done := make(chan error, 1)
	go func() { done <- index.CatchUp(ctx) }()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-look.C:
		}
		var n, total uint64
		for _, h := range heads {
			if h.Stream.Kind() == record.Records {
				n, total = n+index.Applied(h.Stream), total+h.Applied
			}
		}
		progress.at(StepIndex, n, total)
	}
}
