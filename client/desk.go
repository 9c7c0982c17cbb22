package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Desk speaks to a node's own listener in the name of one person. It is for one goroutine.
type Desk struct {
	base   string
	http   *http.Client
	access string
}

// maxDesk bounds what is read of one answer, in bytes.
const maxDesk = 16 << 20

// NewDesk returns a desk at base, e.g. http://127.0.0.1:8101. A nil client is one that waits 30 s.
func NewDesk(base string, c *http.Client) *Desk {
	if c == nil {
		c = &http.Client{Timeout: 30 * time.Second}
	}
	return &Desk{base: strings.TrimRight(base, "/"), http: c}
}

// SignIn signs a person in; what follows is in his name. The token is kept in memory only.
func (d *Desk) SignIn(ctx context.Context, name, password string) error {
	var out struct {
		Access string `json:"access"`
	}
	if err := d.Call(ctx, http.MethodPost, "/api/v1/sign-in", map[string]string{"name": name, "password": password}, &out); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	d.access = out.Access
	return nil
}

// Call makes one request with a JSON body (nil for none) and decodes the answer into out (nil to drop it). Every write
// carries a fresh idempotency key, so that a repeat inside the transport has one effect. A refusal is a *Problem.
func (d *Desk) Call(ctx context.Context, method, path string, body, out any) error {
	var b []byte
	if body != nil {
		var err error
		if b, err = json.Marshal(body, json.Deterministic(true)); err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, d.base+path, bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("request: %w", err)
	}
	if b != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if method == http.MethodPost {
		var key [16]byte
		if _, err := rand.Read(key[:]); err != nil {
			return fmt.Errorf("draw idempotency key: %w", err)
		}
		req.Header.Set("Idempotency-Key", hex.EncodeToString(key[:]))
	}
	if d.access != "" {
		req.Header.Set("Authorization", "Bearer "+d.access)
	}
	res, err := d.http.Do(req)
	if err != nil {
		return fmt.Errorf("reach the node: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		p, err := readProblem(res)
		if err != nil {
			return fmt.Errorf("status %d: %w", res.StatusCode, err)
		}
		return p
	}
	got, err := io.ReadAll(io.LimitReader(res.Body, maxDesk))
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if out == nil || len(got) == 0 {
		return nil
	}
	if err := json.Unmarshal(got, out); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	return nil
}

// Question is what to ask the federation; at least one number, or a name with a birth date.
type Question struct {
	Name      string `json:"name,omitempty"`
	BirthDate string `json:"birth_date,omitempty"`
	IDType    string `json:"id_type,omitempty"`
	IDNo      string `json:"id_no,omitempty"`
	Phone     string `json:"phone,omitempty"`
	USCC      string `json:"uscc,omitempty"`
	DocNo     string `json:"doc_no,omitempty"`
}

// WorkRef is the work that a question belongs to (domain.md §2.1.2).
type WorkRef struct {
	Kind   string `json:"kind"`
	Number string `json:"number"`
}

// Asked is a question with purpose and work reference, both mandatory.
type Asked struct {
	Purpose  string   `json:"purpose,omitempty"`
	WorkRef  *WorkRef `json:"work_ref,omitempty"`
	AsOf     string   `json:"as_of,omitempty"`
	Question Question `json:"question"`
}

// Answer is what a question came to, as far as a command line shows it; Raw is all of it.
type Answer struct {
	Outcome  string `json:"outcome"`
	Answered int    `json:"answered"`
	Total    int    `json:"total"`
	TestOnly bool   `json:"test_only"`
	Members  []struct {
		Member string `json:"member"`
		Name   string `json:"name"`
		State  string `json:"state"`
		Reason string `json:"reason"`
	} `json:"members"`
	Hits         []Hit `json:"hits"`
	FirstPicture []struct {
		Hit
		AgeSeconds int64 `json:"age_s"`
		Gone       bool  `json:"gone"`
	} `json:"first_picture"`
	Raw jsontext.Value `json:"-"`
}

// Hit is one subject, as far as the person may see it.
type Hit struct {
	Member  string         `json:"member"`
	Subject string         `json:"subject"`
	Version uint64         `json:"version"`
	Type    string         `json:"type"`
	State   string         `json:"state"`
	Outcome string         `json:"outcome"`
	Card    jsontext.Value `json:"card"`
	Body    jsontext.Value `json:"body"`
}

// Ask puts a question to every member.
func (d *Desk) Ask(ctx context.Context, q Asked) (Answer, error) {
	var a Answer
	if err := d.Call(ctx, http.MethodPost, "/api/v1/asks", q, &a.Raw); err != nil {
		return a, err
	}
	if err := json.Unmarshal(a.Raw, &a); err != nil {
		return a, fmt.Errorf("read answer: %w", err)
	}
	return a, nil
}

// Written is what a write answers: the draft or subject, and its version now.
type Written struct {
	ID      string `json:"id"`
	Version uint64 `json:"version"`
	Record  string `json:"record"`
	State   string `json:"state"`
}
