package httpapi_test

import (
	"context"
	"crypto/ed25519"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/events"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/record"
)

// board is the office's desk for operations, wired as a node does it.
func (o *office) board(log events.Log) *events.Board {
	return &events.Board{Log: log, Self: o.dir.Self(), Now: o.clock.Now, Random: seeded("board" + string(o.dir.Self())), Synthetic: true,
		NewGroup: func(_ context.Context, members []record.MemberID) (record.GroupID, error) {
			note, err := federation.NewAgreement(seeded("group"), o.dir, members, day0)
			if err != nil {
				return "", err
			}
			a, err := federation.ParseAgreement(note)
			if err != nil {
				return "", err
			}
			_, err = o.dir.AddAgreement(note)
			return a.Group, err
		},
		Replies: func(ctx context.Context, _ record.RecordID, members []record.MemberID) ([]record.Stored, error) {
			var out []record.Stored
			for _, m := range members {
				rs, err := o.records(ctx, m)
				if err != nil {
					return nil, err
				}
				out = append(out, slices.DeleteFunc(rs, func(st record.Stored) bool { return st.Meaning.Type != events.TypeReply })...)
			}
			return out, nil
		}}
}

// records returns what the office holds of a member's stream.
func (o *office) records(ctx context.Context, m record.MemberID) ([]record.Stored, error) {
	gs, err := o.store.Groups(ctx, record.Stream(m, record.Records), 0, 1000)
	var out []record.Stored
	for _, g := range gs {
		out = append(out, g.Records...)
	}
	return out, err
}

// operations lists what the office can read.
func (o *office) operations(ctx context.Context) ([]events.Operation, error) {
	var out []events.Operation
	for _, m := range o.dir.Active() {
		rs, err := o.records(ctx, m)
		if err != nil {
			return nil, err
		}
		for _, st := range rs {
			if st.Meaning.Type != events.TypeOperation {
				continue
			}
			op, err := o.desk.Operation(ctx, st.Stream, st.Meaning.ID)
			if err != nil {
				return nil, err
			}
			out = append(out, op)
		}
	}
	return out, nil
}

func (o *office) roster() *exchange.Roster {
	return &exchange.Roster{Federation: o.dir.Federation(), Self: o.dir.Self(), Members: o.dir.Active,
		Known: func(m record.MemberID) bool { _, ok := o.dir.Member(m); return ok }, Charter: o.dir.Charter, CharterKnown: o.dir.Known, SignKey: o.dir.SignKey,
		NoteKeys: func(m record.MemberID) []ed25519.PublicKey {
			k, _ := o.dir.CurrentKey(m)
			return []ed25519.PublicKey{k}
		},
		Key: o.dir.EpochKey, SealKey: o.dir.EpochKey, Groups: o.dir.Groups}
}

// coverage is what node hands to the border.
func (o *office) coverage(ctx context.Context, s record.StreamID, seq uint64, members []record.MemberID) (int, []record.MemberID, error) {
	if o.receipts == nil {
		o.receipts = &exchange.Receipts{Log: o.store, Roster: o.roster(), Count: &exchange.Counters{}}
	}
	c, err := o.receipts.Coverage(ctx, s, seq, members)
	return c.K, c.Missing, err
}

// carry brings everything that every office holds of its own to every other one, and agreements to whom they name.
func carry(t *testing.T, all []*office) {
	t.Helper()
	for _, to := range all {
		rs := &exchange.Replicas{Log: to.store, Roster: to.roster(), Count: &exchange.Counters{}, Alarm: func(a exchange.Alarm) { t.Errorf("alarm %+v", a) }}
		must(t, rs.Load(t.Context()))
		for _, from := range all {
			if from == to {
				continue
			}
			for _, id := range from.dir.AgreementsOf(to.dir.Self()) {
				note, _ := from.dir.Agreement(id, to.dir.Self())
				_, err := to.dir.AddAgreement(note)
				must(t, err)
			}
			s := record.Stream(from.dir.Self(), record.Records)
			h, err := to.store.Head(t.Context(), s)
			must(t, err)
			b, err := exchange.ServeRange(t.Context(), from.store, from.roster(), true, to.dir.Self(), s, h.Size)
			must(t, err)
			frames, err := record.DecodeRange(b)
			must(t, err)
			for _, fr := range frames {
				if out := rs.Offer(t.Context(), fr, exchange.ViaHTTP, nil); out.Err != nil {
					t.Fatal(out.Err)
				}
			}
		}
	}
}

func TestPeople_a_joint_operation(t *testing.T) {
	f := offices(t, 3)
	for _, o := range f {
		o.open().staff()
	}
	lead, invited, other := f[0], f[1], f[2]
	plan := example(t, "operation", "plan")
	plan["participants"] = []record.MemberID{lead.dir.Self(), invited.dir.Self()}
	plan["teams"] = []obj{{"host": invited.dir.Self(), "leader": "acc-1", "officers": []string{"acc-1", "acc-2"}}}
	body, err := json.Marshal(obj{"payload": plan})
	must(t, err)

	lead.refused(request{as: "officer", method: "POST", path: "/api/v1/operations", body: string(body)}, 403, "forbidden")
	lead.refused(request{as: "admin", method: "POST", path: "/api/v1/operations", body: string(body)}, 403, "forbidden")
	bad := strings.Replace(string(body), `"end_at":"2026-04-15T12`, `"end_at":"2026-04-15T02`, 1)
	if p := lead.refused(request{as: "coordinator", method: "POST", path: "/api/v1/operations", body: bad}, 422, "invalid"); !hasPointer(p, "/payload/end_at") {
		t.Errorf("%+v", p.Errors)
	}
	stranger := strings.Replace(string(body), `"lead_member":"`+string(lead.dir.Self()), `"lead_member":"`+string(other.dir.Self()), 1)
	if p := lead.refused(request{as: "coordinator", method: "POST", path: "/api/v1/operations", body: stranger}, 403, "not_lead"); !hasPointer(p, "/payload/lead_member") {
		t.Errorf("%+v", p.Errors)
	}

	var w httpapi.Written
	r := request{as: "coordinator", method: "POST", path: "/api/v1/operations", body: string(body), key: "plan-1"}
	res, first := lead.do(r)
	if res.StatusCode != 201 {
		t.Fatalf("%d %s", res.StatusCode, first)
	}
	if _, again := lead.do(r); string(again) != string(first) {
		t.Errorf("another answer: %s", again)
	}
	must(t, json.Unmarshal(first, &w))
	carry(t, f)

	path := "/api/v1/operations/" + w.ID
	var op httpapi.Operation
	invited.ok("liaison", "GET", path, nil, &op)
	if op.State != "proposed" || op.Lead != lead.dir.Self() || len(op.Replies) != 1 || op.Replies[0].State != "invited" ||
		!strings.Contains(string(op.Payload), "样例行动") || strings.Contains(string(op.Payload), "targets") {
		t.Errorf("%+v %s", op, op.Payload)
	}
	lead.ok("coordinator", "GET", path, nil, &op)
	if !strings.Contains(string(op.Payload), "targets") || op.Receipts == nil || op.Receipts.Total != 2 || op.Receipts.Applied != 1 {
		t.Errorf("the lead sees its targets, and who has the plan: %s %+v", op.Payload, op.Receipts)
	}
	// Whoever goes out sees nothing before the embargo ends; who is not invited never does.
	invited.refused(request{as: "officer", method: "GET", path: path}, 404, "not_found")
	other.refused(request{as: "liaison", method: "GET", path: path}, 404, "not_found")
	other.refused(request{as: "liaison", method: "POST", path: path + "/accept", body: `{}`}, 404, "not_found")
	invited.refused(request{as: "coordinator", method: "POST", path: path + "/accept", body: `{}`}, 403, "forbidden")
	invited.refused(request{as: "coordinator", method: "POST", path: path + "/start", body: `{"version":1}`}, 403, "not_lead")
	lead.refused(request{as: "coordinator", method: "POST", path: path + "/start", body: `{"version":1,"legal_basis":"共建协议"}`}, 409, "transition")
	invited.ok("liaison", "POST", path+"/accept", obj{"officers": 4, "cars": 1, "legal_basis": "共建协议第3条", "contact": "测丙", "phone": "15400000009"}, &w)
	if w.State != "accepted" {
		t.Errorf("%+v", w)
	}
	carry(t, f)
	lead.ok("coordinator", "GET", path, nil, &op)
	if op.State != "confirmed" || op.Replies[0].State != "accepted" {
		t.Errorf("%+v", op)
	}
	lead.ok("coordinator", "POST", path+"/start", obj{"version": op.Version, "legal_basis": "共建协议第3条"}, &w)
	lead.refused(request{as: "coordinator", method: "POST", path: path + "/cancel", body: `{"version":2,"reason":"雨","legal_basis":"共建协议"}`}, 409, "transition")
	lead.ok("coordinator", "POST", path+"/end", obj{"version": w.Version, "legal_basis": "共建协议第3条"}, &w)
	if w.State != "ended" {
		t.Errorf("%+v", w)
	}
	carry(t, f)

	var list struct {
		Operations []httpapi.Operation `json:"operations"`
	}
	invited.ok("liaison", "GET", "/api/v1/operations", nil, &list)
	if len(list.Operations) != 1 || list.Operations[0].State != "ended" {
		t.Errorf("%+v", list)
	}
	other.ok("liaison", "GET", "/api/v1/operations", nil, &list)
	if len(list.Operations) != 0 {
		t.Errorf("who is not invited lists %+v", list)
	}
	invited.ok("officer", "GET", "/api/v1/operations", nil, &list)
	if len(list.Operations) != 0 {
		t.Errorf("under embargo an officer lists %+v", list)
	}
	for _, o := range f {
		o.clock.move(60 * 24 * time.Hour)
	}
	invited.person("later", "officer")
	invited.ok("later", "GET", path, nil, &op)
	if op.State != "ended" {
		t.Errorf("%+v", op)
	}
}
