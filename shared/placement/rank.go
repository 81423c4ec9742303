package placement

import (
	"time"

	"workerpool/shared/pool"
)

// boosts is how much sooner a work of a priority goes than a normal one that was
// accepted at the same moment. Finite, so that nothing starves.
var boosts = map[pool.Priority]time.Duration{
	pool.High:   time.Hour,
	pool.Normal: 0,
	pool.Low:    -time.Hour,
}

// Rank gives a work's place in its class's queue in microseconds: its acceptance
// by database time less its priority's boost. Smaller goes first, so waiting
// ages a work without any sweep.
func Rank(accepted time.Time, p pool.Priority) int64 {
	return accepted.Add(-boosts[p]).UnixMicro()
}
