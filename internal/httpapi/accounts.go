package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pilinhub/pilin/internal/auth"
)

type accountBody struct {
	ID          string      `json:"id" doc:"Opaque id, the one that records and other members are told"`
	Name        string      `json:"name" doc:"Sign-in name 账号"`
	Unit        string      `json:"unit" doc:"科室/分所/街镇"`
	Certificate string      `json:"certificate" doc:"执法证号"`
	Until       string      `json:"certificate_until,omitempty" doc:"Last civil day of the certificate, by the certificate roster; absent: no roster has said"`
	Roles       []auth.Role `json:"roles" doc:"Roles 岗位"`
	Disabled    bool        `json:"disabled"`
	Link        string      `json:"link,omitempty" doc:"Secret of a one-time link with which the owner chooses a password; shown once, for 72 hours"`
}

type newAccountIn struct {
	Body struct {
		Name        string      `json:"name" maxLength:"40"`
		Unit        string      `json:"unit,omitempty" maxLength:"64"`
		Certificate string      `json:"certificate,omitempty" maxLength:"20"`
		Roles       []auth.Role `json:"roles" minItems:"1" maxItems:"12"`
	}
}

type accountOut struct{ Body accountBody }

type accountsOut struct {
	Body struct {
		Accounts []accountBody `json:"accounts"`
	}
}

type accountIn struct {
	ID string `path:"id" pattern:"^[0-9a-f]{32}$"`
	Empty
}

type rolesIn struct {
	ID   string `path:"id" pattern:"^[0-9a-f]{32}$"`
	Body struct {
		Roles []auth.Role `json:"roles" minItems:"1" maxItems:"12"`
	}
}

func (h *people) accountRoutes(api huma.API) {
	op := func(id, method, path, summary string, status int) huma.Operation {
		o := h.op(api, auth.Administer, id, method, path, summary, status)
		o.Tags = []string{"accounts"}
		return o
	}
	register(api, op("create-account", http.MethodPost, "accounts", "Create an account 新建账号", http.StatusCreated), h.createAccount)
	register(api, op("list-accounts", http.MethodGet, "accounts", "List accounts 账号列表", http.StatusOK), h.listAccounts)
	register(api, op("disable-account", http.MethodPost, "accounts/{id}/disable", "Disable an account 停用账号", http.StatusNoContent), h.disableAccount)
	register(api, op("enable-account", http.MethodPost, "accounts/{id}/enable", "Enable an account 启用账号", http.StatusNoContent), h.enableAccount)
	register(api, op("renew-link", http.MethodPost, "accounts/{id}/link", "New one-time link 重发一次性链接", http.StatusOK), h.renewLink)
	register(api, op("set-roles", http.MethodPost, "accounts/{id}/roles", "Replace an account's roles 变更岗位", http.StatusNoContent), h.setRoles)
}

func (h *people) createAccount(ctx context.Context, in *newAccountIn) (*accountOut, error) {
	a, link, err := h.People.Create(ctx, principalOf(ctx).Account, auth.NewAccount{Name: in.Body.Name, Unit: in.Body.Unit, Certificate: in.Body.Certificate, Roles: in.Body.Roles})
	if err != nil {
		return nil, err
	}
	return &accountOut{accountText(a, link)}, nil
}

func accountText(a auth.Account, link string) accountBody {
	return accountBody{ID: a.ID, Name: a.Name, Unit: a.Unit, Certificate: a.Certificate, Until: a.CertificateUntil, Roles: a.Roles, Disabled: a.Disabled, Link: link}
}

func (h *people) listAccounts(ctx context.Context, _ *nothing) (*accountsOut, error) {
	all, err := h.People.Accounts.ListAccounts(ctx)
	if err != nil {
		return nil, err
	}
	out := &accountsOut{}
	out.Body.Accounts = []accountBody{}
	for _, a := range all {
		out.Body.Accounts = append(out.Body.Accounts, accountText(a, ""))
	}
	return out, nil
}

func (h *people) disableAccount(ctx context.Context, in *accountIn) (*nothing, error) {
	if in.ID == principalOf(ctx).Account {
		return nil, problem("last_administrator")
	}
	return nil, h.People.Disable(ctx, principalOf(ctx).Account, in.ID, true)
}

func (h *people) enableAccount(ctx context.Context, in *accountIn) (*nothing, error) {
	return nil, h.People.Disable(ctx, principalOf(ctx).Account, in.ID, false)
}

func (h *people) renewLink(ctx context.Context, in *accountIn) (*accountOut, error) {
	link, err := h.People.NewLink(ctx, principalOf(ctx).Account, in.ID)
	if err != nil {
		return nil, err
	}
	a, err := h.People.Accounts.Account(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &accountOut{accountText(a, link)}, nil
}

func (h *people) setRoles(ctx context.Context, in *rolesIn) (*nothing, error) {
	return nil, h.People.SetRoles(ctx, principalOf(ctx).Account, in.ID, in.Body.Roles)
}
