//go:build !bug_serial_ids

package record

// bugSerialIDs plants a bug for internal/sim to find: sequences come from a counter that appends which come to nothing advance too.
const bugSerialIDs = false
