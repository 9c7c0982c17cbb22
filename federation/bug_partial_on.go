//go:build bug_partial_cached

package federation

import (
	"sync"

	"github.com/pilinhub/pilin/record"
)

// partialCache is a planted bug: a member's last answer to the same question stands in for it when it is silent.
type partialCache struct {
	mu   sync.Mutex
	kept map[string]*answerText
}

func (c *partialCache) keep(a *Answer, m record.MemberID, p *answerText) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept = map[string]*answerText{}
	}
	c.kept[string(m)+a.question] = p
}

func (c *partialCache) standIn(a *Answer, m MemberAnswer) (*answerText, MemberAnswer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.kept[string(m.Member)+a.question]
	if p != nil {
		m.State, m.Reason, m.Index = Answered, "", p.Index
	}
	return p, m
}
