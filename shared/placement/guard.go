package placement

import "time"

// Sweep is what the guard against mass loss sees before leases that ended are
// taken at their word: when many end together, the network or the pool itself
// was away and not the workers.
type Sweep struct {
	Now  time.Time
	Last time.Time // the last sweep before
	Held time.Time // when leases were last prolonged in an outage that is not over; zero = none
	Live int       // workers whose lease holds
	Lost int       // workers whose lease ended within the LossWindow
}

// The guard's numbers.
const (
	LossWindow  = 2 * time.Minute // leases that end within it end together; a pool that did not sweep for so long was out itself
	guardFrom   = 10              // workers: of fewer, some may well be lost together
	guardShare  = 5               // one in so many may be lost
	outageAfter = 6 * time.Minute // the longest prolonged lease (4 intervals of 60 s) and a window more
)

// Hold tells that every lease gets one full period first. It does so once in an
// outage: workers that do not come back within it are lost.
func (s Sweep) Hold() bool {
	return s.Held.IsZero() && (s.out() || s.many())
}

// Over tells that an outage in which leases were held is over.
func (s Sweep) Over() bool {
	return !s.Held.IsZero() && !s.out() && !s.many() && s.Now.Sub(s.Held) >= outageAfter
}

// Since gives the moment after which a lease must have ended to be held.
func (s Sweep) Since() time.Time {
	if window := s.Now.Add(-LossWindow); window.Before(s.Last) {
		return window
	}
	return s.Last
}

func (s Sweep) out() bool { return s.Now.Sub(s.Last) > LossWindow }

func (s Sweep) many() bool {
	all := s.Live + s.Lost
	return all >= guardFrom && s.Lost*guardShare > all
}
