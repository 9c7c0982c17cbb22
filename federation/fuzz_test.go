package federation_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// charterSeeds are the byte-exact vectors and what this package writes itself.
func charterSeeds(f *testing.F) *alliance {
	a := ally(f, 2, true)
	f.Add(a.first)
	f.Add(a.sign(a.renewed(a.first), 0, 1))
	b, err := os.ReadFile("../schemas/vectors/charter.json")
	must(f, err)
	var v struct{ Good, Bad []charterVector }
	must(f, json.Unmarshal(b, &v, json.MatchCaseInsensitiveNames(true)))
	for _, c := range append(v.Good, v.Bad...) {
		f.Add([]byte(c.Note))
	}
	return a
}

// FuzzCharter: no bytes make a Directory panic, and none but version 1 itself, signed, found another federation.
func FuzzCharter(f *testing.F) {
	a := charterSeeds(f)
	d := a.directory(0)
	at := d.Charter()
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := federation.ParseCharter(b); err == nil && !strings.HasPrefix(string(b), c.Text) {
			t.Error("the text is not the note's")
		}
		if _, err := federation.NewDirectory(nil, b); err == nil {
			_ = federation.Fingerprint(b)
		}
		changed, err := d.Add(b)
		if err != nil && changed {
			t.Error("changed in spite of an error")
		}
		if changed {
			a.t = t
			d, at = a.directory(0), d.Charter()
			if at.Version != 2 {
				t.Errorf("went to version %d", at.Version)
			}
		}
	})
}

// FuzzStatement: only the member itself changes anything.
func FuzzStatement(f *testing.F) {
	a := ally(f, 2, true)
	k := a.keys[1]
	fed := a.directory(0).Federation()
	for _, st := range []federation.Statement{
		{Federation: fed, Member: k.Member, Counter: 1, Kind: federation.Rotate, Key: a.keys[0].Signer().Public(), From: 3},
		{Federation: fed, Member: k.Member, Counter: 1, Kind: federation.Address, Address: "https://127.0.0.1:2"},
		{Federation: fed, Member: k.Member, Counter: 1, Kind: federation.Leave},
		{Federation: fed, Member: k.Member, Counter: 1, Kind: federation.Revoke, Key: k.Signer().Public(), From: 3},
	} {
		f.Add(mustNote(federation.SignStatement(st, a.keys[0].Signer())))
		f.Add(mustNote(federation.RecoverStatement(st, a.keys[0].Signer())))
	}
	d := a.directory(0)
	f.Fuzz(func(t *testing.T, b []byte) {
		if st, err := federation.ParseStatement(b); err == nil && st.Counter == 0 {
			t.Error("counter 0")
		}
		if changed, _ := d.AddStatement(b); changed {
			t.Errorf("nobody signed this: %q", b)
		}
	})
}

// FuzzRequest: a request that is accepted makes a charter that is.
func FuzzRequest(f *testing.F) {
	a := &alliance{t: f, random: seeded("fuzz request")}
	f.Add(a.request(a.bureau()))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := federation.ParseRequest(b); err != nil {
			return
		}
		if _, err := federation.Found(seeded("found"), federation.Founding{Name: "测", Day: day0}, b); err != nil {
			t.Error(err)
		}
	})
}

// FuzzAgreement: nothing that the founder did not sign makes a group.
func FuzzAgreement(f *testing.F) {
	a := ally(f, 3, true)
	d := a.directory(1)
	note, err := federation.NewAgreement(a.random, a.directory(0), []record.MemberID{a.code(1)}, day0)
	must(f, err)
	f.Add(bytes.Replace(note, []byte(day0), []byte("2026-03-03"), 1))
	f.Add(bytes.Replace(note, []byte("/"+string(a.code(0))+" "), []byte("/"+string(a.code(1))+" "), 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = federation.ParseAgreement(b)
		if changed, _ := d.AddAgreement(b); changed && !bytes.HasPrefix(note, b[:len(note)/2]) {
			t.Errorf("accepted: %q", b)
		}
	})
}

// FuzzAsk: no body makes Reply panic, and each signed answer has an audit record before it.
func FuzzAsk(f *testing.F) {
	c := open(f, 2, true)
	c.publish(c.desks[1], record.L3, entryAt{id: testID}, false)
	c.call = func(_ context.Context, _, _ *desk, b []byte) ([]byte, error) {
		f.Add(b)
		f.Add(bytes.Replace(b, []byte(`"id_no"`), []byte(`"phone"`), 1))
		f.Add(bytes.Replace(b, []byte(`"RAID"`), []byte(`"TEST"`), 1))
		return nil, federation.ErrUnreachable
	}
	_, err := c.desks[0].Ask(f.Context(), ask(byID(testID)))
	must(f, err)
	b := c.desks[1]
	f.Fuzz(func(t *testing.T, body []byte) {
		before := len(b.log.audit) + len(b.log.slots)
		note, err := b.Reply(t.Context(), c.code(0), body, c.token())
		if (note == nil) == (err == nil) {
			t.Errorf("note %v, error %v", note != nil, err)
		}
		if note != nil && len(b.log.audit)+len(b.log.slots) == before && len(b.log.slots) == 0 {
			t.Error("answered without an audit record")
		}
	})
}

// FuzzAnswer: a member that signs anything at all makes no ask panic, and counts only with an answer to this question.
func FuzzAnswer(f *testing.F) {
	c := open(f, 2, true)
	b := c.desks[1]
	c.call = func(ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
		note, err := c.deliver(ctx, from, to, body)
		f.Add(string(note[:bytes.LastIndex(note, []byte("\n\n"))+1]))
		return note, err
	}
	for _, id := range []string{testID, otherID} {
		if id == otherID {
			c.publish(b, record.L3, entryAt{id: otherID}, false)
		}
		_, err := c.desks[0].Ask(f.Context(), ask(byID(id)))
		must(f, err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c.call = func(_ context.Context, _, to *desk, body []byte) ([]byte, error) {
			var sent struct {
				Ask   string `json:"ask"`
				Nonce string `json:"nonce"`
			}
			must(t, json.Unmarshal(body, &sent))
			text := strings.ReplaceAll(strings.ReplaceAll(text, "$ASK", sent.Ask), "$NONCE", sent.Nonce)
			return to.keys.Signer().Note("pilin/"+to.dir.Federation().String()+"/"+string(to.dir.Self())+"/answer", text)
		}
		got, err := c.desks[0].Ask(t.Context(), ask(byID(testID)))
		must(t, err)
		if got.Members[1].State == federation.Answered && !strings.Contains(text, "$NONCE") {
			t.Errorf("counted: %q", text)
		}
	})
}
