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

// Full gives the batches of the snapshot's works of which no more run once the
// plan is made: they, or their requesters, are at their limits.
func Full(s Snapshot, plan Plan) map[pool.BatchID]bool {
	l := newLimits(s)
	for _, work := range newly(s, plan) {
		l.hold(work, 1)
	}
	full := map[pool.BatchID]bool{}
	for _, c := range s.Classes {
		for _, work := range c.Ready {
			if !l.allow(work) {
				full[work.Work.Batch()] = true
			}
		}
	}
	return full
}
