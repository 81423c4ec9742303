package wire

import (
	"time"

	"workerpool/shared/pool"
)

// Login is the body of POST /session.
type Login struct {
	Login    string `json:"login"`
	Password string `json:"password"`
}

// Session is the answer: a bearer token and how long it is good.
type Session struct {
	Token     string `json:"token"`
	ExpiresIn int64  `json:"expires_in"` // seconds
	Account   int64  `json:"account"`
	Role      string `json:"role"`
}

// Worker is one worker as operators and its owner see it.
type Worker struct {
	ID           int64        `json:"id"`
	Name         string       `json:"name"`
	Account      int64        `json:"account"`
	State        string       `json:"state"` // active, draining, inactive
	Live         bool         `json:"live"`
	LiveUntil    time.Time    `json:"live_until"`
	Slots        int          `json:"slots"`
	Quota        int          `json:"quota"` // assignments that the pool trusts it with at once so far
	Open         int          `json:"open_assignments"`
	Capabilities Capabilities `json:"capabilities"`
	Agreed       int          `json:"agreed"`        // results agreed upon
	Disagreed    int          `json:"disagreed"`     // results that lost against another digest
	FailedRuns   int          `json:"failed_runs"`   // runs that failed
	LostRuns     int          `json:"lost_runs"`     // runs and offers that expired
	HeartbeatS   int          `json:"heartbeat_s"`   // interval last told
	RegisteredAt time.Time    `json:"registered_at"` // by database time
}

// Workers is a page of GET /workers, ascending by id.
type Workers struct {
	Workers []Worker `json:"workers"`
	Next    int64    `json:"next,omitempty"`
}

// FromWorker gives a worker as JSON; the counts of its past are the caller's.
func FromWorker(w pool.Worker, now time.Time) Worker {
	return Worker{
		ID: int64(w.ID), State: string(w.State), Live: w.Live(now), LiveUntil: w.Until, Slots: w.Slots, Quota: w.Quota, Open: w.Open,
		Capabilities: FromCapabilities(w.Capabilities), HeartbeatS: int(w.Interval / time.Second),
	}
}
