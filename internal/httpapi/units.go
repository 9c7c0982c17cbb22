package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pilinhub/pilin/internal/auth"
)

// UnitBody is a part of the bureau: 科室, 分所 or 街镇.
type UnitBody struct {
	Code   string `json:"code" doc:"Stable: records name it"`
	Name   string `json:"name"`
	Kind   string `json:"kind" enum:"section,branch,town" doc:"科室, 分所, 街镇"`
	Parent string `json:"parent,omitempty" doc:"Code of the unit above; absent = the bureau itself"`
	Closed bool   `json:"closed,omitzero"`
	People int    `json:"people" doc:"Accounts that belong to it, disabled ones aside"`
}

type unitsOut struct {
	Body struct {
		Units   []UnitBody `json:"units" doc:"By code, closed ones too; none: the bureau knows no bounds within"`
		Unknown []string   `json:"unknown" doc:"Sign-in names of accounts whose unit is none of these: they reach nobody's drafts but their own unit's"`
	}
}

type newUnitIn struct {
	Body struct {
		Code   string `json:"code" maxLength:"20" doc:"Letters, digits and hyphens; never given twice"`
		Name   string `json:"name" maxLength:"40"`
		Kind   string `json:"kind" maxLength:"10" doc:"section 科室, branch 分所, town 街镇"`
		Parent string `json:"parent,omitempty" maxLength:"20"`
	}
}

type changeUnitIn struct {
	Code string `path:"code" pattern:"^[A-Za-z0-9-]{1,20}$"`
	Body struct {
		Name   *string `json:"name,omitempty" maxLength:"40"`
		Kind   *string `json:"kind,omitempty" maxLength:"10"`
		Parent *string `json:"parent,omitempty" maxLength:"20" doc:"Empty = the bureau itself"`
	}
}

type closeUnitIn struct {
	Code string `path:"code" pattern:"^[A-Za-z0-9-]{1,20}$"`
	Body struct {
		MoveTo *string `json:"move_to,omitempty" maxLength:"20" doc:"Unit that its people and open sub-units go to; empty = the bureau itself; absent: it must have none"`
	}
}

type assignIn struct {
	ID   string `path:"id" pattern:"^[0-9a-f]{32}$"`
	Body struct {
		Unit string `json:"unit" maxLength:"64" doc:"Code, or a name that one unit alone has; empty = the bureau itself"`
	}
}

func (h *people) unitRoutes(api huma.API) {
	op := func(act auth.Act, id, method, path, summary string, status int) huma.Operation {
		o := h.op(api, act, id, method, path, summary, status)
		o.Tags = []string{"accounts"}
		return o
	}
	by := func(ctx context.Context) string { return principalOf(ctx).Account }
	register(api, op("", "list-units", http.MethodGet, "units", "The bureau's units 科室、分所、街镇", http.StatusOK), h.units)
	register(api, op(auth.Administer, "add-unit", http.MethodPost, "units", "Add a unit 新增科室、分所、街镇", http.StatusNoContent), func(ctx context.Context, in *newUnitIn) (*nothing, error) {
		return nil, h.People.AddUnit(ctx, by(ctx), auth.Unit{Code: in.Body.Code, Name: in.Body.Name, Kind: in.Body.Kind, Parent: in.Body.Parent})
	})
	register(api, op(auth.Administer, "change-unit", http.MethodPost, "units/{code}/change", "Rename a unit or hang it elsewhere 变更", http.StatusNoContent), func(ctx context.Context, in *changeUnitIn) (*nothing, error) {
		return nil, h.People.ChangeUnit(ctx, by(ctx), in.Code, func(u *auth.Unit) {
			for to, v := range map[*string]*string{&u.Name: in.Body.Name, &u.Kind: in.Body.Kind, &u.Parent: in.Body.Parent} {
				if v != nil {
					*to = *v
				}
			}
		})
	})
	register(api, op(auth.Administer, "close-unit", http.MethodPost, "units/{code}/close", "Close a unit 撤销", http.StatusNoContent), func(ctx context.Context, in *closeUnitIn) (*nothing, error) {
		return nil, h.People.CloseUnit(ctx, by(ctx), in.Code, in.Body.MoveTo)
	})
	register(api, op(auth.Administer, "assign-unit", http.MethodPost, "accounts/{id}/unit", "Let an account belong to a unit 调整所属", http.StatusNoContent), func(ctx context.Context, in *assignIn) (*nothing, error) {
		return nil, h.People.Assign(ctx, by(ctx), in.ID, in.Body.Unit)
	})
}

func (h *people) units(ctx context.Context, _ *nothing) (*unitsOut, error) {
	tree, err := h.People.Accounts.Units(ctx)
	if err != nil {
		return nil, err
	}
	all, err := h.People.Accounts.ListAccounts(ctx)
	if err != nil {
		return nil, err
	}
	people := map[string]int{}
	out := &unitsOut{}
	out.Body.Units, out.Body.Unknown = []UnitBody{}, []string{}
	admin := principalOf(ctx).May(auth.Administer)
	for _, a := range all {
		if !a.Disabled {
			people[a.Unit]++
		}
		if u := tree.Find(a.Unit); admin && !a.Disabled && a.Unit != "" && len(tree) > 0 && (u == nil || u.Code != a.Unit || u.Closed != 0) {
			out.Body.Unknown = append(out.Body.Unknown, a.Name)
		}
	}
	for _, u := range tree {
		out.Body.Units = append(out.Body.Units, UnitBody{u.Code, u.Name, u.Kind, u.Parent, u.Closed != 0, people[u.Code]})
	}
	return out, nil
}
