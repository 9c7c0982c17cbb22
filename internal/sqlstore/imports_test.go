package sqlstore_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/sheets"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/record/recordtest"
)

// Both databases keep imports alike: rows with a draft survive a new check, keys are found across imports, a file goes when
// nobody has touched its import for long and its rows stay.
func TestStore_KeepsImports(t *testing.T) {
	for name, set := range map[string]func(*sqlstore.Config){
		"sqlite":   func(*sqlstore.Config) {},
		"postgres": func(c *sqlstore.Config) { c.Driver, c.DSN = "postgres", testsvc.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			d := sit(t, func(c *sqlstore.Config) {
				set(c)
				c.Project = func(all []record.Stored) (sqlstore.Row, bool) { return sqlstore.Row{About: all[0].Meaning.ID}, true }
			})
			a, b := fmt.Sprintf("%032x", 1), fmt.Sprintf("%032x", 2)
			d.ok(d.PutImport(d.ctx, a, 100, []byte(`{"n":1}`), []byte("file a")))
			d.ok(d.PutImport(d.ctx, b, 200, []byte(`{"n":2}`), []byte("file b")))
			d.ok(d.PutImport(d.ctx, a, 300, []byte(`{"n":3}`), nil))
			docs, err := d.Imports(d.ctx, 10)
			d.ok(err)
			if len(docs) != 2 || string(docs[0]) != `{"n":3}` {
				t.Errorf("%s", docs)
			}
			if none, err := d.Import(d.ctx, "none"); none != nil || err != nil {
				t.Errorf("%s %v", none, err)
			}
			key := bytes.Repeat([]byte{7}, 32)
			rows := []sheets.StoredRow{
				{Import: a, Row: 2, State: sheets.RowOK, Key: key, Gaps: 3, Issues: []sheets.Issue{{Column: "B", Code: "x", Warning: true}}},
				{Import: a, Row: 3, State: sheets.RowProblem},
				{Import: a, Row: 4, State: sheets.RowWarning, Gaps: 1},
			}
			d.ok(d.PutChecked(d.ctx, rows))
			known := func(id string) bool {
				found, err := d.DraftedElsewhere(d.ctx, id, [][]byte{key, bytes.Repeat([]byte{8}, 32)})
				d.ok(err)
				return len(found) == 1 && len(found[string(key)]) == 1 && found[string(key)][0].Row == 2
			}
			if known(b) {
				t.Error("a row without a draft is known")
			}
			rows[0].Step, rows[0].Draft, rows[0].Version = sheets.StepSubmitted, fmt.Sprintf("%032x", 9), 2
			d.ok(d.PutSteps(d.ctx, rows[:1]))
			if !known(b) || known(a) {
				t.Error("a draft of another import is not known, or one's own is")
			}
			d.ok(d.DropChecked(d.ctx, a))
			again := rows[0]
			again.State, again.Gaps = sheets.RowProblem, 5
			d.ok(d.PutChecked(d.ctx, []sheets.StoredRow{again, rows[1]}))
			got, err := d.ImportRows(d.ctx, a, "", "", 0, 10)
			d.ok(err)
			if len(got) != 2 || got[0].State != sheets.RowOK || got[0].Gaps != 5 || got[0].Version != 2 || got[0].Issues[0] != rows[0].Issues[0] || len(got[0].Key) != 33 || bytes.Contains(got[0].Key, key[:8]) {
				t.Errorf("%+v", got)
			}
			if got, err = d.ImportRows(d.ctx, a, sheets.RowOK, sheets.StepSubmitted, 1, 10); err != nil || len(got) != 1 {
				t.Errorf("%+v %v", got, err)
			}
			if found, err := d.DraftedElsewhere(d.ctx, b, [][]byte{got[0].Key}); err != nil || len(found[string(got[0].Key)]) != 1 {
				t.Errorf("a key as it was read is not known: %v %v", found, err)
			}
			counts, err := d.CountRows(d.ctx, a)
			if err != nil || len(counts) != 2 {
				t.Errorf("%+v %v", counts, err)
			}
			if got, err = d.GapRows(d.ctx, "", 0, 10); err != nil || len(got) != 1 || got[0].Row != 2 {
				t.Errorf("%+v %v", got, err)
			}
			if got, err = d.GapRows(d.ctx, a, 2, 10); err != nil || len(got) != 0 {
				t.Errorf("%+v %v", got, err)
			}
			// Whoever publishes a draft, its row is published with it, and stays so when the batch writes what it knew before.
			one := d.Draft(recordtest.Self, record.Local)
			rows[0].Draft, rows[0].Step = one.ID.String(), sheets.StepReturned
			d.ok(d.PutSteps(d.ctx, rows[:1]))
			d.append(one)
			d.ok(d.PutSteps(d.ctx, rows[:1]))
			if got, err = d.ImportRows(d.ctx, a, "", sheets.StepPublished, 0, 10); err != nil || len(got) != 1 || got[0].Record != one.ID.String() || got[0].Version != 1 {
				t.Errorf("%+v %v", got, err)
			}
			d.ok(d.PutProfile(d.ctx, "台账", []byte("1")))
			d.ok(d.PutProfile(d.ctx, "台账", []byte("2")))
			if all, err := d.Profiles(d.ctx); err != nil || len(all) != 1 || string(all[0]) != "2" {
				t.Errorf("%s %v", all, err)
			}
			now := d.cfg.Now().Unix()
			d.ok(d.PutImport(d.ctx, b, now-int64((91*24*time.Hour).Seconds()), []byte("{}"), nil))
			d.ok(d.PutImport(d.ctx, a, now, []byte("{}"), nil))
			d.ok(d.Maintain(d.ctx))
			old, err := d.ImportFile(d.ctx, b)
			d.ok(err)
			kept, err := d.ImportFile(d.ctx, a)
			d.ok(err)
			if old != nil || string(kept) != "file a" {
				t.Errorf("%q %q", old, kept)
			}
		})
	}
}
