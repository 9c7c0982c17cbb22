package httpapi_test

import (
	"context"
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// slowPut is the node's database, which takes its time to keep a question: it says that it began and waits.
type slowPut struct {
	*sqlstore.Store
	began, goOn chan struct{}
}

func (s slowPut) PutOpen(ctx context.Context, k federation.KeptAsk) error {
	if s.began != nil {
		s.began <- struct{}{}
		<-s.goOn
	}
	return s.Store.PutOpen(ctx, k)
}

// A question that was replaced while it was asked anew is not kept again by what the asking came to: what was asked would
// stay in the database, and come back at the next start.
func TestOpen_replaced_while_it_is_asked(t *testing.T) {
	o := offices(t, 1)[0]
	slow := slowPut{Store: o.store}
	open := httpapi.NewOpen(o.clock.Now, &slow)
	until := o.clock.Now().Add(time.Hour)
	ask := func(n byte) httpapi.Asked {
		t.Helper()
		a, ok := open.Asked(t.Context(), record.Bits128{n}, federation.AskRequest{Purpose: "CASE"}, "acc-1", until.Add(time.Duration(n)*time.Second))
		if !ok {
			t.Fatal("no room")
		}
		return a
	}
	answered := func(a httpapi.Asked, want bool) {
		t.Helper()
		if kept, err := open.Answered(t.Context(), a); err != nil || kept != want {
			t.Errorf("kept: %v %v", kept, err)
		}
	}
	first := ask(0)
	answered(first, true)
	for n := byte(1); n <= 8; n++ { // the account's eighth behind it takes its place
		answered(ask(n), true)
	}
	answered(first, false)
	if n := o.kept(); n != 8 {
		t.Errorf("%d questions are kept", n)
	}

	// The same while its row is being written: the deletion waits and comes last.
	second := ask(9) // replaces the second
	slow.began, slow.goOn = make(chan struct{}), make(chan struct{})
	written := make(chan error)
	go func() {
		_, err := open.Answered(context.WithoutCancel(t.Context()), second)
		written <- err
	}()
	<-slow.began
	slow.began = nil
	replaced := make(chan struct{})
	go func() {
		defer close(replaced)
		for n := byte(10); n <= 17; n++ {
			_, _ = open.Asked(context.WithoutCancel(t.Context()), record.Bits128{n}, federation.AskRequest{Purpose: "CASE"}, "acc-1", until.Add(time.Hour))
		}
	}()
	close(slow.goOn)
	must(t, <-written)
	<-replaced
	if n := o.kept(); n != 0 {
		t.Errorf("%d questions are kept", n)
	}
	// A node that stops keeps what was asked.
	last := ask(18)
	open.Stop()
	answered(last, true)
	if n := o.kept(); n != 1 {
		t.Errorf("%d questions are kept", n)
	}
}
