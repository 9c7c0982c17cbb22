package federation_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// The calendar of domain.md §7: a Monday in March 2026.
const day0 = "2026-03-02"

var start = time.Date(2026, 3, 13, 9, 30, 0, 0, time.FixedZone("+08:00", 8*3600))

// seeded is a random source for tests: the same bytes for the same seed.
func seeded(seed string) io.Reader { return rand.NewChaCha8(sha256.Sum256([]byte(seed))) }

// alliance is n bureaux with their keys.
type alliance struct {
	t      testing.TB
	random io.Reader
	keys   []*federation.Keys
	first  []byte                  // charter version 1, signed by all
	dirs   []*federation.Directory // kept for tests that add nothing to them
}

func code(i int) record.MemberID { return record.MemberID(fmt.Sprintf("3101%02d-01", 10+i)) }

func (a *alliance) code(i int) record.MemberID { return a.keys[i].Member }

// bureau makes the keys of one more member.
func (a *alliance) bureau() *federation.Keys {
	a.t.Helper()
	k, err := federation.GenerateKeys(a.random, code(len(a.keys)), start)
	must(a.t, err)
	a.keys = append(a.keys, k)
	return k
}

func entry(m record.MemberID) federation.Entry {
	return federation.Entry{Name: "测区" + string(m), Address: "https://127.0.0.1:8443", AgreementNo: "XY-1", PIPIANo: "PIA-1", Retention: "R-1"}
}

func (a *alliance) request(k *federation.Keys) []byte {
	a.t.Helper()
	r, err := federation.NewRequest(k, entry(k.Member))
	must(a.t, err)
	return r
}

// ally founds a federation of n.
func ally(t testing.TB, n int, synthetic bool) *alliance {
	t.Helper()
	a := &alliance{t: t, random: seeded(fmt.Sprint("alliance", n))}
	var requests [][]byte
	for range n {
		requests = append(requests, a.request(a.bureau()))
	}
	text, err := federation.Found(a.random, federation.Founding{Name: "毗邻测试", Synthetic: synthetic, Day: day0}, requests...)
	must(t, err)
	a.first = a.sign(text, a.all()...)
	return a
}

func (a *alliance) all() []int {
	var out []int
	for i := range a.keys {
		out = append(out, i)
	}
	return out
}

func (a *alliance) sign(charter []byte, by ...int) []byte {
	a.t.Helper()
	for _, i := range by {
		var err error
		charter, err = federation.Sign(charter, a.code(i), a.keys[i].Signer())
		must(a.t, err)
	}
	return charter
}

// directory is member i's; -1 is an outsider's.
func (a *alliance) directory(i int) *federation.Directory {
	a.t.Helper()
	var k *federation.Keys
	if i >= 0 {
		k = a.keys[i]
	}
	d, err := federation.NewDirectory(k, a.first)
	must(a.t, err)
	return d
}

// renewed makes a version that changes nothing but its epoch, different from every other one.
func (a *alliance) renewed(prev []byte, statements ...[]byte) []byte {
	a.t.Helper()
	text, err := federation.Renew(a.random, prev, statements, day0)
	must(a.t, err)
	return text
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func u64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// signRaw signs text as all members do, without the check that Sign makes first.
func signRaw(t testing.TB, a *alliance, text []byte) []byte {
	t.Helper()
	var notes [][]byte
	for _, k := range a.keys {
		n, err := k.Signer().Note("pilin/charter/"+string(k.Member), string(text))
		must(t, err)
		notes = append(notes, n)
	}
	out, err := federation.Merge(notes...)
	must(t, err)
	return out
}
