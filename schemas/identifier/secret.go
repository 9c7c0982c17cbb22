package identifier

import (
	"fmt"
	"log/slog"
	"unique"
)

const redacted = "[redacted]"

// Secret holds an identifier in memory so that no log line, error, panic text or JSON can show it by accident: every
// way of printing gives "[redacted]". Two Secrets with the same text are equal (==) and may be map keys. The text sits
// behind a handle, so that printing a struct that hides a Secret in an unexported field shows an address, not the text.
// Only Reveal gives it back; a reader of the code can find every such place.
type Secret struct {
	h unique.Handle[string]
}

// NewSecret wraps s.
func NewSecret(s string) Secret { return Secret{unique.Make(s)} }

// Reveal returns the text.
func (s Secret) Reveal() string {
	if s == (Secret{}) {
		return ""
	}
	return s.h.Value()
}

// IsZero reports whether there is no text.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// String returns "[redacted]".
func (s Secret) String() string { return redacted }

// GoString returns "[redacted]".
func (s Secret) GoString() string { return redacted }

// Format writes "[redacted]" whatever the verb, also for %x and %q, which would otherwise reach the text.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue returns "[redacted]" for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[redacted]".
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON returns "[redacted]" as a JSON string. Whoever means to send the text calls Reveal.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// UnmarshalText takes the text of a request in, so that no plain string of it exists in a handler.
func (s *Secret) UnmarshalText(b []byte) error {
	*s = NewSecret(string(b))
	return nil
}
