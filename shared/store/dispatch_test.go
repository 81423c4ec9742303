package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/life"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

func TestDispatchSeesWhatPlacementNeeds(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	p := join(t, s, 1, 3)
	own := s.AddAccount(t, "own", pool.RoleWorker, false)
	mine := s.AddWorker(t, own, 2)
	s.AddWorker(t, own, 2, "other")    // cannot run it
	lost := s.AddWorker(t, own, 2)     // its lease is over
	draining := s.AddWorker(t, own, 2) // gets no more
	gone := s.AddAccount(t, "gone", pool.RoleWorker, false)
	s.AddWorker(t, gone, 2) // of a disabled account
	s.Exec(t, "UPDATE account SET disabled = TRUE WHERE id = ?", int64(gone))
	s.Exec(t, "UPDATE beat SET until = UTC_TIMESTAMP(6) WHERE worker_id = ?", int64(lost))
	if err := s.SetWorkerState(background, 0, draining, pool.Draining, trace); err != nil {
		t.Fatal(err)
	}
	hostile := storetest.NewBatch(p.requester, 2, 1)
	hostile.Demands.App.Name = "nobody"
	s.AddBatch(t, hostile)
	ids := p.works(t, 3, 3)
	var seen placement.Snapshot
	look := func(sn placement.Snapshot) placement.Plan { seen = sn; return placement.Plan{} }
	bookmark := placement.Bookmark{}
	pass := must(s.Dispatch(background, nil, 2, bookmark, 1, trace, look))(t)
	if len(seen.Classes) != 1 || seen.Classes[0].Demands.App.Name != storetest.Program || seen.Classes[0].Demands.RunLimit != time.Minute {
		t.Fatalf("%+v", seen.Classes)
	}
	owners := map[pool.WorkerID]pool.Owner{}
	for _, w := range seen.Workers {
		owners[w.ID] = w.Owner
	}
	if want := map[pool.WorkerID]pool.Owner{
		p.workers[0]: pool.Owner(fmt.Sprint("worker:", p.workers[0])), mine: pool.Owner(fmt.Sprint("account:", own)), mine + 1: pool.Owner(fmt.Sprint("account:", own)),
	}; !cmp.Equal(owners, want) {
		t.Errorf("workers %v, want %v", owners, want)
	}
	heads := seen.Classes[0].Ready
	if len(heads) != 2 || heads[0].Work != ids[0] || heads[1].Work != ids[1] || heads[0].Missing != 2 || heads[0].Trust != 3 || pass.Exhausted {
		t.Errorf("heads %+v, %+v", heads, pass)
	}
	// The bookmark leads on; what is behind the last is nothing.
	pass = must(s.Dispatch(background, nil, 2, bookmark, 1, trace, look))(t)
	if heads = seen.Classes[0].Ready; len(heads) != 1 || heads[0].Work != ids[2] || !pass.Exhausted {
		t.Errorf("then heads %+v, %+v", heads, pass)
	}
	if pass = must(s.Dispatch(background, nil, 2, bookmark, 1, trace, look))(t); len(seen.Classes) != 0 || !pass.Exhausted {
		t.Errorf("at last %+v, %+v", seen.Classes, pass)
	}
	if pass = dispatch(t, p.Books); pass.Offers != 5 { // 3 slots and 2 slots
		t.Errorf("%+v", pass)
	}
	must(s.Dispatch(background, nil, 9, placement.Bookmark{}, 1, trace, look))(t)
	for _, w := range seen.Workers {
		if w.ID == mine || w.ID == p.workers[0] {
			t.Errorf("%+v is full", w)
		}
	}
	storetest.Check(t, s)
}

// TestDispatchLooksAgain: between what placement saw and what it plans, somebody
// else does something; the plan must not be stored as it is.
func TestDispatchLooksAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		disturb func(t *testing.T, p *party, ids []pool.WorkID)
		offers  int // on what is left
	}{
		"a work is cancelled": {func(t *testing.T, p *party, ids []pool.WorkID) {
			must(p.Settle(background, ids[:1], nil, trace, cancel))(t)
		}, 6},
		"another dispatched a part": {func(t *testing.T, p *party, ids []pool.WorkID) {
			must(p.Dispatch(background, nil, 9, placement.Bookmark{}, 5, trace, func(s placement.Snapshot) placement.Plan {
				s.Classes[0].Ready = s.Classes[0].Ready[:1]
				s.Workers = s.Workers[:1]
				return placement.Decide(s, 5, placement.Defaults)
			}))(t)
		}, 7},
		"another dispatched all": {func(t *testing.T, p *party, _ []pool.WorkID) { dispatch(t, p.Books) }, 0},
		"a worker is drained": {func(t *testing.T, p *party, _ []pool.WorkID) {
			if err := p.SetWorkerState(background, 0, p.workers[0], pool.Draining, trace); err != nil {
				t.Fatal(err)
			}
		}, 4},
		"a worker has fewer slots": {func(t *testing.T, p *party, _ []pool.WorkID) {
			if err := p.Renew(background, pool.Renewal{Worker: p.workers[0], Lease: time.Hour, Interval: time.Second, Slots: 1}); err != nil {
				t.Fatal(err)
			}
		}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newParty(t, 2, 4)
			ids := p.works(t, 4, 3) // 8 wanted, 8 slots
			looks := 0
			pass := must(p.Dispatch(background, nil, 9, placement.Bookmark{}, 1, trace, func(s placement.Snapshot) placement.Plan {
				if looks++; looks == 1 {
					c.disturb(t, p, ids)
				}
				return placement.Decide(s, 1, placement.Defaults)
			}))(t)
			if pass.Offers != c.offers || pass.Moved {
				t.Errorf("%+v, want %d offers", pass, c.offers)
			}
			if looks != 2 && c.offers > 0 || looks > 2 {
				t.Errorf("looked %d times", looks)
			}
			storetest.Check(t, p.Books)
		})
	}
}

// TestDispatchGivesUp: rows that move at every look are a matter for the next pass.
func TestDispatchGivesUp(t *testing.T) {
	t.Parallel()
	p := newParty(t, 1, 200)
	p.works(t, 100, 1)
	bookmark := placement.Bookmark{}
	pass := must(p.Dispatch(background, nil, 9, bookmark, 1, trace, func(s placement.Snapshot) placement.Plan {
		must(p.Settle(background, []pool.WorkID{s.Classes[0].Ready[0].Work}, nil, trace, cancel))(t)
		return placement.Decide(s, 1, placement.Defaults)
	}))(t)
	if !pass.Moved || pass.Offers != 0 || pass.Exhausted || len(bookmark) != 0 {
		t.Errorf("%+v, bookmark %v", pass, bookmark)
	}
	storetest.Check(t, p.Books)
}

// TestDispatchersCannotFillOneSlotTwice keeps one dispatcher from its commit
// until another stands waiting for the worker that both have drawn.
func TestDispatchersCannotFillOneSlotTwice(t *testing.T) {
	t.Parallel()
	p := newParty(t, 1, 1)
	ids := p.works(t, 2, 1)
	gate := must(p.SQL.Conn(background))(t)
	defer gate.Close()
	if _, err := gate.ExecContext(background, "LOCK TABLES event WRITE"); err != nil { // which a dispatcher writes at last
		t.Fatal(err)
	}
	type answer struct {
		pass placement.Pass
		err  error
	}
	answers := make(chan answer, 2)
	run := func(i int) {
		pass, err := p.Dispatch(background, nil, 9, placement.Bookmark{}, 1, trace, func(s placement.Snapshot) placement.Plan {
			for _, c := range s.Classes {
				for _, h := range c.Ready {
					if h.Work == ids[i] {
						s.Classes[0].Ready = []placement.Ready{h}
						return decide(s)
					}
				}
			}
			return placement.Plan{}
		})
		answers <- answer{pass, err}
	}
	go run(0)
	first := waiting(t, p, 1)
	go run(1)
	second := waiting(t, p, 2)
	if _, err := gate.ExecContext(background, "UNLOCK TABLES"); err != nil || !first || !second {
		t.Errorf("the first waits: %v, the second: %v; %v", first, second, err)
	}
	offers := 0
	for range 2 {
		a := <-answers
		if a.err != nil {
			t.Error(a.err)
		}
		offers += a.pass.Offers
	}
	if offers != 1 {
		t.Errorf("%d offers for one slot", offers)
	}
	storetest.Check(t, p.Books)
}

// waiting tells, within some seconds, whether n statements stand in the test's
// database longer than any takes that waits for nobody.
func waiting(t *testing.T, p *party, n int) bool {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for range 500 {
		stand := 0
		for _, row := range show(t, p.SQL, "SHOW PROCESSLIST") {
			if row["db"] == p.Config.Name && row["command"] == "Query" && number(t, row["time"]) >= 1 {
				stand++
			}
		}
		if stand >= n {
			return true
		}
		<-again.C
	}
	return false
}

func TestDispatchTellsWhatIsOver(t *testing.T) {
	t.Parallel()
	p := newParty(t, 3, 9)
	ids := p.works(t, 6, 1)
	dispatch(t, p.Books)
	p.Report(t, p.turns(t, ids[1])[0].Worker, pool.Report{Work: ids[1], Attempt: 1, Says: pool.SaysRunning})
	p.bring(t, p.turns(t, ids[2])[0], truth) // uploading
	const over = "UTC_TIMESTAMP(6) - INTERVAL 1 SECOND"
	p.Exec(t, "UPDATE assignment SET start_by = "+over+" WHERE work_id IN (?, ?)", int64(ids[0]), int64(ids[2]))
	p.Exec(t, "UPDATE assignment SET run_by = "+over+" WHERE work_id = ?", int64(ids[1]))
	p.Exec(t, "UPDATE batch SET deadline = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR")
	lost := p.turns(t, ids[3])[0].Worker
	never := func(placement.Snapshot) placement.Plan { t.Error("placement was asked"); return placement.Plan{} }
	bookmark := placement.Bookmark{}
	pass := must(p.Dispatch(background, nil, 9, bookmark, 1, trace, never))(t)
	if !cmp.Equal(pass, placement.Pass{Over: ids[:3]}, cmp.Transformer("sorted", sortedWorks)) || len(bookmark) != 0 {
		t.Errorf("%+v", pass)
	}
	if pass := must(p.Dispatch(background, nil, 1, bookmark, 1, trace, never))(t); len(pass.Over) == 0 || len(pass.Over) > 2 {
		t.Errorf("with limit 1: %+v", pass)
	}
	must(p.Settle(background, pass.Over, nil, trace, expire))(t)
	if pass := must(p.Dispatch(background, nil, 9, bookmark, 1, trace, func(placement.Snapshot) placement.Plan { return placement.Plan{} }))(t); len(pass.Over) > 0 {
		t.Errorf("still over: %+v", pass)
	}
	for i, want := range map[int]string{0: "not started in time", 1: "over its run limit", 2: "upload not begun in time"} {
		if a := p.turns(t, ids[i])[0]; a.State != pool.Expired || a.Reason != want {
			t.Errorf("%+v", a)
		}
	}
	// All of a lost worker, and works past their deadline in any state.
	p.Exec(t, "UPDATE beat SET until = "+over+" WHERE worker_id = ?", int64(lost))
	n := storetest.NewBatch(p.requester, 1, 1)
	n.Inputs = []pool.Input{{Digest: pool.Digest{1}, Size: 1}}
	n.Deadline = -time.Second
	staging := p.AddBatch(t, n).ID.Work(0)
	pass = must(p.Dispatch(background, nil, 9, bookmark, 1, trace, never))(t)
	want := map[pool.WorkID]bool{staging: true}
	for _, id := range ids[3:] {
		want[id] = p.turns(t, id)[0].Worker == lost
	}
	got := map[pool.WorkID]bool{}
	for _, id := range pass.Over {
		got[id] = true
	}
	for id, over := range want {
		if got[id] != over {
			t.Errorf("work %d is over: %v, told: %v", id, over, got[id])
		}
	}
	lives := must(p.Settle(background, pass.Over, nil, trace, expire))(t)
	if last := lives[len(lives)-1].Work; last.ID != staging || last.State != pool.Failed || last.Reason != "deadline: not finished in time" {
		t.Errorf("%+v", last)
	}
	storetest.Check(t, p.Books)
}

func sortedWorks(ids []pool.WorkID) map[pool.WorkID]bool {
	set := map[pool.WorkID]bool{}
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// TestDispatchOffersAgain: an offer that expired unstarted or was refused is the
// same row with the next attempt, and a report of the old attempt is nobody's; a
// worker that refuses to the end is asked no more.
func TestDispatchOffersAgain(t *testing.T) {
	t.Parallel()
	p := newParty(t, 1, 1)
	id := p.works(t, 1, 3)[0]
	for attempt := 1; attempt <= placement.Defaults.MaxRefusals; attempt++ {
		if pass := dispatch(t, p.Books); pass.Offers != 1 {
			t.Fatalf("attempt %d: %+v", attempt, pass)
		}
		a := p.turns(t, id)
		if len(a) != 1 || a[0].Attempt != attempt || a[0].State != pool.Offered || a[0].StartBy.IsZero() || a[0].Reason != "" {
			t.Fatalf("attempt %d: %+v", attempt, a)
		}
		before := p.everything(t)
		p.Report(t, p.workers[0], pool.Report{Work: id, Attempt: attempt - 1, Says: pool.SaysReported, Digest: lie})
		if diff := cmp.Diff(before, p.everything(t)); diff != "" {
			t.Error(diff)
		}
		storetest.Check(t, p.Books)
		if attempt > 1 {
			p.Report(t, p.workers[0], pool.Report{Work: id, Attempt: attempt, Says: pool.SaysRefused, Reason: "busy"})
			continue
		}
		p.Exec(t, "UPDATE assignment SET start_by = UTC_TIMESTAMP(6)")
		must(p.Settle(background, []pool.WorkID{id}, nil, trace, expire))(t)
	}
	if pass := dispatch(t, p.Books); pass.Offers != 0 {
		t.Errorf("offered once more to a worker that refused: %+v", pass)
	}
	l := must(p.Settle(background, []pool.WorkID{id}, nil, trace, keep))(t)[0]
	if l.Wanted(life.Defaults) != 2 {
		t.Errorf("%+v wants %d", l, l.Wanted(life.Defaults))
	}
}

// TestDispatchCountsAttempts: an offer that came and went between look and plan
// keeps its number; the next is another.
func TestDispatchCountsAttempts(t *testing.T) {
	t.Parallel()
	p := newParty(t, 1, 1)
	id := p.works(t, 1, 1)[0]
	lapse := func() {
		if pass := dispatch(t, p.Books); pass.Offers != 1 {
			t.Fatalf("%+v", pass)
		}
		p.Exec(t, "UPDATE assignment SET start_by = UTC_TIMESTAMP(6)")
		must(p.Settle(background, []pool.WorkID{id}, nil, trace, expire))(t)
	}
	lapse()
	looks := 0
	pass := must(p.Dispatch(background, nil, 9, placement.Bookmark{}, 1, trace, func(s placement.Snapshot) placement.Plan {
		if looks++; looks == 1 {
			lapse()
		}
		return placement.Decide(s, 1, placement.Defaults)
	}))(t)
	if a := p.turns(t, id); pass.Offers != 1 || looks != 2 || a[0].Attempt != 3 {
		t.Errorf("%+v after %d looks: %+v", pass, looks, a)
	}
}

// TestDispatchersCannotFillOneWorkTwice: two that drew different workers for one
// work; the second finds that less is missing.
func TestDispatchersCannotFillOneWorkTwice(t *testing.T) {
	t.Parallel()
	p := newParty(t, 3, 1)
	p.works(t, 1, 3)
	looks := 0
	pass := must(p.Dispatch(background, nil, 9, placement.Bookmark{}, 1, trace, func(s placement.Snapshot) placement.Plan {
		if looks++; looks > 1 {
			return decide(s)
		}
		must(p.Dispatch(background, nil, 9, placement.Bookmark{}, 1, trace, func(s placement.Snapshot) placement.Plan {
			s.Workers = s.Workers[:1]
			return decide(s)
		}))(t)
		s.Workers = s.Workers[1:]
		return decide(s)
	}))(t)
	if pass.Offers != 1 || looks != 2 {
		t.Errorf("%+v after %d looks", pass, looks)
	}
	storetest.Check(t, p.Books)
}
