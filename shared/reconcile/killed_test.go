package reconcile_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"workerpool/shared/pool"
)

// deadly is a tick that does one thing on the chain, and is cut off.
type deadly struct {
	*steered
	kind  pool.ActionKind
	ready func(i int) // makes one more action due
	task  func(i int) pool.Hash
	want  pool.TaskStatus
	next  int
}

// span gives the first and the last round trip of a tick in which reconcile decides
// what to say and says it: those that read what it decides on, and the one after it
// has spoken. With STORM_SEED=all it is the whole tick.
func (x *deadly) span() (first, last int) {
	x.Helper()
	x.ready(x.next)
	x.wire.Reset()
	x.tick()
	said := x.wire.Said()
	holds := func(text string) int {
		return slices.IndexFunc(said, func(s string) bool { return strings.Contains(s, text) }) + 1
	}
	first, last = holds("INSERT INTO action")-2, holds("INSERT INTO broadcast")+1
	if first < 1 || last < first+4 || x.wire.Trips() != len(said) {
		x.Fatalf("%s: a tick said %q", x.kind, said)
	}
	if os.Getenv("STORM_SEED") == "all" {
		first, last = 1, len(said)-1 // the last gives the lease back, which may fail
	}
	x.held("nothing went wrong")
	return first, last
}

// die cuts a tick off at a round trip, before or after the server has done it. The
// next tick goes on, in the first case when a block has been made.
func (x *deadly) die(trip int, after bool) {
	x.Helper()
	x.ready(x.next)
	if x.wire.CutBefore(trip); after {
		x.wire.CutAfter(trip)
	}
	if err := x.flow.Tick(x.Context()); err == nil {
		x.Errorf("%s: it was not cut off at %d", x.kind, trip)
	}
	x.wire.Reset()
	x.Exec(x, "UPDATE lease SET until = UTC_TIMESTAMP(6)") // its holder has died
	if !after {
		x.market.Chain.Mine(1)
	}
	x.tick()
	x.held(fmt.Sprintf("trip %d, after %v", trip, after))
}

// held sees that one transaction and no other was sent, that the books know it, and
// that it does what it is to do.
func (x *deadly) held(when string) {
	x.Helper()
	if n := x.market.Chain.Waiting(); n > 1 {
		x.Fatalf("%s, %s: %d transactions wait: %s", x.kind, when, n, x.open())
	}
	x.market.Chain.Mine(1)
	x.tick()
	if n := x.broadcasts("state <> 'mined'"); n != 0 || x.market.Chain.Waiting() != 0 {
		x.Fatalf("%s, %s: %d broadcasts came to nothing, %d wait", x.kind, when, n, x.market.Chain.Waiting())
	}
	if is, err := x.statusOf(x.task(x.next)); err != nil || is != x.want {
		x.Fatalf("%s, %s: the task is %d, %v", x.kind, when, is, err)
	}
	if x.booked(); x.Failed() {
		x.Fatalf("%s, %s", x.kind, when)
	}
	x.next++
}

// everyTrip has ticks die at each round trip.
func (x *deadly) everyTrip() {
	x.Helper()
	first, last := x.span()
	for trip := first; trip <= last; trip++ {
		x.die(trip, false)
		x.die(trip, true)
	}
	x.Logf("%s: cut off before and after round trips %d to %d", x.kind, first, last)
}

// deaths is how many actions a test prepares.
func deaths() int {
	if os.Getenv("STORM_SEED") == "all" {
		return 64
	}
	return 16
}

// steps lets workers do the next thing about those turns that are picked.
func (s *steered) steps(pick func(row pool.Assignment) bool) {
	s.Helper()
	for _, w := range s.workers {
		h, err := s.Hear(s.Context(), pool.AccountID(s.Count(s, "SELECT account_id FROM worker WHERE id = ?", int64(w.id))), w.id)
		if err != nil {
			s.Fatal(err)
		}
		for _, row := range h.Rows {
			if pick(row) {
				s.step(w, row, h.Turns[row.Work])
			}
		}
	}
}

// stepOf lets them do it about one task.
func (s *steered) stepOf(task pool.Hash) {
	s.Helper()
	work := pool.WorkID(s.Count(s, "SELECT work_id FROM task WHERE task_id = ?", task[:]))
	s.steps(func(row pool.Assignment) bool { return row.Work == work })
}

// stepUntil goes on until all turns are in a state, which nobody leaves.
func (s *steered) stepUntil(state pool.AssignmentState, turns int) {
	s.Helper()
	for range 30 {
		if s.Count(s, "SELECT COUNT(*) FROM assignment WHERE state = ?", string(state)) == turns {
			return
		}
		s.tick()
		s.dispatch()
		s.steps(func(row pool.Assignment) bool { return row.State != state })
		s.market.Chain.Mine(1)
	}
	s.Fatalf("never all %s: %s", state, s.open())
}

func (s *steered) statusOf(task pool.Hash) (pool.TaskStatus, error) {
	seen, err := s.market.Task(s.Context(), task)
	return seen.Status, err
}

// past lets the chain come behind a moment.
func (s *steered) past(moment time.Time) {
	s.Helper()
	if wait := moment.Sub(s.market.Chain.Head().Time); wait >= 0 {
		if err := s.market.Chain.AdjustTime(wait + time.Second); err != nil {
			s.Fatal(err)
		}
	}
}

// TestRealDeaths: reconcile dies at each round trip to the books of a tick that
// speaks to the chain, before or after the server has done it. Nothing is said
// twice, and nothing is left out.
func TestRealDeaths(t *testing.T) {
	t.Parallel()
	deaths := deaths()
	t.Run("initialize, finalize", func(t *testing.T) {
		t.Parallel()
		s := steer(t, 1)
		end := s.hasten()
		d := s.matched(deaths, 1)
		s.tick()
		s.dispatch()
		of := func(i int) pool.Hash { return s.task(d, i) }
		begin := &deadly{steered: s, kind: pool.Initialize, want: pool.TaskActive, ready: func(i int) { s.stepOf(of(i)) }, task: of}
		begin.everyTrip()
		s.stepUntil(pool.Uploading, deaths)
		s.tick()
		finish := &deadly{steered: s, kind: pool.Finalize, want: pool.TaskCompleted, ready: func(i int) { s.stepOf(of(i)) }, task: of}
		finish.everyTrip()
		end()
		s.finish()
	})
	t.Run("reopen", func(t *testing.T) {
		t.Parallel()
		s := steer(t, 2)
		end := s.hasten()
		d := s.matched(deaths, 1)
		s.stepUntil(pool.Reported, deaths)
		by := make([]time.Time, deaths)
		for i := range by {
			s.stepOf(s.task(d, i))
			s.market.Chain.Mine(1)
			seen, err := s.market.Task(t.Context(), s.task(d, i))
			if err != nil {
				t.Fatal(err)
			}
			by[i] = seen.RevealBy
			s.past(s.market.Chain.Head().Time.Add(8 * time.Second))
		}
		s.tick()
		again := &deadly{steered: s, kind: pool.Reopen, want: pool.TaskActive, ready: func(i int) { s.past(by[i]) }, task: func(i int) pool.Hash { return s.task(d, i) }}
		again.everyTrip()
		end()
		s.finish()
	})
	for _, kind := range []pool.ActionKind{pool.Claim, pool.InitializeClaim} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := steer(t, 1)
			end := s.hasten()
			for range deaths {
				s.matched(1, 1)
				s.past(s.market.Chain.Head().Time.Add(8 * time.Second))
			}
			s.tick()
			if kind == pool.Claim {
				s.stepUntil(pool.InRun, deaths)
				s.tick()
				s.market.Chain.Mine(1)
				s.tick()
			}
			x := &deadly{
				steered: s, kind: kind, want: pool.TaskFailed, ready: func(i int) { s.past(s.deals[i].FinalBy()) }, task: func(i int) pool.Hash { return s.task(s.deals[i], 0) },
			}
			x.everyTrip()
			end()
			s.past(s.deals[deaths-1].FinalBy())
			s.finish()
		})
	}
}
