package record

import (
	"crypto/ed25519"
	"encoding/binary"
	"testing"
)

// TestSignatures_RememberOnlyTheGood: whatever is changed in key, text or signature of one that is remembered is refused,
// the memory is bounded, and what was forgotten is verified anew.
func TestSignatures_RememberOnlyTheGood(t *testing.T) {
	pub, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	var v signatures
	msg := []byte("甲测一")
	sig := ed25519.Sign(priv, msg)
	for range 2 {
		if !v.verify(pub, msg, sig) {
			t.Fatal("a good signature is refused")
		}
		if v.verify(other, msg, sig) || v.verify(pub, msg[1:], sig) || v.verify(pub, append([]byte{0}, msg...), sig) || v.verify(pub, msg, sig[:63]) || v.verify(pub[:31], msg, sig) {
			t.Fatal("taken for what it is not")
		}
		for i := range sig {
			bad := append([]byte(nil), sig...)
			bad[i] ^= 1
			if v.verify(pub, msg, bad) {
				t.Fatalf("good with bit %d turned", 8*i)
			}
		}
	}
	if len(v.now) != 1 {
		t.Fatalf("%d remembered, want 1", len(v.now))
	}
	for i := range uint32(3 * signaturesKept / 2) {
		v.now[[32]byte(binary.BigEndian.AppendUint32(make([]byte, 28), i+1))] = struct{}{}
		if len(v.now) == signaturesKept && v.verify(pub, binary.BigEndian.AppendUint32(nil, i), ed25519.Sign(priv, binary.BigEndian.AppendUint32(nil, i))) && len(v.now) > signaturesKept {
			t.Fatal("the memory grows without end")
		}
	}
	if len(v.now)+len(v.last) > 2*signaturesKept {
		t.Fatal("the memory grows without end")
	}
	if !v.verify(pub, msg, sig) {
		t.Fatal("a good signature is refused once it is forgotten")
	}
}
