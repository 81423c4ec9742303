package life_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"workerpool/shared/life"
	"workerpool/shared/pool"
)

func TestFailsAfterItsTries(t *testing.T) {
	t.Parallel()
	p := newPlay(t, 100, 7)
	p.says(1, pool.SaysFailed, pool.Digest{})
	p.says(2, pool.SaysFailed, pool.Digest{})
	p.says(3, pool.SaysRefused, pool.Digest{}) // no run: does not count
	p.want(pool.Running, 3)
	p.says(4, pool.SaysRunning, pool.Digest{})
	p.says(4, pool.SaysRefused, pool.Digest{}) // gave up its run
	p.want(pool.Failed, 0, pool.Broken, pool.Broken, pool.Refused, pool.Broken, pool.Superseded)
	for _, part := range []string{"too many failed runs", "worker 1 could not; worker 2 could not; worker 3 could not; worker 4 could not"} {
		if !strings.Contains(p.Work.Reason, part) {
			t.Errorf("reason %q lacks %q", p.Work.Reason, part)
		}
	}
}

func TestFailsAfterItsRuns(t *testing.T) {
	t.Parallel()
	p := newPlay(t, 0, 19)
	for w := pool.WorkerID(1); w <= 19; w++ {
		p.says(w, pool.SaysRunning, pool.Digest{})
	}
	p.wait(4 * beat)
	p.want(pool.Waiting, 1)
	p.offer(20, "account:20")
	p.want(pool.Running, 0)
	p.says(20, pool.SaysRunning, pool.Digest{})
	p.wait(time.Second)
	p.want(pool.Running, 0) // its last turn may still bring it
	p.wait(4 * beat)
	p.want(pool.Failed, 0)
	if !strings.HasPrefix(p.Work.Reason, "too many runs without a result: worker lost") {
		t.Errorf("reason %q", p.Work.Reason)
	}
}

// TestUnwillingWorkersUseUpNothing: offers that were refused or not started are
// no runs, however many.
func TestUnwillingWorkersUseUpNothing(t *testing.T) {
	t.Parallel()
	p := newPlay(t, 5, 40)
	for w := pool.WorkerID(1); w <= 20; w++ {
		p.says(w, pool.SaysRefused, pool.Digest{})
	}
	p.wait(2 * beat)
	for i := range p.Rows {
		p.Rows[i].Attempt = 50
	}
	p.want(pool.Waiting, 3)
}

func TestReasonIsClipped(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"", "x"} { // one of them lets the limit fall inside a character
		p := newPlay(t, 100, 3)
		for w := pool.WorkerID(1); w <= 3; w++ {
			reason := first + strings.Repeat("é", 200+int(w))
			p.Report(p.now, w, pool.Report{Work: p.Work.ID, Attempt: 1, Says: pool.SaysFailed, Reason: reason}, false, 1, p.p)
			first = ""
		}
		p.want(pool.Failed, 0)
		if n := len(p.Work.Reason); n > 1_000 || n < 999 || !utf8.ValidString(p.Work.Reason) {
			t.Errorf("%d bytes, valid %v", n, utf8.ValidString(p.Work.Reason))
		}
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	for _, state := range []pool.WorkState{pool.Staging, pool.Waiting, pool.Running} {
		p := newPlay(t, 0, 0)
		p.Work.State = state
		p.now = p.Work.Deadline.Add(-1)
		if state == pool.Running {
			p.offer(1, "account:1")
		}
		p.Expire(p.now, 1, p.p)
		if p.Work.State.Ended() {
			t.Errorf("%s: ended before its deadline", state)
		}
		p.now = p.Work.Deadline
		p.Expire(p.now, 1, p.p)
		if p.Work.State != pool.Failed || !strings.HasPrefix(p.Work.Reason, "deadline") || !p.Work.Ended.Equal(p.now) {
			t.Errorf("%s: %s at %v for %q", state, p.Work.State, p.Work.Ended, p.Work.Reason)
		}
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	for _, state := range pool.WorkStates {
		p := newPlay(t, 3, 2)
		p.says(1, pool.SaysReported, truth)
		p.Work.State = state
		before := clone(p.Life)
		p.Cancel(p.now.Add(time.Second))
		switch {
		case state.Ended():
			if !same(before, p.Life) {
				t.Errorf("%s changed", state)
			}
		case p.Work.State != pool.Cancelled || p.row(1).State != pool.Superseded || p.row(2).State != pool.Superseded:
			t.Errorf("%s: %s", state, show(p.Life))
		}
	}
}

func TestOver(t *testing.T) {
	t.Parallel()
	now, never := epoch, time.Time{}
	late, soon := epoch, epoch.Add(1) // a time is over at its very moment
	for _, c := range []struct {
		state                  pool.AssignmentState
		startBy, runBy, leased time.Time
		why                    string // "" = not over
	}{
		{pool.Offered, soon, never, soon, ""},
		{pool.Offered, late, never, soon, "not started in time"},
		{pool.Offered, soon, never, late, "worker lost"},
		{pool.Offered, soon, late, soon, ""},
		{pool.InRun, never, soon, soon, ""},
		{pool.InRun, late, soon, soon, ""},
		{pool.InRun, never, late, soon, "over its run limit"},
		{pool.InRun, never, soon, late, "worker lost"},
		{pool.Uploading, soon, never, soon, ""},
		{pool.Uploading, late, never, soon, "upload not begun in time"},
		{pool.Uploading, never, late, soon, "upload took too long"},
		{pool.Uploading, never, soon, late, "worker lost"},
		{pool.Reported, late, never, late, ""},
		{pool.Reported, never, soon, late, ""},
		{pool.Reported, never, late, soon, "did not contribute in time"},
		{pool.HasContributed, late, late, late, ""},
		{pool.HasRevealed, late, late, late, ""},
		{pool.Closed, late, late, late, ""},
		{pool.Expired, late, late, late, ""},
		{pool.Refused, late, late, late, ""},
		{pool.Broken, late, late, late, ""},
		{pool.Superseded, late, late, late, ""},
	} {
		r := life.Row{Assignment: pool.Assignment{State: c.state, StartBy: c.startBy, RunBy: c.runBy}, Until: c.leased}
		if over, why := life.Over(now, r); over != (c.why != "") || why != c.why {
			t.Errorf("%s start_by %v run_by %v until %v: %v %q, want %q", c.state, c.startBy, c.runBy, c.leased, over, why, c.why)
		}
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	want := life.Policy{MaxFailures: 3, MaxRuns: 20, RunGrace: 5 * time.Minute, ContributeIn: 10 * time.Minute, UploadLimit: time.Hour, StartIntervals: 2}
	if life.Defaults != want {
		t.Errorf("%+v", life.Defaults)
	}
}

// TestOneAloneBindsNobody: where one worker decides there was no agreement, so a
// digest whose bytes never come is forgotten.
func TestOneAloneBindsNobody(t *testing.T) {
	t.Parallel()
	p := newPlay(t, 0, 1)
	p.says(1, pool.SaysReported, lie)
	p.want(pool.Agreed, 0, pool.Uploading)
	p.wait(time.Hour)
	p.want(pool.Waiting, 1, pool.Expired)
	if !p.Work.Digest.IsZero() {
		t.Error("the digest of one alone was kept")
	}
	p.offer(2, "account:2")
	p.says(2, pool.SaysReported, truth)
	p.want(pool.Agreed, 0, pool.Expired, pool.Uploading)
}
