//go:build !bug_index_before_commit

package federation

// bugIndexBeforeCommit is on only in builds that prove that the simulation finds it.
const bugIndexBeforeCommit = false
