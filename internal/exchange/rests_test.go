package exchange_test

import (
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

// A peer that has had enough is left alone for as long as it said, no longer than a minute, and whatever the clock does.
func TestRests(t *testing.T) {
	now := time.Date(2026, 3, 13, 9, 0, 0, 0, time.UTC)
	const m, other = record.MemberID("310117-01"), record.MemberID("330482-01")
	var r exchange.Rests
	for _, c := range []struct {
		told, after, want time.Duration
	}{
		{5 * time.Second, 0, 5 * time.Second}, {5 * time.Second, 4 * time.Second, time.Second}, {5 * time.Second, 5 * time.Second, 0},
		{0, 0, time.Second}, {-time.Hour, 0, time.Second}, {24 * time.Hour, 0, exchange.RestLast}, {5 * time.Second, -time.Hour, 0},
	} {
		r.Told(m, now, c.told)
		if got := r.Left(m, now.Add(c.after)); got != c.want {
			t.Errorf("told %v, after %v: %v left, want %v", c.told, c.after, got, c.want)
		}
		if got := r.Left(other, now); got != 0 {
			t.Errorf("another peer: %v", got)
		}
	}
}
