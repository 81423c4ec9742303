package query_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

func (b bench) why(who pooltest.Someone, work int64) (out wire.WorkExplained) {
	b.Helper()
	b.get(who, "/works/%d/explain", work).Into(b.World, &out)
	return out
}

func (b bench) idle(who pooltest.Someone, worker int64) (out wire.WorkerExplained) {
	b.Helper()
	b.get(who, "/workers/%d/explain", worker).Into(b.World, &out)
	return out
}

func (b bench) drawn(work, worker int64) (out wire.AssignmentExplained) {
	b.Helper()
	b.get(b.op, "/works/%d/assignments/%d/explain", work, worker).Into(b.World, &out)
	return out
}

// put submits one work that is not like the others.
func (b bench) put(who pooltest.Someone, change func(*wire.Template)) int64 {
	b.Helper()
	s := pooltest.Submission(1, 0)
	change(&s.Template)
	var out wire.Accepted
	b.Call(who.Token, "POST", "/works", s).Into(b.World, &out)
	return out.FirstWork
}

func (b bench) because(what, reason, words string, got any) {
	b.Helper()
	var code, said string
	switch e := got.(type) {
	case wire.WorkExplained:
		code, said = e.Reason, e.Words
	case wire.WorkerExplained:
		code, said = e.Reason, e.Words
	}
	if code != reason || !strings.Contains(said, words) {
		b.Errorf("%s: %s, %q, want %s and %q", what, code, said, reason, words)
	}
}

// A work asked at every point of its life.
func TestWorkExplains(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	plain := func(*wire.Template) {}
	file := []wire.Input{{Name: "f", SHA256: strings.Repeat("ab", 32), Size: 1}}
	b.because("staging", "inputs_missing", "1 input of its batch", b.why(b.ann, b.put(b.ann, func(s *wire.Template) { s.Inputs = file })))
	b.because("unfit", "unfit", "none of 1 active worker meets its demands: cpu rules out 1; 1 worker would do if it had 8 cpu",
		b.why(b.ann, b.put(b.ann, func(s *wire.Template) { s.Demands.CPU = 8 })))
	first := b.put(b.ann, plain)
	b.because("next", "next", "8 slots free", b.why(b.ann, first))
	for _, to := range []string{"drain", "deactivate", "activate"} {
		b.Call(b.op.Token, "POST", "/pool/"+to, nil).Into(b.World, &wire.Steered{})
		b.because("pool/"+to, map[string]string{"drain": "pool_draining", "deactivate": "pool_inactive", "activate": "next"}[to], "", b.why(b.ann, first))
	}
	b.Dispatch()
	b.because("running", "running", "1 assignment is open", b.why(b.ann, first))
	three := b.put(b.ann, func(s *wire.Template) { s.Trust = 3 })
	b.Dispatch()
	b.because("one of two", "tried", "1 of 2 assignments are open; of the rest: 1 worker could run it, but", b.why(b.ann, three))

	limited := func(s *wire.Template) { s.MaxRunning = 1 }
	s := pooltest.Submission(2, 0)
	limited(&s.Template)
	var batch wire.Accepted
	b.Call(b.ann.Token, "POST", "/works", s).Into(b.World, &batch)
	b.Dispatch()
	b.because("batch", "batch_limit", "may have 1 work running at once, and has 1", b.why(b.ann, batch.LastWork))
	b.Call(b.op.Token, "PUT", "/requesters/ann/share", wire.Share{Weight: 1, MaxRunning: 3}).Into(b.World, &wire.Share{})
	b.because("requester", "requester_limit", "may have 3 works running at once, and has 3", b.why(b.ann, b.put(b.ann, plain)))
	b.Call(b.op.Token, "PUT", "/requesters/ann/share", wire.Share{Weight: 1}).Into(b.World, &wire.Share{})

	b.Submit(b.ann, 10, 0)
	b.Dispatch()
	last := b.Submit(b.eve, 2, 0)
	var e wire.WorkExplained
	for _, c := range []struct {
		work   int64
		reason string
	}{{last.FirstWork, "workers_full"}, {last.LastWork, "queued"}} {
		if e = b.why(b.eve, c.work); e.Ahead == nil || e.Ahead.Works > 0 != (e.Reason == "queued") || e.Workers != nil {
			t.Errorf("%+v", e)
		}
		if (e.Reason == "queued") != (e.Estimate != nil && e.Ahead.Works > 0) || e.Estimate == nil || e.Estimate.Seen != 8 {
			t.Errorf("%+v: %+v", e, e.Estimate)
		}
	}
	if op := b.why(b.op, last.LastWork); op.Workers == nil || *op.Workers != (wire.Crowd{Live: 1, Active: 1, Able: 1, Admitting: 1, Untried: 1}) || op.Words != e.Words {
		t.Errorf("%+v: %+v", op, op.Workers)
	}

	b.Beat(b.one, pooltest.Says(first, 1, "reported", "x"))
	b.because("agreed", "uploading", "", b.why(b.ann, first))
	b.Call(b.ann.Token, "DELETE", fmt.Sprint("/works/", first), nil).Into(b.World, &wire.Cancelled{})
	b.because("cancelled", "ended", "cancelled", b.why(b.ann, first))
	b.Call(b.op.Token, "POST", fmt.Sprintf("/workers/%d/drain", b.one.ID), nil).Into(b.World, &wire.Worker{})
	b.because("draining worker", "no_worker", "1 is live, but draining", b.why(b.eve, last.FirstWork))
	b.Advance(time.Hour)
	b.because("nobody", "no_worker", "no worker is live", b.why(b.eve, last.FirstWork))
}

// The rules of owners and what they had keep works, and say so.
func TestRulesExplain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	rule := func(change func(*wire.Capabilities)) {
		t.Helper()
		c := pooltest.Registration("one", 8).Capabilities
		change(&c)
		b.Call(b.one.Token, "POST", fmt.Sprintf("/workers/%d/heartbeat", b.one.ID), wire.Heartbeat{Capabilities: &c}).Into(b.World, &wire.Beat{})
	}
	work := b.Submit(b.ann, 1, 0).FirstWork
	rule(func(c *wire.Capabilities) { c.Requesters.Deny = []string{"ann"} })
	b.because("requester", "not_admitted", "1 worker that could run it", b.why(b.ann, work))
	b.because("requester", "none_admitted", "none of 1 work", b.idle(b.op, b.one.ID))
	rule(func(c *wire.Capabilities) { c.Apps.Deny = []string{"mandel*"} })
	b.because("app", "not_admitted", "1 worker that could run it", b.why(b.ann, work))
	b.because("app", "none_admitted", "admitted the application mandelbrot", b.idle(b.op, b.one.ID))
	rule(func(*wire.Capabilities) {})
	b.Dispatch()
	b.Beat(b.one, pooltest.Says(work, 1, "failed", "exit 1"))
	b.because("failed", "tried", "1 worker could run it, but", b.why(b.ann, work))
	b.because("failed", "all_tried", "had a turn at 1", b.idle(b.op, b.one.ID))
}

// A worker asked in every state: by its owner, and by the operator.
func TestWorkerExplains(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	bob := b.Account(pool.RoleWorker, "bob")
	his := b.Worker(bob, "his", 2)
	post := func(path string) { b.Call(b.op.Token, "POST", path, nil).Into(b.World, &struct{}{}) }
	b.because("idle", "no_work", "no work waits", b.idle(bob, his.ID))
	b.put(b.ann, func(s *wire.Template) { s.Demands.CPU = 8 })
	b.put(b.ann, func(s *wire.Template) { s.Demands.CPU, s.App.Name = 8, "other" })
	e := b.idle(bob, his.ID)
	b.because("small", "nothing_fits", "2 works of 2 kinds wait and it could run none of them; it could run 1 work if it had 8 cpu", e)
	if want := []wire.Opening{{If: "had 8 cpu", Works: 1}, {If: "allowed the program other and had 8 cpu", Works: 1}}; !slices.Equal(e.Opens, want) || e.Chance != nil {
		t.Errorf("%+v", e)
	}
	b.Submit(b.ann, 3, 3)
	e = b.idle(bob, his.ID)
	b.because("able", "waits_for_the_draw", "2 of 10 tickets, drawn after the owner (it is one of 2 owners)", e)
	if e.Chance == nil || *e.Chance != (wire.Chance{Tickets: 2, Of: 10, Owners: 2}) || e.Slots != 2 || e.Quota != 2 || e.Open != 0 {
		t.Errorf("%+v", e)
	}
	post("/pool/drain")
	b.because("drained pool", "pool_draining", "", b.idle(bob, his.ID))
	post("/pool/activate")
	b.Dispatch()
	b.because("busy", "slots_full", "2 of 2 slots", b.idle(bob, his.ID))
	b.Books.Exec(t, "UPDATE worker SET slots = 9 WHERE id = ?", his.ID)
	b.because("new", "quota_full", "2 of the 2 that it has earned", b.idle(bob, his.ID))
	for _, to := range []string{"drain", "deactivate"} {
		post(fmt.Sprintf("/workers/%d/%s", his.ID, to))
		b.because(to, map[string]string{"drain": "draining", "deactivate": "inactive"}[to], "", b.idle(bob, his.ID))
	}
	post(fmt.Sprintf("/workers/%d/activate", his.ID))
	b.Advance(time.Hour)
	b.because("silent", "not_live", "counts as lost since", b.idle(bob, his.ID))
	b.Books.Exec(t, "UPDATE account SET disabled = TRUE WHERE id = ?", bob.ID)
	b.because("disabled", "account_disabled", "", b.idle(b.op, his.ID))
	if answer := b.get(bob, "/workers/%d/explain", b.one.ID); answer.Status != 404 {
		t.Errorf("another's worker: %d", answer.Status)
	}
}

// A batch's limit is a reason for a worker as well.
func TestLimitsExplain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := pooltest.Submission(3, 0)
	s.Template.MaxRunning = 1
	b.Call(b.ann.Token, "POST", "/works", s).Into(b.World, &wire.Accepted{})
	b.Dispatch()
	b.because("limited", "all_limited", "2 wait for works of their batch", b.idle(b.op, b.one.ID))
}

// What one requester is told is made of its own works and of numbers: nobody else's
// name, worker or batch stands in it.
func TestExplainTellsNobodyElse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	bob := b.Account(pool.RoleWorker, "bob-the-owner")
	b.Worker(bob, "secret-machine", 1)
	b.Submit(b.eve, 40, 3)
	b.Dispatch()
	work := b.Submit(b.ann, 1, 0).FirstWork
	body := string(b.get(b.ann, "/works/%d/explain", work).Body)
	for _, private := range []string{"eve", "bob", "secret", "crowd", "worker:", "account:", `"workers"`} {
		if strings.Contains(body, private) {
			t.Errorf("%s stands in %s", private, body)
		}
	}
	for _, who := range []pooltest.Someone{b.eve} {
		if answer := b.get(who, "/works/%d/explain", work); answer.Status != 404 {
			t.Errorf("%s: %d", who.Login, answer.Status)
		}
	}
}

// Every assignment of a run comes out again when it is drawn once more.
func TestEveryDrawIsReplayed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var workers []pooltest.Worker
	for i := range 6 {
		account := b.Account(pool.RoleWorker, fmt.Sprint("owner", i/2))
		workers = append(workers, b.Worker(account, fmt.Sprint("w", i), 1+i%3))
	}
	workers = append(workers, b.one)
	for round := range 12 {
		who := []pooltest.Someone{b.ann, b.eve}[round%2]
		s := pooltest.Submission(4, []int{0, 3, 10}[round%3])
		s.Template.MaxRunning, s.Template.Priority = round%4, []string{"low", "normal", "high"}[round%3]
		b.Call(who.Token, "POST", "/works", s).Into(b.World, &wire.Accepted{})
		b.Dispatch()
		for i, w := range workers {
			beat := b.Beat(w)
			for _, do := range beat.Instructions {
				if do.Do == "start" && (i+round)%4 > 0 { // the others let their offers expire
					b.Beat(w, pooltest.Says(do.Work, do.Attempt, []string{"reported", "failed", "refused", "reported"}[(i+round)%4], "same"))
				}
			}
		}
		b.Advance(15 * time.Second)
		for _, w := range workers {
			b.Beat(w)
		}
		b.Dispatch()
	}
	rows, err := b.Books.SQL.Query("SELECT work_id, worker_id, MAX(data) FROM event WHERE kind = 'assignment.offered' GROUP BY work_id, worker_id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	offers, attempts, eligible := 0, map[int]int{}, map[int]int{}
	for rows.Next() {
		var work, worker int64
		var data string
		if err := rows.Scan(&work, &worker, &data); err != nil {
			t.Fatal(err)
		}
		e := b.drawn(work, worker)
		if !e.Kept || !e.Replayed || e.Tickets < 1 || e.Tickets > e.All || e.Owners > e.Eligible || e.Eligible > e.Workers {
			t.Errorf("%+v", e)
		}
		offers++
		attempts[e.Attempt]++
		eligible[e.Eligible]++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d offers, by attempt %v, by eligible workers %v", offers, attempts, eligible)
	if offers < 60 || len(attempts) < 2 || len(eligible) < 4 {
		t.Errorf("%d offers, by attempt %v, by eligible workers %v: too much alike", offers, attempts, slices.Sorted(maps.Keys(eligible)))
	}
}

// What is no longer kept is said to be so; what never was is not there.
func TestDrawForgotten(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	work := b.Submit(b.ann, 1, 0).FirstWork
	if answer := b.get(b.op, "/works/%d/assignments/%d/explain", work, b.one.ID); answer.Status != 404 {
		t.Errorf("before it was offered: %d", answer.Status)
	}
	b.Dispatch()
	if e := b.drawn(work, b.one.ID); !e.Replayed || e.Seed == "" || e.Attempt != 1 {
		t.Errorf("%+v", e)
	}
	b.Books.Exec(t, "UPDATE draw SET at = at - INTERVAL 8 DAY")
	b.Tick()
	if e := b.drawn(work, b.one.ID); e.Kept || e.Replayed || !strings.Contains(e.Words, "no longer kept") || e.Seed == "" {
		t.Errorf("%+v", e)
	}
}
