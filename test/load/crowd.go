package main

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
)

// crowd is all simulated workers. They talk until Leave.
type crowd struct {
	client *client.Client // tries once: the conversation decides what is tried again
	meter  *Meter
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

func newCrowd(ctx context.Context, c *client.Client, m *Meter, login wire.Login, seed uint64) *crowd {
	out := &crowd{client: c, meter: m, login: login, seed: seed, mark: "load-" + rand.Text()[:8], ids: map[int64]*hand{}}
	out.ctx, out.cancel = context.WithCancel(ctx)
	return out
}

// Start adds one worker that should start at a time.
func (c *crowd) Start(a Actor, due time.Time) {
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
func (c *crowd) Leave() {
	c.cancel()
	c.all.Wait()
}

// registered notes whose id is whose: no two workers may be one.
func (c *crowd) registered(id int64, h *hand) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if other, known := c.ids[id]; known && other != h {
		c.meter.Fault("workers %s and %s were both registered as %d", other.name, h.name, id)
	}
	c.ids[id] = h
}

// told notes an interval.
func (c *crowd) told(interval time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.longest = max(c.longest, interval)
	if c.shortest == 0 || interval < c.shortest {
		c.shortest = interval
	}
}

// sharedSession logs in once for all.
func (c *crowd) sharedSession(ctx context.Context) (wire.Session, error) {
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
