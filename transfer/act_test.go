package transfer_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/transfer"
)

var asked = record.Bits128{7}

// signature is one of the county's officers, changed.
func signature(officer int, change func(*transfer.ActSignature)) transfer.ActSignature {
	s := transfer.ActSignature{Ask: asked, Account: fmt.Sprintf("%032x", officer), Certificate: fmt.Sprintf("9900000%04d", officer), At: day("2026-03-13"), Place: "310116",
		Qualification: transfer.Unqualified, Purpose: "RAID", Signed: time.Date(2026, 3, 13, 20, officer, 0, 0, record.CivilZone)}
	s.WorkRef.Kind, s.WorkRef.Number = "case", "测金卫医案〔2026〕9001"
	if change != nil {
		change(&s)
	}
	return s
}

// stored makes the records of signatures as a bureau's log holds them.
func stored(t testing.TB, s record.StreamID, all ...transfer.ActSignature) []record.Stored {
	t.Helper()
	random := rand.NewChaCha8(sha256.Sum256([]byte("act")))
	var out []record.Stored
	for i, a := range all {
		d, err := a.Draft(s, uint64(i), random, true)
		must(t, err)
		st := record.Stored{Stream: s, Seq: uint64(10 + i), Header: []byte("{}"), Meaning: record.Meaning{ID: d.ID, Type: d.Type, Schema: d.Schema, Day: d.Day, Refs: d.Refs}}
		for name, b := range d.Parts {
			st.Parts = append(st.Parts, record.StoredPart{Name: name, State: record.PartPresent, Bytes: b})
		}
		out = append(out, st)
	}
	return out
}

func TestFoldAct(t *testing.T) {
	own := record.Stream("310116-01", record.Audit)
	other := func(s *transfer.ActSignature) { s.At = day("2026-03-12") }
	for name, row := range map[string]struct {
		stream         record.StreamID
		all            []transfer.ActSignature
		signed, passed int
		confirmed      bool
	}{
		"nobody":                             {own, nil, 0, 0, false},
		"one officer":                        {own, []transfer.ActSignature{signature(1, nil)}, 1, 0, false},
		"two officers":                       {own, []transfer.ActSignature{signature(1, nil), signature(2, nil)}, 2, 0, true},
		"three":                              {own, []transfer.ActSignature{signature(1, nil), signature(2, nil), signature(3, nil)}, 3, 0, true},
		"one officer twice":                  {own, []transfer.ActSignature{signature(1, nil), signature(1, nil)}, 1, 1, false},
		"one certificate under two accounts": {own, []transfer.ActSignature{signature(1, nil), signature(2, func(s *transfer.ActSignature) { s.Certificate = signature(1, nil).Certificate })}, 1, 1, false},
		"one certificate in two cases": {own, []transfer.ActSignature{signature(1, func(s *transfer.ActSignature) { s.Certificate = "AB99000001" }),
			signature(2, func(s *transfer.ActSignature) { s.Certificate = "ab99000001" })}, 1, 1, false},
		"one account with two certificates":    {own, []transfer.ActSignature{signature(1, nil), signature(2, func(s *transfer.ActSignature) { s.Account = signature(1, nil).Account })}, 1, 1, false},
		"the second signs another day":         {own, []transfer.ActSignature{signature(1, nil), signature(2, other)}, 1, 1, false},
		"another place":                        {own, []transfer.ActSignature{signature(1, nil), signature(2, func(s *transfer.ActSignature) { s.Place = "310117" })}, 1, 0, false},
		"another qualification":                {own, []transfer.ActSignature{signature(1, nil), signature(2, func(s *transfer.ActSignature) { s.Qualification = transfer.Forged })}, 1, 1, false},
		"the first signs anew, then a second":  {own, []transfer.ActSignature{signature(1, nil), signature(1, other), signature(2, other)}, 2, 1, true},
		"after two nobody signs anew":          {own, []transfer.ActSignature{signature(1, nil), signature(2, nil), signature(1, other)}, 2, 1, true},
		"of another question":                  {own, []transfer.ActSignature{signature(1, nil), signature(2, func(s *transfer.ActSignature) { s.Ask = record.Bits128{8} })}, 1, 0, false},
		"visiting officers":                    {record.Stream("310117-01", record.Audit), []transfer.ActSignature{signature(1, nil), signature(2, nil)}, 0, 0, false},
		"not in the audit stream":              {record.Stream("310116-01", record.Records), []transfer.ActSignature{signature(1, nil), signature(2, nil)}, 0, 0, false},
		"a city's bureau signs for its county": {record.Stream("330400-01", record.Audit), []transfer.ActSignature{signature(1, func(s *transfer.ActSignature) { s.Place = "330482" })}, 1, 0, false},
	} {
		records := stored(t, row.stream, row.all...)
		if name == "of another question" {
			records[1].Meaning.Refs = []record.Ref{{Rel: record.Follows, ID: transfer.ActID(asked), Version: 1}}
		}
		a := transfer.FoldAct(records)
		if len(a.Signed) != row.signed || len(a.Passed) != row.passed || (a.State() == transfer.ActConfirmed) != row.confirmed || a.Version != uint64(len(row.all)) {
			t.Errorf("%s: signed %d, passed %d, %s, version %d", name, len(a.Signed), len(a.Passed), a.State(), a.Version)
		}
		if n := a.NewAct(); (n == nil) != (row.signed == 0) || n != nil && (len(n.Officers) != row.signed || !n.TreatingConfirmed) {
			t.Errorf("%s: the count reads %+v", name, n)
		}
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		if b := transfer.FoldAct(records); !reflect.DeepEqual(a, b) {
			t.Errorf("%s: the order of records plays a part", name)
		}
	}
}

// A record that its schema refuses, or whose content is not here, counts for nothing; the next one follows it all the same.
func TestFoldAct_what_cannot_be_read(t *testing.T) {
	own := record.Stream("310116-01", record.Audit)
	for name, spoil := range map[string]func(*record.Stored){
		"unusable":   func(s *record.Stored) { s.Unusable = "schema" },
		"no content": func(s *record.Stored) { s.Parts = nil },
		"other bytes": func(s *record.Stored) {
			for i := range s.Parts {
				s.Parts[i].Bytes = []byte(`{"ask":1}`)
			}
		},
		"of another bureau": func(*record.Stored) {},
		"another type":      func(s *record.Stored) { s.Meaning.Type = "lookup.asked" },
	} {
		records := stored(t, own, signature(1, nil), signature(2, nil))
		spoil(&records[1])
		if name == "of another bureau" {
			foreign := stored(t, "310117-01/audit", signature(1, nil), signature(2, func(s *transfer.ActSignature) { s.Place = "310117" }))
			records = []record.Stored{records[1], foreign[0], foreign[1]}
			for i := range records {
				records[i].Stream, records[i].Seq = own, uint64(i)
			}
			records[0].Meaning.Refs = nil
			records[0].Meaning.ID = transfer.ActID(asked)
		}
		if a := transfer.FoldAct(records); len(a.Signed) != 1 || a.Version != 2 || a.Place != "310116" {
			t.Errorf("%s: %d stand, version %d", name, len(a.Signed), a.Version)
		}
	}
}

// Signatures are taken back by a reviewer who signed none of them at once, by signers when all of them have; whoever else
// tries changes nothing, and the act may be signed anew.
func TestFoldAct_withdrawn(t *testing.T) {
	own := record.Stream("310116-01", record.Audit)
	reviewer := transfer.ActWithdrawal{Ask: asked, Account: fmt.Sprintf("%032x", 31), Review: true, Reason: "现场核对有误", At: time.Date(2026, 3, 13, 21, 0, 0, 0, record.CivilZone)}
	signer := func(n int) transfer.ActWithdrawal {
		w, s := reviewer, signature(n, nil)
		w.Account, w.Certificate, w.Review = s.Account, s.Certificate, false
		return w
	}
	himself := reviewer
	himself.Account = signature(1, nil).Account
	elsewhere := reviewer
	elsewhere.Ask = record.Bits128{8}
	for name, row := range map[string]struct {
		steps                              []any
		signed, passed, leaving, withdrawn int
		state                              string
	}{
		"by a reviewer":                        {[]any{signature(1, nil), signature(2, nil), reviewer}, 0, 2, 0, 1, "withdrawn"},
		"by a reviewer, half signed":           {[]any{signature(1, nil), reviewer}, 0, 1, 0, 1, "withdrawn"},
		"by one of two signers":                {[]any{signature(1, nil), signature(2, nil), signer(1)}, 2, 0, 1, 0, "confirmed"},
		"by one of them twice":                 {[]any{signature(1, nil), signature(2, nil), signer(1), signer(1)}, 2, 0, 1, 0, "confirmed"},
		"by both":                              {[]any{signature(1, nil), signature(2, nil), signer(2), signer(1)}, 0, 2, 0, 2, "withdrawn"},
		"by both, and a third signed":          {[]any{signature(1, nil), signature(2, nil), signer(2), signature(3, nil), signer(1)}, 3, 0, 2, 0, "confirmed"},
		"by the only signer":                   {[]any{signature(1, nil), signer(1)}, 0, 1, 0, 1, "withdrawn"},
		"by somebody else":                     {[]any{signature(1, nil), signature(2, nil), signer(3)}, 2, 0, 0, 0, "confirmed"},
		"by a reviewer who signed":             {[]any{signature(1, nil), signature(2, nil), himself}, 2, 0, 0, 0, "confirmed"},
		"before anybody signed":                {[]any{reviewer, signature(1, nil)}, 1, 0, 0, 0, "signed"},
		"of another question":                  {[]any{signature(1, nil), signature(2, nil), elsewhere}, 2, 0, 0, 0, "confirmed"},
		"and signed anew":                      {[]any{signature(1, nil), signature(2, nil), reviewer, signature(2, nil), signature(1, nil)}, 2, 2, 0, 1, "confirmed"},
		"and signed anew for another day":      {[]any{signature(1, nil), signature(2, nil), reviewer, signature(2, func(s *transfer.ActSignature) { s.At = day("2026-03-12") })}, 1, 2, 0, 1, "signed"},
		"one of two, then a reviewer the rest": {[]any{signature(1, nil), signature(2, nil), signer(1), reviewer}, 0, 2, 0, 2, "withdrawn"},
	} {
		random := rand.NewChaCha8(sha256.Sum256([]byte("withdrawn")))
		var records []record.Stored
		for i, s := range row.steps {
			var d record.Draft
			var err error
			switch x := s.(type) {
			case transfer.ActSignature:
				d, err = x.Draft(own, uint64(i), random, true)
			case transfer.ActWithdrawal:
				d, err = x.Draft(own, uint64(i), random, true)
			}
			must(t, err)
			st := record.Stored{Stream: own, Seq: uint64(10 + i), Header: []byte("{}"), Meaning: record.Meaning{ID: d.ID, Type: d.Type, Schema: d.Schema, Day: d.Day, Refs: d.Refs}}
			if i > 0 { // also of another question's: a stray reference
				st.Meaning.Refs = []record.Ref{{Rel: record.Follows, ID: transfer.ActID(asked), Version: uint64(i)}}
			}
			for name, b := range d.Parts {
				st.Parts = append(st.Parts, record.StoredPart{Name: name, State: record.PartPresent, Bytes: b})
			}
			records = append(records, st)
		}
		a := transfer.FoldAct(records)
		if len(a.Signed) != row.signed || len(a.Passed) != row.passed || len(a.Leaving) != row.leaving || len(a.Withdrawn) != row.withdrawn || string(a.State()) != row.state || a.Version != uint64(len(row.steps)) {
			t.Errorf("%s: signed %d, passed %d, leaving %d, withdrawn %d, %s, version %d", name, len(a.Signed), len(a.Passed), len(a.Leaving), len(a.Withdrawn), a.State(), a.Version)
		}
		if n := a.NewAct(); (n == nil) != (row.signed == 0) {
			t.Errorf("%s: the count reads %+v", name, n)
		}
	}
}

// After a restore the audit goes on in another stream: what was half signed before it is confirmed by who signs behind it.
func TestFoldAct_acrossARestore(t *testing.T) {
	older, newer := record.Stream("310116-01", record.Audit), record.Stream("310116-01", record.Audit+".1")
	first, second := stored(t, older, signature(1, nil)), stored(t, newer, signature(2, nil))
	second[0].Seq = 0
	a := transfer.FoldAct(append(second, first...))
	if a.State() != transfer.ActConfirmed || a.Last != newer || a.Version != 1 || a.Signed[0].Account != signature(1, nil).Account {
		t.Errorf("%+v", a)
	}
}
