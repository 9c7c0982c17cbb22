package federation_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// byName is the fuzzy question that weak entries of these tests answer to.
func byName() federation.AskRequest {
	q := ask(federation.Question{})
	q.Question.Name, q.Question.BirthDate = secret(testName), secret("1902-03-04")
	return q
}

// TestHub_fuzzy: a member without a matching engine does not count towards "no hit" when only an engine can answer, and the
// answer names it.
func TestHub_fuzzy(t *testing.T) {
	c := open(t, 2, true)
	old := func(note []byte, d *desk) []byte { // as a release without an engine would sign
		head, _, _ := bytes.Cut(note, []byte("\n\n"))
		text := strings.Replace(string(head)+"\n", `,"engine":"`+engineOf(string(head))+`"`, "", 1)
		return mustNote(d.keys.Signer().Note("pilin/"+d.dir.Federation().String()+"/"+string(d.dir.Self())+"/answer", text))
	}
	var sent []byte
	c.call = func(ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
		sent = body
		note, err := c.deliver(ctx, from, to, body)
		if err != nil {
			return nil, err
		}
		return old(note, to), nil
	}
	a, err := c.desks[0].Ask(t.Context(), byName())
	must(t, err)
	if m := a.Members[1]; m.State != federation.Partial || m.Reason != federation.ReasonNoFuzzy || a.Outcome != federation.Incomplete {
		t.Errorf("%s %+v", a.Outcome, m)
	}
	if got := a.NotFuzzy(); len(got) != 1 || got[0] != c.code(1) || !bytes.Contains(sent, []byte(`"fuzzy":true`)) {
		t.Errorf("could not serve: %v; sent %s", got, sent)
	}
	// A whole number needs no engine: the same member counts, and is sent nothing that it does not know.
	a, err = c.desks[0].Ask(t.Context(), ask(byID(exampleID)))
	must(t, err)
	if a.Members[1].State != federation.Answered || a.Outcome != federation.NoHit || len(a.NotFuzzy()) != 0 || bytes.Contains(sent, []byte("fuzzy")) {
		t.Errorf("%s %+v; sent %s", a.Outcome, a.Members[1], sent)
	}
	// One that does not understand the ask is named as well.
	c.call = func(context.Context, *desk, *desk, []byte) ([]byte, error) { return nil, federation.ErrIncompatible }
	a, err = c.desks[0].Ask(t.Context(), byName())
	must(t, err)
	if len(a.NotFuzzy()) != 1 {
		t.Errorf("%+v", a.Members[1])
	}
}

func engineOf(text string) string {
	_, rest, _ := strings.Cut(text, `"engine":"`)
	v, _, _ := strings.Cut(rest, `"`)
	return v
}

// TestHub_lines: the lines tell no character of a name to whoever may not see it, and at L1 that a number is equal alone.
func TestHub_lines(t *testing.T) {
	for _, row := range []struct {
		level record.Level
		req   federation.AskRequest
		want  string
	}{
		{record.L3, byName(), "12.0 [name_homophone 姓名同音 甲/贾同音]"},
		{record.L2, byName(), "12.0 [name_homophone 姓名同音]"},
		{record.L1, ask(byID(testID)), "0.0 [id_equal 证件号相同]"},
		{record.L2, ask(byID(testID)), "38.0 [prior 先验:名单规模 id_equal 证件号相同]"},
	} {
		c := open(t, 2, true)
		b := c.desks[1]
		c.publish(b, row.level, entryAt{id: testID, weak: testName + "1902-03-04"}, false)
		a, err := c.desks[0].Ask(t.Context(), row.req)
		must(t, err)
		if len(a.Hits) != 1 {
			t.Fatalf("%s: %d hits", row.level, len(a.Hits))
		}
		var lines []string
		sum := 0.0
		for _, l := range a.Hits[0].Lines {
			lines = append(lines, l.Code+" "+l.Text)
			sum += l.Bits
		}
		if sum != a.Hits[0].Score {
			t.Errorf("%s: bits of %.1f for a score of %.1f", row.level, sum, a.Hits[0].Score)
		}
		if got := fmt.Sprintf("%.1f %v", a.Hits[0].Score, lines); got != row.want {
			t.Errorf("%s: %s, want %s", row.level, got, row.want)
		}
		// What is kept for a repeat holds no content.
		for _, kept := range b.log.slots {
			if bytes.Contains(kept, []byte("贾")) {
				t.Errorf("kept: %s", kept)
			}
		}
	}
}

// TestHub_possible: of those that are only possible ten are told, and the answer says that there are more; without any told
// it is no "no hit". Namesakes at L1 are not counted.
func TestHub_possible(t *testing.T) {
	c := open(t, 2, true)
	b := c.desks[1]
	for range 12 {
		c.publish(b, record.L3, entryAt{weak: testName + "1902-03-04"}, false)
	}
	c.publish(b, record.L1, entryAt{weak: testName + "1902-03-04"}, false)
	b.uncounted = 288 // the index names as many as it tells of and counts all
	a, err := c.desks[0].Ask(t.Context(), byName())
	must(t, err)
	if m := a.Members[1]; len(a.Hits) != federation.MaxPossible || !m.Truncated || a.Namesakes != 300 || m.Namesakes != 300 || a.Outcome != federation.Possible {
		t.Errorf("%d hits, %d namesakes, %+v", len(a.Hits), a.Namesakes, m)
	}
	c = open(t, 2, true)
	c.desks[1].truncated = true
	a, err = c.desks[0].Ask(t.Context(), byName())
	must(t, err)
	if a.Outcome != federation.Incomplete || a.K != 2 {
		t.Errorf("%s %d/%d: somebody was left out unseen", a.Outcome, a.K, a.N)
	}
}

// TestHub_unseen: a record at L1 that is only possible changes nothing in the answer; that some there were not looked at does.
func TestHub_unseen(t *testing.T) {
	c := open(t, 2, true)
	b := c.desks[1]
	for range federation.MaxPossible {
		c.publish(b, record.L3, entryAt{weak: testName + "1902-03-04"}, false)
	}
	for range 3 {
		c.publish(b, record.L1, entryAt{weak: testName + "1902-03-04"}, false)
	}
	a, err := c.desks[0].Ask(t.Context(), byName())
	must(t, err)
	if m := a.Members[1]; len(a.Hits) != federation.MaxPossible || m.Truncated || bytes.Contains(b.log.audit[0].Parts[record.Body], []byte(`"L1"`)) {
		t.Errorf("%d hits, truncated %t: of a record that is never told", len(a.Hits), m.Truncated)
	}
	c = open(t, 2, true)
	c.desks[1].crowded = record.L1
	a, err = c.desks[0].Ask(t.Context(), byName())
	must(t, err)
	if a.Outcome != federation.Incomplete || !a.Members[1].Truncated {
		t.Errorf("%s: somebody at L1 was left out unseen", a.Outcome)
	}
}

// TestHub_cards: hits are joined by a number that the records carry or that was asked for, and by nothing else.
func TestHub_cards(t *testing.T) {
	body := func(id, name string) string {
		return `{"id_type":"RIC","id_no":"` + id + `","name":"` + name + `"}`
	}
	const p1, p2 = "320623190001159016", "340123190001159055"
	for name, row := range map[string]struct {
		bodies  []string
		byID    bool
		want    string
		outcome federation.Outcome
	}{
		"one person at two members":        {[]string{body(p1, "测甲一"), body(p1, "测甲一")}, false, "[{[0 1] possible number}]", federation.Possible},
		"two namesakes":                    {[]string{body(p1, "测甲一"), body(p2, "测甲一")}, false, "[{[0] possible } {[1] possible }]", federation.Possible},
		"same number, other name":          {[]string{body(p1, "测甲一"), body(p1, "测乙二")}, false, "[{[0 1] possible number names differ}]", federation.Possible},
		"no number in the records":         {[]string{`{"name":"测甲一"}`, `{"name":"测甲一"}`}, false, "[{[0] possible } {[1] possible }]", federation.Possible},
		"each equals the number asked for": {[]string{`{}`, `{}`}, true, "[{[0 1] hit question}]", federation.Hit},
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t, 2, true)
			for i, d := range c.desks {
				c.body = row.bodies[i]
				c.publish(d, record.L3, entryAt{id: testID, weak: testName + "1902-03-04"}, false)
			}
			req := byName()
			if row.byID {
				req = ask(byID(testID))
			}
			a, err := c.desks[0].Ask(t.Context(), req)
			must(t, err)
			var got []string
			for _, k := range a.Cards {
				s := fmt.Sprintf("{%v %s %s", k.Hits, k.Outcome, k.By)
				if k.NamesDiffer {
					s += " names differ"
				}
				got = append(got, s+"}")
			}
			if fmt.Sprint(got) != row.want || a.Outcome != row.outcome {
				t.Errorf("%s %v, want %s", a.Outcome, got, row.want)
			}
		})
	}
	// Two people who both fit, each with his own number: none of them is the one.
	c := open(t, 2, true)
	for i, d := range c.desks {
		c.body = body([]string{p1, p2}[i], "测甲一")
		c.publish(d, record.L3, entryAt{sure: testName + "1902-03-04"}, false)
	}
	a, err := c.desks[0].Ask(t.Context(), byName())
	must(t, err)
	if a.Outcome != federation.Possible || len(a.Cards) != 2 || a.Cards[0].Outcome != federation.Possible {
		t.Errorf("%s %+v", a.Outcome, a.Cards)
	}
	cert, err := c.desks[0].Certificate(a)
	must(t, err)
	if v, err := federation.VerifyAnswer(cert, c.directory(1)); err != nil || v.Outcome != federation.Possible {
		t.Errorf("certificate: %v", err)
	}
}
