//go:build bug_withdrawn_reinserted

package record

// bugWithdrawnReinserted is a planted bug (reliability-security.md §3.2): a range answer brings back content that a later record deleted.
const bugWithdrawnReinserted = true
