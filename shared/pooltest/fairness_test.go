package pooltest_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"workerpool/shared/life"
	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

// shop is a World in steps: in each the pool dispatches, and runs that are due
// bring their results. Waiting is counted in steps. Runs take 2 to 6 steps, so
// slots come free one by one, as in a pool that has been busy for long.
type shop struct {
	*pooltest.World
	t     *testing.T
	step  int
	began map[pool.WorkID]int
	ended map[pool.WorkID]int
	due   map[int][]turn
}

type turn struct {
	work   pool.WorkID
	worker pool.WorkerID
}

func newShop(t *testing.T, slots int) *shop {
	s := &shop{World: pooltest.New(t), t: t, began: map[pool.WorkID]int{}, ended: map[pool.WorkID]int{}, due: map[int][]turn{}}
	crowd := s.SharedAccount("crowd")
	for left := slots; left > 0; left -= 20 {
		s.Books.AddWorker(t, crowd.ID, min(20, left))
	}
	return s
}

// steps lets so many steps pass.
func (s *shop) steps(n int) {
	s.t.Helper()
	for range n {
		s.finish(s.due[s.step])
		delete(s.due, s.step)
		s.Dispatch()
		rows, err := s.Books.SQL.Query("SELECT work_id, worker_id FROM assignment WHERE state = 'offered'")
		if err != nil {
			s.t.Fatal(err)
		}
		for rows.Next() {
			var a turn
			if err := rows.Scan(&a.work, &a.worker); err != nil {
				s.t.Fatal(err)
			}
			if _, known := s.began[a.work]; !known {
				s.began[a.work] = s.step
				end := s.step + 2 + int(uint64(a.work)*2654435761>>7%5)
				s.due[end] = append(s.due[end], a)
			}
		}
		if err := rows.Close(); err != nil {
			s.t.Fatal(err)
		}
		s.step++
	}
}

// finish brings the results of runs, as heartbeats do.
func (s *shop) finish(due []turn) {
	s.t.Helper()
	for len(due) > 0 {
		part := due[:min(200, len(due))]
		due = due[len(part):]
		by := map[pool.WorkID]pool.WorkerID{}
		var ids []pool.WorkID
		for _, a := range part {
			by[a.work] = a.worker
			ids = append(ids, a.work)
			s.ended[a.work] = s.step
		}
		slices.Sort(ids)
		for _, says := range []pool.ReportState{pool.SaysReported, pool.SaysUploaded} {
			_, err := s.Books.Settle(context.Background(), ids, nil, pool.Trace{RequestID: "shop"}, func(now time.Time, lives []life.Life) {
				for i := range lives {
					r := pool.Report{Work: lives[i].Work.ID, Attempt: 1, Says: says, Digest: pool.Digest{1}, Size: 1}
					lives[i].Report(now, by[r.Work], r, true, 1, life.Defaults)
				}
			})
			if err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

// batch is a submission and when it was made.
type batch struct {
	wire.Accepted
	at int
}

func (s *shop) submit(who pooltest.Someone, works int) batch {
	s.t.Helper()
	return batch{s.Submit(who, works, 0), s.step}
}

// wait gives how long a batch has been waiting for its last work to begin, and for
// its last result; false while it waits.
func (s *shop) wait(b batch) (begin, end int, done bool) {
	for id := pool.WorkID(b.FirstWork); id <= pool.WorkID(b.LastWork); id++ {
		ended, ok := s.ended[id]
		if !ok {
			return 0, 0, false
		}
		begin, end = max(begin, s.began[id]-b.at), max(end, ended-b.at)
	}
	return begin, end, true
}

// served lets steps pass until a batch has its results.
func (s *shop) served(b batch, most int) (begin, end int) {
	s.t.Helper()
	for range most {
		if begin, end, done := s.wait(b); done {
			return begin, end
		}
		s.steps(1)
	}
	s.t.Fatalf("batch %d has no results after %d steps", b.Batch, most)
	return 0, 0
}

// rounds of a small requester's submissions, each when it has the results of the last.
func (s *shop) rounds(who pooltest.Someone, n int) (total, longest int) {
	s.t.Helper()
	for range n {
		_, end := s.served(s.submit(who, 10), 2_000)
		total, longest = total+end, max(longest, end)
	}
	return total, longest
}

// Ten thousand works of one requester wait, in a pool that takes a week for them
// or one that is soon done: another's ten have their results after at most twice
// the time that they take when nobody else is there.
func TestFloodDoesNotDelayOthers(t *testing.T) {
	t.Parallel()
	for name, slots := range map[string]int{"overloaded": 4, "fast": 200} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const before, submissions = 11, 6
			alone, together := newShop(t, slots), newShop(t, slots)
			alone.steps(before)
			most, longest := alone.rounds(alone.Account(pool.RoleRequester, "small"), submissions)
			big := together.Account(pool.RoleRequester, "big")
			for range 10 { // to come in many parts gives nothing either
				together.submit(big, 1_000)
			}
			together.steps(before)
			total, slowest := together.rounds(together.Account(pool.RoleRequester, "small"), submissions)
			t.Logf("%d slots, ten works each: %d steps alone (longest %d), %d behind ten thousand (longest %d)", slots, most, longest, total, slowest)
			if total > 2*most || slowest > 2*longest {
				t.Errorf("more than twice as long")
			}
			if waiting := together.Books.Count(t, "SELECT COUNT(*) FROM ready"); waiting < 5_000 {
				t.Errorf("only %d works wait in the end: there was no flood", waiting)
			}
			together.Check()
		})
	}
}

// When the flood is through, whoever sent it is served like a newcomer: it owes
// nothing for having used a pool that nobody else wanted, and nothing for having
// had its share of one that others wanted as well.
func TestFloodIsNotHeldAgainstItsSender(t *testing.T) {
	t.Parallel()
	for name, contested := range map[string]bool{"alone": false, "contested": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, 20)
			big, busy := s.Account(pool.RoleRequester, "big"), s.Account(pool.RoleRequester, "busy")
			if contested {
				s.submit(busy, 3_000)
				s.steps(3)
			}
			s.served(s.submit(big, 1_000), 2_000)
			if !contested {
				s.submit(busy, 2_000)
				s.steps(7)
			}
			his, new := 0, 0
			const submissions = 6
			for i := range submissions {
				fresh := s.Account(pool.RoleRequester, fmt.Sprint("newcomer-", i))
				var b, f batch
				if i%2 == 0 { // who comes first at the same moment is no matter
					f = s.submit(fresh, 10)
				}
				b = s.submit(big, 10)
				if i%2 == 1 {
					f = s.submit(fresh, 10)
				}
				begin, _ := s.served(f, 500)
				new += begin
				begin, _ = s.served(b, 2_000)
				his += begin
			}
			t.Logf("until the last of ten works began: %d steps, a newcomer's %d, over %d submissions", his, new, submissions)
			if his > new+submissions { // a step is less than any run takes
				t.Errorf("it waits %d steps, newcomers %d", his, new)
			}
			if waiting := s.Books.Count(t, "SELECT COUNT(*) FROM ready"); waiting == 0 {
				t.Error("nobody else waits: nothing was shown")
			}
			s.Check()
		})
	}
}
