package store_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/life"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

// TestSettleWritesAWholeLife follows one work at trust 3 from offers to the end:
// rows, ready row and events.
func TestSettleWritesAWholeLife(t *testing.T) {
	t.Parallel()
	s := newParty(t, 4, 1)
	id := s.works(t, 1, 3)[0]
	ready := func(want int) {
		t.Helper()
		if got := s.Count(t, "SELECT COALESCE(SUM(missing), 0) FROM ready"); got != want {
			t.Errorf("ready for %d more, want %d", got, want)
		}
		storetest.Check(t, s.Books)
	}
	ready(2)
	dispatch(t, s.Books)
	ready(0)
	turns := s.turns(t, id)
	l := s.Report(t, turns[0].Worker, pool.Report{Work: id, Attempt: 1, Says: pool.SaysRunning})
	if got := l.Rows[0]; got.State != pool.InRun || !got.Started || !got.StartBy.IsZero() || time.Until(got.RunBy) < life.Defaults.RunGrace {
		t.Errorf("%+v", got)
	}
	s.bring(t, turns[0], lie)
	ready(0)
	s.bring(t, turns[1], truth) // no consensus: two more are wanted
	ready(2)
	dispatch(t, s.Books)
	turns = s.open(t, id)
	reason := "it's \"over\": \\ ☂ 👩‍🚀"
	s.Report(t, turns[0].Worker, pool.Report{Work: id, Attempt: 1, Says: pool.SaysFailed, Reason: reason})
	if !slices.ContainsFunc(s.turns(t, id), func(a pool.Assignment) bool { return a.State == pool.Broken && a.Reason == reason }) {
		t.Errorf("%+v", s.turns(t, id))
	}
	ready(1)
	s.workers = append(s.workers, s.AddWorker(t, s.owner, 1))
	dispatch(t, s.Books)
	for _, a := range s.open(t, id) {
		s.bring(t, a, truth)
	}
	work, turns, err := s.Work(background, s.requester, id)
	if err != nil || work.State != pool.Agreed || work.Digest != truth || work.Size != 10 {
		t.Fatalf("%+v, %v", work, err)
	}
	ready(0)
	for _, a := range turns {
		if a.State == pool.Uploading {
			s.Report(t, a.Worker, pool.Report{Work: id, Attempt: 1, Says: pool.SaysUploaded, Digest: truth, Size: 10})
		}
	}
	ready(0)
	work, turns, err = s.Work(background, s.requester, id)
	if err != nil || work.State != pool.Done || work.Ended.IsZero() {
		t.Fatalf("%+v, %v", work, err)
	}
	kinds := events(t, s, id)
	for kind, want := range map[string]int{
		"batch.accepted": 1, "assignment.offered": 5, "assignment.running": 1, "assignment.failed": 1, "work.agreed": 1, "work.done": 1,
		"assignment.closed": 1 + 3, "assignment.uploading": 1,
	} {
		if kinds[kind] != want {
			t.Errorf("%d events %s, want %d; all: %v; %+v", kinds[kind], kind, want, kinds, turns)
		}
	}
	var said string
	if err := s.SQL.QueryRow("SELECT data FROM event WHERE kind = 'assignment.failed'").Scan(&said); err != nil || said != reason {
		t.Errorf("the failure's event says %q, %v", said, err)
	}
}

func events(t *testing.T, s *party, id pool.WorkID) map[string]int {
	t.Helper()
	rows, err := s.SQL.Query("SELECT kind, COUNT(*) FROM event WHERE work_id = ? GROUP BY kind", int64(id))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	kinds := map[string]int{}
	for rows.Next() {
		var kind string
		var n int
		if err := rows.Scan(&kind, &n); err != nil {
			t.Fatal(err)
		}
		kinds[kind] = n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return kinds
}

// everything gives everything a Settle could change, for comparing.
func (p *party) everything(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, table := range []string{"work", "assignment", "ready", "event", "beat", "worker", "past_assignment", "tally"} {
		for _, line := range p.Dump(t, table) {
			all.WriteString(table + ": " + line + "\n")
		}
	}
	return all.String()
}

func TestSettleWithoutChangeWritesNothing(t *testing.T) {
	t.Parallel()
	s := newParty(t, 2, 5)
	ids := s.works(t, 3, 3)
	dispatch(t, s.Books)
	a := s.turns(t, ids[0])[0]
	s.bring(t, a, truth)
	before := s.everything(t)
	s.bring(t, a, truth)                                                                                        // again
	s.Report(t, a.Worker, pool.Report{Work: ids[0], Attempt: 2, Says: pool.SaysFailed})                         // of no attempt
	s.Report(t, a.Worker+100, pool.Report{Work: ids[0], Attempt: 1, Says: pool.SaysFailed})                     // of a stranger
	lives := must(s.Settle(background, []pool.WorkID{ids[2], 5, ids[1], ids[2], 1 << 50}, nil, trace, keep))(t) // twice, unknown
	if len(lives) != 2 || lives[0].Work.ID != ids[1] || lives[1].Work.ID != ids[2] {
		t.Errorf("%+v", lives)
	}
	if len(lives[0].Rows) != 2 || !slices.IsSortedFunc(lives[0].Rows, func(a, b life.Row) int { return int(a.Worker - b.Worker) }) {
		t.Errorf("%+v", lives[0].Rows)
	}
	if got := lives[0].Rows[0]; got.Interval != 5*time.Second || time.Until(got.Until) < 50*time.Minute {
		t.Errorf("the worker's lease is %v, its interval %v", got.Until, got.Interval)
	}
	if diff := cmp.Diff(before, s.everything(t)); diff != "" {
		t.Error(diff)
	}
	for _, none := range [][]pool.WorkID{nil, {}, {7}} {
		if lives := must(s.Settle(background, none, nil, trace, keep))(t); len(lives) != 0 {
			t.Errorf("%v gave %+v", none, lives)
		}
	}
}

func TestSettleEndsOnce(t *testing.T) {
	t.Parallel()
	s := newParty(t, 1, 5)
	id := s.works(t, 1, 1)[0]
	dispatch(t, s.Books)
	s.finish(t, id)
	before := s.everything(t)
	must(s.Settle(background, []pool.WorkID{id}, nil, trace, cancel))(t)
	s.Exec(t, "UPDATE batch SET deadline = '2001-01-01'")
	must(s.Settle(background, []pool.WorkID{id}, nil, trace, expire))(t)
	if diff := cmp.Diff(before, s.everything(t)); diff != "" {
		t.Error(diff)
	}
}

func TestSettleRenews(t *testing.T) {
	t.Parallel()
	s := newParty(t, 1, 5)
	w := s.workers[0]
	c := pool.Capabilities{OS: "linux", Programs: []string{`other`}}
	must(s.Settle(background, nil, &pool.Renewal{Worker: w, Lease: 3 * time.Hour, Interval: 9 * time.Second, Slots: 7, Capabilities: &c}, trace, keep))(t)
	h := must(s.Hear(background, s.owner, w))(t)
	left := h.Worker.Until.Sub(h.Now)
	if left < 3*time.Hour-time.Minute || left > 3*time.Hour || h.Worker.Interval != 9*time.Second || h.Worker.Slots != 7 || !cmp.Equal(h.Worker.Capabilities, c) {
		t.Errorf("%+v at %v", h.Worker, h.Now)
	}
	// A late, shorter word does not shorten the lease.
	if err := s.Renew(background, pool.Renewal{Worker: w, Lease: time.Second, Interval: time.Second}); err != nil {
		t.Fatal(err)
	}
	if again := must(s.Hear(background, s.owner, w))(t); !again.Worker.Until.Equal(h.Worker.Until) || again.Worker.Slots != 7 {
		t.Errorf("%+v", again.Worker)
	}
}

// TestSettleInAnyOrder: overlapping sets of works, in any order and with
// dispatchers between, never come to a deadlock that a caller sees.
func TestSettleInAnyOrder(t *testing.T) {
	t.Parallel()
	s := newParty(t, 10, 50, storetest.Conns(24))
	ids := s.works(t, 60, 3)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	errs := make([]error, 40)
	together(len(errs), func(i int) {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		for range 15 {
			if i%8 == 0 {
				_, err := s.Dispatch(background, nil, 100, placement.Bookmark{}, r.Uint64(), trace, decide)
				errs[i] = errors.Join(errs[i], err)
				continue
			}
			set := make([]pool.WorkID, 0, 30)
			for range 30 {
				set = append(set, ids[r.IntN(len(ids))])
			}
			worker := s.workers[r.IntN(len(s.workers))]
			_, err := s.Settle(background, set, &pool.Renewal{Worker: worker, Lease: time.Hour, Interval: time.Second}, trace, func(now time.Time, lives []life.Life) {
				for k := range lives {
					says := []pool.ReportState{pool.SaysRunning, pool.SaysReported, pool.SaysRefused}[i%3]
					lives[k].Report(now, worker, pool.Report{Work: lives[k].Work.ID, Attempt: 1, Says: says, Digest: truth}, true, 1, life.Defaults)
				}
			})
			errs[i] = errors.Join(errs[i], err)
		}
	})
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	storetest.Check(t, s.Books)
}

// TestSettleLeavesNothingOpen: whatever becomes of a decision, its connection is
// good for the next and holds no lock.
func TestSettleLeavesNothingOpen(t *testing.T) {
	t.Parallel()
	for name, interrupt := range map[string]func(stop context.CancelFunc){
		"panic":     func(context.CancelFunc) { panic("in a decision") },
		"cancelled": func(stop context.CancelFunc) { stop() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newParty(t, 1, 5, storetest.Conns(1))
			id := s.works(t, 1, 1)[0]
			before := s.everything(t)
			ctx, stop := context.WithCancel(background)
			defer stop()
			func() {
				defer func() { _ = recover() }()
				_, err := s.Settle(ctx, []pool.WorkID{id}, nil, trace, func(now time.Time, lives []life.Life) {
					lives[0].Cancel(now)
					interrupt(stop)
				})
				if !errors.Is(err, context.Canceled) {
					t.Errorf("%v", err)
				}
			}()
			// Nobody waits for a lock that is left behind.
			var got int64
			if err := s.SQL.QueryRow("SELECT id FROM work WHERE id = ? FOR UPDATE NOWAIT", int64(id)).Scan(&got); err != nil {
				t.Errorf("the work is locked: %v", err)
			}
			if diff := cmp.Diff(before, s.everything(t)); diff != "" {
				t.Error(diff)
			}
			must(s.Settle(background, []pool.WorkID{id}, nil, trace, cancel))(t)
			storetest.Check(t, s.Books)
		})
	}
}

// TestSettleWaitsForItsTurn: a caller who gives up while waiting for somebody's
// lock is told so, and the works stay as they were.
func TestSettleWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	s := newParty(t, 1, 5)
	id := s.works(t, 1, 1)[0]
	tx := must(s.SQL.Begin())(t)
	defer func() { _ = tx.Rollback() }() // dropping the database waits for it
	if _, err := tx.Exec("SELECT id FROM work WHERE id = ? FOR UPDATE", int64(id)); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(background, 100*time.Millisecond)
	defer stop()
	_, err := s.Settle(ctx, []pool.WorkID{id}, nil, trace, cancel)
	wantKind(t, err, pool.Unavailable)
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if work, _, err := s.Work(background, 0, id); err != nil || work.State != pool.Waiting {
		t.Errorf("%+v, %v", work, err)
	}
	must(s.Settle(background, []pool.WorkID{id}, nil, trace, cancel))(t)
}
