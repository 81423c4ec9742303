package wire

import (
	"math"

	"workerpool/shared/pool"
)

// Steered is the answer to POST /pool/drain, /pool/deactivate and
// /pool/activate: what the pool was and what it is. They are the same when it
// was so already.
type Steered struct {
	Before string `json:"before"` // active, draining, inactive
	State  string `json:"state"`
}

// Share is the body of PUT /requesters/{login}/share, and its and GET's answer.
type Share struct {
	Weight     int `json:"weight"`                // twice the weight gets twice the share while others wait too
	MaxRunning int `json:"max_running,omitempty"` // works with open assignments at once; 0 = no limit
}

// Parse checks a share.
func (s Share) Parse() (pool.Share, error) {
	if s.Weight < 1 || s.Weight > pool.MaxWeight {
		return pool.Share{}, invalid("weight", "1 to %d, here %d", pool.MaxWeight, s.Weight)
	}
	if s.MaxRunning < 0 || s.MaxRunning > math.MaxInt32 {
		return pool.Share{}, invalid("max_running", "0 (no limit) to %d, here %d", math.MaxInt32, s.MaxRunning)
	}
	return pool.Share{Weight: s.Weight, MaxRunning: s.MaxRunning}, nil
}

// FromShare is the way back.
func FromShare(s pool.Share) Share { return Share{Weight: s.Weight, MaxRunning: s.MaxRunning} }
