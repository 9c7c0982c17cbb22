package httpapi_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/sheets"
)

// begin sends the head of an upload and returns the status that the server answers: "100" means that it reads the body.
func (o *office) begin(as string) (c net.Conn, status string) {
	o.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(o.server.URL, "http://"))
	must(o.t, err)
	o.t.Cleanup(func() { _ = c.Close() })
	token := ""
	if as != "" {
		token = "Authorization: Bearer " + o.tokens[as] + "\r\n"
	}
	_, err = fmt.Fprintf(c, "POST /api/v1/imports HTTP/1.1\r\nHost: x\r\n%sContent-Type: text/csv\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", token, sheets.MaxFile)
	must(o.t, err)
	line, err := bufio.NewReader(c).ReadString('\n')
	must(o.t, err)
	return c, strings.Fields(line)[1]
}

// A file is not read into memory for somebody who is not signed in, nor more than some at once: for one account, or for all.
func TestPeople_uploads_are_bounded(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	o.person("second", auth.Officer)
	o.person("third", auth.Officer)
	if _, status := o.begin(""); status != "401" {
		t.Errorf("nobody: %s", status)
	}
	var first net.Conn
	for _, as := range []string{"officer", "second"} {
		for i := range 4 {
			c, status := o.begin(as)
			if status != "100" {
				t.Fatalf("%s, file %d: %s", as, i, status)
			}
			first = c
		}
		if _, status := o.begin(as); status != "429" {
			t.Errorf("%s, one more: %s", as, status)
		}
	}
	if _, status := o.begin("third"); status != "429" {
		t.Errorf("one more of all: %s", status)
	}
	must(t, first.Close())
	eventually(t, "a place is free", func() bool { _, status := o.begin("third"); return status == "100" })
}
