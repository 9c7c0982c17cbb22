package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/httpapi"
)

// An account has four streams; another account is not affected, and one that ends makes room.
func TestEvents_are_bounded_for_an_account(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	d := o.client(t, "e.liaison", auth.Liaison)
	var ears []*ear
	for range 4 {
		ears = append(ears, hears(t, d, ""))
	}
	var p *client.Problem
	fifth := func() error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		return d.Hear(ctx, "", func(string, client.Notice) error { return io.EOF })
	}
	if err := fifth(); !errors.As(err, &p) || p.Code != "rate_limited" {
		t.Errorf("a fifth stream: %v", err)
	}
	o.ok("liaison", "GET", "/api/v1/entries", nil, nil)
	hears(t, o.client(t, "e.head", auth.Head), "")
	ears[0].stop()
	<-ears[0].ended
	eventually(t, "a place is free again", func() bool { return errors.Is(fifth(), io.EOF) })
}

// A listener that shuts down says so, and a stream shows that it lives.
func TestEvents_end_with_the_node_and_beat(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	res := o.stream("liaison", "")
	lines := bufio.NewScanner(res.Body)
	read := func(want string) {
		t.Helper()
		for lines.Scan() {
			if lines.Text() == want {
				return
			}
		}
		t.Fatalf("%q does not come: %v", want, lines.Err())
	}
	if ct := res.Header.Get("Content-Type"); ct != "text/event-stream" || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", res.Header)
	}
	read("event: open")
	read(": open") // after five seconds of silence
	o.questions.Stop()
	read("event: closed")
	read(`data: {"reason":"stopping"}`)
	for lines.Scan() { // to the end
	}
	must(t, lines.Err())
}

// stream opens the desk's stream as plain HTTP.
func (o *office) stream(as, last string) *http.Response {
	o.t.Helper()
	r, err := http.NewRequestWithContext(o.t.Context(), http.MethodGet, o.server.URL+"/api/v1/events", http.NoBody)
	must(o.t, err)
	r.Header.Set("Authorization", "Bearer "+o.tokens[as])
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultClient.Do(r)
	must(o.t, err)
	o.t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusOK {
		o.t.Fatalf("%d", res.StatusCode)
	}
	return res
}

// narrow gives every connection the smallest buffer, so that the kernel does not read for a listener who does not.
type narrow struct{ net.Listener }

func (n narrow) Accept() (net.Conn, error) {
	c, err := n.Listener.Accept()
	if t, ok := c.(*net.TCPConn); ok {
		err = errors.Join(err, t.SetWriteBuffer(1))
	}
	return c, err
}

// Who does not read is cut, while the records are far from told; another one hears all of them, and the memory that is
// bound meanwhile does not grow with what he has not read.
func TestEvents_a_slow_reader_is_cut(t *testing.T) {
	o := offices(t, 1)[0]
	o.open().staff()
	h := o.server.Config.Handler
	o.server.Close()
	o.server = httptest.NewUnstartedServer(nil)
	o.server.Config = httpapi.PeopleServer(h, nil)
	o.server.Listener = narrow{o.server.Listener}
	o.server.Start()
	t.Cleanup(o.server.Close)
	// A place of a large federation: every event carries it, so that few records are much to read.
	begin := fmt.Sprintf("%s/local:0", o.dir.Self())
	for i := range 300 {
		begin += fmt.Sprintf(",9%05d-01/records:0", i)
	}
	const n = 60
	for range n {
		var w httpapi.Written
		o.ok("officer", "POST", "/api/v1/penalties", obj{"payload": example(t, "penalty", "person")}, &w)
		o.ok("officer", "POST", "/api/v1/penalties/"+w.ID+"/submit", obj{"version": w.Version}, nil)
	}
	_, begins, _ := strings.Cut(o.server.URL, "//")
	c, err := net.Dial("tcp", begins)
	must(t, err)
	defer c.Close()
	must(t, c.(*net.TCPConn).SetReadBuffer(1))
	_, err = fmt.Fprintf(c, "GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nLast-Event-ID: %s\r\n\r\n", o.tokens["reviewer"], begin)
	must(t, err)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	eventually(t, "the slow reader's request has ended", func() bool {
		return strings.Contains(o.log.String(), `"route":"/api/v1/events"`)
	})
	runtime.GC()
	runtime.ReadMemStats(&after)
	if after.HeapAlloc > before.HeapAlloc+8<<20 {
		t.Errorf("heap grew from %d to %d", before.HeapAlloc, after.HeapAlloc)
	}
	must(t, c.SetReadDeadline(time.Now().Add(30*time.Second)))
	got, err := io.ReadAll(c)
	if heard := strings.Count(string(got), "event: draft"); !strings.HasPrefix(string(got), "HTTP/1.1 200") || heard >= n {
		t.Errorf("the slow reader was told %d of %d (%v)", heard, n, err)
	}
	whole := hears(t, o.client(t, "e.reviewer", auth.LegalReviewer), begin)
	for range n {
		whole.hearsAll("draft 310116-01 penalty submit in_review")
	}
}

// When all members have applied a withdrawal its bureau is told; while one has not, nothing is said, and another one's
// publication is no such step.
func TestEvents_applied_everywhere(t *testing.T) {
	for members, told := range map[int]bool{1: true, 2: false} {
		o := offices(t, members)[0].open().staff()
		d := o.client(t, "e.liaison", auth.Liaison)
		e := hears(t, d, "")
		_, entry := o.penaltyAndEntry()
		step := func(as, name string, version uint64, code string) {
			o.ok(as, "POST", "/api/v1/entries/"+entry.ID+"/"+name, obj{"version": version, "reason": "身份存疑", "reason_code": code, "document_hash": strings.Repeat("ab", 32),
				"legal_basis": "个人信息保护法第46条", "purpose": "CORRECT"}, nil)
		}
		step("liaison", "suspend", 1, "identity_doubt")
		var got []string
		hear := func(want string) {
			t.Helper()
			for want != "" && (len(got) == 0 || got[len(got)-1] != want) {
				got = append(got, short(e.next()))
			}
		}
		hear("entry 310116-01 blacklist.person suspend suspended")
		if told {
			hear("applied 310116-01 blacklist.person suspend suspended")
		}
		step("head", "confirm", 2, "wrong_person")
		hear("entry 310116-01 blacklist.person confirm withdrawn")
		if told {
			hear("applied 310116-01 blacklist.person confirm withdrawn")
		} else {
			place := e.place
			e.stop()
			<-e.ended
			again := hears(t, d, place)
			step2 := o.publish("penalties", example(t, "penalty", "person"))
			for n := again.next(); n.Topic != "entry" || n.Subject != step2.ID; n = again.next() {
				got = append(got, short(n))
			}
		}
		n := 0
		for _, s := range got {
			if strings.HasPrefix(s, "applied") {
				n++
			}
		}
		if told && n != 2 || !told && n != 0 {
			t.Errorf("%d members: %q", members, got)
		}
	}
}
