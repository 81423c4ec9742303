package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"workerpool/shared/client"
	"workerpool/shared/pool"
	"workerpool/test/load/crowd"
)

// Found is what the pool says at the end of what it had accepted.
type Found struct {
	Accepted  int            `json:"accepted"`      // works, by the answers to POST /works
	States    map[string]int `json:"states"`        // of those, each found once by walking all pages
	Fetched   int            `json:"fetched"`       // results whose bytes were compared
	Workers   int            `json:"workers"`       // registered and found by walking GET /workers
	RunsBegun int64          `json:"runs_begun"`    // by simulated workers
	Answered  int            `json:"answered_late"` // submissions whose answer was lost, and that were settled by their keys
}

const (
	walkers   = 4   // batches walked at once
	fetches   = 200 // results fetched at most
	glanceAge = 15 * time.Second
)

// verify walks all that was accepted, when nobody acts any more.
func verify(ctx context.Context, q *requester, c *crowd.Crowd) (Found, error) {
	found := Found{States: map[string]int{}, RunsBegun: c.Runs()}
	if err := q.settleDoubts(ctx, &found); err != nil {
		return found, err
	}
	found.Accepted = q.accepted
	var mu sync.Mutex
	var all sync.WaitGroup
	var failed error
	next := make(chan promise)
	for range walkers {
		all.Go(func() {
			for b := range next {
				states, err := q.walk(ctx, b)
				mu.Lock()
				if err != nil && failed == nil {
					failed = err
				}
				for state, n := range states {
					found.States[state] += n
				}
				mu.Unlock()
			}
		})
	}
	for _, b := range q.batches {
		next <- b
	}
	close(next)
	all.Wait()
	if failed != nil {
		return found, failed
	}
	sum := 0
	for _, n := range found.States {
		sum += n
	}
	if sum != found.Accepted {
		q.meter.Fault("%d works were accepted and %d found: %v", found.Accepted, sum, found.States)
	}
	if err := q.fetch(ctx, &found); err != nil {
		return found, err
	}
	if err := q.glance(ctx, found); err != nil {
		return found, err
	}
	return found, q.census(ctx, c.Names(), &found)
}

// settleDoubts repeats submissions that had no answer: by their keys they are taken
// once only.
func (q *requester) settleDoubts(ctx context.Context, found *Found) error {
	for _, d := range q.doubtful {
		accepted, err := q.client.Submit(ctx, q.token, d.key, d.submission)
		if err != nil {
			return fmt.Errorf("repeating a submission that had no answer: %w", err)
		}
		q.promised(accepted, d.submission)
		found.Answered++
	}
	q.doubtful = nil
	return nil
}

// pageSize is the most works that a page may have.
const pageSize = 1000

// walk reads all works of a batch and counts their states. The batch itself must
// tell of as many that have ended, or more: the pool goes on by itself.
func (q *requester) walk(ctx context.Context, b promise) (map[string]int, error) {
	states := map[string]int{}
	expected := b.FirstWork
	for after := int64(0); ; {
		page, err := q.client.Works(ctx, q.token, client.WorksFilter{Batch: b.Batch, After: after, Limit: pageSize})
		if err != nil {
			return nil, fmt.Errorf("walking batch %d: %w", b.Batch, err)
		}
		q.page(expected, page.Works)
		expected += int64(len(page.Works))
		for _, w := range page.Works {
			states[w.State]++
		}
		if after = page.Next; after == 0 {
			break
		}
	}
	if expected != b.LastWork+1 {
		q.meter.Fault("batch %d was accepted with %d works, %d were found", b.Batch, b.Works, expected-b.FirstWork)
	}
	told, err := q.batch(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("counting batch %d: %w", b.Batch, err)
	}
	for _, state := range pool.WorkStates {
		if s := string(state); state.Ended() && told.States[s] < states[s] {
			q.meter.Fault("batch %d tells of %d works that are %s, %d were found before", b.Batch, told.States[s], s, states[s])
		}
	}
	return states, nil
}

// fetch compares the bytes of results.
func (q *requester) fetch(ctx context.Context, found *Found) error {
	for id, e := range q.ended { // in no order: a sample
		if found.Fetched == fetches {
			break
		}
		if e.state != string(pool.Done) {
			continue
		}
		if err := q.result(ctx, id); err != nil {
			return fmt.Errorf("fetching the result of work %d: %w", id, err)
		}
		found.Fetched++
	}
	return nil
}

// glance compares how many works have not ended by GET /pool with what was found,
// once its answer is new enough.
// Only a pool that nobody else uses can be held to it.
func (q *requester) glance(ctx context.Context, found Found) error {
	if !q.alone {
		return nil
	}
	open := func(states map[string]int) (sum int) {
		for _, state := range pool.WorkStates {
			if !state.Ended() {
				sum += states[string(state)]
			}
		}
		return sum
	}
	for until := time.Now().Add(glanceAge); ; {
		told, err := q.client.Pool(ctx)
		if err != nil {
			return fmt.Errorf("looking at the pool: %w", err)
		}
		if open(told.Works) == open(found.States) {
			return nil
		}
		if !time.Now().Before(until) {
			q.meter.Fault("GET /pool tells %v, found were %v", told.Works, found.States)
			return nil
		}
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
}

// census walks all workers: each that was registered is there, and holds no more
// than it has slots for.
func (q *requester) census(ctx context.Context, names map[int64]string, found *Found) error {
	for after := int64(0); ; {
		page, err := q.client.Workers(ctx, q.token, after, pageSize)
		if err != nil {
			return fmt.Errorf("walking the workers: %w", err)
		}
		for _, w := range page.Workers {
			name, mine := names[w.ID]
			if !mine {
				continue
			}
			found.Workers++
			if w.Name != name || w.Open > w.Slots {
				q.meter.Fault("worker %d, %s, is told of as %s with %d open assignments and %d slots", w.ID, name, w.Name, w.Open, w.Slots)
			}
		}
		if after = page.Next; after == 0 {
			break
		}
	}
	if found.Workers != len(names) {
		q.meter.Fault("%d workers were registered and %d found", len(names), found.Workers)
	}
	return nil
}

// pause waits, but not beyond the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
