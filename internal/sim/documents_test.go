package sim_test

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/sim"
	"github.com/pilinhub/pilin/record"
)

var remake = flag.Bool("documents", false, "write testdata/documents-*.json anew; every seed is another history then")

// TestDocuments holds the files to production code: every note verifies where it is read. With -documents it makes them.
func TestDocuments(t *testing.T) {
	for _, n := range []int{3, 4, 5, 7} {
		file := filepath.Join("testdata", fmt.Sprintf("documents-%d.json", n))
		if *remake {
			b, err := json.Marshal(found(t, n), jsontext.Multiline(true))
			must(t, err)
			must(t, os.WriteFile(file, append(b, '\n'), 0o644))
		}
		b, err := os.ReadFile(file)
		must(t, err)
		var d sim.Documents
		must(t, json.Unmarshal(b, &d, json.RejectUnknownMembers(true)))
		for i, second := range [][]byte{d.Renewed, d.Removed} {
			dir, err := federation.NewDirectory(sim.Cast[0].Keys, d.First)
			must(t, err)
			for _, a := range [][]byte{d.Circle, d.Team} {
				_, err := dir.AddAgreement(a)
				must(t, err)
			}
			changed, err := dir.Add(second)
			if err != nil || !changed || len(dir.Active()) != n-i {
				t.Fatalf("%d members: version 2: %v, active %v", n, err, dir.Active())
			}
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const day = "2026-03-02"

// found makes the documents of a federation of n.
func found(t *testing.T, n int) sim.Documents {
	random := rand.NewChaCha8(sha256.Sum256(fmt.Appendf(nil, "documents %d", n)))
	cast := sim.Cast[:n]
	var requests [][]byte
	for _, a := range cast {
		k := *a.Keys
		cert := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: string(a.ID)}, NotAfter: time.Unix(1<<32, 0)}
		var err error
		k.Cert, err = x509.CreateCertificate(nil, cert, cert, k.TLS.Public(), k.TLS)
		must(t, err)
		r, err := federation.NewRequest(&k, federation.Entry{Name: "测区" + string(a.ID), Address: "https://127.0.0.1:8443", AgreementNo: "XY-1", PIPIANo: "PIA-1", Retention: "R-1"})
		must(t, err)
		requests = append(requests, r)
	}
	sign := func(text []byte, err error, by []sim.Actor) []byte {
		must(t, err)
		for _, a := range by {
			text, err = federation.Sign(text, a.ID, a.Keys.Signer())
			must(t, err)
		}
		return text
	}
	text, err := federation.Found(random, federation.Founding{Name: "毗邻仿真", Synthetic: true, Day: day}, requests...)
	d := sim.Documents{First: sign(text, err, cast)}
	text, err = federation.Renew(random, d.First, nil, day)
	d.Renewed = sign(text, err, cast)
	text, err = federation.Remove(random, d.First, nil, day, cast[n-1].ID)
	d.Removed = sign(text, err, cast[:n-1])
	agree := func(members []sim.Actor) []byte {
		dir, err := federation.NewDirectory(cast[0].Keys, d.First)
		must(t, err)
		var ids []record.MemberID
		for _, a := range members {
			ids = append(ids, a.ID)
		}
		note, err := federation.NewAgreement(random, dir, ids, day)
		must(t, err)
		return note
	}
	d.Circle, d.Team = agree(cast[:n-1]), agree(cast[:2])
	return d
}
