package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/record"
)

// Question is what is asked about a person, body or place, as somebody types it: a name may be a nickname, in letters or
// with ? for a lost character; a number masked with * or in part. A bare nickname needs something beside it.
type Question struct {
	Name      string `json:"name,omitempty"`
	Sex       string `json:"sex,omitempty"`        // 1 or M or 男, 2 or F or 女
	BirthDate string `json:"birth_date,omitempty"` // YYYY-MM-DD or YYYY
	IDType    string `json:"id_type,omitempty"`
	IDCountry string `json:"id_country,omitempty"` // of a passport, ISO 3166-1 alpha-3
	IDNo      string `json:"id_no,omitempty"`
	Phone     string `json:"phone,omitempty"`
	USCC      string `json:"uscc,omitempty"`
	DocNo     string `json:"doc_no,omitempty"`
	Org       string `json:"org,omitempty"`
	Address   string `json:"address,omitempty"`
	Plate     string `json:"plate,omitempty"`
	County    string `json:"county,omitempty"` // GB/T 2260, where the asker stands or looks
}

// Ask is a question with its purpose and work reference, both mandatory.
type Ask struct {
	Ask      string             `json:"ask,omitempty"` // 32 hex digits chosen by the caller, so that a repeat is the same question
	Purpose  federation.Purpose `json:"purpose"`
	WorkRef  WorkRef            `json:"work_ref"`
	Scope    []record.MemberID  `json:"scope,omitempty"` // empty = all
	AsOf     string             `json:"as_of,omitempty"`
	Question Question           `json:"question"`
	Why      bool               `json:"why,omitempty"` // list every decision with its reason
}

// Answer is what a question came to, cut for the person who asked.
type Answer struct {
	Ask            string     `json:"ask"`
	Outcome        string     `json:"outcome"` // hit, possible, no_hit (everybody answered live), incomplete
	Answered       int        `json:"answered"`
	Total          int        `json:"total"`
	Complete       bool       `json:"complete"`
	Scoped         bool       `json:"scoped"`
	TestOnly       bool       `json:"test_only"`
	AsOf           string     `json:"as_of"`
	At             time.Time  `json:"at"`
	CharterVersion uint64     `json:"charter_version"`
	Members        []Answerer `json:"members"`
	Counts         Counts     `json:"counts"`
	Hits           []Hit      `json:"hits"`
	Subjects       []Subject  `json:"subjects"`    // whom the hits are about, best first; of this answer alone
	Namesakes      uint64     `json:"namesakes"`   // 同名 N 人, each member counts its own; never a hit
	Truncated      bool       `json:"truncated"`   // a member found more possible ones than it told, or may have
	CheckDigit     bool       `json:"check_digit"` // 校验位不符,按相近号码查
	Fuzzy          bool       `json:"fuzzy"`
	NotFuzzy       []Answerer `json:"not_fuzzy"`     // code and name of members that could not serve a fuzzy question
	FirstPicture   []FirstHit `json:"first_picture"` // this node's copies; they count for nothing
	OpenUntil      time.Time  `json:"open_until"`    // zero: it is not kept open
	Count          *Count     `json:"count"`         // nil: the person is not told
}

// Answerer is what came of asking one member.
type Answerer struct {
	Member    record.MemberID `json:"member"`
	Name      string          `json:"name"`
	State     string          `json:"state"`
	Reason    string          `json:"reason"`
	LatencyMS int64           `json:"latency_ms"`
	Index     uint64          `json:"index"`
	Hits      int             `json:"hits"`
	Engine    string          `json:"engine"` // version of its matching engine
	Namesakes uint64          `json:"namesakes"`
	Truncated bool            `json:"truncated"`
	Duty      *DutyContact    `json:"duty"` // nil: none is known
}

// DutyContact 值班联系人 is whom to call at a member now, from its roster. Person to To are of the shift that runs now.
type DutyContact struct {
	Phone      string `json:"phone"` // the one of the two that is answered now
	Night      bool   `json:"night"` // it is the night's
	PhoneDay   string `json:"phone_day"`
	PhoneNight string `json:"phone_night"`
	Person     string `json:"person"`
	Deputy     string `json:"deputy"`
	From       string `json:"from"` // HH:MM at +08:00
	To         string `json:"to"`
}

// MemberDuty is a member's duty contact beside an alert.
type MemberDuty struct {
	Member record.MemberID `json:"member"`
	Name   string          `json:"name"`
	DutyContact
}

// Subject is a person or body that hits are about, as far as a number tells.
type Subject struct {
	Hits        []int   `json:"hits"` // indexes of Answer.Hits
	Outcome     string  `json:"outcome"`
	Score       float64 `json:"score"` // bits, of the best hit
	By          string  `json:"by"`    // number: the records carry the same; question: each equals the one asked for
	NamesDiffer bool    `json:"names_differ"`
}

// Counts are the figures of an answer.
type Counts struct {
	Hits     int `json:"hits"`
	Possible int `json:"possible"`
}

// Hit is one subject. 同名不等于本人.
type Hit struct {
	Member  record.MemberID  `json:"member"`
	Record  string           `json:"record"`
	Subject string           `json:"subject"`
	Version uint64           `json:"version"`
	Type    string           `json:"type"`
	State   string           `json:"state"`
	Outcome string           `json:"outcome"`
	Level   string           `json:"level"`
	Score   float64          `json:"score"` // bits, the sum of the lines
	Lines   []match.Evidence `json:"lines"`
	Card    jsontext.Value   `json:"card"`
	Body    jsontext.Value   `json:"body"`
}

// FirstHit is a subject in this node's copy of a member's records.
type FirstHit struct {
	Hit
	AgeSeconds int64 `json:"age_s"`
	Gone       bool  `json:"gone"` // withdrawn at origin, not yet here
}

// Ask puts a question to every member. A *Problem says why it was not asked: purpose_invalid, work_ref_invalid, …
func (d *Desk) Ask(ctx context.Context, q Ask) (Answer, error) {
	var a Answer
	err := d.call(ctx, http.MethodPost, "/api/v1/asks", "", q, &a)
	return a, err
}

// Row is one line of a list of own subjects.
type Row struct {
	ID         string `json:"id"`
	Type       string `json:"type"`
	Version    uint64 `json:"version"`
	State      string `json:"state"`
	ValidUntil string `json:"valid_until"`
	Day        string `json:"day"`
}

// Filter selects rows. The zero Filter lists what is published, newest change first.
type Filter struct {
	Drafts   bool
	Type     string // of entries: e.g. EntryPremises; empty = of persons
	State    string
	From, To string // civil dates of the first record
	Limit    int    // at most 200; 0 = 50
	Cursor   string // of the page before
}

// Page is one page of a list; Next is empty on the last.
type Page struct {
	Rows []Row  `json:"rows"`
	Next string `json:"next"`
}

// List lists own drafts or published subjects.
func (d *Desk) List(ctx context.Context, f Family, by Filter) (Page, error) {
	q := url.Values{}
	if by.Drafts {
		q.Set("stage", "draft")
	}
	if by.Limit > 0 {
		q.Set("limit", strconv.Itoa(by.Limit))
	}
	for k, v := range map[string]string{"type": by.Type, "state": by.State, "from": by.From, "to": by.To, "cursor": by.Cursor} {
		if v != "" {
			q.Set(k, v)
		}
	}
	path := "/api/v1/" + string(f)
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	var p Page
	err := d.call(ctx, http.MethodGet, path, "", nil, &p)
	return p, err
}

// Entry is one own draft or published subject with its history.
type Entry struct {
	ID         string         `json:"id"`
	Stage      string         `json:"stage"` // draft, published
	Type       string         `json:"type"`
	Version    uint64         `json:"version"`
	State      string         `json:"state"`
	Level      string         `json:"level"`
	ValidUntil string         `json:"valid_until"`
	Payload    jsontext.Value `json:"payload"`
	Corrects   string         `json:"corrects"`
	Published  string         `json:"published"`
	DiffReason string         `json:"diff_reason"`
	Authors    []string       `json:"authors"`
	History    []HistoryStep  `json:"history"`
	Receipts   *Receipts      `json:"receipts"`
	Waiting    bool           `json:"waiting"`
}

// HistoryStep is one record of a history.
type HistoryStep struct {
	Event      string `json:"event"`
	To         string `json:"to"`
	Record     string `json:"record"`
	Version    uint64 `json:"version"`
	Day        string `json:"day"`
	At         string `json:"at"`
	By         string `json:"by"`
	Reviewer   string `json:"reviewer"`
	Approver   string `json:"approver"`
	ReasonCode string `json:"reason_code"`
	Ignored    bool   `json:"ignored"`
}

// Receipts says who has applied a record: "k/n applied".
type Receipts struct {
	Applied int               `json:"applied"`
	Total   int               `json:"total"`
	Missing []record.MemberID `json:"missing"`
}

// Entry reads one own draft or published subject.
func (d *Desk) Entry(ctx context.Context, f Family, id string) (Entry, error) {
	var e Entry
	err := d.call(ctx, http.MethodGet, "/api/v1/"+string(f)+"/"+id, "", nil, &e)
	return e, err
}

// Proof lets anybody with the charter check that a record stands in a member's log (record.CheckInclusion).
type Proof struct {
	Record     string   `json:"record"`
	Stream     string   `json:"stream"`
	Seq        uint64   `json:"seq"`
	Header     string   `json:"header"`
	Leaf       string   `json:"leaf"`
	Size       uint64   `json:"size"`
	Checkpoint string   `json:"checkpoint"`
	Proof      []string `json:"proof"`
}

// Proof fetches the inclusion proof of a record.
func (d *Desk) Proof(ctx context.Context, recordID string) (Proof, error) {
	var p Proof
	err := d.call(ctx, http.MethodGet, "/api/v1/records/"+recordID+"/proof", "", nil, &p)
	return p, err
}
