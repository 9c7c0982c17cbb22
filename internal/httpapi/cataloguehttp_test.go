package httpapi_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pilinhub/pilin/internal/httpapi"
)

// This file holds the rows of reliability-security.md §4.1 that are about connections. The others stand in
// TestPeople_http_catalogue (media types, encodings, verbs, paths, queries, identifiers in URLs, Accept),
// TestPeople_request_smuggling, TestPeople_lists_and_cursors (limits, cursors, repeated and unknown query keys),
// TestPeople_a_write_is_done_once_per_key (and, over kill -9, the kill tests of nodetest; thirty days: sqlstore's list tests),
// TestPeople_a_question_without_purpose_or_work_is_refused_and_audited, TestPeople_without_storage_there_is_no_question
// (and SQLITE_FULL and 53100 in sqlstore) and TestEvents_*.

// conversation writes raw bytes and returns all that comes back until the other end closes, and how many bytes were taken.
func conversation(t *testing.T, address, raw string) (answer string, written int, closed bool) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	must(t, err)
	defer c.Close()
	must(t, c.SetDeadline(time.Now().Add(10*time.Second)))
	read := make(chan string, 1)
	go func() {
		b, err := io.ReadAll(c)
		var timeout net.Error
		closed = !asTimeout(err, &timeout)
		read <- string(b)
	}()
	written, _ = io.WriteString(c, raw) // it may be cut off
	return <-read, written, closed
}

func asTimeout(err error, into *net.Error) bool {
	n, ok := err.(net.Error) //nolint:errorlint // as net returns it
	*into = n
	return ok && n.Timeout()
}

func TestHTTP_body_over_the_limit_closes_the_connection(t *testing.T) {
	o := offices(t, 1)[0].open()
	address := o.server.Listener.Addr().String()
	head := "POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	const size = 64 << 20
	chunk := "100000\r\n" + strings.Repeat(" ", 1<<20) + "\r\n"
	for name, raw := range map[string]string{
		"with its length":             head + fmt.Sprintf("Content-Length: %d\r\n\r\n", size) + strings.Repeat(" ", size),
		"chunked, without any length": head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat(chunk, size>>20) + "0\r\n\r\n",
	} {
		answer, written, closed := conversation(t, address, raw)
		if answer != "" && !strings.HasPrefix(answer, "HTTP/1.1 413 ") || !closed {
			t.Errorf("%s: %.60q, closed: %v", name, answer, closed)
		}
		if written > 16<<20 { // the sockets' buffers, which this machine's kernel chooses, are in it; what is read is measured below
			t.Errorf("%s: %d bytes went out", name, written)
		}
	}
}

// counting counts what a server reads of its connections.
type counting struct {
	net.Listener
	read atomic.Int64
}

type countedConn struct {
	net.Conn
	n *atomic.Int64
}

func (l *counting) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return countedConn{c, &l.read}, err
}

func (c countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// recast serves the office's handler anew over another listener.
func (o *office) recast(wrap func(net.Listener) net.Listener) {
	h := o.server.Config.Handler
	o.server.Close()
	o.server = httptest.NewUnstartedServer(nil)
	o.server.Config = httpapi.PeopleServer(h, nil)
	o.server.Listener = wrap(o.server.Listener)
	o.server.Start()
	o.t.Cleanup(o.server.Close)
}

func TestHTTP_no_more_than_2_MiB_are_read(t *testing.T) {
	o := offices(t, 1)[0].open()
	var l *counting
	o.recast(func(n net.Listener) net.Listener { l = &counting{Listener: n}; return l })
	head := "POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	chunk := "100000\r\n" + strings.Repeat(" ", 1<<20) + "\r\n"
	for name, raw := range map[string]string{
		"with its length":             head + "Content-Length: 33554432\r\n\r\n" + strings.Repeat(" ", 32<<20),
		"chunked, without any length": head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat(chunk, 32),
	} {
		before := l.read.Load()
		conversation(t, o.server.Listener.Addr().String(), raw)
		if n := l.read.Load() - before; n > 2<<20 {
			t.Errorf("%s: %d bytes were read", name, n)
		}
	}
}

// Two servers may cut a request differently that says its length twice: such a one is refused, and nothing behind it is
// taken for a request.
func TestHTTP_two_lengths_are_refused_and_close(t *testing.T) {
	o := offices(t, 1)[0].open()
	head := "POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	behind := "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, raw := range map[string]string{
		"length and chunked":          head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + behind,
		"chunked and length":          head + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + behind,
		"chunked":                     head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + behind,
		"two lengths":                 head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}" + behind,
		"two lengths in one":          head + "Content-Length: 2, 3\r\n\r\n{}" + behind,
		"length with a sign":          head + "Content-Length: +2\r\n\r\n{}" + behind,
		"NUL in a header":             head + "X-A: a\x00b\r\nContent-Length: 2\r\n\r\n{}" + behind,
		"CR in a header":              head + "X-A: a\rb\r\nContent-Length: 2\r\n\r\n{}" + behind,
		"no host":                     "GET /livez HTTP/1.1\r\n\r\n" + behind,
		"two hosts":                   "GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" + behind,
		"another encoding of a GET":   "GET /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + behind,
		"head over 16 KiB":            "GET /livez HTTP/1.1\r\nHost: x\r\nX-A: " + strings.Repeat("a", 24<<10) + "\r\n\r\n" + behind,
		"HTTP/0.9":                    "GET /livez\r\n\r\n",
		"a version that is none":      "GET /livez HTTP/3.0\r\nHost: x\r\n\r\n" + behind,
		"not HTTP":                    "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\r\n\r\n",
		"absolute target, other host": "GET http://y/livez/%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	} {
		answer, _, closed := conversation(t, o.server.Listener.Addr().String(), raw)
		if !closed || strings.Count(answer, "HTTP/1.1 ") != 1 || !strings.HasPrefix(answer, "HTTP/1.1 4") && !strings.HasPrefix(answer, "HTTP/1.1 505") {
			t.Errorf("%s: closed %v, %q", name, closed, answer)
		}
	}
}

func TestHTTP_connect_is_refused(t *testing.T) {
	o := offices(t, 1)[0].open()
	for _, target := range []string{"other.example:443", "/api/v1/entries"} {
		answer, _, _ := conversation(t, o.server.Listener.Addr().String(), "CONNECT "+target+" HTTP/1.1\r\nHost: other.example:443\r\nConnection: close\r\n\r\n")
		if !strings.HasPrefix(answer, "HTTP/1.1 405 ") {
			t.Errorf("%s: %q", target, answer)
		}
	}
}

// pipes is a listener of connections in memory, for a bubble of synctest: its timeouts take no time.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	c, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.conns) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial() net.Conn {
	here, there := net.Pipe()
	p.conns <- there
	return here
}

// Who sends his head or body byte by byte, says nothing, or never reads is sent away: after 5 s, 15 s, 5 s and 30 s.
func TestHTTP_slow_clients_are_sent_away(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
			_, _ = w.Write(make([]byte, 1<<20))
		})
		s, l := httpapi.PeopleServer(h, nil), &pipes{conns: make(chan net.Conn)}
		go func() { _ = s.Serve(l) }() // ends with ErrServerClosed
		defer s.Close()
		// drip sends what it has, then a byte a second, and reads nothing; it returns when the other end has closed.
		drip := func(raw string) time.Duration {
			c := l.dial()
			defer c.Close()
			start := time.Now()
			if raw == "" {
				_, _ = io.ReadAll(c) // until it is closed
				return time.Since(start)
			}
			if _, err := io.WriteString(c, raw); err != nil {
				return time.Since(start)
			}
			for {
				time.Sleep(time.Second) // of the bubble's clock
				if err := c.SetWriteDeadline(time.Now().Add(time.Millisecond)); err != nil {
					return time.Since(start)
				}
				_, err := c.Write([]byte("a"))
				if timeout, ok := err.(net.Error); err != nil && !(ok && timeout.Timeout()) { //nolint:errorlint // as net returns it
					return time.Since(start)
				}
			}
		}
		for _, row := range []struct {
			name, raw string
			most      time.Duration
		}{
			{"slow head", "GET /livez HTTP/1.1\r\nX-A: ", 7 * time.Second},
			{"nothing", "", 7 * time.Second},
			{"slow body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", 47 * time.Second}, // 15 s to read, and the answer is not read either
			{"never reads", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 32 * time.Second},
		} {
			if took := drip(row.raw); took > row.most || took < 4*time.Second {
				t.Errorf("%s: sent away after %s", row.name, took)
			}
		}
	})
}

// What a proxy would say of a caller is anybody's word: neither address, nor name, nor scheme is believed.
func TestHTTP_forwarding_headers_are_ignored(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	said := func(i int) http.Header {
		return http.Header{"X-Forwarded-For": {fmt.Sprintf("198.51.100.%d", i)}, "X-Real-Ip": {fmt.Sprintf("198.51.100.%d", i)}, "Forwarded": {fmt.Sprintf("for=198.51.100.%d;proto=https", i)},
			"X-Forwarded-User": {"admin"}, "X-Remote-User": {"admin"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"other.example"}}
	}
	o.refused(request{method: "GET", path: "/api/v1/accounts", header: said(1)}, 401, "token_missing")
	o.refused(request{as: "officer", method: "GET", path: "/api/v1/accounts", header: said(1)}, 403, "forbidden")
	res, b := o.do(request{method: "POST", path: "/api/v1/sign-in", body: `{"name":"officer","password":"` + password + `","cookies":true}`, header: said(1)})
	if res.StatusCode != 200 || len(res.Cookies()) == 0 || res.Cookies()[0].Secure {
		t.Errorf("%d %s %v", res.StatusCode, b, res.Cookies())
	}
	// An address has so many failures, whatever it says where it is.
	for i := range 6 {
		o.do(request{method: "POST", path: "/api/v1/sign-in", body: `{"name":"head","password":"wrong-wrong-1"}`, header: said(i)})
	}
	o.refused(request{method: "POST", path: "/api/v1/sign-in", body: `{"name":"head","password":"` + password + `"}`, header: said(7)}, 429, "locked")
	if strings.Contains(o.log.String(), "198.51.100.") {
		t.Error("what was said stands in the log")
	}
}

// 10,000 requests of one officer at once: sixteen run, the others are told when to come again, and his colleague is served.
func TestHTTP_ten_thousand_at_once(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	gate := make(chan struct{})
	o.status = func(context.Context) (httpapi.Status, error) {
		<-gate
		return httpapi.Status{}, nil
	}
	h := o.server.Config.Handler
	serve := func(as, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
		r.Header.Set("Authorization", "Bearer "+o.tokens[as])
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	const n = 10_000
	results := make(chan *httptest.ResponseRecorder, n)
	for range n {
		go func() { results <- serve("officer", "/api/v1/status") }()
	}
	for range n - 16 {
		if w := <-results; w.Code != 429 || w.Header().Get("Retry-After") != "1" {
			t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
		}
	}
	if w := serve("liaison", "/api/v1/entries"); w.Code != 200 {
		t.Errorf("his colleague: %d %s", w.Code, w.Body)
	}
	close(gate)
	for range 16 {
		if w := <-results; w.Code != 200 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}

// Ten thousand streams opened and reset at once, over HTTP/2: the connection is ended with GOAWAY, and what runs and waits
// for it is bounded.
func TestHTTP_rapid_reset(t *testing.T) {
	var running, most atomic.Int64
	gate := make(chan struct{})
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if n := running.Add(1); n > most.Load() {
			most.Store(n)
		}
		<-gate
	})
	server := httptest.NewUnstartedServer(nil)
	server.Config = httpapi.PeopleServer(h, nil)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	defer close(gate)
	pool := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs //nolint:forcetypeassert // httptest makes it
	c, err := tls.Dial("tcp", server.Listener.Addr().String(), &tls.Config{RootCAs: pool, ServerName: "example.com", NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12})
	must(t, err)
	defer c.Close()
	must(t, c.SetDeadline(time.Now().Add(30*time.Second)))
	frame := func(kind, flags byte, stream uint32, payload []byte) []byte { // RFC 9113 §4.1
		b := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
		return append(binary.BigEndian.AppendUint32(b, stream), payload...)
	}
	before := runtime.NumGoroutine()
	go func() {
		out := bufio.NewWriter(c)
		_, _ = out.WriteString("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") // it may be cut off at any place
		_, _ = out.Write(frame(4, 0, 0, nil))
		for i := range uint32(10_000) {
			// GET https / with the authority x, all from the static table but the last (RFC 7541); the end of headers and stream.
			_, _ = out.Write(frame(1, 5, 2*i+1, []byte{0x82, 0x87, 0x84, 0x41, 0x01, 'x'}))
			_, _ = out.Write(frame(3, 0, 2*i+1, []byte{0, 0, 0, 8})) // RST_STREAM, CANCEL
		}
		_ = out.Flush()
	}()
	in := bufio.NewReader(c)
	for {
		var head [9]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			t.Fatalf("no GOAWAY: %v", err)
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(in, payload); err != nil {
			t.Fatal(err)
		}
		if head[3] == 7 {
			if code := binary.BigEndian.Uint32(payload[4:8]); code != 11 { // ENHANCE_YOUR_CALM
				t.Errorf("GOAWAY with %d", code)
			}
			break
		}
	}
	if n := most.Load(); n > 64 {
		t.Errorf("%d handlers at once", n)
	}
	if n := runtime.NumGoroutine() - before; n > 100 {
		t.Errorf("%d goroutines", n)
	}
}
