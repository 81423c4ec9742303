package placement

import (
	"time"

	"workerpool/shared/pool"
)

// boosts is how much sooner a work of a priority goes than a normal one that was
// accepted at the same moment. Finite, so that nothing starves.
var boosts = map[pool.Priority]time.Duration{
	pool.High: time.Hour,
	pool.Low:  -time.Hour,
}

// Boost gives what a priority takes off a work's rank. The rank is the moment of
// acceptance in microseconds of database time less the boost; smaller goes
// first, so waiting ages a work without any sweep.
func Boost(p pool.Priority) time.Duration { return boosts[p] }
