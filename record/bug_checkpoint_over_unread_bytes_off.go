//go:build !bug_checkpoint_over_unread_bytes

package record

// bugCheckpointOverUnreadBytes is on only in builds that prove that the simulation finds it.
const bugCheckpointOverUnreadBytes = false
