package placement_test

import (
	"slices"
	"testing"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
)

func TestCost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		limit            time.Duration
		replicas, weight int
		want             int64
	}{
		{5 * time.Minute, 1, 1, 300_000}, {5 * time.Minute, 4, 1, 1_200_000}, {5 * time.Minute, 4, 2, 600_000}, {time.Second, 1, 1000, 1}, {0, 1, 1, 1},
	} {
		if got := placement.Cost(c.limit, c.replicas, c.weight); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

// What a submission does to its requester's place, told as the stories that the
// rules are for.
func TestStartTags(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		story                 string
		virtual, front, clock int64
		start, after          int64 // after 10 works of cost 5
	}{
		{"a newcomer begins at the virtual time", 1000, 1000, 0, 1000, 1050},
		{"who has ten thousand waiting goes behind them", 1000, 1000, 51_000, 51_000, 51_050},
		{"who had the idle pool for itself owes nothing", 1000, 1000, 990, 1000, 1050},
		{"a queue of scarce workers is behind: so is who joins it", 1000, 200, 0, 200, 1050},
		{"debt counts in every queue", 1000, 200, 1300, 500, 1350},
		{"a queue that is ahead holds nobody up", 1000, 9000, 0, 1000, 1050},
	} {
		if got := placement.StartTag(c.virtual, c.front, c.clock); got != c.start {
			t.Errorf("%s: starts at %d, want %d", c.story, got, c.start)
		}
		if got := placement.ClockAfter(c.virtual, c.clock, 5, 10); got != c.after {
			t.Errorf("%s: the clock is %d, want %d", c.story, got, c.after)
		}
	}
}

// Ranks of all classes are one order: nobody goes first by asking for something
// that fewer workers have.
func TestOddDemandsGainNothing(t *testing.T) {
	t.Parallel()
	odd := sum
	odd.CPU = 4
	small := worker(3, "account:3", 1)
	small.Capabilities.CPU = 1
	s := placement.Snapshot{
		Now: now, State: pool.PoolActive, Workers: []pool.Worker{worker(1, "account:1", 1), worker(2, "account:2", 1), small},
		Classes: []placement.Class{
			{ID: 1, Demands: odd, Ready: []placement.Ready{head(10, 50, 0, 1), head(11, 60, 0, 1)}},
			{ID: 2, Demands: sum, Ready: []placement.Ready{head(20, 1, 0, 1), head(21, 2, 0, 1), head(22, 3, 0, 1), head(23, 4, 0, 1)}},
		},
	}
	for seed := range uint64(50) {
		for _, o := range placement.Decide(s, seed, placement.Defaults).Offers {
			if o.Class != 2 || o.Work == 23 {
				t.Fatalf("seed %d: work %d goes before the three that were first", seed, o.Work)
			}
		}
	}
	// Chosen together, the demanding one draws first: else its workers may be gone.
	s.Classes[0].Ready = s.Classes[0].Ready[:1]
	s.Classes[0].Ready[0].Rank = 2
	for seed := range uint64(50) {
		plan := placement.Decide(s, seed, placement.Defaults)
		if got := len(plan.Offers); got != 3 || plan.Offers[0].Work != 10 {
			t.Fatalf("seed %d: %s", seed, pairs(plan))
		}
	}
}

// Who has the least by its weight comes next, wherever its works stand.
func TestLeastFirst(t *testing.T) {
	t.Parallel()
	of := func(requester pool.AccountID, from int) (works []placement.Ready) {
		for i := range 20 {
			work := head(pool.WorkID(from+i), int64(from+i), 0, 1)
			work.Requester = requester
			works = append(works, work)
		}
		return works
	}
	for _, c := range []struct {
		use    map[pool.AccountID]placement.Use
		slots  int
		a, b   int
		hidden bool // the second requester's works are of another class
	}{
		{nil, 8, 4, 4, false}, {nil, 8, 4, 4, true}, {nil, 7, 4, 3, false},
		{map[pool.AccountID]placement.Use{1: {Open: 4, Weight: 1}}, 8, 2, 6, false},
		{map[pool.AccountID]placement.Use{1: {Open: 4, Weight: 1}}, 3, 0, 3, true},
		{map[pool.AccountID]placement.Use{1: {Weight: 1}, 2: {Weight: 3}}, 8, 2, 6, false},
		{map[pool.AccountID]placement.Use{1: {Open: 90, Weight: 1}, 2: {Open: 10, Weight: 1}}, 30, 10, 20, true}, // the twenty there are
	} {
		s := placement.Snapshot{Now: now, State: pool.PoolActive, Workers: []pool.Worker{worker(1, "account:1", c.slots)}, Use: c.use}
		if c.hidden {
			odd := sum
			odd.CPU = 1
			s.Classes = []placement.Class{{ID: 1, Demands: sum, Ready: of(1, 1)}, {ID: 2, Demands: odd, Ready: of(2, 500)}}
		} else {
			s.Classes = []placement.Class{{ID: 1, Demands: sum, Ready: append(of(1, 1), of(2, 500)...)}}
		}
		got := map[pool.AccountID]int{}
		for _, o := range placement.Decide(s, 1, placement.Defaults).Offers {
			got[o.Requester]++
		}
		if got[1] != c.a || got[2] != c.b {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// A requester that nobody present admits is looked at once, not at every page.
func TestUnadmittedAreFull(t *testing.T) {
	t.Parallel()
	picky := worker(1, "account:1", 3)
	picky.Capabilities.Requesters.Deny = []string{"ann"}
	ann, bob := head(pool.BatchID(1).Work(0), 1, 0, 1), head(pool.BatchID(2).Work(0), 2, 0, 1)
	ann.Login, bob.Login = "ann", "bob"
	s := placement.Snapshot{
		Now: now, State: pool.PoolActive, Workers: []pool.Worker{picky}, Classes: []placement.Class{{ID: 5, Demands: sum, Ready: []placement.Ready{ann, bob}}},
	}
	if full := placement.Full(s, placement.Plan{}); len(full) != 1 || !slices.Equal(full[5], []pool.BatchID{1}) {
		t.Errorf("%v", full)
	}
}

func TestClosedPoolAssignsNothing(t *testing.T) {
	t.Parallel()
	s := placement.Snapshot{
		Now: now, Workers: []pool.Worker{worker(1, "account:1", 1)},
		Classes: []placement.Class{{ID: 1, Demands: sum, Ready: []placement.Ready{head(10, 1, 0, 1)}}},
	}
	for _, s.State = range append([]pool.State{""}, pool.States...) {
		if got := len(placement.Decide(s, 1, placement.Defaults).Offers); (got == 1) != (s.State == pool.PoolActive) {
			t.Errorf("a pool that is %q makes %d offers", s.State, got)
		}
	}
}

func TestFullBatches(t *testing.T) {
	t.Parallel()
	one, two := pool.BatchID(1), pool.BatchID(2)
	ready := func(b pool.BatchID, index int, turns ...pool.Assignment) placement.Ready {
		return placement.Ready{Work: b.Work(index), Rank: int64(index), Missing: 1, Requester: pool.AccountID(b), Turns: turns}
	}
	s := placement.Snapshot{
		Now: now, State: pool.PoolActive, Workers: []pool.Worker{worker(1, "account:1", 9)},
		Classes: []placement.Class{{ID: 1, Demands: sum, Ready: []placement.Ready{
			ready(one, 0), ready(one, 1), ready(one, 2), ready(two, 0), ready(two, 1, pool.Assignment{Worker: 7, Owner: "account:7", State: pool.InRun, Started: true}), ready(two, 2),
		}}},
		Batches: map[pool.BatchID]placement.Limit{one: {Max: 2}}, Requesters: map[pool.AccountID]placement.Limit{2: {Max: 1, Running: 1}},
	}
	plan := placement.Decide(s, 1, placement.Defaults)
	if len(plan.Offers) != 3 { // two of the first batch, and the one of the second that runs already
		t.Fatalf("%s", pairs(plan))
	}
	if full := placement.Full(s, plan); len(full) != 1 || !slices.Equal(full[1], []pool.BatchID{one, two}) {
		t.Errorf("full: %v", full)
	}
	batches, requesters := placement.Bound(s, plan)
	if len(batches) != 1 || batches[one].Max != 2 || len(requesters) != 0 {
		t.Errorf("bound: %v, %v", batches, requesters)
	}
}

func TestGuard(t *testing.T) {
	t.Parallel()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for _, c := range []struct {
		story      string
		last, held time.Duration // ago; held 0 = not
		live, lost int
		hold, over bool
	}{
		{"nothing is lost", time.Second, 0, 100, 0, false, false},
		{"a fifth is lost", time.Second, 0, 80, 20, false, false},
		{"more than a fifth", time.Second, 0, 79, 21, true, false},
		{"nine workers may be lost together", time.Second, 0, 0, 9, false, false},
		{"ten may not", time.Second, 0, 0, 10, true, false},
		{"the pool was away two minutes", 2 * time.Minute, 0, 1, 0, false, false},
		{"and more", 2*time.Minute + 1, 0, 1, 0, true, false},
		{"once in an outage", time.Second, time.Minute, 0, 50, false, false},
		{"not over before all leases would have ended", time.Second, 6*time.Minute - 1, 50, 0, false, false},
		{"over when workers stay", time.Second, 6 * time.Minute, 50, 0, false, true},
		{"not over while many are lost", time.Second, 6 * time.Minute, 0, 50, false, false},
	} {
		s := placement.Sweep{Now: now, Last: ago(c.last), Live: c.live, Lost: c.lost}
		if c.held > 0 {
			s.Held = ago(c.held)
		}
		if s.Hold() != c.hold || s.Over() != c.over {
			t.Errorf("%s: hold %v, over %v", c.story, s.Hold(), s.Over())
		}
	}
	if s := (placement.Sweep{Now: now, Last: ago(time.Hour)}); !s.Since().Equal(ago(time.Hour)) {
		t.Error("leases that ended while the pool was away are not held")
	}
	if s := (placement.Sweep{Now: now, Last: ago(time.Second)}); !s.Since().Equal(ago(placement.LossWindow)) {
		t.Error("leases that ended together are not held together")
	}
}
