package client_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/record"
)

const member record.MemberID = "310116-01"

const password = "Correct-Horse-19"

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start starts the node of a federation of one with an administrator and an officer, and returns where people reach it.
func start(t *testing.T) string {
	t.Helper()
	n, err := launch(t.TempDir(), map[string]string{"c.admin": "sys_admin", "c.officer": "officer"})
	must(t, err)
	t.Cleanup(func() { must(t, n.stop()) })
	return n.base
}

func signedIn(t *testing.T, base, name string) *client.Desk {
	t.Helper()
	d := client.NewDesk(base, nil)
	must(t, d.SignIn(t.Context(), name, password))
	return d
}

func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	var p *client.Problem
	if !errors.As(err, &p) || p.Code != code || p.Detail == "" || p.DetailEn == "" || p.RequestID == "" {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

// A session of an administrator and one of an officer against a running node: what is answered is what is returned.
func TestDesk(t *testing.T) {
	base := start(t)
	ctx := t.Context()
	stranger := client.NewDesk(base, nil)
	if _, err := stranger.Accounts(ctx); !errors.Is(err, client.ErrSignedOut) {
		t.Errorf("without a session: %v", err)
	}
	wantCode(t, "wrong password", stranger.SignIn(ctx, "c.admin", "Wrong-Horse-19"), "sign_in_failed")

	admin := signedIn(t, base, "c.admin")
	a, err := admin.CreateAccount(ctx, client.Account{Name: "c.reviewer", Roles: []string{"legal_reviewer"}})
	must(t, err)
	if len(a.ID) != 32 || a.Link == "" || a.Name != "c.reviewer" {
		t.Fatalf("%+v", a)
	}
	link, err := admin.NewLink(ctx, a.ID)
	must(t, err)
	if link == "" || link == a.Link {
		t.Error("no new link")
	}
	wantCode(t, "the older link", stranger.UseLink(ctx, a.Link, password), "link_invalid")
	must(t, stranger.UseLink(ctx, link, password))
	must(t, stranger.SignIn(ctx, "c.reviewer", password))
	must(t, admin.SetRoles(ctx, a.ID, []string{"head"}))
	all, err := admin.Accounts(ctx)
	must(t, err)
	i := slices.IndexFunc(all, func(x client.Account) bool { return x.ID == a.ID })
	if len(all) != 3 || i < 0 || !slices.Equal(all[i].Roles, []string{"head"}) || all[i].Link != "" {
		t.Errorf("%+v", all)
	}
	must(t, admin.DisableAccount(ctx, a.ID, true))
	wantCode(t, "disabled", stranger.SignIn(ctx, "c.reviewer", password), "account_disabled")
	if s, err := admin.Status(ctx); err != nil || s.Member != member {
		t.Errorf("%+v %v", s, err)
	}

	officer := signedIn(t, base, "c.officer")
	_, err = officer.Accounts(ctx)
	wantCode(t, "an officer lists accounts", err, "forbidden")
	payload, err := os.ReadFile(filepath.Join("..", "schemas", "penalty", "examples", "good", "person.json"))
	must(t, err)
	key := client.NewKey()
	w, err := officer.Draft(ctx, client.Penalties, key, client.Proposal{Payload: payload})
	must(t, err)
	again, err := officer.Draft(ctx, client.Penalties, key, client.Proposal{Payload: payload})
	if err != nil || again != w || w.ID == "" || w.Version != 1 {
		t.Errorf("%+v, repeated %+v %v", w, again, err)
	}
	_, err = officer.Draft(ctx, client.Penalties, key, client.Proposal{Payload: payload, Level: "L2"})
	wantCode(t, "the key with another body", err, "idempotency_body")
	e, err := officer.Entry(ctx, client.Penalties, w.ID)
	if err != nil || e.ID != w.ID || len(e.Payload) == 0 {
		t.Errorf("%+v %v", e, err)
	}
	page, err := officer.List(ctx, client.Penalties, client.Filter{Drafts: true})
	if err != nil || len(page.Rows) != 1 || page.Rows[0].ID != w.ID {
		t.Errorf("%+v %v", page, err)
	}

	// A session is taken up elsewhere, renewed before its access token ends, and over after sign-out.
	held := officer.Session()
	held.AccessExpires = time.Now()
	second := client.NewDesk(base, nil)
	second.Resume(held)
	if _, err := second.List(ctx, client.Penalties, client.Filter{}); err != nil || second.Session().Refresh == held.Refresh {
		t.Errorf("not renewed: %v", err)
	}
	must(t, second.SignOut(ctx))
	if _, err := second.List(ctx, client.Penalties, client.Filter{}); !errors.Is(err, client.ErrSignedOut) {
		t.Errorf("after sign-out: %v", err)
	}
}

// What is no answer of a node, and a node that is not there, are errors without any of what was sent.
func TestDesk_no_node(t *testing.T) {
	down := freePort()
	for name, h := range map[string]http.HandlerFunc{
		"a page":          func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"a page with 500": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusInternalServerError) },
		"a foreign code": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"code":"<script>"}`)
		},
		"nothing": nil,
	} {
		base := "http://" + down
		if h != nil {
			s := httptest.NewServer(h)
			t.Cleanup(s.Close)
			base = s.URL
		}
		d := client.NewDesk(base, nil)
		err := d.SignIn(t.Context(), "c.officer", "Correct-Horse-19")
		var p *client.Problem
		if err == nil || errors.As(err, &p) || strings.Contains(err.Error(), "Horse") || strings.Contains(err.Error(), "script") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
