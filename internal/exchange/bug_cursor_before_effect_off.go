//go:build !bug_cursor_before_effect

package exchange

const bugCursorBeforeEffect = false
