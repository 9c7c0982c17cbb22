package blacklist

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Difference is one place in which two payloads differ. It is for the screen of somebody who may see both; it never
// leaves the node and is not kept.
type Difference struct {
	Pointer string         // RFC 6901
	Old     jsontext.Value // nil = was not there
	New     jsontext.Value // nil = is not there any more
}

// Format prints the pointer and no value.
func (d Difference) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, d.Pointer) }

// Diff lists where two payloads differ, by pointer. Objects are compared member by member, arrays item by item in their
// order.
func Diff(old, new []byte) ([]Difference, error) {
	a, b := jsontext.Value(old).Clone(), jsontext.Value(new).Clone()
	for _, v := range []*jsontext.Value{&a, &b} {
		if err := v.Canonicalize(); err != nil {
			return nil, fmt.Errorf("compare payloads: %w", err)
		}
	}
	var out []Difference
	if err := diff("", a, b, &out); err != nil {
		return nil, fmt.Errorf("compare payloads: %w", err)
	}
	return out, nil
}

func diff(at string, a, b jsontext.Value, out *[]Difference) error {
	if slices.Equal(a, b) {
		return nil
	}
	if a == nil || b == nil || a.Kind() != b.Kind() || a.Kind() != '{' && a.Kind() != '[' {
		*out = append(*out, Difference{at, a, b})
		return nil
	}
	if a.Kind() == '[' {
		var as, bs []jsontext.Value
		if err := json.Unmarshal(a, &as); err != nil {
			return err
		}
		if err := json.Unmarshal(b, &bs); err != nil {
			return err
		}
		for i := range max(len(as), len(bs)) {
			if err := diff(at+"/"+strconv.Itoa(i), item(as, i), item(bs, i), out); err != nil {
				return err
			}
		}
		return nil
	}
	var am, bm map[string]jsontext.Value
	if err := json.Unmarshal(a, &am); err != nil {
		return err
	}
	if err := json.Unmarshal(b, &bm); err != nil {
		return err
	}
	var names []string
	for _, m := range []map[string]jsontext.Value{am, bm} {
		for n := range m {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	for _, n := range slices.Compact(names) {
		if err := diff(at+"/"+escape.Replace(n), am[n], bm[n], out); err != nil {
			return err
		}
	}
	return nil
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

func item(list []jsontext.Value, i int) jsontext.Value {
	if i < len(list) {
		return list[i]
	}
	return nil
}
