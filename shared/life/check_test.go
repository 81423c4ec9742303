package life_test

import (
	"slices"

	"workerpool/shared/life"
	"workerpool/shared/pool"
)

// check holds one call of life to every rule.
func (w *world) check(before life.Life, what string) {
	w.t.Helper()
	w.steps++
	fail := func(format string, args ...any) { w.t.Helper(); w.fatalf(before, what, format, args...) }
	a, b := w.l, before
	if a.Work.State != b.Work.State && !slices.Contains(pool.WorkMoves[b.Work.State], a.Work.State) {
		fail("the work goes from %s to %s", b.Work.State, a.Work.State)
	}
	if b.Work.State.Ended() && !same(a, b) {
		fail("an ended work changed")
	}
	w.checkWork(b, fail)
	if len(a.Rows) != len(b.Rows) {
		fail("%d rows became %d", len(b.Rows), len(a.Rows))
	}
	for i := range a.Rows {
		w.checkRow(b.Rows[i], a.Rows[i], fail)
	}
	w.checkRuns(fail)
	w.checkCounts(b, fail)
}

type failer func(format string, args ...any)

func (w *world) checkWork(b life.Life, fail failer) {
	a := w.l
	fixed := a.Work
	fixed.State, fixed.Digest, fixed.Size, fixed.Reason, fixed.Ended = b.Work.State, b.Work.Digest, b.Work.Size, b.Work.Reason, b.Work.Ended
	if fixed != b.Work {
		fail("what never changes of a work changed")
	}
	if !b.Work.Digest.IsZero() && a.Work.Digest != b.Work.Digest {
		behind := count(b, func(r life.Row) bool { return r.Digest == b.Work.Digest })
		if behind > 1 || !a.Work.Digest.IsZero() && b.Work.State == pool.Agreed {
			fail("the digest that %d agreed upon changed", behind)
		}
	}
	switch {
	case a.Work.State.Ended() && !b.Work.State.Ended() && !a.Work.Ended.Equal(w.now):
		fail("ended at %v", a.Work.Ended)
	case !a.Work.State.Ended() && (!a.Work.Ended.IsZero() || a.Work.Reason != ""):
		fail("lives, and yet ended %v for %q", a.Work.Ended, a.Work.Reason)
	case a.Work.State == pool.Failed && a.Work.Reason == "":
		fail("failed without a reason")
	case a.Work.State != pool.Failed && a.Work.Reason != "":
		fail("%s with the reason %q", a.Work.State, a.Work.Reason)
	}
	uploaders := count(a, func(r life.Row) bool { return r.State == pool.Uploading })
	if want := map[bool]int{true: 1}[a.Work.State == pool.Agreed]; uploaders != want {
		fail("%s with %d uploaders", a.Work.State, uploaders)
	}
	held := count(a, func(r life.Row) bool { return isOpen(r) || r.State == pool.Reported || r.State == pool.Uploading })
	switch a.Work.State {
	case pool.Waiting, pool.Running:
		// Once agreed upon, only a new run brings the work on.
		busy := count(a, func(r life.Row) bool { return isOpen(r) || r.State == pool.Reported && a.Work.Digest.IsZero() })
		if (a.Work.State == pool.Running) != (busy > 0) {
			fail("%s with %d turns that bring it on", a.Work.State, busy)
		}
	case pool.Agreed:
		if a.Work.Digest.IsZero() {
			fail("agreed upon nothing")
		}
		if n := count(a, isOpen); n != 0 {
			fail("agreed with %d open turns", n)
		}
	case pool.Done, pool.Failed, pool.Cancelled:
		if held > 0 {
			fail("ended with %d held turns", held)
		}
	}
	if a.Work.State == pool.Done && count(a, func(r life.Row) bool {
		return r.State == pool.Closed && r.Digest == a.Work.Digest && r.Size == a.Work.Size
	}) == 0 {
		fail("done by nobody who agreed")
	}
}

func (w *world) checkRow(b, a life.Row, fail failer) {
	if a.State != b.State && !slices.Contains(pool.AssignmentMoves[b.State], a.State) {
		fail("worker %d's turn goes from %s to %s", a.Worker, b.State, a.State)
	}
	if a.Work != b.Work || a.Worker != b.Worker || a.Owner != b.Owner || a.Attempt != b.Attempt || a.Interval != b.Interval {
		fail("what never changes of worker %d's turn changed", a.Worker)
	}
	if b.Started && !a.Started {
		fail("worker %d's run was forgotten", a.Worker)
	}
	if !b.Digest.IsZero() && a.Digest != b.Digest {
		fail("worker %d's committed digest was lost", a.Worker)
	}
	if !b.Digest.IsZero() && a.Size != b.Size && b.State != pool.Expired { // who returns says it all again
		fail("worker %d's committed size was lost", a.Worker)
	}
	if (a.State == pool.Reported || a.State == pool.Uploading) && (a.Digest.IsZero() || !a.Started) {
		fail("worker %d's turn is %s without a digest of a run", a.Worker, a.State)
	}
	switch a.State {
	case pool.Offered:
		if a.Started || !a.Digest.IsZero() || a.StartBy.IsZero() {
			fail("worker %d's offer is not one", a.Worker)
		}
	case pool.InRun:
		if !a.Started || !a.StartBy.IsZero() || a.RunBy.IsZero() {
			fail("worker %d's run has wrong times", a.Worker)
		}
		if !a.Digest.IsZero() {
			fail("worker %d runs and has a digest", a.Worker)
		}
	case pool.Uploading:
		if a.Digest != w.l.Work.Digest || a.Size != w.l.Work.Size {
			fail("worker %d uploads what was not agreed upon", a.Worker)
		}
		if a.StartBy.IsZero() == a.RunBy.IsZero() {
			fail("worker %d's upload has start_by %v and run_by %v", a.Worker, a.StartBy, a.RunBy)
		}
	case pool.Broken, pool.Expired, pool.Refused, pool.Superseded:
		if a.Reason == "" {
			fail("worker %d's turn is %s without a reason", a.Worker, a.State)
		}
	}
}

// checkRuns keeps the books of who ever ran: once a worker, and at trust above 1
// once an owner; and of what each committed to.
func (w *world) checkRuns(fail failer) {
	owners := map[pool.Owner]pool.WorkerID{}
	for _, r := range w.l.Rows {
		if r.Started {
			if w.runs[r.Worker] == nil {
				w.runs[r.Worker] = map[int]bool{}
			}
			w.runs[r.Worker][r.Attempt] = true
		}
		if n := len(w.runs[r.Worker]); n > 1 {
			fail("worker %d ran %d times", r.Worker, n)
		}
		if len(w.runs[r.Worker]) == 1 && w.l.Work.Trust > 1 {
			if other, taken := owners[r.Owner]; taken {
				fail("workers %d and %d of %s ran both", other, r.Worker, r.Owner)
			}
			owners[r.Owner] = r.Worker
		}
		if !r.Digest.IsZero() {
			if first, ok := w.first[r.Worker]; ok && first != r.Digest {
				fail("worker %d committed to two results", r.Worker)
			}
			w.first[r.Worker] = r.Digest
		}
	}
}

func (w *world) checkCounts(b life.Life, fail failer) {
	a := w.l
	open, wanted := count(a, isOpen), a.Wanted(w.p)
	need := needed(a)
	if open > need {
		fail("%d open turns, %d needed", open, need)
	}
	if want := max(0, min(need-open, w.p.MaxRuns-made(a))); wanted != want {
		fail("%d wanted, the model says %d", wanted, want)
	}
	if a.Work.State.Open() && open == 0 && wanted == 0 {
		fail("nobody has it and nobody is wanted")
	}
	if b.Work.Digest.IsZero() && !a.Work.Digest.IsZero() {
		w.checkConsensus(b, fail)
	}
	failures := count(a, func(r life.Row) bool { return r.State == pool.Broken && r.Digest.IsZero() })
	tries := failures >= w.p.MaxFailures || made(a) >= w.p.MaxRuns && open == 0
	if a.Work.State.Open() && tries {
		fail("had its tries (%d failures, %d made) and lives", failures, made(a))
	}
	if a.Work.State != pool.Failed || b.Work.State == pool.Failed || !w.now.Before(a.Work.Deadline) || failures >= w.p.MaxFailures {
		return
	}
	if made(a) < w.p.MaxRuns {
		fail("failed by %d failures and %d made before its deadline", failures, made(a))
	}
	for i, r := range a.Rows {
		if isOpen(b.Rows[i]) && r.State == pool.Superseded && r.Digest.IsZero() {
			fail("failed while worker %d had its last turn", r.Worker)
		}
	}
}

// checkConsensus: whoever has reported, before or now, makes the agreed digest win.
func (w *world) checkConsensus(b life.Life, fail failer) {
	votes := map[pool.Digest]int{}
	for i, r := range w.l.Rows {
		was := b.Rows[i].State
		if !r.Digest.IsZero() && (was == pool.Reported || was != r.State) {
			votes[r.Digest]++
		}
	}
	var others []int
	for d, n := range votes {
		if d != w.l.Work.Digest {
			others = append(others, n)
		}
	}
	if !reaches(votes[w.l.Work.Digest], others, w.l.Work.Trust) {
		fail("agreed upon %.4s by the votes %v", w.l.Work.Digest, votes)
	}
	if w.wild || w.l.Work.Trust < 3 {
		return
	}
	if w.l.Work.Digest != truth {
		fail("a minority of liars won")
	}
}
