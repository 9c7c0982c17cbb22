//go:build bug_replay_floor_dropped

package memlog

// bugReplayFloorDropped is a planted bug (reliability-security.md §3.2): the floor of pruned ids is not asked.
const bugReplayFloorDropped = true
