package sqlstore_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
)

// Both databases give each number once, and no officer more than he may have untied, however many ask at once; a repeat
// gets the same number, a settled one is settled once.
func TestStore_SpotChecks(t *testing.T) {
	for name, set := range map[string]func(*sqlstore.Config){
		"sqlite":   func(*sqlstore.Config) {},
		"postgres": func(c *sqlstore.Config) { c.Driver, c.DSN = "postgres", testsvc.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			d := sit(t, set)
			at := time.Date(2026, 3, 13, 9, 30, 0, 5e6, record.CivilZone)
			serial := func(n int) string { return fmt.Sprintf("n-%03d", n) }
			issue := func(account, key string) (federation.SpotCheck, bool, error) {
				return d.IssueSpotCheck(d.ctx, federation.SpotCheck{Account: account, Certificate: "99000000001", Second: "99000000002", Place: "310116", Issued: at}, key, 3, serial)
			}
			var mu sync.Mutex
			var numbers []string
			full := 0
			var wg sync.WaitGroup
			for i := range 16 {
				wg.Go(func() {
					s, _, err := issue(fmt.Sprint("officer ", i%2), fmt.Sprint("key ", i))
					mu.Lock()
					defer mu.Unlock()
					switch {
					case errors.Is(err, federation.ErrUntied):
						full++
					case err != nil:
						t.Error(err)
					default:
						numbers = append(numbers, s.Number)
					}
				})
			}
			wg.Wait()
			slices.Sort(numbers)
			if want := []string{"n-001", "n-002", "n-003", "n-004", "n-005", "n-006"}; !slices.Equal(numbers, want) || full != 10 {
				t.Fatalf("%v and %d refused", numbers, full)
			}
			all, err := d.UntiedSpotChecks(d.ctx, "officer 1")
			d.ok(err)
			if len(all) != 3 || all[0].Account != "officer 1" || !all[0].Issued.Equal(at) || !all[0].Untied() || all[0].Second != "99000000002" || all[0].Place != "310116" {
				t.Errorf("%+v", all)
			}
			end := all[0]
			end.Tied, end.Settled, end.SettledBy = federation.WorkRef{Kind: "case", Number: "测1"}, at.Add(time.Hour), "reviewer"
			d.ok(d.SettleSpotCheck(d.ctx, end))
			if err := d.SettleSpotCheck(d.ctx, end); !errors.Is(err, record.ErrStale) {
				t.Errorf("settled twice: %v", err)
			}
			got, err := d.SpotCheck(d.ctx, end.Number)
			d.ok(err)
			if got.Tied != end.Tied || !got.Settled.Equal(end.Settled) || got.SettledBy != "reviewer" || got.Untied() {
				t.Errorf("%+v", got)
			}
			if _, err := d.SpotCheck(d.ctx, "n-999"); !errors.Is(err, record.ErrNotFound) {
				t.Errorf("no such number: %v", err)
			}
			s, repeated, err := issue("officer 1", "a key more")
			d.ok(err)
			if again, twice, err := issue("officer 1", "a key more"); err != nil || repeated || !twice || again.Number != s.Number {
				t.Errorf("a repeat: %v %v %v", again, twice, err)
			}
			if all, err := d.UntiedSpotChecks(d.ctx, ""); err != nil || len(all) != 6 {
				t.Errorf("%d %v", len(all), err)
			}
		})
	}
}
