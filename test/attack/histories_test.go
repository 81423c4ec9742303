package attack_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"workerpool/shared/life"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/test/attack"
)

// A case is a history of some thousand steps; -rapid.checks on the command line wins.
func init() { _ = flag.Set("rapid.checks", "40") }

// policy has short runs, so that a history sees many of them go over their time.
var policy = life.Policy{MaxFailures: 3, MaxRuns: 20, RunGrace: 10 * time.Second, UploadLimit: 40 * time.Second, StartIntervals: 2}

const runLimit = 35 * time.Second // more than an honest run takes

func ordered[V any](m map[pool.WorkID]V) []pool.WorkID { return slices.Sorted(maps.Keys(m)) }

const interval = 5 * time.Second // between heartbeats

// machine is a machine of a worker.
type machine struct {
	attack.Machine
	worker int // index
}

// history is a pool without a store: workers, works, and machines that call.
type history struct {
	t        *rapid.T
	r        *rand.Rand
	now      time.Time
	workers  []pool.Worker
	machines []*machine
	works    map[pool.WorkID]*life.Life
	alive    []*life.Life   // those that had not ended at the last look
	runs     map[turnOf]int // the attempt that ran
	back     map[turnOf]bool
	seen     map[string]int // of what happened, for the log
	steps    int
}

type turnOf struct {
	work   pool.WorkID
	worker pool.WorkerID
}

func newHistory(t *rapid.T) *history {
	h := &history{
		t: t, r: rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)), now: time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC),
		works: map[pool.WorkID]*life.Life{}, runs: map[turnOf]int{}, back: map[turnOf]bool{}, seen: map[string]int{},
	}
	for _, k := range attack.Kinds {
		for range rapid.IntRange(0, 4).Draw(t, k.String()) {
			h.join(k)
		}
	}
	return h
}

// join adds a worker. Those who lie in the same way are of one owner, so that
// nowhere two votes can be for one wrong result; of the others some share one too.
func (h *history) join(k attack.Kind) {
	id := pool.WorkerID(len(h.workers) + 1)
	owner := pool.Owner(fmt.Sprint("worker:", id))
	switch {
	case k == attack.Lying || k == attack.Lazy:
		owner = pool.Owner("account:" + k.String())
	case k == attack.Honest && id%3 == 0:
		owner = "account:3"
	case k == attack.Slow || k == attack.Flapping:
		owner = "account:away"
	}
	w := pool.Worker{
		ID: id, Owner: owner, State: pool.Active, Slots: 1 + h.r.IntN(5), Quota: 1, Until: h.now.Add(4 * interval), Interval: interval,
		Capabilities: pool.Capabilities{Programs: [][]string{{"a"}, {"a", "b"}}[h.r.IntN(2)]},
	}
	h.workers = append(h.workers, w)
	m := &machine{attack.Machine{Kind: k, Next: h.now}, len(h.workers) - 1}
	if k == attack.Lying {
		m.Liar = "not "
	}
	h.machines = append(h.machines, m)
	if k == attack.Cloned {
		second := *m
		second.Liar = fmt.Sprint("stolen by ", id, ": ")
		h.machines = append(h.machines, &second)
	}
}

func (h *history) behaves(worker pool.WorkerID) bool {
	for _, m := range h.machines {
		if m.worker == int(worker)-1 {
			return m.Kind == attack.Honest
		}
	}
	return false
}

func (h *history) submit() {
	id := pool.BatchID(1 + len(h.works)/4).Work(len(h.works) % 4)
	trusts := []int{0, 1, 2, 3, 3, 4, 5, 8}
	l := &life.Life{Work: pool.Work{
		ID: id, Requester: 1, Origin: pool.OriginAPI, Class: pool.ClassID(1 + h.r.IntN(2)), Rank: int64(len(h.works)), State: pool.Waiting,
		Trust: trusts[h.r.IntN(len(trusts))], RunLimit: runLimit, Created: h.now, Deadline: h.now.Add(24 * time.Hour),
	}}
	h.works[id], h.alive = l, append(h.alive, l)
}

// change is one step of a work's life: it is held to the rules.
func (h *history) change(l *life.Life, what string, do func()) (before life.Life) {
	before = life.Life{Work: l.Work, Rows: slices.Clone(l.Rows)}
	do()
	h.steps++
	h.check(before, *l, what)
	return before
}

// settle is a step by which workers earn or lose credit.
func (h *history) settle(l *life.Life, what string, do func()) {
	before := h.change(l, what, do)
	for worker, n := range life.Credit(before, *l) {
		w := &h.workers[worker-1]
		if n < 0 && h.behaves(worker) {
			h.fail(*l, "%s: worker %d did as it was told and lost its credit", what, worker)
		}
		for ; n > 0; n-- {
			w.Quota = max(w.Quota, min(2*w.Quota, w.Slots))
		}
		for ; n < 0; n++ {
			w.Quota = max(1, w.Quota/2)
		}
	}
}

// beat is one heartbeat of a machine.
func (h *history) beat(m *machine) {
	w := &h.workers[m.worker]
	reports := m.Reports(h.r)
	for _, p := range reports {
		if l := h.works[p.Work]; l != nil {
			before := life.Life{Work: l.Work, Rows: slices.Clone(l.Rows)}
			h.settle(l, fmt.Sprintf("%s worker %d says %s of attempt %d", m.Kind, w.ID, p.Says, p.Attempt), func() {
				l.Report(h.now, w.ID, p, h.r.IntN(10) > 0 || m.Kind == attack.Honest, h.r.Uint64(), policy)
			})
			mine := func(r life.Row) bool { return r.Worker == w.ID && r.Attempt == p.Attempt }
			if !slices.ContainsFunc(before.Rows, mine) && (before.Work != l.Work || !slices.Equal(before.Rows, l.Rows)) {
				h.fail(*l, "worker %d spoke of attempt %d, which is not, and was heard", w.ID, p.Attempt)
			}
		}
	}
	w.Until = h.now.Add(4 * interval)
	var rows []pool.Assignment
	for _, l := range h.alive {
		for i := range l.Rows {
			if row := &l.Rows[i]; row.Worker == w.ID {
				row.Until = w.Until
				rows = append(rows, row.Assignment)
			}
		}
	}
	orders := placement.Instruct(rows, nil, reports)
	for _, o := range orders {
		h.seen[string(o.Do)]++
		ended := h.works[o.Work] == nil || h.works[o.Work].Work.State.Ended()
		if ended && o.Do != placement.Stop {
			h.t.Fatalf("worker %d is to %s work %d, which has ended", w.ID, o.Do, o.Work)
		}
	}
	for _, p := range reports {
		if !slices.ContainsFunc(orders, func(o placement.Instruction) bool { return o.Work == p.Work && o.Attempt == p.Attempt }) {
			h.t.Fatalf("worker %d spoke of attempt %d at work %d and was not answered: %+v", w.ID, p.Attempt, p.Work, orders)
		}
	}
	m.Sleep(h.now, interval, h.r)
	m.Hear(orders, h.r)
}

// dispatch ends what is over, draws, and applies the plan.
func (h *history) dispatch() {
	h.alive = slices.DeleteFunc(h.alive, func(l *life.Life) bool { return l.Work.State.Ended() })
	for _, l := range h.alive {
		over := !h.now.Before(l.Work.Deadline)
		for _, row := range l.Rows {
			late, _ := life.Over(h.now, row)
			over = over || late
		}
		if over {
			h.seen["over"]++
			h.settle(l, "sweep", func() { l.Expire(h.now, h.r.Uint64(), policy) })
		}
	}
	plan := placement.Decide(h.snapshot(), h.r.Uint64(), placement.Defaults)
	for _, o := range plan.Offers {
		h.offer(o)
	}
	after := h.snapshot()
	h.checkSlots(after, plan)
	h.checkIdle(after)
}

func (h *history) snapshot() placement.Snapshot {
	s := placement.Snapshot{Now: h.now, State: pool.PoolActive, Workers: slices.Clone(h.workers)}
	for i, program := range []string{"a", "b"} {
		s.Classes = append(s.Classes, placement.Class{ID: pool.ClassID(i + 1), Demands: pool.Demands{App: pool.App{Type: pool.ProcessApp, Name: program}, RunLimit: runLimit}})
	}
	for _, l := range h.alive {
		ready := placement.Ready{Work: l.Work.ID, Rank: l.Work.Rank, Start: l.Work.Rank, Trust: l.Work.Trust, Missing: l.Wanted(policy), Requester: 1}
		for _, row := range l.Rows {
			ready.Turns = append(ready.Turns, row.Assignment)
			if row.State.Open() {
				s.Workers[row.Worker-1].Open++
			}
		}
		if c := &s.Classes[l.Work.Class-1]; ready.Missing > 0 {
			c.Ready = append(c.Ready, ready)
		}
	}
	return s
}

func (h *history) offer(o placement.Offer) {
	l, w := h.works[o.Work], h.workers[o.Worker-1]
	if !w.Live(h.now) {
		h.fail(*l, "worker %d is not live and is given it", w.ID)
	}
	h.change(l, "offer", func() {
		row := life.Row{
			Assignment: pool.Assignment{Work: o.Work, Worker: o.Worker, Owner: o.Owner, Attempt: o.Attempt, State: pool.Offered, StartBy: o.StartBy},
			Until:      w.Until, Interval: w.Interval,
		}
		l.Rows = slices.DeleteFunc(l.Rows, func(r life.Row) bool { return r.Worker == o.Worker })
		l.Rows = append(l.Rows, row)
		slices.SortFunc(l.Rows, func(a, b life.Row) int { return cmp.Compare(a.Worker, b.Worker) })
		l.Work.State = pool.Running
	})
	delete(h.back, turnOf{o.Work, o.Worker})
}

// tick lets a moment pass and everyone act whose time has come.
func (h *history) tick() {
	h.now = h.now.Add(time.Duration(1+h.r.IntN(3)) * time.Second)
	for _, i := range h.r.Perm(len(h.machines)) {
		if m := h.machines[i]; !m.Gone && !h.now.Before(m.Next) {
			h.beat(m)
		}
	}
	h.dispatch()
}

// TestHistories lets every kind of worker at the pool, in random company.
func TestHistories(t *testing.T) {
	t.Parallel()
	seen, ends, steps := map[string]int{}, map[pool.WorkState]int{}, 0
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory(t)
		for range 300 {
			if len(h.works) < 80 && h.r.IntN(3) == 0 {
				h.submit()
			}
			if ids := ordered(h.works); len(ids) > 0 && h.r.IntN(100) == 0 {
				l := h.works[ids[h.r.IntN(len(ids))]]
				h.settle(l, "cancel", func() { l.Cancel(h.now) })
			}
			h.tick()
		}
		if rapid.Bool().Draw(t, "silence") {
			h.silence()
		} else {
			h.calm(rapid.Bool().Draw(t, "better themselves"))
		}
		steps += h.steps
		for what, n := range h.seen {
			seen[what] += n
		}
		for _, l := range h.works {
			ends[l.Work.State]++
		}
	})
	t.Logf("%d steps, %v, ends %v", steps, seen, ends)
	for _, what := range []string{"start", "continue", "hold", "upload", "stop", "over", "returned", "outvoted"} {
		if seen[what] == 0 && !t.Failed() {
			t.Errorf("nothing of %q in %d steps", what, steps)
		}
	}
}

// silence: nobody calls any more, and each work ends by its deadline.
func (h *history) silence() {
	h.now = h.now.Add(25 * time.Hour)
	h.dispatch()
	for _, l := range h.works {
		if !l.Work.State.Ended() {
			h.fail(*l, "never ends")
		}
	}
}

// calm: the faults stop, honest workers come, and each work ends, long before its
// deadline. The others go for good, or behave from now on.
func (h *history) calm(better bool) {
	for _, m := range h.machines {
		if m.Kind != attack.Honest {
			m.Gone = m.Gone || !better
			m.Better(h.now)
		}
	}
	for range 25 {
		h.join(attack.Honest)
		h.workers[len(h.workers)-1].Capabilities.Programs = []string{"a", "b"} // enough owners for the works of every program
	}
	const sweeps = 400
	for range sweeps {
		h.tick()
		if !slices.ContainsFunc(h.alive, func(l *life.Life) bool { return !l.Work.State.Ended() }) {
			return
		}
	}
	for _, l := range h.works {
		if !l.Work.State.Ended() {
			h.fail(*l, "does not end though all faults have stopped")
		}
	}
}
