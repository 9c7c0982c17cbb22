// Package client speaks a node's HTTP APIs: for integrators and for cmd/pilin the API of people, and for one node asking
// another the API of members. It adds no rule: what comes back is checked by federation, exchange and record.
package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// Limits of answers in bytes.
const (
	maxHeads   = 4 << 20
	maxRange   = record.MaxRangeBytes + record.MaxFrame + 1<<16
	maxLeaves  = 8 << 20
	maxCharter = 16 << 20
)

// Members asks other members' nodes: TLS 1.3 both ways with keys pinned by the charter, a one-use token on every request.
type Members struct {
	// Address returns a member's address, https://host:port.
	Address func(record.MemberID) (string, bool)
	// Pinned returns the hash of a member's TLS key (SHA-256 of SubjectPublicKeyInfo) that the charter names now.
	Pinned func(record.MemberID) (federation.Hash, bool)
	// Certificate is this member's own.
	Certificate tls.Certificate
	// Token issues the token of one request (docs/design/wire.md §6).
	Token func(to record.MemberID, method, target string, body []byte) (string, error)

	clients memberClients
}

// Problem is what a node answered instead: an RFC 9457 problem with a stable code.
type Problem struct {
	Status int
	Code   string
}

// Error returns status and code; the node's text is for people, not for logs.
func (p *Problem) Error() string { return "refused: " + strconv.Itoa(p.Status) + " " + p.Code }

// client returns the HTTP client of one member. Its connections believe the pinned key only, and the key is looked up at
// each handshake, so a charter change is in force at the next one.
func (m *Members) client(to record.MemberID) *http.Client {
	return m.clients.get(to, func() *http.Client {
		return &http.Client{
			CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("a member's node does not redirect") },
			Transport: &http.Transport{
				DialContext:         (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
				TLSHandshakeTimeout: 3 * time.Second, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute,
				ResponseHeaderTimeout: 20 * time.Second, ForceAttemptHTTP2: false,
				TLSClientConfig: &tls.Config{
					MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{m.Certificate},
					InsecureSkipVerify: true, // no CA: the charter pins the key, checked below on fresh and resumed connections
					VerifyConnection:   func(s tls.ConnectionState) error { return m.pinned(to, s.PeerCertificates) },
				},
			},
		}
	})
}

func (m *Members) pinned(to record.MemberID, chain []*x509.Certificate) error {
	want, ok := m.Pinned(to)
	if !ok || len(chain) == 0 || federation.PublicKeyHash(chain[0]) != want {
		return fmt.Errorf("the node at %s's address does not have the key that the charter pins", to)
	}
	return nil
}

// do makes one request and returns the answer's body, at most limit bytes.
func (m *Members) do(ctx context.Context, to record.MemberID, method, target string, body []byte, limit int64) ([]byte, error) {
	base, ok := m.Address(to)
	if !ok {
		return nil, fmt.Errorf("%s: %w", to, federation.ErrUnreachable)
	}
	token, err := m.Token(to, method, target, body)
	if err != nil {
		return nil, fmt.Errorf("token for %s: %w", to, err)
	}
	req, err := http.NewRequestWithContext(ctx, method, base+target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("request to %s: %w", to, err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := m.client(to).Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%s: %w: %w", to, federation.ErrUnreachable, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("%s: %w: %w", to, federation.ErrUnreachable, err)
	case int64(len(b)) > limit:
		return nil, fmt.Errorf("%s: answer over %d bytes: %w", to, limit, federation.ErrIncompatible)
	case res.StatusCode != http.StatusOK:
		return nil, problemIn(res, b)
	}
	return b, nil
}

// problemIn reads a problem; anything else is not this protocol.
func problemIn(res *http.Response, b []byte) error {
	var p struct {
		Code string `json:"code"`
	}
	if err := json.Unmarshal(b, &p); err != nil || p.Code == "" {
		return fmt.Errorf("status %d: %w", res.StatusCode, federation.ErrIncompatible)
	}
	return &Problem{Status: res.StatusCode, Code: p.Code}
}

// Ask sends an ask; it fits federation.AskFunc.
func (m *Members) Ask(ctx context.Context, to record.MemberID, body []byte) ([]byte, error) {
	b, err := m.do(ctx, to, http.MethodPost, "/member/v1/ask", body, federation.MaxAnswer)
	var p *Problem
	if errors.As(err, &p) {
		if p.Code == "stale_charter" {
			return nil, &federation.StaleCharterError{}
		}
		return nil, &federation.PeerRefusal{Code: p.Code}
	}
	return b, err
}

// Heads makes a head exchange; the answer is a signed note.
func (m *Members) Heads(ctx context.Context, to record.MemberID, body []byte) ([]byte, error) {
	return m.do(ctx, to, http.MethodPost, "/member/v1/heads", body, maxHeads)
}

// Range fetches whole commit groups of a stream, the first one containing from.
func (m *Members) Range(ctx context.Context, to record.MemberID, s record.StreamID, from uint64) ([]*record.Frame, error) {
	q := url.Values{"stream": {string(s)}, "from": {strconv.FormatUint(from, 10)}}
	b, err := m.do(ctx, to, http.MethodGet, "/member/v1/range?"+q.Encode(), nil, maxRange)
	if err != nil {
		return nil, err
	}
	return record.DecodeRange(b)
}

// Leaves fetches the leaves of a stream's first size records.
func (m *Members) Leaves(ctx context.Context, to record.MemberID, s record.StreamID, size uint64) ([]tlog.Hash, error) {
	q := url.Values{"stream": {string(s)}, "size": {strconv.FormatUint(size, 10)}}
	b, err := m.do(ctx, to, http.MethodGet, "/member/v1/leaves?"+q.Encode(), nil, maxLeaves)
	if err != nil {
		return nil, err
	}
	var w struct {
		Leaves []string `json:"leaves"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return nil, fmt.Errorf("leaves of %s: %w", s, federation.ErrIncompatible)
	}
	out := make([]tlog.Hash, 0, len(w.Leaves))
	for _, text := range w.Leaves {
		h, err := hex.DecodeString(text)
		if err != nil || len(h) != sha256.Size {
			return nil, fmt.Errorf("leaves of %s: %w", s, federation.ErrIncompatible)
		}
		out = append(out, tlog.Hash(h))
	}
	return out, nil
}

// Charter fetches charter versions from one on.
func (m *Members) Charter(ctx context.Context, to record.MemberID, from uint64) ([][]byte, error) {
	b, err := m.do(ctx, to, http.MethodGet, "/member/v1/charter?from="+strconv.FormatUint(from, 10), nil, maxCharter)
	if err != nil {
		return nil, err
	}
	var w struct {
		Versions []string `json:"versions"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return nil, fmt.Errorf("charter of %s: %w", to, federation.ErrIncompatible)
	}
	var out [][]byte
	for _, v := range w.Versions {
		out = append(out, []byte(v))
	}
	return out, nil
}

// Agreement fetches an agreement that names this member.
func (m *Members) Agreement(ctx context.Context, to record.MemberID, id [32]byte) ([]byte, error) {
	return m.do(ctx, to, http.MethodGet, "/member/v1/agreement?id="+hex.EncodeToString(id[:]), nil, 1<<20)
}
