package record_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/pilinhub/pilin/record"
)

const (
	hex32a = "0123456789abcdef0123456789abcdef"
	hex32b = "fedcba9876543210fedcba9876543210"
	mac    = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

	openHeader = `{"v":1,"stream":"310116-01/records","seq":"41","id":"` + hex32a + `","type":"blacklist.person","schema":"1","day":"2026-03-13",` +
		`"audience":{"` + hex32a + `":"L1","all":"L3"},"refs":[{"rel":"supersedes","id":"` + hex32b + `","version":"1"},{"rel":"cites","id":"` + hex32a + `","version":"0"}],` +
		`"parts":[{"part":"card","mac":"` + mac + `"},{"part":"body","mac":"` + mac + `"}]}`
	sealedHeader = `{"v":1,"stream":"310116-01/records.2","seq":"0","id":"` + hex32a + `","week":"2026-W11","keys":["` + hex32a + `","` + hex32b + `"],` +
		`"parts":[{"part":"meta","mac":"` + mac + `"},{"part":"home","mac":"` + mac + `"}]}`
	sealedMeta = `{"type":"events.inspection","schema":"2","day":"2026-03-13","audience":{"` + hex32a + `":"L1","` + hex32b + `":"L3"},"refs":[]}`
)

func TestHeader_Form(t *testing.T) {
	for _, text := range []string{openHeader, sealedHeader} {
		h, err := record.DecodeHeader([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		b, err := h.Encode()
		if err != nil || string(b) != text {
			t.Errorf("encoded %s %v\nwant    %s", b, err, text)
		}
	}
	h, err := record.DecodeHeader([]byte(sealedHeader))
	if err != nil {
		t.Fatal(err)
	}
	m, err := h.Meaning([]byte(sealedMeta))
	if err != nil || m.Type != "events.inspection" || !m.Sealed || m.ID.String() != hex32a {
		t.Errorf("meaning %+v %v", m, err)
	}
	if _, err := h.Meaning(nil); !errors.Is(err, record.ErrNoMeta) {
		t.Errorf("sealed header without meta: %v", err)
	}
}

func TestHeader_Tolerates(t *testing.T) {
	for name, text := range map[string]string{
		"unknown members":           strings.Replace(openHeader, `"v":1`, `"v":1,"later":{"a":[null,1.5e3]},"TYPE":"x"`, 1),
		"unknown members in a part": strings.Replace(openHeader, `"mac"`, `"alg":"x","mac"`, 1),
		"parts of a later release":  strings.Replace(openHeader, `}]}`, `},{"part":"scan","mac":"`+mac+`"}]}`, 1),
		"escapes":                   strings.Replace(openHeader, `"type":"b`, `"type":"\u0062`, 1),
		"members in another order":  strings.Replace(strings.Replace(openHeader, `"v":1,`, ``, 1), `}]}`, `}],"v":1}`, 1),
	} {
		if _, err := record.DecodeHeader([]byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestHeader_Refuses names the rows of the bad-input catalogue for JSON that concern a peer's record.
func TestHeader_Refuses(t *testing.T) {
	edit := func(old, new string) string {
		if !strings.Contains(openHeader, old) {
			t.Fatalf("no %s in the header", old)
		}
		return strings.Replace(openHeader, old, new, 1)
	}
	sealed := func(old, new string) string { return strings.Replace(sealedHeader, old, new, 1) }
	cases := map[string]string{
		"empty":                              "",
		"null":                               "null",
		"array":                              "[" + openHeader + "]",
		"duplicate key":                      edit(`"seq":"41"`, `"seq":"41","seq":"41"`),
		"duplicate key, escaped":             edit(`"seq":"41"`, `"seq":"41","\u0073eq":"41"`),
		"duplicate group":                    edit(`"all":"L3"`, `"all":"L3","all":"L1"`),
		"case variant instead of the member": edit(`"type"`, `"TYPE"`),
		"folding":                            edit(`"schema"`, `"ſchema"`),
		"trailing byte":                      openHeader + " ",
		"two documents":                      openHeader + openHeader,
		"BOM":                                "\ufeff" + openHeader,
		"NaN":                                edit(`"v":1`, `"v":1,"x":NaN`),
		"comment":                            edit(`"v":1`, `"v":1/**/`),
		"lone surrogate":                     edit(`"v":1`, `"v":1,"x":"\ud800"`),
		"invalid UTF-8":                      edit(`"v":1`, "\"v\":1,\"x\":\"\xff\""),
		"beyond ASCII":                       edit(`"v":1`, `"v":1,"x":"测"`),
		"NUL":                                edit(`"v":1`, "\"v\":1,\"x\":\"\x00\""),
		"white space":                        edit(`"v":1`, `"v": 1`),
		"newline":                            edit(`"v":1,`, "\"v\":1,\n"),
		"1.0 for 1":                          edit(`"v":1`, `"v":1.0`),
		"v as text":                          edit(`"v":1`, `"v":"1"`),
		"number for seq":                     edit(`"41"`, `41`),
		"leading zero":                       edit(`"41"`, `"041"`),
		"sign":                               edit(`"41"`, `"+41"`),
		"sequence past 2^62":                 edit(`"41"`, `"4611686018427387904"`),
		"depth 33":                           edit(`"v":1`, `"v":1,"x":`+strings.Repeat("[", 32)+strings.Repeat("]", 32)),
		"8 KiB and one":                      edit(`"v":1`, `"v":1,"x":"`+strings.Repeat("x", record.MaxHeader)+`"`),
		"null member":                        edit(`"2026-03-13"`, `null`),
		"null list":                          edit(`"parts":[`, `"parts":null,"x":[`),
		"empty id":                           edit(`"id":"`+hex32a+`"`, `"id":""`),
		"id in capitals":                     edit(hex32a, strings.ToUpper(hex32a)),
		"stream of nobody":                   edit(`310116-01/records`, `310116/records`),
		"stream with path":                   edit(`310116-01/records`, `310116-01/records/..`),
		"no such day":                        edit(`2026-03-13`, `2025-02-29`),
		"day of year 0":                      edit(`2026-03-13`, `0000-00-00`),
		"L0":                                 edit(`"L3"`, `"L0"`),
		"unknown group":                      edit(`"all"`, `"everybody"`),
		"open without all":                   edit(`"all":"L3"`, `"`+hex32b+`":"L3"`),
		"unknown relation":                   edit(`supersedes`, `replaces`),
		"two changes":                        edit(`cites`, `follows`),
		"change of version 0":                edit(`"version":"1"`, `"version":"0"`),
		"parts out of order":                 edit(`"part":"card"`, `"part":"home"`),
		"part twice":                         edit(`"part":"card"`, `"part":"body"`),
		"meta in an open header":             edit(`"part":"card"`, `"part":"meta"`),
		"short mac":                          edit(mac, mac[2:]),
		"open and sealed":                    edit(`"refs"`, `"week":"2026-W11","keys":[],"refs"`),
		"open with a null week":              edit(`"refs"`, `"week":null,"refs"`),
		"sealed with null refs":              sealed(`"week"`, `"refs":null,"week"`),
		"neither open nor sealed":            `{"v":1,"stream":"310116-01/records","seq":"41","id":"` + hex32a + `","parts":[]}`,
		"sealed with a type":                 sealed(`"week"`, `"type":"x","week"`),
		"sealed without keys":                sealed(`"keys":["`+hex32a+`","`+hex32b+`"],`, ``),
		"sealed with empty week":             sealed(`2026-W11`, ``),
		"week 54":                            sealed(`W11`, `W54`),
		"keys out of order":                  sealed(hex32a+`","`+hex32b, hex32b+`","`+hex32a),
		"key twice":                          sealed(hex32a+`","`+hex32b, hex32b+`","`+hex32b),
		"sealed without meta":                sealed(`meta`, `card`),
		"sealed in an audit stream":          sealed(`/records.2`, `/audit`),
		"audience in a local stream":         edit(`/records`, `/local`),
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			if h, err := record.DecodeHeader([]byte(text)); err == nil {
				t.Errorf("accepted %+v", h)
			}
		})
	}
	if _, err := record.DecodeHeader([]byte("null")); errors.Is(err, record.ErrUnknownVersion) {
		t.Error("null is no header of a later version")
	}
	for _, text := range []string{`{"v":2}`, edit(`"v":1`, `"v":2`), edit(`"v":1`, `"v":[]`), edit(`"v":1,`, ``)} {
		if _, err := record.DecodeHeader([]byte(text)); !errors.Is(err, record.ErrUnknownVersion) {
			t.Errorf("%.20s: %v, want an unknown version", text, err)
		}
	}
}

func TestMeta_Refuses(t *testing.T) {
	h, err := record.DecodeHeader([]byte(sealedHeader))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"not JSON":                  "x",
		"open to all":               strings.Replace(sealedMeta, hex32a, "all", 1),
		"day in another week":       strings.Replace(sealedMeta, "03-13", "03-16", 1),
		"fewer groups than keys":    strings.Replace(sealedMeta, `"`+hex32a+`":"L1",`, ``, 1),
		"member missing":            strings.Replace(sealedMeta, `,"refs":[]`, ``, 1),
		"beyond ASCII":              strings.Replace(sealedMeta, `"type"`, `"x":"测","type"`, 1),
		"change of nothing, twice":  strings.Replace(sealedMeta, `[]`, `[{"rel":"erases","id":"`+hex32a+`","version":"1"},{"rel":"erases","id":"`+hex32a+`","version":"1"}]`, 1),
		"white space between bytes": sealedMeta + "\n",
	} {
		if m, err := h.Meaning([]byte(text)); err == nil {
			t.Errorf("%s: accepted %+v", name, m)
		}
	}
}

// drawDraft draws what a domain may hand to a Sealer.
func drawDraft(rt *rapid.T) record.Draft {
	d := record.Draft{
		Stream: record.Stream(origin, record.Records), Type: "blacklist.person", Schema: "1",
		Day:      rapid.SampledFrom([]string{"2026-03-13", "2027-01-01", "2020-12-31", "1900-01-01", "9999-12-31"}).Draw(rt, "day"),
		Audience: map[record.GroupID]record.Level{}, Parts: map[record.PartName][]byte{},
	}
	copy(d.ID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(rt, "id"))
	d.ID[0] |= 1
	for _, g := range []record.GroupID{record.All, groupA, groupB} {
		if l := record.Level(rapid.IntRange(0, 3).Draw(rt, "level")); l > record.L0 {
			d.Audience[g] = l
		}
	}
	if rapid.Bool().Draw(rt, "change") {
		d.Refs = append(d.Refs, record.Ref{Rel: record.Supersedes, ID: d.ID, Version: rapid.Uint64Range(1, 1<<61).Draw(rt, "version")})
	}
	for range rapid.IntRange(0, 3).Draw(rt, "cites") {
		d.Refs = append(d.Refs, record.Ref{Rel: record.Cites, ID: d.ID})
	}
	for _, p := range []record.PartName{record.Card, record.Body, record.Home} {
		if b := rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(rt, "bytes"); len(b) > 0 {
			d.Parts[p] = b
		}
	}
	return d
}

func TestSealer_SealReadBack(t *testing.T) {
	fed := newFederation()
	a := newAuthor(t, fed)
	rapid.Check(t, func(rt *rapid.T) {
		d := drawDraft(rt)
		seq := rapid.Uint64Range(0, 1<<62-1).Draw(rt, "seq")
		st, err := a.seal.Seal(d, seq)
		if err != nil {
			rt.Fatal(err)
		}
		h, err := record.DecodeHeader(st.Header)
		if err != nil {
			rt.Fatal(err)
		}
		again, err := h.Encode()
		if err != nil || !bytes.Equal(again, st.Header) {
			rt.Fatalf("not written as read: %v", err)
		}
		_, toAll := d.Audience[record.All]
		if h.Sealed() == toAll || h.Seq != seq || st.Leaf != record.Leaf(st.Header) {
			rt.Errorf("header %+v", h)
		}
		if h.Sealed() && bytes.Contains(st.Header, []byte(d.Type)) {
			rt.Error("a sealed header names the type")
		}
		var meta []byte
		salts := map[[32]byte]bool{}
		for i, p := range st.Parts {
			if !record.Check(h.Parts[i], p.Salt, p.Bytes) || salts[p.Salt] {
				rt.Errorf("part %s: commitment or salt", p.Name)
			}
			salts[p.Salt] = true
			if p.Name == record.Meta {
				meta = p.Bytes
			}
			for g, l := range d.Audience {
				wrapped := false
				for _, k := range p.Keys {
					wrapped = wrapped || k == fed.epochs[g].ID
				}
				if want := l.Includes(p.Name); wrapped != want {
					rt.Errorf("part %s for %s at %s: wrapped %t", p.Name, g, l, wrapped)
				}
			}
		}
		m, err := h.Meaning(meta)
		if err != nil {
			rt.Fatal(err)
		}
		if m.Day != d.Day || m.ID != d.ID || !reflect.DeepEqual(m.Audience, d.Audience) || len(m.Refs) != len(d.Refs) {
			rt.Errorf("meaning %+v of %+v", m, d)
		}
	})
}

func TestSealer_Refuses(t *testing.T) {
	fed := newFederation()
	a := newAuthor(t, fed)
	for name, change := range map[string]func(*record.Draft){
		"no id":                      func(d *record.Draft) { d.ID = record.RecordID{} },
		"no stream":                  func(d *record.Draft) { d.Stream = "" },
		"no type":                    func(d *record.Draft) { d.Type = "" },
		"type in capitals":           func(d *record.Draft) { d.Type = "Blacklist" },
		"no day":                     func(d *record.Draft) { d.Day = "" },
		"L0":                         func(d *record.Draft) { d.Audience[record.All] = record.L0 },
		"group without current key":  func(d *record.Draft) { d.Audience[record.GroupID(hex32a)] = record.L1 },
		"audience in a local stream": func(d *record.Draft) { d.Stream = record.Stream(origin, record.Local) },
		"two changes": func(d *record.Draft) {
			d.Refs = []record.Ref{change(record.Follows, d.ID, 1), change(record.Follows, d.ID, 1)}
		},
		"change of version 0": func(d *record.Draft) { d.Refs = []record.Ref{change(record.Erases, d.ID, 0)} },
		"meta by hand":        func(d *record.Draft) { d.Parts[record.Meta] = []byte("{}") },
		"unknown part":        func(d *record.Draft) { d.Parts["scan"] = []byte("{}") },
		"empty part":          func(d *record.Draft) { d.Parts[record.Card] = nil },
		"over 256 KiB":        func(d *record.Draft) { d.Parts[record.Body] = make([]byte, record.MaxRecord) },
		"header over 8 KiB": func(d *record.Draft) {
			for range 200 {
				d.Refs = append(d.Refs, record.Ref{Rel: record.Cites, ID: d.ID})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := a.draft(toAll(record.L3))
			change(&d)
			if st, err := a.seal.Seal(d, 0); err == nil {
				t.Errorf("sealed %s", st.Header)
			}
		})
	}
	a.seal.Random = bytes.NewReader(nil)
	if _, err := a.seal.Seal(a.draft(toAll(record.L3)), 0); err == nil {
		t.Error("sealed without randomness")
	}
}

func TestCut(t *testing.T) {
	fed := newFederation()
	a := newAuthor(t, fed)
	g := a.commit(a.draft(toAll(record.L2)), a.draft(map[record.GroupID]record.Level{groupA: record.L1, groupB: record.L3}))
	in := func(groups ...record.GroupID) map[record.GroupID]bool {
		m := map[record.GroupID]bool{}
		for _, g := range groups {
			m[g] = true
		}
		return m
	}
	for _, c := range []struct {
		record int
		groups map[record.GroupID]bool
		want   []record.PartName
	}{
		{0, in(), nil},
		{0, in(groupA), nil},
		{0, in(record.All), []record.PartName{record.Card}},
		{1, in(record.All), nil},
		{1, in(groupA), []record.PartName{record.Meta}},
		{1, in(groupB), []record.PartName{record.Meta, record.Card, record.Body}},
		{1, in(groupA, groupB), []record.PartName{record.Meta, record.Card, record.Body}},
	} {
		if got := record.Cut(g.Records[c.record], c.groups); !reflect.DeepEqual(got, c.want) {
			t.Errorf("record %d to %v: %v, want %v", c.record, c.groups, got, c.want)
		}
	}
	st := cloned(g.Records[1])
	st.Meaning.Audience = map[record.GroupID]record.Level{record.All: record.L3} // a wrong read model
	if got := record.Cut(st, in(record.All)); got != nil {
		t.Errorf("cut by the read model: %v", got)
	}
	st.Parts[0].State = record.PartWithheld
	if got := record.Cut(st, everyGroup); got != nil {
		t.Errorf("cut without meta: %v", got)
	}
	local := a.draft(nil)
	local.Stream = record.Stream(origin, record.Local)
	st, err := a.seal.Seal(local, 0)
	if err != nil || record.Cut(st, everyGroup) != nil {
		t.Errorf("local stream: %v", err)
	}
}
