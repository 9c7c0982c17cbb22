package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// model is the command tree.
func model(t *testing.T) *kong.Node {
	t.Helper()
	p, err := kong.New(&cli{}, kong.Name("pilin"))
	if err != nil {
		t.Fatal(err)
	}
	return p.Model.Node
}

// Every command is offered where it can stand, every flag behind its command, every value of a flag or argument that has a
// list behind it; nothing that is hidden.
func TestCompletion_coversEverything(t *testing.T) {
	top := model(t)
	commands, flags, values := 0, 0, 0
	var walk func(n *kong.Node, path []string)
	walk = func(n *kong.Node, path []string) {
		offers := func(want string, typed ...string) {
			t.Helper()
			if got := nextWords(top, append(slices.Clone(path), typed...)); !slices.Contains(got, want) {
				t.Errorf("behind %q: %v, without %s", strings.Join(append(slices.Clone(path), typed...), " "), got, want)
			}
		}
		for at := n; at != nil; at = at.Parent {
			for _, f := range at.Flags {
				if f.Hidden {
					continue
				}
				flags++
				offers("--"+f.Name, "--")
				for _, v := range valuesOf(f.Value) {
					if v == "" {
						continue
					}
					values++
					offers(v, "--"+f.Name, "")
					offers(v, "--"+f.Name, "=", v[:1])               // as bash cuts it
					offers("--"+f.Name+"="+v, "--"+f.Name+"="+v[:1]) // as zsh and fish hand it over
				}
			}
		}
		var before []string
		for _, a := range n.Positional {
			for _, v := range valuesOf(a) {
				values++
				offers(v, append(slices.Clone(before), "")...)
			}
			before = append(before, "x")
		}
		for _, c := range n.Children {
			if slices.Contains(nextWords(top, append(slices.Clone(path), "")), c.Name) == c.Hidden {
				t.Errorf("%s %s: hidden %t", strings.Join(path, " "), c.Name, c.Hidden)
			}
			commands++
			walk(c, append(slices.Clone(path), c.Name))
		}
	}
	walk(top, nil)
	if commands < 60 || flags < 200 || values < 100 {
		t.Errorf("only %d commands, %d flags, %d values", commands, flags, values)
	}
}

// Of a list the last one is completed; a flag that can be denied is offered so; a flag's value is no argument.
func TestCompletion_forms(t *testing.T) {
	for typed, want := range map[string]string{
		"account create --roles officer,li":   "officer,liaison",
		"account create --roles=officer,li":   "--roles=officer,liaison",
		"key rotate --no-":                    "--no-sign",
		"batch step --account a 0123 app":     "approve",
		"batch step --json 0123 app":          "approve",
		"operation step 0123 --version 3 sta": "start",
		"ask --purpose RA":                    "RAID",
		"publish --type penalty --step with":  "withdraw",
		"--json ver":                          "verify version",
		"serve --config x":                    "",
		"nothing --such x":                    "",
	} {
		if got := strings.Join(nextWords(model(t), strings.Split(typed, " ")), " "); got != want {
			t.Errorf("%s: %q, want %q", typed, got, want)
		}
	}
}

// What is suggested is what there is.
func TestCompletion_suggestions(t *testing.T) {
	read := func(name, form string) []string {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, m := range regexp.MustCompile(form).FindAllStringSubmatch(string(b), -1) {
			all = append(all, strings.Split(strings.NewReplacer(`"`, "", " ", "", ", null", "").Replace(m[1]), ",")...)
		}
		return all
	}
	for path, want := range map[string][]string{
		"ask --purpose":          read("../../schemas/common/v1.schema.json", `"purpose": \{[^\n]*"enum": \[([^\]]*)\]`),
		"publish --purpose":      read("../../schemas/common/v1.schema.json", `"purpose": \{[^\n]*"enum": \[([^\]]*)\]`),
		"export list --purpose":  read("../../schemas/common/v1.schema.json", `"purpose": \{[^\n]*"enum": \[([^\]]*)\]`),
		"ask --id-type":          read("../../schemas/common/v1.schema.json", `"id_type": \{[^\n]*"enum": \[([^\]]*)\]`),
		"account create --roles": read("../../internal/auth/role.go", `Role = "([a-z_]+)"`),
		"list --state":           read("../../blacklist/machine.go", `workflow.State = "([a-z_]+)"`),
	} {
		got := nextWords(model(t), append(strings.Split(path, " "), ""))
		slices.Sort(want)
		if !slices.Equal(got, slices.Compact(want)) {
			t.Errorf("%s suggests %v, there are %v", path, got, want)
		}
	}
}
