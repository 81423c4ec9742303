package store_test

import (
	"fmt"
	"testing"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

// When many leases end together all get one full period, once; then who is still
// away is lost.
func TestMassLoss(t *testing.T) {
	t.Parallel()
	p := newParty(t, 20, 1)
	p.works(t, 20, 0)
	dispatch(t, p.Books)
	p.Exec(t, "UPDATE assignment SET start_by = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND WHERE worker_id % 2 = 0")
	p.Exec(t, "UPDATE beat SET until = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND WHERE worker_id % 2 = 0")
	if pass := dispatch(t, p.Books); pass.Held != 20 || len(pass.Over) != 0 {
		t.Fatalf("%+v", pass)
	}
	if pass := dispatch(t, p.Books); pass.Held != 0 || len(pass.Over) != 0 {
		t.Errorf("what they hold is over all the same: %+v", pass)
	}
	if n := p.Count(t, "SELECT COUNT(*) FROM event WHERE kind = 'pool.held'"); n != 1 {
		t.Errorf("noted %d times", n)
	}
	p.Exec(t, "UPDATE beat SET until = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND WHERE worker_id % 2 = 0")
	pass := dispatch(t, p.Books)
	if pass.Held != 0 || len(pass.Over) != 10 {
		t.Errorf("a second period: %+v", pass)
	}
	must(p.Settle(background, pass.Over, nil, trace, expire))(t)
	// Later the outage is over, and another may come.
	p.Exec(t, "UPDATE pool_state SET held_at = held_at - INTERVAL 10 MINUTE, swept_at = swept_at - INTERVAL 11 SECOND")
	p.Exec(t, "UPDATE beat SET until = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR")
	dispatch(t, p.Books)
	if n := p.Count(t, "SELECT COUNT(*) FROM pool_state WHERE held_at IS NULL AND live_workers = 20"); n != 1 {
		t.Error("the outage is not over, or who lives is not counted")
	}
	p.Exec(t, "UPDATE pool_state SET swept_at = swept_at - INTERVAL 3 MINUTE")
	if pass := dispatch(t, p.Books); pass.Held != 20 {
		t.Errorf("after the pool itself was away: %+v", pass)
	}
	storetest.Check(t, p.Books)
}

// A pool that is drained between look and plan assigns nothing more; one that is
// inactive accepts nothing, but still answers for what it has.
func TestClosedPool(t *testing.T) {
	t.Parallel()
	p := newParty(t, 1, 5)
	p.works(t, 5, 0)
	looks := 0
	pass := must(p.Dispatch(background, nil, 9, placement.Bookmark{}, 1, trace, func(s placement.Snapshot) placement.Plan {
		looks++
		must(p.SetPoolState(background, pool.PoolDraining, trace))(t)
		return decide(s)
	}))(t)
	if pass.Offers != 0 || looks != 1 && looks != 2 {
		t.Errorf("%+v after %d looks", pass, looks)
	}
	keyed := func(n *pool.NewBatch) { n.Idempotency = "again" }
	before := p.submit(t, p.requester, 1, keyed)
	must(p.SetPoolState(background, pool.PoolInactive, trace))(t)
	_, err := p.InsertBatch(background, storetest.NewBatch(p.requester, 1, 0), 1, 0)
	wantKind(t, err, pool.Conflict)
	if again := p.submit(t, p.requester, 1, keyed); again.ID != before.ID {
		t.Errorf("%+v, then %+v", before, again)
	}
	if n := p.Count(t, "SELECT COUNT(*) FROM batch"); n != 2 {
		t.Errorf("%d batches", n)
	}
	must(p.SetPoolState(background, pool.PoolActive, trace))(t)
	if pass := dispatch(t, p.Books); pass.Offers != 5 {
		t.Errorf("%+v", pass)
	}
}

// More queues than one pass looks at: those with the smallest ranks go first, and
// none is forgotten.
func TestManyQueues(t *testing.T) {
	t.Parallel()
	p := newParty(t, 4, 60)
	for i := range 150 {
		p.submit(t, p.AddAccount(t, fmt.Sprint("r", i), pool.RoleRequester, false), 1, func(n *pool.NewBatch) { n.Demands.RunLimit += time.Duration(i) * time.Second })
	}
	offers, bookmark := 0, placement.Bookmark{}
	for passes := 1; ; passes++ {
		pass := must(p.Dispatch(background, nil, 500, bookmark, 1, trace, decide))(t)
		if offers += pass.Offers; pass.Exhausted {
			break
		}
		if passes > 9 {
			t.Fatal("it does not come to an end")
		}
	}
	if offers != 150 {
		t.Errorf("%d offers", offers)
	}
}

// A draw can be made again from what is kept of it.
func TestDrawIsKept(t *testing.T) {
	t.Parallel()
	p := newParty(t, 3, 4)
	p.works(t, 5, 3)
	seed := uint64(1<<63 + 5)
	must(p.Dispatch(background, nil, 9, placement.Bookmark{}, seed, trace, func(s placement.Snapshot) placement.Plan {
		return placement.Decide(s, seed, placement.Defaults)
	}))(t)
	if n := p.Count(t, "SELECT COUNT(*) FROM draw WHERE seed = ?", seed); n != 1 {
		t.Errorf("%d snapshots", n)
	}
}

// A plan leaves nothing behind: what was passed over for want of room is the next
// to be served.
func TestNextPassBeginsAtTheFront(t *testing.T) {
	t.Parallel()
	p := newParty(t, 2, 3)
	ids := p.works(t, 200, 0)
	bookmark := placement.Bookmark{}
	for round := range 3 {
		if pass := must(p.Dispatch(background, nil, 500, bookmark, 1, trace, decide))(t); pass.Offers != 6 || len(bookmark) != 0 {
			t.Fatalf("%+v, bookmark %v", pass, bookmark)
		}
		for _, id := range ids[6*round : 6*round+6] {
			open := p.open(t, id)
			if len(open) != 1 {
				t.Fatalf("round %d: work %d waits, and later ones go", round, id)
			}
			p.Report(t, open[0].Worker, pool.Report{Work: id, Attempt: 1, Says: pool.SaysReported, Digest: truth, Size: 1})
		}
	}
}

// Workers that come, and workers that an operator sends away, are no mass loss.
func TestComingAndGoingIsNoLoss(t *testing.T) {
	t.Parallel()
	p := newParty(t, 20, 1)
	for i := range 30 {
		must(p.Register(background, pool.NewWorker{Account: p.owner, Name: fmt.Sprint("new", i), Key: truth, Slots: 1}, trace))(t)
	}
	for _, id := range p.workers[:9] {
		if err := p.SetWorkerState(background, 0, id, pool.Inactive, trace); err != nil {
			t.Fatal(err)
		}
	}
	if pass := dispatch(t, p.Books); pass.Held != 0 {
		t.Errorf("%+v", pass)
	}
	if n := p.Count(t, "SELECT COUNT(*) FROM beat WHERE until > UTC_TIMESTAMP(6)"); n != 11 {
		t.Errorf("%d workers live, want 11", n)
	}
}

// Neither a small work in an idle queue, nor many batches, nor a place at the front
// that somebody keeps gives more than a share.
func TestSharesAreNotGamed(t *testing.T) {
	t.Parallel()
	p := newParty(t, 1, 4)
	idle := p.AddWorker(t, p.owner, 250, "idle")
	ann, bob := p.AddAccount(t, "ann", pool.RoleRequester, false), p.AddAccount(t, "bob", pool.RoleRequester, false)
	p.submit(t, bob, 300)
	elsewhere := func(n *pool.NewBatch) { n.Demands.App.Name, n.Demands.RunLimit = "idle", time.Second }
	p.submit(t, ann, 1, func(n *pool.NewBatch) { n.Trust, n.Priority = 1000, pool.High }) // one worker is not enough: it stays in front
	got := map[pool.AccountID]int{}
	for round := range 40 {
		p.submit(t, ann, 10)
		p.submit(t, ann, 1, elsewhere)
		dispatch(t, p.Books)
		h := must(p.Hear(background, p.owner, p.workers[0]))(t)
		for _, a := range h.Rows {
			if a.State != pool.Offered {
				continue
			}
			got[h.Specs[a.Work].Requester]++
			p.Report(t, p.workers[0], pool.Report{Work: a.Work, Attempt: a.Attempt, Says: pool.SaysReported, Digest: truth, Size: 1})
		}
		if held := p.Count(t, "SELECT COUNT(*) FROM assignment WHERE worker_id = ?", int64(idle)); held != round+1 {
			t.Fatalf("round %d: the idle worker has had %d works", round, held)
		}
	}
	if all := got[ann] + got[bob]; all != 160 || got[ann] > 90 {
		t.Errorf("ann got %d, bob %d", got[ann], got[bob])
	}
}
