//go:build bug_cursor_before_effect

package exchange

// bugCursorBeforeEffect plants a bug for internal/sim to find: the courier's position is stored before the effects.
const bugCursorBeforeEffect = true
