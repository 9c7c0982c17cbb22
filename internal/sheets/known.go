package sheets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/record"
)

// ownAlready marks a decision that the bureau has published, however it came in.
func (d *Intake) ownAlready(ctx context.Context, imp *Import, c *Checked, row *StoredRow) {
	issuer, docNo, ok := strings.Cut(c.Key, " ")
	if d.Decision == nil || !ok || c.Payload == nil || imp.Profile.Type != blacklist.TypePenalty {
		return
	}
	if _, found := d.Decision(ctx, issuer, docNo); found {
		row.markKnown()
	}
}

// known marks rows that another import has brought in already. A row there that was returned, and whose draft still lies
// with its author, gives way to its mended one here: those are returned, by the index of the row.
func (d *Intake) known(ctx context.Context, id string, rows []StoredRow) (map[int][]StoredRow, error) {
	var keys [][]byte
	for _, r := range rows {
		if r.Key != nil {
			keys = append(keys, r.Key)
		}
	}
	found, err := d.Store.DraftedElsewhere(ctx, id, keys)
	if err != nil {
		return nil, err
	}
	yields := map[int][]StoredRow{}
	for i := range rows {
		if rows[i].Step != StepNone || rows[i].State == RowProblem || rows[i].Key == nil {
			continue
		}
		for _, old := range found[string(rows[i].Key)] {
			_, back, err := d.withAuthor(ctx, old)
			if err != nil {
				return nil, err
			}
			if !back {
				rows[i].markKnown()
				break
			}
			yields[i] = append(yields[i], old)
		}
	}
	return yields, nil
}

func (r *StoredRow) markKnown() {
	r.Step = StepKnown
	r.Issues = append(slices.Clone(r.Issues), Issue{Code: "known_already", Warning: true})
}

// withAuthor reads the draft of a row, and reports whether the row was returned and nobody has handed its draft in again.
func (d *Intake) withAuthor(ctx context.Context, r StoredRow) (s blacklist.Sheet, back bool, err error) {
	if r.Step != StepReturned {
		return s, false, nil
	}
	id, err := record.ParseBits128(r.Draft)
	if err != nil {
		return s, false, err
	}
	s, err = d.Register.Sheet(ctx, id)
	return s, s.State == blacklist.Drafting || s.State == blacklist.Discarded, err
}

// giveWay ends the draft of a returned row for ever, so that only its mended row here can be published. false: somebody has
// handed it in meanwhile, or it is another unit's, and this row stays out.
func (d *Intake) giveWay(ctx context.Context, actor blacklist.Actor, reaches func(unit string) bool, row, old StoredRow) (bool, error) {
	s, back, err := d.withAuthor(ctx, old)
	if err != nil || !back || s.State == blacklist.Drafting && !reaches(s.Unit) && !slices.Contains(s.Authors, actor.Account) {
		return false, err
	}
	if s.State == blacklist.Drafting {
		on := blacklist.On{ID: s.ID, Version: s.Version}
		_, err := d.Register.Discard(ctx, d.request(actor, StoredRow{Import: row.Import, Row: row.Row, Draft: old.Draft}, "discard", seal(on)), on,
			fmt.Sprintf("由导入 %s 第 %d 行代替", row.Import, row.Row))
		var no *blacklist.Refusal
		switch {
		case errors.As(err, &no):
			return false, nil
		case err != nil:
			return false, err
		}
	}
	old.Draft, old.Version = "", 0
	old.markKnown()
	return true, d.Store.PutSteps(ctx, []StoredRow{old})
}
