package workflow

import (
	"fmt"
	"maps"
	"slices"
)

// Extend returns the machine with a bureau's own steps. A row may replace one of the table (same state and event) or be
// new; new states are free. Whatever way then leads from one state of the table to another must still do all that the
// table demands between the two: every guard, a step by one of its roles, every effect. So a second review may be put
// between review and approval, and nothing can be left out. Guards may be added, not redefined.
func (m *Machine[F]) Extend(rows []Row, guards map[string]Guard[F]) (*Machine[F], error) {
	out := &Machine[F]{name: m.name, rows: maps.Clone(m.rows), guards: maps.Clone(m.guards)}
	if out.guards == nil {
		out.guards = map[string]Guard[F]{}
	}
	for name, g := range guards {
		if _, taken := m.guards[name]; taken {
			return nil, fmt.Errorf("extend %s: guard %s is the table's own", m.name, name)
		}
		out.guards[name] = g
	}
	added := map[edge]bool{}
	for _, r := range rows {
		at := edge{r.From, r.Event}
		if added[at] {
			return nil, fmt.Errorf("extend %s: %s from %q stands twice", m.name, r.Event, r.From)
		}
		added[at] = true
		out.rows[at] = r
	}
	if err := out.check(); err != nil {
		return nil, err
	}
	legal := map[State]bool{"": true}
	for _, s := range m.States() {
		legal[s] = true
	}
	for from := range legal {
		if err := out.walk(m, legal, from, nil); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// walk follows every way from a state of the table through new states to the next state of the table, and compares it
// with the table's own. A way in a circle demands no less than the straight one, so no new state is visited twice.
func (m *Machine[F]) walk(base *Machine[F], legal map[State]bool, from State, way []Row) error {
	at := from
	if len(way) > 0 {
		at = way[len(way)-1].To
	}
	for _, r := range m.rows {
		if r.From != at || slices.ContainsFunc(way, func(w Row) bool { return w.From == r.To }) && !legal[r.To] {
			continue
		}
		next := append(slices.Clone(way), r)
		if !legal[r.To] {
			if err := m.walk(base, legal, from, next); err != nil {
				return err
			}
			continue
		}
		if !slices.ContainsFunc(slices.Collect(maps.Values(base.rows)), func(b Row) bool {
			return b.From == from && b.To == r.To && covers(next, b)
		}) {
			return fmt.Errorf("extend %s: %s from %q to %q leaves out what the table demands", m.name, r.Event, from, r.To)
		}
	}
	return nil
}

// covers reports whether a way does all that one row of the table demands.
func covers(way []Row, b Row) bool {
	var guards, effects []string
	who := false
	for _, r := range way {
		guards, effects = append(guards, r.Guards...), append(effects, r.Effects...)
		who = who || all(r.Who, b.Who)
	}
	return who && all(b.Guards, guards) && all(b.Effects, effects)
}

// all reports whether every item of a is in b.
func all[T comparable](a, b []T) bool {
	return !slices.ContainsFunc(a, func(x T) bool { return !slices.Contains(b, x) })
}
