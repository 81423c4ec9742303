package reconcile_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/settlement/pocotest"
)

// calling lets a deal want its result called back.
func calling(terms *pocotest.Terms, _ *pool.Deal) { terms.Callback = pool.Address{0xcb} }

// called makes all workers' results those of data, by which a deal can be called back.
func (s *served) called() {
	s.data = map[pool.Hash]string{}
	for i := range s.workers {
		data := fmt.Sprintf("of digest %x", s.workers[i].digest[:4])
		s.workers[i].digest = pocotest.Digest([]byte(data))
		s.data[s.workers[i].digest] = data
	}
}

// TestCallbackFromMatchToMoney: deals that want their result called back are served
// beside others, one worker lying.
func TestCallbackFromMatchToMoney(t *testing.T) {
	t.Parallel()
	s := serve(t, 5)
	s.workers[2].digest = wrong
	s.called()
	deals := []pool.Deal{s.deal(6, 3, calling), s.deal(4, 1), s.deal(3, 1, calling)}
	s.until("ended", func() bool { return s.ended() && s.settled(deals) })
	s.audit()
	if n := s.states(pool.Done); n != 13 {
		t.Errorf("%d works are done", n)
	}
	for _, d := range deals {
		for i := range d.Tasks {
			if status := s.chain.Task(s.task(d, i)).Status; status != pool.TaskCompleted {
				t.Errorf("task %d is %d", i, status)
			}
		}
	}
	if n := s.Count(t, "SELECT COUNT(*) FROM action WHERE kind = 'finalize' AND callback IS NOT NULL"); n != 9 {
		t.Errorf("%d tasks were called back", n)
	}
}

// TestCallbackIsMissing: who says that the result is there and not what to call back
// with is not believed, and the next worker is asked.
func TestCallbackIsMissing(t *testing.T) {
	t.Parallel()
	s := serve(t, 2)
	s.called()
	data := s.data
	s.data = nil
	deal := s.deal(1, 3, calling)
	s.until("asked for", func() bool {
		return s.Count(t, "SELECT COUNT(*) FROM assignment WHERE state = 'uploading'") == 1
	})
	for range 5 {
		s.round()
	}
	if n := s.Count(t, "SELECT COUNT(*) FROM action WHERE kind = 'finalize'") + s.Count(t, "SELECT COUNT(*) FROM work WHERE file IS NOT NULL"); n != 0 {
		t.Fatal("taken without what to call back with")
	}
	s.data = data
	s.until("called back", func() bool { return s.settled([]pool.Deal{deal}) })
	s.audit()
	if n := s.states(pool.Done); n != 1 {
		t.Errorf("%d works are done: %s", n, s.open())
	}
}

// TestCallbackStorms: whatever goes wrong, deals with a callback and without end,
// and the money is where it should be.
func TestCallbackStorms(t *testing.T) {
	t.Parallel()
	for n := range 3 {
		seed := rand.Uint64()
		if given, err := strconv.ParseUint(os.Getenv("STORM_SEED"), 10, 64); err == nil {
			seed = given
		}
		t.Run(fmt.Sprintf("%d seed %d", n, seed), func(t *testing.T) {
			t.Parallel()
			draw := rand.New(rand.NewPCG(seed, 2))
			s := serve(t, 5)
			s.workers[4].digest = wrong
			s.called()
			s.chain.lag = uint64(draw.IntN(24))
			deals := []pool.Deal{s.deal(1+draw.IntN(12), []int{1, 3, 5}[draw.IntN(3)], calling), s.deal(1+draw.IntN(6), 1)}
			for range 30 {
				s.weather(draw)
				_ = s.flow.Tick(s.Context()) // it may be cut off
				s.calm()
				s.dispatch()
				s.work()
				s.chain.mine(time.Duration(1+draw.IntN(10)) * time.Second)
			}
			for _, d := range deals {
				if s.chain.Deal(d.ID).Start.IsZero() {
					s.chain.rematch(d.ID)
				}
			}
			s.chain.mine(block)
			s.until("ended", func() bool { return s.ended() && s.settled(deals) })
			s.audit()
			if n := s.states(pool.Done); n == 0 {
				t.Error("no work was done")
			}
		})
	}
}
