package httpapi_test

import (
	"testing"

	"github.com/pilinhub/pilin/internal/auth"
)

// A place that was remembered before a restore lies behind the end of the drafts: what is written since stands before it,
// and is told all the same.
func TestEvents_resume_behind_a_restore(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	o.penaltyAndEntry()
	e := hears(t, o.client(t, "e.reviewer", auth.LegalReviewer), "310116-01/local:4611686018427387903,310116-01/records:2")
	o.penaltyAndEntry()
	for range 2 {
		if n := e.next(); n.Topic != "draft" || n.Type != "penalty" {
			t.Errorf("%+v", n)
		}
	}
}
