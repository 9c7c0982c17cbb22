package httpapi

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/sheets"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
)

// exportsPath writes spreadsheets.
const exportsPath = "/api/v1/exports"

// maxExport bounds the rows of one export; a longer list is exported by days.
const maxExport = 5000

type exportIn struct {
	Body struct {
		Type    string             `json:"type" enum:"penalty,blacklist.person"`
		Format  string             `json:"format,omitempty" enum:"xlsx,csv" doc:"Absent = xlsx"`
		From    string             `json:"from,omitempty" format:"date" doc:"First day, of the first record"`
		To      string             `json:"to,omitempty" format:"date" doc:"Last day"`
		Purpose federation.Purpose `json:"purpose,omitempty" maxLength:"16" doc:"目的; mandatory"`
		WorkRef *workRef           `json:"work_ref,omitempty" doc:"工作编号; mandatory"`
	}
}

func (h *people) exportRoutes(api huma.API) {
	o := h.op(api, auth.ListOwn, "export-list", http.MethodPost, "exports", "Own records as a spreadsheet, as far as the person may see them 导出本单位记录", http.StatusOK)
	o.Tags = []string{"exports"}
	register(api, answering(o, "The file", mimeXLSX, "text/csv"), h.export)
}

// export writes own records that still stand. It is a look-up of everybody in the file, audited before a byte of it leaves. Each carries who exported it, when, and what the list is not.
func (h *people) export(ctx context.Context, in *exportIn) (*fileOut, error) {
	who, b := principalOf(ctx), &in.Body
	switch {
	case b.From > record.CivilDay(h.Now()):
		return nil, violations([]schemas.Violation{{Pointer: "/from", Code: "date_future"}})
	case b.To != "" && b.From > b.To:
		return nil, violations([]schemas.Violation{{Pointer: "/to", Code: "date_order"}})
	}
	e := federation.Export{Account: who.Account, Certificate: who.Certificate, Purpose: b.Purpose, Type: b.Type, From: b.From, To: b.To, Format: cmp.Or(b.Format, "xlsx")}
	if b.WorkRef != nil {
		e.WorkRef = federation.WorkRef(*b.WorkRef)
	}
	if err := h.Hub.AdmitExport(ctx, e); err != nil {
		return nil, err
	}
	if !auth.MayAsk(who.Roles, b.Purpose) {
		return nil, problem("forbidden")
	}
	view := auth.ViewOf(who.Roles, auth.Situation{Own: true, Purpose: b.Purpose})
	if view < auth.ViewCard {
		return nil, problem("forbidden")
	}
	own := record.Stream(h.Directory.Self(), record.Records)
	items, err := h.List(ctx, Filter{Stream: own, Type: b.Type, DayFrom: b.From, DayTo: b.To, Limit: maxExport + 1})
	if err != nil {
		return nil, err
	}
	if len(items) > maxExport {
		return nil, problem("export_too_large")
	}
	now := h.Now()
	t := &sheets.Table{Type: b.Type, By: who.Account + " " + now.In(record.CivilZone).Format("2006-01-02 15:04"), Synthetic: h.Register.Synthetic}
	rows := func(line func([]byte) error) error {
		for _, it := range items {
			x, err := h.Register.Entry(ctx, own, it.Subject, record.CivilDay(now))
			if err != nil {
				return fmt.Errorf("export: %w", err)
			}
			if x.State == blacklist.Withdrawn || x.State == blacklist.Voided {
				continue
			}
			p, err := x.Payload()
			if err == nil {
				p, err = cutPayload(x.Type, p, view)
			}
			if err == nil {
				err = line(p)
			}
			if err != nil {
				return fmt.Errorf("export: %w", err)
			}
			e.Shown = append(e.Shown, x.Content.Seq)
		}
		return nil
	}
	var out bytes.Buffer
	if e.Format == "csv" {
		err = t.CSV(&out, rows)
	} else {
		err = t.Workbook(&out, rows)
	}
	if err != nil {
		return nil, err
	}
	e.FileHash = sha256.Sum256(out.Bytes())
	if err := h.Hub.AuditExport(ctx, e); err != nil {
		return nil, err
	}
	lineOf(ctx).note(slog.Int("exported", len(e.Shown)), slog.String("purpose", string(b.Purpose)))
	if e.Format == "csv" {
		return &fileOut{"text/csv; charset=utf-8", attachment("pilin-export", false), out.Bytes()}, nil
	}
	return &fileOut{mimeXLSX, attachment("pilin-export", true), out.Bytes()}, nil
}
