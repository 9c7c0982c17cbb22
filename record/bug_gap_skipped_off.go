//go:build !bug_gap_skipped

package record

// bugGapSkipped is on only in builds that prove that the simulation finds it.
const bugGapSkipped = false
