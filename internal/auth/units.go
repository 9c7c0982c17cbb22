package auth

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Unit is a part of the bureau: 科室, 分所 or 街镇 (domain.md §1.1).
type Unit struct {
	Code   string // stable: records name it
	Name   string
	Kind   string // section, branch, town
	Parent string // code; empty: the bureau itself
	Closed int64  // Unix seconds; 0 = open
}

// UnitKinds are 科室, 分所, 街镇.
var UnitKinds = []string{"section", "branch", "town"}

// Tree is the bureau's units, open and closed. An empty one says that the bureau has none and knows no bounds between them.
type Tree []Unit

// maxDepth bounds a walk up the tree, so that no mistake makes it endless.
const maxDepth = 32

// Find returns a unit by its code, or by its name where one open unit alone has it; nil if there is none.
func (t Tree) Find(text string) *Unit {
	var named []int
	for i := range t {
		if t[i].Code == text {
			return &t[i]
		}
		if t[i].Name == text && t[i].Closed == 0 {
			named = append(named, i)
		}
	}
	if len(named) == 1 {
		return &t[named[0]]
	}
	return nil
}

// Within reports whether a unit is another one or below it.
func (t Tree) Within(code, of string) bool {
	for range maxDepth {
		if code == of {
			return true
		}
		i := slices.IndexFunc(t, func(u Unit) bool { return u.Code == code })
		if i < 0 || t[i].Parent == "" {
			return false
		}
		code = t[i].Parent
	}
	return false
}

// Reaches reports whether a person has to do with what a unit's people are drafting: of his own unit and of those below it;
// whoever belongs to the bureau itself, its head and its auditor with all of it.
func (t Tree) Reaches(who Principal, unit string) bool {
	return len(t) == 0 || who.Unit == "" || has(who.Roles, Head, Auditor) || t.Within(unit, who.Unit)
}

// Errors of units.
var (
	// ErrUnitInUse: people or open units belong to it.
	ErrUnitInUse = errors.New("unit in use")
	// ErrNoUnit: no unit of that code.
	ErrNoUnit = errors.New("no such unit")
)

var unitForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,19}$`)

func refuseAt(c Code, pointer string) error { return &Refusal{Code: c, Pointer: pointer} }

// check says what is wrong with a unit as it is to be.
func (t Tree) check(u *Unit) error {
	switch n := utf8.RuneCountInString(u.Name); {
	case !unitForm.MatchString(u.Code):
		return refuseAt(UnitInvalid, "/code")
	case n == 0, n > 40, strings.TrimSpace(u.Name) != u.Name, strings.ContainsFunc(u.Name, func(r rune) bool { return r < ' ' }):
		return refuseAt(UnitInvalid, "/name")
	case !slices.Contains(UnitKinds, u.Kind):
		return refuseAt(UnitInvalid, "/kind")
	case u.Parent != "" && !t.open(u.Parent):
		return refuseAt(UnitUnknown, "/parent")
	case u.Parent != "" && t.Within(u.Parent, u.Code):
		return refuseAt(UnitCycle, "/parent")
	}
	return nil
}

func (t Tree) open(code string) bool {
	return slices.ContainsFunc(t, func(u Unit) bool { return u.Code == code && u.Closed == 0 })
}

// AddUnit adds a unit. Errors: *Refusal with UnitInvalid, UnitUnknown (the parent), UnitTaken; a code is never given twice.
func (p *People) AddUnit(ctx context.Context, by string, u Unit) error {
	p.changing.Lock()
	defer p.changing.Unlock()
	t, err := p.Accounts.Units(ctx)
	if err != nil {
		return err
	}
	if err := t.check(&u); err != nil {
		return err
	}
	if slices.ContainsFunc(t, func(x Unit) bool { return x.Code == u.Code }) {
		return refuseAt(UnitTaken, "/code")
	}
	return p.putUnit(ctx, by, EventUnitAdded, u)
}

// ChangeUnit renames a unit or hangs it elsewhere in the tree: change is handed what it is and makes of it what it is to be.
// Errors: ErrNoUnit, also of a closed one; *Refusal as AddUnit, and UnitCycle.
func (p *People) ChangeUnit(ctx context.Context, by, code string, change func(*Unit)) error {
	p.changing.Lock()
	defer p.changing.Unlock()
	t, err := p.Accounts.Units(ctx)
	if err != nil {
		return err
	}
	if !t.open(code) {
		return ErrNoUnit
	}
	u := *t.Find(code)
	change(&u)
	u.Code, u.Closed = code, 0
	if err := t.check(&u); err != nil {
		return err
	}
	return p.putUnit(ctx, by, EventUnitChanged, u)
}

func (p *People) putUnit(ctx context.Context, by string, kind EventKind, u Unit) error {
	if err := p.Audit(ctx, Event{Kind: kind, By: by, Unit: u.Code, Parent: u.Parent, At: p.Now()}); err != nil {
		return fmt.Errorf("audit unit: %w", err)
	}
	return p.Accounts.PutUnit(ctx, u)
}

// CloseUnit closes a unit. Its people and open sub-units go where into says (empty: to the bureau itself), in the same
// transaction; without into it must have none (*Refusal with UnitInUse). Drafts keep its code, and whoever is above it still
// reaches them. Errors: ErrNoUnit; *Refusal with UnitUnknown or UnitCycle (into).
func (p *People) CloseUnit(ctx context.Context, by, code string, into *string) error {
	p.changing.Lock()
	defer p.changing.Unlock()
	t, err := p.Accounts.Units(ctx)
	if err != nil {
		return err
	}
	switch {
	case !t.open(code):
		return ErrNoUnit
	case into != nil && *into != "" && !t.open(*into):
		return refuseAt(UnitUnknown, "/move_to")
	case into != nil && *into != "" && t.Within(*into, code):
		return refuseAt(UnitCycle, "/move_to")
	}
	all, err := p.Accounts.ListAccounts(ctx)
	if err != nil {
		return fmt.Errorf("list accounts: %w", err)
	}
	inside := func(a Account) bool { return a.Unit == code && !a.Disabled }
	if into == nil && (slices.ContainsFunc(all, inside) || slices.ContainsFunc(t, func(u Unit) bool { return u.Parent == code && u.Closed == 0 })) {
		return refuseAt(UnitInUse, "/move_to")
	}
	e := Event{Kind: EventUnitClosed, By: by, Unit: code, At: p.Now()}
	if into != nil {
		e.Parent = *into
	}
	if err := p.Audit(ctx, e); err != nil {
		return fmt.Errorf("audit unit: %w", err)
	}
	err = p.Accounts.CloseUnit(ctx, code, p.Now().Unix(), into)
	for _, a := range all {
		if a.Unit == code {
			p.seen.forget(a.ID)
		}
	}
	if errors.Is(err, ErrUnitInUse) { // somebody came meanwhile
		return refuseAt(UnitInUse, "/move_to")
	}
	return err
}

// Assign lets an account belong to a unit, by code or name; empty: to the bureau itself.
func (p *People) Assign(ctx context.Context, by, account, unit string) error {
	p.changing.Lock()
	defer p.changing.Unlock()
	code, err := p.unitOf(ctx, unit)
	if err != nil {
		return err
	}
	if _, err := p.Accounts.Account(ctx, account); err != nil {
		return err
	}
	if err := p.Audit(ctx, Event{Kind: EventAssigned, Account: account, By: by, Unit: code, At: p.Now()}); err != nil {
		return fmt.Errorf("audit unit of account: %w", err)
	}
	if err := p.Accounts.SetUnit(ctx, account, code); err != nil {
		return fmt.Errorf("set unit: %w", err)
	}
	p.seen.forget(account)
	return nil
}

// unitOf returns the code of an open unit that is named by code or name. A bureau without units takes any text.
func (p *People) unitOf(ctx context.Context, text string) (string, error) {
	t, err := p.Accounts.Units(ctx)
	if err != nil || text == "" || len(t) == 0 {
		return text, err
	}
	if u := t.Find(text); u != nil && u.Closed == 0 {
		return u.Code, nil
	}
	return "", refuseAt(UnitUnknown, "/unit")
}
