package life_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"workerpool/shared/life"
	"workerpool/shared/pool"
)

// revealed brings a deal to where workers with these files have revealed the right
// digest, and one of them is to bring its bytes.
func revealed(t *testing.T, files ...byte) *deal {
	t.Helper()
	digests := make([]pool.Digest, len(files))
	for i := range digests {
		digests[i] = right
	}
	d := contributed(t, 3, digests...)
	for i, file := range files {
		d.Rows[i].File = pool.Digest{file}
		d.put(pool.WorkerID(i+1), right, pool.Proved)
	}
	d.Task.Status, d.Task.Consensus, d.Task.Digest = pool.TaskRevealing, hash(right), right
	d.Task.Winners, d.Task.Reveals, d.Task.RevealBy = len(files), len(files), d.now.Add(2*span)
	d.beats()
	d.look()
	return d
}

// beats renews all leases.
func (d *deal) beats(but ...pool.WorkerID) {
	for i := range d.Rows {
		if !slices.Contains(but, d.Rows[i].Worker) {
			d.Rows[i].Until = d.now.Add(4 * beat)
		}
	}
}

// in gives the worker whose turn is in a state; 0 = there is none.
func (d *deal) in(state pool.AssignmentState) pool.WorkerID {
	for _, row := range d.Rows {
		if row.State == state {
			return row.Worker
		}
	}
	return 0
}

// says lets a worker speak of bytes: its own, or those it was asked to look at.
func (d *deal) says(worker pool.WorkerID, says pool.ReportState) {
	row := d.row(worker)
	d.Report(d.now, worker, pool.Report{
		Work: d.Work.ID, Attempt: row.Attempt, Says: says, Digest: row.Digest, File: row.File, Size: 9, Checks: row.Checks, Reason: "why",
	}, true, 1, d.p)
}

// deliver lets the appointed worker upload, and gives it.
func (d *deal) deliver() pool.WorkerID {
	d.t.Helper()
	worker := d.in(pool.Uploading)
	if worker == 0 {
		d.t.Fatalf("nobody is to bring the bytes: %s", show(d.Life))
	}
	d.says(worker, pool.SaysUploaded)
	return worker
}

func (d *deal) vouched(want pool.Vouching, file byte) {
	d.t.Helper()
	if d.Work.Vouched != want || d.Work.File != (pool.Digest{file}) {
		d.t.Errorf("%.4s is %q, want %x %q: %s", d.Work.File, d.Work.Vouched, file, want, show(d.Life))
	}
}

// Who made the same archive has vouched for it: nobody looks, and those who are in
// the majority bring theirs.
func TestVouchedByTheSameBytes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		d := revealed(t, 1, 2, 3, 2)
		for i := range d.Rows {
			d.Rows[i].State = pool.HasRevealed
		}
		d.Look(d.now, seed, d.p)
		if by := d.deliver(); by != 2 && by != 4 {
			t.Errorf("worker %d brings what nobody else has made", by)
		}
		d.vouched(pool.Vouched, 2)
		if by := d.in(pool.Checking); by != 0 {
			t.Errorf("worker %d is to look at what is vouched for", by)
		}
	}
}

// Two workers of one owner are no two.
func TestVouchedByAnotherOwner(t *testing.T) {
	t.Parallel()
	d := revealed(t, 1, 1, 2)
	d.Rows[0].Owner, d.Rows[1].Owner = "account:9", "account:9"
	d.Rows[0].State, d.Rows[1].State, d.Rows[2].State = pool.Uploading, pool.HasRevealed, pool.HasRevealed
	d.deliver()
	d.vouched(pool.NotVouched, 1)
	d.is(3, pool.Checking)
	d.is(2, pool.HasRevealed)
}

func TestChecked(t *testing.T) {
	t.Parallel()
	d := revealed(t, 1, 2, 3)
	by := d.deliver()
	d.vouched(pool.NotVouched, byte(by))
	checker := d.in(pool.Checking)
	if checker == 0 || checker == by || d.row(checker).Checks != d.Work.File {
		t.Fatalf("%s", show(d.Life))
	}
	d.says(checker, pool.SaysChecking)
	if row := d.row(checker); !row.StartBy.IsZero() || !row.RunBy.Equal(d.now.Add(d.p.UploadLimit)) {
		t.Errorf("%+v", row)
	}
	// Of other bytes than it was asked about it may say what it will.
	d.Report(d.now, checker, pool.Report{Work: d.Work.ID, Attempt: 1, Says: pool.SaysWrong, Digest: right, File: pool.Digest{1}, Checks: pool.Digest{0xee}}, false, 1, d.p)
	d.is(checker, pool.Checking)
	other := 6 - by - checker
	d.says(other, pool.SaysWrong) // nobody asked it
	d.vouched(pool.NotVouched, byte(by))
	d.says(checker, pool.SaysChecked)
	d.vouched(pool.Vouched, byte(by))
	d.is(checker, pool.HasRevealed)
	d.is(by, pool.Closed)
	d.says(checker, pool.SaysWrong) // too late
	d.vouched(pool.Vouched, byte(by))
}

// Whoever finds an archive wrong brings its own, and that is looked at as well.
func TestWrong(t *testing.T) {
	t.Parallel()
	d := revealed(t, 1, 2, 3)
	first := d.deliver()
	second := d.in(pool.Checking)
	d.says(second, pool.SaysWrong)
	d.vouched(pool.Disputed, byte(first)) // what there is stays until there is other
	d.is(first, pool.Broken)
	if d.row(first).Reason == "" {
		t.Error("failed without a reason")
	}
	d.is(second, pool.Uploading)
	d.deliver()
	third := d.in(pool.Checking)
	d.vouched(pool.NotVouched, byte(second))
	if third != 6-first-second {
		t.Fatalf("worker %d looks", third)
	}
	d.says(third, pool.SaysWrong)
	d.is(second, pool.Broken)
	d.is(third, pool.Uploading)
	d.deliver()
	d.vouched(pool.NobodyLeft, byte(third)) // all have been asked
}

// Who finds an archive wrong and does not bring its own is replaced, or the others'
// archive is what there is.
func TestWrongAndGone(t *testing.T) {
	t.Parallel()
	d := revealed(t, 1, 2, 3)
	first := d.deliver()
	second := d.in(pool.Checking)
	third := 6 - first - second
	d.says(second, pool.SaysWrong)
	d.now = d.row(second).StartBy
	d.beats(second)
	d.Rows[second-1].Until = d.now
	d.Expire(d.now, 1, d.p)
	d.is(second, pool.Expired)
	d.is(third, pool.Uploading)
	d.says(third, pool.SaysFailed)
	d.vouched(pool.Disputed, byte(first))
	if d.in(pool.Uploading) != 0 {
		t.Error("somebody uploads who is gone")
	}
	d.says(second, pool.SaysRevealed) // back
	d.is(second, pool.Uploading)
	d.Head = d.Work.VouchBy()
	d.look()
	d.vouched(pool.NobodyLeft, byte(first))
	d.is(second, pool.HasRevealed) // too late: the chain is told where the first lies
}

// Who is asked and does not answer is asked no more; when nobody is left, what there
// is has to do.
func TestCheckerSilent(t *testing.T) {
	t.Parallel()
	for name, gone := range map[string]bool{"gone": true, "silent": false} {
		d := revealed(t, 1, 2, 3)
		first := d.deliver()
		second := d.in(pool.Checking)
		third := 6 - first - second
		for _, asked := range []pool.WorkerID{second, third} {
			d.is(asked, pool.Checking)
			d.vouched(pool.NotVouched, byte(first))
			d.now = d.row(asked).StartBy
			d.beats()
			if gone {
				d.Rows[asked-1].Until = d.now
			}
			d.Expire(d.now, 1, d.p)
			if d.row(asked).State == pool.Checking {
				t.Fatalf("%s: %s", name, show(d.Life))
			}
		}
		d.vouched(pool.NobodyLeft, byte(first))
		d.beats()
		d.says(second, pool.SaysChecked)
		d.vouched(pool.NobodyLeft, byte(first))
	}
}

// A checker that gives up lets another look.
func TestCheckerUnable(t *testing.T) {
	t.Parallel()
	d := revealed(t, 1, 2, 3)
	d.deliver()
	second := d.in(pool.Checking)
	d.says(second, pool.SaysFailed)
	d.is(second, pool.Broken)
	if third := d.in(pool.Checking); third == 0 || third == second {
		t.Errorf("%s", show(d.Life))
	}
}

func TestNobodyToVouch(t *testing.T) {
	t.Parallel()
	// Others may still reveal, and look then.
	d := revealed(t, 1, 2)
	d.put(2, right, pool.Contributed)
	d.Task.Reveals = 1
	d.Rows[0].State = pool.Uploading
	d.look()
	d.deliver()
	d.vouched(pool.NotVouched, 1)
	late := *d.Task
	d.put(2, right, pool.Proved)
	d.Task.Reveals = 2
	d.look()
	d.is(2, pool.Checking)

	// Until their time is over.
	d = revealed(t, 1, 2)
	d.put(2, right, pool.Contributed)
	d.Task.Reveals, d.Rows[0].State = 1, pool.Uploading
	d.look()
	d.deliver()
	d.Head = late.RevealBy
	d.look()
	d.vouched(pool.NobodyLeft, 1)

	// Who is gone is not waited for.
	d = revealed(t, 1, 2)
	by := d.in(pool.Uploading)
	d.Rows[2-by].Until = d.now
	d.deliver()
	d.vouched(pool.NobodyLeft, byte(by))

	// There is only one.
	d = revealed(t, 1)
	d.deliver()
	d.vouched(pool.NobodyLeft, 1)
}

// The pool's stake is worth more than a check that takes too long.
func TestVouchedInTime(t *testing.T) {
	t.Parallel()
	d := revealed(t, 1, 2)
	by := d.deliver()
	checker := d.in(pool.Checking)
	d.Head = d.Work.VouchBy().Add(-1)
	d.look()
	d.vouched(pool.NotVouched, byte(by))
	d.Head = d.Work.VouchBy()
	d.look()
	d.vouched(pool.NobodyLeft, byte(by))
	d.is(checker, pool.HasRevealed)
	if want := epoch.Add(9 * span); !d.Work.VouchBy().Equal(want) {
		t.Errorf("by %v, want %v", d.Work.VouchBy(), want)
	}
}

// Equal bytes that come late outvote the one that found them wrong.
func TestVouchedAfterAllByTheSameBytes(t *testing.T) {
	t.Parallel()
	d := revealed(t, 1, 2, 3)
	by := d.deliver()
	checker := d.in(pool.Checking)
	d.says(checker, pool.SaysWrong)
	d.Rows[6-by-checker-1].File = d.Work.File
	d.look()
	d.vouched(pool.Vouched, byte(by))
	d.is(checker, pool.HasRevealed)
}

// A consensus that is no more takes along what was said of its bytes.
func TestVouchingReorganised(t *testing.T) {
	t.Parallel()
	d := revealed(t, 1, 2, 3)
	d.deliver()
	checker := d.in(pool.Checking)
	saved := *d.Task
	d.Task = &pool.Task{ID: saved.ID, Status: pool.TaskActive, Contributions: slices.Clone(saved.Contributions)}
	for i := range d.Task.Contributions {
		d.Task.Contributions[i].Status = pool.Contributed
	}
	d.look()
	d.vouched(pool.NotVouched, 0)
	d.is(checker, pool.HasContributed)
	if !d.row(checker).Checks.IsZero() {
		t.Error("it stays asked")
	}
	d.Task = &saved
	d.look()
	d.deliver()
	if d.in(pool.Checking) == 0 {
		t.Errorf("nobody looks: %s", show(d.Life))
	}
}

// TestVouchingEnds plays the reveals' end with workers that bring what is right or
// wrong, look or lie, stay or go: whatever they do, by the time at which the chain
// must be told there are bytes and nobody is waited for; each worker brings once and
// calls wrong once; and with one liar among four that stay, what is right is there.
func TestVouchingEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(r, "workers")
		files := make([]byte, n)
		for i := range files {
			files[i] = byte(i + 1)
		}
		d := revealed(t, files...)
		liars := rapid.IntRange(0, n).Draw(r, "liars")
		steady := rapid.Bool().Draw(r, "steady")
		lies := func(worker pool.WorkerID) bool { return int(worker) <= liars }
		brought, called := map[pool.WorkerID]int{}, map[pool.WorkerID]int{}
		step := func(row life.Row) {
			if !steady && rapid.IntRange(0, 3).Draw(r, "idle") == 0 {
				return
			}
			switch row.State {
			case pool.Uploading:
				if brought[row.Worker]++; brought[row.Worker] > 1 {
					r.Fatalf("worker %d brings again: %s", row.Worker, show(d.Life))
				}
				d.says(row.Worker, pool.SaysUploaded)
			case pool.Checking:
				says := pool.SaysChecked
				if lies(pool.WorkerID(row.Checks[0])) || lies(row.Worker) {
					says = pool.SaysWrong
				}
				if says == pool.SaysWrong {
					if called[row.Worker]++; called[row.Worker] > 1 {
						r.Fatalf("worker %d finds wrong again: %s", row.Worker, show(d.Life))
					}
				}
				d.says(row.Worker, says)
			}
		}
		for d.Head.Before(d.Work.VouchBy()) && d.Work.Vouched != pool.Vouched && d.Work.Vouched != pool.NobodyLeft {
			for _, row := range slices.Clone(d.Rows) {
				step(row)
			}
			d.now = d.now.Add(beat)
			d.Head = d.now
			if steady {
				d.beats()
			} else {
				d.beats(pool.WorkerID(rapid.IntRange(0, n).Draw(r, "away")))
			}
			d.Expire(d.now, rapid.Uint64().Draw(r, "seed"), d.p)
		}
		d.look()
		if len(brought) > 0 && d.Work.Vouched != pool.Vouched && d.Work.Vouched != pool.NobodyLeft {
			r.Fatalf("waits on: %s", show(d.Life))
		}
		if steady && liars <= 1 && n > liars+1 && lies(pool.WorkerID(d.Work.File[0])) {
			r.Fatalf("the liar's is there: %s", show(d.Life))
		}
		if steady && len(brought) == 0 {
			r.Fatal("nobody brought anything")
		}
		file := fmt.Sprint(d.Work.File)
		d.Expire(d.now.Add(time.Second), 3, d.p)
		if fmt.Sprint(d.Work.File) != file {
			r.Fatal("what the chain is told of changes")
		}
	})
}
