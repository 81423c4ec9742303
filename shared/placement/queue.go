package placement

import "workerpool/shared/pool"

// Bookmark remembers, class by class, how far a dispatcher has looked, so that
// works nobody present may run do not hide those behind them.
type Bookmark map[pool.ClassID]Place

// Place is a position in a class's queue.
type Place struct {
	Rank int64
	Work pool.WorkID    // the last that was looked at in vain; 0 = none yet
	End  bool           // there was nothing behind
	Full []pool.BatchID // at their limits: not looked at again
}

// Pass is what one look at the queues came to.
type Pass struct {
	Over      []pool.WorkID // works with something that is over: settle them first; then nothing was dispatched
	Held      int           // leases that were prolonged instead of declaring their workers lost; then nothing was dispatched
	Offers    int           // assignments made
	Moved     bool          // the plan met rows that had changed; nothing was written, look again
	Exhausted bool          // every queue that somebody could run was seen to its end
}
