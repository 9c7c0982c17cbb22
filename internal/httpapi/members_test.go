package httpapi_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

func TestMembers_answer_each_other(t *testing.T) {
	f := members(t, 2)
	a, b := f[0], f[1]
	p := a.peers(t)
	got, err := p.Ask(t.Context(), b.keys.Member, []byte(`{"v":1}`))
	if err != nil || string(got) != "answer for "+string(a.keys.Member) {
		t.Errorf("ask: %q %v", got, err)
	}
	got, err = p.Heads(t.Context(), b.keys.Member, []byte(`{"v":1}`))
	if err != nil || string(got) != "heads for "+string(a.keys.Member) {
		t.Errorf("heads: %q %v", got, err)
	}
	s := record.Stream(b.keys.Member, record.Records)
	got, err = p.Range(t.Context(), b.keys.Member, s, 41)
	if err != nil || string(got) != fmt.Sprintf("range of %s from 41 for %s", s, a.keys.Member) {
		t.Errorf("range: %q %v", got, err)
	}
	if ls, err := p.Leaves(t.Context(), b.keys.Member, s, 3); err != nil || len(ls) != 3 {
		t.Errorf("leaves: %v %v", ls, err)
	}
	if vs, _, err := p.Charter(t.Context(), b.keys.Member, 1); err != nil || len(vs) != 1 || !bytes.Equal(vs[0], a.dir.Versions(1)[0]) {
		t.Errorf("charter: %d %v", len(vs), err)
	}
	note, err := federation.NewAgreement(seeded("agreement"), b.dir, []record.MemberID{a.keys.Member}, day0)
	must(t, err)
	_, err = b.dir.AddAgreement(note)
	must(t, err)
	if got, err := p.Agreement(t.Context(), b.keys.Member, b.dir.AgreementsOf(a.keys.Member)[0]); err != nil || !bytes.Equal(got, note) {
		t.Errorf("agreement: %v", err)
	}
}

func TestMembers_an_agreement_is_handed_only_to_whom_it_names(t *testing.T) {
	f := members(t, 3)
	note, err := federation.NewAgreement(seeded("agreement"), f[0].dir, []record.MemberID{f[1].keys.Member}, day0)
	must(t, err)
	_, err = f[0].dir.AddAgreement(note)
	must(t, err)
	id := f[0].dir.AgreementsOf(f[1].keys.Member)[0]
	_, err = f[2].peers(t).Agreement(t.Context(), f[0].keys.Member, id)
	wantRefusal(t, "named in another's agreement", err, "not_found")
	_, err = f[2].peers(t).Agreement(t.Context(), f[0].keys.Member, federation.Hash{1})
	wantRefusal(t, "one that does not exist", err, "not_found")
}

func wantRefusal(t *testing.T, what string, err error, code string) {
	t.Helper()
	var r *federation.PeerRefusal
	if !errors.As(err, &r) || r.Code != code {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

// raw sends a request as it stands, with the given certificate.
type raw struct {
	method, target string
	body           string
	token          string
	header         http.Header
}

func (s *site) httpClient(k *federation.Keys) *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true,
		ClientSessionCache: tls.NewLRUClientSessionCache(4),
		Certificates:       []tls.Certificate{{Certificate: [][]byte{k.Cert}, PrivateKey: k.TLS}}}}}
}

func (s *site) send(t *testing.T, c *http.Client, r raw) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), r.method, s.address+r.target, strings.NewReader(r.body))
	must(t, err)
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	if r.method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range r.header {
		req.Header[k] = v
	}
	return c.Do(req)
}

// TestMembers_catalogue is what a member may do wrong over HTTP (reliability-security.md §4.1, 4.4, 4.5).
func TestMembers_catalogue(t *testing.T) {
	f := members(t, 3)
	a, b := f[0], f[1]
	c := b.httpClient(a.keys)
	stream := string(b.keys.Member) + "/records"
	for _, row := range []struct {
		name   string
		r      raw
		token  func(r raw) string // nil: a good one
		status int
		code   string
	}{
		{"no token", raw{method: "GET", target: "/member/v1/charter"}, func(raw) string { return "" }, 401, "token_missing"},
		{"token of another request", raw{method: "GET", target: "/member/v1/charter?from=1"}, func(raw) string {
			k, _ := a.issue(b.keys.Member, "GET", "/member/v1/charter?from=2", nil)
			return k
		}, 401, "token_binding"},
		{"token for another node", raw{method: "GET", target: "/member/v1/charter"}, func(r raw) string {
			k, _ := a.issue(f[2].keys.Member, "GET", r.target, nil)
			return k
		}, 401, "token_audience"},
		{"token of another member on this connection", raw{method: "GET", target: "/member/v1/charter"}, func(r raw) string {
			k, _ := f[2].issue(b.keys.Member, "GET", r.target, nil)
			return k
		}, 401, "token_key"},
		{"export token used for a question", raw{method: "POST", target: "/member/v1/ask", body: `{}`}, func(r raw) string {
			k, _ := a.issue(b.keys.Member, "GET", "/member/v1/range?stream="+stream, nil)
			return k
		}, 401, "token_binding"},
		{"body changed", raw{method: "POST", target: "/member/v1/ask", body: `{"a":2}`}, func(r raw) string {
			k, _ := a.issue(b.keys.Member, "POST", r.target, []byte(`{"a":1}`))
			return k
		}, 401, "token_binding"},
		{"stream that is none", raw{method: "GET", target: "/member/v1/range?stream=310117-01"}, nil, 400, "query_invalid"},
		{"stream missing", raw{method: "GET", target: "/member/v1/range?from=1"}, nil, 400, "query_invalid"},
		{"from negative", raw{method: "GET", target: "/member/v1/range?stream=" + stream + "&from=-1"}, nil, 400, "query_invalid"},
		{"from 1e9", raw{method: "GET", target: "/member/v1/range?stream=" + stream + "&from=1e9"}, nil, 400, "query_invalid"},
		{"from 0x10", raw{method: "GET", target: "/member/v1/range?stream=" + stream + "&from=0x10"}, nil, 400, "query_invalid"},
		{"from 2^62", raw{method: "GET", target: "/member/v1/range?stream=" + stream + "&from=4611686018427387904"}, nil, 400, "query_invalid"},
		{"range over the limit", raw{method: "GET", target: "/member/v1/range?stream=" + stream + "&limit=1001"}, nil, 400, "query_invalid"},
		{"query key twice", raw{method: "GET", target: "/member/v1/range?stream=" + stream + "&stream=" + stream}, nil, 400, "query_invalid"},
		{"audit stream", raw{method: "GET", target: "/member/v1/range?stream=" + string(b.keys.Member) + "/audit"}, nil, 404, "not_found"},
		{"leaves over the limit", raw{method: "GET", target: "/member/v1/leaves?stream=" + stream + "&size=100001"}, nil, 400, "query_invalid"},
		{"agreement id too short", raw{method: "GET", target: "/member/v1/agreement?id=ab"}, nil, 400, "query_invalid"},
		{"heads not of this wire", raw{method: "POST", target: "/member/v1/heads", body: `{}`}, nil, 400, "malformed"},
		{"heads over 4 MiB", raw{method: "POST", target: "/member/v1/heads", body: strings.Repeat(" ", 4<<20+1)}, nil, 413, "too_large"},
		{"ask over 1 MiB", raw{method: "POST", target: "/member/v1/ask", body: strings.Repeat(" ", 1<<20+1)}, nil, 413, "too_large"},
		{"gzip", raw{method: "POST", target: "/member/v1/ask", body: `{}`, header: http.Header{"Content-Encoding": {"gzip"}}}, nil, 415, "content_encoding"},
		{"other content type", raw{method: "POST", target: "/member/v1/ask", body: `{}`, header: http.Header{"Content-Type": {"text/plain"}}}, nil, 415, "media_type"},
		{"unknown route", raw{method: "GET", target: "/member/v1/nothing"}, nil, 404, "not_found"},
		{"route of the other listener", raw{method: "POST", target: "/api/v1/sign-in", body: `{}`}, nil, 404, "not_found"},
		{"other verb", raw{method: "DELETE", target: "/member/v1/range"}, nil, 405, "method_not_allowed"},
		{"trace", raw{method: "TRACE", target: "/member/v1/range"}, nil, 405, "method_not_allowed"},
		{"path with dots", raw{method: "GET", target: "/member/v1/%2e%2e/range"}, nil, 400, "path_invalid"},
		{"path with NUL", raw{method: "GET", target: "/member/v1/range%00"}, nil, 400, "path_invalid"},
		{"path with parameters", raw{method: "GET", target: "/member/v1/range;x=y"}, nil, 400, "path_invalid"},
		{"double slash", raw{method: "GET", target: "/member//v1/range"}, nil, 400, "path_invalid"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.token != nil {
				row.r.token = row.token(row.r)
			} else {
				var err error
				row.r.token, err = a.issue(b.keys.Member, row.r.method, row.r.target, []byte(row.r.body))
				must(t, err)
			}
			res, err := b.send(t, c, row.r)
			must(t, err)
			defer res.Body.Close()
			if p := problemIn(t, res); p.Status != row.status || p.Code != row.code {
				t.Errorf("%d %s, want %d %s", p.Status, p.Code, row.status, row.code)
			}
		})
	}
}

func TestMembers_a_token_is_good_once(t *testing.T) {
	f := members(t, 2)
	a, b := f[0], f[1]
	c := b.httpClient(a.keys)
	for _, r := range []raw{{method: "GET", target: "/member/v1/charter"}, {method: "POST", target: "/member/v1/ask", body: `{"v":1}`}} {
		var err error
		r.token, err = a.issue(b.keys.Member, r.method, r.target, []byte(r.body))
		must(t, err)
		for i, want := range []int{200, 401, 401} {
			res, err := b.send(t, c, r)
			must(t, err)
			if res.StatusCode != want {
				t.Errorf("%s, time %d: %d, want %d", r.target, i+1, res.StatusCode, want)
			} else if want == 401 && problemIn(t, res).Code != "replayed" {
				t.Errorf("%s, time %d: another code", r.target, i+1)
			}
			res.Body.Close()
		}
	}
}

func TestMembers_clock_skew_is_told_with_both_times(t *testing.T) {
	f := members(t, 2)
	f[1].clock.move(6 * time.Minute)
	token, err := f[0].issue(f[1].keys.Member, "GET", "/member/v1/charter", nil)
	must(t, err)
	res, err := f[1].send(t, f[1].httpClient(f[0].keys), raw{method: "GET", target: "/member/v1/charter", token: token})
	must(t, err)
	defer res.Body.Close()
	if p := problemIn(t, res); p.Code != "clock_skew" || p.Theirs != "2026-03-13T09:30:00Z" || p.Ours != "2026-03-13T09:36:00Z" {
		t.Errorf("%+v", p)
	}
}

func TestMembers_one_range_in_flight(t *testing.T) {
	f := members(t, 3)
	a, b := f[0], f[1]
	inside, finish := make(chan struct{}), make(chan struct{})
	once := b.rangeOf
	b.rangeOf = func(ctx context.Context, m record.MemberID, s record.StreamID, from uint64) ([]byte, error) {
		if from == 7 {
			inside <- struct{}{}
			<-finish
		}
		return once(ctx, m, s, from)
	}
	s := record.Stream(b.keys.Member, record.Records)
	first := make(chan error, 1)
	go func() {
		_, err := a.peers(t).Range(context.Background(), b.keys.Member, s, 7)
		first <- err
	}()
	<-inside
	_, err := a.peers(t).Range(t.Context(), b.keys.Member, s, 0)
	wantRefusal(t, "second range of the same peer", err, "range_in_flight")
	if _, err := f[2].peers(t).Range(t.Context(), b.keys.Member, s, 0); err != nil {
		t.Errorf("another peer: %v", err)
	}
	close(finish)
	must(t, <-first)
	if _, err := a.peers(t).Range(t.Context(), b.keys.Member, s, 0); err != nil {
		t.Errorf("after the first: %v", err)
	}
}

func TestMembers_errors_of_the_domain_have_their_codes(t *testing.T) {
	f := members(t, 2)
	a, b := f[0], f[1]
	p := a.peers(t)
	for _, row := range []struct {
		err  error
		code string
	}{
		{federation.ErrMalformed, "malformed"}, {federation.ErrNotSender, "not_sender"}, {federation.ErrNotMember, "not_member"},
		{federation.ErrOtherFederation, "other_federation"}, {record.ErrReplayed, "replayed"}, {record.ErrStorageFull, "storage_full"}, {fmt.Errorf("append: %w", record.ErrOutcomeUnknown), "outcome_unknown"},
		{errors.New("secret 310101190001019001 测甲一"), "internal"}, {context.DeadlineExceeded, "timeout"}, {record.ErrFenced, "unavailable"},
	} {
		b.reply = func(context.Context, record.MemberID, []byte, record.Use) ([]byte, error) {
			return nil, fmt.Errorf("reply: %w", row.err)
		}
		_, err := p.Ask(t.Context(), b.keys.Member, []byte(`{}`))
		wantRefusal(t, row.code, err, row.code)
	}
	if l := b.log.String(); strings.Contains(l, "310101190001019001") || strings.Contains(l, "测甲一") || !strings.Contains(l, "reply: [*errors.errorString] secret ") {
		t.Errorf("the internal error is in the log unscrubbed, or not at all")
	}
	stale := &federation.StaleCharterError{Ours: record.CharterRef{Version: 3, Hash: [32]byte{3}}, Theirs: record.CharterRef{Version: 2, Hash: [32]byte{2}}}
	b.reply = func(context.Context, record.MemberID, []byte, record.Use) ([]byte, error) { return nil, stale }
	var got *federation.StaleCharterError
	if _, err := p.Ask(t.Context(), b.keys.Member, []byte(`{}`)); !errors.As(err, &got) || *got != *stale {
		t.Errorf("stale charter: %v", got)
	}
}
