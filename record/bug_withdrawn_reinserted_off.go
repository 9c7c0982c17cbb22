//go:build !bug_withdrawn_reinserted

package record

// bugWithdrawnReinserted is on only in builds that prove that the simulation finds it.
const bugWithdrawnReinserted = false
