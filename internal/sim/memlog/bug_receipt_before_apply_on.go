//go:build bug_receipt_before_apply

package memlog

// bugReceiptBeforeApply is a planted bug (reliability-security.md §3.2): a receipt may vouch for records that are not applied.
const bugReceiptBeforeApply = true
