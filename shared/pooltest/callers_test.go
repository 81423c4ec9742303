package pooltest_test

import (
	"testing"

	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

// One worker calls ten times as often as each other, is heard first after every
// submission and lets the pool dispatch at once, and brings its results before
// anybody else's are due: it gets as many works as the others.
func TestCallingOftenGivesNothing(t *testing.T) {
	t.Parallel()
	const (
		workers, slots = 10, 256 // slots enough that none of them is nearly full
		rounds, bursts = 20, 5
		burst          = 10
		often          = 10   // calls of the fast worker for one of another
		critical       = 33.7 // chi-square with 9 degrees of freedom: exceeded once in 10,000; a World's seeds are fixed
	)
	w := pooltest.New(t)
	ann, crowd := w.Account(pool.RoleRequester, "ann"), w.SharedAccount("crowd")
	var fleet []pooltest.Worker
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		fleet = append(fleet, w.Worker(crowd, name, slots))
	}
	const fast = 3
	seen := map[int64]int{}
	finish := func(worker pooltest.Worker, beat wire.Beat) {
		var began, done []wire.Report
		for _, i := range beat.Instructions {
			if i.Do != "start" {
				t.Fatalf("worker %s is to %s work %d", worker.Name, i.Do, i.Work)
			}
			seen[worker.ID]++
			began = append(began, pooltest.Says(i.Work, i.Attempt, "reported", "sum"))
			done = append(done, pooltest.Says(i.Work, i.Attempt, "uploaded", "sum"))
		}
		if began == nil {
			return
		}
		for _, i := range w.Beat(worker, began...).Instructions {
			if status := w.Upload(i.Upload, "sum"); status >= 300 {
				t.Fatalf("upload: %d", status)
			}
		}
		w.Beat(worker, done...)
	}
	for range rounds {
		for range bursts {
			w.Submit(ann, burst, 0)
			for range often / bursts {
				w.Beat(fleet[fast])
				w.Dispatch()
			}
			finish(fleet[fast], w.Beat(fleet[fast]))
		}
		for i, worker := range fleet {
			if i != fast {
				finish(worker, w.Beat(worker))
			}
		}
	}
	const total = rounds * bursts * burst
	chi, sum := 0.0, 0
	for _, worker := range fleet {
		n := seen[worker.ID]
		sum += n
		d := float64(n) - total/workers
		chi += d * d / (total / workers)
	}
	t.Logf("worker %d calls ten times as often; %v, chi-square %.1f", fleet[fast].ID, seen, chi)
	if sum != total || chi > critical {
		t.Errorf("%d works of %d were begun, %v: chi-square %.1f", sum, total, seen, chi)
	}
	if open := w.Books.Count(t, "SELECT COUNT(*) FROM work WHERE ended_at IS NULL"); open > 0 {
		t.Errorf("%d works have not ended", open)
	}
	w.Check()
}
