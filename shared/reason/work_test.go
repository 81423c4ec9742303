package reason_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/reason"
)

var (
	now   = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)
	needs = pool.Demands{App: pool.App{Type: pool.ProcessApp, Name: "sum"}, CPU: 2, RunLimit: time.Minute}
)

// able is a worker that meets needs.
func able(id pool.WorkerID, slots int) pool.Worker {
	return pool.Worker{
		ID: id, Owner: pool.Owner(fmt.Sprint("worker:", id)), State: pool.Active, Slots: slots, Quota: slots, Until: now.Add(time.Hour), Interval: time.Second,
		Capabilities: pool.Capabilities{Programs: []string{"sum"}, CPU: 2},
	}
}

func with(w pool.Worker, change func(*pool.Worker)) pool.Worker {
	change(&w)
	return w
}

// waiting is a work that one worker more is wanted for, and that two could run.
func waiting() reason.Inquiry {
	return reason.Inquiry{
		Now: now, State: pool.PoolActive, Work: pool.Work{ID: 7, State: pool.Waiting}, Demands: needs,
		Ready: placement.Ready{Work: 7, Rank: 7, Missing: 1, Login: "ann"}, Workers: []pool.Worker{able(1, 1), able(2, 2)},
	}
}

// deal makes the work a task of a deal whose contributions end nine minutes from now.
func deal(q *reason.Inquiry) {
	q.Work.Origin, q.Work.RunLimit = pool.OriginDeal, time.Minute
	q.Work.Deadline = now.Add(12 * time.Minute)
}

func TestExplain(t *testing.T) {
	t.Parallel()
	busy := func(w *pool.Worker) { w.Open = w.Slots }
	seen := map[reason.Code]bool{}
	for _, c := range []struct {
		name   string
		change func(*reason.Inquiry)
		want   reason.Code
		words  string
	}{
		{"done", func(q *reason.Inquiry) { q.Work.State = pool.Done }, reason.WorkEnded, "it is done"},
		{"failed", func(q *reason.Inquiry) { q.Work.State, q.Work.Reason = pool.Failed, "exit 3" }, reason.WorkEnded, "exit 3"},
		{"cancelled", func(q *reason.Inquiry) { q.Work.State = pool.Cancelled }, reason.WorkEnded, "cancelled"},
		{"staging", func(q *reason.Inquiry) { q.Work.State, q.Inputs = pool.Staging, 3 }, reason.InputsMissing, "3 inputs"},
		{"agreed", func(q *reason.Inquiry) { q.Work.State = pool.Agreed }, reason.BytesToCome, "upload"},
		{"a deal's, agreed", func(q *reason.Inquiry) { deal(q); q.Work.State = pool.Agreed }, reason.Settling, "one of them is to upload"},
		{"a deal's, with its bytes", func(q *reason.Inquiry) { deal(q); q.Work.State, q.Work.File = pool.Agreed, pool.Digest{1} }, reason.Checking, "another agreeing worker is to vouch for it, until 2030-05-01T12:11:00Z"},
		{"a deal's, disputed", func(q *reason.Inquiry) {
			deal(q)
			q.Work.State, q.Work.File, q.Work.Vouched = pool.Agreed, pool.Digest{1}, pool.Disputed
		}, reason.Checking, "did not find the agreed result"},
		{"a deal's, vouched for", func(q *reason.Inquiry) {
			deal(q)
			q.Work.State, q.Work.File, q.Work.Vouched = pool.Agreed, pool.Digest{1}, pool.Vouched
		}, reason.Settling, "can be fetched"},
		{"a deal's, contributing", func(q *reason.Inquiry) {
			deal(q)
			q.Ready.Missing, q.Ready.Turns = 0, []pool.Assignment{{Worker: 1, State: pool.Reported}}
		}, reason.Contributing, "contribute them"},
		{"a deal's, too late", func(q *reason.Inquiry) {
			deal(q)
			q.Ready.Missing, q.Now = 0, q.Work.ContributeBy()
		}, reason.TooLate, "2030-05-01T12:09:00Z"},
		{"a deal's, running", func(q *reason.Inquiry) {
			deal(q)
			q.Ready.Missing, q.Ready.Turns = 0, []pool.Assignment{{Worker: 1, State: pool.InRun}}
		}, reason.EnoughOpen, "1 assignment is open"},
		{"a deal's, waiting", deal, reason.Next, "the next draw"},
		{"running", func(q *reason.Inquiry) {
			q.Ready.Missing, q.Ready.Turns = 0, []pool.Assignment{{Worker: 1, State: pool.InRun}, {Worker: 2, State: pool.Offered}}
		}, reason.EnoughOpen, "2 assignments are open"},
		{"draining pool", func(q *reason.Inquiry) { q.State = pool.PoolDraining }, reason.PoolDrains, "draining"},
		{"inactive pool", func(q *reason.Inquiry) { q.State = pool.PoolInactive }, reason.PoolOff, "inactive"},
		{"nobody", func(q *reason.Inquiry) { q.Workers = nil }, reason.NobodyLive, "no worker is live and active"},
		{"nobody live", func(q *reason.Inquiry) { q.Now = now.Add(2 * time.Hour) }, reason.NobodyLive, "no worker is live"},
		{"nobody active", func(q *reason.Inquiry) {
			q.Workers[0].State, q.Workers[1].State = pool.Draining, pool.Inactive
		}, reason.NobodyLive, "2 are live, but draining or inactive"},
		{"one would do", func(q *reason.Inquiry) {
			q.Demands.CPU = 8
			q.Workers[1].Capabilities.Programs = nil
		}, reason.NobodyFits, "none of 2 active workers meets its demands: cpu rules out 2, program rules out 1; 1 worker would do if it had 8 cpu"},
		{"two would do", func(q *reason.Inquiry) { q.Demands.GPU = 1 }, reason.NobodyFits, "2 workers would do if they had 1 gpu"},
		{"two things", func(q *reason.Inquiry) { q.Demands.GPU, q.Demands.Tags = 1, []string{"eu"} }, reason.NobodyFits, "had 1 gpu and had the tag eu"},
		{"app ruled out", func(q *reason.Inquiry) {
			q.Workers[0].Capabilities.Apps.Deny, q.Workers[1].Capabilities.CPU = []string{"s*"}, 1
		}, reason.NobodyAdmits, "1 worker that could run it"},
		{"requester ruled out", func(q *reason.Inquiry) {
			q.Workers[0].Capabilities.Requesters.Deny, q.Workers[1].Capabilities.Requesters.Allow = []string{"ann"}, []string{"eve"}
		}, reason.NobodyAdmits, "2 workers that could run it"},
		{"tried", func(q *reason.Inquiry) {
			q.Ready.Turns = []pool.Assignment{{Worker: 1, State: pool.Broken, Started: true}, {Worker: 2, State: pool.Refused, Attempt: 3}}
		}, reason.NobodyLeft, "2 workers could run it, but"},
		{"owners tried", func(q *reason.Inquiry) {
			q.Ready.Trust, q.Workers[0].Owner, q.Workers[1].Owner = 3, "a", "a"
			q.Ready.Turns = []pool.Assignment{{Worker: 9, Owner: "a", State: pool.Reported, Started: true}}
		}, reason.NobodyLeft, "one turn"},
		{"batch limit", func(q *reason.Inquiry) { q.Batch = placement.Limit{Max: 4, Running: 4} }, reason.BatchLimit, "its batch may have 4 works running"},
		{"requester limit", func(q *reason.Inquiry) { q.Requester = placement.Limit{Max: 1, Running: 3} }, reason.RequesterLimit, "1 work running at once, and has 3"},
		{"full", func(q *reason.Inquiry) {
			q.Workers[0], q.Workers[1] = with(q.Workers[0], busy), with(q.Workers[1], busy)
		}, reason.WorkersFull, "2 workers could run it, with 0 slots free"},
		{"quota", func(q *reason.Inquiry) {
			q.Workers = []pool.Worker{with(able(2, 2), func(w *pool.Worker) { w.Quota, w.Open = 1, 1 })}
		}, reason.WorkersFull, "0 slots free"},
		{"next", func(q *reason.Inquiry) {}, reason.Next, "with 3 slots free: the next draw is for it"},
		{"limit does not bind what runs", func(q *reason.Inquiry) {
			q.Work.State, q.Batch = pool.Running, placement.Limit{Max: 1, Running: 1}
			q.Ready.Turns = []pool.Assignment{{Worker: 1, State: pool.InRun, Started: true}}
		}, reason.Next, "it runs: 1 of 2 assignments are open; of the rest: nothing is ahead"},
		{"queued", func(q *reason.Inquiry) { q.Ahead = reason.Ahead{Works: 12, Wanted: 24} }, reason.Queued, "12 works before it; 2 workers could run it, with 3 slots free; nothing was assigned lately"},
		{"far back", func(q *reason.Inquiry) {
			q.Ahead, q.Offers, q.Since = reason.Ahead{Works: 10_000, Wanted: 20_000, More: true}, []time.Time{now}, now.Add(-time.Minute)
		}, reason.Queued, "more than 10000 works before it"},
	} {
		q := waiting()
		c.change(&q)
		e := reason.Explain(q, placement.Defaults)
		if e.Code != c.want || !strings.Contains(e.Words, c.words) {
			t.Errorf("%s: %s, %q, want %s and %q", c.name, e.Code, e.Words, c.want, c.words)
		}
		if positioned := c.want == reason.WorkersFull || c.want == reason.Next || c.want == reason.Queued; e.Queued != positioned || e.Known {
			t.Errorf("%s: has a position: %v, an estimate: %v", c.name, e.Queued, e.Known)
		}
		seen[c.want] = true
	}
	for _, code := range reason.WorkCodes {
		if !seen[code] {
			t.Errorf("no case of %s", code)
		}
	}
}

// The estimate is of the assignments ahead and one more.
func TestExplainEstimates(t *testing.T) {
	t.Parallel()
	q := waiting()
	q.Ahead, q.Since = reason.Ahead{Works: 4, Wanted: 9}, now.Add(-100*time.Second)
	for i := range 100 {
		q.Offers = append(q.Offers, q.Since.Add(time.Duration(i)*time.Second))
	}
	e := reason.Explain(q, placement.Defaults)
	if !e.Known || e.Estimate.After != 10*time.Second || e.Estimate.Seen != 100 || strings.Contains(e.Words, "estimate") || e.Ahead != q.Ahead {
		t.Errorf("%+v", e)
	}
}

// Each question leaves no more workers than the one before.
func TestCrowd(t *testing.T) {
	t.Parallel()
	q := waiting()
	q.Workers = []pool.Worker{
		with(able(1, 1), func(w *pool.Worker) { w.Until = now }),
		with(able(2, 1), func(w *pool.Worker) { w.State = pool.Draining }),
		with(able(3, 1), func(w *pool.Worker) { w.Capabilities.CPU = 1 }),
		with(able(4, 1), func(w *pool.Worker) { w.Capabilities.Requesters.Deny = []string{"a*"} }),
		able(5, 1), with(able(6, 1), func(w *pool.Worker) { w.Open = 1 }), able(7, 1),
	}
	q.Ready.Turns = []pool.Assignment{{Worker: 5, State: pool.Broken, Started: true}}
	if e := reason.Explain(q, placement.Defaults); e.Crowd != (reason.Crowd{Live: 6, Active: 5, Able: 4, Admitting: 3, Untried: 2, Free: 1}) {
		t.Errorf("%+v", e.Crowd)
	}
}

// Classes compete when some worker might be given works of either.
func TestRivals(t *testing.T) {
	t.Parallel()
	demands := map[pool.ClassID]pool.Demands{5: needs}
	for id, change := range map[pool.ClassID]func(*pool.Demands){
		1: func(d *pool.Demands) { d.CPU = 1 }, 2: func(d *pool.Demands) { d.CPU = 8 }, 3: func(d *pool.Demands) { d.App.Name = "other" },
		9: func(d *pool.Demands) { d.CPU = 0 },
	} {
		d := needs
		change(&d)
		demands[id] = d
	}
	workers := []pool.Worker{
		able(1, 1), with(able(2, 1), func(w *pool.Worker) { w.Capabilities.CPU, w.State = 8, pool.Draining }),
		with(able(3, 1), func(w *pool.Worker) { w.Capabilities.Programs = []string{"other"} }),
	}
	if got := reason.Rivals(5, workers, demands); fmt.Sprint(got) != "[5 1 9]" {
		t.Errorf("%v", got)
	}
}
