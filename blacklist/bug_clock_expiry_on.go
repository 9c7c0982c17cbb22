//go:build bug_clock_expiry

package blacklist

// bugClockExpiry is a planted bug (reliability-security.md §3.2): the node's clock decides what has expired, and not the
// day that was asked for, so that two members with equal records answer the same question differently.
const bugClockExpiry = true
