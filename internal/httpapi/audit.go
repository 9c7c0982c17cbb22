package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
)

// LookupRow is one audit record of a look-up: a question of this bureau's people, what it came to, an answer that this node
// gave, or an export of own records, which looks up everybody in it. What was asked for is not in it: it stands in a part that auditor and reviewer open together.
type LookupRow struct {
	Record    string            `json:"record" doc:"The audit record"`
	Kind      string            `json:"kind" enum:"asked,outcome,answered,exported" doc:"asked, outcome and exported: by this bureau; answered: to the member named"`
	Ask       string            `json:"ask,omitempty" doc:"Id of the question, the same at every member; an export has none"`
	At        string            `json:"at"`
	Member    record.MemberID   `json:"member,omitempty" doc:"Whose person asked"`
	Account   string            `json:"account,omitempty" doc:"Opaque account id"`
	CertNo    string            `json:"cert_no,omitempty" doc:"执法证号"`
	Purpose   string            `json:"purpose,omitempty"`
	WorkRef   *workRef          `json:"work_ref,omitempty"`
	QueryKind []string          `json:"query_kind,omitempty" doc:"Which fields were asked by, never their content"`
	Scope     []record.MemberID `json:"scope,omitempty" doc:"Members that were asked"`
	Refused   string            `json:"refused,omitempty" doc:"Why the question was not asked, or nothing exported"`
	State     string            `json:"state,omitempty" doc:"What this node answered"`
	Shown     []ShownRecord     `json:"shown,omitempty" doc:"Own records that were shown"`
	Outcome   string            `json:"outcome,omitempty"`
	Answered  int               `json:"answered,omitzero"`
	Total     int               `json:"total,omitzero"`
	Type      string            `json:"type,omitempty" doc:"Of an export: record type"`
	Format    string            `json:"format,omitempty" doc:"Of an export"`
	From      string            `json:"from,omitempty" doc:"Of an export: first day that it was narrowed to"`
	To        string            `json:"to,omitempty" doc:"Of an export: last day"`
	Rows      int               `json:"rows,omitzero" doc:"Of an export: records in the file"`
	FileHash  string            `json:"file_hash,omitempty" doc:"Of an export: SHA-256 of the file"`

	exported func(seq uint64) bool // whether an export held a record; nil for everything else
}

// ShownRecord is an own record that an answer showed.
type ShownRecord struct {
	Record  string `json:"record"`
	Level   string `json:"level"`
	Outcome string `json:"outcome,omitempty"`
}

type lookupsIn struct {
	Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor  string `query:"cursor" maxLength:"64" doc:"From the answer before"`
	Account string `query:"account" maxLength:"64" doc:"Only of this account"`
	Ask     string `query:"ask" pattern:"^([0-9a-f]{32})?$" doc:"Only of this question"`
	Record  string `query:"record" pattern:"^([0-9a-f]{32})?$" doc:"Only answers that showed this own record, and exports that held it"`
	From    string `query:"from" pattern:"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$" doc:"First civil day"`
	To      string `query:"to" pattern:"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$" doc:"Last civil day"`
}

type lookupsOut struct {
	Body struct {
		Rows []LookupRow `json:"rows" doc:"Newest first"`
		Next string      `json:"next,omitempty" doc:"Cursor of the next page, which may be empty without being the last; absent on the last"`
	}
}

func (h *people) auditRoutes(api huma.API) {
	o := h.op(api, auth.SeeAudit, "list-lookups", http.MethodGet, "audit/lookups", "Who looked up or exported, when, for what, and what was shown 核查审计", http.StatusOK)
	o.Tags = []string{"audit"}
	register(api, o, h.lookups)
}

// auditWindow is how many records one page reads at most: a filter that finds little must not read the whole log at once.
const auditWindow = 2000

// lookups reads the audit streams backwards from the cursor: behind the newest those of before a restore.
func (h *people) lookups(ctx context.Context, in *lookupsIn) (*lookupsOut, error) {
	who := principalOf(ctx).Account
	if in.To != "" && in.From > in.To {
		return nil, problem("query_invalid")
	}
	streams, err := h.audits(ctx)
	if err != nil {
		return nil, err
	}
	var number, end uint64
	if in.Cursor != "" {
		at, ok := h.openCursor(in.Cursor, who, "lookups")
		if !ok {
			return nil, problem("cursor_invalid")
		}
		number, end = at>>auditSeqBits, at&auditSeqMask
		streams = slices.DeleteFunc(streams, func(s record.StreamID) bool { return s.Number() > number })
	}
	var shown *record.Stored
	if id, err := record.ParseBits128(in.Record); err == nil {
		st, err := h.Register.Log.Record(ctx, id)
		switch {
		case err == nil && st.Stream == h.Hub.Records:
			shown = &st
		case err != nil && !errors.Is(err, record.ErrNotFound):
			return nil, err
		}
	}
	out := &lookupsOut{}
	out.Body.Rows = []LookupRow{}
	left := uint64(auditWindow)
	for i, s := range streams {
		if i > 0 || in.Cursor == "" || s.Number() != number {
			head, err := h.Log.Head(ctx, s)
			if err != nil {
				return nil, fmt.Errorf("read audit log: %w", err)
			}
			end = head.Size
		}
		for end > 0 && left > 0 && len(out.Body.Rows) < in.Limit {
			from := end - min(end, left, record.MaxGroupRecords)
			records, err := h.stretch(ctx, s, from, end)
			if err != nil {
				return nil, err
			}
			was := end
			for _, r := range slices.Backward(records) {
				end = r.Seq
				if row, ok := lookupRow(r); ok && in.wants(row, r.Meaning.Day, shown) {
					out.Body.Rows = append(out.Body.Rows, row)
					if len(out.Body.Rows) == in.Limit {
						break
					}
				}
			}
			if len(records) == 0 {
				end = from
			}
			left -= was - end
		}
		full := left == 0 || len(out.Body.Rows) == in.Limit
		if full && (end > 0 || i+1 < len(streams)) {
			out.Body.Next = h.cursor(s.Number()<<auditSeqBits|end, who, "lookups")
		}
		if full {
			break
		}
	}
	return out, nil
}

// stretch reads the records [from,to) of an audit stream.
func (h *people) stretch(ctx context.Context, s record.StreamID, from, to uint64) ([]record.Stored, error) {
	var out []record.Stored
	for at := from; at < to; {
		groups, err := h.Log.Groups(ctx, s, at, int(to-at)) //nolint:gosec // at most MaxGroupRecords
		if err != nil {
			return nil, fmt.Errorf("read audit log: %w", err)
		}
		before := at
		for _, g := range groups {
			for _, r := range g.Records {
				if r.Seq >= from && r.Seq < to {
					out = append(out, r)
				}
				at = max(at, r.Seq+1)
			}
		}
		if at == before {
			break
		}
	}
	return out, nil
}

// lookupRow reads one audit record; false for what is no look-up. Of its parts only body is looked at.
func lookupRow(r record.Stored) (LookupRow, bool) {
	kinds := map[string]string{"lookup.asked": "asked", "lookup.answered": "answered", "lookup.outcome": "outcome", "lookup.exported": "exported"}
	kind, ok := kinds[r.Meaning.Type]
	if !ok {
		return LookupRow{}, false
	}
	row := LookupRow{Record: r.Meaning.ID.String(), Kind: kind}
	for _, p := range r.Parts {
		if p.Name != record.Body || p.State != record.PartPresent {
			continue
		}
		b, err := federation.ReadLookupAudit(p.Bytes)
		if err != nil {
			continue // of a newer release: who and when cannot be told, that it is there can
		}
		row.At, row.Member, row.Account, row.CertNo = b.At, b.Member, b.Account, b.CertNo
		if kind == "exported" {
			row.Type, row.Format, row.From, row.To, row.Rows, row.FileHash, row.exported = b.Type, b.Format, b.From, b.To, b.Rows, b.FileHash, b.Showed
		} else {
			row.Ask = b.Ask.String()
		}
		row.Purpose, row.QueryKind, row.Scope, row.Refused = string(b.Purpose), b.QueryKind, b.Scope, b.Refused
		row.State, row.Outcome, row.Answered, row.Total = string(b.State), string(b.Outcome), b.Answered, b.Total
		if b.WorkRef != nil {
			row.WorkRef = &workRef{Kind: b.WorkRef.Kind, Number: b.WorkRef.Number}
		}
		for _, s := range b.Shown {
			row.Shown = append(row.Shown, ShownRecord{s.Record.String(), s.Level.String(), string(s.Outcome)})
		}
	}
	return row, true
}

// wants reports whether a row is one that was asked for; shown is the own record that the filter names, nil for none.
func (in *lookupsIn) wants(row LookupRow, day string, shown *record.Stored) bool {
	if t, err := time.Parse(time.RFC3339, row.At); err == nil {
		day = record.CivilDay(t)
	}
	return (in.Account == "" || in.Account == row.Account) && (in.Ask == "" || in.Ask == row.Ask) && (in.From == "" || day >= in.From) && (in.To == "" || day <= in.To) &&
		(in.Record == "" || shown != nil && row.exported != nil && row.exported(shown.Seq) || slices.ContainsFunc(row.Shown, func(s ShownRecord) bool { return s.Record == in.Record }))
}
