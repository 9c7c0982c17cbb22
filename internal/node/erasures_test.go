package node

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"

	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/record"
)

// A member that has not applied a withdrawal long after its day is named by the page of health and by the metric, until it
// has; one of today is given its time, and who has applied is not named. On both databases.
func TestNode_EraseOverdue(t *testing.T) {
	for _, on := range []stack{onHTTP, onOwnRedis} {
		t.Run(strings.ReplaceAll(string(on), " ", "_"), func(t *testing.T) {
			d := newDirect(t, on)
			d.released()
			a, b, c := d.members[0], d.members[1], d.members[2]
			n := d.nodes[a]
			old, young := d.publish(a), d.publish(a)
			d.everywhere(a, 2)
			d.stop(d.nodes[c])
			d.publish(a, record.Ref{Rel: record.Withdraws, ID: old, Version: 1})
			_, err := d.publishOn(t.Context(), a, record.CivilDay(time.Now()), record.Ref{Rel: record.Withdraws, ID: young, Version: 1})
			d.ok(err)
			d.until("applied at B", func() bool { return d.held(b, record.Stream(a, record.Records)) == 4 })
			named := func() []record.MemberID {
				s, err := n.status(t.Context())
				d.ok(err)
				var out []record.MemberID
				for _, x := range s.Advice {
					if x.Code == "erase_overdue" {
						out = append(out, x.Member)
					}
				}
				if i := slices.IndexFunc(s.Members, func(m httpapi.MemberStatus) bool { return m.Member == c }); len(out) == 1 && s.Members[i].EraseOverdue != 1 {
					t.Fatalf("%+v", s.Members[i])
				}
				return out
			}
			d.until("C alone is named", func() bool { return slices.Equal(named(), []record.MemberID{c}) })
			line := func(m record.MemberID, value string) bool {
				families, err := n.registry.Gather()
				d.ok(err)
				var text bytes.Buffer
				for _, f := range families {
					_, err := expfmt.MetricFamilyToText(&text, f)
					d.ok(err)
				}
				return strings.Contains(text.String(), `pilin_erase_overdue_total{member="`+string(m)+`"} `+value+"\n")
			}
			if !line(c, "1") || !line(b, "0") || line(a, "0") {
				t.Error("metric")
			}
			d.again(c)
			d.until("nobody is named", func() bool { return len(named()) == 0 && line(c, "0") })
		})
	}
}
