package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// Limits of answers in bytes: what a peer sends beyond them is not read.
const (
	maxRange     = record.MaxRangeBytes + 1<<20 // one group may pass the limit of the range
	maxHeads     = 8 << 20
	maxLeaves    = record.MaxEvidenceLeaves*70 + 1<<10
	maxCharter   = 64 << 20
	maxAgreement = 1 << 20
)

// TokenFunc makes the one-use token for a request to a member; target is path and query as they will be sent.
type TokenFunc func(to record.MemberID, method, target string, body []byte) (string, error)

// Peers calls other members' listeners over TLS 1.3 with the keys that the charter pins. It is safe for use by several
// goroutines. Make it with NewPeers and end it with Close.
type Peers struct {
	dir   *federation.Directory
	keys  *federation.Keys
	token TokenFunc

	mu    sync.Mutex
	conns map[record.MemberID]*pinned
}

// pinned is the transport to one member as long as the charter pins that key.
type pinned struct {
	pin  federation.Hash
	http *http.Transport
}

// dialTime bounds the making of a connection; the whole call is bounded by its context.
const dialTime = 2 * time.Second

// NewPeers makes a caller in the name of the Directory's member.
func NewPeers(d *federation.Directory, k *federation.Keys, token TokenFunc) *Peers {
	return &Peers{dir: d, keys: k, token: token, conns: map[record.MemberID]*pinned{}}
}

// Close ends all idle connections; later calls make new ones.
func (p *Peers) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.http.CloseIdleConnections()
	}
	p.conns = map[record.MemberID]*pinned{}
}

var errPin = errors.New("certificate is not the one that the charter pins")

// transport returns the transport for a member; a new one whenever the pinned key has changed, so that no connection
// outlives the charter that allowed it.
func (p *Peers) transport(m record.MemberID) (*http.Transport, error) {
	pin, ok := p.dir.PinnedTLS(m)
	if !ok {
		return nil, fmt.Errorf("%w: %s is not an active member", federation.ErrUnreachable, m)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.conns[m]; c != nil {
		if c.pin == pin {
			return c.http, nil
		}
		c.http.CloseIdleConnections()
	}
	t := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: dialTime}).DialContext,
		TLSHandshakeTimeout: dialTime,
		MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     time.Minute,
		DisableCompression:  true,
		TLSClientConfig: &tls.Config{
			MinVersion:         tls.VersionTLS13,
			Certificates:       []tls.Certificate{{Certificate: [][]byte{p.keys.Cert}, PrivateKey: p.keys.TLS}},
			NextProtos:         []string{"http/1.1"},
			InsecureSkipVerify: true, // no CA and no name: the pin below is the whole check, and it is stricter
			VerifyConnection: func(c tls.ConnectionState) error {
				if now, ok := p.dir.PinnedTLS(m); !ok || len(c.PeerCertificates) == 0 || federation.PublicKeyHash(c.PeerCertificates[0]) != now {
					return errPin
				}
				return nil
			},
		},
	}
	p.conns[m] = &pinned{pin, t}
	return t, nil
}

// Ask sends a question and returns the answer's bytes; it fits federation.AskFunc. It asks once and never hedges.
func (p *Peers) Ask(ctx context.Context, m record.MemberID, body []byte) ([]byte, error) {
	return p.call(ctx, m, http.MethodPost, "/member/v1/ask", body, federation.MaxAnswer)
}

// Heads sends a head exchange's request and returns the signed answer.
func (p *Peers) Heads(ctx context.Context, m record.MemberID, body []byte) ([]byte, error) {
	return p.call(ctx, m, http.MethodPost, "/member/v1/heads", body, maxHeads)
}

// Range fetches whole commit groups of a stream from the one that contains from (record.DecodeRange reads them).
func (p *Peers) Range(ctx context.Context, m record.MemberID, s record.StreamID, from uint64) ([]byte, error) {
	q := url.Values{"stream": {string(s)}, "from": {strconv.FormatUint(from, 10)}}
	return p.call(ctx, m, http.MethodGet, "/member/v1/range?"+q.Encode(), nil, maxRange)
}

// Leaves fetches the first size leaves of a stream.
func (p *Peers) Leaves(ctx context.Context, m record.MemberID, s record.StreamID, size uint64) ([]tlog.Hash, error) {
	q := url.Values{"stream": {string(s)}, "size": {strconv.FormatUint(size, 10)}}
	b, err := p.call(ctx, m, http.MethodGet, "/member/v1/leaves?"+q.Encode(), nil, maxLeaves)
	if err != nil {
		return nil, err
	}
	var a struct {
		V      int      `json:"v"`
		Leaves []string `json:"leaves"`
	}
	if err := json.Unmarshal(b, &a); err != nil || a.V != 1 || uint64(len(a.Leaves)) != size {
		return nil, fmt.Errorf("leaves of %s at %s: %w", s, m, federation.ErrIncompatible)
	}
	out := make([]tlog.Hash, size)
	for i, text := range a.Leaves {
		h, err := hex.DecodeString(text)
		if err != nil || len(h) != len(out[i]) {
			return nil, fmt.Errorf("leaves of %s at %s: %w", s, m, federation.ErrIncompatible)
		}
		out[i] = tlog.Hash(h)
	}
	return out, nil
}

// Charter fetches charter notes from a version on, and the member statements that no version holds yet. Nothing of it is
// verified: Directory.Add and AddStatement do that.
func (p *Peers) Charter(ctx context.Context, m record.MemberID, from uint64) (versions, statements [][]byte, err error) {
	b, err := p.call(ctx, m, http.MethodGet, "/member/v1/charter?from="+strconv.FormatUint(from, 10), nil, maxCharter)
	if err != nil {
		return nil, nil, err
	}
	var a struct {
		V          int      `json:"v"`
		Versions   []string `json:"versions"`
		Statements []string `json:"statements"`
	}
	if err := json.Unmarshal(b, &a); err != nil || a.V != 1 {
		return nil, nil, fmt.Errorf("charter of %s: %w", m, federation.ErrIncompatible)
	}
	return notes(a.Versions), notes(a.Statements), nil
}

func notes(texts []string) [][]byte {
	var out [][]byte
	for _, s := range texts {
		out = append(out, []byte(s))
	}
	return out
}

// Agreement fetches an agreement that names this member; Directory.AddAgreement verifies it.
func (p *Peers) Agreement(ctx context.Context, m record.MemberID, id federation.Hash) ([]byte, error) {
	return p.call(ctx, m, http.MethodGet, "/member/v1/agreement?id="+id.String(), nil, maxAgreement)
}

// call sends one request and returns the answer's body, at most limit bytes. A kept-alive connection that turns out to be
// dead before anything came back is replaced once, with a new token: tokens are used once, and asks carry their own id.
// Errors are federation.ErrUnreachable, ErrIncompatible, *PeerRefusal, *StaleCharterError or the context's.
func (p *Peers) call(ctx context.Context, m record.MemberID, method, target string, body []byte, limit int64) ([]byte, error) {
	b, reused, err := p.once(ctx, m, method, target, body, limit)
	if reused && errors.Is(err, federation.ErrUnreachable) && ctx.Err() == nil {
		b, _, err = p.once(ctx, m, method, target, body, limit)
	}
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("call %s: %w", m, ctx.Err())
	}
	return b, err
}

// once is one attempt; reused tells that it went over a connection that had served before.
func (p *Peers) once(ctx context.Context, m record.MemberID, method, target string, body []byte, limit int64) (_ []byte, reused bool, _ error) {
	address, ok := p.dir.Address(m)
	if !ok {
		return nil, false, fmt.Errorf("%w: %s has no address", federation.ErrUnreachable, m)
	}
	tr, err := p.transport(m)
	if err != nil {
		return nil, false, err
	}
	token, err := p.token(m, method, target, body)
	if err != nil {
		return nil, false, fmt.Errorf("token for %s: %w", m, err)
	}
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }})
	r, err := http.NewRequestWithContext(traced, method, strings.TrimSuffix(address, "/")+target, bytes.NewReader(body))
	if err != nil {
		return nil, false, fmt.Errorf("%w: address of %s is ill-formed", federation.ErrUnreachable, m)
	}
	r.GetBody = nil // net/http must not send the same token again by itself
	r.Header.Set("Authorization", "Bearer "+token)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := tr.RoundTrip(r)
	if err != nil {
		tr.CloseIdleConnections() // what one connection found out, the others would find out later
		return nil, reused, fmt.Errorf("%w: %s", federation.ErrUnreachable, m)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, false, refusal(m, res)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	switch {
	case err != nil:
		return nil, false, fmt.Errorf("%w: %s broke off", federation.ErrUnreachable, m)
	case int64(len(b)) > limit:
		return nil, false, fmt.Errorf("answer of %s: over %d bytes: %w", m, limit, federation.ErrIncompatible)
	}
	return b, false, nil
}

// refusal reads the problem that a peer answered with.
func refusal(m record.MemberID, res *http.Response) error {
	p, err := readProblem(res)
	if err != nil {
		return fmt.Errorf("answer of %s, status %d: %w", m, res.StatusCode, federation.ErrIncompatible)
	}
	if p.Code == "stale_charter" {
		// "Ours" is the answerer's version, in its problem as in the error.
		return &federation.StaleCharterError{Ours: charterRef(p.Ours), Theirs: charterRef(p.Theirs)}
	}
	return &federation.PeerRefusal{Code: p.Code, Retry: p.RetryAfter}
}

// charterRef reads "<version> <hash>"; zero if it is neither.
func charterRef(s string) record.CharterRef {
	version, hash, _ := strings.Cut(s, " ")
	n, err := strconv.ParseUint(version, 10, 62)
	h, err2 := hex.DecodeString(hash)
	if err != nil || err2 != nil || len(h) != 32 {
		return record.CharterRef{}
	}
	return record.CharterRef{Version: n, Hash: [32]byte(h)}
}
