package httpapi_test

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
)

// handshake is what comes of a connection with some certificate.
func (s *site) handshake(c *tls.Config) error {
	conn, err := tls.Dial("tcp", strings.TrimPrefix(s.address, "https://"), c)
	if err != nil {
		return err
	}
	defer conn.Close()
	// In TLS 1.3 the server's refusal of a certificate is only seen by reading.
	if _, err = conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")); err != nil {
		return err
	}
	_, err = io.ReadAll(conn)
	return err
}

func TestMembers_certificates(t *testing.T) {
	f := members(t, 2)
	a, b := f[0], f[1]
	stranger, err := federation.GenerateKeys(seeded("stranger"), "310116-01", time.Now())
	must(t, err)
	old, err := federation.GenerateKeys(seeded("old"), a.keys.Member, time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)) // NotAfter: 2000
	must(t, err)
	cert := func(k *federation.Keys) []tls.Certificate {
		return []tls.Certificate{{Certificate: [][]byte{k.Cert}, PrivateKey: k.TLS}}
	}
	for _, row := range []struct {
		name string
		c    *tls.Config
		good bool
	}{
		{"pinned", &tls.Config{Certificates: cert(a.keys)}, true},
		{"none", &tls.Config{}, false},
		{"key not in the charter", &tls.Config{Certificates: cert(stranger)}, false},
		{"same member code, other key", &tls.Config{Certificates: cert(old)}, false},
		{"TLS 1.2", &tls.Config{Certificates: cert(a.keys), MaxVersion: tls.VersionTLS12}, false},
	} {
		row.c.InsecureSkipVerify = true
		if err := b.handshake(row.c); (err == nil) != row.good {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// The dates of a certificate mean nothing: the charter decides how long its key is good.
func TestMembers_a_pinned_key_outlives_its_certificate(t *testing.T) {
	f := members(t, 2)
	a, b := f[0], f[1]
	expired, err := federation.GenerateKeys(seeded("x"), a.keys.Member, time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC))
	must(t, err)
	expired.TLS = a.keys.TLS
	if expired.Cert, err = certificate(a.keys.TLS, time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	r := raw{method: "GET", target: "/member/v1/charter"}
	r.token, err = a.issue(b.keys.Member, r.method, r.target, nil)
	must(t, err)
	res, err := b.send(t, b.httpClient(expired), r)
	must(t, err)
	defer res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("%d", res.StatusCode)
	}
}

// TestMembers_who_leaves_is_out: fresh, resumed and kept-alive (reliability-security.md M15).
func TestMembers_who_leaves_is_out(t *testing.T) {
	f := members(t, 3)
	a, b := f[0], f[1]
	get := func(c *http.Client) (int, string, error) {
		r := raw{method: "GET", target: "/member/v1/charter"}
		var err error
		r.token, err = a.issue(b.keys.Member, r.method, r.target, nil)
		must(t, err)
		res, err := b.send(t, c, r)
		if err != nil {
			return 0, "", err
		}
		defer res.Body.Close()
		if res.StatusCode == 200 {
			_, err = io.Copy(io.Discard, res.Body)
			return 200, "", err
		}
		return res.StatusCode, problemIn(t, res).Code, nil
	}
	kept, resumed, closed := b.httpClient(a.keys), b.httpClient(a.keys), b.httpClient(a.keys)
	for name, c := range map[string]*http.Client{"kept": kept, "resumed": resumed, "closed": closed} {
		if s, _, err := get(c); s != 200 {
			t.Fatalf("%s, before: %d %v", name, s, err)
		}
	}
	resumed.CloseIdleConnections() // the session ticket stays
	if s, _, err := get(resumed); s != 200 {
		t.Fatalf("resumed, before: %d %v", s, err)
	}
	resumed.CloseIdleConnections()

	note, err := federation.SignStatement(federation.Statement{Federation: a.dir.Federation(), Member: a.keys.Member, Counter: 1, Kind: federation.Leave}, a.keys.Signer())
	must(t, err)
	_, err = b.dir.AddStatement(note)
	must(t, err)

	if s, code, err := get(kept); s != 403 || code != "peer_unknown" {
		t.Errorf("kept-alive: %d %s %v", s, code, err)
	}
	if s, _, err := get(resumed); err == nil {
		t.Errorf("resumed: %d", s)
	}
	if s, _, err := get(b.httpClient(a.keys)); err == nil {
		t.Errorf("fresh: %d", s)
	}
	b.server.Recheck()
	if s, _, err := get(closed); err == nil {
		t.Errorf("kept-alive, after the charter's change closed it: %d", s)
	}
}

func TestMembers_the_client_believes_the_pinned_key_only(t *testing.T) {
	f := members(t, 3)
	a, b, c := f[0], f[1], f[2]
	// c's address leads to b's listener: b is a member too, but not the one that is asked.
	p := a.peers(t)
	if _, err := p.Ask(t.Context(), b.keys.Member, []byte(`{"v":1}`)); err != nil {
		t.Fatal(err)
	}
	note, err := federation.SignStatement(federation.Statement{Federation: a.dir.Federation(), Member: c.keys.Member, Counter: 1, Kind: federation.Address, Address: b.address}, c.keys.Signer())
	must(t, err)
	_, err = a.dir.AddStatement(note)
	must(t, err)
	if _, err := p.Ask(t.Context(), c.keys.Member, []byte(`{"v":1}`)); !errors.Is(err, federation.ErrUnreachable) {
		t.Errorf("%v", err)
	}
}

// certificate makes a self-signed certificate with these dates.
func certificate(k ed25519.PrivateKey, from, to time.Time) ([]byte, error) {
	c := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: from, NotAfter: to}
	return x509.CreateCertificate(nil, c, c, k.Public(), k)
}
