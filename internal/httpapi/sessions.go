package httpapi

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pilinhub/pilin/internal/auth"
)

type signInIn struct {
	Origin
	Body struct {
		Name     string `json:"name" maxLength:"40" doc:"Sign-in name 账号"`
		Password hidden `json:"password" doc:"Password 口令"`
		Cookies  bool   `json:"cookies,omitzero" doc:"True for a browser: tokens are set as cookies and not returned"`
	}
}

// Origin is where a request came from.
type Origin struct{ address netip.Addr }

// Resolve reads the address of the connection; forwarding headers are anybody's.
func (c *Origin) Resolve(ctx huma.Context) []error {
	a, err := netip.ParseAddrPort(ctx.RemoteAddr())
	if err == nil {
		c.address = a.Addr()
	}
	return nil
}

var _ huma.Resolver = (*Origin)(nil)

type tokensOut struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      struct {
		Account        string      `json:"account" doc:"Opaque id of the account"`
		Roles          []auth.Role `json:"roles" doc:"Roles 岗位"`
		Access         string      `json:"access,omitempty" doc:"Bearer token, at most ten minutes"`
		AccessExpires  time.Time   `json:"access_expires"`
		Refresh        string      `json:"refresh,omitempty" doc:"Good for one call of refresh"`
		RefreshExpires time.Time   `json:"refresh_expires"`
	}
}

type refreshIn struct {
	Cookie string `cookie:"pilin_refresh"`
	Origin
	Site string `header:"Sec-Fetch-Site"`
	Body struct {
		Refresh hidden `json:"refresh,omitempty" doc:"Refresh token; absent when it is sent as cookie"`
	}
}

type nothing struct{}

// Empty is the body of a request that says nothing but itself: {}.
type Empty struct {
	Body struct{}
}

type signOutOut struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
}

type passwordIn struct {
	Origin
	Body struct {
		Link     hidden `json:"link" doc:"Secret of the one-time link"`
		Password hidden `json:"password" doc:"New password, 12 to 128 characters"`
	}
}

func (h *people) sessionRoutes(api huma.API) {
	open := func(id, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodPost, Path: "/api/v1/" + path, Summary: summary, DefaultStatus: status, Tags: []string{"session"}}
	}
	register(api, open("sign-in", "sign-in", "Sign in 登录", http.StatusOK), h.signIn)
	register(api, open("refresh", "refresh", "Trade a refresh token for new tokens 续期", http.StatusOK), h.refresh)
	register(api, open("set-password", "password", "Choose a password with a one-time link 设置口令", http.StatusNoContent), h.setPassword)
	out := h.op(api, "", "sign-out", http.MethodPost, "sign-out", "End the session 退出", http.StatusNoContent)
	out.Tags = []string{"session"}
	register(api, out, h.signOut)
}

func (h *people) signIn(ctx context.Context, in *signInIn) (*tokensOut, error) {
	k, err := h.People.SignIn(ctx, in.Body.Name, in.Body.Password.Reveal(), in.address)
	if err != nil {
		return nil, err
	}
	lineOf(ctx).who = k.Account
	return h.tokens(k, in.Body.Cookies), nil
}

func (h *people) tokens(k auth.Tokens, cookies bool) *tokensOut {
	out := &tokensOut{}
	out.Body.Account, out.Body.Roles, out.Body.AccessExpires, out.Body.RefreshExpires = k.Account, k.Roles, k.AccessExpires, k.RefreshExpires
	if !cookies {
		out.Body.Access, out.Body.Refresh = k.Access, k.Refresh
		return out
	}
	out.SetCookie = []http.Cookie{h.cookie(accessCookie, k.Access, "/api/v1", k.AccessExpires), h.cookie(refreshCookie, k.Refresh, refreshPath, k.RefreshExpires)}
	return out
}

func (h *people) cookie(name, value, path string, until time.Time) http.Cookie {
	return http.Cookie{Name: name, Value: value, Path: path, Expires: until, HttpOnly: true, Secure: h.Secure, SameSite: http.SameSiteStrictMode}
}

func (h *people) refresh(ctx context.Context, in *refreshIn) (*tokensOut, error) {
	token, cookies := in.Body.Refresh.Reveal(), false
	if token == "" {
		if token, cookies = in.Cookie, true; token == "" {
			return nil, problem(string(auth.TokenMissing))
		}
		if in.Site != "" && in.Site != "same-origin" && in.Site != "none" {
			return nil, problem("cross_site")
		}
	}
	k, err := h.People.Refresh(ctx, token)
	if err != nil {
		return nil, err
	}
	lineOf(ctx).who = k.Account
	return h.tokens(k, cookies), nil
}

func (h *people) signOut(ctx context.Context, _ *Empty) (*signOutOut, error) {
	if err := h.People.SignOut(ctx, principalOf(ctx)); err != nil {
		return nil, err
	}
	past := time.Unix(0, 0)
	return &signOutOut{SetCookie: []http.Cookie{h.cookie(accessCookie, "", "/api/v1", past), h.cookie(refreshCookie, "", refreshPath, past)}}, nil
}

func (h *people) setPassword(ctx context.Context, in *passwordIn) (*nothing, error) {
	return nil, h.People.UseLink(ctx, in.Body.Link.Reveal(), in.Body.Password.Reveal(), in.address)
}
