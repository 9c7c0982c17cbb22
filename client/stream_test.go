package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/pilinhub/pilin/client"
)

// A stream that breaks off in the middle of an event has not told it: the next one goes on from the event before, and
// nobody hears half of one.
func TestDesk_Hear_brokenInAnEvent(t *testing.T) {
	var streams atomic.Int32
	places := make(chan string, 8)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/events" {
			_, _ = io.WriteString(w, `{"account":"a","access":"t","access_expires":"2099-01-01T00:00:00Z","refresh":"r","refresh_expires":"2099-01-01T00:00:00Z"}`)
			return
		}
		places <- r.Header.Get("Last-Event-ID")
		w.Header().Set("Content-Type", "text/event-stream")
		whole := "id: a:1\nevent: notice\ndata: {\"topic\":\"entry\",\"subject\":\"1\"}\n\n"
		next := "id: a:2\nevent: notice\ndata: {\"topic\":\"entry\",\"subject\":\"2\"}\n\n"
		if streams.Add(1) == 1 {
			_, _ = io.WriteString(w, "id: a:0\nevent: open\ndata: {}\n\n"+whole+next[:len(next)-9])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, "id: a:1\nevent: open\ndata: {}\n\n"+next)
	}))
	defer s.Close()
	d := client.NewDesk(s.URL, s.Client())
	if err := d.SignIn(t.Context(), "a", "b"); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	var heard []string
	err := d.Hear(context.WithoutCancel(t.Context()), "", func(place string, n client.Notice) error {
		heard = append(heard, place+" "+n.Subject)
		if n.Subject == "2" {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || !slices.Equal(heard, []string{"a:0 ", "a:1 1", "a:2 2"}) {
		t.Errorf("%v %q", err, heard)
	}
	close(places)
	var asked []string
	for p := range places {
		asked = append(asked, p)
	}
	if !slices.Equal(asked, []string{"", "a:1"}) {
		t.Errorf("went on from %q", asked)
	}
}
