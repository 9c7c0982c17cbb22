package schemas

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"sort"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed */v*.schema.json
var files embed.FS

// base is where the schema library believes the files to stand; nothing is ever fetched.
const base = "pilin:///"

// Type is one version of one record type. Types are shared and read-only.
type Type struct {
	name, version string
	file          string
	root          *node
	compiled      *jsonschema.Schema
	source        []byte
}

// catalogue is compiled at first use. A catalogue that does not compile is a fault of the program, not of its input.
var catalogue = sync.OnceValue(func() map[string]*Type {
	c, err := load(files)
	if err != nil {
		panic(fmt.Sprintf("record catalogue: %v", err))
	}
	return c
})

func load(fsys fs.FS) (map[string]*Type, error) {
	names, err := fs.Glob(fsys, "*/v*.schema.json")
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	for _, f := range formats {
		compiler.RegisterFormat(f)
	}
	docs := documents{}
	sources := map[string][]byte{}
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		v, bad := parse(b)
		if bad != nil {
			return nil, fmt.Errorf("%s: %s at %q", name, bad.Code, bad.Pointer)
		}
		generic, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := compiler.AddResource(base+name, generic); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		docs[name], sources[name] = v, b
	}
	out := map[string]*Type{}
	for _, file := range names {
		folder, rest, _ := strings.Cut(file, "/")
		if folder == "common" {
			continue
		}
		t := &Type{name: folder, version: strings.TrimSuffix(strings.TrimPrefix(rest, "v"), ".schema.json"), file: file, source: sources[file]}
		if t.compiled, err = compiler.Compile(base + file); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if t.root, err = docs.build(file, docs[file]); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out[t.name+" "+t.version] = t
	}
	return out, nil
}

// Lookup returns a type by its name and version, e.g. "blacklist.person", "1".
func Lookup(typ, version string) (*Type, bool) {
	t, ok := catalogue()[typ+" "+version]
	return t, ok
}

// Types returns the whole catalogue, sorted by name and version.
func Types() []*Type {
	var out []*Type
	for _, t := range catalogue() {
		out = append(out, t)
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if a.name != b.name {
			return a.name < b.name
		}
		return len(a.version) < len(b.version) || len(a.version) == len(b.version) && a.version < b.version
	})
	return out
}

// Name returns the type's name, e.g. "penalty".
func (t *Type) Name() string { return t.name }

// Version returns the schema version, e.g. "1".
func (t *Type) Version() string { return t.version }

// Title returns the type's Chinese name.
func (t *Type) Title() string { return t.root.title }

// Schema returns the JSON Schema document as it stands in the repository.
func (t *Type) Schema() []byte { return bytes.Clone(t.source) }

// Fields lists the type's annotated fields in the order of the schema.
func (t *Type) Fields() []Field {
	var out []Field
	var walk func(n *node, ptr string, inherited Field)
	walk = func(n *node, ptr string, f Field) {
		f.Pointer, f.Title, f.Description = ptr, n.title, n.desc
		f.Kind, f.Strong, f.CardAs, f.CardName, f.Nullable = "", false, "", "", n.nullable
		for _, set := range []struct{ dst, src *string }{{&f.Part, &n.part}, {&f.Class, &n.class}, {&f.Vis, &n.vis}, {&f.Retention, &n.retention}} {
			if *set.src != "" {
				*set.dst = *set.src
			}
		}
		if n.ident != nil {
			f.Kind, f.Strong = n.ident.kind, n.ident.strong
		}
		if n.card != nil {
			f.CardAs, f.CardName = n.card.as, n.card.name
		}
		if n.part != "" || len(n.props) == 0 && n.items == nil || n.ident != nil {
			out = append(out, f)
		}
		for _, p := range n.props {
			walk(p, child(ptr, p.name), f)
		}
		if n.items != nil {
			walk(n.items, ptr+"/*", f)
		}
	}
	for _, p := range t.root.props {
		walk(p, child("", p.name), Field{Retention: t.root.retention})
	}
	return out
}
