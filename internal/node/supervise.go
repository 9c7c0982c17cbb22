package node

import (
	"context"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/pilinhub/pilin/record"
)

// Supervisor is what starts the node and wants to hear of it: systemd with Type=notify (sd_notify(3)). The zero Supervisor
// is nobody.
type Supervisor struct {
	Socket   string        // NOTIFY_SOCKET; @name is an abstract one
	Watchdog time.Duration // WATCHDOG_USEC: no beat for so long and the node is killed; 0 = no watchdog
}

// SupervisorOf reads the environment that systemd gives a service. pid is this process's: a watchdog meant for another
// process is none.
func SupervisorOf(getenv func(string) string, pid int) Supervisor {
	s := Supervisor{Socket: getenv("NOTIFY_SOCKET")}
	if p := getenv("WATCHDOG_PID"); p != "" && p != strconv.Itoa(pid) {
		return s
	}
	if us, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64); err == nil && us > 0 {
		s.Watchdog = time.Duration(us) * time.Microsecond
	}
	return s
}

// tell sends one message. A supervisor that does not hear is no reason to stop.
func (n *Node) tell(message string) {
	if n.cfg.Supervisor.Socket == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.cfg.Supervisor.Socket, Net: "unixgram"})
	if err == nil {
		_, err = conn.Write([]byte(message))
		if closeErr := conn.Close(); err == nil {
			err = closeErr
		}
	}
	if err != nil {
		n.slog.LogAttrs(context.Background(), slog.LevelWarn, "supervisor does not hear", slog.String("err", err.Error()))
	}
}

// beat tells the watchdog that the process lives, twice in each of its intervals, as long as alive says so.
func (n *Node) beat(ctx context.Context, alive func()) {
	every := n.cfg.Supervisor.Watchdog / 2
	if every <= 0 {
		return
	}
	for {
		lives := make(chan struct{})
		go func() { alive(); close(lives) }()
		select {
		case <-ctx.Done():
			return
		case <-lives: // one that hangs is waited for here for ever: the supervisor ends the process
		}
		n.tell("WATCHDOG=1")
		if !pause(ctx, nil, every) {
			return
		}
	}
}

// alive goes through the locks that every answer takes; it hangs if one of them is never let go. It asks neither database
// nor network: when those are gone a restart brings nothing back, and the node goes on by itself.
func (n *Node) alive() {
	n.t.release.Released()
	n.alarms.codes()
	n.index.Applied(record.Stream(n.cfg.Member, record.Records))
	n.dir.Active()
	for _, m := range n.roster.Peers() {
		n.t.schedule.LastHeard(m)
		n.t.heads.Standing(m)
	}
	n.t.replicas.Streams()
}
