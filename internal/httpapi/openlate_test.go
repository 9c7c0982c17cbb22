package httpapi_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/record"
)

// What becomes known while a question is first asked, after its members have answered and before it is kept open, touches
// it all the same.
func TestPeople_a_change_during_the_first_asking(t *testing.T) {
	f := offices(t, 2)
	a, b := f[0].open().staff(), f[1].open().staff()
	w := a.at("L3")
	call := a.hub.Call
	a.hub.Call = func(ctx context.Context, m record.MemberID, body []byte) ([]byte, error) {
		note, err := call(ctx, m, body)
		if m == b.dir.Self() && w.Version == 1 {
			eventually(t, "this bureau has answered itself", func() bool { types, _ := a.audits(); return slices.Contains(types, "lookup.answered") })
			a.ok("liaison", "POST", "/api/v1/penalties/"+w.ID+"/status", obj{"version": w.Version, "status": "suspended", "reason": "核实中", "legal_basis": "行政处罚法第54条", "purpose": "CASE"}, &w)
			read := a.heads.Load()
			eventually(t, "the log was read while no question was open", func() bool { a.questions.Wake(); return a.heads.Load() > read+1 })
		}
		return note, err
	}
	a.watching()
	var ans httpapi.AskAnswer
	a.ok("officer", "POST", "/api/v1/asks", question(nil), &ans)
	var u httpapi.AskUpdate
	eventually(t, "the suspension is told", func() bool {
		a.clock.move(3 * time.Second)
		a.ok("officer", "GET", "/api/v1/asks/"+ans.Ask, nil, &u)
		return u.Count.Basic == 0
	})
}
