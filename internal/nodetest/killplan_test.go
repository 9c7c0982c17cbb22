package nodetest_test

import (
	"fmt"
	"strings"
	"time"

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
	usual   = 20 // cycles, which is every point and every other life once
	details = 8  // passes of a point beyond those that the start makes
	guests  = 12 // records of the peer in a life that does not end by taking them in
)

// others are the lives that no point ends, behind those of the points in each round.
var others = []cycle{
	{},
	{self: true, database: databaseAfter},
	{release: never}, // killed before it is released
	{database: databaseFirst},
	{self: true},
	{self: true, database: databaseAfter},
	{database: databaseBlinks},
	{},
}

// plan returns n cycles: every named point in turn, each second one with a stop of the database, then others; half of all
// stop the database, if it is one that stops by itself.
func plan(n int, stops bool) []cycle {
	var out []cycle
	points := fault.Names()
	round := len(points) + len(others)
	for i := range n {
		var c cycle
		if k := i % round; k < len(points) {
			c.point = points[k]
			if (k+i/round)%2 == 1 {
				c.database = databaseAfter
			}
		} else {
			c = others[k-len(points)]
			c.kill = enough + i*37%101
		}
		c.number = i
		if !stops {
			c.database = databaseStays
		}
		switch {
		case c.release == never:
		case strings.HasPrefix(c.point, "append."), c.point == fault.NodeBeforeReply, c.point == "":
			c.release = quarry / 4
		default:
			c.release = quarry
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

// commit is how long PostgreSQL takes for each commit of the life: long where it is stopped right after an answer, so that
// an answer that did not wait for its commit is found out.
func (c cycle) commit() time.Duration {
	if c.self && c.database == databaseAfter {
		return 100 * time.Millisecond
	}
	return 0
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
