package blacklist_test

import (
	"errors"
	"testing"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
)

func TestRegister_repeat(t *testing.T) {
	d := newDesk(t, "repeat")
	on := d.approved(d.proposal())
	req := liaison
	req.Scope, req.Key, req.BodyHash = "acc-11 POST /publish", "k1", [32]byte{1}
	first := d.must(d.reg.Publish(ctx, req, on))
	size := len(d.log.streams[shared])
	second := d.must(d.reg.Publish(ctx, req, on))
	if !second.Appended.Repeated || second.On != first.On || second.Record != first.Record || second.State != first.State || len(d.log.streams[shared]) != size {
		t.Errorf("first %+v, second %+v", first, second)
	}
	other := req
	other.BodyHash = [32]byte{2}
	done, err := d.reg.Publish(ctx, other, on)
	refusedWith(t, "idempotency_conflict", done, err)
	without := req
	without.Key = ""
	done, err = d.reg.Publish(ctx, without, on)
	refusedWith(t, "version_conflict", done, err)

	// The caller's own answer comes back byte for byte.
	sus := liaison
	sus.Scope, sus.Key = "s", "k2"
	sus.Answer = func(done blacklist.Done) ([]byte, error) {
		return []byte(done.Record.String() + " " + string(done.State)), nil
	}
	a := d.must(d.reg.Suspend(ctx, sus, first.On, paper("objection")))
	b := d.must(d.reg.Suspend(ctx, sus, first.On, paper("objection")))
	if string(a.Appended.Answer) != a.Record.String()+" suspended" || string(b.Appended.Answer) != string(a.Appended.Answer) || !b.Appended.Repeated {
		t.Errorf("%s, %s", a.Appended.Answer, b.Appended.Answer)
	}

	// The same request twice at once: the one that loses the race gets the winner's answer.
	e2 := d.entry()
	race := sus
	race.Key, race.Answer = "k3", nil
	var winner blacklist.Done
	d.log.before = func() { winner = d.must(d.reg.Suspend(ctx, race, e2, paper("objection"))) }
	loser := d.must(d.reg.Suspend(ctx, race, e2, paper("objection")))
	if loser.Record != winner.Record || !loser.Appended.Repeated {
		t.Errorf("winner %+v, loser %+v", winner, loser)
	}
	// Also where it finds the state moved on before it appends anything.
	e3 := d.entry()
	race.Key = "k4"
	d.log.reading = func() { winner = d.must(d.reg.Suspend(ctx, race, e3, paper("objection"))) }
	loser = d.must(d.reg.Suspend(ctx, race, e3, paper("objection")))
	if loser.Record != winner.Record || !loser.Appended.Repeated {
		t.Errorf("winner %+v, loser %+v", winner, loser)
	}
}

// TestRegister_two_people_at_once: the version decides, nobody's change is lost or doubled.
func TestRegister_two_people_at_once(t *testing.T) {
	d := newDesk(t, "race")
	on := d.entry()
	d.log.before = func() { d.must(d.reg.Suspend(ctx, reviewer, on, paper("identity_doubt"))) }
	done, err := d.reg.Suspend(ctx, liaison, on, paper("objection"))
	refusedWith(t, "version_conflict", done, err)
	if e := d.view(on, ""); e.Version != 2 || e.SuspendedBy != "acc-31" {
		t.Errorf("%+v", e)
	}

	draft := d.approved(d.proposal())
	before := len(d.log.streams[shared])
	d.log.before = func() { d.must(d.reg.Publish(ctx, liaison, draft)) }
	done, err = d.reg.Publish(ctx, liaison, draft)
	refusedWith(t, "version_conflict", done, err)
	if len(d.log.streams[shared]) != before+1 {
		t.Error("an entry was published twice")
	}

	d.log.fail = record.ErrStorageFull
	if _, err = d.reg.Draft(ctx, officer, blacklist.Proposal{Type: blacklist.TypePenalty, Payload: d.penaltyPayload(nil)}); !errors.Is(err, record.ErrStorageFull) {
		t.Errorf("storage full: %v", err)
	}
}

func TestErrors_name_no_value(t *testing.T) {
	err := error(&blacklist.Invalid{Violations: []schemas.Violation{{Pointer: "/name", Code: "required"}}})
	if err.Error() != "payload refused: required at /name" {
		t.Error(err)
	}
	err = &blacklist.Refusal{Code: "guard:reason", Pointer: "/reason"}
	if err.Error() != "refused: guard:reason /reason" {
		t.Error(err)
	}
}
