package workflow

import (
	"fmt"
	"maps"
	"slices"
)

// Guard is a condition on the facts of one step. It is pure: same facts, same answer.
type Guard[F any] func(F) bool

// Machine is a checked table. It is immutable and safe for any number of goroutines. F is the domain's type of facts.
type Machine[F any] struct {
	name   string
	rows   map[edge]Row
	guards map[string]Guard[F]
}

type edge struct {
	from  State
	event Event
}

// New checks a table and makes a machine of it. It refuses two rows with the same state and event, a guard that guards
// does not hold, a row that nobody may take, and a state that cannot be reached from the empty State.
func New[F any](name string, table []Row, guards map[string]Guard[F]) (*Machine[F], error) {
	m := &Machine[F]{name: name, rows: map[edge]Row{}, guards: maps.Clone(guards)}
	for _, r := range table {
		at := edge{r.From, r.Event}
		if _, twice := m.rows[at]; twice {
			return nil, fmt.Errorf("machine %s: %s from %q stands twice", name, r.Event, r.From)
		}
		m.rows[at] = r
	}
	return m, m.check()
}

// Must is New for tables that are written in the program: a wrong one is a fault of the program.
func Must[F any](name string, table []Row, guards map[string]Guard[F]) *Machine[F] {
	m, err := New(name, table, guards)
	if err != nil {
		panic(err)
	}
	return m
}

func (m *Machine[F]) check() error {
	for _, r := range m.rows {
		switch {
		case r.Event == "" || r.To == "":
			return fmt.Errorf("machine %s: row without event or end", m.name)
		case len(r.Who) == 0:
			return fmt.Errorf("machine %s: nobody may %s from %q", m.name, r.Event, r.From)
		}
		for _, g := range r.Guards {
			if m.guards[g] == nil {
				return fmt.Errorf("machine %s: %s from %q: unknown guard %s", m.name, r.Event, r.From, g)
			}
		}
	}
	reached := map[State]bool{"": true}
	for grown := true; grown; {
		grown = false
		for _, r := range m.rows {
			if reached[r.From] && !reached[r.To] {
				reached[r.To], grown = true, true
			}
		}
	}
	for _, r := range m.rows {
		if !reached[r.From] {
			return fmt.Errorf("machine %s: state %q is never reached", m.name, r.From)
		}
	}
	return nil
}

// Name returns the machine's name.
func (m *Machine[F]) Name() string { return m.name }

// Step says where event leads from state for a person with these roles, or why it does not. It looks first at the table,
// then at the person, then at the guards in their order.
func (m *Machine[F]) Step(state State, event Event, roles []Role, facts F) (Transition, *Refusal) {
	r, ok := m.rows[edge{state, event}]
	if !ok {
		return Transition{}, &Refusal{IllegalTransition, state, event}
	}
	if !slices.ContainsFunc(r.Who, func(w Role) bool { return slices.Contains(roles, w) }) {
		return Transition{}, &Refusal{WrongRole, state, event}
	}
	for _, g := range r.Guards {
		if !m.guards[g](facts) {
			return Transition{}, &Refusal{guardPrefix + g, state, event}
		}
	}
	return Transition{state, event, r.To, slices.Clone(r.Effects), slices.Clone(r.Terms)}, nil
}

// To returns where event leads from state whatever the guards and roles: what a fold does with a step that its origin
// took. False if the table has no such step.
func (m *Machine[F]) To(state State, event Event) (State, bool) {
	r, ok := m.rows[edge{state, event}]
	return r.To, ok
}

// Rows returns the table, sorted by state and event.
func (m *Machine[F]) Rows() []Row {
	return slices.SortedFunc(maps.Values(m.rows), func(a, b Row) int {
		return cmpEdges(edge{a.From, a.Event}, edge{b.From, b.Event})
	})
}

// States returns all states, sorted, without the empty one.
func (m *Machine[F]) States() []State {
	seen := map[State]bool{}
	for _, r := range m.rows {
		seen[r.From], seen[r.To] = true, true
	}
	delete(seen, "")
	return slices.Sorted(maps.Keys(seen))
}

// Events returns all events, sorted.
func (m *Machine[F]) Events() []Event {
	seen := map[Event]bool{}
	for _, r := range m.rows {
		seen[r.Event] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

func cmpEdges(a, b edge) int {
	if a.from != b.from {
		return slices.Compare([]State{a.from}, []State{b.from})
	}
	return slices.Compare([]Event{a.event}, []Event{b.event})
}
