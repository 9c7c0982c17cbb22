package federation_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// tells makes a desk tell a fact of every candidate, as it is.
func (d *desk) tells(levels *[]record.Level) {
	d.Tally = func(_ context.Context, _ federation.Question, _ string, found []federation.Candidate, level func(map[record.GroupID]record.Level) record.Level) (federation.Tally, []federation.Disclosed, error) {
		t := federation.Tally{Rule: "r", Facts: []jsontext.Value{}, Lines: []jsontext.Value{}}
		var told []federation.Disclosed
		for _, c := range found {
			v, _, _ := d.look(context.Background(), c.Stream, c.Subject, "")
			l := level(v.Record.Meaning.Audience)
			*levels = append(*levels, l)
			t.Facts = append(t.Facts, jsontext.Value(`{"of":"`+c.Subject.String()+`"}`))
			told = append(told, federation.Disclosed{Record: v.Record.Meaning.ID, Subject: c.Subject, Version: v.Version, Level: l})
		}
		return t, told, nil
	}
}

func TestHub_Reply_tally(t *testing.T) {
	c := open(t, 2, true)
	b := c.desks[1]
	var levels []record.Level
	b.tells(&levels)
	e := c.publish(b, record.L1, entryAt{weak: testName + "1902-03-04"}, false) // no hit: L1 answers an exact number alone
	q := ask(federation.Question{})
	q.Question.Name, q.Question.BirthDate = secret(testName), secret("1902-03-04")
	a, err := c.desks[0].Ask(t.Context(), q)
	must(t, err)
	m := a.Members[1]
	if m.State != federation.Answered || m.Hits != 0 || m.Tally == nil || len(m.Tally.Facts) != 1 || a.Members[0].Tally != nil {
		t.Fatalf("%+v", a.Members)
	}
	if len(levels) != 1 || levels[0] != record.L1 {
		t.Errorf("level towards the asker: %v", levels)
	}
	// What the tally alone tells of stands in the audit record.
	if last := b.log.audit[len(b.log.audit)-1]; !bytes.Contains(last.Parts[record.Body], []byte(e.view.Record.Meaning.ID.String())) {
		t.Errorf("audit: %s", last.Parts[record.Body])
	}
	// Of its own records a bureau is told everything.
	levels = nil
	_, err = b.Ask(t.Context(), q)
	must(t, err)
	if len(levels) != 1 || levels[0] != record.L3 {
		t.Errorf("level towards itself: %v", levels)
	}
	// What cannot be read is not told as nothing.
	b.Tally = func(context.Context, federation.Question, string, []federation.Candidate, func(map[record.GroupID]record.Level) record.Level) (federation.Tally, []federation.Disclosed, error) {
		return federation.Tally{}, nil, errors.New("disk")
	}
	a, err = c.desks[0].Ask(t.Context(), q)
	must(t, err)
	if m := a.Members[1]; m.State != federation.Partial || m.Reason != federation.ReasonStorage || m.Tally != nil {
		t.Errorf("%+v", m)
	}
}

// A repeat tells no more than the first answer's audit record names.
func TestHub_Reply_tally_repeat(t *testing.T) {
	c := open(t, 2, true)
	b := c.desks[1]
	var levels []record.Level
	b.tells(&levels)
	c.publish(b, record.L3, entryAt{id: testID}, false)
	body := heard(t, c, ask(byID(testID)))
	first, err := b.Reply(t.Context(), c.code(0), body, c.token())
	must(t, err)
	c.publish(b, record.L3, entryAt{id: testID}, false)
	second, err := b.Reply(t.Context(), c.code(0), body, c.token())
	must(t, err)
	if !bytes.Contains(first, []byte(`"tally":{`)) || !bytes.Equal(first, second) {
		t.Errorf("a repeat is another answer:\n%s\n%s", first, second)
	}
	b.entries[0].view.Version++ // something happened to it since
	third, err := b.Reply(t.Context(), c.code(0), body, c.token())
	must(t, err)
	if bytes.Contains(third, []byte(`"tally":{`)) || !bytes.Contains(third, []byte(federation.ReasonChanged)) {
		t.Errorf("%s", third)
	}
}

func secret(s string) identifier.Secret { return identifier.NewSecret(s) }
