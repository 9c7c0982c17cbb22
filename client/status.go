package client

import (
	"context"
	"net/http"

	"github.com/pilinhub/pilin/record"
)

// Status is how the federation looks from the node: the page of federation health.
type Status struct {
	Member         record.MemberID `json:"member"`
	Federation     string          `json:"federation"`
	Name           string          `json:"name"`
	Synthetic      bool            `json:"synthetic"`
	Release        string          `json:"release"` // version of the node's software
	CharterVersion uint64          `json:"charter_version"`
	CharterFrozen  bool            `json:"charter_frozen"`
	Released       bool            `json:"released"`
	Kafka          string          `json:"kafka"` // up, down, none
	Capabilities   []Capability    `json:"capabilities"`
	Members        []MemberStatus  `json:"members"`
	Streams        []StreamStatus  `json:"streams"`
	SpotChecks     SpotCheckCount  `json:"spot_checks"`
	Disks          []DiskStatus    `json:"disks"`
	Calendar       CalendarStatus  `json:"calendar"`
	Alarms         []string        `json:"alarms"`
	Advice         []Advice        `json:"advice"` // the most urgent first
}

// DiskStatus is how full a disk is that the node writes to.
type DiskStatus struct {
	Place       string  `json:"place"` // data, or database when SQLite's file lies on another disk
	UsedPercent float64 `json:"used_percent"`
	FreeBytes   int64   `json:"free_bytes"`
}

// CalendarStatus says of which years the node counts no working day; 0 = none.
type CalendarStatus struct {
	Missing       int `json:"missing"`        // this year
	Ending        int `json:"ending"`         // next year, from 1 December on
	WeekendsAlone int `json:"weekends_alone"` // where the bureau chose to count weekends alone
}

// SpotCheckCount counts on-the-spot check numbers that wait for a case, a lead or a reason.
type SpotCheckCount struct {
	Untied     int `json:"untied"`
	Overdue    int `json:"overdue"`
	NoCalendar int `json:"no_calendar"` // a year whose working days the node does not know; 0: none
}

// Capability is one thing that the node can or cannot do just now.
type Capability struct {
	Name     string `json:"name"`
	Ready    bool   `json:"ready"`
	Why      string `json:"why,omitempty"`
	Optional bool   `json:"optional"`
}

// MemberStatus is a member as the node knows it.
type MemberStatus struct {
	Member         record.MemberID `json:"member"`
	Name           string          `json:"name"`
	Self           bool            `json:"self"`
	State          string          `json:"state"`
	TestOnly       bool            `json:"test_only"`
	HeardSecAgo    int64           `json:"heard_s_ago"`    // -1: never
	Down           bool            `json:"down"`           // does not answer; questions do not wait for it
	ClockOffset    *int64          `json:"clock_offset_s"` // its clock less the node's, in seconds; nil: not told
	Release        string          `json:"release"`        // empty: not told
	CharterVersion uint64          `json:"charter_version"`
	EraseOverdue   int             `json:"erase_overdue"` // of the node's corrections, withdrawals and erasures, not applied there after 72 hours
	Keys           []KeyStatus     `json:"keys"`
}

// KeyStatus is one public key of a member.
type KeyStatus struct {
	Kind     string `json:"kind"` // sign, tls, kem, sign_revoked
	Name     string `json:"name,omitempty"`
	Since    string `json:"since"`
	AgeDays  int    `json:"age_days"` // -1: not known
	DaysLeft *int   `json:"days_left,omitempty"`
}

// StreamStatus is how far the node is with one stream.
type StreamStatus struct {
	Stream         string            `json:"stream"`
	Size           uint64            `json:"size"`
	Applied        uint64            `json:"applied"`
	Indexed        uint64            `json:"indexed"`
	Signed         uint64            `json:"signed"`
	Seen           uint64            `json:"seen"` // more than Applied = lag
	LagSeconds     int64             `json:"lag_s"`
	PendingParts   int               `json:"pending_parts"`
	Unusable       map[string]int    `json:"unusable"` // quarantine, by reason
	Receipts       int               `json:"receipts"`
	WithoutReceipt []record.MemberID `json:"without_receipt,omitempty"`
	Frozen         string            `json:"frozen,omitempty"`
}

// Advice is one thing that somebody should do.
type Advice struct {
	Code     string          `json:"code"`
	Urgency  string          `json:"urgency"` // page, ticket
	Member   record.MemberID `json:"member,omitempty"`
	Stream   string          `json:"stream,omitempty"`
	Detail   string          `json:"detail"`
	DetailEn string          `json:"detail_en"`
}

// Status fetches the health of the federation.
func (d *Desk) Status(ctx context.Context) (Status, error) {
	var s Status
	err := d.call(ctx, http.MethodGet, "/api/v1/status", "", nil, &s)
	return s, err
}
