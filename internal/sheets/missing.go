package sheets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/record"
)

// Copy writes the person's own file with what is said of each row.
func (d *Intake) Copy(ctx context.Context, id string, out io.Writer) error {
	imp, err := d.idle(ctx, id)
	if err != nil {
		return err
	}
	f, s, _, err := d.reopen(ctx, imp)
	if err != nil {
		return err
	}
	p := &page{d: d, ctx: ctx, id: id}
	if err := f.Copy(out, s, p.told); err != nil {
		return err
	}
	return p.err
}

// page reads stored rows in step with a file that is copied.
type page struct {
	d    *Intake
	ctx  context.Context
	id   string
	rows []StoredRow
	last int
	end  bool
	err  error
}

func (p *page) told(row int) (RowState, []Issue) {
	for !p.end && p.err == nil {
		for len(p.rows) > 0 && p.rows[0].Row < row {
			p.rows = p.rows[1:]
		}
		if len(p.rows) > 0 {
			break
		}
		if p.rows, p.err = p.d.Store.ImportRows(p.ctx, p.id, "", StepNone, max(p.last, row-1), batchOf); len(p.rows) == 0 {
			p.end = true
			break
		}
		p.last = p.rows[len(p.rows)-1].Row
	}
	if len(p.rows) > 0 && p.rows[0].Row == row {
		return p.rows[0].State, p.rows[0].Issues
	}
	return "", nil
}

// MissingLine is a line of the list 待补齐: a record of the old files and what it lacks today.
type MissingLine struct {
	Import string `json:"import"`
	Row    int    `json:"row"`
	ID     string `json:"id" doc:"Draft, or published subject"`
	Stage  string `json:"stage" enum:"draft,published"`
	Type   string `json:"type"`
	Gaps   []Gap  `json:"gaps"`
}

// Missing is the list 待补齐, in order of import and row, after a line; next names the last row looked at, as import.row, and is
// empty at the end. What a correction has filled in is no longer on it.
func (d *Intake) Missing(ctx context.Context, stream record.StreamID, afterImport string, afterRow, limit int) (lines []MissingLine, next string, err error) {
	rows, err := d.Store.GapRows(ctx, afterImport, afterRow, limit)
	if err != nil {
		return nil, "", err
	}
	for _, r := range rows {
		l := MissingLine{Import: r.Import, Row: r.Row, ID: r.Draft, Stage: "draft"}
		var b []byte
		if r.Step == StepPublished {
			l.ID, l.Stage = r.Record, "published"
			b, l.Type, err = d.published(ctx, stream, r.Record)
		} else {
			b, l.Type, err = d.drafted(ctx, r.Draft)
		}
		if err != nil {
			return nil, "", fmt.Errorf("read row %d of import %s: %w", r.Row, r.Import, err)
		}
		if l.Gaps = Gaps(l.Type, b); len(l.Gaps) > 0 {
			lines = append(lines, l)
		}
	}
	if len(rows) == limit {
		next = rows[len(rows)-1].Import + "." + strconv.Itoa(rows[len(rows)-1].Row)
	}
	return lines, next, nil
}

func (d *Intake) published(ctx context.Context, stream record.StreamID, id string) ([]byte, string, error) {
	b, err := record.ParseBits128(id)
	if err != nil {
		return nil, "", err
	}
	e, err := d.Register.Entry(ctx, stream, b, record.CivilDay(d.Now()))
	if err != nil {
		return nil, "", err
	}
	p, err := e.Payload()
	if errors.Is(err, blacklist.ErrNothing) { // withdrawn
		return nil, e.Type, nil
	}
	return p, e.Type, err
}

func (d *Intake) drafted(ctx context.Context, id string) ([]byte, string, error) {
	b, err := record.ParseBits128(id)
	if err != nil {
		return nil, "", err
	}
	s, err := d.Register.Sheet(ctx, b)
	return s.Payload, s.Type, err
}
