package sqlstore_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/record/recordtest"
)

// However long a node runs and whoever knocks, its side tables hold what their retention says and no more (docs/operate,
// retention): here a hundred days of traffic, maintained daily, on both databases.
func TestStore_SideTablesAreBounded(t *testing.T) {
	for name, database := range map[string]func(t *testing.T, c *sqlstore.Config){
		"sqlite":   func(t *testing.T, c *sqlstore.Config) { c.DSN = filepath.Join(t.TempDir(), "pilin.db") },
		"postgres": func(t *testing.T, c *sqlstore.Config) { c.Driver, c.DSN = "postgres", testsvc.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 3, 13, 9, 0, 0, 0, time.UTC)
			d := sit(t, func(c *sqlstore.Config) {
				database(t, c)
				c.Now = func() time.Time { return now }
			})
			id := func(i int) string { return fmt.Sprintf("%032x", i+1) }
			d.ok(d.CreateAccount(d.ctx, auth.Account{ID: id(0), Name: "officer", Roles: []auth.Role{auth.Officer}, Created: now.Unix()}))
			const days = 100
			for i := range days {
				key := [32]byte{byte(i), 1}
				_, err := d.Append(d.ctx, record.Append{Drafts: []record.Draft{d.Draft(recordtest.Self, record.Audit)}, Scope: "account", Key: id(i), BodyHash: key,
					Uses: []record.Use{{Kind: "jti", ID: id(i), Expires: now.Add(time.Minute).Unix()}}})
				d.ok(err)
				_, err = d.BeginAttempt(d.ctx, key, now.Unix(), 5, 900) // a name that a stranger typed
				d.ok(err)
				d.ok(d.PutLink(d.ctx, key, id(0), now.Add(72*time.Hour).Unix()))
				d.ok(d.StartSession(d.ctx, auth.Session{Family: id(i), Account: id(0), Token: key, Expires: now.Add(time.Hour).Unix(), Ends: now.Add(12 * time.Hour).Unix()}))
				d.ok(d.PutOpen(d.ctx, federation.KeptAsk{ID: record.Bits128{byte(i), 1}, Until: now.Add(7 * 24 * time.Hour).Unix(), State: []byte("x")}))
				d.ok(d.PutImport(d.ctx, id(i), now.Unix(), []byte("{}"), []byte("file")))
				now = now.Add(24 * time.Hour)
				d.ok(d.Maintain(d.ctx))
			}
			for table, most := range map[string]int{"used_id": 1, "idempotency": 31, "attempt": 1, "account_link": 3, "session": 1, "rotated_token": 0, "open_question": 7, "import WHERE file IS NOT NULL": 91} {
				n, err := d.Rows(d.ctx, table)
				d.ok(err)
				if n > most {
					t.Errorf("%s: %d rows after %d days, want at most %d", table, n, days, most)
				}
			}
			if d.size(record.Audit) != days {
				t.Error("the log itself was pruned")
			}
		})
	}
}
