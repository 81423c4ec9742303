package store_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"workerpool/shared/life"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

// Sizes of a storm.
const (
	stormWorks   = 1000
	stormWorkers = 100
	stormActors  = 200
	stormTime    = 6 * time.Second  // of wild behaviour
	calmTime     = 60 * time.Second // until everything must have ended; a fraction is needed
)

// storm is a pool in which everybody does everything at once.
type storm struct {
	t        *testing.T
	s        *storetest.Books
	leased   bool
	seed     uint64
	wild     atomic.Bool
	fleet    []stormWorker
	batches  []pool.Batch
	inputs   map[pool.BatchID][]pool.Digest
	wanted   map[pool.BatchID]int
	mu       sync.Mutex
	said     []saying // reports of the past, to be heard again
	failures atomic.Int64
	counts   struct{ beats, passes, moved, settled, offers atomic.Int64 }
}

type stormWorker struct {
	id      pool.WorkerID
	account pool.AccountID
	liar    bool
}

type saying struct {
	worker int
	report pool.Report
}

func TestStormWithLease(t *testing.T)    { t.Parallel(); runStorm(t, true) }
func TestStormWithoutLease(t *testing.T) { t.Parallel(); runStorm(t, false) }

func runStorm(t *testing.T, leased bool) {
	x := &storm{t: t, s: storetest.New(t, storetest.Conns(32)), leased: leased, seed: rand.Uint64(), inputs: map[pool.BatchID][]pool.Digest{}, wanted: map[pool.BatchID]int{}}
	t.Logf("seed %d", x.seed)
	x.build()
	x.wild.Store(true)
	calm := make(chan struct{})
	begun := time.Now()
	time.AfterFunc(stormTime, func() { x.wild.Store(false); close(calm) })
	var actors sync.WaitGroup
	for i := range stormActors {
		actors.Go(func() {
			r := rand.New(rand.NewPCG(x.seed, uint64(i)))
			for x.wild.Load() && x.failures.Load() == 0 {
				x.act(r)
			}
		})
	}
	defer actors.Wait() // also when the checks give up
	defer x.wild.Store(false)
	for checking := true; checking; {
		select {
		case <-calm:
			checking = false
		default:
			storetest.Check(t, x.s)
			if t.Failed() {
				x.wild.Store(false)
				checking = false
			}
		}
	}
	actors.Wait()
	storetest.Check(t, x.s)
	wild := time.Since(begun)
	x.finish()
	storetest.Check(t, x.s)
	t.Logf("%v wild, %v to the end: %d heartbeats, %d settled, %d passes, %d moved, %d offers", wild.Round(time.Millisecond),
		(time.Since(begun) - wild).Round(time.Millisecond), x.counts.beats.Load(), x.counts.settled.Load(), x.counts.passes.Load(), x.counts.moved.Load(), x.counts.offers.Load())
}

func (x *storm) build() {
	t, r := x.t, rand.New(rand.NewPCG(x.seed, 0))
	requester := x.s.AddAccount(t, "requester", pool.RoleRequester, false)
	shared := x.s.AddAccount(t, "shared", pool.RoleWorker, true)
	var own []pool.AccountID
	for i := range 30 {
		own = append(own, x.s.AddAccount(t, fmt.Sprint("owner", i), pool.RoleWorker, false))
	}
	programs := [][]string{{"a"}, {"a", "b"}, {"a", "b", "c"}}
	for i := range stormWorkers {
		account := shared
		if i%2 == 0 {
			account = own[r.IntN(len(own))]
		}
		x.fleet = append(x.fleet, stormWorker{x.s.AddWorker(t, account, 1+r.IntN(12), programs[r.IntN(3)]...), account, r.IntN(8) == 0})
	}
	trusts := []int{0, 1, 2, 3, 3, 4, 5, 8}
	for i := range 20 {
		n := storetest.NewBatch(requester, stormWorks/20, trusts[i%len(trusts)])
		n.Demands.App.Name = []string{"a", "b", "c"}[i%3]
		if i == 19 {
			n.Demands.App.Name = "nobody runs this"
		}
		if i%5 == 0 {
			for k := range 3 {
				d := pool.Digest{byte(i), byte(k), 1}
				n.Inputs = append(n.Inputs, pool.Input{Digest: d, Size: 1})
			}
		}
		b := x.s.AddBatch(t, n)
		x.batches = append(x.batches, b)
		x.wanted[b.ID] = storetest.Wanted(n.Trust)
		for _, in := range n.Inputs {
			x.inputs[b.ID] = append(x.inputs[b.ID], in.Digest)
		}
	}
}

// must notes an error of the store: whatever happens, none may reach a caller.
func (x *storm) must(doing string, err error) bool {
	if err != nil {
		x.failures.Add(1)
		x.t.Errorf("%s: %v", doing, err)
	}
	return err == nil
}

// act does one thing that may happen in a pool at any time.
func (x *storm) act(r *rand.Rand) {
	ctx := context.Background()
	batch := x.batches[r.IntN(len(x.batches))]
	work := batch.ID.Work(r.IntN(batch.Works))
	w := x.fleet[r.IntN(len(x.fleet))]
	switch n := r.IntN(1000); {
	case n < 300:
		x.invoke(r)
	case n < 310:
		_, err := x.s.Settle(ctx, []pool.WorkID{work}, nil, pool.Trace{}, func(now time.Time, lives []life.Life) { lives[0].Cancel(now) })
		x.must("cancelling", err)
	case n < 330:
		if all := x.inputs[batch.ID]; all != nil {
			_, err := x.s.MarkInputs(ctx, batch.ID, all[:1+r.IntN(len(all))], x.wanted[batch.ID], pool.Trace{})
			x.must("marking inputs", err)
		}
	case n < 345:
		state := pool.WorkerStates[r.IntN(2)]
		x.must("draining", x.s.SetWorkerState(ctx, 0, w.id, state, pool.Trace{}))
	case n < 355:
		_, err := x.s.Archive(ctx, 1+r.IntN(50))
		x.must("archiving", err)
	case n < 370:
		_, err := x.s.SQL.Exec("UPDATE beat SET until = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND WHERE worker_id = ?", int64(w.id))
		x.must("losing a worker", err)
	default:
		x.beat(r, r.IntN(len(x.fleet)))
	}
}

// beat is a worker's heartbeat: what it says of its turns is true or not, of now
// or of the past.
func (x *storm) beat(r *rand.Rand, worker int) {
	ctx, w := context.Background(), x.fleet[worker]
	h, err := x.s.Hear(ctx, w.account, w.id)
	if !x.must("hearing", err) {
		return
	}
	x.counts.beats.Add(1)
	reports := x.reports(r, worker, h.Rows)
	kept := func(p pool.Report) bool {
		for _, row := range h.Rows {
			if row.Work == p.Work && life.Matters(row, p, h.Kept[p.Work]) {
				return true
			}
		}
		return x.wild.Load() && r.IntN(5) == 0
	}
	var ids []pool.WorkID
	for _, p := range reports {
		if kept(p) {
			ids = append(ids, p.Work)
		}
	}
	renewal := &pool.Renewal{Worker: w.id, Lease: 20 * time.Second, Interval: 5 * time.Second}
	if len(ids) == 0 {
		x.must("renewing", x.s.Renew(ctx, *renewal))
		return
	}
	stored, seed := r.IntN(10) > 0 || !x.wild.Load(), r.Uint64()
	_, err = x.s.Settle(ctx, ids, renewal, pool.Trace{}, func(now time.Time, lives []life.Life) {
		for i := range lives {
			for _, p := range reports {
				if p.Work == lives[i].Work.ID {
					lives[i].Report(now, w.id, p, stored, seed, life.Defaults)
				}
			}
		}
	})
	x.must("settling reports", err)
	x.counts.settled.Add(int64(len(ids)))
}

func (x *storm) reports(r *rand.Rand, worker int, rows []pool.Assignment) []pool.Report {
	wild := x.wild.Load()
	var out []pool.Report
	for _, row := range rows {
		p := pool.Report{Work: row.Work, Attempt: row.Attempt, Size: 10}
		binary.BigEndian.PutUint64(p.Digest[:], uint64(row.Work))
		p.Digest[31] = 1
		if x.fleet[worker].liar {
			p.Digest[31] = 2
		}
		p.Says = says(r, row.State, wild)
		if p.Says == pool.SaysFailed || p.Says == pool.SaysRefused {
			p.Reason = `it "said" so: \ ☂`
		}
		if p.Says == "" {
			continue
		}
		if wild && r.IntN(20) == 0 {
			p.Attempt += r.IntN(3) - 1
		}
		out = append(out, p)
		if !wild {
			continue
		}
		if r.IntN(10) == 0 {
			out = append(out, p) // twice in one breath
		}
		if r.IntN(25) == 0 {
			_, err := x.s.SQL.Exec("UPDATE assignment SET start_by = start_by - INTERVAL 1 DAY, run_by = run_by - INTERVAL 1 DAY WHERE worker_id = ? AND work_id = ?",
				int64(row.Worker), int64(row.Work))
			x.must("letting time pass", err)
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, p := range out {
		x.said = append(x.said, saying{worker, p})
	}
	for range 3 {
		if old := x.said; wild && len(old) > 0 {
			if s := old[r.IntN(len(old))]; s.worker == worker || r.IntN(10) == 0 {
				out = append(out, s.report)
			}
		}
	}
	return out
}

// says draws what a worker says of a turn; "" = nothing.
func says(r *rand.Rand, state pool.AssignmentState, wild bool) pool.ReportState {
	moods := map[pool.AssignmentState][]pool.ReportState{
		pool.Offered:   {pool.SaysRunning},
		pool.InRun:     {pool.SaysReported},
		pool.Uploading: {pool.SaysUploaded},
	}
	if wild {
		moods = map[pool.AssignmentState][]pool.ReportState{
			pool.Offered:   {pool.SaysRunning, pool.SaysRunning, pool.SaysRunning, pool.SaysReported, pool.SaysRefused, pool.SaysFailed, ""},
			pool.InRun:     {pool.SaysRunning, pool.SaysReported, pool.SaysReported, pool.SaysReported, pool.SaysFailed, pool.SaysUploaded, ""},
			pool.Reported:  {pool.SaysReported, pool.SaysUploaded, ""},
			pool.Uploading: {pool.SaysUploading, pool.SaysUploaded, pool.SaysUploaded, pool.SaysFailed, pool.SaysReported, ""},
			pool.Expired:   {pool.SaysRunning, pool.SaysReported, ""},
			pool.Closed:    {pool.SaysUploaded, ""},
		}
	}
	if mood := moods[state]; mood != nil {
		return mood[r.IntN(len(mood))]
	}
	return ""
}

// invoke is one dispatch invocation, as the dispatch verb does it.
func (x *storm) invoke(r *rand.Rand) {
	ctx := context.Background()
	var lease *pool.Lease
	if x.leased {
		var err error
		if lease, err = x.s.TakeLease(ctx); !x.must("taking the lease", err) || lease == nil {
			return
		}
	}
	for {
		x.passes(r, lease)
		if lease == nil {
			return
		}
		if more, err := x.s.ReleaseLease(ctx, lease); !x.must("releasing the lease", err) || !more {
			return
		}
	}
}

// passes dispatches until nothing is left to give or the pass limit is reached.
func (x *storm) passes(r *rand.Rand, lease *pool.Lease) {
	bookmark := placement.Bookmark{}
	for range 8 {
		seed := r.Uint64()
		pass, err := x.s.Dispatch(context.Background(), lease, 200, bookmark, seed, pool.Trace{}, func(s placement.Snapshot) placement.Plan {
			return placement.Decide(s, seed, placement.Defaults)
		})
		if !x.must("dispatching", err) {
			return
		}
		x.counts.passes.Add(1)
		x.counts.offers.Add(int64(pass.Offers))
		switch {
		case len(pass.Over) > 0:
			_, err := x.s.Settle(context.Background(), pass.Over, nil, pool.Trace{}, func(now time.Time, lives []life.Life) {
				for i := range lives {
					lives[i].Expire(now, seed, life.Defaults)
				}
			})
			if !x.must("expiring", err) {
				return
			}
		case pass.Moved:
			x.counts.moved.Add(1)
		case pass.Exhausted:
			return
		}
	}
}

// finish lets the faults stop and sees that everything ends.
func (x *storm) finish() {
	ctx := context.Background()
	for id, all := range x.inputs {
		_, err := x.s.MarkInputs(ctx, id, all, x.wanted[id], pool.Trace{})
		x.must("marking inputs", err)
	}
	for _, w := range x.fleet {
		x.must("activating", x.s.SetWorkerState(ctx, 0, w.id, pool.Active, pool.Trace{}))
	}
	last := x.batches[len(x.batches)-1] // whose works nobody can run
	_, err := x.s.SQL.Exec("UPDATE work w JOIN batch b ON b.id = w.id >> 14 SET w.open_until = UTC_TIMESTAMP(6), b.deadline = UTC_TIMESTAMP(6) WHERE b.id = ? AND w.open_until IS NOT NULL", int64(last.ID))
	x.must("passing the deadline", err)
	x.s.Exec(x.t, "UPDATE lease SET until = UTC_TIMESTAMP(6)")
	deadline := time.Now().Add(calmTime)
	for round := uint64(0); ; round++ {
		open := x.s.Count(x.t, "SELECT COUNT(*) FROM work WHERE ended_at IS NULL")
		if open == 0 || x.t.Failed() {
			return
		}
		if time.Now().After(deadline) {
			x.t.Errorf("%d works have not ended though all faults stopped", open)
			return
		}
		x.passes(rand.New(rand.NewPCG(x.seed, round)), nil)
		var workers sync.WaitGroup
		for part := range 8 {
			workers.Go(func() {
				r := rand.New(rand.NewPCG(x.seed^round, uint64(part)))
				for i := part; i < len(x.fleet); i += 8 {
					x.beat(r, i)
				}
			})
		}
		workers.Wait()
	}
}
