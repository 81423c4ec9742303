package life_test

import (
	"fmt"
	"testing"
	"time"

	"workerpool/shared/life"
	"workerpool/shared/pool"
)

const beat = 5 * time.Second

// play is one work with workers of which each is its own owner, on the pool's
// own numbers.
type play struct {
	t *testing.T
	life.Life
	now time.Time
	p   life.Policy
}

func newPlay(t *testing.T, trust, workers int) *play {
	t.Helper()
	p := &play{t: t, now: epoch, p: life.Defaults}
	p.Work = pool.Work{
		ID: pool.BatchID(9).Work(0), Origin: pool.OriginAPI, State: pool.Running, Trust: trust,
		RunLimit: 10 * time.Minute, Created: epoch, Deadline: epoch.Add(24 * time.Hour),
	}
	for i := range workers {
		p.offer(pool.WorkerID(i+1), pool.Owner(fmt.Sprint("account:", i+1)))
	}
	return p
}

// offer makes a row as the store does, for a worker greater than all before.
func (p *play) offer(worker pool.WorkerID, owner pool.Owner) {
	p.Work.State = pool.Running
	p.Rows = append(p.Rows, life.Row{
		Assignment: pool.Assignment{
			Work: p.Work.ID, Worker: worker, Owner: owner, Attempt: 1, State: pool.Offered, StartBy: p.now.Add(2 * beat),
		},
		Until: p.now.Add(4 * beat), Interval: beat,
	})
}

func (p *play) row(worker pool.WorkerID) life.Row {
	p.t.Helper()
	r, ok := row(p.Life, worker)
	if !ok {
		p.t.Fatalf("no row of worker %d", worker)
	}
	return r
}

func (p *play) says(worker pool.WorkerID, says pool.ReportState, d pool.Digest) {
	p.t.Helper()
	r := pool.Report{Work: p.Work.ID, Attempt: p.row(worker).Attempt, Says: says, Digest: d, Size: 100 + int64(worker)}
	if says == pool.SaysFailed || says == pool.SaysRefused {
		r.Size, r.Reason = 0, fmt.Sprintf("worker %d could not", worker)
	}
	p.Report(p.now, worker, r, true, 1, p.p)
}

func (p *play) wait(d time.Duration) {
	p.now = p.now.Add(d)
	p.Expire(p.now, 1, p.p)
}

func (p *play) want(work pool.WorkState, wanted int, rows ...pool.AssignmentState) {
	p.t.Helper()
	if p.Work.State != work {
		p.t.Fatalf("the work is %s, not %s: %s", p.Work.State, work, show(p.Life))
	}
	if n := p.Wanted(p.p); n != wanted {
		p.t.Fatalf("%d wanted, not %d: %s", n, wanted, show(p.Life))
	}
	for i, s := range rows {
		if p.Rows[i].State != s {
			p.t.Fatalf("worker %d's turn is %s, not %s: %s", p.Rows[i].Worker, p.Rows[i].State, s, show(p.Life))
		}
	}
}

func TestOneWorker(t *testing.T) {
	t.Parallel()
	p := newPlay(t, 0, 1)
	p.want(pool.Running, 0, pool.Offered)
	p.says(1, pool.SaysRunning, pool.Digest{})
	p.want(pool.Running, 0, pool.InRun)
	p.says(1, pool.SaysReported, truth)
	p.want(pool.Agreed, 0, pool.Uploading)
	if !p.row(1).StartBy.Equal(p.now.Add(2 * beat)) {
		t.Errorf("to begin its upload by %v", p.row(1).StartBy)
	}
	p.says(1, pool.SaysUploading, truth)
	p.now = p.now.Add(time.Second)
	p.says(1, pool.SaysUploaded, truth)
	p.want(pool.Done, 0, pool.Closed)
	if p.Work.Digest != truth || p.Work.Size != 101 || !p.Work.Ended.Equal(p.now) {
		t.Errorf("%+v", p.Work)
	}
}

func TestUploadedWithoutBytesIsNotDone(t *testing.T) {
	t.Parallel()
	p := newPlay(t, 0, 1)
	p.says(1, pool.SaysReported, truth)
	said := pool.Report{Work: p.Work.ID, Attempt: 1, Says: pool.SaysUploaded, Digest: truth}
	p.Report(p.now, 1, said, false, 1, p.p)
	p.want(pool.Agreed, 0, pool.Uploading)
	said.Digest = lie
	p.Report(p.now, 1, said, true, 1, p.p)
	p.want(pool.Agreed, 0, pool.Uploading)
}

func TestAgreementEndsTheOthers(t *testing.T) {
	t.Parallel()
	p := newPlay(t, 3, 2)
	p.says(1, pool.SaysReported, lie)
	p.want(pool.Running, 0, pool.Reported, pool.Offered) // the other may agree
	p.says(2, pool.SaysReported, truth)
	p.want(pool.Running, 2)
	for w := pool.WorkerID(3); w <= 5; w++ {
		p.offer(w, pool.Owner(fmt.Sprint("account:", w)))
	}
	p.says(5, pool.SaysRunning, pool.Digest{})
	p.says(3, pool.SaysReported, truth)
	p.want(pool.Running, 0) // 12 > 14 is false; the two that are open may decide
	p.says(4, pool.SaysReported, truth)
	p.want(pool.Agreed, 0, pool.Closed)
	if p.Work.Digest != truth || p.row(5).State != pool.Superseded {
		t.Errorf("%s", show(p.Life))
	}
	p.says(5, pool.SaysReported, lie)
	p.want(pool.Agreed, 0, pool.Closed)
	if p.row(5).State != pool.Superseded || !p.row(5).Digest.IsZero() {
		t.Errorf("the superseded turn spoke with effect: %s", show(p.Life))
	}
}

// lost plays until both workers that agreed are gone, so that the digest stands
// without the bytes.
func lost(t *testing.T) *play {
	t.Helper()
	p := newPlay(t, 3, 2)
	p.says(1, pool.SaysReported, truth)
	p.says(2, pool.SaysReported, truth)
	p.want(pool.Agreed, 0)
	p.wait(2*beat - 1)
	p.want(pool.Agreed, 0)
	p.wait(time.Hour)
	p.want(pool.Waiting, 1)
	if p.Work.Digest != truth {
		t.Fatal("the digest was not kept")
	}
	return p
}

func TestDigestOutlivesItsWorkers(t *testing.T) {
	t.Parallel()
	p := lost(t)
	p.offer(3, "account:3")
	p.want(pool.Running, 0)
	p.says(3, pool.SaysReported, lie)
	if p.want(pool.Waiting, 1); p.row(3).State != pool.Closed {
		t.Fatalf("another digest than the agreed one: %s", show(p.Life))
	}
	p.offer(4, "account:4")
	p.says(4, pool.SaysReported, truth)
	p.want(pool.Agreed, 0)
	if p.row(4).State != pool.Uploading || p.Work.Size != 104 {
		t.Fatalf("not the one that made it again: %s", show(p.Life))
	}
	p.says(4, pool.SaysUploaded, truth)
	p.want(pool.Done, 0)
}

func TestLostUploaderReturns(t *testing.T) {
	t.Parallel()
	for _, w := range []pool.WorkerID{1, 2} { // one of them expired as uploader, the other holds its result
		p := lost(t)
		p.says(w, pool.SaysReported, truth)
		p.want(pool.Agreed, 0)
		if p.row(w).State != pool.Uploading {
			t.Fatalf("worker %d is back: %s", w, show(p.Life))
		}
		p.says(w, pool.SaysUploaded, truth)
		p.want(pool.Done, 0)
	}
}

// A worker that committed to a result has no run to come back to: as a running
// turn it would hold a slot, keep others from being asked, and could commit anew.
func TestLostUploaderDoesNotRunAgain(t *testing.T) {
	t.Parallel()
	p := newPlay(t, 0, 1)
	p.says(1, pool.SaysReported, truth)
	p.says(1, pool.SaysUploading, truth) // has begun: an hour to finish
	p.wait(4 * beat)
	p.want(pool.Waiting, 1, pool.Expired)
	p.says(1, pool.SaysRunning, pool.Digest{})
	p.want(pool.Waiting, 1, pool.Expired)
	p.says(1, pool.SaysReported, lie)
	if p.want(pool.Waiting, 1, pool.Expired); p.row(1).Digest != truth {
		t.Errorf("it committed anew: %s", show(p.Life))
	}
}

// Two come back at once: the one that runs is not needed any more, as the other
// has the agreed result. Each call makes a move that the tables know.
func TestRunReturnsTogetherWithTheResult(t *testing.T) {
	t.Parallel()
	p := newPlay(t, 3, 3)
	p.says(3, pool.SaysRunning, pool.Digest{})
	p.wait(4 * beat) // all are lost; only 3 had begun
	p.want(pool.Waiting, 2, pool.Expired, pool.Expired, pool.Expired)
	p.says(1, pool.SaysReported, truth)
	p.says(2, pool.SaysReported, truth)
	p.wait(time.Minute)
	p.want(pool.Waiting, 1)
	for i := range p.Rows[:2] {
		p.Rows[i].Until = p.now.Add(4 * beat) // they beat, and 3 is the first to report
	}
	before := clone(p.Life)
	p.says(3, pool.SaysRunning, pool.Digest{})
	p.want(pool.Agreed, 0)
	for i, r := range p.Rows {
		if was := before.Rows[i].State; r.State != was && !contains(pool.AssignmentMoves[was], r.State) {
			t.Errorf("worker %d's turn goes from %s to %s, which its table does not know", r.Worker, was, r.State)
		}
	}
}

func contains(states []pool.AssignmentState, s pool.AssignmentState) bool {
	for _, other := range states {
		if other == s {
			return true
		}
	}
	return false
}

func TestOwnerHasOneTurn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		trust int
		state pool.AssignmentState
	}{{3, pool.Expired}, {1, pool.InRun}} {
		p := newPlay(t, c.trust, 0)
		p.offer(1, "account:1")
		p.wait(2 * beat)
		p.offer(2, "account:1")
		p.says(2, pool.SaysRunning, pool.Digest{})
		p.wait(4 * beat)
		p.want(pool.Waiting, map[bool]int{true: 2, false: 1}[c.trust > 1], pool.Expired, pool.Expired)
		p.says(1, pool.SaysRunning, pool.Digest{})
		if p.row(1).State != c.state {
			t.Errorf("trust %d: it returned after its owner's other worker had run, and is %s", c.trust, p.row(1).State)
		}
	}
}

func TestSlowWorkerReturns(t *testing.T) {
	t.Parallel()
	limit := 10*time.Minute + life.Defaults.RunGrace
	for _, c := range []struct {
		name  string
		after time.Duration
		says  pool.ReportState
		state pool.AssignmentState
	}{
		{"runs on", limit - 1, pool.SaysRunning, pool.InRun},
		{"had its time", limit, pool.SaysRunning, pool.Expired},
		{"brings a late result", limit + time.Hour, pool.SaysReported, pool.Uploading},
		{"says that it failed", limit - 1, pool.SaysFailed, pool.Expired},
		{"declines", limit - 1, pool.SaysRefused, pool.Expired},
	} {
		p := newPlay(t, 0, 1)
		p.says(1, pool.SaysRunning, pool.Digest{})
		p.wait(4 * beat)
		p.want(pool.Waiting, 1, pool.Expired)
		p.now = epoch.Add(c.after)
		p.says(1, c.says, map[bool]pool.Digest{true: truth}[c.says == pool.SaysReported])
		if p.row(1).State != c.state {
			t.Errorf("%s: %s, want %s", c.name, p.row(1).State, c.state)
		}
		if runBy := epoch.Add(limit); c.state == pool.InRun && !p.row(1).RunBy.Equal(runBy) {
			t.Errorf("%s: until %v, want %v", c.name, p.row(1).RunBy, runBy)
		}
	}
}

func TestFailedUploadGoesToTheNext(t *testing.T) {
	t.Parallel()
	p := newPlay(t, 9, 4)
	for w := pool.WorkerID(1); w <= 4; w++ {
		p.says(w, pool.SaysReported, truth)
	}
	for range 4 { // one more than the failed runs that a work may have
		p.want(pool.Agreed, 0)
		for _, r := range p.Rows {
			if r.State == pool.Uploading {
				p.says(r.Worker, pool.SaysFailed, pool.Digest{})
				break
			}
		}
	}
	p.want(pool.Waiting, 1, pool.Broken, pool.Broken, pool.Broken, pool.Broken)
	if p.Work.Digest != truth {
		t.Error("the digest was not kept")
	}
}

func TestUploaderIsDrawn(t *testing.T) {
	t.Parallel()
	const draws = 4_000
	seen := map[pool.WorkerID]int{}
	for seed := range uint64(draws) {
		p := newPlay(t, 9, 4)
		for w := pool.WorkerID(1); w <= 4; w++ {
			r := pool.Report{Work: p.Work.ID, Attempt: 1, Says: pool.SaysReported, Digest: truth}
			p.Report(p.now, w, r, false, seed, p.p)
		}
		for _, r := range p.Rows {
			if r.State == pool.Uploading {
				seen[r.Worker]++
			}
		}
	}
	chi := 0.0
	for w := pool.WorkerID(1); w <= 4; w++ {
		d := float64(seen[w]) - draws/4
		chi += d * d / (draws / 4)
	}
	if chi > 16.3 { // 3 degrees of freedom, one in a thousand; the seeds are fixed
		t.Errorf("drawn %v, chi-square %.1f", seen, chi)
	}
}
