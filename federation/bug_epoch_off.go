//go:build !bug_epoch_ignored

package federation

// bugEpochIgnored is on only in builds that prove that the simulation finds it.
const bugEpochIgnored = false
