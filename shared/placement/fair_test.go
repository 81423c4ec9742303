package placement_test

import (
	"fmt"
	"testing"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
)

const draws = 3_000

// one in ten thousand, for 1 to 5 degrees of freedom. The seeds are fixed, so a
// test that passes does so always.
var critical = []float64{0, 15.1, 18.4, 21.1, 23.5, 25.7}

// drawn counts who gets the first offer of a work, over many seeds.
func drawn(workers []pool.Worker, h placement.Ready) map[pool.WorkerID]int {
	seen := map[pool.WorkerID]int{}
	s := placement.Snapshot{Now: now, State: pool.PoolActive, Workers: workers, Classes: []placement.Class{{ID: 1, Demands: sum, Ready: []placement.Ready{h}}}}
	for seed := range uint64(draws) {
		for _, o := range placement.Decide(s, seed, placement.Defaults).Offers {
			seen[o.Worker]++
		}
	}
	return seen
}

// fair compares counts with shares by chi-square.
func fair[K comparable](t *testing.T, name string, seen map[K]int, shares map[K]float64) {
	t.Helper()
	total, chi := 0, 0.0
	for _, n := range seen {
		total += n
	}
	sum := 0.0
	for _, share := range shares {
		sum += share
	}
	for k, share := range shares {
		expected := share / sum * float64(total)
		d := float64(seen[k]) - expected
		chi += d * d / expected
	}
	for k, n := range seen {
		if shares[k] == 0 {
			t.Errorf("%s: %v has no share and was drawn %d times", name, k, n)
		}
	}
	if total < draws {
		t.Errorf("%s: %d offers of %d", name, total, draws)
	}
	if chi > critical[len(shares)-1] {
		t.Errorf("%s: drawn %v for the shares %v: chi-square %.1f", name, seen, shares, chi)
	}
}

func TestDrawByFreeSlots(t *testing.T) {
	t.Parallel()
	half := worker(4, "account:4", 8)
	half.Open = 4
	workers := []pool.Worker{worker(1, "account:1", 1), worker(2, "account:1", 2), worker(3, "account:3", 5), half, worker(5, "account:5", 1)}
	for _, trust := range []int{0, 1} {
		fair(t, "by slots", drawn(workers, head(1, 1, trust, 1)), map[pool.WorkerID]float64{1: 1, 2: 2, 3: 5, 4: 4, 5: 1})
	}
	barred := pool.Assignment{Worker: 3, Owner: "account:3", Attempt: 1, State: pool.Broken, Started: true}
	fair(t, "with one that had its turn", drawn(workers, head(1, 1, 1, 1, barred)), map[pool.WorkerID]float64{1: 1, 2: 2, 4: 4, 5: 1})
}

func TestDrawByOwner(t *testing.T) {
	t.Parallel()
	// One owner has many workers and slots, the others one each.
	workers := []pool.Worker{worker(2, "account:2", 1), worker(3, "account:3", 9)}
	owner := map[pool.WorkerID]pool.Owner{2: "account:2", 3: "account:3"}
	for id := pool.WorkerID(10); id < 30; id++ {
		workers = append(workers, worker(id, "account:1", 8))
		owner[id] = "account:1"
	}
	byOwner := map[pool.Owner]int{}
	for id, n := range drawn(workers, head(1, 1, 2, 1)) {
		byOwner[owner[id]] += n
	}
	fair(t, "one owner, one chance", byOwner, map[pool.Owner]float64{"account:1": 1, "account:2": 1, "account:3": 1})
	few := []pool.Worker{worker(1, "account:1", 1), worker(2, "account:1", 3), worker(3, "account:3", 1)}
	fair(t, "within the owner by slots", drawn(few, head(1, 1, 3, 1)), map[pool.WorkerID]float64{1: 1, 2: 3, 3: 4})
}

// An owner keeps its one chance when some of its workers may not be asked again.
func TestDrawByOwnerAmongThoseLeft(t *testing.T) {
	t.Parallel()
	workers := []pool.Worker{worker(1, "account:1", 1), worker(2, "account:1", 1), worker(3, "account:3", 1)}
	tired := pool.Assignment{Worker: 1, Owner: "account:1", Attempt: placement.Defaults.MaxRefusals, State: pool.Refused}
	fair(t, "one worker barred", drawn(workers, head(1, 1, 3, 1, tired)), map[pool.WorkerID]float64{2: 1, 3: 1})
}

// When nearly everyone is barred the search through all must draw as fairly.
func TestDrawWhenNearlyAllAreBarred(t *testing.T) {
	t.Parallel()
	workers := []pool.Worker{worker(1, "account:1", 1), worker(2, "account:1", 3), worker(3, "account:3", 1)}
	var past []pool.Assignment
	for id := pool.WorkerID(10); id < 60; id++ {
		workers = append(workers, worker(id, "account:9", 250))
		past = append(past, pool.Assignment{Worker: id, Owner: "account:9", Attempt: 1, State: pool.Broken, Started: true})
	}
	fair(t, "by slots", drawn(workers, head(1, 1, 1, 1, past...)), map[pool.WorkerID]float64{1: 1, 2: 3, 3: 1})
	// The barred workers of many owners, so that the draw by owner fails as often.
	for i := range past {
		past[i].Owner = pool.Owner(fmt.Sprint("worker:", past[i].Worker))
		workers[3+i].Owner = past[i].Owner
	}
	fair(t, "by owner", drawn(workers, head(1, 1, 3, 1, past...)), map[pool.WorkerID]float64{1: 1, 2: 3, 3: 4})
}
