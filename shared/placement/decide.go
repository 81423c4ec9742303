package placement

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"workerpool/shared/pool"
)

// Policy holds placement's numbers.
type Policy struct {
	StartIntervals int // heartbeat intervals a worker has to start an offer
	MaxRefusals    int // offers of a work after which a worker that refused is not asked again
}

// Defaults are the pool's numbers.
var Defaults = Policy{StartIntervals: 2, MaxRefusals: 3}

// Snapshot is what placement sees: the workers with free slots and, class by
// class, the fronts of the queues.
type Snapshot struct {
	Now     time.Time
	Workers []pool.Worker
	Classes []Class
}

// Class is a queue of works with equal demands.
type Class struct {
	ID      pool.ClassID
	Demands pool.Demands
	Ready   []Ready // by rank, then work
}

// Ready is one waiting work.
type Ready struct {
	Work    pool.WorkID
	Rank    int64
	Trust   int
	Missing int               // assignments wanted beyond those open
	Turns   []pool.Assignment // those made so far, whatever became of them
}

// Offer is one assignment to be made. Missing and Again are what the plan was
// made of: the store writes only where they still hold.
type Offer struct {
	Work    pool.WorkID
	Class   pool.ClassID
	Rank    int64
	Trust   int
	Missing int // as in the ready work
	Worker  pool.WorkerID
	Owner   pool.Owner
	Attempt int  // 1, or one more than the last
	Again   bool // the pair has a row already
	StartBy time.Time
}

// Plan is placement's answer, by work and worker.
type Plan struct{ Offers []Offer }

// Decide draws workers for works. Classes with the fewest eligible workers go
// first, so scarce workers are not spent on works that others could run. Within
// a class works go in order; a work whose possible workers are all taken or
// tried is passed over for the next. Among eligible workers the draw is weighted
// by free slots; at trust above 1 the owner is drawn first and then one of its
// workers, and no owner has two turns at one work.
func Decide(s Snapshot, seed uint64, p Policy) Plan {
	draw := rand.New(rand.NewPCG(seed, 0x706c6163656d656e))
	workers := slices.SortedFunc(slices.Values(s.Workers), func(a, b pool.Worker) int { return cmp.Compare(a.ID, b.ID) })
	free := make([]int, len(workers))
	for i, w := range workers {
		free[i] = w.Free()
	}
	type queue struct {
		class Class
		able  []int // indices of eligible workers
	}
	var queues []queue
	for _, c := range s.Classes {
		q := queue{class: c}
		for i, w := range workers {
			if Eligible(s.Now, w, c.Demands) {
				q.able = append(q.able, i)
			}
		}
		if len(q.able) > 0 && len(c.Ready) > 0 {
			queues = append(queues, q)
		}
	}
	slices.SortFunc(queues, func(a, b queue) int {
		return cmp.Or(cmp.Compare(len(a.able), len(b.able)), cmp.Compare(a.class.ID, b.class.ID))
	})
	var plan Plan
	for _, q := range queues {
		urn := newUrn(workers, free, q.able)
		waiting := slices.SortedFunc(slices.Values(q.class.Ready), func(a, b Ready) int {
			return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.Work, b.Work))
		})
		for _, work := range waiting {
			if urn.empty() {
				break
			}
			plan.Offers = append(plan.Offers, offers(s, work, q.class.ID, urn, draw, p)...)
		}
	}
	slices.SortFunc(plan.Offers, func(a, b Offer) int {
		return cmp.Or(cmp.Compare(a.Work, b.Work), cmp.Compare(a.Worker, b.Worker))
	})
	return plan
}

// offers draws the workers of one work.
func offers(s Snapshot, work Ready, class pool.ClassID, urn *urn, draw *rand.Rand, p Policy) []Offer {
	turns := map[pool.WorkerID]pool.Assignment{}
	owners := map[pool.Owner]bool{}
	for _, t := range work.Turns {
		turns[t.Worker] = t
		if work.Trust > 1 && t.HoldsOwner() {
			owners[t.Owner] = true
		}
	}
	barred := func(w pool.Worker) bool {
		t, tried := turns[w.ID]
		return owners[w.Owner] || tried && (t.HoldsOwner() || t.State == pool.Refused && t.Attempt >= p.MaxRefusals)
	}
	var made []Offer
	for range work.Missing {
		i, ok := urn.draw(draw, work.Trust > 1, barred)
		if !ok {
			break
		}
		w := urn.workers[i]
		last, again := turns[w.ID]
		made = append(made, Offer{
			Work: work.Work, Class: class, Rank: work.Rank, Trust: work.Trust, Missing: work.Missing,
			Worker: w.ID, Owner: w.Owner, Attempt: last.Attempt + 1, Again: again,
			StartBy: s.Now.Add(time.Duration(p.StartIntervals) * w.Interval),
		})
		turns[w.ID] = pool.Assignment{Worker: w.ID, Attempt: last.Attempt + 1, State: pool.Offered}
		if work.Trust > 1 {
			owners[w.Owner] = true
		}
	}
	return made
}
