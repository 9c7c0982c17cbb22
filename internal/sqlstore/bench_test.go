package sqlstore_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/record/recordtest"
)

// BenchmarkAppend measures acknowledged appends of one audit record each, by how many callers there are at once.
func BenchmarkAppend(b *testing.B) {
	for driver, dsn := range map[string]func(b *testing.B) string{
		"sqlite":   func(b *testing.B) string { return filepath.Join(b.TempDir(), "pilin.db") },
		"postgres": func(b *testing.B) string { return testsvc.PostgresDurable(b) },
	} {
		for _, callers := range []int{1, 16, 256} {
			b.Run(fmt.Sprintf("%s/callers=%d", driver, callers), func(b *testing.B) {
				k := recordtest.NewKit(6)
				cfg := config(k.Config(recordtest.Self))
				cfg.Driver, cfg.DSN, cfg.UnsafeTest = driver, dsn(b), false
				s, err := sqlstore.Open(b.Context(), cfg)
				if err != nil {
					b.Fatal(err)
				}
				defer s.Close()
				drafts := make(chan record.Draft, b.N)
				for range b.N {
					drafts <- k.Draft(recordtest.Self, record.Audit)
				}
				close(drafts)
				b.ResetTimer()
				var wg sync.WaitGroup
				for range callers {
					wg.Go(func() {
						for d := range drafts {
							if _, err := s.Append(b.Context(), record.Append{Drafts: []record.Draft{d}}); err != nil {
								b.Error(err)
							}
						}
					})
				}
				wg.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
			})
		}
	}
}
