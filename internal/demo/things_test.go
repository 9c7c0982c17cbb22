package demo

import (
	"fmt"
	"slices"
	"testing"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/match"
)

// TestTimedStory_PlatesAndPlacesAreFound: an officer of 金山 finds what three others have listed, and nothing of it counts.
func TestTimedStory_PlatesAndPlacesAreFound(t *testing.T) {
	a := play(t, "2026-03-13")
	d := a.desk("金山", "officer")
	for _, row := range []struct {
		q           client.Question
		bureau, typ string
		outcome     string
		code        string
	}{
		{client.Question{Plate: Story[0].Handle.Value}, "平湖", client.EntryHandle, "hit", "plate_equal"},
		{client.Question{Phone: Story[1].Handle.Value}, "松江", client.EntryHandle, "hit", "phone_equal"},
		{client.Question{Address: "平湖样板镇测样村九组8号"}, "平湖", client.EntryPremises, "hit", "place_equal"},
		{client.Question{Org: "测样堂诊所"}, "吴江", client.EntryInstitution, "possible", "org_equal"},
	} {
		var ans client.Answer
		eventually(t, "everybody answers", func() bool {
			var err error
			ans, err = d.Ask(t.Context(), raid(row.q))
			// The rosters come by the road, the answers live.
			return err == nil && ans.Answered == ans.Total && ans.Total == len(Bureaux) && !slices.ContainsFunc(ans.Members, func(m client.Answerer) bool { return m.Duty == nil })
		})
		i := slices.IndexFunc(ans.Hits, func(h client.Hit) bool {
			return h.Member == bureau(row.bureau).Member && h.Type == row.typ && h.Outcome == row.outcome && h.Level == "L3" &&
				slices.ContainsFunc(h.Lines, func(l match.Evidence) bool { return l.Code == row.code })
		})
		for _, m := range ans.Members {
			at := slices.IndexFunc(Bureaux, func(b Bureau) bool { return b.Member == m.Member })
			if m.Duty.PhoneDay != fmt.Sprintf("1540002%04d", at) || m.Duty.Person == "" {
				t.Errorf("duty of %s: %+v", m.Member, m.Duty)
			}
		}
		if i < 0 || ans.Count != nil {
			t.Errorf("%s of %s: %s, %+v, counted %t", row.typ, row.bureau, ans.Outcome, ans.Hits, ans.Count != nil)
		}
	}
}
