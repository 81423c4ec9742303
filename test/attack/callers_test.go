package attack_test

import (
	"fmt"
	"testing"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/test/attack"
)

// Sizes of the draws that count who gets how much.
const (
	callers  = 10
	draws    = 10_000
	critical = 33.7 // chi-square with 9 degrees of freedom exceeds it once in 10,000; the seeds are fixed
)

// chiSquare compares how often each caller was drawn with equal shares.
func chiSquare(seen map[pool.WorkerID]int, total int) float64 {
	chi, expected := 0.0, float64(total)/callers
	for id := pool.WorkerID(1); id <= callers; id++ {
		d := float64(seen[id]) - expected
		chi += d * d / expected
	}
	return chi
}

// Who calls ten times as often has a fresher lease, a shorter interval and stands
// first among those who called: none of it moves the draw.
func TestCallingOftenGivesNothing(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)
	sum := pool.Demands{App: pool.App{Type: pool.ProcessApp, Name: "sum"}}
	for _, trust := range []int{0, 3, 100} {
		for fast := pool.WorkerID(1); fast <= callers; fast += 3 {
			seen, total := map[pool.WorkerID]int{}, 0
			for seed := range uint64(draws) {
				var workers []pool.Worker
				for id := pool.WorkerID(1); id <= callers; id++ {
					// A slow one called some moments ago; by chance any share of its interval has passed.
					passed := time.Duration((seed*7+uint64(id)*13)%10) * 500 * time.Millisecond
					w := pool.Worker{
						ID: id, Owner: pool.Owner(fmt.Sprint("worker:", id)), State: pool.Active, Slots: 4, Quota: 4, Interval: 5 * time.Second,
						Until: now.Add(20*time.Second - passed), Capabilities: pool.Capabilities{Programs: []string{"sum"}},
					}
					if id == fast {
						w.Interval, w.Until = w.Interval/attack.Faster, now.Add(20*time.Second)
						workers = append([]pool.Worker{w}, workers...)
						continue
					}
					workers = append(workers, w)
				}
				ready := placement.Ready{Work: pool.BatchID(1).Work(0), Trust: trust, Missing: 1}
				plan := placement.Decide(placement.Snapshot{
					Now: now, State: pool.PoolActive, Workers: workers, Classes: []placement.Class{{ID: 1, Demands: sum, Ready: []placement.Ready{ready}}},
				}, seed, placement.Defaults)
				for _, o := range plan.Offers {
					seen[o.Worker]++
					total++
				}
			}
			if chi := chiSquare(seen, total); chi > critical || total != draws {
				t.Errorf("trust %d, worker %d calls ten times as often: %d offers, %v, chi-square %.1f", trust, fast, total, seen, chi)
			}
		}
	}
	// The same count does notice a caller who is served first.
	seen := map[pool.WorkerID]int{}
	for i := range draws {
		if i%(callers-1+attack.Faster) < attack.Faster {
			seen[1]++
		} else {
			seen[pool.WorkerID(2+i%(callers-1))]++
		}
	}
	if chi := chiSquare(seen, draws); chi < 100*critical {
		t.Errorf("first come, first served: %v, chi-square only %.1f", seen, chi)
	}
}
