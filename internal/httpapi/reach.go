package httpapi

import (
	"context"
	"errors"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/sheets"
	"github.com/pilinhub/pilin/record"
)

// This file bounds what is not published yet by the tree of units (domain.md §1.1, docs/design/people.md): of another unit's
// draft or import nobody is told that it exists.

// reach returns which units' unpublished work a person has to do with.
func (h *people) reach(ctx context.Context, who auth.Principal) (func(unit string) bool, error) {
	if who.Unit == "" {
		return func(string) bool { return true }, nil
	}
	tree, err := h.People.Accounts.Units(ctx)
	if err != nil {
		return nil, err
	}
	return func(unit string) bool { return tree.Reaches(who, unit) }, nil
}

// reachesSheet reports whether a person has to do with a draft: his own always.
func (h *people) reachesSheet(ctx context.Context, who auth.Principal, d *blacklist.Sheet) (bool, error) {
	if slices.Contains(d.Authors, who.Account) {
		return true, nil
	}
	within, err := h.reach(ctx, who)
	return err == nil && within(d.Unit), err
}

// ofOwnUnits lets an operation on one draft or import through only if its person has to do with it.
func (h *people) ofOwnUnits(api huma.API, o huma.Operation, reaches func(ctx context.Context, who auth.Principal, id string) (bool, error)) huma.Operation {
	o.Middlewares = append(o.Middlewares, func(ctx huma.Context, next func(huma.Context)) {
		who := principalOf(ctx.Context())
		if who.Unit == "" {
			next(ctx)
			return
		}
		ok, err := reaches(ctx.Context(), who, ctx.Param("id"))
		if seat, acting := ctx.Context().Value(actingKey{}).(*actingSeat); err == nil && !ok && acting {
			// The head has to do with all units' work, so has who acts for him: as such, and audited.
			if ok, err = reaches(ctx.Context(), who.AsHead(), ctx.Param("id")); err == nil && ok {
				var raised context.Context
				raised, err = seat.take(ctx.Context())
				ctx = huma.WithContext(ctx, context.WithValue(raised, actingKey{}, nil)) // taken once
			}
		}
		if err == nil && !ok {
			err = problem("not_found")
		}
		if err != nil {
			writeHuma(api, ctx, toProblem(ctx.Context(), err))
			return
		}
		next(ctx)
	})
	return o
}

// reachesDraft is ofOwnUnits of drafts; what is published, or no draft at all, is for the operation itself to judge.
func (h *people) reachesDraft(ctx context.Context, who auth.Principal, id string) (bool, error) {
	b, err := record.ParseBits128(id)
	if err != nil {
		return true, nil //nolint:nilerr // the operation says what is wrong with it
	}
	d, err := h.Register.Sheet(ctx, b)
	if isNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return h.reachesSheet(ctx, who, &d)
}

// reachesImport is ofOwnUnits of imports.
func (h *people) reachesImport(ctx context.Context, who auth.Principal, id string) (bool, error) {
	imp, err := h.Intake.Import(ctx, id)
	var none *sheets.Conflict
	if errors.As(err, &none) && none.Code == sheets.Unknown {
		return true, nil
	}
	if err != nil || imp.By == who.Account {
		return err == nil, err
	}
	within, err := h.reach(ctx, who)
	return err == nil && within(imp.Unit), err
}
