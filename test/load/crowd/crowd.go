// Package crowd is the simulated workers of the load tool. It owns how they behave
// and hold the pool to what it promises to workers; it must not know what the works
// are submitted for.
package crowd

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	randv2 "math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"workerpool/shared/client"
	"workerpool/shared/wire"
	"workerpool/test/load/meter"
	"workerpool/test/load/plan"
)

// Crowd is all simulated workers. They talk until Leave.
type Crowd struct {
	client *client.Client // tries once: the conversation decides what is tried again
	meter  *meter.Meter
	login  wire.Login
	seed   uint64
	mark   string // before all names, so that a pool may be loaded more than once

	ctx    context.Context
	cancel context.CancelFunc
	all    sync.WaitGroup
	runs   atomic.Int64 // begun

	mu       sync.Mutex
	hands    int
	ids      map[int64]*hand
	longest  time.Duration // between heartbeats, as told
	shortest time.Duration
	session  wire.Session
	until    time.Time // the session's
}

// New makes a crowd of nobody, whose workers log in with login.
func New(ctx context.Context, c *client.Client, m *meter.Meter, login wire.Login, seed uint64) *Crowd {
	out := &Crowd{client: c, meter: m, login: login, seed: seed, mark: "load-" + rand.Text()[:8], ids: map[int64]*hand{}}
	out.ctx, out.cancel = context.WithCancel(ctx)
	return out
}

// Start adds one worker that should start at a time.
func (c *Crowd) Start(a plan.Actor, due time.Time) {
	c.mu.Lock()
	n := c.hands
	c.hands++
	c.mu.Unlock()
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: it ends the program instead
	h := &hand{
		crowd: c, actor: a, name: fmt.Sprintf("%s-%d", c.mark, n), key: hex.EncodeToString(key), due: due,
		rng: randv2.New(randv2.NewPCG(c.seed, uint64(n))), turns: map[int64]*turn{}, seen: map[int64]given{}, changed: make(chan struct{}, 1),
	}
	c.all.Go(func() { h.Run(c.ctx) })
}

// Leave ends all workers: each reports once more, if there is something to tell.
func (c *Crowd) Leave() {
	c.cancel()
	c.all.Wait()
}

// registered notes whose id is whose: no two workers may be one.
func (c *Crowd) registered(id int64, h *hand) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if other, known := c.ids[id]; known && other != h {
		c.meter.Fault("workers %s and %s were both registered as %d", other.name, h.name, id)
	}
	c.ids[id] = h
}

// told notes an interval.
func (c *Crowd) told(interval time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.longest = max(c.longest, interval)
	if c.shortest == 0 || interval < c.shortest {
		c.shortest = interval
	}
}

// sharedSession logs in once for all.
func (c *Crowd) sharedSession(ctx context.Context) (wire.Session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Now().Before(c.until) {
		return c.session, nil
	}
	due := time.Now()
	session, err := c.client.Session(ctx, c.login)
	c.meter.Took("session", due, err)
	if err == nil {
		c.session, c.until = session, due.Add(time.Duration(session.ExpiresIn)*time.Second/2)
	}
	return session, err
}

// Names gives the names of all registered workers by their ids.
func (c *Crowd) Names() map[int64]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[int64]string{}
	for id, h := range c.ids {
		out[id] = h.name
	}
	return out
}

// Runs gives how many runs have begun.
func (c *Crowd) Runs() int64 { return c.runs.Load() }

// Intervals gives the shortest and the longest time between heartbeats that the
// pool told.
func (c *Crowd) Intervals() (shortest, longest time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shortest, c.longest
}
