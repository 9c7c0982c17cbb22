//go:build bug_index_before_commit

package federation

// bugIndexBeforeCommit is a planted bug: the index says that it holds what the log has, without having read it.
const bugIndexBeforeCommit = true
