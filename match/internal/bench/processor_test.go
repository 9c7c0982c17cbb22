package bench

import (
	"math"
	"syscall"
	"time"
)

// processor is the time that this process has used of processors.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func pow(x, y float64) float64 { return math.Pow(x, y) }
