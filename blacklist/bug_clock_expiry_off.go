//go:build !bug_clock_expiry

package blacklist

// bugClockExpiry is on only in builds that prove that the simulation finds it.
const bugClockExpiry = false
