package federation

import (
	"testing"

	"github.com/pilinhub/pilin/match"
)

// A question may name a person's number and an institution's code: who equals the one is not who equals the other.
func TestCards_person_and_institution(t *testing.T) {
	hit := func(typ, code string) LiveHit {
		var h LiveHit
		h.Type, h.Outcome, h.Lines = typ, Hit, []match.Evidence{{Code: code}}
		return h
	}
	got := cards([]LiveHit{hit("blacklist.person", "id_equal"), hit("blacklist.premises", "uscc_equal"), hit("penalty", "id_equal")})
	if len(got) != 2 || len(got[0].Hits) != 2 || got[0].By != CardByQuestion || len(got[1].Hits) != 1 || got[1].Hits[0] != 1 {
		t.Errorf("%+v", got)
	}
}
