package federation

import (
	"fmt"
	"strings"
	"time"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// Charge is one question as budgets count it (domain.md L35): who asks, and about whom.
type Charge struct {
	Member  record.MemberID // whose officer asks; this node's own member when it is about to ask
	Account string          // opaque account id
	Subject identifier.Secret
}

// Codes of a spent budget, for the border's words.
const (
	SpentRate     = "rate_limited"  // too many questions in a short time
	SpentSubjects = "subjects_over" // too many distinct subjects in a civil day
)

// SpentError: whoever asks has used a budget up. It is audited when the caller sees it, and nothing was looked up.
type SpentError struct {
	Code  string
	Retry time.Duration // after which it may be asked again, at the earliest
}

// Error returns the code.
func (e *SpentError) Error() string {
	return fmt.Sprintf("question refused: %s for %s", e.Code, e.Retry)
}

// subject is what a question is about as far as budgets tell subjects apart: all that was typed, without the form it was
// typed in. Whoever varies one field of a question sweeps, so each variation is another subject.
func (q Question) subject() identifier.Secret {
	var typed []string
	for _, f := range q.reveal().fields() {
		typed = append(typed, strings.ToUpper(strings.Join(strings.Fields(f.s), "")))
	}
	return identifier.NewSecret(strings.Join(typed, "\x00"))
}
