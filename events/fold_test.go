package events_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/pilinhub/pilin/events"
	"github.com/pilinhub/pilin/record"
)

var noPrivate = cmpopts.IgnoreUnexported(events.Operation{})

// TestProperty_Fold: order plays no part, strangers' records count for nothing, and all participants see the same.
func TestProperty_Fold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := newAlliance(t)
		on := a.proposed()
		all := []record.MemberID{jinshan, songjiang, pinghu, wujiang}
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			m := rapid.SampledFrom(all).Draw(t, "member")
			now := on
			now.Version = a.at(jinshan, on).Version
			switch rapid.IntRange(0, 6).Draw(t, "call") {
			case 0, 1, 2:
				_, _ = a.boards[m].Accept(ctx, everybody, now, yes)
			case 3:
				_, _ = a.boards[m].Decline(ctx, everybody, now, no)
			case 4:
				_, _ = a.boards[m].Start(ctx, everybody, now, step)
			case 5:
				_, _ = a.boards[m].End(ctx, everybody, now, step)
			case 6:
				_, _ = a.boards[m].Cancel(ctx, everybody, now, step)
			}
		}
		// A second operation of the same members, whose records lie between.
		other := a.proposed()
		_, _ = a.boards[pinghu].Accept(ctx, everybody, other, yes)
		a.now = a.now.AddDate(0, 0, rapid.IntRange(0, 20).Draw(t, "days"))

		var records []record.Stored
		for _, list := range a.streams {
			records = append(records, list...)
		}
		records = rapid.Permutation(records).Draw(t, "order")
		plan := slices.DeleteFunc(slices.Clone(records), func(st record.Stored) bool {
			id, _ := st.Meaning.Subject()
			return id != on.ID || st.Stream != on.Stream
		})
		got, err := events.Fold(plan, records, a.now)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			want := a.at(m, on)
			if m != jinshan { // the part home stays with the lead
				delete(got.Parts, record.Home)
			} else {
				want.Parts = map[record.PartName][]byte{record.Card: want.Parts[record.Card], record.Body: want.Parts[record.Body]}
				delete(got.Parts, record.Home)
			}
			if diff := cmp.Diff(want, got, noPrivate); diff != "" {
				t.Fatal(m, diff)
			}
		}
		if got.State == events.Running && len(got.Partners()) == 0 && len(plan) == 1 {
			t.Fatal("it runs without anybody")
		}
	})
}

func TestFold_foreign(t *testing.T) {
	a := newAlliance(t)
	on := a.proposed()
	stream := a.streams[on.Stream]
	group := stream[0].Meaning.Audience
	seal := func(s record.StreamID, seq uint64, typ string, card string, refs ...record.Ref) record.Stored {
		id, err := record.NewBits128(a.seal.Random)
		if err != nil {
			t.Fatal(err)
		}
		st, err := a.seal.Seal(record.Draft{Stream: s, ID: id, Type: typ, Schema: "1", Day: "2026-04-02", Audience: group, Refs: refs,
			Parts: map[record.PartName][]byte{record.Card: []byte(card)}}, seq)
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	answers := record.Ref{Rel: record.Answers, ID: on.ID}
	from := func(m record.MemberID, card string) record.Stored {
		return seal(record.Stream(m, record.Records), 0, events.TypeReply, card, answers)
	}
	unusable := from(pinghu, `{"reply":"accept","member":"330482-01"}`)
	unusable.Unusable = "schema"
	for name, st := range map[string]record.Stored{
		"in another's name":       from(jiashan, `{"reply":"decline","member":"330482-01"}`),
		"for another":             from(pinghu, `{"reply":"accept","member":"310117-01"}`),
		"from who is uninvited":   from(jiashan, `{"reply":"accept","member":"330421-01"}`),
		"the lead accepts":        from(jinshan, `{"reply":"accept","member":"310116-01"}`),
		"an unknown answer":       from(pinghu, `{"reply":"maybe","member":"330482-01"}`),
		"refused by its schema":   unusable,
		"to another plan":         seal(record.Stream(pinghu, record.Records), 0, events.TypeReply, `{"reply":"accept","member":"330482-01"}`, record.Ref{Rel: record.Answers, ID: record.RecordID{9}}),
		"of another type":         seal(record.Stream(pinghu, record.Records), 0, events.TypeStatus, `{"status":"cancel"}`, answers),
		"without a readable part": {Stream: record.Stream(pinghu, record.Records), Meaning: record.Meaning{ID: record.RecordID{8}, Type: events.TypeReply, Refs: []record.Ref{answers}}},
	} {
		o, err := events.Fold(stream, []record.Stored{st}, time.Time{})
		if err != nil || o.State != events.Proposed || slices.ContainsFunc(o.Replies, func(r events.Reply) bool { return r.State != events.Invited }) {
			t.Errorf("%s: %v %+v", name, err, o.Replies)
		}
	}
	follows := func(v uint64) record.Ref { return record.Ref{Rel: record.Follows, ID: on.ID, Version: v} }
	for name, st := range map[string]record.Stored{
		"end before start": seal(on.Stream, 1, events.TypeStatus, `{"status":"postponed"}`, follows(1)),
		"unknown type":     seal(on.Stream, 1, "operation.draw", `{"status":"start"}`, follows(1)),
	} {
		o, err := events.Fold(append(slices.Clone(stream), st), nil, time.Time{})
		if err != nil || o.State != events.Proposed || o.Version != 2 || !o.History[1].Ignored {
			t.Errorf("%s: %v %+v", name, err, o)
		}
	}
	if o, err := events.Fold(append(slices.Clone(stream), seal(on.Stream, 1, "operation.gone", `{}`, record.Ref{Rel: record.Withdraws, ID: on.ID, Version: 1})), nil, time.Time{}); err != nil || o.State != events.Cancelled {
		t.Errorf("withdrawn: %v %+v", err, o)
	}
	usurped := seal(record.Stream(jiashan, record.Records), 0, events.TypeOperation, `{"lead_member":"310116-01","participants":[]}`)
	for name, records := range map[string][]record.Stored{
		"nothing": nil, "a plan in another's name": {usurped}, "a step without plan": {seal(on.Stream, 1, events.TypeStatus, `{}`, follows(1))},
	} {
		if _, err := events.Fold(records, nil, time.Time{}); !errors.Is(err, events.ErrNothing) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := events.Fold([]record.Stored{unusable}, nil, time.Time{}); !errors.Is(err, events.ErrOtherType) {
		t.Error(err)
	}
	if _, err := events.Fold([]record.Stored{stream[0], usurped}, nil, time.Time{}); !errors.Is(err, events.ErrMixed) {
		t.Error(err)
	}
}

func TestProject(t *testing.T) {
	a := newAlliance(t)
	on := a.confirmed()
	a.must(a.boards[pinghu].Decline(ctx, liaison, on, no))
	o := a.at(jinshan, on)
	row, ok := events.Project(a.streams[on.Stream])
	if !ok || row.Type != "operation" || row.Plan != on.ID || row.State != events.Proposed || row.Version != 1 {
		t.Errorf("%+v", row)
	}
	replies, _ := a.boards[jinshan].Log.Subject(ctx, o.Replies[1].Own.Stream, o.Replies[1].Own.ID)
	row, ok = events.Project(replies)
	if !ok || row.Type != "operation.reply" || row.Plan != on.ID || row.State != events.Declined || row.Version != 2 || row.Subject == on.ID {
		t.Errorf("%+v", row)
	}
	if _, ok := events.Project(nil); ok {
		t.Error("a row of nothing")
	}
	strange, _ := a.boards[jiashan].Log.Subject(ctx, on.Stream, on.ID)
	if _, ok := events.Project(strange); ok || len(strange) == 0 {
		t.Error("a row of a sealed record")
	}
	if !events.Answers(replies[0], on.ID) || events.Answers(a.streams[on.Stream][0], on.ID) {
		t.Error("Answers")
	}
}

// FuzzFold: what other members send is read without a fault, and what they may not decide stays undecided.
func FuzzFold(f *testing.F) {
	a := newAlliance(f)
	on := a.proposed()
	stream := a.streams[on.Stream]
	for _, s := range []string{`{"status":"start"}`, `{"reply":"accept","member":"330482-01"}`, `{"reply":"decline","member":"330482-01"}`, `{}`, `[]`, `{"status":1}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, card []byte) {
		forged := record.Stored{Stream: record.Stream(pinghu, record.Records), Parts: []record.StoredPart{{Name: record.Card, State: record.PartPresent, Bytes: card}},
			Meaning: record.Meaning{ID: record.RecordID{7}, Type: events.TypeReply, Refs: []record.Ref{{Rel: record.Answers, ID: on.ID}}}}
		o, err := events.Fold(stream, []record.Stored{forged}, time.Time{})
		if err != nil || o.State != events.Proposed || o.Replies[0].State != events.Invited {
			t.Errorf("%v %+v", err, o)
		}
		forged.Stream, forged.Seq = on.Stream, 1
		forged.Meaning.Type, forged.Meaning.Refs = events.TypeStatus, []record.Ref{{Rel: record.Follows, ID: on.ID, Version: 1}}
		if _, err := events.Fold([]record.Stored{stream[0], forged}, nil, time.Time{}); err != nil {
			t.Error(err)
		}
	})
}
