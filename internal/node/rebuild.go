package node

import (
	"context"
	"errors"
	"fmt"

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
	if err := index.CatchUp(ctx); err != nil {
		return r, fmt.Errorf("rebuild index: %w", err)
	}
	heads, err := o.store.Heads(ctx)
	if err != nil {
		return r, err
	}
	for _, h := range heads {
		if h.Stream.Kind() == record.Records {
			r.Records += index.Applied(h.Stream)
		}
	}
	return r, nil
}
