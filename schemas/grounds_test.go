package schemas_test

import (
	"slices"
	"testing"

	"github.com/pilinhub/pilin/schemas"
)

// found lists what a record is found by, as "kind:value", with ! where it is enough alone.
func found(t *testing.T, typ *schemas.Type, parts map[string][]byte) []string {
	t.Helper()
	var out []string
	for _, id := range typ.Identifiers(parts) {
		s := id.Kind + ":" + id.Value
		if id.Strong {
			s += "!"
		}
		out = append(out, s)
	}
	return out
}

// TestEntriesOfThings: what premises, institutions and handles are found by, of a whole record and of its card alone. Only
// an institution, which is public, is found by its card.
func TestEntriesOfThings(t *testing.T) {
	for _, tt := range []struct {
		typ, example string
		whole, card  []string
	}{
		{"blacklist.premises", "entry", []string{"address:上海市金山区样例镇测试村3组12号后间", "org_name:样例镶牙", "name:测房东", "phone:15400000009", "equipment_serial:YL-0001!"}, nil},
		{"blacklist.institution", "clinic", []string{"org_name:测平湖样例口腔诊所", "uscc:91330482MA00090T9C!", "reg_no:310116900112!", "name_variant:测法人"},
			[]string{"org_name:测平湖样例口腔诊所", "uscc:91330482MA00090T9C!", "reg_no:310116900112!"}},
		{"blacklist.handle", "plate", []string{"plate:浙F00000"}, nil},
		{"blacklist.handle", "phone", []string{"phone:15400000001"}, nil},
		{"blacklist.handle", "account", []string{"account:样例平台/yangli_0001!"}, nil},
		{"blacklist.handle", "e_bike", []string{"plate:样例12345"}, nil},
	} {
		typ := lookup(t, tt.typ)
		parts := split(t, typ, encode(t, goodExample(t, tt.typ, tt.example)))
		if got := found(t, typ, parts); !slices.Equal(got, tt.whole) {
			t.Errorf("%s %s is found by %q, want %q", tt.typ, tt.example, got, tt.whole)
		}
		card := map[string][]byte{"card": parts["card"]}
		if got := found(t, typ, card); !slices.Equal(got, tt.card) {
			t.Errorf("the card of %s %s is found by %q, want %q", tt.typ, tt.example, got, tt.card)
		}
		if vs := typ.Check(card, asOf); len(vs) > 0 {
			t.Errorf("the card of %s %s alone is refused: %v", tt.typ, tt.example, vs)
		}
	}
}

// TestHomePartOfThings: the landlord and the source of a handle never leave the node.
func TestHomePartOfThings(t *testing.T) {
	for typ, home := range map[string][]string{"blacklist.premises": {"landlord_name", "landlord_phone"}, "blacklist.handle": {"evidence"}} {
		for _, f := range lookup(t, typ).Fields() {
			if slices.Contains(home, f.Pointer[1:]) != (f.Part == "home") {
				t.Errorf("%s%s stands in part %s", typ, f.Pointer, f.Part)
			}
		}
	}
}
