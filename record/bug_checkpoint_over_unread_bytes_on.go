//go:build bug_checkpoint_over_unread_bytes

package record

// bugCheckpointOverUnreadBytes is a planted bug (reliability-security.md §3.2): a well signed checkpoint is believed without recomputing its root.
const bugCheckpointOverUnreadBytes = true
