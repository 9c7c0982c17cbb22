package sheets

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// Work that fails says why, also where the file is gone since.
func TestEnded(t *testing.T) {
	for _, row := range []struct {
		err         error
		stopped     bool
		state, code string
	}{
		{nil, false, "done", ""},
		{nil, true, "done", ""},
		{fmt.Errorf("commit: %w", &Conflict{FileGone}), false, "failed", FileGone},
		{&Refusal{Code: "file_empty"}, false, "failed", "file_empty"},
		{context.Canceled, true, "interrupted", ""},
		{errors.New("disk"), false, "failed", "unavailable"},
	} {
		if state, code := ended(row.err, row.stopped); state != row.state || code != row.code {
			t.Errorf("%v: %s %s, want %s %s", row.err, state, code, row.state, row.code)
		}
	}
}
