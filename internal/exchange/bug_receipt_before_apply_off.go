//go:build !bug_receipt_before_apply

package exchange

const bugReceiptBeforeApply = false
