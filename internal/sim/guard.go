package sim

import (
	"context"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// guarded is a process's Log as a bad day makes it: any call that writes may fail because the disk is full, or kill the
// process before it did anything or after it did everything, before the caller knows. What was written is held to the
// invariants at once.
type guarded struct {
	record.Log
	p *process
}

// write runs one writing call.
func (g *guarded) write(name string, call func() error) error {
	n, w := g.p.node, g.p.node.w
	if w.now < n.fullFor {
		return record.ErrStorageFull
	}
	if w.faulty && (!w.quiet || w.net.calm[n.ID]) && w.chance(w.rates.storeCrash) {
		w.fault("died_before_" + name)
		panic(crash{g.p})
	}
	if err := call(); err != nil {
		return err
	}
	if w.faulty && (!w.quiet || w.net.calm[n.ID]) && w.chance(w.rates.storeCrash) {
		w.fault("died_after_" + name)
		panic(crash{g.p})
	}
	return nil
}

func (g *guarded) Append(ctx context.Context, a record.Append) (res record.Appended, err error) {
	err = g.write("append", func() error {
		res, err = g.Log.Append(ctx, a)
		if err == nil {
			g.p.node.w.appended(g.p.node, a, res)
		}
		return err
	})
	return res, err
}

func (g *guarded) Apply(ctx context.Context, a record.Apply) error {
	return g.write("apply", func() error {
		before, err := g.Log.Head(ctx, a.Stream)
		if err != nil {
			return err
		}
		if err := g.Log.Apply(ctx, a); err != nil {
			return err
		}
		g.p.node.w.applied(g.p.node, a, before)
		return nil
	})
}

func (g *guarded) Rekey(ctx context.Context, s record.StreamID, has func(record.KeyID) bool) (n int, err error) {
	err = g.write("rekey", func() error {
		n, err = g.Log.Rekey(ctx, s, has)
		return err
	})
	return n, err
}

func (g *guarded) Release(ctx context.Context, s record.StreamID) error {
	return g.write("release", func() error {
		if err := g.Log.Release(ctx, s); err != nil {
			return err
		}
		g.p.node.w.learn(g.p.node, s)
		return nil
	})
}

func (g *guarded) Unreleased(ctx context.Context, s record.StreamID) (drafts []record.Draft, err error) {
	err = g.write("unreleased", func() error {
		drafts, err = g.Log.Unreleased(ctx, s)
		return err
	})
	return drafts, err
}

func (g *guarded) PutReceipt(ctx context.Context, s record.StreamID, by record.MemberID, size uint64, receipt []byte) error {
	return g.write("receipt", func() error { return g.Log.PutReceipt(ctx, s, by, size, receipt) })
}

func (g *guarded) Cosign(ctx context.Context, s record.StreamID, old, size uint64, root tlog.Hash, receipt []byte) error {
	return g.write("cosign", func() error {
		if err := g.Log.Cosign(ctx, s, old, size, root, receipt); err != nil {
			return err
		}
		g.p.node.w.cosigned(g.p.node, s, old, size, receipt)
		return nil
	})
}

func (g *guarded) PutEvidence(ctx context.Context, s record.StreamID, evidence []byte) error {
	return g.write("evidence", func() error {
		if err := g.Log.PutEvidence(ctx, s, evidence); err != nil {
			return err
		}
		g.p.node.w.evidenced(g.p.node, s, evidence)
		return nil
	})
}

func (g *guarded) SetCursor(ctx context.Context, c record.Cursor) error {
	return g.write("cursor", func() error {
		if err := g.Log.SetCursor(ctx, c); err != nil {
			return err
		}
		g.p.node.w.moved(g.p.node, c)
		return nil
	})
}
