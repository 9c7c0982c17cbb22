//go:build bug_epoch_ignored

package federation

// bugEpochIgnored is a planted bug (architecture.md, reliability-security.md §3.2): the first epoch of a group stays in
// use, so that who has left reads on.
const bugEpochIgnored = true
