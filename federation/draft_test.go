package federation_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// TestReadDraft: a person sees the same version at every step of its way, and only signatures that are some.
func TestReadDraft(t *testing.T) {
	a := ally(t, 3, true)
	first, err := federation.ParseCharter(a.first)
	must(t, err)
	second := a.renewed(a.first)
	forged := strings.Replace(string(a.sign(second, 1)), "pilin/charter/"+string(a.code(1)), "pilin/charter/"+string(a.code(0)), 1)
	stranger := ally(t, 4, true).keys[3]
	foreign, err := stranger.Signer().Note("pilin/charter/"+string(stranger.Member), string(second))
	must(t, err)
	rotated := *a.keys[1]
	must(t, rotated.RotateSign(a.random))
	st := federation.Statement{Federation: first.Federation, Member: a.code(1), Counter: 1, Kind: federation.Rotate, Key: rotated.Signer().Public(), From: 9}
	folding := a.renewed(a.first, mustNote(federation.SignStatement(st, a.keys[1].Signer())))
	byNewKey, err := federation.Sign(folding, a.code(1), rotated.Signer())
	must(t, err)
	for _, c := range []struct {
		name    string
		draft   []byte
		version uint64
		signers []int
	}{
		{"founding, unsigned", []byte(first.Text), 1, nil},
		{"founding, one of three", a.sign([]byte(first.Text), 1), 1, []int{1}},
		{"founding, all", a.first, 1, []int{0, 1, 2}},
		{"second, unsigned", second, 2, nil},
		{"second, signed backwards", a.sign(second, 2, 0), 2, []int{0, 2}},
		{"signed twice", a.sign(second, 1, 1), 2, []int{1}},
		{"a line moved under another's name", []byte(forged), 2, nil},
		{"a line of nobody in it", foreign, 2, nil},
		{"key that a statement in it brings", byNewKey, 2, []int{1}},
		{"key before that statement", a.sign(folding, 1), 2, []int{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, signers, err := federation.ReadDraft(c.draft)
			must(t, err)
			var want []record.MemberID
			for _, i := range c.signers {
				want = append(want, a.code(i))
			}
			if got.Version != c.version || got.Federation != first.Federation || !slices.Equal(signers, want) {
				t.Errorf("version %d of %s signed by %v; want version %d signed by %v", got.Version, got.Federation, signers, c.version, want)
			}
			if c.version == 1 && got.Hash != first.Hash {
				t.Error("signatures change the hash")
			}
			if !strings.HasPrefix(got.Hash.String(), strings.ReplaceAll(federation.Fingerprint(c.draft), " ", "")) {
				t.Error("the hash is not what is read out by phone")
			}
		})
	}
	for name, bad := range map[string][]byte{
		"empty":               nil,
		"no charter":          a.request(a.keys[0]),
		"text without end":    bytes.TrimSuffix(second, []byte("\n")),
		"two versions":        append(bytes.Clone(second), second...),
		"broken line":         append(bytes.Clone(a.sign(second, 0)), "— pilin/charter\n"...),
		"form":                bytes.Replace(second, []byte(`"version":"2"`), []byte(`"version":"0"`), 1),
		"too large":           bytes.Repeat([]byte(" "), 2<<20),
		"note that is larger": append(bytes.Clone(a.first), bytes.Repeat([]byte("— x AAAAAAAA\n"), 1<<18)...),
	} {
		if _, _, err := federation.ReadDraft(bad); !errors.Is(err, federation.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
