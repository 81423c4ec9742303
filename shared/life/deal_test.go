package life_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"workerpool/shared/pool"
)

// deal is a work of a deal with the chain that judges it.
type deal struct {
	t *testing.T
	*play
	apart bool // each worker's archive is another
}

const span = 5 * time.Minute // T of the category

func newDeal(t *testing.T, trust, workers int) *deal {
	t.Helper()
	d := &deal{t: t, play: newPlay(t, trust, 0)}
	d.Work.Origin, d.Work.RunLimit = pool.OriginDeal, span
	d.Work.Deadline = epoch.Add(pool.FinalAfter * span)
	d.Task, d.Head = &pool.Task{ID: pool.Hash{7}}, epoch
	for i := range workers {
		d.join(pool.WorkerID(i + 1))
	}
	return d
}

func wallet(worker pool.WorkerID) pool.Address { return pool.Address{byte(worker), 0xaa} }

// hash is what a contribution of a digest commits to.
func hash(d pool.Digest) pool.Hash { return pool.Hash{d[0], d[1], 0xcc} }

func (d *deal) join(worker pool.WorkerID) {
	d.offer(worker, pool.Owner(fmt.Sprint("account:", worker)))
	row := &d.Rows[len(d.Rows)-1]
	row.Wallet, row.Weight = wallet(worker), 2
}

func (d *deal) tell(worker pool.WorkerID, says pool.ReportState, digest pool.Digest) {
	d.t.Helper()
	r := pool.Report{Work: d.Work.ID, Attempt: d.row(worker).Attempt, Says: says, Digest: digest, Size: 9, Checks: d.row(worker).Checks}
	switch {
	case !digest.IsZero():
		r.File = pool.Digest{0xff, digest[0], digest[1]}
		if d.apart {
			r.File[3] = byte(worker)
		}
	case says == pool.SaysFailed:
		r.Size, r.Reason = 0, "could not"
	}
	d.Report(d.now, worker, r, true, 1, d.p)
}

// put is what a worker's transaction leaves on the chain.
func (d *deal) put(worker pool.WorkerID, digest pool.Digest, status pool.ContributionStatus) {
	d.t.Helper()
	for i, c := range d.Task.Contributions {
		if c.Wallet == wallet(worker) {
			d.Task.Contributions[i].Status = status
			return
		}
	}
	d.Task.Contributions = append(d.Task.Contributions, pool.Contribution{Wallet: wallet(worker), Status: status, Hash: hash(digest), Weight: 2})
}

func (d *deal) look() { d.Look(d.now, 1, d.p) }

func (d *deal) is(worker pool.WorkerID, state pool.AssignmentState) {
	d.t.Helper()
	if got := d.row(worker).State; got != state {
		d.t.Errorf("worker %d's turn is %s, want %s", worker, got, state)
	}
}

func (d *deal) wants(n int) {
	d.t.Helper()
	if got := d.Wanted(d.p); got != n {
		d.t.Errorf("%d more wanted, want %d", got, n)
	}
}

func (d *deal) stands(state pool.WorkState) {
	d.t.Helper()
	if d.Work.State != state {
		d.t.Errorf("the work is %s, want %s", d.Work.State, state)
	}
}

var right, wrong = pool.Digest{1, 1}, pool.Digest{2, 2}

// contributed brings a deal to where its workers have contributed a digest.
func contributed(t *testing.T, trust int, digests ...pool.Digest) *deal {
	t.Helper()
	d := newDeal(t, trust, len(digests))
	d.Task.Status = pool.TaskActive
	for i, digest := range digests {
		worker := pool.WorkerID(i + 1)
		d.tell(worker, pool.SaysRunning, pool.Digest{})
		d.Rows[i].Authorised = true
		d.tell(worker, pool.SaysReported, digest)
		d.put(worker, digest, pool.Contributed)
	}
	d.look()
	return d
}

func TestDealFromOfferToEnd(t *testing.T) {
	t.Parallel()
	d := newDeal(t, 3, 0)
	d.look()
	d.stands(pool.Waiting)
	d.wants(2)
	d.join(1)
	d.join(2)
	d.wants(0)
	if d.Authorise(1) {
		t.Error("authorised what does not run")
	}
	d.tell(1, pool.SaysRunning, pool.Digest{})
	if d.Authorise(1) {
		t.Error("authorised before the task was initialized")
	}
	d.Task.Status = pool.TaskActive
	if !d.Authorise(1) || d.Authorise(1) {
		t.Error("one word is given once")
	}
	d.tell(2, pool.SaysRunning, pool.Digest{})
	if !d.Authorise(2) {
		t.Error("the second is wanted too")
	}
	for worker := range pool.WorkerID(2) {
		d.tell(worker+1, pool.SaysReported, right)
		d.tell(worker+1, pool.SaysContributed, right)
		d.is(worker+1, pool.Reported) // only the chain's word counts
	}
	d.put(1, right, pool.Contributed)
	d.look()
	d.is(1, pool.HasContributed)
	d.stands(pool.Running)
	d.wants(0)
	d.put(2, right, pool.Contributed)
	d.Task.Status, d.Task.Consensus = pool.TaskRevealing, hash(right)
	d.look()
	d.stands(pool.Agreed)
	d.tell(1, pool.SaysRevealed, right)
	d.is(1, pool.HasContributed)
	if !d.Work.Digest.IsZero() {
		t.Error("the digest is known before anybody revealed it")
	}
	d.put(1, right, pool.Proved)
	d.Task.Digest = right
	d.look()
	d.is(1, pool.Uploading)
	d.is(2, pool.HasContributed)
	d.tell(1, pool.SaysUploading, right)
	d.put(2, right, pool.Proved)
	d.look()
	d.is(2, pool.HasRevealed)
	r := pool.Report{Work: d.Work.ID, Attempt: 1, Says: pool.SaysUploaded, Digest: right, File: d.row(1).File, Size: 9}
	d.Report(d.now, 1, r, false, 1, d.p)
	d.is(1, pool.Uploading) // nobody saw the bytes
	d.tell(1, pool.SaysUploaded, right)
	d.is(1, pool.Closed)
	if d.Work.File != (pool.Digest{0xff, 1, 1}) || d.Work.Size != 9 || d.Work.Digest != right {
		t.Errorf("%+v", d.Work)
	}
	d.Task.Status = pool.TaskCompleted
	d.look()
	d.stands(pool.Agreed) // a reorganisation may still take it back
	d.Task.Final = true
	d.look()
	d.stands(pool.Done)
	d.is(1, pool.Closed)
	d.is(2, pool.Closed)
}

func TestDealLosers(t *testing.T) {
	t.Parallel()
	d := contributed(t, 3, wrong, right, right)
	d.wants(1) // 12 > 14 is false: two against one need a third
	d.join(4)
	d.join(5)
	d.tell(5, pool.SaysRunning, pool.Digest{})
	d.put(6, right, pool.Contributed) // a wallet that the books do not know
	d.Task.Status, d.Task.Consensus = pool.TaskRevealing, hash(right)
	d.look()
	d.is(1, pool.Closed)
	d.is(2, pool.HasContributed)
	d.is(4, pool.Superseded)
	d.is(5, pool.Superseded)
	d.wants(0)
}

// The word of the pool cannot be called back: who has it counts until its run
// would be over, and a contribution that comes then is as good as any.
func TestDealVanishedWithTheWord(t *testing.T) {
	t.Parallel()
	d := newDeal(t, 1, 1)
	d.Task.Status = pool.TaskActive
	d.tell(1, pool.SaysRunning, pool.Digest{})
	if !d.Authorise(1) {
		t.Fatal("not authorised")
	}
	d.now = d.row(1).Until
	d.Head = d.now
	d.Expire(d.now, 1, d.p)
	d.is(1, pool.Expired)
	d.wants(0)
	d.tell(1, pool.SaysRunning, pool.Digest{}) // it was away for a moment only
	d.is(1, pool.InRun)
	d.now = d.row(1).Until
	d.Head = d.now
	d.Expire(d.now, 1, d.p)
	d.is(1, pool.Expired)
	d.Head = d.row(1).RunBy
	d.wants(1)
	d.join(2)
	d.tell(2, pool.SaysRunning, pool.Digest{})
	d.put(1, right, pool.Contributed)
	d.look()
	d.is(1, pool.HasContributed)
	if d.Authorise(2) {
		t.Error("authorised one more than the contract asks for")
	}
	d.Task.Contributions = nil
	d.look()
	d.is(1, pool.Reported) // taken back: it is to contribute again
	if d.Authorise(2) {
		t.Error("authorised one more than the contract asks for")
	}
	d.now = d.row(1).RunBy
	d.Head = d.now
	d.Rows[1].Until, d.Rows[1].RunBy = d.now.Add(time.Hour), d.now.Add(time.Hour)
	d.Expire(d.now, 1, d.p)
	if !d.Authorise(2) {
		t.Error("not authorised when nobody else may contribute")
	}
}

// Who has contributed is in the chain's count, and not pending as well.
func TestDealSecondWordAfterTheFirstContribution(t *testing.T) {
	t.Parallel()
	d := contributed(t, 3, right)
	d.join(2)
	d.tell(2, pool.SaysRunning, pool.Digest{})
	if !d.Authorise(2) {
		t.Error("the second of two is not authorised")
	}
}

func TestDealVanishedWithoutTheWord(t *testing.T) {
	t.Parallel()
	d := newDeal(t, 1, 1)
	d.tell(1, pool.SaysRunning, pool.Digest{})
	d.now = d.row(1).Until
	d.Expire(d.now, 1, d.p)
	d.wants(1)
}

// Who has a result and the word and is slow to contribute is waited for, but not
// for ever.
func TestDealResultWithoutContribution(t *testing.T) {
	t.Parallel()
	d := newDeal(t, 1, 1)
	d.Task.Status = pool.TaskActive
	d.tell(1, pool.SaysRunning, pool.Digest{})
	d.tell(1, pool.SaysReported, right)
	d.wants(0)
	d.now = d.row(1).RunBy
	d.Expire(d.now, 1, d.p)
	d.is(1, pool.Expired)
	d.Head = d.now
	d.wants(1)
	d.tell(1, pool.SaysReported, right)
	d.is(1, pool.Reported)
	d.wants(0)
}

func TestDealReorganised(t *testing.T) {
	t.Parallel()
	d := contributed(t, 3, right, right)
	saved := slices.Clone(d.Task.Contributions)
	d.Task.Status, d.Task.Consensus = pool.TaskRevealing, hash(right)
	d.put(1, right, pool.Proved)
	d.Task.Digest = right
	d.look()
	d.tell(1, pool.SaysUploaded, right)
	d.is(1, pool.Closed)
	// Back to before the second contribution.
	d.Task.Status, d.Task.Consensus, d.Task.Digest, d.Task.Contributions = pool.TaskActive, pool.Hash{}, pool.Digest{}, saved[:1]
	d.look()
	d.is(1, pool.HasContributed)
	d.is(2, pool.Reported)
	d.stands(pool.Running)
	if !d.Work.File.IsZero() || !d.Work.Digest.IsZero() {
		t.Errorf("%+v", d.Work)
	}
	d.wants(0)
	// Back to before the task.
	d.Task.Status, d.Task.Contributions = pool.TaskUnset, nil
	d.look()
	d.is(1, pool.Reported)
	d.stands(pool.Running)
}

func TestDealReopened(t *testing.T) {
	t.Parallel()
	d := contributed(t, 3, wrong, right, right, right)
	for _, worker := range []pool.WorkerID{2, 3, 4} {
		d.put(worker, right, pool.Rejected)
	}
	d.look()
	d.is(2, pool.Closed)
	d.is(1, pool.HasContributed)
	d.stands(pool.Running)
	d.wants(1) // to join the one who was alone: 4*3 > 5*2
	d.Head = d.Work.ContributeBy()
	d.wants(0)
}

func TestDealUploaderGone(t *testing.T) {
	t.Parallel()
	d := contributed(t, 3, right, right)
	d.Task.Status, d.Task.Consensus, d.Task.Digest = pool.TaskRevealing, hash(right), right
	d.put(1, right, pool.Proved)
	d.look()
	d.is(1, pool.Uploading)
	d.put(2, right, pool.Proved)
	d.now = d.now.Add(time.Hour)
	d.Rows[1].Until = d.now.Add(time.Hour)
	d.Expire(d.now, 1, d.p)
	d.is(1, pool.Expired)
	d.is(2, pool.Uploading)
	d.tell(2, pool.SaysFailed, pool.Digest{})
	d.is(2, pool.Broken)
	d.stands(pool.Agreed)
	d.Rows[0].Until = d.now.Add(time.Hour)
	d.look()
	d.is(1, pool.Uploading)
}

// Another digest than the uploader's was revealed after all.
func TestDealUploaderOfAnotherDigest(t *testing.T) {
	t.Parallel()
	d := contributed(t, 1, right)
	d.Task.Status, d.Task.Consensus, d.Task.Digest = pool.TaskRevealing, hash(right), right
	d.put(1, right, pool.Proved)
	d.look()
	d.is(1, pool.Uploading)
	d.Task.Digest = wrong
	d.look()
	d.is(1, pool.HasRevealed)
}

func TestDealClaimed(t *testing.T) {
	t.Parallel()
	d := contributed(t, 3, right)
	d.now = d.Work.Deadline.Add(time.Hour)
	d.Expire(d.now, 1, d.p)
	d.stands(pool.Running) // the books' clock ends nothing here
	d.Task.Status = pool.TaskFailed
	d.look()
	d.stands(pool.Running)
	d.Task.Final = true
	d.look()
	d.stands(pool.Failed)
	if d.Work.Reason == "" {
		t.Error("failed without a reason")
	}
}

func TestDealFailures(t *testing.T) {
	t.Parallel()
	d := newDeal(t, 1, 0)
	for i := range d.p.MaxFailures {
		d.wants(1)
		d.join(pool.WorkerID(i + 1))
		d.tell(pool.WorkerID(i+1), pool.SaysFailed, pool.Digest{})
	}
	d.wants(0)
	d.stands(pool.Waiting)
}
