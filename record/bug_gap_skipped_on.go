//go:build bug_gap_skipped

package record

// bugGapSkipped is a planted bug (reliability-security.md §3.2): a frame that begins behind our size is taken as if it began there.
const bugGapSkipped = true
