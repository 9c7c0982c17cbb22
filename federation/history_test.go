package federation_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// TestDirectory_SignKey_history is I9 against a model: whatever a member states about its keys, by its own or its recovery
// key, folded into a version or not, a sequence is signed by the last key that starts at or before it, or by none if that
// key is compromised from there. Any number of keys may be, in any order.
func TestDirectory_SignKey_history(t *testing.T) {
	base := ally(t, 2, true)
	rapid.Check(t, func(r *rapid.T) {
		a := &alliance{t: t, random: seeded(rapid.StringN(1, 8, 8).Draw(r, "seed")), keys: base.keys, first: base.first}
		d := a.directory(0)
		k := *a.keys[1]
		type span struct {
			key  ed25519.PublicKey
			from uint64
		}
		model := []span{{k.Signer().Public(), 0}}
		bad := map[string]uint64{} // compromised keys, from which sequence
		isBad := func(k ed25519.PublicKey) bool { _, yes := bad[string(k)]; return yes }
		var counter uint64
		version := a.first
		for range rapid.IntRange(1, 6).Draw(r, "steps") {
			st := federation.Statement{Federation: d.Federation(), Member: k.Member, Counter: counter + 1}
			signer := k.Signer()
			switch rapid.SampledFrom([]string{"rotate", "rotate", "revoke", "fold", "backwards"}).Draw(r, "step") {
			case "rotate":
				must(t, k.RotateSign(a.random))
				st.Kind, st.Key = federation.Rotate, k.Signer().Public()
				st.From = model[len(model)-1].from + rapid.Uint64Range(0, 9).Draw(r, "later")
				if isBad(signer.Public()) {
					signer = record.NewSigner(k.Recovery)
				}
				model = append(model, span{st.Key, st.From})
			case "revoke":
				s := rapid.SampledFrom(model).Draw(r, "bad")
				st.Kind, st.Key, st.From = federation.Revoke, s.key, rapid.Uint64Range(0, 60).Draw(r, "from")
				signer = record.NewSigner(k.Recovery)
				if isBad(s.key) { // said once: it does not move any more
					if note, err := federation.RecoverStatement(st, signer); err != nil {
						r.Fatal(err)
					} else if _, err := d.AddStatement(note); !errors.Is(err, federation.ErrRefused) {
						r.Fatalf("a key is revoked twice: %v", err)
					}
					continue
				}
				bad[string(s.key)] = st.From
			case "fold":
				others := a.sign(a.renewed(version, d.Statements()...), 0)
				own, err := federation.Sign(others, k.Member, k.Signer())
				must(t, err)
				if _, err := d.Add(own); err == nil {
					version = own
				} else if !isBad(k.Signer().Public()) {
					r.Fatal(err)
				}
				continue
			case "backwards": // a history never shrinks
				if len(model) < 2 || model[len(model)-1].from == 0 {
					continue
				}
				st.Kind, st.Key, st.From = federation.Rotate, a.keys[0].KEM.PublicKey().Bytes(), model[len(model)-1].from-1
				if note, err := federation.RecoverStatement(st, record.NewSigner(k.Recovery)); err == nil {
					if changed, _ := d.AddStatement(note); changed {
						r.Fatal("a history was shortened")
					}
				}
				continue
			}
			sign := federation.SignStatement
			if signer.Public().Equal(record.NewSigner(k.Recovery).Public()) {
				sign = federation.RecoverStatement
			}
			note, err := sign(st, signer)
			must(t, err)
			if _, err := d.AddStatement(note); err != nil {
				r.Fatal(err)
			}
			counter++
		}
		for seq := range uint64(64) {
			var want span
			for _, s := range model {
				if s.from <= seq {
					want = s
				}
			}
			from, compromised := bad[string(want.key)]
			counts := !compromised || seq < from
			got, ok := d.SignKey(record.Stream(k.Member, record.Records), seq)
			if ok != counts || ok && !bytes.Equal(got, want.key) {
				r.Fatalf("sequence %d: %v, want %v", seq, ok, counts)
			}
		}
	})
}

// TestDirectory_concurrent: readers see whole views while versions, statements and agreements come in.
func TestDirectory_concurrent(t *testing.T) {
	a := ally(t, 3, true)
	d := a.directory(0)
	v2 := a.sign(a.renewed(a.first), 0, 1, 2)
	v3 := a.sign(a.renewed(v2), 0, 1, 2)
	agreement, err := federation.NewAgreement(a.random, d, []record.MemberID{a.code(1)}, day0)
	must(t, err)
	move := federation.Statement{Federation: d.Federation(), Member: a.code(1), Counter: 1, Kind: federation.Address, Address: "https://127.0.0.1:2"}
	statement := mustNote(federation.SignStatement(move, a.keys[1].Signer()))
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				ref := d.Charter()
				k, ok := d.CurrentEpoch(record.All)
				if !ok || !d.Known(ref) || len(d.Active()) != 3 {
					t.Error("half a view")
				}
				if _, ok := d.EpochKey(k.ID); !ok {
					t.Error("a current key that cannot be found")
				}
			}
		})
	}
	for range 2 { // the second round brings nothing
		for _, n := range [][]byte{v2, v3} {
			_, err := d.Add(n)
			must(t, err)
		}
		_, err := d.AddStatement(statement)
		must(t, err)
		_, err = d.AddAgreement(agreement)
		must(t, err)
	}
	close(done)
	wg.Wait()
	if at, _ := d.Address(a.code(1)); d.Charter().Version != 3 || at != move.Address || len(d.AgreementsOf(a.code(1))) != 1 {
		t.Errorf("version %d, address %s", d.Charter().Version, at)
	}
}
