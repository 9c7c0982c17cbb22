package blacklist_test

import (
	"errors"
	"testing"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/record"
)

// TestRegister_level_of_things: how far an entry of a place or handle is shared, by what it rests on and whom it names.
func TestRegister_level_of_things(t *testing.T) {
	spot := map[string]any{"work_ref": map[string]any{"kind": "spot_check", "number": "310116-01-XC-20260302-001"}}
	served := func(d *desk) string { return d.penalty(nil).ID.String() }
	unserved := func(d *desk) string {
		return d.published(blacklist.Proposal{Type: blacklist.TypePenalty, Payload: example(d, "penalty/examples/good/not_served_yet.json", nil)}).ID.String()
	}
	ofPerson := func(d *desk, set map[string]any) string {
		return d.published(blacklist.Proposal{Type: blacklist.TypePerson, Payload: d.thing(blacklist.TypePerson, map[string]any{"penalty_refs": []string{served(d)}}, set)}).ID.String()
	}
	openCase := map[string]any{"open_case": true, "penalty_refs": []string{}, "valid_until": "2026-05-31"}
	sixteen := map[string]any{"id_no": nil, "id_no_old": nil, "photo_ref": nil, "id_type": "UNK", "id_reason": "未带", "birth_date": "2009-05-05"}
	for name, tc := range map[string]struct {
		set    func(d *desk) map[string]any // beside the work
		wanted record.Level
		want   record.Level
	}{
		"the work alone":           {func(*desk) map[string]any { return nil }, record.L0, record.L1},
		"the work alone, on wish":  {func(*desk) map[string]any { return nil }, record.L3, record.L1},
		"a served penalty":         {func(d *desk) map[string]any { return map[string]any{"penalty_refs": []string{served(d)}} }, record.L0, record.L3},
		"a served penalty, at L2":  {func(d *desk) map[string]any { return map[string]any{"penalty_refs": []string{served(d)}} }, record.L2, record.L2},
		"a penalty not yet served": {func(d *desk) map[string]any { return map[string]any{"penalty_refs": []string{unserved(d)}} }, record.L3, record.L1},
		"an open case":             {func(*desk) map[string]any { return map[string]any{"open_case": true, "valid_until": "2026-05-31"} }, record.L3, record.L1},
		"a person":                 {func(d *desk) map[string]any { return map[string]any{"person": ofPerson(d, nil)} }, record.L0, record.L3},
		"a person of an open case, and a served penalty": {func(d *desk) map[string]any {
			return map[string]any{"person": ofPerson(d, openCase), "penalty_refs": []string{served(d)}}
		}, record.L3, record.L1},
		"a person of sixteen, and a served penalty": {func(d *desk) map[string]any {
			return map[string]any{"person": ofPerson(d, sixteen), "penalty_refs": []string{served(d)}}
		}, record.L3, record.L1},
	} {
		for _, typ := range []string{blacklist.TypePremises, blacklist.TypeHandle} {
			d := newDesk(t, name)
			set := tc.set(d)
			if id, ok := set["person"].(string); ok {
				delete(set, "person")
				if set["person_refs"] = []string{id}; typ == blacklist.TypePremises {
					delete(set, "person_refs")
					set["persons_seen"] = []map[string]any{{"ref": id}}
				}
			}
			on := d.published(blacklist.Proposal{Type: typ, Payload: d.thing(typ, map[string]any{"penalty_refs": nil}, spot, set), Level: tc.wanted})
			if e := d.view(on, ""); e.Audience[record.All] != tc.want || len(e.Audience) != 1 || e.Type != typ {
				t.Errorf("%s of %s: %v, want %v", typ, name, e.Audience, tc.want)
			}
		}
	}
}

// TestRegister_things_name_what_is_here: a place or handle rests on something, and what it names is published and of the
// right type.
func TestRegister_things_name_what_is_here(t *testing.T) {
	d := newDesk(t, "references")
	pen := d.penalty(nil).ID.String()
	person := d.entry().ID.String()
	premises := d.published(blacklist.Proposal{Type: blacklist.TypePremises, Payload: d.thing(blacklist.TypePremises, map[string]any{"penalty_refs": []string{pen}})}).ID.String()
	for _, tc := range []struct {
		name, typ string
		set       map[string]any
		pointer   string // of the violation; empty = it may go on
	}{
		{"all here", blacklist.TypeHandle, map[string]any{"person_refs": []string{person}, "premises_refs": []string{premises}}, ""},
		{"person seen there", blacklist.TypePremises, map[string]any{"persons_seen": []map[string]any{{"ref": person, "from": "2026-02-20"}}}, ""},
		{"person and premises", blacklist.TypePerson, map[string]any{"premises_refs": []string{premises}}, ""},
		{"a penalty is no person", blacklist.TypeHandle, map[string]any{"person_refs": []string{person, pen}}, "/person_refs/1"},
		{"a person is no premises", blacklist.TypeHandle, map[string]any{"premises_refs": []string{person}}, "/premises_refs/0"},
		{"a person is no premises, of a person", blacklist.TypePerson, map[string]any{"premises_refs": []string{person}}, "/premises_refs/0"},
		{"nobody of that id", blacklist.TypePremises, map[string]any{"persons_seen": []map[string]any{{"ref": person}, {"ref": "00000000000000000000000000000001"}}}, "/persons_seen/1/ref"},
		{"no such penalty", blacklist.TypeInstitution, map[string]any{"penalty_refs": []string{premises}}, "/penalty_refs/0"},
		{"an open case too long", blacklist.TypeHandle, map[string]any{"open_case": true, "valid_until": "2026-06-01"}, "/valid_until"},
		{"an open case of ninety days", blacklist.TypeHandle, map[string]any{"open_case": true, "valid_until": "2026-05-31"}, ""},
	} {
		draft := d.must(d.reg.Draft(ctx, officer, blacklist.Proposal{Type: tc.typ, Payload: d.thing(tc.typ, map[string]any{"penalty_refs": []string{pen}}, tc.set)}))
		_, err := d.reg.Submit(ctx, officer, draft.On)
		var bad *blacklist.Invalid
		got := ""
		if errors.As(err, &bad) {
			got = bad.Violations[0].Pointer
		}
		if got != tc.pointer || err != nil && bad == nil {
			t.Errorf("%s: %q (%v), want %q", tc.name, got, err, tc.pointer)
		}
	}

	for typ, want := range map[string]string{blacklist.TypeHandle: "", blacklist.TypePremises: "", blacklist.TypeInstitution: "guard:supported", blacklist.TypePerson: "guard:supported"} {
		done, err := d.reg.Draft(ctx, officer, blacklist.Proposal{Type: typ, Payload: d.thing(typ, map[string]any{"penalty_refs": []string{}})})
		refusedWith(t, want, done, err) // the examples name the work they were found in
		done, err = d.reg.Draft(ctx, officer, blacklist.Proposal{Type: typ, Payload: d.thing(typ, map[string]any{"penalty_refs": []string{}, "work_ref": nil})})
		refusedWith(t, "guard:supported", done, err)
	}
}

// TestRegister_institution_needs_service: an institution is listed as a person is, on a served penalty.
func TestRegister_institution_needs_service(t *testing.T) {
	d := newDesk(t, "institution")
	pen := d.published(blacklist.Proposal{Type: blacklist.TypePenalty, Payload: example(d, "penalty/examples/good/not_served_yet.json", nil)})
	p := blacklist.Proposal{Type: blacklist.TypeInstitution, Payload: d.thing(blacklist.TypeInstitution, map[string]any{"penalty_refs": []string{pen.ID.String()}})}
	done, err := d.reg.Publish(ctx, liaison, d.approved(p))
	refusedWith(t, "guard:served_or_l1", done, err)
	p.Level = record.L1
	if e := d.view(d.published(p), ""); e.Audience[record.All] != record.L1 {
		t.Errorf("%v", e.Audience)
	}
}

// TestRegister_correction_of_things: a correction is a record of the entry's own type, and a lead that a served penalty
// comes to stand behind rises with it.
func TestRegister_correction_of_things(t *testing.T) {
	for typ, correction := range map[string]string{blacklist.TypePremises: "premises.correction", blacklist.TypeHandle: "handle.correction", blacklist.TypeInstitution: "institution.correction"} {
		d := newDesk(t, typ)
		pen := map[string]any{"penalty_refs": []string{d.penalty(nil).ID.String()}}
		before, was := pen, record.L3
		if typ != blacklist.TypeInstitution {
			before, was = map[string]any{"penalty_refs": nil}, record.L1
		}
		on := d.published(blacklist.Proposal{Type: typ, Payload: d.thing(typ, before)})
		if e := d.view(on, ""); e.Audience[record.All] != was {
			t.Errorf("%s: %v before, want %v", typ, e.Audience, was)
		}
		_, err := d.reg.Correct(ctx, officer, on, blacklist.Correction{Proposal: blacklist.Proposal{Type: blacklist.TypePerson, Payload: d.thing(typ, pen)}, ReasonCode: "penalty_added", DiffReason: "已处罚"})
		refusedWith(t, "other_subject", blacklist.Done{}, err)
		prop := d.must(d.reg.Correct(ctx, officer, on, blacklist.Correction{Proposal: blacklist.Proposal{Payload: d.thing(typ, pen)}, ReasonCode: "penalty_added", DiffReason: "已处罚"}))
		up := d.must(d.reg.Approve(ctx, reviewer, prop.On))
		last := d.log.streams[shared][len(d.log.streams[shared])-1]
		if e := d.view(up.On, ""); e.Audience[record.All] != record.L3 || last.Meaning.Type != correction || e.Version != 2 {
			t.Errorf("%s: %v by %s, version %d", typ, e.Audience, last.Meaning.Type, e.Version)
		}
	}
}
