package reason_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/reason"
)

func one[E any](t *rapid.T, label string, from ...E) E {
	return from[rapid.IntRange(0, len(from)-1).Draw(t, label)]
}

func anyWorker(t *rapid.T, id pool.WorkerID) pool.Worker {
	w := able(id, rapid.IntRange(1, 2).Draw(t, "slots"))
	w.Owner = one(t, "owner", w.Owner, w.Owner, "account:1")
	w.State = one(t, "state", pool.Active, pool.Active, pool.Active, pool.Draining)
	w.Quota, w.Open = one(t, "quota", 1, 2), one(t, "open", 0, 0, 1)
	w.Until = one(t, "until", now.Add(time.Minute), now.Add(time.Minute), now)
	c := &w.Capabilities
	c.CPU, c.GPU, c.Tags = one(t, "cpu", 2, 2, 1), one(t, "gpu", 0, 1), one(t, "tags", nil, []string{"eu"})
	c.Version, c.MaxRun = one(t, "version", "", "1.2.3", "1.10.0"), one(t, "max run", 0, time.Second, time.Hour)
	c.Apps.Deny, c.Requesters.Allow = one(t, "apps", nil, nil, []string{"s*"}), one(t, "requesters", nil, nil, []string{"eve"})
	return w
}

func anyDemands(t *rapid.T) pool.Demands {
	d := needs
	switch one(t, "demand", 0, 0, 0, 1, 2, 3, 4, 5, 6, 7) {
	case 1:
		d.GPU = 1
	case 2:
		d.Tags = []string{"eu"}
	case 3:
		d.NotTags = []string{"eu"}
	case 4:
		d.MinVersion = "1.9.0"
	case 5:
		d.App = pool.App{Type: pool.DockerApp, Name: "image"}
	case 6:
		d.OS, d.Arch, d.TEE = "linux", "amd64", "sgx"
	case 7:
		d.App.Type = "wasm"
	}
	return d
}

// Nothing is missed exactly when every demand is met, and what each miss asks for
// is one thing.
func TestMissesAreDemands(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, d := anyWorker(t, 1).Capabilities, anyDemands(t)
		misses := placement.Misses(c, d)
		if placement.Meets(c, d) != (len(misses) == 0) {
			t.Fatalf("%+v for %+v: %+v", c, d, misses)
		}
		for i, m := range misses {
			if m.Demand == "" || m.If == "" || slices.Contains(misses[:i], m) {
				t.Fatalf("%+v", misses)
			}
		}
	})
}

// A reason is true: a work alone in the queue is given a worker exactly when the
// reason is that the next draw is for it, a worker exactly when nothing keeps it
// and nobody else could be drawn; and nobody is drawn who was not counted.
func TestReasonsAreThoseOfPlacement(t *testing.T) {
	t.Parallel()
	codes := map[reason.Code]int{}
	rapid.Check(t, func(t *rapid.T) {
		q := waiting()
		q.State = one(t, "pool", pool.PoolActive, pool.PoolActive, pool.PoolActive, pool.PoolDraining)
		q.Demands, q.Ready.Trust = anyDemands(t), one(t, "trust", 0, 3)
		q.Work.ID, q.Ready.Work, q.Ready.Requester = 16384, 16384, 4
		q.Batch, q.Requester = one(t, "batch", placement.Limit{}, placement.Limit{Max: 1, Running: 1}), one(t, "requester", placement.Limit{}, placement.Limit{Max: 2, Running: 1})
		q.Workers = nil
		for id := range pool.WorkerID(rapid.IntRange(0, 4).Draw(t, "workers")) {
			w := anyWorker(t, id+1)
			q.Workers = append(q.Workers, w)
			if one(t, "turn", false, false, true) {
				turn := pool.Assignment{Worker: w.ID, Owner: w.Owner, Attempt: one(t, "attempt", 1, 3), State: one(t, "turn's state", pool.Refused, pool.Expired, pool.Broken, pool.InRun)}
				turn.Started = turn.State == pool.InRun || turn.State == pool.Broken
				q.Ready.Turns = append(q.Ready.Turns, turn)
			}
		}
		s := placement.Snapshot{
			Now: now, State: q.State, Workers: q.Workers, Classes: []placement.Class{{ID: 5, Demands: q.Demands, Ready: []placement.Ready{q.Ready}}},
			Batches: map[pool.BatchID]placement.Limit{}, Requesters: map[pool.AccountID]placement.Limit{},
		}
		if q.Batch.Max > 0 {
			s.Batches[1] = q.Batch
		}
		if q.Requester.Max > 0 {
			s.Requesters[4] = q.Requester
		}
		offers := placement.Decide(s, rapid.Uint64().Draw(t, "seed"), placement.Defaults).Offers
		e := reason.Explain(q, placement.Defaults)
		codes[e.Code]++
		if (len(offers) > 0) != (e.Code == reason.Next) {
			t.Fatalf("%s (%s), and the plan is %+v", e.Code, e.Words, offers)
		}
		for _, w := range q.Workers {
			l := reason.Look{
				Now: now, State: q.State, Worker: w, Workers: q.Workers, Batches: s.Batches, Requesters: s.Requesters,
				Queues: []reason.Queue{{Class: s.Classes[0], Works: 1}},
			}
			i := reason.Idle(l, placement.Defaults)
			codes[i.Code]++
			alone := s
			alone.Workers = []pool.Worker{w}
			if drawn := len(placement.Decide(alone, 1, placement.Defaults).Offers) > 0; drawn != (i.Code == reason.Drawable) {
				t.Fatalf("worker %d: %s (%s), and drawn alone: %v", w.ID, i.Code, i.Words, drawn)
			}
			if i.Code == reason.Drawable && (i.Tickets < 1 || i.Tickets > i.All || i.Owners < 1) {
				t.Fatalf("%+v", i)
			}
		}
	})
	if len(codes) < 12 {
		t.Errorf("only %v were met", codes)
	}
}

// The same draw comes out again, and another seed or work is not taken for it.
func TestReplay(t *testing.T) {
	t.Parallel()
	s := placement.Snapshot{Now: now, State: pool.PoolActive}
	for id := range pool.WorkerID(9) {
		s.Workers = append(s.Workers, with(able(id+1, 1+int(id)%3), func(w *pool.Worker) { w.Owner = pool.Owner(fmt.Sprint("account:", id/2)) }))
	}
	class := placement.Class{ID: 1, Demands: needs}
	for id := range pool.WorkID(6) {
		class.Ready = append(class.Ready, placement.Ready{Work: id + 1, Rank: int64(id), Missing: 1, Trust: 3 * int(id%2)})
	}
	s.Classes = []placement.Class{class}
	same, other := 0, 0
	for seed := range uint64(50) {
		for _, o := range placement.Decide(s, seed, placement.Defaults).Offers {
			d := reason.Drawing{Work: o.Work, Worker: o.Worker, Attempt: o.Attempt, Seed: seed, Snapshot: &s}
			r := reason.Replay(d, placement.Defaults)
			if !r.Same || r.Workers != 9 || r.Eligible != 9 || r.Owners != 5 || r.All != 18 || r.Tickets != 1+int(o.Worker-1)%3 {
				t.Fatalf("seed %d, %+v: %+v", seed, o, r)
			}
			same++
			d.Seed += 1000
			if !reason.Replay(d, placement.Defaults).Same {
				other++
			}
			d.Seed, d.Attempt = seed, 2
			if reason.Replay(d, placement.Defaults).Same {
				t.Fatal("another attempt is taken for this one")
			}
		}
	}
	if other < same/2 {
		t.Errorf("of %d draws only %d come out otherwise from another seed", same, other)
	}
	if r := reason.Replay(reason.Drawing{Work: 1, Worker: 1}, placement.Defaults); r.Same || r.Words == "" {
		t.Errorf("%+v", r)
	}
}
