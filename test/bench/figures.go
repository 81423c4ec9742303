package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"workerpool/shared/heartbeat"
	"workerpool/shared/pool"
	"workerpool/test/bench/measure"
)

func seed() uint64 { return rand.Uint64() }

// atLeast repeats an episode until it was measured for that long together.
func atLeast(d time.Duration, once func() (measure.Sample, error)) (measure.Sample, error) {
	var sum measure.Sample
	for sum.Took < d {
		s, err := once()
		if err != nil {
			return sum, err
		}
		sum = sum.Plus(s)
	}
	return sum, nil
}

// dispatching gives an episode's works to as many free slots, from the ring to the
// last commit: lease, look, draw, write, until nothing is left to do.
func (b *books) dispatching(ctx context.Context, d time.Duration) (measure.Sample, error) {
	if err := b.only(ctx, b.wide); err != nil {
		return measure.Sample{}, err
	}
	return atLeast(d, func() (measure.Sample, error) {
		s, err := b.server.Measure(func() (int, error) { return episode, b.dispatch.Run(ctx) })
		if err == nil {
			err = b.assigned(ctx, "offered", episode)
		}
		if err == nil {
			err = b.clean(ctx, episode)
		}
		return s, err
	})
}

// one gives out a single work behind all those that nobody can run.
func (b *books) one(ctx context.Context, d time.Duration) (measure.Sample, error) {
	if err := b.only(ctx, b.wide); err != nil {
		return measure.Sample{}, err
	}
	// Nothing else that fits may wait.
	if err := b.dispatch.Run(ctx); err != nil {
		return measure.Sample{}, err
	}
	if err := b.clean(ctx, 0); err != nil {
		return measure.Sample{}, err
	}
	s, err := atLeast(d, func() (measure.Sample, error) {
		if err := b.add(ctx, 1, pool.Demands{}); err != nil {
			return measure.Sample{}, err
		}
		s, err := b.server.Measure(func() (int, error) { return 1, b.dispatch.Run(ctx) })
		if err == nil {
			err = b.assigned(ctx, "offered", 1)
		}
		if err == nil {
			err = b.clean(ctx, 0)
		}
		return s, err
	})
	if err != nil {
		return s, err
	}
	return s, b.add(ctx, episode, pool.Demands{})
}

// submitting takes batches of some works in, from c callers at once, each a
// requester or all the same one. It forgets them afterwards.
func (b *books) submitting(ctx context.Context, d time.Duration, c, works int, same bool) (measure.Sample, error) {
	var last int64
	if err := b.sql.QueryRowContext(ctx, "SELECT COALESCE(MAX(id), 0) FROM batch").Scan(&last); err != nil {
		return measure.Sample{}, fmt.Errorf("finding the last batch: %w", err)
	}
	s, err := b.server.Measure(func() (int, error) {
		n, err := measure.Parallel(ctx, c, d, func(ctx context.Context, caller, _ int) error {
			requester := b.others[caller]
			if same {
				requester = b.others[0]
			}
			_, err := b.submit.Accept(ctx, batch(requester, works, pool.Demands{}))
			return err
		})
		return n * works, err
	})
	if err != nil {
		return s, err
	}
	first := int64(pool.BatchID(last + 1).Work(0))
	var stored int
	if err := b.sql.QueryRowContext(ctx, "SELECT COUNT(*) FROM work WHERE id >= ? AND state = 'waiting'", first).Scan(&stored); err != nil {
		return s, fmt.Errorf("counting what was submitted: %w", err)
	}
	if stored != s.N {
		return s, fmt.Errorf("%s: %d works were accepted and %d wait", b.name, s.N, stored)
	}
	for _, forget := range []string{
		"DELETE FROM ready WHERE work_id >= ?", "DELETE FROM work_item WHERE work_id >= ?", "DELETE FROM event WHERE work_id >= ?",
		"DELETE FROM work WHERE id >= ?", "DELETE FROM batch WHERE id >= ? >> 14",
	} {
		if err := b.exec(ctx, forget, first); err != nil {
			return s, err
		}
	}
	return s, nil
}

// resting lets workers call that have nothing, report nothing and get nothing.
func (b *books) resting(ctx context.Context, d time.Duration) (measure.Sample, error) {
	return b.server.Measure(func() (int, error) {
		return measure.Parallel(ctx, callers, d, func(ctx context.Context, _, _ int) error {
			_, err := b.heartbeat.Beat(ctx, heartbeat.Call{Account: b.crowd, Worker: b.narrow[rand.IntN(len(b.narrow))]})
			return err
		})
	})
}

// turn is an assignment as its worker knows it.
type turn struct {
	worker  pool.WorkerID
	work    pool.WorkID
	attempt int
}

// turns reads what was dispatched, by worker.
func (b *books) turns(ctx context.Context) (map[pool.WorkerID][]turn, error) {
	rows, err := b.sql.QueryContext(ctx, "SELECT worker_id, work_id, attempt FROM assignment ORDER BY worker_id, work_id")
	if err != nil {
		return nil, fmt.Errorf("reading what was dispatched: %w", err)
	}
	defer rows.Close()
	out := map[pool.WorkerID][]turn{}
	for rows.Next() {
		var t turn
		if err := rows.Scan(&t.worker, &t.work, &t.attempt); err != nil {
			return nil, fmt.Errorf("reading what was dispatched: %w", err)
		}
		out[t.worker] = append(out[t.worker], t)
	}
	return out, rows.Err()
}

// steps are what a worker says of a work that goes well.
var steps = []pool.ReportState{pool.SaysRunning, pool.SaysReported, pool.SaysUploaded}

func (t turn) report(says pool.ReportState) pool.Report {
	r := pool.Report{Work: t.work, Attempt: t.attempt, Says: says}
	if says != pool.SaysRunning {
		r.Digest, r.Size = resultDigest, resultSize
	}
	return r
}

// say lets workers, dealt to c callers, say one step of all they have, in one
// heartbeat each. It gives the number of heartbeats.
func (b *books) say(ctx context.Context, c int, turns map[pool.WorkerID][]turn, workers []pool.WorkerID, says pool.ReportState) (int, error) {
	return len(workers), measure.Together(ctx, c, func(ctx context.Context, caller int) error {
		for i := caller; i < len(workers); i += c {
			call := heartbeat.Call{Account: b.crowd, Worker: workers[i], Trace: pool.Trace{Account: b.crowd, RequestID: "bench"}}
			for _, t := range turns[workers[i]] {
				call.Reports = append(call.Reports, t.report(says))
			}
			reply, err := b.heartbeat.Beat(ctx, call)
			if err != nil {
				return err
			}
			if len(reply.Instructions) != len(call.Reports) {
				return fmt.Errorf("worker %d said %s of %d works and was told %d things", workers[i], says, len(call.Reports), len(reply.Instructions))
			}
		}
		return nil
	})
}

// reporting lets workers with one work each say that it runs, is computed, is
// uploaded: heartbeats with one report and the instruction that answers it.
func (b *books) reporting(ctx context.Context, d time.Duration) (measure.Sample, error) {
	if err := b.only(ctx, b.narrow); err != nil {
		return measure.Sample{}, err
	}
	return atLeast(d, func() (measure.Sample, error) {
		if err := b.dispatch.Run(ctx); err != nil {
			return measure.Sample{}, err
		}
		turns, err := b.turns(ctx)
		if err != nil {
			return measure.Sample{}, err
		}
		s, err := b.server.Measure(func() (n int, err error) {
			for _, says := range steps {
				beats, err := b.say(ctx, callers, turns, b.narrow, says)
				if err != nil {
					return 0, err
				}
				n += beats
			}
			return n, nil
		})
		if err == nil {
			err = b.done(ctx, turns)
		}
		if err == nil {
			err = b.clean(ctx, episode)
		}
		return s, err
	})
}

// living brings works through their whole life in bulk, by one caller: a batch is
// submitted, as many works are dispatched, and workers of many slots report all
// they have at once.
func (b *books) living(ctx context.Context, d time.Duration) (measure.Sample, error) {
	if err := b.only(ctx, b.bulk); err != nil {
		return measure.Sample{}, err
	}
	return atLeast(d, func() (measure.Sample, error) {
		var turns map[pool.WorkerID][]turn
		s, err := b.server.Measure(func() (int, error) {
			err := b.add(ctx, episode, pool.Demands{})
			if err == nil {
				err = b.dispatch.Run(ctx)
			}
			if err == nil {
				turns, err = b.turns(ctx)
			}
			for _, says := range steps {
				if err == nil {
					_, err = b.say(ctx, 1, turns, b.bulk, says)
				}
			}
			return episode, err
		})
		if err == nil {
			err = b.done(ctx, turns)
		}
		if err == nil {
			err = b.clean(ctx, 0)
		}
		return s, err
	})
}

// done holds an episode's works to have been done, all and no other.
func (b *books) done(ctx context.Context, turns map[pool.WorkerID][]turn) error {
	var works []pool.WorkID
	for _, of := range turns {
		for _, t := range of {
			works = append(works, t.work)
		}
	}
	var got int
	err := b.sql.QueryRowContext(ctx, "SELECT COUNT(*) FROM work w JOIN assignment a ON a.work_id = w.id WHERE w.state = 'done' AND a.state = 'closed'").Scan(&got)
	if err != nil {
		return fmt.Errorf("counting what was done: %w", err)
	}
	slices.Sort(works)
	if n := len(slices.Compact(works)); n != episode || got != episode {
		return fmt.Errorf("%s: of %d works %d were dispatched and %d are done", b.name, episode, n, got)
	}
	return nil
}
