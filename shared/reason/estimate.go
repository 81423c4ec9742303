package reason

import (
	"math"
	"time"
)

// Estimate is when something that is counted is expected to have happened so
// often, judged by how often it happened lately.
type Estimate struct {
	After  time.Duration // from now
	Error  time.Duration // standard error of After
	Seen   int           // how many it is judged by
	Window time.Duration // and in what time they happened
}

// bins is in how many parts the window is cut to see how evenly things happen.
const bins = 10

// Expect tells when n more of what happened at the moments seen, all of them
// between since and now, will have happened if it goes on like that; false when
// nothing was seen. The error holds two parts: the rate is known from that many
// events only, and the events to come are as uneven as those seen. Both are those
// of independent events at least, larger where they came in bursts.
func Expect(n int, seen []time.Time, since, now time.Time) (Estimate, bool) {
	window := now.Sub(since)
	if len(seen) == 0 || window <= 0 || n < 1 {
		return Estimate{}, false
	}
	var counts [bins]float64
	for _, at := range seen {
		counts[max(0, min(bins-1, int(at.Sub(since)*bins/window)))]++
	}
	mean, variance := float64(len(seen))/bins, 0.0
	for _, c := range counts {
		variance += (c - mean) * (c - mean) / (bins - 1)
	}
	uneven := max(1, variance/mean)
	after := float64(n) / float64(len(seen)) * float64(window)
	spread := math.Sqrt(uneven/float64(len(seen)) + uneven/float64(n))
	return Estimate{After: duration(after), Error: duration(after * spread), Seen: len(seen), Window: window}, true
}

// duration is the nearest that a Duration can say: what takes longer than
// centuries need not be told apart.
func duration(ns float64) time.Duration {
	return time.Duration(min(ns, math.MaxInt64/2))
}
