package httpapi_test

import (
	"slices"
	"testing"

	"github.com/pilinhub/pilin/internal/httpapi"
)

// What to do follows from the status alone: nothing for a healthy federation, and for each trouble its own line, in both
// languages, those that cannot wait first.
func TestAdvise(t *testing.T) {
	at := func(n int64) *int64 { return &n }
	left := func(n int) *int { return &n }
	healthy := func() *httpapi.Status {
		return &httpapi.Status{Member: "310116-01", Release: "0.2.0", CharterVersion: 3, Released: true, Kafka: "up",
			Capabilities: []httpapi.Capability{{Name: "publish", Ready: true}, {Name: "release", Ready: true, Optional: true}, {Name: "relay", Ready: true, Optional: true}},
			Members: []httpapi.MemberStatus{
				{Member: "310116-01", Self: true, State: "active", CharterVersion: 3, Release: "0.2.0", Keys: []httpapi.KeyStatus{{Kind: "sign", AgeDays: 3, DaysLeft: left(88)}}},
				{Member: "310117-01", State: "active", HeardSecAgo: 12, ClockOffset: at(-2), Release: "0.2.0", CharterVersion: 3},
				{Member: "310118-01", State: "left", HeardSecAgo: 1 << 20, ClockOffset: at(900), Release: "0.1.0", CharterVersion: 1}},
			Streams: []httpapi.StreamStatus{{Stream: "310117-01/records", Size: 9, Applied: 8, Seen: 9, LagSeconds: 20, Unusable: map[string]int{}}}}
	}
	if got := httpapi.Advise(healthy()); len(got) != 0 {
		t.Errorf("of a healthy federation: %+v", got)
	}
	for code, c := range map[string]struct {
		hurt    func(*httpapi.Status)
		urgency string
		about   string
	}{
		"storage": {func(s *httpapi.Status) {
			s.Capabilities[0] = httpapi.Capability{Name: "publish", Why: "storage"}
		}, "page", ""},
		"unreleased": {func(s *httpapi.Status) {
			s.Capabilities[1] = httpapi.Capability{Name: "release", Why: "asking", Optional: true}
		}, "page", ""},
		"kafka_down": {func(s *httpapi.Status) {
			s.Capabilities[2] = httpapi.Capability{Name: "relay", Why: "kafka_down", Optional: true}
		}, "ticket", ""},
		"disk_filling": {func(s *httpapi.Status) {
			s.Capabilities = append(s.Capabilities, httpapi.Capability{Name: "disk", Why: "disk_filling", Optional: true})
		}, "ticket", ""},
		"charter_frozen":    {func(s *httpapi.Status) { s.CharterFrozen = true }, "page", ""},
		"fork":              {func(s *httpapi.Status) { s.Streams[0].Frozen = "fork" }, "page", "310117-01"},
		"self_fork":         {func(s *httpapi.Status) { s.Alarms = []string{"self_fork"} }, "page", ""},
		"taken_back":        {func(s *httpapi.Status) { s.Alarms = []string{"taken_back"} }, "ticket", ""},
		"lag":               {func(s *httpapi.Status) { s.Streams[0].LagSeconds = 301 }, "ticket", "310117-01"},
		"unusable":          {func(s *httpapi.Status) { s.Streams[0].Unusable["pending_upgrade"] = 1 }, "ticket", "310117-01"},
		"silent":            {func(s *httpapi.Status) { s.Members[1].HeardSecAgo = 3601 }, "ticket", "310117-01"},
		"clock_skew":        {func(s *httpapi.Status) { s.Members[1].ClockOffset = at(-61) }, "ticket", "310117-01"},
		"erase_overdue":     {func(s *httpapi.Status) { s.Members[1].EraseOverdue = 1 }, "ticket", "310117-01"},
		"charter_behind":    {func(s *httpapi.Status) { s.Members[1].CharterVersion = 2 }, "ticket", "310117-01"},
		"charter_ahead":     {func(s *httpapi.Status) { s.Members[1].CharterVersion = 4 }, "ticket", "310117-01"},
		"release_different": {func(s *httpapi.Status) { s.Members[1].Release = "0.3.0" }, "ticket", "310117-01"},
		"calendar_missing":  {func(s *httpapi.Status) { s.Calendar.Missing = 2027 }, "page", ""},
		"calendar_ends":     {func(s *httpapi.Status) { s.Calendar.Ending = 2027 }, "ticket", ""},
		"calendar_weekends": {func(s *httpapi.Status) { s.Calendar.WeekendsAlone = 2027 }, "ticket", ""},
		"key_overdue":       {func(s *httpapi.Status) { s.Members[0].Keys[0].DaysLeft = left(-1) }, "ticket", "310116-01"},
	} {
		s := healthy()
		c.hurt(s)
		got := httpapi.Advise(s)
		if len(got) != 1 || got[0].Code != code || got[0].Urgency != c.urgency || string(got[0].Member) != c.about || got[0].Detail == "" || got[0].DetailEn == "" {
			t.Errorf("%s: %+v", code, got)
		}
	}
	s := healthy()
	s.Members[1].HeardSecAgo, s.CharterFrozen = 3601, true
	s.Capabilities = append(s.Capabilities, httpapi.Capability{Name: "audit_writable", Why: "storage"}, httpapi.Capability{Name: "publish", Why: "storage"})
	var codes []string
	for _, a := range httpapi.Advise(s) {
		codes = append(codes, a.Code)
	}
	if want := []string{"storage", "charter_frozen", "silent"}; !slices.Equal(codes, want) {
		t.Errorf("%v, want %v", codes, want)
	}
}
