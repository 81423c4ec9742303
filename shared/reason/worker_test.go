package reason_test

import (
	"strings"
	"testing"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/reason"
)

// idle is a worker with a free slot, beside another, before a queue of one work
// that both could run.
func idle() reason.Look {
	return reason.Look{
		Now: now, State: pool.PoolActive, Worker: able(1, 2), Workers: []pool.Worker{able(1, 2), able(2, 3)},
		Queues: []reason.Queue{{Class: placement.Class{ID: 5, Demands: needs, Ready: []placement.Ready{{Work: 16384, Rank: 7, Missing: 1, Login: "ann"}}}, Works: 1}},
	}
}

func TestIdle(t *testing.T) {
	t.Parallel()
	seen := map[reason.Code]bool{}
	front := func(l *reason.Look) *placement.Ready { return &l.Queues[0].Ready[0] }
	for _, c := range []struct {
		name   string
		change func(*reason.Look)
		want   reason.Code
		words  string
	}{
		{"disabled", func(l *reason.Look) { l.Disabled = true }, reason.AccountOff, "disabled"},
		{"inactive", func(l *reason.Look) { l.Worker.State, l.Worker.Until = pool.Inactive, now }, reason.WorkerOff, "inactive"},
		{"lost", func(l *reason.Look) { l.Worker.Until = now.Add(-90 * time.Second) }, reason.NotLive, "lost since 2030-05-01 11:58:30; its next heartbeat"},
		{"draining", func(l *reason.Look) { l.Worker.State = pool.Draining }, reason.WorkerDrains, "draining"},
		{"pool drains", func(l *reason.Look) { l.State = pool.PoolDraining }, reason.PoolDrains, "draining"},
		{"pool off", func(l *reason.Look) { l.State = pool.PoolInactive }, reason.PoolOff, "inactive"},
		{"slots", func(l *reason.Look) { l.Worker.Open = 2 }, reason.SlotsFull, "2 of 2 slots"},
		{"quota", func(l *reason.Look) { l.Worker.Open, l.Worker.Quota = 1, 1 }, reason.QuotaFull, "1 of the 1 that it has earned so far (it has 2 slots); the quota doubles"},
		{"nothing", func(l *reason.Look) { l.Queues = nil }, reason.NothingWaits, "no work waits"},
		{"does not fit", func(l *reason.Look) { l.Queues[0].Demands.CPU = 8 }, reason.NothingFits, "1 work of 1 kind wait and it could run none of them; it could run 1 work if it had 8 cpu"},
		{"application ruled out", func(l *reason.Look) { l.Worker.Capabilities.Apps.Deny = []string{"sum"} }, reason.NoneAdmitted, "admitted the application sum by the rules of its owner"},
		{"requester ruled out", func(l *reason.Look) { l.Worker.Capabilities.Requesters.Allow = []string{"eve"} }, reason.NoneAdmitted, "none of 1 work"},
		{"tried", func(l *reason.Look) {
			front(l).Turns = []pool.Assignment{{Worker: 1, State: pool.Broken, Started: true}}
		}, reason.AllTried, "had a turn at 1"},
		{"batch limit", func(l *reason.Look) {
			l.Batches = map[pool.BatchID]placement.Limit{1: {Max: 2, Running: 2}}
		}, reason.AllLimited, "1 wait for works of their batch"},
		{"requester limit", func(l *reason.Look) {
			front(l).Requester, l.Requesters = 4, map[pool.AccountID]placement.Limit{4: {Max: 2, Running: 2}}
		}, reason.AllLimited, "1 wait for works of their batch or requester"},
		{"limit does not bind what runs", func(l *reason.Look) {
			l.Batches = map[pool.BatchID]placement.Limit{1: {Max: 1, Running: 1}}
			front(l).Turns = []pool.Assignment{{Worker: 2, State: pool.InRun, Started: true}}
		}, reason.Drawable, "2 of 2 tickets"},
		{"draw", func(l *reason.Look) {}, reason.Drawable, "it has 2 of 5 tickets; works go by rank"},
		{"draw by owner", func(l *reason.Look) { front(l).Trust = 3 }, reason.Drawable, "it is one of 2 owners"},
	} {
		l := idle()
		c.change(&l)
		i := reason.Idle(l, placement.Defaults)
		if i.Code != c.want || !strings.Contains(i.Words, c.words) {
			t.Errorf("%s: %s, %q, want %s and %q", c.name, i.Code, i.Words, c.want, c.words)
		}
		seen[c.want] = true
	}
	for _, code := range reason.WorkerCodes {
		if !seen[code] {
			t.Errorf("no case of %s", code)
		}
	}
}

// What would change it comes with how many works it would open, the least change
// first; what takes the same change is counted together.
func TestOpens(t *testing.T) {
	t.Parallel()
	l := idle()
	l.Queues = nil
	for i, c := range []struct {
		works  int
		more   bool
		change func(*pool.Demands)
	}{
		{7, false, func(d *pool.Demands) { d.CPU, d.GPU = 8, 1 }}, {100, true, func(d *pool.Demands) { d.CPU, d.OS = 8, "linux" }},
		{3, false, func(d *pool.Demands) { d.GPU = 2 }}, {9, false, func(d *pool.Demands) { d.CPU = 8 }}, {4, false, func(d *pool.Demands) { d.CPU, d.RunLimit = 8, time.Hour }},
		{5, false, func(d *pool.Demands) { d.App.Name = "other" }}, {1, false, func(d *pool.Demands) { d.App.Type = "wasm" }},
	} {
		d := needs
		c.change(&d)
		l.Queues = append(l.Queues, reason.Queue{Class: placement.Class{ID: pool.ClassID(i + 1), Demands: d}, Works: c.works, More: c.more})
	}
	got := reason.Idle(l, placement.Defaults)
	want := []reason.Opening{
		{If: "had 8 cpu", Works: 13}, {If: "allowed the program other", Works: 5}, {If: "had 2 gpu", Works: 3},
		{If: `ran applications of the type "wasm"`, Works: 1}, {If: "had 8 cpu and ran linux", Works: 100, More: true},
	}
	if len(got.Opens) != len(want) {
		t.Fatalf("%+v", got.Opens)
	}
	for i := range want {
		if got.Opens[i] != want[i] {
			t.Errorf("%d: %+v, want %+v", i, got.Opens[i], want[i])
		}
	}
	if want := "more than 129 works of 7 kinds wait and it could run none of them; it could run 13 works if it had 8 cpu"; got.Words != want {
		t.Errorf("%q", got.Words)
	}
}

// The first work by rank of all that fit is the one whose draw is told of.
func TestChance(t *testing.T) {
	t.Parallel()
	l := idle()
	l.Workers[1].Capabilities.Requesters.Deny = []string{"eve"}
	l.Queues[0].Ready = append(l.Queues[0].Ready,
		placement.Ready{Work: 16385, Rank: 3, Missing: 1, Login: "eve", Turns: []pool.Assignment{{Worker: 9, Owner: "worker:1", State: pool.InRun, Started: true}}, Trust: 3},
		placement.Ready{Work: 16386, Rank: 5, Missing: 1, Login: "eve"})
	if i := reason.Idle(l, placement.Defaults); i.Code != reason.Drawable || i.Tickets != 2 || i.All != 2 || i.Owners != 1 {
		t.Errorf("%+v", i)
	}
}
