package auth_test

import (
	"fmt"
	"testing"

	"github.com/pilinhub/pilin/internal/auth"
)

// Accounts as they grew over years, and a roster that meets them: a certificate is found in either letter case and at the
// account that is in use; no line takes over an account that another line, or another certificate, has.
func TestPeople_Enrol_meets_accounts_that_grew(t *testing.T) {
	b := newBureau(t)
	ctx := t.Context()
	ids := map[string]string{}
	for name, certificate := range map[string]string{"a.gone": "99000000201", "b.back": "99000000201", "lower": "ab9000000202", "o.99000000203": "99000000299", "own": "99000000204", "again": "", "left": "99000000207"} {
		a, _, err := b.Create(ctx, "", auth.NewAccount{Name: name, Certificate: certificate, Roles: []auth.Role{auth.Officer}})
		if err != nil {
			t.Fatal(err)
		}
		ids[name] = a.ID
	}
	for _, name := range []string{"a.gone", "left"} {
		if err := b.Disable(ctx, "", ids[name], true); err != nil {
			t.Fatal(err)
		}
	}
	const until = "2028-06-30"
	roster := []auth.Certified{
		{Certificate: "99000000201", Until: until},                           // a.gone is disabled, b.back is in use
		{Certificate: "AB9000000202", Until: until},                          // typed in as ab9…
		{Certificate: "99000000203", Until: until},                           // the name that would be made is somebody else's
		{Certificate: "99000000205", Until: until, Account: "own"},           // a new number for own
		{Certificate: "99000000204", Until: until},                           // and the old one, which is his too
		{Certificate: "99000000206", Until: until},                           // nobody's yet
		{Certificate: "99000000208", Until: until, Account: "o.99000000206"}, // made by the line before
		{Certificate: "99000000207", Until: until, Account: "again"},         // left is disabled: he is back under a new name
	}
	want := "[b.back updated ] [lower updated ] [o.99000000203 passed officer_roles] [own updated ] [own passed officer_twice] [o.99000000206 created ] [o.99000000206 passed officer_twice] [again updated ] "
	for _, dry := range []bool{true, false} {
		done, absent, err := b.Enrol(ctx, "", roster, "", dry)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, e := range done {
			got += fmt.Sprintf("[%s %s %s] ", e.Account, e.Done, e.Fault)
			if (e.Link != "") != (!dry && e.Done == auth.EnrolledNew) {
				t.Errorf("a link of %s", e.Account)
			}
		}
		if got != want || len(absent) > 0 {
			t.Errorf("dry %t: %s, absent %v", dry, got, absent)
		}
	}
	all, err := b.Accounts.ListAccounts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]string{}
	for _, a := range all {
		held[a.Name] = a.Certificate + " " + a.CertificateUntil
	}
	for name, want := range map[string]string{"a.gone": "99000000201 ", "b.back": "99000000201 " + until, "lower": "AB9000000202 " + until, "o.99000000203": "99000000299 ", "own": "99000000205 " + until,
		"o.99000000206": "99000000206 " + until, "again": "99000000207 " + until} {
		if held[name] != want {
			t.Errorf("%s: %q, want %q", name, held[name], want)
		}
	}
	if len(held) != 8 {
		t.Errorf("%d accounts: %v", len(held), held)
	}
}

// Whose certificate is over is said by the account in use, not by the disabled one of before, of which no roster spoke.
func TestPeople_CertificateOver(t *testing.T) {
	b := newBureau(t)
	ctx := t.Context()
	for name, until := range map[string]string{"a.before": "", "b.now": "2026-03-12"} {
		a, _, err := b.Create(ctx, "", auth.NewAccount{Name: name, Certificate: "99000000401", CertificateUntil: until, Roles: []auth.Role{auth.Officer}})
		if err != nil {
			t.Fatal(err)
		}
		if name == "a.before" {
			if err := b.Disable(ctx, "", a.ID, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	for number, want := range map[string]bool{"99000000401": true, "99000000499": false} {
		if over, err := b.CertificateOver(ctx, number); over != want || err != nil {
			t.Errorf("%s: over %t %v", number, over, err)
		}
	}
}
