package exchange_test

import (
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/exchange"
)

// A member is down after two calls in a row without an answer, until it answers one.
func TestBreaker(t *testing.T) {
	var b exchange.Breaker
	now := time.Date(2026, 3, 13, 9, 0, 0, 0, time.UTC)
	const m, other = "310117-01", "330482-01"
	is := func(when string, want bool) {
		t.Helper()
		if _, down := b.Down(m); down != want {
			t.Errorf("%s: down %v", when, down)
		}
	}
	is("never called", false)
	if b.Answered(m) || b.Failed(m, now) {
		t.Error("something changed by the first call without an answer")
	}
	is("one call unanswered", false)
	b.Answered(m)
	b.Failed(m, now)
	is("an answer between two", false)
	if b.Probe(m, now) {
		t.Error("a probe of a member that is not down")
	}
	if !b.Failed(m, now.Add(time.Second)) || b.Failed(m, now.Add(2*time.Second)) {
		t.Error("the change is told other than once")
	}
	is("two in a row", true)
	if since, _ := b.Down(m); !since.Equal(now.Add(time.Second)) {
		t.Errorf("down since %v", since)
	}
	if _, down := b.Down(other); down {
		t.Error("another member is down")
	}
	if !b.Probe(m, now.Add(3*time.Second)) || b.Probe(m, now.Add(4*time.Second)) || !b.Probe(m, now.Add(5*time.Second)) {
		t.Error("not one probe every two seconds")
	}
	if !b.Answered(m) || b.Answered(m) {
		t.Error("its return is told other than once")
	}
	is("after its return", false)
}
