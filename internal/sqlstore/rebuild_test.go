package sqlstore_test

import (
	"path/filepath"
	"testing"

	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/record/recordtest"
)

// Rows that another code version wrote are written anew at start, those that it should not have written are gone, and rows
// of this version are left alone.
func TestStore_ReadModelsOfAnotherVersion(t *testing.T) {
	for name, database := range map[string]func(t *testing.T, c *sqlstore.Config){
		"sqlite":   func(t *testing.T, c *sqlstore.Config) { c.DSN = filepath.Join(t.TempDir(), "pilin.db") },
		"postgres": func(t *testing.T, c *sqlstore.Config) { c.Driver, c.DSN = "postgres", testsvc.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			d := sit(t, func(c *sqlstore.Config) {
				database(t, c)
				c.Project, c.ProjectVersion = project, "1"
			})
			one, two, gone := d.Draft(recordtest.Self, record.Records), d.Draft(recordtest.Self, record.Records), d.Draft(recordtest.Self, record.Records)
			gone.Type = "other"
			d.append(one, two, gone)
			d.append(d.Draft(recordtest.Self, record.Records, record.Ref{Rel: record.Withdraws, ID: two.ID, Version: 1}))
			states := func(s *sqlstore.Store) map[record.RecordID]sqlstore.Item {
				t.Helper()
				items, err := s.List(d.ctx, sqlstore.Filter{Stream: record.Stream(recordtest.Self, record.Records), Limit: 50})
				d.ok(err)
				out := map[record.RecordID]sqlstore.Item{}
				for _, it := range items {
					out[it.Subject] = it
				}
				return out
			}
			start := func(version string, p func([]record.Stored) (sqlstore.Row, bool)) (*sqlstore.Store, error) {
				cfg := d.cfg
				cfg.Project, cfg.ProjectVersion = p, version
				return sqlstore.Open(d.ctx, cfg)
			}
			before := states(d.Store)
			if len(before) != 3 || before[two.ID].State != string(record.Withdraws) {
				t.Fatalf("%+v", before)
			}
			d.ok(d.Close())

			newer := func(all []record.Stored) (sqlstore.Row, bool) {
				row, ok := project(all)
				row.State = "new " + row.State
				return row, ok && row.Type != "other"
			}
			for _, step := range []struct {
				version string
				project func([]record.Stored) (sqlstore.Row, bool)
				rows    int
				state   string
			}{
				{"1", newer, 3, "published"}, // the same version: nobody looks at the records
				{"2", newer, 2, "new published"},
				{"2", project, 2, "new published"},
				{"1", project, 3, "published"}, // back to the older release
			} {
				s, err := start(step.version, step.project)
				d.ok(err)
				got := states(s)
				d.ok(s.Close())
				if len(got) != step.rows || got[one.ID].State != step.state || got[one.ID].Seq != before[one.ID].Seq || got[two.ID].Version != before[two.ID].Version {
					t.Errorf("version %s: %+v", step.version, got)
				}
			}
		})
	}
}
