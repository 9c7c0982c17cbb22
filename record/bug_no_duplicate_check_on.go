//go:build bug_no_duplicate_check

package record

// bugNoDuplicateCheck is a planted bug (reliability-security.md §3.2): what is stored already is offered to the store again.
const bugNoDuplicateCheck = true
