package store_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/life"
	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

// TestPoolState: each change is told with what was before and noted once; a
// repetition changes nothing.
func TestPoolState(t *testing.T) {
	t.Parallel()
	p := newParty(t, 1, 1)
	was := pool.PoolActive
	for i, state := range []pool.State{
		pool.PoolActive, pool.PoolDraining, pool.PoolDraining, pool.PoolInactive, pool.PoolActive, pool.PoolInactive, pool.PoolDraining,
	} {
		before := must(p.SetPoolState(background, state, trace))(t)
		h := must(p.Hear(background, p.owner, p.workers[0]))(t)
		census := must(p.Census(background))(t)
		if before != was || h.State != state || census.State != state {
			t.Errorf("%d: to %s from %s, said %s; heard of %s, counted %s", i, state, was, before, h.State, census.State)
		}
		was = state
	}
	for kind, want := range map[string]int{"pool.active": 1, "pool.draining": 2, "pool.inactive": 2} {
		got := p.Count(t, "SELECT COUNT(*) FROM event WHERE kind = ? AND account_id = ? AND request_id = ?", kind, int64(trace.Account), trace.RequestID)
		if got != want {
			t.Errorf("%s was noted %d times, want %d", kind, got, want)
		}
	}
}

// TestShares: an operator's word replaces the one before, for whoever may submit,
// and the clock of the requester goes on.
func TestShares(t *testing.T) {
	t.Parallel()
	p := newParty(t, 0, 0)
	operator := p.AddAccount(t, "operator", pool.RoleOperator, false)
	read := func(login string, want pool.Share) {
		t.Helper()
		if got := must(p.Share(background, login))(t); got != want {
			t.Errorf("%s has %+v, want %+v", login, got, want)
		}
	}
	read("requester", pool.Share{Weight: 1})
	p.Exec(t, "INSERT INTO requester (account_id, clock) VALUES (?, 12345)", int64(p.requester))
	most := pool.Share{Weight: pool.MaxWeight, MaxRunning: math.MaxInt32}
	for _, share := range []pool.Share{{Weight: 7, MaxRunning: 3}, {Weight: 7, MaxRunning: 3}, most, {Weight: 1}} {
		if err := p.SetShare(background, "requester", share, trace); err != nil {
			t.Fatal(err)
		}
		read("requester", share)
		read("operator", pool.Share{Weight: 1})
	}
	if n := p.Count(t, "SELECT COUNT(*) FROM event WHERE kind = 'requester.share' AND account_id = ? AND data LIKE 'requester weight %'", int64(trace.Account)); n != 3 {
		t.Errorf("three changes were noted %d times", n)
	}
	if err := p.SetShare(background, "operator", most, trace); err != nil {
		t.Fatal(err)
	}
	read("operator", most)
	if clock := p.Count(t, "SELECT clock FROM requester WHERE account_id = ?", int64(p.requester)); clock != 12345 {
		t.Errorf("the clock went to %d", clock)
	}
	if n := p.Count(t, "SELECT COUNT(*) FROM requester WHERE account_id = ?", int64(operator)); n != 1 {
		t.Errorf("%d rows of one account", n)
	}
	before := p.Dump(t, "requester")
	events := p.Dump(t, "event")
	for _, login := range []string{"nobody", "", "Requester", "workers", "'; --"} {
		_, err := p.Share(background, login)
		wantKind(t, err, pool.NotFound)
		wantKind(t, p.SetShare(background, login, pool.Share{Weight: 5}, trace), pool.NotFound)
	}
	if diff := cmp.Diff(before, p.Dump(t, "requester")) + cmp.Diff(events, p.Dump(t, "event")); diff != "" {
		t.Errorf("what was refused left a trace: %s", diff)
	}
	errs := make([]error, 20)
	together(len(errs), func(i int) { errs[i] = p.SetShare(background, "requester", pool.Share{Weight: 100 + i%2}, trace) })
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	last := must(p.Share(background, "requester"))(t).Weight
	if n := p.Count(t, "SELECT COUNT(*) FROM event WHERE kind = 'requester.share' AND data LIKE 'requester weight 10%'"); n < 1 || n > len(errs) {
		t.Errorf("%d changes were noted, and the weight is %d", n, last)
	}
}

// TestDeactivatedLosesItsLease: at once, and no heartbeat that was under way brings
// it back, with reports or without.
func TestDeactivatedLosesItsLease(t *testing.T) {
	t.Parallel()
	p := newParty(t, 2, 3)
	w := p.workers[0]
	ids := p.works(t, 1, 1)
	dispatch(t, p.Books)
	heard := must(p.Hear(background, p.owner, w))(t)
	if err := p.SetWorkerState(background, 0, w, pool.Inactive, trace); err != nil {
		t.Fatal(err)
	}
	late := &pool.Renewal{Worker: w, Seen: heard.Worker.Until, Lease: time.Hour, Interval: time.Second}
	expect := func(when string, live bool) {
		t.Helper()
		if h := must(p.Hear(background, p.owner, w))(t); h.Worker.Live(h.Now) != live {
			t.Errorf("%s: live until %v, at %v", when, h.Worker.Until, h.Now)
		}
	}
	expect("deactivated", false)
	if err := p.Renew(background, *late); err != nil {
		t.Fatal(err)
	}
	expect("renewed too late", false)
	must(p.Settle(background, ids, late, trace, func(time.Time, []life.Life) {}))(t)
	expect("renewed too late, with reports", false)
	// Also one whose lease had run out before it was heard.
	p.Exec(t, "UPDATE beat SET until = '2020-01-01' WHERE worker_id = ?", int64(w))
	again := must(p.Hear(background, p.owner, w))(t)
	if err := p.SetWorkerState(background, 0, w, pool.Inactive, trace); err != nil {
		t.Fatal(err)
	}
	late.Seen = again.Worker.Until
	if err := p.Renew(background, *late); err != nil {
		t.Fatal(err)
	}
	expect("returned too late", false)
	// The way back: active, and heard anew. Two heartbeats at once both count.
	if err := p.SetWorkerState(background, 0, w, pool.Active, trace); err != nil {
		t.Fatal(err)
	}
	late.Seen = must(p.Hear(background, p.owner, w))(t).Worker.Until
	for range 2 {
		if err := p.Renew(background, *late); err != nil {
			t.Fatal(err)
		}
		expect("active", true)
	}
	for kind, want := range map[string]int{"worker.inactive": 1, "worker.active": 1} {
		if n := p.Count(t, "SELECT COUNT(*) FROM event WHERE kind = ? AND worker_id = ?", kind, int64(w)); n != want {
			t.Errorf("%s was noted %d times", kind, n)
		}
	}
	storetest.Check(t, p.Books)
}

// TestHearTellsQuotaAndLive: what the interval and the ring are decided by.
func TestHearTellsQuotaAndLive(t *testing.T) {
	t.Parallel()
	p := newParty(t, 1, 9)
	p.Exec(t, "UPDATE worker SET quota = 4")
	ids := p.works(t, 1, 1)
	dispatch(t, p.Books)
	h := must(p.Hear(background, p.owner, p.workers[0]))(t)
	if h.Worker.Quota != 4 || h.Worker.Free() != 3 || h.State != pool.PoolActive || h.Specs[ids[0]].Login != "requester" {
		t.Errorf("%+v", h)
	}
	p.Exec(t, "UPDATE pool_state SET live_workers = 77")
	if h := must(p.Hear(background, p.owner, p.workers[0]))(t); h.Live != 77 {
		t.Errorf("%d live workers", h.Live)
	}
	page, _, err := p.Workers(background, 0, 0, 10)
	if err != nil || len(page) != 1 || page[0].Quota != 4 {
		t.Errorf("%+v, %v", page, err)
	}
}
