//go:build bug_receipt_before_apply

package record

// bugReceiptBeforeApply plants a bug for internal/sim to find: a member vouches for records that it has not applied.
const bugReceiptBeforeApply = true
