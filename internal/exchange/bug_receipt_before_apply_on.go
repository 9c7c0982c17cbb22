//go:build bug_receipt_before_apply

package exchange

// bugReceiptBeforeApply plants a bug for internal/sim to find: the newest verified checkpoint is cosigned, applied or not.
const bugReceiptBeforeApply = true
