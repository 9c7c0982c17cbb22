package node

import (
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// The page of federation health tells of every member its clock, release, charter and keys, and of every log how far it
// is and who has receipted it; a record that has no effect is counted once, however often one looks.
func TestStatus_ofTheFederation(t *testing.T) {
	d := newDirect(t, onHTTP)
	d.released()
	a, b := d.members[0], d.members[1]
	d.publish(a)
	d.everywhere(a, 1)
	n := d.nodes[b]
	n.calendar = holidays(t, n.now().Year(), n.now().Year()+1)
	var s httpapi.Status
	d.until("a healthy page", func() bool {
		var err error
		s, err = n.status(t.Context())
		d.ok(err)
		return len(s.Advice) == 0 && len(s.Members) == 3 && s.Members[0].ClockOffset != nil && s.Members[2].ClockOffset != nil
	})
	for _, m := range s.Members {
		if m.Release != Release || m.CharterVersion != 1 || m.Self != (m.Member == b) || *m.ClockOffset < -2 || *m.ClockOffset > 2 {
			t.Errorf("%+v", m)
		}
		if len(m.Keys) != 3 || m.Keys[0].Kind != "sign" || m.Keys[0].Name == "" || m.Keys[0].Since == "" || m.Keys[0].DaysLeft == nil || *m.Keys[0].DaysLeft != keyLife-m.Keys[0].AgeDays {
			t.Errorf("keys of %s: %+v", m.Member, m.Keys)
		}
	}
	var found bool
	for _, st := range s.Streams {
		if st.Stream == string(record.Stream(a, record.Records)) {
			found = st.Applied == st.Seen && st.Indexed == st.Applied && st.Receipts >= 1 && len(st.Unusable) == 0
		}
	}
	if !found {
		t.Errorf("streams: %+v", s.Streams)
	}

	id, err := record.NewBits128(rand.Reader)
	d.ok(err)
	_, err = d.nodes[a].append(t.Context(), record.Append{Drafts: []record.Draft{{Stream: record.Stream(a, record.Records), ID: id, Type: "of.tomorrow", Schema: "1", Day: "2026-03-13",
		Audience: map[record.GroupID]record.Level{record.All: record.L3}, Parts: map[record.PartName][]byte{record.Card: []byte("{}")}}}})
	d.ok(err)
	d.until("there", func() bool { return d.held(b, record.Stream(a, record.Records)) == 2 })
	known := n.calendar
	n.calendar = &workflow.Calendar{} // what is configured counts, not what the release knows
	if all := n.ready(t.Context()); !slices.ContainsFunc(all, func(c httpapi.Capability) bool { return c.Name == "calendar" && !c.Ready }) {
		t.Errorf("without a calendar: %+v", all)
	}
	n.calendar = known
	for range 2 {
		s, err = n.status(t.Context())
		d.ok(err)
		if len(s.Advice) != 1 || s.Advice[0].Code != "unusable" || s.Advice[0].Member != a {
			t.Errorf("advice: %+v", s.Advice)
		}
		for _, st := range s.Streams {
			if own := st.Stream == string(record.Stream(a, record.Records)); st.Unusable[federation.UnusableType] != map[bool]int{true: 1}[own] {
				t.Errorf("quarantine of %s: %v", st.Stream, st.Unusable)
			}
		}
		n.revisit(record.Stream(a, record.Records), 0)
	}
}

// A log that is behind is timed from when it was first seen so; one that has caught up begins anew.
func TestLagging(t *testing.T) {
	var l lagging
	s := record.Stream("310116-01", record.Records)
	at := time.Date(2026, 3, 13, 9, 0, 0, 0, time.UTC)
	for i, c := range []struct {
		behind bool
		after  time.Duration
		want   time.Duration
	}{{false, 0, 0}, {true, time.Second, 0}, {true, time.Minute, 59 * time.Second}, {false, 2 * time.Minute, 0}, {true, 3 * time.Minute, 0}, {true, 4 * time.Minute, time.Minute}} {
		if got := l.of(s, c.behind, at.Add(c.after)); got != c.want {
			t.Errorf("%d: %s, want %s", i, got, c.want)
		}
	}
}
