package schemas

import (
	"fmt"
	"path"
	"strings"
)

// node is what the annotations say about one place of a payload. Methods accept nil: an unknown place says nothing.
type node struct {
	name        string
	title, desc string
	props       []*node
	items       *node
	part        string
	class       string
	vis         string
	retention   string
	ident       *identMark
	card        *cardMark
	nullable    bool
	notYet      bool
	required    []string
	order       [][]string
	publish     []string
	checks      string
}

type identMark struct {
	kind   string
	strong bool
}

type cardMark struct{ as, name string }

func (n *node) members() []*node {
	if n == nil {
		return nil
	}
	return n.props
}

func (n *node) item() *node {
	if n == nil {
		return nil
	}
	return n.items
}

func (n *node) member(name string) *node {
	for _, p := range n.members() {
		if p.name == name {
			return p
		}
	}
	return nil
}

// derives reports whether name is a value of the card that is made from a member.
func (n *node) derives(name string) bool {
	for _, p := range n.members() {
		if p.card != nil && p.card.name == name {
			return true
		}
	}
	return false
}

// container reports an object whose members are split one by one.
func (n *node) container() bool { return n.part == "" && len(n.props) > 0 }

// documents holds every schema file by its path inside the catalogue, parsed.
type documents map[string]*value

// build reads the annotations of schema v, which stands in file, following references. What stands beside a reference
// wins over what it points to.
func (d documents) build(file string, v *value) (*node, error) {
	n := &node{}
	if ref := v.text("$ref"); ref != "" {
		at, target, err := d.resolve(file, ref)
		if err != nil {
			return nil, err
		}
		if n, err = d.build(at, target); err != nil {
			return nil, err
		}
	}
	take := func(dst *string, key string) {
		if s := v.text(key); s != "" {
			*dst = s
		}
	}
	take(&n.title, "title")
	take(&n.desc, "description")
	take(&n.part, "x-pilin-part")
	take(&n.class, "x-pilin-class")
	take(&n.vis, "x-pilin-vis")
	take(&n.retention, "x-pilin-retention")
	take(&n.checks, "x-pilin-checks")
	if v.text("x-pilin-null") == "not_yet" {
		n.notYet = true
	}
	if m := v.get("x-pilin-identifier"); m != nil {
		n.ident = &identMark{m.text("kind"), m.text("strength") == "strong"}
	}
	if m := v.get("x-pilin-card"); m != nil {
		n.card = &cardMark{m.text("as"), m.text("name")}
	}
	if t := v.get("type"); t != nil && t.kind == '[' {
		for _, m := range t.vals {
			n.nullable = n.nullable || m.str == "null"
		}
	}
	if m := v.get("required"); m != nil {
		n.required = strs(m)
	}
	if m := v.get("x-pilin-publish"); m != nil {
		n.publish = strs(m)
	}
	if m := v.get("x-pilin-order"); m != nil {
		for _, chain := range m.vals {
			n.order = append(n.order, strs(chain))
		}
	}
	if m := v.get("properties"); m != nil {
		for i, name := range m.names {
			p, err := d.build(file, m.vals[i])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			p.name = name
			n.props = append(n.props, p)
		}
	}
	if m := v.get("items"); m != nil {
		items, err := d.build(file, m)
		if err != nil {
			return nil, err
		}
		n.items = items
	}
	return n, nil
}

func strs(v *value) []string {
	out := make([]string, len(v.vals))
	for i, m := range v.vals {
		out[i] = m.str
	}
	return out
}

// resolve follows a relative reference: another file of the catalogue, with or without a definition in it.
func (d documents) resolve(file, ref string) (string, *value, error) {
	target, fragment, _ := strings.Cut(ref, "#")
	if target != "" {
		file = path.Join(path.Dir(file), target)
	}
	v := d[file]
	for _, name := range strings.Split(strings.TrimPrefix(fragment, "/"), "/") {
		if name != "" {
			v = v.get(name)
		}
	}
	if v == nil {
		return "", nil, fmt.Errorf("reference %s: nothing there", ref)
	}
	return file, v, nil
}
