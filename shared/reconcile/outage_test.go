package reconcile_test

import (
	"testing"
	"time"

	"workerpool/shared/chain/chaintest"
	"workerpool/shared/pool"
)

// minutes lets time pass for the books and the door, but not for the deadlines of
// deals, which are the chain's.
func (s *steered) minutes(n int) {
	s.Helper()
	s.ahead.Add(int64(time.Duration(n) * time.Minute))
	for _, moment := range []string{
		"beat SET until = until", "assignment SET start_by = start_by", "assignment SET run_by = run_by", "work SET open_until = open_until", "lease SET until = until",
		"broadcast SET signed_at = signed_at",
	} {
		s.Exec(s, "UPDATE "+moment+" - INTERVAL ? MINUTE", n)
	}
}

// TestRealOutage: the node is away, or answers nobody, for twelve minutes of the
// chain's time, more than there are for reveals, while tasks are at every step.
// Nobody does anything about it, and all tasks are completed.
func TestRealOutage(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]chaintest.Break{"away": chaintest.Away, "asked too often": chaintest.TooOften(20 * time.Second)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steer(t, 8)
			away := false
			contribute, reveal := s.contribute, s.reveal
			s.contribute = func(w turn, task pool.Hash, word []byte) error {
				if away || s.sent[task] > 0 {
					return errHeld
				}
				return contribute(w, task, word)
			}
			s.reveal = func(w turn, task pool.Hash) error {
				if away {
					return errHeld
				}
				return reveal(w, task)
			}
			end := s.hasten()
			for range 9 {
				s.matched(1, 3)
				clear(s.sent) // one contribution to each task in a round
				s.tick()
				s.dispatch()
				s.work()
				s.market.Chain.Mine(1)
			}
			clear(s.sent)
			s.matched(1, 3)
			s.tick()
			s.dispatch()
			s.work() // what is sent now waits
			s.everywhere()
			away = true
			s.node.Break(broken)
			s.node.Asked()
			for range 12 {
				if err := s.flow.Tick(t.Context()); pool.KindOf(err) != pool.Unavailable {
					t.Fatalf("a tick without a node: %v", err)
				}
				s.dispatch()
				s.work()
				if err := s.market.Chain.AdjustTime(time.Minute); err != nil {
					t.Fatal(err)
				}
				s.market.Chain.Mine(1)
				s.minutes(1)
			}
			if asked, _ := s.node.Asked(); len(asked) > 0 {
				t.Errorf("the node answered %v", asked)
			}
			away = false
			s.node.Break(nil)
			end()
			s.contribute = contribute
			s.finish()
			if s.Count(t, "SELECT COUNT(*) FROM action WHERE kind = 'reopen' AND state = 'done'") == 0 {
				t.Error("no time for reveals was over")
			}
			for _, d := range s.deals {
				s.spoke(d)
				if !s.reached(d, finalized) {
					t.Errorf("a deal ended as %+v", s.views(d))
				}
			}
		})
	}
}

// everywhere tells that there is a task at each step.
func (s *steered) everywhere() {
	s.Helper()
	there := map[step]bool{}
	for _, d := range s.deals {
		for at := range claimed {
			if at != finalizing && s.reached(d, at) {
				there[at] = true
			}
		}
	}
	there[finalizing] = s.broadcasts("kind = 'finalize' AND state = 'signed'") > 0
	there[finalized] = there[finalized] && s.Count(s, "SELECT COUNT(*) FROM task WHERE status = ? AND NOT final", int(pool.TaskCompleted)) > 0
	for at := range claimed {
		if !there[at] {
			s.Errorf("no task is %s", at)
		}
	}
}
