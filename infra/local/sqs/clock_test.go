package sqs_test

import (
	"sync"
	"time"
)

// clock is a clock that moves only when told to.
type clock struct {
	asked chan struct{} // one for every wait that began

	mu      sync.Mutex
	now     time.Time
	waiting map[chan time.Time]time.Time
}

func newClock() *clock {
	return &clock{
		now:     time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC),
		waiting: map[chan time.Time]time.Time{},
		asked:   make(chan struct{}, 100),
	}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) At(t time.Time) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	fire := make(chan time.Time, 1)
	if t.After(c.now) {
		c.waiting[fire] = t
	} else {
		fire <- c.now
	}
	c.asked <- struct{}{}
	return fire
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for fire, t := range c.waiting {
		if !t.After(c.now) {
			fire <- c.now
			delete(c.waiting, fire)
		}
	}
}

// parked returns when a wait has begun since the last call.
func (c *clock) parked() { <-c.asked }
