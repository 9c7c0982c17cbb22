package sheets

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/record"
)

// together is how many rows are written to the log at once: commits of a log are shared.
const together = 32

// batchOf is how many checked rows are stored in one transaction.
const batchOf = 500

// reopen reads the file of an import again.
func (d *Intake) reopen(ctx context.Context, imp *Import) (*File, *Survey, *Checker, error) {
	b, err := d.Store.ImportFile(ctx, imp.ID)
	if err != nil {
		return nil, nil, nil, err
	}
	if b == nil {
		if fresh, err := d.load(ctx, imp.ID); err == nil && fresh != nil && fresh.Erased {
			return nil, nil, nil, &Conflict{FileErased}
		}
		return nil, nil, nil, &Conflict{FileGone}
	}
	f, s, err := look(b, imp.Profile)
	if err != nil {
		return nil, nil, nil, err
	}
	k := &Checker{Profile: imp.Profile, Synthetic: d.Synthetic, Today: record.CivilDay(d.Now())}
	if at, err := time.Parse(time.RFC3339, imp.At); err == nil {
		k.Drawn = record.CivilDay(at) // the same when a step is taken again
	}
	if d.Decision != nil {
		k.Decision = func(issuer, docNo string) (string, bool) { return d.Decision(ctx, issuer, docNo) }
	}
	return f, s, k, nil
}

// check is the dry run: it says of every row whether it can go in, and writes nothing but that.
func (d *Intake) check(ctx context.Context, imp *Import, j *job) error {
	f, s, k, err := d.reopen(ctx, imp)
	if err != nil {
		return err
	}
	if err := d.Store.DropChecked(ctx, imp.ID); err != nil {
		return err
	}
	var rows []StoredRow
	n := 0
	flush := func() error {
		if _, err := d.known(ctx, imp.ID, rows); err != nil {
			return err
		}
		err := d.Store.PutChecked(ctx, rows)
		rows = rows[:0]
		d.progress(j, n)
		return err
	}
	err = k.Check(f, s, func(c *Checked) error {
		row := StoredRow{Import: imp.ID, Row: c.Row, State: c.State, Issues: c.Issues, Key: keyOf(imp.Profile.Type, c.Key), Gaps: len(Gaps(imp.Profile.Type, c.Payload))}
		d.ownAlready(ctx, imp, c, &row)
		if c.Part {
			row.Step = StepPart
		}
		rows = append(rows, row)
		if n++; len(rows) < batchOf {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// keyOf hides what tells decisions and persons apart.
func keyOf(typ, key string) []byte {
	if key == "" {
		return nil
	}
	h := sha256.Sum256([]byte(typ + "\x00" + key))
	return h[:]
}

// Review is what a person says that he has before him: the steps of a batch are taken only if it is still so.
type Review struct {
	FileHash string `json:"file_hash" pattern:"^[0-9a-f]{64}$"`
	Rows     int    `json:"rows" minimum:"1" doc:"Rows that the step is about"`
	Warnings []int  `json:"warnings,omitempty" maxItems:"50000" doc:"Of these the rows with warnings, ascending; each has been opened"`
	Reason   string `json:"reason,omitempty" maxLength:"1000" doc:"Of a return; without identifiers"`
}

// Commit makes drafts of the good rows, or of those chosen, and hands them to the reviewer as one batch. Rows with problems
// stay out, rows that went in before too. reaches says whether the person has to do with what a unit of the bureau is drafting.
func (d *Intake) Commit(ctx context.Context, actor blacklist.Actor, reaches func(unit string) bool, id string, chosen []int) (*Import, error) {
	imp, err := d.idle(ctx, id)
	if err != nil {
		return nil, err
	}
	want, named := map[int]bool{}, map[int]bool{}
	for _, row := range chosen {
		named[row] = true
	}
	total := 0
	for _, state := range []RowState{RowOK, RowWarning} {
		if err := d.eachRow(ctx, id, state, StepNone, func(r StoredRow) error {
			if r.Step == StepNone && (len(chosen) == 0 || named[r.Row]) {
				want[r.Row] = true
				total++
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	if total == 0 {
		return nil, &Conflict{NothingToDo}
	}
	return d.step(ctx, imp, actor, "commit", total, nil, func(ctx context.Context, j *job) error { return d.commit(ctx, imp, actor, reaches, want, j) })
}

func (d *Intake) commit(ctx context.Context, imp *Import, actor blacklist.Actor, reaches func(unit string) bool, want map[int]bool, j *job) error {
	f, s, k, err := d.reopen(ctx, imp)
	if err != nil {
		return err
	}
	w := d.workers(ctx, j)
	err = k.Check(f, s, func(c *Checked) error {
		if !want[c.Row] || c.Payload == nil {
			return ctx.Err()
		}
		row := StoredRow{Import: imp.ID, Row: c.Row, State: c.State, Issues: slices.Clone(c.Issues), Key: keyOf(imp.Profile.Type, c.Key)}
		one := []StoredRow{row}
		d.ownAlready(ctx, imp, c, &one[0])
		yields, err := d.known(ctx, imp.ID, one) // another import may have come first since the check
		if err != nil {
			return err
		}
		if one[0].Step == StepKnown {
			return w.do(func() (StoredRow, error) { return one[0], nil })
		}
		return w.do(func() (StoredRow, error) {
			for _, old := range yields[0] {
				if gone, err := d.giveWay(ctx, actor, reaches, row, old); err != nil || !gone {
					row.markKnown()
					return row, err
				}
			}
			return d.draft(ctx, actor, imp.Profile.Type, c.Payload, row)
		})
	})
	return errors.Join(w.wait(), err)
}

// draft takes one row to the reviewer's desk, through the same two steps as a single entry.
func (d *Intake) draft(ctx context.Context, actor blacklist.Actor, typ string, b []byte, row StoredRow) (StoredRow, error) {
	done, err := d.Register.Draft(ctx, d.request(actor, row, "draft", sha256.Sum256(b)), blacklist.Proposal{Type: typ, Payload: b})
	if err == nil {
		row.Draft, row.Version = done.ID.String(), done.Version
		done, err = d.Register.Submit(ctx, d.request(actor, row, "submit", seal(done.On)), done.On)
	}
	if err == nil {
		row.Step, row.Version = StepSubmitted, done.Version
	}
	return settled(row, err)
}

// request names the idempotency slot of a row's step: a step that was taken before a fall is not taken again.
func (d *Intake) request(actor blacklist.Actor, row StoredRow, step string, body [32]byte) blacklist.Request {
	return blacklist.Request{Actor: actor, Scope: "import/" + row.Import + "/" + step + "/" + row.Draft, Key: strconv.Itoa(row.Row), BodyHash: body}
}

// seal stands for the body of a step's request: which draft, at which version.
func seal(on blacklist.On) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s %d", on.ID, on.Version))
}

// settled says how a row's step ended. What the register refuses is the row's matter, everything else the batch's.
func settled(row StoredRow, err error) (StoredRow, error) {
	var no *blacklist.Refusal
	var bad *blacklist.Invalid
	switch {
	case errors.As(err, &bad):
		for _, v := range bad.Violations {
			row.Issues = append(row.Issues, Issue{Pointer: v.Pointer, Code: v.Code})
		}
		row.State = RowProblem
	case errors.As(err, &no):
		row.Issues = append(row.Issues, Issue{Pointer: no.Pointer, Code: "draft_refused"})
		row.State = RowProblem
	case err != nil:
		return row, err
	}
	return row, nil
}

// Approve is the legal review of a batch: the reviewer, none of its authors, signs what he has seen.
func (d *Intake) Approve(ctx context.Context, actor blacklist.Actor, id string, seen Review) (*Import, error) {
	return d.each(ctx, actor, id, "approve", StepSubmitted, &seen, func(ctx context.Context, row *StoredRow, on blacklist.On) (blacklist.Done, error) {
		row.Step = StepApproved
		return d.Register.Approve(ctx, d.request(actor, *row, "approve", seal(on)), on)
	})
}

// Return sends a batch back to its authors; each row goes on as a single draft.
func (d *Intake) Return(ctx context.Context, actor blacklist.Actor, id string, seen Review) (*Import, error) {
	return d.each(ctx, actor, id, "return", StepSubmitted, &seen, func(ctx context.Context, row *StoredRow, on blacklist.On) (blacklist.Done, error) {
		row.Step = StepReturned
		return d.Register.Return(ctx, d.request(actor, *row, "return", seal(on)), on, seen.Reason)
	})
}

// Publish puts an approved batch on the road to every member.
func (d *Intake) Publish(ctx context.Context, actor blacklist.Actor, id string, seen Review) (*Import, error) {
	return d.each(ctx, actor, id, "publish", StepApproved, &seen, func(ctx context.Context, row *StoredRow, on blacklist.On) (blacklist.Done, error) {
		done, err := d.Register.Publish(ctx, d.request(actor, *row, "publish", seal(on)), on)
		row.Step, row.Record = StepPublished, done.Record.String()
		return done, err
	})
}

// each takes one step with every row of a batch that waits for it.
func (d *Intake) each(ctx context.Context, actor blacklist.Actor, id, name string, from Step, seen *Review,
	take func(context.Context, *StoredRow, blacklist.On) (blacklist.Done, error)) (*Import, error) {
	imp, err := d.idle(ctx, id)
	if err != nil {
		return nil, err
	}
	if name == "approve" && slices.ContainsFunc(imp.Batch, func(s Signed) bool { return s.Step == "commit" && s.By == actor.Account }) {
		return nil, &Conflict{OwnBatch}
	}
	total := 0
	warnings := []int{}
	if err := d.eachRow(ctx, id, "", from, func(r StoredRow) error {
		total++
		if r.State == RowWarning {
			warnings = append(warnings, r.Row)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	switch {
	case total == 0:
		return nil, &Conflict{NothingToDo}
	case seen.FileHash != imp.FileHash, seen.Rows != total, name == "approve" && !slices.Equal(warnings, append([]int{}, seen.Warnings...)):
		return nil, &Conflict{BatchChanged}
	}
	return d.step(ctx, imp, actor, name, total, warnings, func(ctx context.Context, j *job) error {
		w := d.workers(ctx, j)
		err := d.eachRow(ctx, id, "", from, func(r StoredRow) error {
			return w.do(func() (StoredRow, error) {
				draft, err := record.ParseBits128(r.Draft)
				if err != nil {
					return r, err
				}
				next := r
				done, err := take(ctx, &next, blacklist.On{ID: draft, Version: r.Version})
				if err != nil {
					next.Step, next.Record = r.Step, r.Record
				} else if next.Version = done.Version; next.Step == StepPublished {
					next.Record = done.ID.String()
				}
				return settled(next, err)
			})
		})
		return errors.Join(w.wait(), err)
	})
}

// idle returns an import that nothing is being done with.
func (d *Intake) idle(ctx context.Context, id string) (*Import, error) {
	imp, err := d.Import(ctx, id)
	if err == nil && imp.Work.State == "running" {
		err = &Conflict{Running}
	}
	return imp, err
}

// step writes who takes a step with a batch, and begins it.
func (d *Intake) step(ctx context.Context, imp *Import, actor blacklist.Actor, name string, rows int, warnings []int, work func(context.Context, *job) error) (*Import, error) {
	imp.Work = Work{Step: name, State: "running", Total: rows}
	imp.Batch = append(imp.Batch, Signed{Step: name, By: actor.Account, At: d.Now().UTC().Format(time.RFC3339), FileHash: imp.FileHash, Rows: rows, Warnings: warnings})
	if err := d.begin(ctx, imp, nil, work); err != nil {
		return nil, err
	}
	return imp, nil
}

// eachRow reads rows page by page. Rows that leave the selection meanwhile are not met twice.
func (d *Intake) eachRow(ctx context.Context, id string, state RowState, step Step, f func(StoredRow) error) error {
	after := 0
	for {
		rows, err := d.Store.ImportRows(ctx, id, state, step, after, batchOf)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := f(r); err != nil {
				return err
			}
			after = r.Row
		}
		if len(rows) < batchOf {
			return nil
		}
	}
}
