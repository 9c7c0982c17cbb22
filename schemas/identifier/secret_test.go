package identifier_test

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	id "github.com/pilinhub/pilin/schemas/identifier"
)

// TestSecretNeverShows prints a Secret in every way that has leaked one somewhere.
func TestSecretNeverShows(t *testing.T) {
	const canary = "310116190001010016"
	s := id.NewSecret(canary)
	type open struct{ ID id.Secret }
	type closed struct{ id id.Secret }
	type deep struct{ p *closed }
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d", "%p", "%t", "%08b", "%T"} {
		for _, v := range []any{s, &s, open{s}, &open{s}, closed{s}, &closed{s}, deep{&closed{s}}, []id.Secret{s}, map[id.Secret]int{s: 1}, error(wrapped{s})} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	fmt.Fprintln(&out, s, open{s}, closed{s})
	for _, h := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(h).Info("x", "secret", s, "open", open{s}, "closed", closed{s}, slog.Group("g", "s", s))
	}
	for _, v := range []any{s, open{s}, map[string]id.Secret{"a": s}, map[id.Secret]int{s: 1}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%T: %v", v, err)
		}
		out.Write(b)
		b, err = stdjson.Marshal(v)
		if err != nil {
			t.Errorf("%T: %v", v, err)
		}
		out.Write(b)
	}
	func() {
		defer func() { fmt.Fprint(&out, recover()) }()
		panic(s)
	}()
	if strings.Contains(out.String(), canary) || strings.Contains(out.String(), fmt.Sprintf("%x", canary)) {
		t.Error("the text shows in:\n" + out.String())
	}
	if s.Reveal() != canary || s != id.NewSecret(canary) || s == id.NewSecret("x") || !(id.Secret{}).IsZero() || (id.Secret{}).Reveal() != "" {
		t.Error("a Secret must keep its text and be comparable")
	}
	var in struct {
		ID id.Secret `json:"id"`
	}
	if err := json.Unmarshal([]byte(`{"id":"`+canary+`"}`), &in); err != nil || in.ID != s {
		t.Errorf("decode: %v", err)
	}
}

type wrapped struct{ s id.Secret }

func (w wrapped) Error() string { return fmt.Sprintf("look up %v", w.s) }
