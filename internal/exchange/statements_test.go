package exchange_test

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/internal/exchange"
)

// Statements go with a head exchange both ways; a member of an older release sends none, and one that sends too many is
// heard as far as the limit.
func TestHeads_Statements(t *testing.T) {
	statements := [][]byte{[]byte("one\n\n— a b\n"), []byte("two \"quoted\"\n\n— a b\n")}
	body, err := exchange.HeadsRequest{Charter: first, Statements: statements}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	same := func(what string, got [][]byte) {
		t.Helper()
		if !bytes.Equal(bytes.Join(got, []byte{0}), bytes.Join(statements, []byte{0})) {
			t.Errorf("%s: %q", what, got)
		}
	}
	r, err := exchange.DecodeHeadsRequest(body)
	if err != nil {
		t.Fatal(err)
	}
	same("request", r.Statements)
	older, err := exchange.DecodeHeadsRequest([]byte(strings.Replace(string(body), `"statements"`, `"later"`, 1)))
	if err != nil || older.Statements != nil {
		t.Errorf("of an older release: %q, %v", older.Statements, err)
	}
	if _, err := exchange.DecodeHeadsRequest([]byte(strings.Replace(string(body), `"statements":[`, `"statements":[1,`, 1))); err == nil {
		t.Error("a number among the statements is taken")
	}

	note, err := exchange.HeadsAnswer{Charter: first, Time: start, Statements: statements}.Sign(signer(a), fed, a)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := exchange.OpenHeadsAnswer(note, fed, a, []ed25519.PublicKey{signer(a).Public()}, [32]byte{})
	if err != nil {
		t.Fatal(err)
	}
	same("answer", answer.Statements)
	if _, err := exchange.OpenHeadsAnswer(note, fed, a, []ed25519.PublicKey{signer(b).Public()}, [32]byte{}); err == nil {
		t.Error("an answer under another key is believed")
	}
	same("answer that is not believed", exchange.StatementsOf(note))
	for _, bad := range [][]byte{nil, []byte("x"), []byte("{}\n"), bytes.Repeat([]byte("["), exchange.MaxHeads+1)} {
		if got := exchange.StatementsOf(bad); got != nil {
			t.Errorf("out of %.20q: %q", bad, got)
		}
	}

	var many []string
	for range exchange.MaxStatements + 10 {
		many = append(many, `"s"`)
	}
	r, err = exchange.DecodeHeadsRequest([]byte(strings.Replace(string(body), `"statements":[`, `"statements":[`+strings.Join(many, ",")+`,`, 1)))
	if err != nil || len(r.Statements) != exchange.MaxStatements {
		t.Errorf("%d statements taken, %v", len(r.Statements), err)
	}
}

// What a peer calls its release is shown, so it is no more than a version number; anything else is as if it had said
// nothing.
func TestHeads_Release(t *testing.T) {
	for told, want := range map[string]string{"0.2.0": "0.2.0", "1.0.0-rc.1+linux": "1.0.0-rc.1+linux", "": "", "a b": "", "\x1b[31m": "", strings.Repeat("1", 41): ""} {
		note, err := exchange.HeadsAnswer{Charter: first, Time: start, Release: told}.Sign(signer(a), fed, a)
		if err != nil {
			t.Fatal(err)
		}
		got, err := exchange.OpenHeadsAnswer(note, fed, a, []ed25519.PublicKey{signer(a).Public()}, [32]byte{})
		if err != nil || got.Release != want {
			t.Errorf("%q: %q, %v", told, got.Release, err)
		}
	}
}
