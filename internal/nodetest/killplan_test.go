package nodetest_test

import (
	"fmt"
	"strings"

	"github.com/pilinhub/pilin/internal/fault"
)

// database says what happens to the database in a cycle.
type database int

const (
	databaseStays  database = iota
	databaseAfter           // stopped at once after the node was killed
	databaseFirst           // stopped under the running node, which is killed while its requests fail
	databaseBlinks          // stopped and started under the running node, which must go on and is killed later
)

// cycle is one life of the node and how it ends.
type cycle struct {
	number   int
	point    string // where the node kills itself; empty: we kill it
	database database
	// release is how many acknowledgements come before the peer may answer, and so before the node is released.
	release int
	// kill is how many acknowledgements come before it is killed without a point; self says that it does so itself, right
	// after an answer has left, which is the worst moment of all.
	kill int
	self bool
}

// Numbers of a cycle.
const (
	enough  = 50 // acknowledgements that every life must have made
	quarry  = 60 // acknowledgements before what leads to points beyond the append begins
	never   = 1 << 30
	round   = 20 // after which the plan begins anew, with the other database fate
	details = 8  // passes of a point beyond those that the start makes
	guests  = 12 // records of the peer in a life that does not end by taking them in
)

// plan returns the cycles: every named point in turn, then kills at random moments; every second one also stops the
// database.
func plan(n int, stops bool) []cycle {
	var out []cycle
	points := fault.Names()
	for i := range n {
		c := cycle{number: i, release: quarry / 4}
		k := i % round
		if k < len(points) {
			c.point = points[k]
		} else {
			c.kill, c.self = enough+i*37%101, k%2 == 0
			if k == round-3 {
				c.release = never // killed before it is released
			}
		}
		if !strings.HasPrefix(c.point, "append.") && c.point != fault.NodeBeforeReply && c.point != "" {
			c.release = quarry
		}
		if stops && (i+i/round)%2 == 1 {
			c.database = databaseAfter
			switch {
			case c.point != "" || c.self:
			case k%4 == 3:
				c.database = databaseFirst
			case k == round-7:
				c.database = databaseBlinks
			}
		}
		out = append(out, c)
	}
	return out
}

// fault is the value of PILIN_FAULT. tail is how many records the start appends again, backlog how many of the peer's
// frames wait for the node: what it passes before anybody has asked for anything.
func (c cycle) fault(tail, backlog int) string {
	switch {
	case c.point == "":
		return ""
	case strings.HasPrefix(c.point, "append."):
		return fmt.Sprintf("%s:%d", c.point, tail+120+c.number*7%40)
	case c.point == fault.NodeBeforeReply:
		return fmt.Sprintf("%s:%d", c.point, 120+c.number*7%40)
	case c.taking():
		return fmt.Sprintf("%s:%d", c.point, backlog+details)
	case c.point == fault.ReleaseBeforeSign:
		return c.point
	}
	return fmt.Sprintf("%s:%d", c.point, details+c.number*7%20)
}

// taking reports whether the life ends while the node takes in what the peer sends.
func (c cycle) taking() bool { return strings.HasPrefix(c.point, "intake.") }

func (c cycle) String() string {
	how := c.point
	if how == "" {
		how = fmt.Sprintf("SIGKILL after %d", c.kill)
		if c.self {
			how += " by itself, right after an answer"
		}
		if c.release == never {
			how += " unreleased"
		}
	}
	return fmt.Sprintf("%d %s%s", c.number, how, [...]string{"", ", then PostgreSQL -m immediate", ", PostgreSQL -m immediate first",
		", PostgreSQL -m immediate and back in between"}[c.database])
}
