package heartbeat_test

import (
	"fmt"
	"sync"
	"testing"

	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

// Many workers speak at once of the same works, each heartbeat twice at the same
// time: every work is agreed upon once and has one uploader.
func TestReportsAtOnce(t *testing.T) {
	t.Parallel()
	const works, each = 6, 6
	b := newBench(t)
	var workers []pooltest.Worker
	for i := range 4 {
		workers = append(workers, b.Worker(b.crowd, fmt.Sprint("w", i), each))
	}
	batch := b.Submit(b.ann, works, 3)
	b.Dispatch()
	atOnce := func(state string) (uploads int) {
		t.Helper()
		var all sync.WaitGroup
		for _, w := range workers {
			var reports []wire.Report
			for _, i := range b.Beat(w).Instructions {
				reports = append(reports, pooltest.Says(i.Work, i.Attempt, state, "true"))
			}
			for range 2 {
				all.Go(func() {
					answer := b.TryBeat(w, reports...)
					if answer.Status != 200 {
						t.Errorf("%s: %d %s", state, answer.Status, answer.Body)
					}
				})
			}
		}
		all.Wait()
		for _, w := range workers {
			for _, i := range b.Beat(w).Instructions {
				if i.Do == "upload" {
					uploads++
				}
			}
		}
		b.Check()
		return uploads
	}
	if n := atOnce("running"); n != 0 {
		t.Errorf("%d uploads of running works", n)
	}
	if n := atOnce("reported"); n != works {
		t.Errorf("%d uploads of %d works", n, works)
	}
	for work := batch.FirstWork; work <= batch.LastWork; work++ {
		b.expectState(work, pool.Agreed)
		if n := b.Books.Count(t, "SELECT COUNT(*) FROM event WHERE work_id = ? AND kind = 'work.agreed'", work); n != 1 {
			t.Errorf("work %d was agreed upon %d times", work, n)
		}
	}
}
