package sheets

import (
	"context"
	"errors"
	"sync"
)

// crew does work of rows some at a time, stops at the first failure, and writes how the rows ended. What is done and not
// written yet when the process falls is done again to no effect: each step has its idempotency slot.
type crew struct {
	d    *Intake
	ctx  context.Context
	j    *job
	room chan struct{}
	wg   sync.WaitGroup
	mu   sync.Mutex
	rows []StoredRow
	done int
	err  error
}

func (d *Intake) workers(ctx context.Context, j *job) *crew {
	return &crew{d: d, ctx: ctx, j: j, room: make(chan struct{}, together)}
}

func (c *crew) do(f func() (StoredRow, error)) error {
	select {
	case c.room <- struct{}{}:
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
	if err := c.write(batchOf); err != nil {
		<-c.room
		return err
	}
	c.wg.Go(func() {
		defer func() { <-c.room }()
		row, err := f()
		c.mu.Lock()
		defer c.mu.Unlock()
		if err != nil {
			c.err = errors.Join(c.err, err)
			return
		}
		c.rows = append(c.rows, row)
		c.done++
		c.d.progress(c.j, c.done)
	})
	return nil
}

// write stores rows when there are so many, and returns the first failure.
func (c *crew) write(least int) error {
	c.mu.Lock()
	rows, err := c.rows, c.err
	if len(rows) >= least {
		c.rows = nil
	}
	c.mu.Unlock()
	if len(rows) < least {
		return err
	}
	return errors.Join(err, c.d.Store.PutSteps(context.WithoutCancel(c.ctx), rows))
}

func (c *crew) wait() error {
	c.wg.Wait()
	return c.write(0)
}
