package placement

import (
	"maps"
	"slices"

	"workerpool/shared/pool"
)

// limits counts, while a decision is made, the works that run of each batch and
// requester that has a limit.
type limits struct {
	batches    map[pool.BatchID]Limit
	requesters map[pool.AccountID]Limit
}

func newLimits(s Snapshot) limits {
	return limits{batches: maps.Clone(s.Batches), requesters: maps.Clone(s.Requesters)}
}

// allow tells whether one more assignment of a work keeps the limits. A work
// that runs already is counted already.
func (l limits) allow(work Ready) bool {
	if runs(work) {
		return true
	}
	batch, ofBatch := l.batches[work.Work.Batch()]
	requester, ofRequester := l.requesters[work.Requester]
	return (!ofBatch || batch.Running < batch.Max) && (!ofRequester || requester.Running < requester.Max)
}

// hold counts a work that is about to run, or with -1 does not after all.
func (l limits) hold(work Ready, by int) {
	if runs(work) {
		return
	}
	if limit, ok := l.batches[work.Work.Batch()]; ok {
		limit.Running += by
		l.batches[work.Work.Batch()] = limit
	}
	if limit, ok := l.requesters[work.Requester]; ok {
		limit.Running += by
		l.requesters[work.Requester] = limit
	}
}

func runs(work Ready) bool {
	return slices.ContainsFunc(work.Turns, func(t pool.Assignment) bool { return t.State.Open() })
}

// newly gives the works that a plan makes run.
func newly(s Snapshot, plan Plan) map[pool.WorkID]Ready {
	given := map[pool.WorkID]bool{}
	for _, o := range plan.Offers {
		given[o.Work] = true
	}
	works := map[pool.WorkID]Ready{}
	for _, c := range s.Classes {
		for _, work := range c.Ready {
			if given[work.Work] && !runs(work) {
				works[work.Work] = work
			}
		}
	}
	return works
}

// Bound gives the limits that a plan has to keep: of the batches and requesters
// of which it makes more works run.
func Bound(s Snapshot, plan Plan) (batches map[pool.BatchID]Limit, requesters map[pool.AccountID]Limit) {
	batches, requesters = map[pool.BatchID]Limit{}, map[pool.AccountID]Limit{}
	for _, work := range newly(s, plan) {
		if limit, ok := s.Batches[work.Work.Batch()]; ok {
			batches[work.Work.Batch()] = limit
		}
		if limit, ok := s.Requesters[work.Requester]; ok {
			requesters[work.Requester] = limit
		}
	}
	return batches, requesters
}

// Full gives, class by class, the batches of the snapshot's works of which no more
// can run once the plan is made: they, or their requesters, are at their limits,
// or nobody present admits their requester.
func Full(s Snapshot, plan Plan) map[pool.ClassID][]pool.BatchID {
	l := newLimits(s)
	for _, work := range newly(s, plan) {
		l.hold(work, 1)
	}
	full := map[pool.ClassID][]pool.BatchID{}
	for _, c := range s.Classes {
		admitted, seen := map[string]bool{}, map[pool.BatchID]bool{}
		for _, work := range c.Ready {
			id := work.Work.Batch()
			if seen[id] {
				continue
			}
			if _, known := admitted[work.Login]; !known {
				admitted[work.Login] = slices.ContainsFunc(s.Workers, func(w pool.Worker) bool {
					return w.Capabilities.Requesters.Admit(work.Login) && Eligible(s.Now, w, c.Demands)
				})
			}
			if !admitted[work.Login] || !l.allow(work) {
				seen[id] = true
				full[c.ID] = append(full[c.ID], id)
			}
		}
	}
	return full
}
