package heartbeat_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"workerpool/shared/pooltest"
	"workerpool/shared/store/storetest"
	"workerpool/shared/wire"
)

// However many workers there are, together they stay within the budget of 20
// calls a second, as far as a minute's interval allows; no interval is shorter
// than the busy or idle one.
func TestBudget(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	idle, busy := b.workers("idle")[0], b.Worker(b.crowd, "busy", 2)
	b.Books.Exec(t, "UPDATE worker SET capabilities = '{}' WHERE id = ?", idle.ID)
	held := b.submit(0)
	b.Dispatch()
	for _, c := range []struct{ live, busy, idle int }{
		{0, 5, 30}, {1, 5, 30}, {100, 5, 30}, {101, 6, 30}, {120, 6, 30}, {121, 7, 30}, {600, 30, 30}, {601, 31, 31},
		{1181, 60, 60}, {1200, 60, 60}, {1201, 60, 60}, {1_000_000, 60, 60},
	} {
		b.Books.Exec(t, "UPDATE pool_state SET live_workers = ?", c.live)
		b.Books.Exec(t, "UPDATE beat SET interval_s = 1") // as if never told
		calls := b.Beat(busy, pooltest.Says(held, 1, "running", "")).NextHeartbeatS
		if rests := b.Beat(idle).NextHeartbeatS; calls != c.busy || rests != c.idle {
			t.Errorf("%d live: busy %d s, idle %d s, want %d and %d", c.live, calls, rests, c.busy, c.idle)
		}
		if n := b.Books.Count(t, "SELECT interval_s FROM beat WHERE worker_id = ?", busy.ID); n != c.busy {
			t.Errorf("%d live: %d s are stored, %d were told", c.live, n, c.busy)
		}
	}
}

// Workers that come and go are no reason to write the leases of all others: what
// was told stands while it is at most a quarter longer than need be.
func TestBudgetIsNotFollowedToTheSecond(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.workers("one")[0]
	for _, step := range []struct {
		live, want int
		writes     bool
	}{
		{1000, 50, true}, {999, 50, false}, {961, 50, false}, {940, 50, false}, {800, 50, false}, {780, 39, true}, // 50 is more than 39 and a quarter
		{800, 40, true}, {1180, 59, true}, {1200, 60, true}, {961, 60, false}, {960, 60, false}, {940, 47, true}, {600, 30, true}, {601, 31, true}, {600, 30, true}, // the operator's own 30 s
	} {
		b.Books.Exec(t, "UPDATE pool_state SET live_workers = ?", step.live)
		before := b.Stored()
		b.Wire.Reset()
		got := b.Beat(one).NextHeartbeatS
		if wrote := !maps.Equal(before, b.Stored()); got != step.want || wrote != step.writes {
			t.Errorf("%d live: %d s, wrote %v, want %d s and %v", step.live, got, wrote, step.want, step.writes)
		}
		if trips := b.Wire.Trips(); !step.writes && trips != 1 {
			t.Errorf("%d live: %d round trips", step.live, trips)
		}
	}
}

// Works that wait make a worker busy, and ring, only when it could be given one.
func TestNobodyIsBusyInVain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.Worker(b.crowd, "one", 4)
	b.submit(0)
	set := func(sql string, args ...any) { b.Books.Exec(t, sql, args...) }
	for _, c := range []struct {
		why        string
		begin, end func()
		busy       bool
	}{
		{"an active worker", func() {}, func() {}, true},
		{"a draining worker", func() { set("UPDATE worker SET state = 'draining'") }, func() { set("UPDATE worker SET state = 'active'") }, false},
		{"an inactive worker", func() { set("UPDATE worker SET state = 'inactive'") }, func() { set("UPDATE worker SET state = 'active'") }, false},
		{"a draining pool", func() { set("UPDATE pool_state SET state = 'draining'") }, func() { set("UPDATE pool_state SET state = 'active'") }, false},
		{"an inactive pool", func() { set("UPDATE pool_state SET state = 'inactive'") }, func() { set("UPDATE pool_state SET state = 'active'") }, false},
		{"rules against the application", func() {
			set(`UPDATE worker SET capabilities = JSON_SET(capabilities, '$.apps', JSON_OBJECT('deny', JSON_ARRAY(?)))`, storetest.Program)
		}, func() { set(`UPDATE worker SET capabilities = JSON_REMOVE(capabilities, '$.apps')`) }, false},
		{"an active worker again", func() {}, func() {}, true},
	} {
		c.begin()
		b.Advance(2 * time.Second)
		b.Rings()
		want, rings := pooltest.Idle, 0
		if c.busy {
			want, rings = pooltest.Busy, 1
		}
		if beat, got := b.Beat(one), b.Rings(); beat.NextHeartbeatS != int(want/time.Second) || got != rings {
			t.Errorf("%s: %d s and %d rings, want %v and %d", c.why, beat.NextHeartbeatS, got, want, rings)
		}
		c.end()
	}
}

// A worker that has used up its quota does not ring for more, free slots or not;
// one whose quota is large does.
func TestQuotaBoundsTheRing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.Worker(b.crowd, "one", 4)
	b.Books.Exec(t, "UPDATE worker SET quota = 1")
	b.Submit(b.ann, 3, 0)
	b.Dispatch()
	if open := b.Books.Count(t, "SELECT COUNT(*) FROM assignment"); open != 1 {
		t.Fatalf("%d assignments by a quota of one", open)
	}
	for quota, want := range map[int]int{1: 0, 2: 1, 4: 1} {
		b.Books.Exec(t, "UPDATE worker SET quota = ?", quota)
		b.Advance(2 * time.Second)
		b.Rings()
		b.Beat(one)
		if got := b.Rings(); got != want {
			t.Errorf("quota %d, one open: %d rings, want %d", quota, got, want)
		}
	}
	var list wire.Workers
	b.Call(b.op.Token, "GET", "/workers", nil).Into(b.World, &list)
	if w := list.Workers[0]; w.Slots != 4 || w.Open != 1 || w.Quota < 1 || w.Quota > 4 {
		t.Errorf("%+v", w)
	}
}

// What an owner states is kept: no work of a requester or application that it
// shuts out comes to its worker, and the offer names both.
func TestRulesAreKept(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	beat := func(w pooltest.Worker, c wire.Capabilities) (out wire.Beat) {
		t.Helper()
		c.Programs = []string{storetest.Program}
		b.Call(w.Token, "POST", fmt.Sprintf("/workers/%d/heartbeat", w.ID), wire.Heartbeat{Capabilities: &c}).Into(b.World, &out)
		return out
	}
	one := b.Worker(b.crowd, "one", 4)
	work := b.submit(0)
	for why, c := range map[string]wire.Capabilities{
		"denied by login":      {Requesters: wire.Rules{Deny: []string{"ann"}}},
		"denied by beginning":  {Requesters: wire.Rules{Allow: []string{"ann"}, Deny: []string{"a*"}}},
		"another is allowed":   {Requesters: wire.Rules{Allow: []string{"bob", "annette"}}},
		"application denied":   {Apps: wire.Rules{Deny: []string{storetest.Program}}},
		"another application":  {Apps: wire.Rules{Allow: []string{"other*"}}},
		"nobody, nothing here": {Requesters: wire.Rules{Deny: []string{"*"}}},
	} {
		beat(one, c)
		b.Dispatch()
		if got := beat(one, c); len(got.Instructions) != 0 {
			t.Errorf("%s: %+v", why, got.Instructions)
		}
	}
	welcome := wire.Capabilities{
		Requesters: wire.Rules{Allow: []string{"an*"}, Deny: []string{"anna"}}, Apps: wire.Rules{Allow: []string{storetest.Program}},
	}
	beat(one, welcome)
	b.Dispatch()
	got := beat(one, welcome)
	if len(got.Instructions) != 1 || got.Instructions[0].Work != work || got.Instructions[0].Run.Requester != "ann" || got.Instructions[0].Run.App.Name != storetest.Program {
		t.Errorf("%+v", got.Instructions)
	}
	var list wire.Workers
	b.Call(b.op.Token, "GET", "/workers", nil).Into(b.World, &list)
	if c := list.Workers[0].Capabilities; fmt.Sprint(c.Requesters, c.Apps) != fmt.Sprint(welcome.Requesters, welcome.Apps) {
		t.Errorf("%+v", c)
	}
}
