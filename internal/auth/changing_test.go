package auth_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pilinhub/pilin/internal/auth"
)

// Requests that come at once do not pass each other's checks: one acting head for a day, one unit of a code, one account for
// a line of the roster.
func TestPeople_changes_at_once(t *testing.T) {
	b := newBureau(t)
	ctx := t.Context()
	names := []string{"at.a", "at.b", "at.c", "at.d", "at.e", "at.f", "at.g", "at.h"}
	for _, n := range names {
		b.person(t, n, auth.Liaison)
	}
	// The store reads beside a write, so that all look before one has written.
	atOnce := func(do func(name string) bool) int {
		var wg sync.WaitGroup
		var done atomic.Int32
		start := make(chan struct{})
		for _, n := range names {
			wg.Go(func() {
				<-start
				if do(n) {
					done.Add(1)
				}
			})
		}
		close(start)
		wg.Wait()
		return int(done.Load())
	}
	if n := atOnce(func(name string) bool {
		_, err := b.Delegate(ctx, "", name, "2026-03-13", "2026-03-20", strings.Repeat("ab", 32))
		return err == nil
	}); n != 1 {
		t.Errorf("%d people act as head on one day", n)
	}
	if n := atOnce(func(name string) bool {
		return b.AddUnit(ctx, "", auth.Unit{Code: "KS-1", Name: name, Kind: "section"}) == nil
	}); n != 1 {
		t.Errorf("the code of a unit was given %d times", n)
	}
	if n := atOnce(func(string) bool {
		done, _, err := b.Enrol(ctx, "", []auth.Certified{{Certificate: "99000000301", Until: "2028-06-30"}}, "", false)
		return err == nil && (done[0].Done == auth.EnrolledNew || done[0].Done == auth.EnrolledUnchanged)
	}); n != len(names) {
		t.Errorf("%d of %d imports of one roster at once went through", n, len(names))
	}
}
