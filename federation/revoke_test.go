package federation_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// TestRevocations: two of a member's keys are compromised in its life, the newer one found out first. The list stands in
// the order of the history, is folded into a version, and no later version drops, moves or reorders any of it.
func TestRevocations(t *testing.T) {
	a := ally(t, 3, true)
	d := a.directory(0)
	k := a.keys[1]
	stream, recovery := record.Stream(k.Member, record.Records), record.NewSigner(k.Recovery)
	history := []ed25519.PublicKey{k.Signer().Public()}
	counter := uint64(0)
	state := func(kind federation.StatementKind, key ed25519.PublicKey, from uint64) error {
		st := federation.Statement{Federation: d.Federation(), Member: k.Member, Counter: counter + 1, Kind: kind, Key: key, From: from}
		_, err := d.AddStatement(mustNote(federation.RecoverStatement(st, recovery)))
		if err == nil {
			counter++
		}
		return err
	}
	rotate := func(from uint64) {
		t.Helper()
		must(t, k.RotateSign(a.random))
		history = append(history, k.Signer().Public())
		must(t, state(federation.Rotate, k.Signer().Public(), from))
	}
	rotate(20) // signs 20–39
	rotate(40)
	must(t, state(federation.Revoke, history[1], 30))
	must(t, state(federation.Revoke, history[0], 10))
	for name, key := range map[string]ed25519.PublicKey{"a second time": history[1], "key of another": a.keys[0].Signer().Public()} {
		if err := state(federation.Revoke, key, 5); !errors.Is(err, federation.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	v2 := a.sign(a.renewed(a.first, d.Statements()...), 0, 1, 2)
	fresh := a.directory(2) // never heard the statements
	for _, d := range []*federation.Directory{d, fresh} {
		_, err := d.Add(v2)
		must(t, err)
		m, _ := d.Member(k.Member)
		if len(m.Revoked) != 2 || !m.Revoked[0].Key.Equal(history[0]) || m.Revoked[0].CompromisedFrom != 10 ||
			!m.Revoked[1].Key.Equal(history[1]) || m.Revoked[1].CompromisedFrom != 30 {
			t.Fatalf("revoked: %v", m.Revoked)
		}
		for seq, want := range map[uint64]ed25519.PublicKey{0: history[0], 9: history[0], 10: nil, 19: nil, 20: history[1], 29: history[1], 30: nil, 39: nil, 40: history[2]} {
			if got, ok := d.SignKey(stream, seq); ok != (want != nil) || ok && !bytes.Equal(got, want) {
				t.Errorf("key at %d: %v", seq, ok)
			}
		}
		for i, key := range history {
			if m.IsRevoked(key) != (i < 2) {
				t.Errorf("key %d revoked: %v", i, m.IsRevoked(key))
			}
		}
		if now, ok := d.CurrentKey(k.Member); !ok || !now.Equal(history[2]) {
			t.Error("the key that is not compromised does not sign answers")
		}
	}
	if founding, _ := federation.ParseCharter(a.first); founding.Members[1].Revoked != nil {
		t.Error("a statement changed the version before it")
	}

	// The list as it is written, and what later versions may not do to it.
	entry := func(key ed25519.PublicKey, from int) string {
		return fmt.Sprintf(`{"key":"%s","compromised_from":"%d"}`, b64(key), from)
	}
	list := `"revoked":[` + entry(history[0], 10) + `,` + entry(history[1], 30) + `]`
	v3 := string(a.renewed(v2))
	if !strings.Contains(v3, list) {
		t.Fatalf("the text does not hold %s", list)
	}
	for name, c := range map[string]struct {
		list string
		want error
	}{
		"dropped":     {`"revoked":[` + entry(history[1], 30) + `]`, federation.ErrRefused},
		"moved":       {`"revoked":[` + entry(history[0], 11) + `,` + entry(history[1], 30) + `]`, federation.ErrRefused},
		"one more":    {strings.TrimSuffix(list, "]") + `,` + entry(history[2], 50) + `]`, federation.ErrRefused},
		"other order": {`"revoked":[` + entry(history[1], 30) + `,` + entry(history[0], 10) + `]`, federation.ErrMalformed},
		"a key twice": {`"revoked":[` + entry(history[0], 10) + `,` + entry(history[0], 10) + `]`, federation.ErrMalformed},
		"object":      {`"revoked":` + entry(history[0], 10), federation.ErrMalformed},
	} {
		if _, err := d.Add(signRaw(t, a, []byte(strings.Replace(v3, list, c.list, 1)))); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	_, err := d.Add(a.sign([]byte(v3), 0, 1, 2))
	must(t, err)
}

// TestDirectory_Add_apart: a removal admits nobody in the same version and removes one member only; who left or was removed
// does not come back under its code.
func TestDirectory_Add_apart(t *testing.T) {
	a := ally(t, 4, true)
	request := a.request(a.keys[3])
	text, err := federation.Remove(a.random, a.first, nil, day0, a.code(3))
	must(t, err)
	v2 := a.sign(text, 0, 1, 2)
	if _, err := federation.Admit(a.random, v2, nil, day0, request); !errors.Is(err, federation.ErrRefused) {
		t.Errorf("admitted again under its code: %v", err)
	}
	d := a.directory(0)
	_, err = d.Add(v2)
	must(t, err)
	// As a hostile writer would make them: a member that is in nothing but the list and group all.
	v3 := string(a.renewed(v2))
	back := strings.Replace(v3, `"state":"removed"`, `"state":"active"`, 1)
	if _, err := d.Add(signRaw(t, a, []byte(back))); err == nil {
		t.Error("a removed member is active again")
	}
	two, err := federation.Remove(a.random, v2, nil, day0, a.code(2))
	must(t, err)
	newcomer := a.bureau()
	admitted, err := federation.Admit(a.random, v2, nil, day0, a.request(newcomer))
	must(t, err)
	// The removal of one and the admission of the other in one text: the admitting text with the removed member's state and
	// its place in group all taken from the removing one.
	c, err := federation.ParseCharter(a.sign(admitted, 0))
	must(t, err)
	wrap := c.Groups[0].Epochs[len(c.Groups[0].Epochs)-1].Wraps[2]
	both := string(admitted)
	at := strings.Index(both, `"code":"`+string(a.code(2)))
	both = both[:at] + strings.Replace(both[at:], `"state":"active"`, `"state":"removed"`, 1)
	at = strings.LastIndex(both, `"groups":`)
	both = both[:at] + strings.Replace(both[at:], `"`+string(a.code(2))+`",`, "", 1)
	last := `{"member":"` + string(wrap.Member) + `","enc":"` + b64(wrap.Enc) + `"},`
	if !strings.Contains(both, last) {
		t.Fatal("nothing to take out")
	}
	both = strings.Replace(both, last, "", 1)
	if _, err := d.Add(signRaw(t, a, []byte(both))); !errors.Is(err, federation.ErrRefused) || !strings.Contains(err.Error(), "admits nobody") {
		t.Errorf("removes and admits: %v", err)
	}
	_, err = d.Add(a.sign(two, 0, 1))
	must(t, err)
	if len(d.Active()) != 2 {
		t.Errorf("active %v", d.Active())
	}
}

// TestDirectory_Add_group: a charter may name a group beside all, whose history never changes; one that withholds its past
// from newcomers is refused by a code of its own as long as nothing withholds it.
func TestDirectory_Add_group(t *testing.T) {
	a := ally(t, 2, true)
	v2 := string(a.renewed(a.first))
	c, err := federation.ParseCharter(a.sign([]byte(v2), 0))
	must(t, err)
	all := v2[strings.Index(v2, `{"group":"all"`):strings.Index(v2, `],"statements"`)]
	group := strings.Replace(all, `"group":"all"`, `"group":"`+strings.Repeat("ab", 16)+`"`, 1)
	for i, e := range c.Groups[0].Epochs {
		group = strings.Replace(group, e.Key.String(), fmt.Sprintf("%032x", i+1), 1)
	}
	hiding := strings.Replace(group, `"history":"all"`, `"history":"none"`, 1)
	d := a.directory(0)
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, federation.ErrHistoryNone) || !errors.Is(err, federation.ErrRefused) || errors.Is(err, federation.ErrMalformed) ||
			!strings.Contains(err.Error(), "history_none_unbuilt") {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = d.Add(signRaw(t, a, []byte(strings.Replace(v2, all, all+","+hiding, 1))))
	refused("a new group that withholds its past", err)
	v2 = strings.Replace(v2, all, all+","+group, 1)
	_, err = d.Add(a.sign([]byte(v2), 0, 1))
	must(t, err)
	v3 := string(a.renewed(a.sign([]byte(v2), 0, 1)))
	at := strings.LastIndex(v3, `"history":"all"`)
	_, err = d.Add(signRaw(t, a, []byte(v3[:at]+strings.Replace(v3[at:], `"history":"all"`, `"history":"none"`, 1))))
	refused("history of a group changed", err)
	if _, err := d.Add(signRaw(t, a, []byte(strings.Replace(v3, `"history":"all"`, `"history":"none"`, 1)))); !errors.Is(err, federation.ErrMalformed) {
		t.Errorf("newcomers to all are given nothing: %v", err)
	}
	_, err = d.Add(a.sign([]byte(v3), 0, 1))
	must(t, err)

	note, err := federation.NewAgreement(a.random, d, []record.MemberID{a.code(1)}, day0)
	must(t, err)
	text, _, _ := strings.Cut(string(note), "\n\n")
	note, err = a.keys[0].Signer().Note("pilin/agreement/"+string(a.code(0)), strings.Replace(text, `"history":"all"`, `"history":"none"`, 1)+"\n")
	must(t, err)
	_, err = d.AddAgreement(note)
	refused("agreement", err)
	if len(d.AgreementsOf(a.code(1))) != 0 {
		t.Error("it was taken all the same")
	}
}
