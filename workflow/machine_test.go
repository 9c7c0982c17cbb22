package workflow_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/pilinhub/pilin/workflow"
)

// paper is what the guards of these tests look at.
type paper map[string]bool

func guards(names ...string) map[string]workflow.Guard[paper] {
	out := map[string]workflow.Guard[paper]{}
	for _, n := range names {
		out[n] = func(p paper) bool { return p[n] }
	}
	return out
}

const (
	officer  = workflow.Officer
	liaison  = workflow.Liaison
	reviewer = workflow.LegalReviewer
	head     = workflow.Head
)

func who(r ...workflow.Role) []workflow.Role { return r }

var review = []workflow.Row{
	{From: "", Event: "write", Who: who(officer), To: "draft"},
	{From: "draft", Event: "submit", Guards: []string{"complete"}, Who: who(officer), To: "review"},
	{From: "review", Event: "approve", Guards: []string{"reasons", "other_person"}, Who: who(reviewer), To: "approved", Effects: []string{"freeze"}},
	{From: "review", Event: "return", Who: who(reviewer), To: "draft"},
	{From: "approved", Event: "publish", Who: who(liaison, head), To: "published"},
}

var reviewGuards = guards("complete", "reasons", "other_person")

func machine(t testing.TB) *workflow.Machine[paper] {
	t.Helper()
	m, err := workflow.New("review", review, reviewGuards)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestNew_refuses(t *testing.T) {
	for name, rows := range map[string][]workflow.Row{
		"the same state and event twice": append(slices.Clone(review), workflow.Row{From: "draft", Event: "submit", Who: who(head), To: "approved"}),
		"a state that nothing reaches":   append(slices.Clone(review), workflow.Row{From: "lost", Event: "find", Who: who(head), To: "draft"}),
		"a circle that nothing reaches": append(slices.Clone(review), workflow.Row{From: "a", Event: "x", Who: who(head), To: "b"},
			workflow.Row{From: "b", Event: "x", Who: who(head), To: "a"}),
		"a guard that nobody wrote": append(slices.Clone(review), workflow.Row{From: "draft", Event: "burn", Guards: []string{"dark"}, Who: who(head), To: "ash"}),
		"a step for nobody":         append(slices.Clone(review), workflow.Row{From: "draft", Event: "burn", To: "ash"}),
		"a step into nothing":       append(slices.Clone(review), workflow.Row{From: "draft", Event: "burn", Who: who(head)}),
		"a step without event":      append(slices.Clone(review), workflow.Row{From: "draft", Who: who(head), To: "ash"}),
	} {
		if _, err := workflow.New("review", rows, reviewGuards); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("Must took a wrong table")
		}
	}()
	workflow.Must("review", append(slices.Clone(review), review[0]), reviewGuards)
}

func TestMachine_Step(t *testing.T) {
	m := machine(t)
	for _, tc := range []struct {
		name  string
		from  workflow.State
		event workflow.Event
		roles []workflow.Role
		facts paper
		want  string // state, or code of the refusal
	}{
		{"first step", "", "write", who(officer), nil, "draft"},
		{"no such step", "draft", "publish", who(officer, liaison, head), nil, "illegal_transition"},
		{"unknown event", "draft", "x", who(officer), nil, "illegal_transition"},
		{"unknown state", "x", "submit", who(officer), nil, "illegal_transition"},
		{"the table before the person", "published", "approve", nil, nil, "illegal_transition"},
		{"wrong role", "review", "approve", who(officer, liaison), paper{"reasons": true, "other_person": true}, "wrong_role"},
		{"no role", "draft", "submit", nil, paper{"complete": true}, "wrong_role"},
		{"the person before the guard", "draft", "submit", who(head), nil, "wrong_role"},
		{"first guard", "review", "approve", who(reviewer), paper{"other_person": true}, "guard:reasons"},
		{"second guard", "review", "approve", who(reviewer), paper{"reasons": true}, "guard:other_person"},
		{"guards hold", "review", "approve", who(officer, reviewer), paper{"reasons": true, "other_person": true}, "approved"},
		{"any of the roles", "approved", "publish", who(head), nil, "published"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			step, refused := m.Step(tc.from, tc.event, tc.roles, tc.facts)
			got := string(step.To)
			if refused != nil {
				got = refused.Code
				if step.To != "" || refused.From != tc.from || refused.Event != tc.event || !strings.Contains(refused.Error(), refused.Code) {
					t.Errorf("refusal %v with step %v", refused, step)
				}
			} else if to, ok := m.To(tc.from, tc.event); !ok || to != step.To {
				t.Errorf("To says %q, Step %q", to, step.To)
			}
			if got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
	step, _ := m.Step("review", "approve", who(reviewer), paper{"reasons": true, "other_person": true})
	if !slices.Equal(step.Effects, []string{"freeze"}) {
		t.Errorf("effects %v", step.Effects)
	}
	if got := m.States(); !slices.Equal(got, []workflow.State{"approved", "draft", "published", "review"}) {
		t.Errorf("states %v", got)
	}
	if got := m.Events(); !slices.Equal(got, []workflow.Event{"approve", "publish", "return", "submit", "write"}) {
		t.Errorf("events %v", got)
	}
}

func TestMachine_Extend(t *testing.T) {
	second := []workflow.Row{
		{From: "review", Event: "approve", Guards: []string{"reasons", "other_person"}, Who: who(reviewer), To: "second", Effects: []string{"freeze"}},
		{From: "second", Event: "confirm", Guards: []string{"third_person"}, Who: who(head), To: "approved"},
	}
	for _, tc := range []struct {
		name string
		rows []workflow.Row
		ok   bool
	}{
		{"nothing", nil, true},
		{"a second review", second, true},
		{"a second review that may be sent back", append(slices.Clone(second), workflow.Row{From: "second", Event: "return", Who: who(reviewer), To: "draft"}), true},
		{"sent back by somebody else", append(slices.Clone(second), workflow.Row{From: "second", Event: "return", Who: who(head), To: "draft"}), true}, // a reviewer took part of the way
		{"guards moved to the second review", []workflow.Row{
			{From: "review", Event: "approve", Guards: []string{"reasons"}, Who: who(reviewer), To: "second"},
			{From: "second", Event: "confirm", Guards: []string{"other_person"}, Who: who(head), To: "approved", Effects: []string{"freeze"}}}, true},
		{"one more guard", []workflow.Row{{From: "draft", Event: "submit", Guards: []string{"complete", "third_person"}, Who: who(officer), To: "review"}}, true},
		{"fewer people", []workflow.Row{{From: "approved", Event: "publish", Who: who(head), To: "published"}}, true},
		{"a note on the side", []workflow.Row{{From: "draft", Event: "park", Who: who(head), To: "parked"}}, true},
		{"a guard left out", []workflow.Row{{From: "review", Event: "approve", Guards: []string{"reasons"}, Who: who(reviewer), To: "approved", Effects: []string{"freeze"}}}, false},
		{"an effect left out", []workflow.Row{{From: "review", Event: "approve", Guards: []string{"reasons", "other_person"}, Who: who(reviewer), To: "approved"}}, false},
		{"more people", []workflow.Row{{From: "approved", Event: "publish", Who: who(liaison, officer), To: "published"}}, false},
		{"a short cut", []workflow.Row{{From: "draft", Event: "rush", Who: who(head), To: "published"}}, false},
		{"a short cut through a new state", []workflow.Row{{From: "draft", Event: "park", Guards: []string{"complete"}, Who: who(officer), To: "parked"},
			{From: "parked", Event: "rush", Guards: []string{"reasons", "other_person"}, Who: who(reviewer), To: "approved"}}, false},
		{"around the second review", append(slices.Clone(second), workflow.Row{From: "review", Event: "skip", Who: who(reviewer), To: "second"}), false},
		{"a circle that loses the guard", []workflow.Row{{From: "review", Event: "wait", Who: who(reviewer), To: "waiting"}, {From: "waiting", Event: "wait", Who: who(reviewer), To: "waiting"},
			{From: "waiting", Event: "approve", Guards: []string{"reasons"}, Who: who(reviewer), To: "approved", Effects: []string{"freeze"}}}, false},
		{"from nowhere to a state", []workflow.Row{{From: "", Event: "import", Who: who(officer), To: "published"}}, false},
		{"a state that nothing reaches", []workflow.Row{{From: "lost", Event: "x", Who: who(head), To: "draft"}}, false},
		{"twice", []workflow.Row{second[1], second[1]}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, err := machine(t).Extend(tc.rows, guards("third_person"))
			if tc.ok != (err == nil) {
				t.Errorf("error %v", err)
			}
			if err == nil && len(m.Rows()) < len(review) {
				t.Error("rows were lost")
			}
		})
	}
	if _, err := machine(t).Extend(nil, guards("other_person")); err == nil {
		t.Error("a legal guard was redefined")
	}
	m, err := machine(t).Extend(second, guards("third_person"))
	if err != nil {
		t.Fatal(err)
	}
	facts := paper{"complete": true, "reasons": true, "other_person": true}
	step, refused := m.Step("review", "approve", who(reviewer), facts)
	if refused != nil || step.To != "second" {
		t.Fatalf("%v %v", step, refused)
	}
	if _, refused := m.Step("second", "confirm", who(head), facts); refused == nil || refused.Code != "guard:third_person" {
		t.Errorf("refusal %v", refused)
	}
	if to, _ := machine(t).To("review", "approve"); to != "approved" {
		t.Error("Extend changed the machine that it extends")
	}
}

// TestProperty_Extend: whatever rows are accepted, one person with given roles and facts gets between two states of the
// table, through states of the bureau's own, only where the table lets such a person pass.
func TestProperty_Extend(t *testing.T) {
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		base, err := workflow.New("review", review, reviewGuards)
		if err != nil {
			t.Fatal(err)
		}
		states := []workflow.State{"", "draft", "review", "approved", "published", "x", "y"}
		subset := func(label string, from []string) []string {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 0, len(from), rapid.ID).Draw(t, label)
		}
		all := []string{"complete", "reasons", "other_person"}
		var rows []workflow.Row
		for range rapid.IntRange(1, 4).Draw(t, "rows") {
			r := workflow.Row{Effects: []string{"freeze"}}
			if rapid.Bool().Draw(t, "like") {
				r = rapid.SampledFrom(review).Draw(t, "row")
				r.Guards = append(slices.Clone(r.Guards), subset("more", all)...)
			} else {
				r.From, r.Event = rapid.SampledFrom(states).Draw(t, "from"), workflow.Event(rapid.SampledFrom([]string{"approve", "publish", "go"}).Draw(t, "event"))
				r.Guards, r.Who = subset("guards", all), rapid.SliceOfNDistinct(rapid.SampledFrom(who(officer, liaison, reviewer, head)), 1, 2, rapid.ID).Draw(t, "who")
			}
			r.To = rapid.SampledFrom(states[1:]).Draw(t, "to")
			rows = append(rows, r)
		}
		m, err := base.Extend(rows, nil)
		if err != nil {
			return
		}
		accepted++
		facts := paper{}
		for _, g := range subset("true", all) {
			facts[g] = true
		}
		roles := rapid.SliceOfNDistinct(rapid.SampledFrom(who(officer, liaison, reviewer, head)), 0, 4, rapid.ID).Draw(t, "roles")
		old := states[:5]
		for _, from := range old {
			seen := map[workflow.State]bool{}
			var visit func(at workflow.State)
			visit = func(at workflow.State) {
				for _, e := range m.Events() {
					step, refused := m.Step(at, e, roles, facts)
					if refused != nil || seen[step.To] {
						continue
					}
					seen[step.To] = true
					if !slices.Contains(old, step.To) {
						visit(step.To)
						continue
					}
					if !slices.ContainsFunc(base.Events(), func(e workflow.Event) bool {
						b, refused := base.Step(from, e, roles, facts)
						return refused == nil && b.To == step.To
					}) {
						t.Fatalf("%v with %v from %q to %q by %v", roles, facts, from, step.To, rows)
					}
				}
			}
			visit(from)
		}
	})
	if accepted == 0 && !testing.Short() {
		t.Error("no extension was accepted: the property says nothing")
	}
}
