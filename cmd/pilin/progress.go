package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/pilinhub/pilin/client"
)

// bar shows how far something has come, once it takes more than two seconds.
type bar struct {
	out   io.Writer // nil: nothing is shown
	now   func() time.Time
	begun time.Time
	shown bool
}

// patience is how long nothing is shown.
const patience = 2 * time.Second

// newBar shows on a terminal only: a log wants no bar.
func newBar() *bar {
	b := &bar{now: time.Now, begun: time.Now()}
	if st, err := os.Stderr.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
		b.out = os.Stderr
	}
	return b
}

// see draws the bar anew.
func (b *bar) see(w client.Work) {
	if b.out == nil || w.Total <= 0 || b.now().Sub(b.begun) < patience {
		return
	}
	const width = 30
	n := min(width, width*w.Done/w.Total)
	b.shown = true
	fmt.Fprintf(b.out, "\r%s [%s%s] %d/%d", w.Step, strings.Repeat("#", n), strings.Repeat(".", width-n), w.Done, w.Total)
}

// end leaves the line.
func (b *bar) end() {
	if b.shown {
		fmt.Fprintln(b.out)
	}
}
