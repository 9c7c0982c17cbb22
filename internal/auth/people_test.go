package auth_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
)

func (b *bureau) wantCode(t *testing.T, what string, err error, want auth.Code) {
	t.Helper()
	if got := auth.CodeOf(err); got != want {
		t.Errorf("%s: %q (%v), want %q", what, got, err, want)
	}
}

func TestPeople_sign_in(t *testing.T) {
	b := newBureau(t)
	a := b.person(t, "ce.officer", auth.Officer)
	k := b.signIn(t, "ce.officer")
	who, err := b.Verify(t.Context(), k.Access)
	if err != nil || who.Account != a.ID || !slices.Equal(who.Roles, []auth.Role{auth.Officer}) {
		t.Fatalf("%+v %v", who, err)
	}
	if life := k.AccessExpires.Sub(b.clock.Now()); life > 10*time.Minute {
		t.Errorf("access token lives %s", life)
	}
	_, err = b.SignIn(t.Context(), "ce.officer", "wrong", home)
	b.wantCode(t, "wrong password", err, auth.SignInFailed)
	_, err = b.SignIn(t.Context(), "nobody", password, home)
	b.wantCode(t, "unknown name", err, auth.SignInFailed)
	_, err = b.SignIn(t.Context(), "CE.officer", password, home)
	b.wantCode(t, "name in capitals", err, auth.SignInFailed)
	b.clock.move(10 * time.Minute)
	_, err = b.Verify(t.Context(), k.Access)
	b.wantCode(t, "after ten minutes, without leeway", err, auth.TokenExpired)
	b.clock.move(-16 * time.Minute)
	_, err = b.Verify(t.Context(), k.Access)
	b.wantCode(t, "from the future", err, auth.ClockSkew)
}

func TestPeople_Verify_catalogue(t *testing.T) {
	b := newBureau(t)
	a := b.person(t, "ce.officer", auth.Officer)
	b.signIn(t, "ce.officer")
	now := b.clock.Now().Unix()
	iss := "pilin/" + fed.String() + "/" + string(ours)
	header := func(typ string) string {
		return fmt.Sprintf(`{"alg":"EdDSA","typ":"%s","kid":"%s"}`, typ, kid(key("people")))
	}
	body := func(iss, aud string, iat, exp int64, more string) string {
		return fmt.Sprintf(`{"iss":"%s","aud":"%s","sub":"%s","sid":"%s","iat":%d,"exp":%d,"jti":"%s"%s}`, iss, aud, a.ID, strings.Repeat("0", 32), iat, exp, strings.Repeat("ab", 16), more)
	}
	for _, row := range []struct {
		name, token string
		want        auth.Code
	}{
		{"another typ", forgeWith(key("people"), header("JWT"), body(iss, iss+"/people", now, now+600, "")), auth.TokenHeader},
		{"unknown claim", forgeWith(key("people"), header("at+jwt"), body(iss, iss+"/people", now, now+600, `,"roles":["head"]`)), auth.TokenClaims},
		{"SUB beside sub", forgeWith(key("people"), header("at+jwt"), body(iss, iss+"/people", now, now+600, `,"SUB":"root"`)), auth.TokenClaims},
		{"sub twice", forgeWith(key("people"), header("at+jwt"), body(iss, iss+"/people", now, now+600, `,"sub":"root"`)), auth.TokenClaims},
		{"lives 601 s", forgeWith(key("people"), header("at+jwt"), body(iss, iss+"/people", now, now+601, "")), auth.TokenClaims},
		{"of another member", forgeWith(key("people"), header("at+jwt"), body("pilin/"+fed.String()+"/330481-01", iss+"/people", now, now+600, "")), auth.TokenAudience},
		{"for members", forgeWith(key("people"), header("at+jwt"), body(iss, iss, now, now+600, "")), auth.TokenAudience},
		{"signed by the member's key", forgeWith(key("theirs"), header("at+jwt"), body(iss, iss+"/people", now, now+600, "")), auth.TokenSignature},
		{"of a session that never was", forgeWith(key("people"), header("at+jwt"), body(iss, iss+"/people", now, now+600, "")), auth.SessionEnded},
	} {
		_, err := b.Verify(t.Context(), row.token)
		b.wantCode(t, row.name, err, row.want)
	}
}

func TestPeople_Refresh(t *testing.T) {
	b := newBureau(t)
	b.person(t, "ce.officer", auth.Officer)
	first := b.signIn(t, "ce.officer")
	second, err := b.Refresh(t.Context(), first.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Verify(t.Context(), second.Access); err != nil {
		t.Fatal(err)
	}
	_, err = b.Refresh(t.Context(), first.Refresh)
	b.wantCode(t, "used twice", err, auth.SessionReused)
	_, err = b.Refresh(t.Context(), second.Refresh)
	b.wantCode(t, "its successor, after the reuse", err, auth.SessionEnded)
	b.clock.move(auth.StandingFor)
	_, err = b.Verify(t.Context(), second.Access)
	b.wantCode(t, "access token of the family", err, auth.SessionEnded)
	_, err = b.Refresh(t.Context(), "")
	b.wantCode(t, "empty", err, auth.SessionEnded)

	third := b.signIn(t, "ce.officer")
	b.clock.move(auth.RefreshLifetime)
	_, err = b.Refresh(t.Context(), third.Refresh)
	b.wantCode(t, "after its lifetime", err, auth.SessionEnded)

	// However often it is rotated, a family ends: the password is asked for again.
	k := b.signIn(t, "ce.officer")
	for range int(auth.SessionLifetime/auth.RefreshLifetime) * 2 {
		b.clock.move(auth.RefreshLifetime - time.Minute)
		if k, err = b.Refresh(t.Context(), k.Refresh); err != nil {
			break
		}
	}
	b.wantCode(t, "after the family's lifetime", err, auth.SessionEnded)
}

func TestPeople_a_disabled_account_is_refused_within_five_seconds(t *testing.T) {
	b := newBureau(t)
	a := b.person(t, "ce.officer", auth.Officer)
	k := b.signIn(t, "ce.officer")
	if _, err := b.Verify(t.Context(), k.Access); err != nil {
		t.Fatal(err)
	}
	// By another process of the node: this one's look may be five seconds old and not a moment older.
	if err := b.store.SetDisabled(t.Context(), a.ID, true); err != nil {
		t.Fatal(err)
	}
	b.clock.move(auth.StandingFor - time.Nanosecond)
	if _, err := b.Verify(t.Context(), k.Access); err != nil {
		t.Errorf("asked SQL for every request: %v", err)
	}
	b.clock.move(time.Nanosecond)
	_, err := b.Verify(t.Context(), k.Access)
	b.wantCode(t, "five seconds later", err, auth.AccountDisabled)
	_, err = b.Refresh(t.Context(), k.Refresh)
	b.wantCode(t, "refresh", err, auth.SessionEnded)
	_, err = b.SignIn(t.Context(), "ce.officer", password, home)
	b.wantCode(t, "sign-in", err, auth.AccountDisabled)

	// By this process: at once, and enabling does not bring sessions back.
	if err := b.Disable(t.Context(), "", a.ID, false); err != nil {
		t.Fatal(err)
	}
	_, err = b.Verify(t.Context(), k.Access)
	b.wantCode(t, "old token after enabling", err, auth.SessionEnded)
	k = b.signIn(t, "ce.officer")
	if err := b.Disable(t.Context(), "", a.ID, true); err != nil {
		t.Fatal(err)
	}
	_, err = b.Verify(t.Context(), k.Access)
	b.wantCode(t, "at once", err, auth.AccountDisabled)
}

func TestPeople_a_lost_role_counts(t *testing.T) {
	b := newBureau(t)
	a := b.person(t, "ce.head", auth.Head, auth.Liaison)
	k := b.signIn(t, "ce.head")
	if err := b.SetRoles(t.Context(), "", a.ID, []auth.Role{auth.Liaison}); err != nil {
		t.Fatal(err)
	}
	who, err := b.Verify(t.Context(), k.Access)
	if err != nil || who.May(auth.Confirm) {
		t.Errorf("%+v %v", who, err)
	}
}

func TestPeople_five_failures_lock_account_and_address(t *testing.T) {
	b := newBureau(t)
	b.person(t, "ce.officer", auth.Officer)
	b.person(t, "ce.other", auth.Officer)
	for range 4 {
		_, err := b.SignIn(t.Context(), "ce.officer", "wrong", home)
		b.wantCode(t, "before the fifth", err, auth.SignInFailed)
	}
	if _, err := b.SignIn(t.Context(), "ce.officer", password, home); err != nil {
		t.Errorf("the right password at the fifth attempt: %v", err)
	}
	for range 5 {
		_, err := b.SignIn(t.Context(), "ce.officer", "wrong", home)
		b.wantCode(t, "failure", err, auth.SignInFailed)
	}
	_, err := b.SignIn(t.Context(), "ce.officer", password, home)
	b.wantCode(t, "right password while locked", err, auth.Locked)
	var l *auth.LockedError
	if !errors.As(err, &l) || l.Until.Sub(b.clock.Now()) != 15*time.Minute {
		t.Errorf("until %v", err)
	}
	if _, err := b.SignIn(t.Context(), "ce.officer", password, netip.MustParseAddr("127.0.0.2")); err != nil {
		t.Errorf("from another address: %v", err)
	}
	if _, err := b.SignIn(t.Context(), "ce.other", password, home); err != nil {
		t.Errorf("another account: %v", err)
	}
	b.clock.move(15 * time.Minute)
	if _, err := b.SignIn(t.Context(), "ce.officer", password, home); err != nil {
		t.Errorf("fifteen minutes later: %v", err)
	}
	// An IPv6 client has a whole /64 to come from.
	for i := range 5 {
		_, _ = b.SignIn(t.Context(), "ce.other", "wrong", netip.MustParseAddr(fmt.Sprintf("fd00::%d", i+1)))
	}
	_, err = b.SignIn(t.Context(), "ce.other", password, netip.MustParseAddr("fd00::99"))
	b.wantCode(t, "same /64", err, auth.Locked)
}

func TestPeople_attempts_at_once_do_not_pass_the_limit_together(t *testing.T) {
	b := newBureau(t)
	b.person(t, "ce.officer", auth.Officer)
	var tried int
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, err := b.SignIn(t.Context(), "ce.officer", "wrong", home)
			mu.Lock()
			defer mu.Unlock()
			if auth.CodeOf(err) == auth.SignInFailed {
				tried++
			} else if auth.CodeOf(err) != auth.Locked {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if tried != 5 {
		t.Errorf("%d passwords were tried", tried)
	}
}

func TestPeople_one_time_links(t *testing.T) {
	b := newBureau(t)
	link, err := b.FirstAdministrator(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.FirstAdministrator(t.Context()); !errors.Is(err, auth.ErrAccountTaken) {
		t.Errorf("a second first administrator: %v", err)
	}
	_, err = b.SignIn(t.Context(), "admin", "", home)
	b.wantCode(t, "without a password", err, auth.SignInFailed)
	for _, weak := range []string{"", "short", strings.Repeat("a", 129), "Correct\x00Horse19", "pilin-pilin-pilin"} {
		b.wantCode(t, "weak password", b.UseLink(t.Context(), link, weak, home), auth.PasswordWeak)
	}
	b.wantCode(t, "wrong link", b.UseLink(t.Context(), link+"x", password, home), auth.LinkInvalid)
	if err := b.UseLink(t.Context(), link, password, home); err != nil {
		t.Fatal(err)
	}
	b.wantCode(t, "used twice", b.UseLink(t.Context(), link, password, home), auth.LinkInvalid)
	k := b.signIn(t, "admin")
	who, err := b.Verify(t.Context(), k.Access)
	if err != nil {
		t.Fatal(err)
	}
	for _, act := range []auth.Act{auth.Draft, auth.Review, auth.Publish, auth.Confirm, auth.Ask, auth.ListOwn, auth.Reply, auth.Plan} {
		if who.May(act) {
			t.Errorf("the administrator may %s", act)
		}
	}
	late, err := b.NewLink(t.Context(), who.Account, who.Account)
	if err != nil {
		t.Fatal(err)
	}
	b.clock.move(auth.LinkLifetime)
	b.wantCode(t, "expired", b.UseLink(t.Context(), late, password, home), auth.LinkInvalid)
	b.clock.move(time.Hour)
	for range 5 {
		b.wantCode(t, "guess", b.UseLink(t.Context(), "guess", password, home), auth.LinkInvalid)
	}
	b.wantCode(t, "sixth guess", b.UseLink(t.Context(), "guess", password, home), auth.Locked)
}

func TestPeople_roles_that_must_be_apart(t *testing.T) {
	b := newBureau(t)
	for _, roles := range [][]auth.Role{nil, {"root"}, {auth.Officer, auth.Officer}, {auth.SysAdmin, auth.LegalReviewer}, {auth.SysAdmin, auth.Auditor},
		{auth.SecurityAdmin, auth.AuditAdmin}, {auth.Auditor, auth.Liaison}, {auth.SecurityAdmin, auth.Head}} {
		_, _, err := b.Create(t.Context(), "", auth.NewAccount{Name: "ce.x", Roles: roles})
		b.wantCode(t, fmt.Sprint(roles), err, auth.RoleRefused)
	}
	if _, _, err := b.Create(t.Context(), "", auth.NewAccount{Name: "ce.x", Roles: []auth.Role{auth.SysAdmin, auth.SecurityAdmin}}); err != nil {
		t.Error(err)
	}
	if _, _, err := b.Create(t.Context(), "", auth.NewAccount{Name: "ce.x", Roles: []auth.Role{auth.Officer}}); !errors.Is(err, auth.ErrAccountTaken) {
		t.Errorf("a name twice: %v", err)
	}
	for _, name := range []string{"", "A", "x", "测甲", "1a", "a b", strings.Repeat("a", 41)} {
		_, _, err := b.Create(t.Context(), "", auth.NewAccount{Name: name, Roles: []auth.Role{auth.Officer}})
		b.wantCode(t, "name "+name, err, auth.NameInvalid)
	}
}

func TestPeople_without_audit_nobody_gets_in(t *testing.T) {
	b := newBureau(t)
	a := b.person(t, "ce.officer", auth.Officer)
	b.fail = record.ErrStorageFull
	if _, err := b.SignIn(t.Context(), "ce.officer", password, home); !errors.Is(err, record.ErrStorageFull) {
		t.Errorf("%v", err)
	}
	if err := b.Disable(t.Context(), "", a.ID, true); !errors.Is(err, record.ErrStorageFull) {
		t.Errorf("%v", err)
	}
}

func TestPeople_a_store_that_is_gone_lets_nobody_in(t *testing.T) {
	b := newBureau(t)
	b.person(t, "ce.officer", auth.Officer)
	k := b.signIn(t, "ce.officer")
	other := newBureau(t)
	if err := other.store.Close(); err != nil {
		t.Fatal(err)
	}
	b.Sessions = other.store
	b.clock.move(auth.StandingFor)
	if _, err := b.Verify(t.Context(), k.Access); err == nil {
		t.Error("let in without asking SQL")
	}
}

// Every event is a valid record of its type, and nothing that was typed is in one.
func TestEvent_Draft(t *testing.T) {
	b := newBureau(t)
	a := b.person(t, "ce.officer", auth.Officer, auth.Liaison)
	k := b.signIn(t, "ce.officer")
	_, _ = b.SignIn(t.Context(), "测甲一", "310101190001019001", home)
	next, err := b.Refresh(t.Context(), k.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = b.Refresh(t.Context(), k.Refresh)
	_ = next
	if err := b.Disable(t.Context(), a.ID, a.ID, true); err != nil {
		t.Fatal(err)
	}
	if err := b.SetRoles(t.Context(), a.ID, a.ID, []auth.Role{auth.Officer}); err != nil {
		t.Fatal(err)
	}
	typ, ok := schemas.Lookup("account.event", "1")
	if !ok || len(b.lines) < 6 {
		t.Fatal(ok, len(b.lines))
	}
	for _, e := range b.lines {
		d, err := e.Draft(record.Stream(ours, record.Audit), seeded("draft"), true)
		if err != nil {
			t.Fatal(err)
		}
		payload := d.Parts[record.Body]
		if vs := typ.Validate(payload, "2026-03-13"); len(vs) > 0 {
			t.Errorf("%s: %v", payload, vs)
		}
		if strings.Contains(string(payload), "测甲一") || strings.Contains(string(payload), "ce.officer") || strings.Contains(string(payload), "3101011900") {
			t.Errorf("something that was typed is in %s", payload)
		}
	}
}

func TestMayAsk(t *testing.T) {
	for _, r := range auth.AllRoles {
		got := ""
		for _, p := range federation.Purposes {
			if auth.MayAsk([]auth.Role{r}, p) {
				got += string(p) + " "
			}
		}
		want := map[auth.Role]string{
			auth.Officer:       "CASE RAID JOINT TRANSFER INSPECT STAT TEST ",
			auth.Liaison:       "CASE RAID JOINT TRANSFER ASSIST INSPECT CORRECT STAT TEST ",
			auth.LegalReviewer: "CASE RAID JOINT TRANSFER ASSIST INSPECT CORRECT STAT TEST ",
			auth.Head:          "CASE RAID JOINT TRANSFER ASSIST INSPECT CORRECT STAT TEST ",
			auth.Coordinator:   "JOINT STAT TEST ",
		}[r]
		if got != want {
			t.Errorf("%s may ask with %q, want %q", r, got, want)
		}
	}
}

// The stored form of a refresh token is not the token.
func TestPeople_refresh_tokens_are_stored_hashed(t *testing.T) {
	b := newBureau(t)
	b.person(t, "ce.officer", auth.Officer)
	k := b.signIn(t, "ce.officer")
	sum := sha256.Sum256([]byte(k.Refresh))
	if _, err := b.Refresh(t.Context(), hex.EncodeToString(sum[:])); auth.CodeOf(err) != auth.SessionEnded {
		t.Errorf("what stands in SQL was taken for the token: %v", err)
	}
}

// What a person types behind an option does not look like one.
func TestPeople_no_link_begins_with_a_hyphen(t *testing.T) {
	b := newBureau(t)
	if _, err := b.FirstAdministrator(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, err := b.Accounts.ListAccounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 500 {
		link, err := b.NewLink(t.Context(), all[0].ID, all[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(link, "-") {
			t.Fatal(link)
		}
	}
}
