package storetest

import (
	"fmt"

	"workerpool/shared/life"
	"workerpool/shared/pool"
)

// faults is what a snapshot has wrong.
func (s *snapshot) faults() []string {
	f := &findings{}
	s.accepted(f)
	for _, w := range s.works {
		s.work(f, w)
	}
	for _, id := range s.taskless {
		f.add("work %d is of a deal and has no task", id)
	}
	s.queue(f)
	s.slots(f)
	return f.list
}

const mostFaults = 20 // told of one snapshot; more would hide what is wrong

type findings struct{ list []string }

func (f *findings) add(format string, args ...any) {
	if len(f.list) < mostFaults {
		f.list = append(f.list, fmt.Sprintf(format, args...))
	}
}

// accepted is P1: what was accepted is there, each in one state.
func (s *snapshot) accepted(f *findings) {
	accepted, there := 0, map[pool.BatchID]int{}
	states := map[pool.WorkState]int{}
	for _, w := range s.works {
		there[w.ID.Batch()]++
		states[w.State]++
		b, known := s.batches[w.ID.Batch()]
		switch {
		case !known:
			f.add("work %d has no batch", w.ID)
		case w.ID.Index() >= b.works:
			f.add("work %d is outside the %d of its batch", w.ID, b.works)
		case w.Requester != b.requester:
			f.add("work %d is %d's and its batch is %d's", w.ID, w.Requester, b.requester)
		case (w.State == pool.Staging) != (b.missing > 0) && !w.State.Ended():
			f.add("work %d is %s and its batch misses %d inputs", w.ID, w.State, b.missing)
		}
	}
	sum := 0
	for _, state := range pool.WorkStates {
		sum += states[state]
	}
	for id, b := range s.batches {
		accepted += b.works
		if there[id] != b.works {
			f.add("batch %d has %d works and %d were accepted", id, there[id], b.works)
		}
		if b.missing != b.inputs-b.there {
			f.add("batch %d says that %d inputs are missing, and has %d of %d", id, b.missing, b.there, b.inputs)
		}
	}
	if accepted != sum {
		f.add("%d works accepted and %d in all states: %v", accepted, sum, states)
	}
}

// work is P3, and what life says of one work and its turns.
func (s *snapshot) work(f *findings, w pool.Work) {
	trust := s.batches[w.ID.Batch()].trust
	open, held, busy, uploading := 0, 0, 0, 0
	seen, owners := map[pool.WorkerID]bool{}, map[pool.Owner]bool{}
	for _, t := range s.turns[w.ID] {
		if seen[t.Worker] {
			f.add("work %d has two turns of worker %d", w.ID, t.Worker)
		}
		seen[t.Worker] = true
		s.turn(f, w, t, trust)
		if trust > 1 && t.HoldsOwner() {
			if owners[t.Owner] {
				f.add("work %d has two turns of owner %s", w.ID, t.Owner)
			}
			owners[t.Owner] = true
		}
		if t.State == pool.Offered || t.State == pool.InRun {
			open++
		}
		// After a consensus what was reported waits for nothing: its bytes were lost.
		if t.State.Open() || t.State == pool.Reported && w.Digest.IsZero() {
			busy++
		}
		if t.State == pool.Uploading {
			uploading++
		}
		if t.State.Held() {
			held++
		}
	}
	if d := s.deals[w.ID]; d != nil {
		s.deal(f, w, d)
		return
	}
	if need := s.needed(w, trust); open > need {
		f.add("work %d has %d open turns and needs %d", w.ID, open, need)
	}
	agreed := w.State == pool.Agreed
	switch {
	case agreed != (uploading == 1) || uploading > 1:
		f.add("work %d is %s with %d uploading", w.ID, w.State, uploading)
	case (agreed || w.State == pool.Done) && w.Digest.IsZero():
		f.add("work %d is %s without a digest", w.ID, w.State)
	case w.State.Ended() && held > 0, w.State == pool.Staging && held > 0, w.State == pool.Waiting && busy > 0:
		f.add("work %d is %s and held by %d", w.ID, w.State, held)
	case w.State == pool.Running && busy == 0:
		f.add("work %d is running with nobody", w.ID)
	case w.State == pool.Failed && w.Reason == "":
		f.add("work %d failed without a reason", w.ID)
	}
}

func (s *snapshot) turn(f *findings, w pool.Work, t turnRow, trust int) {
	by, known := s.workers[t.Worker]
	switch {
	case !known || !by.beat:
		f.add("work %d has a turn of worker %d, who is not there", w.ID, t.Worker)
	case by.owner != t.Owner:
		f.add("work %d has a turn of worker %d for owner %s, not %s", w.ID, t.Worker, t.Owner, by.owner)
	case t.Attempt < 1:
		f.add("work %d has a turn of worker %d with attempt %d", w.ID, t.Worker, t.Attempt)
	case (t.State == pool.InRun || t.State == pool.Reported || t.State == pool.Uploading || t.State == pool.Closed) && !t.Started:
		f.add("work %d has a turn of worker %d that is %s and never ran", w.ID, t.Worker, t.State)
	case (t.State == pool.Reported || t.State == pool.Uploading) && t.Digest.IsZero():
		f.add("work %d has a turn of worker %d that is %s without a digest", w.ID, t.Worker, t.State)
	case t.State == pool.Uploading && (t.Digest != w.Digest || t.Size != w.Size && s.deals[w.ID] == nil):
		f.add("work %d has worker %d upload what was not agreed upon", w.ID, t.Worker)
	case t.past && !w.State.Ended():
		f.add("work %d is %s and its turn of worker %d was archived", w.ID, w.State, t.Worker)
	case !t.past && (t.slot != "") != (trust > 1 && t.HoldsOwner()), t.slot != "" && t.slot != string(t.Owner):
		f.add("work %d of trust %d has a turn of worker %d, %s, with owner slot %q", w.ID, trust, t.Worker, t.State, t.slot)
	}
}

// needed is how many turns may be open, by PoCo's inequality told again: the
// fewest that give the largest group of reported digests consensus.
func (s *snapshot) needed(w pool.Work, trust int) int {
	if !w.State.Open() {
		return 0
	}
	if !w.Digest.IsZero() {
		return 1 // agreed upon before; one has to make the bytes again
	}
	groups := map[pool.Digest]int{}
	for _, t := range s.turns[w.ID] {
		if t.State == pool.Reported {
			groups[t.Digest]++
		}
	}
	best, total := 0, 1.0
	for _, n := range groups {
		best = max(best, n)
		total += power(n)
	}
	if best > 0 {
		total -= power(best)
	}
	for more := 0; ; more++ {
		if group := power(best + more); best+more > 0 && (trust <= 1 || group*float64(trust) > (total+group)*float64(trust-1)) {
			return more
		}
	}
}

// power is two to the n, exact as far as any work has turns.
func power(n int) float64 { return float64(uint64(1) << n) }

// queue says that the ready table is what life wants, for every work.
func (s *snapshot) queue(f *findings) {
	listed := 0
	for _, w := range s.works {
		b := s.batches[w.ID.Batch()]
		l := s.lifeOf(w)
		missing, there := s.ready[readyKey{b.class, b.rank + b.cost*int64(w.ID.Index()), w.ID}]
		if there {
			listed++
		}
		if d := s.deals[w.ID]; d != nil { // how many it wants follows the chain's clock too
			if there && (missing < 1 || !w.State.Open() || d.status > pool.TaskActive) {
				f.add("work %d is %s with a task of status %d and is listed as ready for %d", w.ID, w.State, d.status, missing)
			}
			continue
		}
		if wanted := l.Wanted(life.Defaults); missing != wanted || there && missing < 1 {
			f.add("work %d is %s, wants %d more and is listed as ready for %d", w.ID, w.State, wanted, missing)
		}
	}
	if listed != len(s.ready) {
		f.add("%d rows are ready and %d of them are of works in their places", len(s.ready), listed)
	}
}

// slots is P5: nobody is given more than it has slots for. A worker that was
// taken for lost and returns with a run may have more, until that ends.
func (s *snapshot) slots(f *findings) {
	open := map[pool.WorkerID]int{}
	for _, turns := range s.turns {
		for _, t := range turns {
			if (t.State == pool.Offered || t.State == pool.InRun) && !s.back[pair{t.Work, t.Worker}] {
				open[t.Worker]++
			}
		}
	}
	for id, n := range open {
		if n > s.workers[id].slots {
			f.add("worker %d has %d slots and %d open turns", id, s.workers[id].slots, n)
		}
	}
}
