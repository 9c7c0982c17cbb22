//go:build !bug_replay_floor_dropped

package record

// bugReplayFloorDropped plants a bug for internal/sim to find: the floor of pruned one-use ids is not asked.
const bugReplayFloorDropped = false
