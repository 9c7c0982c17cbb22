package federation_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

func TestQuorum(t *testing.T) {
	for m, k := range map[int]int{1: 1, 2: 2, 3: 3, 4: 3, 5: 4, 6: 5, 7: 5} {
		if got := federation.Quorum(m); got != k {
			t.Errorf("Quorum(%d) = %d, want %d", m, got, k)
		}
		if got, want := federation.RemovalQuorum(m), max(2, min(k, m-1)); got != want {
			t.Errorf("RemovalQuorum(%d) = %d, want %d", m, got, want)
		}
	}
}

// TestDirectory_Add/k_of_m: the next version needs k of the members before, the newcomer does not count.
func TestDirectory_Add(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 7} {
		t.Run(fmt.Sprintf("k of %d", n), func(t *testing.T) {
			a := ally(t, n, true)
			newcomer := a.bureau()
			text, err := federation.Admit(a.random, a.first, nil, day0, a.request(newcomer))
			must(t, err)
			k := federation.Quorum(n)
			d := a.directory(0)
			few := a.sign(text, a.all()[n-k+1:]...) // k−1 of the old ones and the newcomer
			if _, err := d.Add(few); !errors.Is(err, federation.ErrSigners) {
				t.Fatalf("k−1 signatures: %v", err)
			}
			if d.Charter().Version != 1 {
				t.Fatal("a refused version counts")
			}
			enough := a.sign(text, a.all()[n-k:n]...)
			changed, err := d.Add(enough)
			must(t, err)
			again, err := d.Add(enough)
			must(t, err)
			if !changed || again || d.Charter().Version != 2 || !d.IsActive(newcomer.Member) || len(d.Active()) != n+1 {
				t.Errorf("changed %v again %v version %d active %v", changed, again, d.Charter().Version, d.Active())
			}
		})
	}
}

func TestDirectory_Add_found(t *testing.T) {
	a := ally(t, 3, true)
	c, err := federation.ParseCharter(a.first)
	must(t, err)
	text := []byte(c.Text)
	for i := range 3 {
		others := slices.DeleteFunc(a.all(), func(j int) bool { return j == i })
		if _, err := federation.NewDirectory(nil, a.sign(text, others...)); !errors.Is(err, federation.ErrSigners) {
			t.Errorf("without %d: %v", i, err)
		}
	}
	one, two := a.sign(text, 0), a.sign(text, 1, 2)
	merged, err := federation.Merge(one, two, two)
	must(t, err)
	_, err = federation.NewDirectory(nil, merged)
	must(t, err)
	if bytes.Count(merged, []byte("— ")) != 3 {
		t.Errorf("merged note has not three lines:\n%s", merged)
	}
	// A wrong line beside the good ones takes nothing away.
	other := ally(t, 1, true)
	spoiled := strings.Replace(string(other.sign(text, 0)), "pilin/charter/"+string(other.code(0)), "pilin/charter/"+string(a.code(1)), 1)
	merged, err = federation.Merge(merged, []byte(spoiled))
	must(t, err)
	_, err = federation.NewDirectory(nil, merged)
	must(t, err)
}

func TestDirectory_Add_remove(t *testing.T) {
	for _, n := range []int{2, 3, 4, 7} {
		t.Run(fmt.Sprintf("of %d", n), func(t *testing.T) {
			a := ally(t, n, true)
			text, err := federation.Remove(a.random, a.first, nil, day0, a.code(0))
			must(t, err)
			need := federation.RemovalQuorum(n)
			d := a.directory(1)
			// The one who is removed does not count.
			if _, err := d.Add(a.sign(text, a.all()[:need]...)); !errors.Is(err, federation.ErrSigners) {
				t.Fatalf("%d with the removed one: %v", need, err)
			}
			if n == 2 {
				return // nobody can be removed
			}
			before, ok := d.CurrentEpoch(record.All)
			if !ok {
				t.Fatal("no epoch")
			}
			_, err = d.Add(a.sign(text, a.all()[1:1+need]...))
			must(t, err)
			if d.IsActive(a.code(0)) || len(d.Active()) != n-1 {
				t.Errorf("active: %v", d.Active())
			}
			after, ok := d.CurrentEpoch(record.All)
			if !ok || after == before {
				t.Error("a change of membership made no new epoch")
			}
			gone := a.directory(0)
			_, err = gone.Add(a.sign(text, a.all()[1:1+need]...))
			must(t, err)
			if _, ok := gone.EpochKey(after.ID); ok {
				t.Error("the removed member holds the new epoch key")
			}
			if _, ok := gone.EpochKey(before.ID); !ok {
				t.Error("the removed member lost the key of what it was given")
			}
			if _, ok := gone.CurrentEpoch(record.All); ok {
				t.Error("the removed member still seals")
			}
			if _, ok := d.SignKey(record.Stream(a.code(0), record.Records), 5); !ok {
				t.Error("the removed member's records are not provable any more")
			}
			if len(d.Groups(a.code(0))) != 0 {
				t.Error("the removed member is in a group")
			}
		})
	}
}

// TestDirectory_Add_double: one member signs two versions. At n = 3, 4, 7 with one double signer at most one of them gets
// enough signatures; when more collude, the chain freezes, names them, and goes on without them.
func TestDirectory_Add_double(t *testing.T) {
	for _, n := range []int{3, 4, 7} {
		t.Run(fmt.Sprintf("one of %d", n), func(t *testing.T) {
			a := ally(t, n, true)
			one, two := a.renewed(a.first), a.renewed(a.first)
			carried := 0
			for split := 1; split < n; split++ { // members 1..split sign one, the others two, member 0 both
				d := a.directory(0)
				left, right := append([]int{0}, a.all()[1:split+1]...), append([]int{0}, a.all()[split+1:]...)
				_, err1 := d.Add(a.sign(one, left...))
				_, err2 := d.Add(a.sign(two, right...))
				if err1 == nil && err2 == nil {
					t.Fatalf("split %d: one double signer carried two versions", split)
				}
				if err1 == nil || err2 == nil {
					carried++
				}
			}
			if n > 3 && carried == 0 {
				t.Error("no split carried a version: the test shows nothing")
			}
		})
	}
	t.Run("freeze", func(t *testing.T) {
		a := ally(t, 4, true)
		one, two := a.sign(a.renewed(a.first), 0, 1, 2), a.sign(a.renewed(a.first), 0, 1, 3)
		d := a.directory(3)
		_, err := d.Add(one)
		must(t, err)
		child := a.sign(a.renewed(one), 0, 1, 2)
		_, err = d.Add(child)
		must(t, err)
		keyOfOne, _ := d.CurrentEpoch(record.All)
		_, err = d.Add(two)
		must(t, err)
		f, frozen := d.Frozen()
		if !frozen || d.Charter().Version != 1 || len(f.Rivals) != 2 || !slices.Equal(f.Signers, []record.MemberID{a.code(0), a.code(1)}) {
			t.Fatalf("frozen %v at %d, signers %v", frozen, d.Charter().Version, f.Signers)
		}
		if _, ok := d.EpochKey(keyOfOne.ID); !ok {
			t.Error("what was sealed under a rival cannot be opened")
		}
		for _, n := range [][]byte{one, two, child} {
			c, err := federation.ParseCharter(n)
			must(t, err)
			if !d.Known(c.Ref()) {
				t.Error("a rival is not kept as evidence")
			}
		}
		third := a.sign(a.renewed(a.first), 0, 1, 2)
		_, err = d.Add(third)
		must(t, err)
		if f, frozen := d.Frozen(); !frozen || len(f.Rivals) != 3 || d.Charter().Version != 1 {
			t.Error("a third rival ended the freeze")
		}
		// A version on top of one rival does not count, nor does one that the double signers carry.
		_, err = d.Add(a.sign(a.renewed(child), 0, 1, 2))
		must(t, err)
		if d.Charter().Version != 1 {
			t.Error("a child of a rival counts")
		}
		resume, err := federation.Resume(a.random, a.first, [2][]byte{one, two}, nil, day0)
		must(t, err)
		if _, err := d.Add(a.sign(resume, 0, 1, 2)); !errors.Is(err, federation.ErrSigners) {
			t.Errorf("resumed by double signers: %v", err)
		}
		_, err = d.Add(a.sign(resume, 2, 3))
		must(t, err)
		if _, frozen := d.Frozen(); frozen || d.Charter().Version != 3 {
			t.Errorf("frozen %v at version %d", frozen, d.Charter().Version)
		}
		next := a.sign(a.renewed(a.sign(resume, 2, 3)), 0, 1, 2)
		_, err = d.Add(next)
		must(t, err)
		if d.Charter().Version != 4 {
			t.Errorf("version %d after the freeze", d.Charter().Version)
		}
		// Another member that hears everything in one order reaches the same version.
		e := a.directory(2)
		for _, n := range d.Versions(1) {
			if _, err := e.Add(n); err != nil {
				t.Fatal(err)
			}
		}
		if e.Charter() != d.Charter() {
			t.Errorf("two members, two charters: %v %v", e.Charter(), d.Charter())
		}
	})
}

// TestDirectory_Add_refused: a version may change nothing by the way, however many sign it.
func TestDirectory_Add_refused(t *testing.T) {
	a := ally(t, 3, false)
	other := ally(t, 4, false)
	good := string(a.renewed(a.first))
	c, err := federation.ParseCharter(a.first)
	must(t, err)
	k := c.Members[1]
	for name, change := range map[string]struct {
		old, new string
		want     error
	}{
		"key of another":        {b64(k.Sign[0].Key), b64(other.keys[3].Signer().Public()), federation.ErrRefused},
		"recovery key":          {b64(k.Recovery), b64(other.keys[3].Signer().Public()), federation.ErrRefused},
		"kem key":               {b64(k.KEM[:]), b64(make([]byte, 32)), federation.ErrRefused},
		"address":               {`"address":"https://127.0.0.1:8443"`, `"address":"https://127.0.0.1:9"`, federation.ErrRefused},
		"synthetic":             {`"synthetic":false`, `"synthetic":true`, federation.ErrRefused},
		"skips a version":       {`"version":"2"`, `"version":"3"`, federation.ErrRefused},
		"earlier day":           {`"day":"2026-03-02"`, `"day":"2026-03-01"`, federation.ErrRefused},
		"history":               {`"history":"all"`, `"history":"none"`, federation.ErrMalformed},
		"empty revocations":     {`"kem":`, `"revoked":[],"kem":`, federation.ErrMalformed},
		"one revocation":        {`"kem":`, `"revoked":{"key":"` + b64(c.Members[0].Sign[0].Key) + `","compromised_from":"7"},"kem":`, federation.ErrMalformed},
		"revoked by others":     {`"kem":`, `"revoked":[{"key":"` + b64(c.Members[0].Sign[0].Key) + `","compromised_from":"7"}],"kem":`, federation.ErrRefused},
		"revokes a foreign key": {`"kem":`, `"revoked":[{"key":"` + b64(k.Sign[0].Key) + `","compromised_from":"7"}],"kem":`, federation.ErrMalformed},
		"other federation":      {c.Federation.String(), other.directory(0).Federation().String(), federation.ErrOtherFederation},
		"unknown before":        {c.Hash.String() + `"],"name"`, strings.Repeat("ab", 32) + `"],"name"`, federation.ErrMissing},
		"left without word":     {`"state":"active"`, `"state":"left"`, federation.ErrMalformed},
		"unknown field":         {`"v":1`, `"v":1,"w":1`, federation.ErrMalformed},
		"duplicate field":       {`"v":1`, `"v":1,"v":1`, federation.ErrMalformed},
		"case":                  {`"v":1`, `"V":1`, federation.ErrMalformed},
		"number":                {`"version":"2"`, `"version":2`, federation.ErrMalformed},
		"leading zero":          {`"version":"2"`, `"version":"02"`, federation.ErrMalformed},
		"upper-case hex":        {c.Hash.String(), strings.ToUpper(c.Hash.String()), federation.ErrMalformed},
		"two lines":             {"}\n", "}\n\n", federation.ErrMalformed},
		"address with path":     {`:8443"`, `:8443/x"`, federation.ErrMalformed},
		"address not https":     {`"https://127`, `"http://127`, federation.ErrMalformed},
		"wrap too short":        {`"enc":"`, `"enc":"AAAA`, federation.ErrMalformed},
		"small-order key":       {b64(k.Sign[0].Key), b64(make([]byte, 32)), federation.ErrMalformed},
		"key used by two":       {b64(k.Sign[0].Key), b64(c.Members[0].Sign[0].Key), federation.ErrMalformed},
		"no epoch for newcomer": {`"members":["` + string(a.code(0)) + `",`, `"members":[`, federation.ErrMalformed},
		"TLS key of another":    {k.TLS.String(), c.Members[0].TLS.String(), federation.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(good, change.old) {
				t.Fatal("nothing to change")
			}
			bad := []byte(strings.Replace(good, change.old, change.new, 1))
			if name == "two lines" {
				bad = []byte(strings.Replace(good, "}\n", "}\n{}\n", 1))
			}
			d := a.directory(0)
			if _, err := d.Add(signRaw(t, a, bad)); !errors.Is(err, change.want) {
				t.Errorf("%v, want %v", err, change.want)
			}
			if _, err := d.Add(a.sign([]byte(good), 0, 1, 2)); err != nil {
				t.Errorf("the Directory is not as it was: %v", err)
			}
		})
	}
	if _, err := a.directory(0).Add([]byte("no note")); !errors.Is(err, federation.ErrMalformed) {
		t.Errorf("no note: %v", err)
	}
}

// TestDirectory_AddStatement: statements are in force at once, fold into the next version, and their counters do not jump.
func TestDirectory_AddStatement(t *testing.T) {
	a := ally(t, 3, true)
	d := a.directory(0)
	fed := d.Federation()
	k := a.keys[1]
	stream := record.Stream(k.Member, record.Records)
	oldKey := k.Signer().Public()
	must(t, k.RotateSign(a.random))
	rotate := federation.Statement{Federation: fed, Member: k.Member, Counter: 1, Kind: federation.Rotate, Key: k.Signer().Public(), From: 41}
	old, _ := k.SignerOf(oldKey)

	if wrong, err := federation.SignStatement(rotate, a.keys[2].Signer()); err != nil {
		t.Fatal(err)
	} else if _, err := d.AddStatement(wrong); !errors.Is(err, federation.ErrSigners) {
		t.Errorf("signed by another: %v", err)
	}
	if early, err := federation.SignStatement(withCounter(rotate, 2), old); err != nil {
		t.Fatal(err)
	} else if _, err := d.AddStatement(early); !errors.Is(err, federation.ErrMissing) {
		t.Errorf("counter 2 first: %v", err)
	}
	note, err := federation.SignStatement(rotate, old)
	must(t, err)
	changed, err := d.AddStatement(note)
	must(t, err)
	again, err := d.AddStatement(note)
	must(t, err)
	if !changed || again {
		t.Errorf("changed %v, again %v", changed, again)
	}
	if _, err := d.AddStatement(mustNote(federation.SignStatement(withAddress(rotate, 1), old))); !errors.Is(err, federation.ErrRefused) {
		t.Errorf("counter used before: %v", err)
	}
	check := func(d *federation.Directory) {
		t.Helper()
		for seq, want := range map[uint64][]byte{0: oldKey, 40: oldKey, 41: k.Signer().Public(), 1 << 40: k.Signer().Public()} {
			if got, ok := d.SignKey(stream, seq); !ok || !bytes.Equal(got, want) {
				t.Errorf("key at %d: %v", seq, ok)
			}
		}
	}
	check(d)

	// The next version folds it in; the member signs it with its new key. A Directory that never heard the statement follows.
	v2 := a.sign(a.renewed(a.first, d.Statements()...), 0, 1, 2)
	fresh := a.directory(2)
	_, err = fresh.Add(v2)
	must(t, err)
	_, err = d.Add(v2)
	must(t, err)
	check(fresh)
	check(d)
	if len(d.Statements()) != 0 || d.Counter(k.Member) != 1 || fresh.Counter(k.Member) != 1 {
		t.Errorf("%d statements pending, counter %d and %d", len(d.Statements()), d.Counter(k.Member), fresh.Counter(k.Member))
	}

	// Revoked by the recovery key: what the key signs from 60 on does not count, and it signs no charter.
	revoke := federation.Statement{Federation: fed, Member: k.Member, Counter: 2, Kind: federation.Revoke, Key: k.Signer().Public(), From: 60}
	_, err = d.AddStatement(mustNote(federation.RecoverStatement(revoke, record.NewSigner(k.Recovery))))
	must(t, err)
	if _, ok := d.SignKey(stream, 60); ok {
		t.Error("a compromised key counts")
	}
	if _, ok := d.SignKey(stream, 59); !ok {
		t.Error("what was signed before does not count")
	}
	if _, ok := d.CurrentKey(k.Member); ok {
		t.Error("a compromised key signs answers")
	}
	if _, err := d.Add(a.sign(a.renewed(v2, d.Statements()...), 0, 1, 2)); !errors.Is(err, federation.ErrSigners) {
		t.Errorf("signed by a revoked key: %v", err)
	}
	compromised := k.Signer()
	must(t, k.RotateSign(a.random))
	recover := federation.Statement{Federation: fed, Member: k.Member, Counter: 3, Kind: federation.Rotate, Key: k.Signer().Public(), From: 60}
	if _, err := d.AddStatement(mustNote(federation.SignStatement(recover, compromised))); !errors.Is(err, federation.ErrSigners) {
		t.Errorf("a revoked key states: %v", err)
	}
	_, err = d.AddStatement(mustNote(federation.RecoverStatement(recover, record.NewSigner(k.Recovery))))
	must(t, err)
	v3 := a.sign(a.renewed(v2, d.Statements()...), 0, 1, 2)
	_, err = d.Add(v3)
	must(t, err)
	if got, ok := d.SignKey(stream, 60); !ok || !bytes.Equal(got, k.Signer().Public()) {
		t.Error("the recovered key does not sign")
	}
	_, err = fresh.Add(v3)
	must(t, err)

	// Address and leaving.
	move := federation.Statement{Federation: fed, Member: k.Member, Counter: 4, Kind: federation.Address, Address: "https://10.0.0.1:8443"}
	_, err = d.AddStatement(mustNote(federation.SignStatement(move, k.Signer())))
	must(t, err)
	if at, ok := d.Address(k.Member); !ok || at != move.Address {
		t.Errorf("address %q", at)
	}
	leave := federation.Statement{Federation: fed, Member: k.Member, Counter: 5, Kind: federation.Leave}
	_, err = d.AddStatement(mustNote(federation.SignStatement(leave, k.Signer())))
	must(t, err)
	if _, pinned := d.PinnedTLS(k.Member); pinned || d.IsActive(k.Member) || slices.Contains(d.GroupMembers(record.All), k.Member) || len(d.Groups(k.Member)) > 0 {
		t.Error("who left is still there")
	}
	// Two are left: both must sign, the one who left need not.
	v4 := a.renewed(v3, d.Statements()...)
	if _, err := d.Add(a.sign(v4, 0, 1)); !errors.Is(err, federation.ErrSigners) {
		t.Errorf("signed by the one who left: %v", err)
	}
	_, err = d.Add(a.sign(v4, 0, 2))
	must(t, err)
	if m, _ := d.Member(k.Member); m.State != federation.Left || len(d.Active()) != 2 {
		t.Errorf("state %s, active %v", m.State, d.Active())
	}
}

// TestRecovery: all signing keys are lost; recovery keys bring the federation back.
func TestRecovery(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7} {
		a := ally(t, n, true)
		d := a.directory(0)
		for _, k := range a.keys {
			must(t, k.RotateSign(a.random))
			st := federation.Statement{Federation: d.Federation(), Member: k.Member, Counter: 1, Kind: federation.Rotate, Key: k.Signer().Public(), From: 3}
			_, err := d.AddStatement(mustNote(federation.RecoverStatement(st, record.NewSigner(k.Recovery))))
			must(t, err)
		}
		v2 := a.sign(a.renewed(a.first, d.Statements()...), a.all()...)
		e := a.directory(-1)
		_, err := e.Add(v2)
		must(t, err)
		if e.Charter().Version != 2 {
			t.Errorf("n = %d: not recovered", n)
		}
	}
}

func TestDirectory_TestOnly(t *testing.T) {
	for _, synthetic := range []bool{true, false} {
		a := &alliance{t: t, random: seeded("test only")}
		full, bare := a.bureau(), a.bureau()
		noData, err := federation.NewRequest(bare, federation.Entry{Name: "测", Address: "https://127.0.0.1:1", AgreementNo: "XY-1", PIPIANo: "PIA"})
		must(t, err)
		text, err := federation.Found(a.random, federation.Founding{Name: "测", Synthetic: synthetic, Day: day0}, a.request(full), noData)
		must(t, err)
		a.first = a.sign(text, 0, 1)
		d := a.directory(0)
		if d.TestOnly(full.Member) || d.TestOnly(bare.Member) == synthetic || d.Synthetic() != synthetic {
			t.Errorf("synthetic %v: full %v, bare %v", synthetic, d.TestOnly(full.Member), d.TestOnly(bare.Member))
		}
	}
}

func TestRequest(t *testing.T) {
	a := &alliance{t: t, random: seeded("request")}
	k := a.bureau()
	r := a.request(k)
	m, err := federation.ParseRequest(r)
	must(t, err)
	if m.Code != k.Member || m.KEM != k.KEMPublic() || !bytes.Equal(m.Recovery, record.NewSigner(k.Recovery).Public()) {
		t.Error("request is not the member's entry")
	}
	f := federation.Fingerprint(r)
	if len(f) != 24 || strings.Count(f, " ") != 4 {
		t.Errorf("fingerprint %q", f)
	}
	if _, err := federation.ParseRequest(bytes.Replace(r, []byte(`"XY-1"`), []byte(`"XY-2"`), 1)); !errors.Is(err, federation.ErrSigners) {
		t.Errorf("changed request: %v", err)
	}
	if _, err := federation.Found(a.random, federation.Founding{Name: "测", Day: day0}, r, r); !errors.Is(err, federation.ErrRefused) {
		t.Errorf("the same bureau twice: %v", err)
	}
}

func TestKeys(t *testing.T) {
	a := &alliance{t: t, random: seeded("keys")}
	k := a.bureau()
	must(t, k.RotateSign(a.random))
	b, err := k.Encode()
	must(t, err)
	back, err := federation.DecodeKeys(b)
	must(t, err)
	if back.Recovery != nil || !back.Sign.Equal(k.Sign) || !back.TLS.Equal(k.TLS) || !back.KEM.Equal(k.KEM) || len(back.PastSign) != 1 {
		t.Error("key file loses or adds keys")
	}
	if bytes.Contains(b, []byte(b64(k.Recovery.Seed()))) {
		t.Error("the recovery key is in the node's key file")
	}
	rec, err := k.EncodeRecovery()
	must(t, err)
	m, priv, err := federation.DecodeRecovery(rec)
	if err != nil || m != k.Member || !priv.Equal(k.Recovery) {
		t.Errorf("recovery file: %v", err)
	}
	twin := (&alliance{t: t, random: seeded("keys")}).bureauOf(t)
	if !twin.TLS.Equal(k.TLS) || !bytes.Equal(twin.Cert, k.Cert) {
		t.Error("the same random source gives other keys")
	}
}

func (a *alliance) bureauOf(t *testing.T) *federation.Keys { a.t = t; return a.bureau() }

func TestAgreement(t *testing.T) {
	a := ally(t, 4, true)
	founder, member, outsider := a.directory(0), a.directory(1), a.directory(2)
	note, err := federation.NewAgreement(a.random, founder, []record.MemberID{a.code(1)}, day0)
	must(t, err)
	ag, err := federation.ParseAgreement(note)
	must(t, err)
	for _, d := range []*federation.Directory{founder, member} {
		changed, err := d.AddAgreement(note)
		must(t, err)
		if again, err := d.AddAgreement(note); err != nil || !changed || again {
			t.Errorf("changed %v again %v %v", changed, again, err)
		}
	}
	k1, ok1 := founder.CurrentEpoch(ag.Group)
	k2, ok2 := member.CurrentEpoch(ag.Group)
	if !ok1 || !ok2 || k1 != k2 || !member.Entitled(ag.Group) || !founder.Groups(a.code(1))[ag.Group] {
		t.Error("founder and member do not share the key")
	}
	if _, err := outsider.AddAgreement(note); !errors.Is(err, federation.ErrRefused) {
		t.Errorf("outsider: %v", err)
	}
	if founder.Groups(a.code(2))[ag.Group] || len(founder.AgreementsOf(a.code(2))) != 0 {
		t.Error("the outsider is told")
	}
	if _, ok := founder.Agreement(ag.ID, a.code(2)); ok {
		t.Error("the outsider is handed the agreement")
	}
	if got, ok := founder.Agreement(ag.ID, a.code(1)); !ok || !bytes.Equal(got, note) {
		t.Error("the member is not handed the agreement")
	}
	// Signed by another than the founder.
	forged := strings.NewReplacer("\n— pilin/agreement/"+string(a.code(0)), "\n— pilin/agreement/"+string(a.code(3))).Replace(string(note))
	if _, err := member.AddAgreement([]byte(forged)); err != nil && !errors.Is(err, federation.ErrSigners) {
		t.Errorf("forged: %v", err)
	}
	if d := a.directory(1); func() error { _, err := d.AddAgreement([]byte(forged)); return err }() == nil {
		t.Error("forged agreement accepted")
	}
	// One more joins, under a new epoch.
	next, err := ag.Extend(a.random, founder, []record.MemberID{a.code(1), a.code(3)}, day0)
	must(t, err)
	for _, d := range []*federation.Directory{founder, member} {
		_, err := d.AddAgreement(next)
		must(t, err)
		if k, ok := d.CurrentEpoch(ag.Group); !ok || k == k1 {
			t.Error("no new epoch")
		}
		if _, ok := d.EpochKey(k1.ID); !ok {
			t.Error("old epoch lost")
		}
		if _, err := d.AddAgreement(note); err != nil {
			t.Errorf("old note again: %v", err)
		}
	}
	late := a.directory(3)
	_, err = late.AddAgreement(next)
	must(t, err)
	if _, ok := late.EpochKey(k1.ID); ok {
		t.Error("the newcomer holds the old epoch key")
	}
	if _, ok := late.CurrentEpoch(ag.Group); !ok {
		t.Error("the newcomer does not hold the new one")
	}
}

func withCounter(s federation.Statement, n uint64) federation.Statement { s.Counter = n; return s }
func withAddress(s federation.Statement, n uint64) federation.Statement {
	return federation.Statement{Federation: s.Federation, Member: s.Member, Counter: n, Kind: federation.Address, Address: "https://127.0.0.1:2"}
}

func mustNote(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
