package federation_test

import (
	"crypto/ecdh"
	"encoding/hex"
	"os"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

type charterVector struct {
	Name       string `json:"name"`
	Note       string `json:"note"`
	Federation string `json:"federation"`
	Epoch      string `json:"epoch"`
	KEM        []struct {
		Member  record.MemberID `json:"member"`
		Private string          `json:"private"`
	} `json:"kem"`
}

// TestVectors reads the byte-exact charters that an independent writer made (schemas/vectors).
func TestVectors(t *testing.T) {
	b, err := os.ReadFile("../schemas/vectors/charter.json")
	must(t, err)
	var v struct{ Good, Bad []charterVector }
	must(t, json.Unmarshal(b, &v, json.MatchCaseInsensitiveNames(true)))
	if len(v.Good) == 0 || len(v.Bad) < 5 {
		t.Fatalf("%d good and %d bad vectors", len(v.Good), len(v.Bad))
	}
	for _, g := range v.Good {
		t.Run(g.Name, func(t *testing.T) {
			d, err := federation.NewDirectory(nil, []byte(g.Note))
			must(t, err)
			if d.Federation().String() != g.Federation {
				t.Errorf("federation %s, want %s", d.Federation(), g.Federation)
			}
			group := d.Current().Groups[0]
			for _, k := range g.KEM {
				seed, err := hex.DecodeString(k.Private)
				must(t, err)
				priv, err := ecdh.X25519().NewPrivateKey(seed)
				must(t, err)
				e, ok := federation.OpenEpoch(group.ID, group.Epochs[0], k.Member, priv)
				if !ok || hex.EncodeToString(e.Key[:]) != g.Epoch {
					t.Errorf("epoch key of %s: %v %x", k.Member, ok, e.Key)
				}
			}
		})
	}
	for _, bad := range v.Bad {
		t.Run(bad.Name, func(t *testing.T) {
			if d, err := federation.NewDirectory(nil, []byte(bad.Note)); err == nil {
				// Some vectors are only about the wraps.
				group := d.Current().Groups[0]
				for _, k := range bad.KEM {
					seed, err := hex.DecodeString(k.Private)
					must(t, err)
					priv, err := ecdh.X25519().NewPrivateKey(seed)
					must(t, err)
					if e, ok := federation.OpenEpoch(group.ID, group.Epochs[0], k.Member, priv); !ok || hex.EncodeToString(e.Key[:]) != bad.Epoch {
						return
					}
				}
				t.Error("accepted")
			}
		})
	}
}
