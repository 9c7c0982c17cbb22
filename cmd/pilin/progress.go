package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/pilinhub/pilin/internal/node"
)

// bar shows how far something has come, once it takes more than two seconds.
type bar struct {
	out   io.Writer // nil: nothing is shown
	now   func() time.Time
	begun time.Time
	drawn time.Time
	width int // of the line that stands there
}

// patience is how long nothing is shown; drawEvery is between two drawings, except of the end of a step.
const (
	patience  = 2 * time.Second
	drawEvery = 100 * time.Millisecond
)

// steps are the steps in the words of the work: of the node's tools, of imports, and of verify.
var steps = map[string]string{
	string(node.StepCopy): "复制数据库 copying", string(node.StepCheck): "核对 checking", string(node.StepSubject): "重建读模型 read models",
	string(node.StepIndex): "重建索引 index", string(node.StepExport): "导出 exporting", "verify": "核验 verifying",
	"commit": "送审 handing in", "approve": "审核 approving", "return": "退回 returning", "publish": "发布 publishing",
}

// newBar shows on a terminal only, and never beside JSON: a log wants no bar, and a program neither.
func newBar(out *printer) *bar {
	b := &bar{now: time.Now, begun: time.Now()}
	if out.JSON {
		return b
	}
	if st, err := os.Stderr.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
		b.out = os.Stderr
	}
	return b
}

// see draws the bar anew.
func (b *bar) see(step string, done, total uint64) {
	now := b.now()
	if b.out == nil || total == 0 || now.Sub(b.begun) < patience || done < total && now.Sub(b.drawn) < drawEvery {
		return
	}
	const width = 30
	n := int(min(width, width*float64(done)/float64(total)))
	line := fmt.Sprintf("%s [%s%s] %d/%d", steps[step], strings.Repeat("#", n), strings.Repeat(".", width-n), done, total)
	fmt.Fprintf(b.out, "\r%s%s", line, strings.Repeat(" ", max(0, b.width-len(line)))) // nothing of a longer line stays
	b.drawn, b.width = now, len(line)
}

// tool is see as the node's tools call it.
func (b *bar) tool(s node.Step, done, total uint64) { b.see(string(s), done, total) }

// end leaves the line.
func (b *bar) end() {
	if b.width > 0 {
		fmt.Fprintln(b.out)
	}
}
