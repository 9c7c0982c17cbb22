package record_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/transparency-dev/formats/log"
	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// verifierOf gives a key to the note library in its own text form.
func verifierOf(t *testing.T, name string, pub ed25519.PublicKey) note.Verifier {
	t.Helper()
	vkey, err := note.NewEd25519VerifierKey(name, pub)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSigner_NoteIsCompatible(t *testing.T) {
	sg := record.NewSigner(keyOf("a"))
	b, err := sg.Note("pilin/x", "one\ntwo\n")
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(b, note.VerifierList(verifierOf(t, "pilin/x", sg.Public())))
	if err != nil || n.Text != "one\ntwo\n" {
		t.Errorf("the library reads %+v %v", n, err)
	}
	for _, text := range []string{"", "no newline"} {
		if _, err := sg.Note("pilin/x", text); err == nil {
			t.Errorf("signed %q", text)
		}
	}
	if _, err := sg.Note("a b", "x\n"); err == nil {
		t.Error("signed under a name with a space")
	}
}

func TestVerifyNote(t *testing.T) {
	sg, stranger := record.NewSigner(keyOf("a")), record.NewSigner(keyOf("b"))
	good, err := sg.Note("n", "text\n")
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := stranger.Note("n", "text\n")
	if err != nil {
		t.Fatal(err)
	}
	line := func(b []byte) string { return string(b[strings.LastIndex(string(b), "\n\n")+2:]) }
	if text, err := record.VerifyNote([]byte("text\n\n"+line(foreign)+line(good)), "n", sg.Public()); err != nil || text != "text\n" {
		t.Errorf("further lines are to be ignored: %q %v", text, err)
	}
	stray := bytes.Clone(good)
	stray[len(stray)-3]++ // its two lowest bits are not part of a byte
	// A signature whose S is not below the group order is another text for the same promise.
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(strings.TrimPrefix(line(good), "— n "), "\n"))
	if err != nil {
		t.Fatal(err)
	}
	order, _ := hex.DecodeString("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
	malleable, carry := bytes.Clone(raw), 0
	for i, o := range order {
		sum := int(malleable[4+32+i]) + int(o) + carry
		malleable[4+32+i], carry = byte(sum), sum>>8
	}
	for _, c := range []struct {
		name string
		note []byte
		key  ed25519.PublicKey
		want error
	}{
		{"other text", bytes.Replace(good, []byte("text"), []byte("test"), 1), sg.Public(), record.ErrBadSignature},
		{"non-canonical S", fmt.Appendf(nil, "text\n\n— n %s\n", base64.StdEncoding.EncodeToString(malleable)), sg.Public(), record.ErrBadSignature},
		{"other key's line", foreign, sg.Public(), record.ErrNoSignature},
		{"other name", bytes.Replace(good, []byte("— n "), []byte("— m "), 1), sg.Public(), record.ErrNoSignature},
		{"base64 with stray bits", stray, sg.Public(), nil},
		{"no lines", []byte("text\n\n"), sg.Public(), nil},
		{"no blank line", []byte("text\n"), sg.Public(), nil},
		{"control character", []byte("te\x01xt\n\n" + line(good)), sg.Public(), nil},
		{"empty", nil, sg.Public(), nil},
		{"short key", good, sg.Public()[:31], record.ErrNoSignature},
	} {
		_, err := record.VerifyNote(c.note, "n", c.key)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestValidPublicKey(t *testing.T) {
	if !record.ValidPublicKey(record.NewSigner(keyOf("a")).Public()) {
		t.Error("a good key is refused")
	}
	// The encodings of the eight points of small order, canonical and not (RFC 8032 §5.1.3; the list of libsodium).
	for _, s := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000080",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"01",
	} {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		if record.ValidPublicKey(b) {
			t.Errorf("%s is accepted", s)
		}
	}
	// With the identity as key, (R = identity, S = 0) is a signature of every text for a lax verifier.
	pub := append(ed25519.PublicKey{1}, make([]byte, 31)...)
	sig := append([]byte{1}, make([]byte, 63)...)
	if !ed25519.Verify(pub, []byte("any"), sig) {
		t.Skip("the standard library refuses small orders by itself now")
	}
	vkey, err := note.NewEd25519VerifierKey("n", pub)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	line := append([]byte{byte(v.KeyHash() >> 24), byte(v.KeyHash() >> 16), byte(v.KeyHash() >> 8), byte(v.KeyHash())}, sig...)
	forged := fmt.Appendf(nil, "any\n\n— n %s\n", base64.StdEncoding.EncodeToString(line))
	if _, err := record.VerifyNote(forged, "n", pub); !errors.Is(err, record.ErrBadSignature) {
		t.Errorf("a note of a small-order key: %v", err)
	}
}

func checkpointOf(fed *federation, size uint64, root tlog.Hash) record.Checkpoint {
	return record.Checkpoint{Federation: fed.id, Stream: record.Stream(origin, record.Records), Size: size, Root: root, Charter: fed.charter}
}

func TestCheckpoint_IsCompatible(t *testing.T) {
	fed := newFederation()
	c := checkpointOf(fed, 7, tlog.Hash{7})
	b, err := record.SignCheckpoint(fed.signers[origin], c)
	if err != nil {
		t.Fatal(err)
	}
	name := record.Origin(c.Federation, c.Stream)
	got, rest, _, err := log.ParseCheckpoint(b, name, verifierOf(t, name, fed.signers[origin].Public()))
	if err != nil || got.Origin != name || got.Size != 7 || !bytes.Equal(got.Hash, c.Root[:]) || !bytes.HasPrefix(rest, []byte("charter 1 ")) {
		t.Errorf("the library reads %+v %q %v", got, rest, err)
	}
	ours, err := record.VerifyCheckpoint(b, fed.signers[origin].Public())
	c.Text = ours.Text
	if err != nil || ours != c {
		t.Errorf("we read %+v %v", ours, err)
	}
	if _, err := record.VerifyCheckpoint(b, fed.signers[other].Public()); !errors.Is(err, record.ErrNoSignature) {
		t.Errorf("under another key: %v", err)
	}
	c.Size = 0
	if _, err := record.SignCheckpoint(fed.signers[origin], c); err == nil {
		t.Error("signed an empty tree with leaves")
	}
	c.Root = record.EmptyRoot()
	if _, err := record.SignCheckpoint(fed.signers[origin], c); err != nil {
		t.Errorf("empty tree: %v", err)
	}
}

func TestParseCheckpoint_Refuses(t *testing.T) {
	fed := newFederation()
	b, err := record.SignCheckpoint(fed.signers[origin], checkpointOf(fed, 7, tlog.Hash{7}))
	if err != nil {
		t.Fatal(err)
	}
	good := string(b)
	edit := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %q", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	root := strings.Split(good, "\n")[2]
	for name, text := range map[string]string{
		"empty":                   "",
		"no blank line":           strings.Replace(good, "\n\n", "\n", 1),
		"size with zero":          edit("\n7\n", "\n07\n"),
		"negative size":           edit("\n7\n", "\n-7\n"),
		"size past 2^62":          edit("\n7\n", "\n4611686018427387904\n"),
		"root cut":                edit(root, root[4:]),
		"root not canonical":      edit(root, root[:42]+"B="),
		"no charter line":         edit("\ncharter ", "\nx "),
		"charter version 0":       edit("charter 1", "charter 0"),
		"charter hash in capital": edit("fed0"+strings.Repeat("0", 60)+"\n\n", "FED0"+strings.Repeat("0", 60)+"\n\n"),
		"no such stream":          edit("/records\n", "/secrets\n"),
		"other prefix":            edit("pilin/", "polin/"),
		"empty line":              edit("\ncharter", "\n\ncharter"),
		"33 lines":                edit("\n\n", "\n"+strings.Repeat("x\n", 29)+"\n"),
		"17 KiB":                  good + strings.Repeat("x", 17<<10),
	} {
		if c, err := record.ParseCheckpoint([]byte(text)); err == nil {
			t.Errorf("%s: accepted %+v", name, c)
		}
	}
	if _, err := record.ParseCheckpoint([]byte(edit("\n\n", "\nlater extension\n\n"))); err != nil {
		t.Errorf("an extension line of a later release: %v", err)
	}
}

func TestReceipt(t *testing.T) {
	fed := newFederation()
	a := newAuthor(t, fed)
	g := a.commit(a.draft(toAll(record.L1)), a.draft(toAll(record.L1)), a.draft(toAll(record.L1)))
	held := []record.HeldBack{{Seq: 0, Reason: record.HeldUnusable}, {Seq: 2, Reason: record.HeldPending}}
	sg := fed.signers[other]
	// A further line on the checkpoint is not passed on.
	strange, err := record.NewSigner(keyOf("strange")).Note("strange", "x\n")
	if err != nil {
		t.Fatal(err)
	}
	noted := append(bytes.Clone(g.Checkpoint), strange[len("x\n\n"):]...)
	b, err := record.SignReceipt(sg, fed.id, other, noted, held, 1_772_000_000)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte("strange")) {
		t.Error("a stranger's line is in the receipt")
	}
	verify := func(b []byte) (record.Receipt, error) {
		return record.VerifyReceipt(b, fed.id, other, sg.Public(), fed.signKey)
	}
	r, err := verify(b)
	if err != nil {
		t.Fatal(err)
	}
	if r.Size != 3 || r.Time != 1_772_000_000 || r.By != other || r.Stream != a.stream || r.Root != a.tree.Root() {
		t.Errorf("receipt %+v", r)
	}
	for seq, want := range map[uint64]bool{0: false, 1: true, 2: false, 3: false, 1 << 60: false} {
		if r.Covers(seq) != want {
			t.Errorf("covers %d: %t", seq, !want)
		}
	}

	t.Run("the cosignature is that of formats/note", func(t *testing.T) {
		name := "pilin/" + fed.id.String() + "/" + string(other) + "/receipt"
		vkey, err := note.NewEd25519VerifierKey(name, sg.Public())
		if err != nil {
			t.Fatal(err)
		}
		v, err := fnote.NewVerifierForCosignatureV1(vkey)
		if err != nil {
			t.Fatal(err)
		}
		n, err := note.Open(noteIn(t, b, "checkpoint"), note.VerifierList(v))
		if err != nil || len(n.Sigs) != 1 {
			t.Fatalf("the library reads %+v %v", n, err)
		}
		if at, err := fnote.CoSigV1Timestamp(n.Sigs[0]); err != nil || at.Unix() != 1_772_000_000 {
			t.Errorf("time %v %v", at, err)
		}
	})
	t.Run("refused", func(t *testing.T) {
		mixed, err := record.SignReceipt(sg, fed.id, other, a.commit(a.draft(toAll(record.L1))).Checkpoint, nil, 1)
		if err != nil {
			t.Fatal(err)
		}
		// The time stands behind the four bytes of the key hash: base64 characters 5 to 15 of the last line.
		at := strings.Index(string(b), "/receipt ") + len("/receipt ") + 12
		retimed := string(b[:at]) + string(b[at]^1) + string(b[at+1:])
		for name, bad := range map[string]string{
			"held of another receipt": `{"v":1,"checkpoint":` + quote(noteIn(t, b, "checkpoint")) + `,"held":` + quote(noteIn(t, mixed, "held")) + `}`,
			"held note missing":       `{"v":1,"checkpoint":` + quote(noteIn(t, b, "checkpoint")) + `}`,
			"checkpoint not cosigned": `{"v":1,"checkpoint":` + quote(g.Checkpoint) + `,"held":` + quote(noteIn(t, b, "held")) + `}`,
			"held line dropped":       strings.Replace(string(b), `2 pending\n`, ``, 1),
			"held line added":         strings.Replace(string(b), `0 unusable\n`, `0 unusable\n1 unusable\n`, 1),
			"time changed":            retimed,
			"unknown member":          strings.Replace(string(b), `"v":1`, `"v":1,"x":1`, 1),
			"v 2":                     strings.Replace(string(b), `"v":1`, `"v":2`, 1),
			"no JSON":                 "x",
		} {
			if bad == string(b) {
				t.Fatalf("%s: not changed", name)
			}
			if r, err := verify([]byte(bad)); err == nil {
				t.Errorf("%s: accepted %+v", name, r)
			}
		}
		if _, err := record.VerifyReceipt(b, fed.id, origin, sg.Public(), fed.signKey); err == nil {
			t.Error("accepted as another member's")
		}
		if _, err := record.VerifyReceipt(b, record.FederationID{1}, other, sg.Public(), fed.signKey); err == nil {
			t.Error("accepted in another federation")
		}
		if _, err := record.VerifyReceipt(b, fed.id, other, a.signer.Public(), fed.signKey); err == nil {
			t.Error("accepted under another key")
		}
	})
	t.Run("not signed", func(t *testing.T) {
		for name, held := range map[string][]record.HeldBack{
			"out of order":   {{2, record.HeldPending}, {1, record.HeldPending}},
			"past the size":  {{3, record.HeldPending}},
			"unknown reason": {{1, "asleep"}},
		} {
			if _, err := record.SignReceipt(sg, fed.id, other, g.Checkpoint, held, 1); err == nil {
				t.Errorf("%s: signed", name)
			}
		}
		if _, err := record.SignReceipt(sg, record.FederationID{1}, other, g.Checkpoint, nil, 1); err == nil {
			t.Error("signed a checkpoint of another federation")
		}
	})
}
