package auth_test

import (
	"strings"
	"testing"

	"github.com/pilinhub/pilin/internal/auth"
)

// Who is told what: every role against every topic. A role that is not in a row hears nothing of it.
func TestMayHear(t *testing.T) {
	for _, row := range []struct {
		name string
		t    auth.Topic
		h    auth.Hearing
		want string
	}{
		{"own entry", auth.TopicEntry, auth.Hearing{Own: true}, "liaison officer legal_reviewer head auditor"},
		{"a neighbour's entry", auth.TopicEntry, auth.Hearing{}, "liaison legal_reviewer head"},
		{"draft to review", auth.TopicDraft, auth.Hearing{Own: true, Next: auth.Review}, "legal_reviewer"},
		{"draft returned", auth.TopicDraft, auth.Hearing{Own: true, Next: auth.Draft}, "liaison officer"},
		{"draft to publish", auth.TopicDraft, auth.Hearing{Own: true, Next: auth.Publish}, "liaison legal_reviewer head"},
		{"draft that waits for nobody", auth.TopicDraft, auth.Hearing{Own: true}, ""},
		{"operation under embargo", auth.TopicOperation, auth.Hearing{Embargoed: true}, "liaison coordinator legal_reviewer head auditor"},
		{"operation", auth.TopicOperation, auth.Hearing{}, "liaison officer coordinator legal_reviewer head auditor"},
		{"question", auth.TopicAsk, auth.Hearing{}, "liaison officer coordinator legal_reviewer head"},
		{"import", auth.TopicImport, auth.Hearing{}, "liaison officer legal_reviewer head auditor"},
		{"applied everywhere", auth.TopicApplied, auth.Hearing{Own: true}, "liaison officer legal_reviewer head auditor"},
		{"alarm", auth.TopicAlarm, auth.Hearing{}, "liaison officer coordinator legal_reviewer head auditor"},
		{"a topic that is none", "gossip", auth.Hearing{Own: true, Next: auth.Draft}, ""},
	} {
		var got []string
		for _, r := range auth.AllRoles {
			if auth.MayHear([]auth.Role{r}, row.t, row.h) {
				got = append(got, string(r))
			}
		}
		if s := strings.Join(got, " "); s != row.want {
			t.Errorf("%s is heard by %q, want %q", row.name, s, row.want)
		}
	}
}
