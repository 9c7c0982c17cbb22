package record_test

import (
	"cmp"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/pilinhub/pilin/record"
)

func sha(b []byte) [32]byte { return sha256.Sum256(b) }

// noteKeyHash is the key hash of C2SP signed notes, computed apart from the package.
func noteKeyHash(name string, alg byte, pub []byte) []byte {
	sum := sha([]byte(name + "\n" + string(alg) + string(pub)))
	return sum[:4]
}

func fixedKey(public string) func(record.StreamID, uint64) (ed25519.PublicKey, bool) {
	return func(record.StreamID, uint64) (ed25519.PublicKey, bool) { return unhex(public), true }
}

func sortByName(vs []vector) {
	slices.SortFunc(vs, func(a, b vector) int { return cmp.Compare(a["name"].(string), b["name"].(string)) })
}

// must is for steps that fail only if the standard library is broken.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// sealEpoch is HPKE single shot (RFC 9180 base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM) with a fixed
// ephemeral key, which the standard library rightly does not offer; charterVectors opens it with the library.
func sealEpoch(ephemeral, recipient *ecdh.PrivateKey, info string, plain []byte) []byte {
	enc := ephemeral.PublicKey().Bytes()
	labelled := func(suite string, salt, ikm []byte, label string) []byte {
		return must(hkdf.Extract(sha256.New, []byte("HPKE-v1"+suite+label+string(ikm)), salt))
	}
	expand := func(suite string, prk []byte, label, info string, n int) []byte {
		return must(hkdf.Expand(sha256.New, prk, string([]byte{byte(n >> 8), byte(n)})+"HPKE-v1"+suite+label+info, n))
	}
	kem, suite := "KEM\x00\x20", "HPKE\x00\x20\x00\x01\x00\x02"
	dh := must(ephemeral.ECDH(recipient.PublicKey()))
	shared := expand(kem, labelled(kem, nil, dh, "eae_prk"), "shared_secret", string(enc)+string(recipient.PublicKey().Bytes()), 32)
	context := "\x00" + string(labelled(suite, nil, nil, "psk_id_hash")) + string(labelled(suite, nil, []byte(info), "info_hash"))
	secret := labelled(suite, shared, nil, "secret")
	aead := must(cipher.NewGCM(must(aes.NewCipher(expand(suite, secret, "key", context, 32)))))
	return append(enc, aead.Seal(nil, expand(suite, secret, "base_nonce", context, 12), plain, nil)...)
}

func x25519(seed string) *ecdh.PrivateKey {
	h := sha([]byte(seed))
	return must(ecdh.X25519().NewPrivateKey(h[:]))
}

// cosignedNote is one text under several charter names.
func cosignedNote(t *testing.T, text string, signers map[string]*record.Signer) []byte {
	t.Helper()
	out := []byte(text + "\n")
	names := []string{}
	for name := range signers {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b, err := signers[name].Note(name, text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b[len(text)+1:]...)
	}
	return out
}

func charterVectors(t *testing.T) vectors {
	v := vectors{About: "Charter version 1 (charter.md §1): every member signs; federation is the SHA-256 of the text. kem holds the members' private KEM keys: each opens its wraps to the epoch key."}
	const keyID = "c0000000000000000000000000000003"
	epoch := sha([]byte("epoch"))
	members := []record.MemberID{origin, other}
	signers, entries, wraps, kems := map[string]*record.Signer{}, []string{}, []string{}, []vector{}
	for i, m := range members {
		sg, kem, recovery := record.NewSigner(keyOf("sign "+string(m))), x25519("kem "+string(m)), record.NewSigner(keyOf("recovery "+string(m)))
		signers["pilin/charter/"+string(m)] = sg
		entries = append(entries, fmt.Sprintf(`{"code":"%s","name":"测%d区","state":"active","sign":[{"key":"%s","from":"0"}],"kem":"%s","tls":"%x","recovery":"%s","address":"https://127.0.0.%d:8443","agreement_no":"测-1","pipia_no":"测-2","retention":"测-3"}`,
			m, i+1, base64Of(sg.Public()), base64Of(kem.PublicKey().Bytes()), sha([]byte("tls "+string(m))), base64Of(recovery.Public()), i+1))
		info := "pilin epoch 1" + "all" + string(unhex(keyID)) + string(m)
		enc := sealEpoch(x25519("ephemeral "+string(m)), kem, info, epoch[:])
		key, err := hpke.NewDHKEMPrivateKey(kem)
		if err != nil {
			t.Fatal(err)
		}
		if opened, err := hpke.Open(key, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(info), enc); err != nil || !slices.Equal(opened, epoch[:]) {
			t.Fatalf("the standard library does not open the wrap of %s: %v", m, err)
		}
		wraps = append(wraps, fmt.Sprintf(`{"member":"%s","enc":"%s"}`, m, base64Of(enc)))
		kems = append(kems, vector{"member": string(m), "private": hexOf(kem.Bytes())})
	}
	text := `{"pilin":"charter","v":1,"federation":"","version":"1","prev":[],"name":"毗邻测试","synthetic":true,"day":"2026-03-02","members":[` + strings.Join(entries, ",") +
		`],"groups":[{"group":"all","members":["` + string(origin) + `","` + string(other) + `"],"history":"all","epochs":[{"key":"` + keyID + `","wraps":[` + strings.Join(wraps, ",") + `]}]}],"statements":[]}` + "\n"
	federation := sha([]byte(text))
	good := vector{"name": "founding of two", "note": string(cosignedNote(t, text, signers)), "federation": hexOf(federation[:]), "kem": kems, "epoch": hexOf(epoch[:])}
	v.Good = []vector{good}

	first := map[string]*record.Signer{"pilin/charter/" + string(origin): signers["pilin/charter/"+string(origin)]}
	stranger := map[string]*record.Signer{"pilin/charter/" + string(origin): first["pilin/charter/"+string(origin)], "pilin/charter/" + string(other): record.NewSigner(keyOf("strange"))}
	resigned := func(text string) string { return string(cosignedNote(t, text, signers)) }
	for _, c := range [][2]string{
		{"one signature missing", string(cosignedNote(t, text, first))},
		{"signature of a key that it does not name", string(cosignedNote(t, text, stranger))},
		{"text changed", strings.Replace(good["note"].(string), "毗邻测试", "毗邻测验", 1)},
		{"signed, duplicate member", resigned(strings.Replace(text, `"v":1`, `"v":1,"v":1`, 1))},
		{"signed, two lines", resigned(text + "{}\n")},
		{"signed, members out of order", resigned(strings.Replace(text, entries[0]+","+entries[1], entries[1]+","+entries[0], 1))},
		{"signed, newcomers to all are given nothing", resigned(strings.Replace(text, `"history":"all"`, `"history":"none"`, 1))},
		{"signed, a founder with a revoked key", resigned(strings.Replace(text, `"kem":`, `"revoked":[{"key":"`+base64Of(signers["pilin/charter/"+string(origin)].Public())+`","compromised_from":"7"}],"kem":`, 1))},
		{"signed, wrap of another member", resigned(strings.Replace(text, wraps[0], strings.Replace(wraps[1], string(other), string(origin), 1), 1))},
	} {
		v.Bad = append(v.Bad, vector{"name": c[0], "note": c[1], "kem": kems, "epoch": good["epoch"], "federation": federationOf(c[1])})
	}
	for name, sg := range signers {
		if _, err := note.Open([]byte(good["note"].(string)), note.VerifierList(verifierOf(t, name, sg.Public()))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	return v
}

// federationOf hashes a note's text, so that the refusals of bad charters are not about the hash.
func federationOf(note string) string {
	sum := sha([]byte(note[:strings.LastIndex(note, "\n\n")+1]))
	return hexOf(sum[:])
}
