//go:build !bug_no_duplicate_check

package record

// bugNoDuplicateCheck is on only in builds that prove that the simulation finds it.
const bugNoDuplicateCheck = false
