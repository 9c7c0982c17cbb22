// Package fault holds named points at which a test may kill this process as a power cut would: SIGKILL, no clean-up.
// The points are compiled into every build, so that what is tested is what is shipped, and are inert unless the
// environment variable PILIN_FAULT names one when the process starts. What must hold after the kill (nothing
// acknowledged is lost, no gap, no fork) is asserted by the tests of those who call Point, not here.
//
//	PILIN_FAULT=append.after-lock        die at the first pass of that point
//	PILIN_FAULT=append.after-lock:7      die at its 7th pass
//	PILIN_FAULT=append.after-lock:random die at a random one of its first 50 passes
//	PILIN_FAULT=random                   die at a random one of the first 200 passes of all points together
//
// A value that names no point makes the process refuse to start: a kill test whose kill never comes proves nothing.
package fault

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// The points, in the order in which a record passes them.
const (
	AppendBeforeLock   = "append.before-lock"   // a batch is taken from the queue, nothing is locked
	AppendAfterLock    = "append.after-lock"    // the head rows are locked, nothing is written
	AppendAfterInsert  = "append.after-insert"  // records and parts are inserted, nothing is signed
	AppendBeforeCommit = "append.before-commit" // the checkpoint is signed and stored, not committed
	AppendAfterCommit  = "append.after-commit"  // committed, the caller does not know yet
	NodeBeforeReply    = "node.before-reply"    // the answer is complete, no byte of it has left
	RelayBeforeProduce = "relay.before-produce" // a frame is built, Kafka does not have it
	RelayAfterProduce  = "relay.after-produce"  // Kafka confirmed the frame
	RelayBeforeCursor  = "relay.before-cursor"  // the relay is about to store how far it is
	IntakeBeforeApply  = "intake.before-apply"  // a foreign group is decided on, nothing is stored
	IntakeAfterApply   = "intake.after-apply"   // it is stored with the courier's position
	ReleaseBeforeSign  = "release.before-sign"  // an own stream is about to be released
)

// Names returns all points, so that a test can walk through them.
func Names() []string {
	return []string{AppendBeforeLock, AppendAfterLock, AppendAfterInsert, AppendBeforeCommit, AppendAfterCommit,
		NodeBeforeReply, RelayBeforeProduce, RelayAfterProduce, RelayBeforeCursor, IntakeBeforeApply, IntakeAfterApply,
		ReleaseBeforeSign}
}

const (
	anyPoint       = "random"
	passesOfOne    = 50  // upper bound of a random pass of one point
	passesOfRandom = 200 // upper bound of a random pass over all points
)

// plan says where to die. It is set once, before main runs.
type plan struct {
	point string // a name, or anyPoint
	at    int64
	seen  atomic.Int64
}

var armed = func() *plan {
	v := os.Getenv("PILIN_FAULT")
	if v == "" {
		return nil
	}
	p, err := parse(v, rand.Int64N)
	if err != nil {
		fmt.Fprintln(os.Stderr, "PILIN_FAULT:", err)
		os.Exit(2)
	}
	return p
}()

// Point kills the process if this is where and when PILIN_FAULT says so. Without the variable it is one comparison.
func Point(name string) {
	if armed != nil {
		armed.pass(name)
	}
}

func (p *plan) pass(name string) {
	if p.point != anyPoint && p.point != name {
		return
	}
	if p.seen.Add(1) != p.at {
		return
	}
	fmt.Fprintln(os.Stderr, "fault:", name)
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // the signal is on its way; not one instruction of the caller runs after the point
}

// parse reads the value of PILIN_FAULT; draw returns a number in [0,n).
func parse(v string, draw func(n int64) int64) (*plan, error) {
	name, count, counted := strings.Cut(v, ":")
	known := name == anyPoint
	for _, n := range Names() {
		known = known || n == name
	}
	if !known {
		return nil, fmt.Errorf("no point %q; there are %s and %s", name, strings.Join(Names(), ", "), anyPoint)
	}
	p := &plan{point: name, at: 1}
	switch {
	case name == anyPoint && !counted:
		p.at = 1 + draw(passesOfRandom)
	case count == anyPoint:
		p.at = 1 + draw(passesOfOne)
	case counted:
		n, err := strconv.ParseInt(count, 10, 64)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("pass %q: want a number from 1, or random", count)
		}
		p.at = n
	}
	return p, nil
}
