package sqlstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/internal/sheets"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/record/recordtest"
)

// Whoever erases a record erases what it was made of: the file of its import with what was said of it, its draft, the drafts
// of its corrections. Nothing of the canary is left in a table, nor in SQLite's files; what others brought in stays.
func TestStore_ErasesSources(t *testing.T) {
	const canary = "测甲一CANARY"
	for name, set := range map[string]func(*sqlstore.Config){
		"sqlite":   func(*sqlstore.Config) {},
		"postgres": func(c *sqlstore.Config) { c.Driver, c.DSN = "postgres", testsvc.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			var of record.RecordID
			d := sit(t, func(c *sqlstore.Config) {
				inClear(c)
				set(c)
				c.Project = func(all []record.Stored) (sqlstore.Row, bool) {
					row := sqlstore.Row{Type: "x"}
					if all[0].Stream.Kind() == record.Local && all[0].Meaning.Type == "of" {
						row.About = of
					}
					return row, true
				}
			})
			made, stays := d.Draft(recordtest.Self, record.Records), d.Draft(recordtest.Self, record.Records)
			of = made.ID
			draft, correction, other := d.Draft(recordtest.Self, record.Local), d.Draft(recordtest.Self, record.Local), d.Draft(recordtest.Self, record.Local)
			draft.Type, correction.Type = "of", "of"
			for _, p := range []*record.Draft{&made, &draft, &correction} {
				for part := range p.Parts {
					p.Parts[part] = []byte(`{"name":"` + canary + `"}`)
				}
			}
			d.append(made, stays, other, draft, correction)
			doc := `{"id":"i","file_hash":"h","profile":{"name":"台账","type":"penalty","constants":{"/issuer_name":"` + canary + `"}},"survey":{"sheet":"` + canary +
				`","sheets":[],"columns":[{"column":"A","heading":"` + canary + `"}]},"missing":[],"batch":[],"work":{"step":"check","state":"done"}}`
			rows := func(id string, of record.RecordID) []sheets.StoredRow {
				return []sheets.StoredRow{{Import: id, Row: 2, State: sheets.RowWarning, Step: sheets.StepPublished, Draft: draft.ID.String(), Record: of.String(), Gaps: 1, Issues: []sheets.Issue{{Heading: canary, Code: "x"}}},
					{Import: id, Row: 3, State: sheets.RowProblem, Gaps: 1, Issues: []sheets.Issue{{Heading: canary, Code: "y"}}}}
			}
			mine, theirs := fmt.Sprintf("%032x", 1), fmt.Sprintf("%032x", 2)
			d.ok(d.PutImport(d.ctx, mine, 1, []byte(doc), []byte("a file of "+canary)))
			d.ok(d.PutChecked(d.ctx, rows(mine, of)))
			d.ok(d.PutSteps(d.ctx, rows(mine, of)))
			d.ok(d.PutImport(d.ctx, theirs, 1, []byte("{}"), []byte("another file")))
			kept := rows(theirs, stays.ID)
			kept[0].Issues, kept[1].Issues = []sheets.Issue{{Code: "z"}}, nil
			d.ok(d.PutChecked(d.ctx, kept))
			d.ok(d.PutSteps(d.ctx, kept))
			if name == "sqlite" && !inFiles(t, d.cfg.DSN, canary) {
				t.Fatal("the search does not find what is there")
			}

			d.append(d.Draft(recordtest.Self, record.Records, record.Ref{Rel: record.Erases, ID: of, Version: 1}))
			look := func() {
				t.Helper()
				file, err := d.ImportFile(d.ctx, mine)
				d.ok(err)
				b, err := d.Import(d.ctx, mine)
				d.ok(err)
				if file != nil || strings.Contains(string(b), canary) || !strings.Contains(string(b), `"erased":true`) {
					t.Errorf("%s %s", file, b)
				}
				got, err := d.ImportRows(d.ctx, mine, "", "", 0, 9)
				d.ok(err)
				if len(got) != 2 || got[0].Issues != nil || got[0].Gaps != 0 || got[1].Issues != nil || got[1].Gaps != 1 || got[0].Step != sheets.StepPublished {
					t.Errorf("%+v", got)
				}
				if name == "sqlite" && inFiles(t, d.cfg.DSN, canary) {
					t.Error("erased bytes are still in the files")
				}
			}
			look()
			for _, id := range []record.RecordID{draft.ID, correction.ID, other.ID} {
				all, err := d.Subject(d.ctx, record.Stream(recordtest.Self, record.Local), id)
				d.ok(err)
				for _, p := range all[0].Parts {
					if gone := p.State == record.PartGone && p.Bytes == nil; gone == (id == other.ID) {
						t.Errorf("draft %s: part %s is in state %v", id, p.Name, p.State)
					}
				}
			}
			// What work that began before still knows is not written back, and the file does not come again.
			d.ok(d.PutImport(d.ctx, mine, 9, []byte(doc), nil))
			d.ok(d.PutChecked(d.ctx, rows(mine, of)[:1]))
			d.ok(d.PutSteps(d.ctx, rows(mine, of)[1:]))
			look()
			var no *sheets.Conflict
			if err := d.PutImport(d.ctx, mine, 9, []byte(doc), []byte("a file of "+canary)); !errors.As(err, &no) || no.Code != sheets.FileErased {
				t.Errorf("the same file again: %v", err)
			}
			if file, err := d.ImportFile(d.ctx, theirs); err != nil || string(file) != "another file" {
				t.Errorf("%s %v", file, err)
			}
			if got, err := d.ImportRows(d.ctx, theirs, "", "", 0, 9); err != nil || got[0].Issues[0].Code != "z" || got[0].Gaps != 1 {
				t.Errorf("%+v %v", got, err)
			}
		})
	}
}
