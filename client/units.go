package client

import (
	"context"
	"net/http"
)

// Unit is a part of the bureau: 科室, 分所 or 街镇.
type Unit struct {
	Code   string `json:"code"`
	Name   string `json:"name"`
	Kind   string `json:"kind"`             // section, branch, town
	Parent string `json:"parent,omitempty"` // code; empty: the bureau itself
	Closed bool   `json:"closed,omitzero"`
	People int    `json:"people"`
}

// UnitChange is what of a unit is to be another; nil stays.
type UnitChange struct {
	Name   *string `json:"name,omitzero"`
	Kind   *string `json:"kind,omitzero"`
	Parent *string `json:"parent,omitzero"` // empty: the bureau itself
}

// Units returns the bureau's units by code, closed ones too, and, to an administrator, the sign-in names of accounts whose
// unit is none of them.
func (d *Desk) Units(ctx context.Context) (units []Unit, unknown []string, err error) {
	var a struct {
		Units   []Unit   `json:"units"`
		Unknown []string `json:"unknown"`
	}
	err = d.call(ctx, http.MethodGet, "/api/v1/units", "", nil, &a)
	return a.Units, a.Unknown, err
}

// AddUnit adds a unit from code, name, kind and parent. A *Problem says why not: unit_invalid, unit_unknown, unit_taken.
func (d *Desk) AddUnit(ctx context.Context, u Unit) error {
	return d.call(ctx, http.MethodPost, "/api/v1/units", "", map[string]string{"code": u.Code, "name": u.Name, "kind": u.Kind, "parent": u.Parent}, nil)
}

// ChangeUnit renames a unit or hangs it elsewhere in the tree.
func (d *Desk) ChangeUnit(ctx context.Context, code string, c UnitChange) error {
	return d.call(ctx, http.MethodPost, "/api/v1/units/"+code+"/change", "", c, nil)
}

// CloseUnit closes a unit. Its people and open sub-units go to the unit of code *into, or to the bureau itself if that is
// empty; nil: it must have none, else unit_in_use.
func (d *Desk) CloseUnit(ctx context.Context, code string, into *string) error {
	return d.call(ctx, http.MethodPost, "/api/v1/units/"+code+"/close", "", struct {
		MoveTo *string `json:"move_to,omitzero"`
	}{into}, nil)
}

// AssignUnit lets an account belong to a unit, named by its code or name; empty: to the bureau itself.
func (d *Desk) AssignUnit(ctx context.Context, account, unit string) error {
	return d.call(ctx, http.MethodPost, "/api/v1/accounts/"+account+"/unit", "", map[string]string{"unit": unit}, nil)
}
