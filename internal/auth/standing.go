package auth

import (
	"sync"
	"time"
)

// maxStandings bounds the memory of looks at accounts; when it is full it starts anew.
const maxStandings = 10_000

// standings remembers looks at accounts for StandingFor, so that a busy page does not ask SQL for each picture. It holds
// refusals as well as permissions and is never asked beyond its time, also when the clock ran backwards.
type standings struct {
	mu sync.Mutex
	by map[[2]string]look
}

type look struct {
	standing Standing
	at       time.Time
}

func (s *standings) get(account, family string, now time.Time) (Standing, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.by[[2]string{account, family}]
	if age := now.Sub(l.at); !ok || age < 0 || age >= StandingFor {
		return Standing{}, false
	}
	return l.standing, true
}

func (s *standings) put(account, family string, st Standing, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil || len(s.by) >= maxStandings {
		s.by = map[[2]string]look{}
	}
	s.by[[2]string{account, family}] = look{st, now}
}

// forget drops every look at an account, so that what this process changed counts at once.
func (s *standings) forget(account string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.by {
		if k[0] == account {
			delete(s.by, k)
		}
	}
}
