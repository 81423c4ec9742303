package attack_test

import (
	"fmt"
	"slices"

	"workerpool/shared/life"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/test/attack"
)

func (h *history) fail(l life.Life, format string, args ...any) {
	h.t.Helper()
	text := fmt.Sprintf("work %d %s trust %d digest %.4s %q", l.Work.ID, l.Work.State, l.Work.Trust, l.Work.Digest, l.Work.Reason)
	for _, r := range l.Rows {
		text += fmt.Sprintf("\n  worker %d (%s) attempt %d %s started %v digest %.4s until %v %q", r.Worker, r.Owner, r.Attempt, r.State, r.Started, r.Digest, r.Until.Sub(h.now), r.Reason)
	}
	h.t.Fatalf("step %d at %v: %s\n%s", h.steps, h.now, fmt.Sprintf(format, args...), text)
}

// check holds one change of a work to the promises.
func (h *history) check(b, a life.Life, what string) {
	fail := func(format string, args ...any) { h.t.Helper(); h.fail(a, what+": "+format, args...) }
	if b.Work.State.Ended() && (a.Work != b.Work || !slices.Equal(a.Rows, b.Rows)) {
		fail("it had ended %s and changed", b.Work.State)
	}
	if a.Work.State != b.Work.State && !slices.Contains(pool.WorkMoves[b.Work.State], a.Work.State) {
		fail("it went from %s to %s", b.Work.State, a.Work.State)
	}
	open, owners := 0, map[pool.Owner]pool.WorkerID{}
	for _, r := range a.Rows {
		at := turnOf{r.Work, r.Worker}
		i := slices.IndexFunc(b.Rows, func(was life.Row) bool { return was.Worker == r.Worker })
		if i >= 0 && b.Rows[i].State == pool.Expired && r.State.Held() && r.Attempt == b.Rows[i].Attempt {
			h.back[at] = true
			h.seen["returned"]++
		}
		if i >= 0 && r.State != b.Rows[i].State && r.State == pool.Closed && r.Digest != a.Work.Digest {
			h.seen["outvoted"]++
		}
		if i >= 0 && !b.Rows[i].Digest.IsZero() && r.Digest != b.Rows[i].Digest {
			fail("worker %d committed to two results", r.Worker)
		}
		if r.Started {
			if first, ran := h.runs[at]; ran && first != r.Attempt {
				fail("worker %d ran attempts %d and %d", r.Worker, first, r.Attempt)
			}
			h.runs[at] = r.Attempt
		}
		if _, ran := h.runs[at]; a.Work.Trust > 1 && (ran || r.State.Open()) {
			if other, taken := owners[r.Owner]; taken {
				fail("workers %d and %d are both %s's", other, r.Worker, r.Owner)
			}
			owners[r.Owner] = r.Worker
		}
		if r.State.Open() {
			open++
		}
		if h.behaves(r.Worker) && (r.State == pool.Expired || r.State == pool.Broken || r.State == pool.Refused) {
			fail("worker %d did as it was told and its turn is %s", r.Worker, r.State)
		}
	}
	if most := needs(a); open > most {
		fail("%d open and %d needed", open, most)
	}
	if a.Work.Trust > 2 && !a.Work.Digest.IsZero() && a.Work.Digest != attack.DigestOf(attack.Truth(a.Work.ID)) {
		fail("a lie was agreed upon")
	}
}

// needs is how many open turns a work may have: the fewest that decide if they
// all join the largest group (the inequality as expect_test.go tells it).
func needs(l life.Life) int {
	if !l.Work.State.Open() {
		return 0
	}
	if !l.Work.Digest.IsZero() {
		return 1
	}
	votes, most := map[pool.Digest]int{}, pool.Digest{}
	for _, r := range l.Rows {
		if r.State == pool.Reported {
			votes[r.Digest]++
		}
	}
	for d, n := range votes {
		if n > votes[most] {
			most = d
		}
	}
	others := 1
	for d, n := range votes {
		if d != most {
			others += 1 << n
		}
	}
	more := 0
	for n := votes[most]; n == 0 || 1<<n <= (max(l.Work.Trust, 1)-1)*others; n++ {
		more++
	}
	return more
}

// checkSlots: nobody who is lost holds a work, and no worker is given more than it has slots and quota for; one that
// returns with a run it was taken for lost with may have more until that ends.
func (h *history) checkSlots(s placement.Snapshot, plan placement.Plan) {
	for _, o := range plan.Offers {
		if w := s.Workers[o.Worker-1]; w.Open > min(w.Slots, w.Quota) {
			h.fail(*h.works[o.Work], "worker %d with %d slots and a quota of %d is given this and has %d", w.ID, w.Slots, w.Quota, w.Open)
		}
	}
	given := map[pool.WorkerID]int{}
	for _, l := range h.alive {
		for _, r := range l.Rows {
			if (r.State.Open() || r.State == pool.Uploading) && !h.now.Before(r.Until) {
				h.fail(*l, "worker %d is lost and still has it", r.Worker)
			}
			if r.State.Open() && !h.back[turnOf{r.Work, r.Worker}] {
				if given[r.Worker]++; given[r.Worker] > h.workers[r.Worker-1].Slots {
					h.fail(*l, "worker %d has %d open", r.Worker, given[r.Worker])
				}
			}
		}
	}
}

// checkIdle: after a plan nobody is idle who could take a work that waits. Only
// a turn at it, its own or its owner's, or three refusals keep a worker from it.
func (h *history) checkIdle(s placement.Snapshot) {
	for _, c := range s.Classes {
		for _, work := range c.Ready {
			for _, w := range s.Workers {
				if w.Open >= min(w.Slots, w.Quota) || !w.Live(h.now) || !slices.Contains(w.Capabilities.Programs, c.Demands.App.Name) {
					continue
				}
				had := slices.ContainsFunc(work.Turns, func(t pool.Assignment) bool {
					ran := t.Started || t.State.Open()
					return t.Worker == w.ID && (ran || t.State != pool.Expired && t.State != pool.Refused || t.State == pool.Refused && t.Attempt >= 3) ||
						work.Trust > 1 && t.Owner == w.Owner && (ran || t.State != pool.Expired && t.State != pool.Refused)
				})
				if !had {
					h.fail(*h.works[work.Work], "it wants %d more, and worker %d (%v) is idle: %d of %d", work.Missing, w.ID, h.behaves(w.ID), w.Open, w.Quota)
				}
			}
		}
	}
}
