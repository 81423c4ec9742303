package placement_test

import (
	"cmp"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
)

// A case is a whole pool and costs some 50 µs; -rapid.checks on the command line wins.
func init() { _ = flag.Set("rapid.checks", "2000") }

func policies(t *rapid.T) placement.Policy {
	return placement.Policy{StartIntervals: rapid.IntRange(1, 4).Draw(t, "intervals"), MaxRefusals: rapid.IntRange(1, 4).Draw(t, "offers")}
}

func TestSamePlanForTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, p, seed := snapshots(t), policies(t), rapid.Uint64().Draw(t, "seed")
		plan := placement.Decide(s, seed, p)
		if again := placement.Decide(s, seed, p); !slices.Equal(plan.Offers, again.Offers) {
			t.Fatalf("twice the same snapshot:\n%+v\n%+v", plan, again)
		}
		mixed := placement.Snapshot{Now: s.Now, State: s.State, Batches: s.Batches, Requesters: s.Requesters}
		if len(s.Workers) > 0 {
			mixed.Workers = rapid.Permutation(s.Workers).Draw(t, "workers")
		}
		if len(s.Classes) > 0 {
			mixed.Classes = rapid.Permutation(s.Classes).Draw(t, "classes")
		}
		for i := range mixed.Classes {
			if heads := mixed.Classes[i].Ready; len(heads) > 0 {
				mixed.Classes[i].Ready = rapid.Permutation(heads).Draw(t, "heads")
			}
		}
		if again := placement.Decide(mixed, seed, p); !slices.Equal(plan.Offers, again.Offers) {
			t.Fatalf("the order of the input matters:\n%+v\n%+v", plan, again)
		}
		if !slices.IsSortedFunc(plan.Offers, func(a, b placement.Offer) int {
			return cmp.Or(cmp.Compare(a.Work, b.Work), cmp.Compare(a.Worker, b.Worker))
		}) {
			t.Fatalf("the plan is not in order: %+v", plan)
		}
	})
}

func TestEveryOfferIsRight(t *testing.T) {
	t.Parallel()
	offers, cases := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		s, p := snapshots(t), policies(t)
		plan := placement.Decide(s, rapid.Uint64().Draw(t, "seed"), p)
		cases++
		offers += len(plan.Offers)
		used, pairs := map[pool.WorkerID]int{}, map[string]bool{}
		byWork, owners := map[pool.WorkID]int{}, map[string]bool{}
		for _, o := range plan.Offers {
			class, head, w := find(t, s, o)
			if !eligible(w, class.Demands) {
				t.Fatalf("%+v: worker %+v does not meet %+v (%s)", o, w, class.Demands, meets(w.Capabilities, class.Demands))
			}
			if barred(head, w, p) {
				t.Fatalf("%+v: barred by the turns %+v", o, head.Turns)
			}
			if used[o.Worker]++; used[o.Worker] > min(w.Slots, w.Quota)-w.Open {
				t.Fatalf("worker %d has %d of %d slots open and gets %d", w.ID, w.Open, w.Slots, used[o.Worker])
			}
			if byWork[o.Work]++; byWork[o.Work] > head.Missing {
				t.Fatalf("work %d wants %d and gets %d", o.Work, head.Missing, byWork[o.Work])
			}
			if pair := fmt.Sprint(o.Work, " ", o.Worker); pairs[pair] {
				t.Fatalf("%s twice", pair)
			} else {
				pairs[pair] = true
			}
			if owner := fmt.Sprint(o.Work, " ", w.Owner); head.Trust > 1 && owners[owner] {
				t.Fatalf("two of %s at one work", owner)
			} else {
				owners[owner] = true
			}
			checkOffer(t, s, class, head, w, o, p)
		}
		checkLimits(t, s, plan)
	})
	if offers < cases && !t.Failed() {
		t.Errorf("only %d offers in %d cases: the pools drawn are too poor to tell", offers, cases)
	}
}

func find(t *rapid.T, s placement.Snapshot, o placement.Offer) (placement.Class, placement.Ready, pool.Worker) {
	w := slices.IndexFunc(s.Workers, func(w pool.Worker) bool { return w.ID == o.Worker })
	for _, c := range s.Classes {
		for _, h := range c.Ready {
			if h.Work == o.Work && w >= 0 {
				return c, h, s.Workers[w]
			}
		}
	}
	t.Fatalf("%+v: of nothing in the snapshot", o)
	return placement.Class{}, placement.Ready{}, pool.Worker{}
}

// checkLimits: no limit that was kept is broken, and none that was broken is
// broken further.
func checkLimits(t *rapid.T, s placement.Snapshot, plan placement.Plan) {
	after := applied(s, plan)
	for id, was := range s.Batches {
		if now := after.Batches[id]; now.Running > max(was.Running, was.Max) {
			t.Fatalf("batch %d: %+v becomes %+v", id, was, now)
		}
	}
	for id, was := range s.Requesters {
		if now := after.Requesters[id]; now.Running > max(was.Running, was.Max) {
			t.Fatalf("requester %d: %+v becomes %+v", id, was, now)
		}
	}
}

// checkOffer: the offer says what it was made of.
func checkOffer(t *rapid.T, s placement.Snapshot, class placement.Class, head placement.Ready, w pool.Worker, o placement.Offer, p placement.Policy) {
	want := placement.Offer{
		Work: head.Work, Class: class.ID, Rank: head.Rank, Start: head.Start, Trust: head.Trust, Missing: head.Missing,
		Requester: head.Requester, Worker: w.ID, Owner: w.Owner,
		Attempt: 1, StartBy: s.Now.Add(time.Duration(p.StartIntervals) * w.Interval),
	}
	for _, turn := range head.Turns {
		if turn.Worker == w.ID {
			want.Attempt, want.Again = turn.Attempt+1, true
		}
	}
	if o != want {
		t.Fatalf("offer %+v, want %+v", o, want)
	}
}

// Nothing that could be offered is left: the second plan is empty, and so says
// the model, pair by pair.
func TestNothingIsLeftToOffer(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, p := snapshots(t), policies(t)
		after := applied(s, placement.Decide(s, rapid.Uint64().Draw(t, "seed"), p))
		for _, class := range after.Classes {
			for _, head := range class.Ready {
				for _, w := range after.Workers {
					if head.Missing > 0 && eligible(w, class.Demands) && !barred(head, w, p) && !full(after, head) {
						t.Fatalf("work %d still wants %d and worker %d has %d free slots", head.Work, head.Missing, w.ID, w.Free())
					}
				}
			}
		}
		if again := placement.Decide(after, rapid.Uint64().Draw(t, "seed again"), p); len(again.Offers) > 0 {
			t.Fatalf("the second plan holds %+v", again)
		}
	})
}

// sum is a demand that worker meets.
var sum = pool.Demands{App: pool.App{Type: pool.ProcessApp, Name: "sum"}}

func worker(id pool.WorkerID, owner string, slots int) pool.Worker {
	return pool.Worker{
		ID: id, Owner: pool.Owner(owner), State: pool.Active, Slots: slots, Quota: pool.MaxSlots, Until: now.Add(time.Minute), Interval: 5 * time.Second,
		Capabilities: pool.Capabilities{Programs: []string{"sum"}, CPU: 4},
	}
}

func head(work pool.WorkID, rank int64, trust, missing int, past ...pool.Assignment) placement.Ready {
	return placement.Ready{Work: work, Rank: rank, Trust: trust, Missing: missing, Turns: past}
}

func pairs(p placement.Plan) string {
	text := ""
	for _, o := range p.Offers {
		text += fmt.Sprintf("%d>%d ", o.Work, o.Worker)
	}
	return text
}

func TestOrderAmongWorks(t *testing.T) {
	t.Parallel()
	gpu := sum
	gpu.GPU = 1
	equipped := worker(1, "account:1", 1)
	equipped.Capabilities.GPU = 1
	ran := pool.Assignment{Worker: 1, Owner: "account:1", Attempt: 1, State: pool.Broken, Started: true}
	for _, c := range []struct {
		name    string
		workers []pool.Worker
		classes []placement.Class
		want    string
	}{
		{"the smallest rank first", []pool.Worker{worker(1, "account:1", 1)},
			[]placement.Class{{ID: 1, Demands: sum, Ready: []placement.Ready{head(10, 5, 0, 1), head(11, 4, 0, 1)}}}, "11>1 "},
		{"at equal rank the first work", []pool.Worker{worker(1, "account:1", 1)},
			[]placement.Class{{ID: 1, Demands: sum, Ready: []placement.Ready{head(11, 5, 0, 1), head(10, 5, 0, 1)}}}, "10>1 "},
		{"a first that cannot have it does not hide the second", []pool.Worker{worker(1, "account:1", 1)},
			[]placement.Class{{ID: 1, Demands: sum, Ready: []placement.Ready{head(10, 1, 0, 1, ran), head(11, 2, 0, 1)}}}, "11>1 "},
		{"a class that nobody can run costs the others nothing", []pool.Worker{worker(1, "account:1", 1)},
			[]placement.Class{{ID: 1, Demands: gpu, Ready: []placement.Ready{head(10, 1, 0, 1)}}, {ID: 2, Demands: sum, Ready: []placement.Ready{head(11, 2, 0, 1)}}}, "11>1 "},
		{"the class with the fewest workers first", []pool.Worker{equipped, worker(2, "account:2", 1)},
			[]placement.Class{{ID: 1, Demands: sum, Ready: []placement.Ready{head(10, 1, 0, 1)}}, {ID: 2, Demands: gpu, Ready: []placement.Ready{head(11, 2, 0, 1)}}}, "10>2 11>1 "},
		{"three of one work and one of the next", []pool.Worker{worker(1, "account:1", 1), worker(2, "account:2", 1), worker(3, "account:3", 2)},
			[]placement.Class{{ID: 1, Demands: sum, Ready: []placement.Ready{head(10, 1, 5, 3), head(11, 2, 5, 3)}}}, "10>1 10>2 10>3 11>3 "},
	} {
		for seed := range uint64(20) {
			plan := placement.Decide(placement.Snapshot{Now: now, State: pool.PoolActive, Workers: c.workers, Classes: c.classes}, seed, placement.Defaults)
			if pairs(plan) != c.want {
				t.Errorf("%s: %s, want %s", c.name, pairs(plan), c.want)
				break
			}
		}
	}
}

func TestWhoMayTryAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state   pool.AssignmentState
		attempt int
		started bool
		trust   int
		same    bool // the turn was this worker's; else one of the same owner
		may     bool
	}{
		{pool.Expired, 1, false, 0, true, true},
		{pool.Expired, 2, false, 3, true, true},
		{pool.Expired, 9, false, 3, true, true}, // slow is not unwilling: the work bounds how often
		{pool.Expired, 1, true, 0, true, false},
		{pool.Refused, 1, false, 0, true, true},
		{pool.Refused, 2, false, 0, true, true},
		{pool.Refused, 3, false, 0, true, false},
		{pool.Broken, 1, true, 0, true, false},
		{pool.Offered, 1, false, 0, true, false},
		{pool.Superseded, 1, false, 0, true, false},
		{pool.Broken, 1, true, 1, false, true},
		{pool.Broken, 1, true, 2, false, false},
		{pool.InRun, 1, true, 3, false, false},
		{pool.Expired, 3, false, 3, false, true},
		{pool.Expired, 1, true, 3, false, false},
	} {
		turn := pool.Assignment{Worker: 1, Owner: "account:1", Attempt: c.attempt, State: c.state, Started: c.started}
		if !c.same {
			turn.Worker = 2
		}
		plan := placement.Decide(placement.Snapshot{
			Now: now, State: pool.PoolActive, Workers: []pool.Worker{worker(1, "account:1", 4)},
			Classes: []placement.Class{{ID: 1, Demands: sum, Ready: []placement.Ready{head(10, 1, c.trust, 2, turn)}}},
		}, 1, placement.Defaults)
		if (len(plan.Offers) == 1) != c.may || len(plan.Offers) > 1 {
			t.Errorf("%+v: %+v", c, plan)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	if want := (placement.Policy{StartIntervals: 2, MaxRefusals: 3}); placement.Defaults != want {
		t.Errorf("%+v", placement.Defaults)
	}
	for priority, want := range map[pool.Priority]time.Duration{pool.High: 24 * time.Hour, pool.Normal: 0, pool.Low: -24 * time.Hour} {
		if got := placement.Boost(priority); got != want {
			t.Errorf("%s goes %v sooner, want %v", priority, got, want)
		}
	}
}
