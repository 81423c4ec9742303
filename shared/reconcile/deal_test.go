package reconcile_test

import (
	"testing"

	"workerpool/shared/pool"
)

// A deal of sixteen tasks at trust 3, with one worker of five lying, goes from its
// match to its money.
func TestDealFromMatchToMoney(t *testing.T) {
	t.Parallel()
	s := serve(t, 5)
	s.workers[2].digest = wrong
	deal := s.deal(16, 3)
	s.until("ended", s.ended)
	if n := s.states(pool.Done); n != 16 {
		t.Errorf("%d works are done", n)
	}
	for i := range deal.Tasks {
		if status := s.chain.Task(s.task(deal, i)).Status; status != pool.TaskCompleted {
			t.Errorf("task %d is %d", i, status)
		}
	}
	s.audit()
}
