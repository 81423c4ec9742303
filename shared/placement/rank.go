package placement

import (
	"time"

	"workerpool/shared/pool"
)

// Works are ranked by start-time fair queueing (Goyal, Vin and Cheng, 1996), in
// milliseconds of slot time. Virtual time V is the start tag of the last work
// that was dispatched; a requester's clock is where the works it has submitted
// so far end. What is submitted begins at the later of both, so a requester with
// ten thousand works waiting does not keep another's ten behind them, and one
// that had an idle pool for itself owes nothing afterwards.

// boosts is how much slot time a work of a priority goes ahead of a normal one
// with the same start tag. Finite, so that nothing starves; and a requester that
// gives all its works priority gets that head start once, not a larger share.
var boosts = map[pool.Priority]time.Duration{
	pool.High: 24 * time.Hour,
	pool.Low:  -24 * time.Hour,
}

// Boost gives what a priority takes off a work's start tag to make its rank;
// smaller ranks go first. Waiting ages a work without any sweep, as V goes on.
func Boost(p pool.Priority) time.Duration { return boosts[p] }

// Cost gives how far one work moves its requester's clock: the slot time that it
// may take (its run limit, for each of its replicas), by the requester's weight.
// At least 1.
func Cost(limit time.Duration, replicas, weight int) int64 {
	return max(1, limit.Milliseconds()*int64(replicas)/int64(weight))
}

// StartTag gives the start tag of the first of a requester's works. front is the
// start tag of the first work in the queue that they join, virtual where there
// is none: a queue that few workers serve is behind the virtual time, and
// whoever joins it must not wait behind all of it. What the requester has been
// given beyond its share, its debt, counts in every queue.
func StartTag(virtual, front, clock int64) int64 {
	return min(virtual, front) + max(0, clock-virtual)
}

// ClockAfter gives a requester's clock after so many works of a cost.
func ClockAfter(virtual, clock, cost int64, works int) int64 {
	return max(virtual, clock) + cost*int64(works)
}
