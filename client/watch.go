package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// Update is what an open question came to, each time that changes.
type Update struct {
	Seq       int          `json:"seq"` // 1 = the first answer
	At        time.Time    `json:"at"`
	Ask       string       `json:"ask"`
	Cause     string       `json:"cause"`     // asked, record, member, act, day, restart
	Direction string       `json:"direction"` // up, down, same
	Change    Text         `json:"change"`
	Count     Count        `json:"count"`
	Signed    int          `json:"signed"` // officers that have signed the new act
	Until     time.Time    `json:"until"`
	Duty      []MemberDuty `json:"duty"` // whom to call now at each member that was asked, as far as known
}

// Act is a new treating act, as an officer signs it for himself.
type Act struct {
	At            string `json:"at"`
	Place         string `json:"place"`
	Qualification string `json:"qualification_at_act"`
}

// Opened reads what an open question has come to. A *Problem not_found: it is not open, or not for this person.
func (d *Desk) Opened(ctx context.Context, ask string) (Update, error) {
	var u Update
	err := d.call(ctx, http.MethodGet, "/api/v1/asks/"+ask, "", nil, &u)
	return u, err
}

// SignAct signs, for this person, that a new treating act was met. Two officers confirm it.
func (d *Desk) SignAct(ctx context.Context, ask string, a Act) (Update, error) {
	var u Update
	err := d.call(ctx, http.MethodPost, "/api/v1/asks/"+ask+"/act", "", a, &u)
	return u, err
}

// SignedAct is an act with its signatures, for legal reviewer, head and auditor.
type SignedAct struct {
	Act           string          `json:"act"`
	Ask           string          `json:"ask"`
	At            string          `json:"at"`
	Place         string          `json:"place"`
	Qualification string          `json:"qualification_at_act"`
	State         string          `json:"state"` // signed, confirmed, withdrawn
	Signed        []Signature     `json:"signed"`
	Passed        []Signature     `json:"passed"`    // that do not stand
	Leaving       []ActWithdrawal `json:"leaving"`   // signers who took theirs back; the act stands until every signer has
	Withdrawn     []ActWithdrawal `json:"withdrawn"` // withdrawals by which signatures came to stand no more
}

// Signature is one officer's, a record of the bureau's audit stream.
type Signature struct {
	Account     string    `json:"account"`
	Certificate string    `json:"certificate"`
	At          time.Time `json:"at"`
	Record      string    `json:"record"`
}

// ActWithdrawal is one withdrawal of signatures, a record of the bureau's audit log.
type ActWithdrawal struct {
	Account     string    `json:"account"`
	Certificate string    `json:"certificate"`
	As          string    `json:"as"` // signer, legal_reviewer
	Reason      string    `json:"reason"`
	At          time.Time `json:"at"`
	Record      string    `json:"record"`
}

// WithdrawAct takes signatures under an act back: a legal reviewer who signed nothing of it ends it, a signer takes back his
// own, and the act ends when every signer has. The reason has 4 to 200 characters and no number of a person.
func (d *Desk) WithdrawAct(ctx context.Context, ask, reason string) (SignedAct, error) {
	var a SignedAct
	err := d.call(ctx, http.MethodPost, "/api/v1/asks/"+ask+"/act/withdraw", "", struct {
		Reason string `json:"reason"`
	}{reason}, &a)
	return a, err
}

// Acts reads a page of the acts that were signed in this bureau, newest first; next is the cursor of the page after it,
// empty on the last.
func (d *Desk) Acts(ctx context.Context, limit int, cursor string) (rows []SignedAct, next string, err error) {
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	var page struct {
		Rows []SignedAct `json:"rows"`
		Next string      `json:"next"`
	}
	err = d.call(ctx, http.MethodGet, "/api/v1/acts?"+q.Encode(), "", nil, &page)
	return page.Rows, page.Next, err
}

// ClosedError: a question is no longer open, or a stream is no longer for this person; the reason is expired, replaced or
// rights.
type ClosedError struct{ Reason string }

// Error returns the reason.
func (e *ClosedError) Error() string { return "stream closed: " + e.Reason }

// reconnectAfter is how long Watch waits before it follows a stream that broke off.
const reconnectAfter = time.Second

// maxEvent bounds one line of a stream.
const maxEvent = 4 << 20

// Watch calls tell with what an open question has come to, now and each time that it changes, until tell returns an error,
// ctx ends, or the question is closed (*ClosedError). A stream that breaks off is taken up again.
func (d *Desk) Watch(ctx context.Context, ask string, tell func(Update) error) error {
	last := 0
	return again(ctx, func() error {
		return d.follow(ctx, "/api/v1/asks/"+ask+"/events", "", func(e streamed) error {
			if e.name != "count" {
				return nil
			}
			var u Update
			if err := json.Unmarshal(e.data, &u); err != nil {
				return errors.New("read stream: not of this API")
			}
			if u.Seq <= last {
				return nil
			}
			last = u.Seq
			return tell(u)
		})
	})
}

// again takes a stream up again until it ends for a reason.
func again(ctx context.Context, follow func() error) error {
	for {
		err := follow()
		var broke *brokenError
		if !errors.As(err, &broke) {
			return err
		}
		wait := time.NewTimer(reconnectAfter)
		select {
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		case <-wait.C:
		}
	}
}

// brokenError: the stream ended without saying why.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return fmt.Sprintf("stream broke off: %v", e.err) }
func (e *brokenError) Unwrap() error { return e.err }

// streamed is one event of a stream.
type streamed struct {
	id, name string
	data     []byte
}

// follow reads one stream to its end; last is the id of the last event that was heard, empty for none.
func (d *Desk) follow(ctx context.Context, path, last string, tell func(streamed) error) error {
	token, err := d.token(ctx)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.base+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("request a stream: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept", "text/event-stream")
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	endless := *d.http
	endless.Timeout = 0 // a stream lives longer than an answer
	res, err := endless.Do(r)
	if err != nil {
		return &brokenError{err}
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		p, err := readProblem(res)
		if err != nil {
			return fmt.Errorf("status %d of a stream: %w", res.StatusCode, err)
		}
		if _, ok := d.renewed(ctx, token, p); ok {
			return &brokenError{p}
		}
		return p
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, maxEvent)
	var e streamed
	for lines.Scan() {
		line := lines.Text()
		if id, ok := strings.CutPrefix(line, "id: "); ok {
			e.id = id
		}
		if name, ok := strings.CutPrefix(line, "event: "); ok {
			e.name = name
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			e.data = []byte(data)
		}
		// Only an empty line ends an event: a stream that broke off in the middle of one has not told it.
		if line != "" || e.data == nil {
			continue
		}
		told := e
		e.data = nil
		if told.name == "closed" {
			var c struct {
				Reason string `json:"reason"`
			}
			_ = json.Unmarshal(told.data, &c) // without a reason it is closed all the same
			if c.Reason == "stopping" {
				return &brokenError{&ClosedError{c.Reason}} // the node, not the stream
			}
			return &ClosedError{c.Reason}
		}
		if err := tell(told); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &brokenError{lines.Err()}
}
