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

// Snapshot is what placement sees: the workers with free slots, class by class
// the fronts of the queues, and the limits that bind works of these fronts.
type Snapshot struct {
	Now        time.Time
	State      pool.State
	Workers    []pool.Worker
	Classes    []Class
	Batches    map[pool.BatchID]Limit // absent = no limit
	Requesters map[pool.AccountID]Limit
	Use        map[pool.AccountID]Use // absent = nothing yet, and weight 1
}

// Use is what a requester has of the pool now: its open assignments, and its
// weight among those who wait.
type Use struct{ Open, Weight int }

// Limit is how many works may have open assignments at once, and how many have.
type Limit struct{ Max, Running int }

// Class is a queue of works with equal demands.
type Class struct {
	ID      pool.ClassID
	Demands pool.Demands
	Ready   []Ready // by rank, then work
}

// Ready is one waiting work.
type Ready struct {
	Work      pool.WorkID
	Rank      int64
	Start     int64 // its start tag: the rank before its priority's boost
	Trust     int
	Missing   int // assignments wanted beyond those open
	Requester pool.AccountID
	Login     string            // the requester's
	Turns     []pool.Assignment // those made so far, whatever became of them
}

// Offer is one assignment to be made. Missing and Again are what the plan was
// made of: the store writes only where they still hold.
type Offer struct {
	Work      pool.WorkID
	Class     pool.ClassID
	Rank      int64
	Start     int64
	Trust     int
	Missing   int // as in the ready work
	Requester pool.AccountID
	Worker    pool.WorkerID
	Owner     pool.Owner
	Attempt   int  // 1, or one more than the last
	Again     bool // the pair has a row already
	StartBy   time.Time
}

// Plan is placement's answer, by work and worker.
type Plan struct{ Offers []Offer }

// Decide draws workers for works.
//
// Which works: always the next of the requester that has the least of the pool
// now, by its weight, and among those with equally little the one of the smallest
// rank, as many works as there is room for. So nobody gains by asking for
// something odd, by many batches or by being early. A work at its batch's or
// requester's limit, or whose possible workers are all taken, is passed over. Of
// the works chosen the class with the fewest eligible workers draws first, so
// scarce workers are not spent on works that others could run.
//
// Which workers: a draw weighted by the assignments a worker may still get; at
// trust above 1 the owner is drawn first and then one of its workers, and no
// owner has two turns at one work.
func Decide(s Snapshot, seed uint64, p Policy) Plan {
	if s.State != pool.PoolActive {
		return Plan{}
	}
	m := newMatch(s, seed, p)
	for slack := 1; ; {
		chosen, made := m.round(slack)
		if chosen == 0 {
			break
		}
		if made == 0 {
			slack *= 2 // the fronts hold works for none of these workers: look further at once
		}
	}
	slices.SortFunc(m.plan.Offers, func(a, b Offer) int {
		return cmp.Or(cmp.Compare(a.Work, b.Work), cmp.Compare(a.Worker, b.Worker))
	})
	return m.plan
}

// match is a decision in the making.
type match struct {
	now     time.Time
	policy  Policy
	draw    *rand.Rand
	workers []pool.Worker
	free    []int // by worker
	lines   []line
	waiting []entry // of all lines, by rank
	limits  limits
	use     map[pool.AccountID]Use
	plan    Plan
}

// line is a class that somebody can serve.
type line struct {
	class pool.ClassID
	able  []int // indices of eligible workers
}

type entry struct {
	line int
	Ready
}

func newMatch(s Snapshot, seed uint64, p Policy) *match {
	m := &match{
		now: s.Now, policy: p, draw: rand.New(rand.NewPCG(seed, 0x706c6163656d656e)), limits: newLimits(s), use: map[pool.AccountID]Use{},
		workers: slices.SortedFunc(slices.Values(s.Workers), func(a, b pool.Worker) int { return cmp.Compare(a.ID, b.ID) }),
	}
	m.free = make([]int, len(m.workers))
	for i, w := range m.workers {
		m.free[i] = w.Free()
	}
	for _, c := range s.Classes {
		for _, r := range c.Ready {
			m.use[r.Requester] = Use{Weight: 1}
		}
	}
	for id, u := range s.Use {
		m.use[id] = Use{u.Open, max(1, u.Weight)}
	}
	for _, c := range s.Classes {
		l := line{class: c.ID}
		for i, w := range m.workers {
			if Eligible(s.Now, w, c.Demands) {
				l.able = append(l.able, i)
			}
		}
		if len(l.able) == 0 {
			continue
		}
		for _, r := range c.Ready {
			if r.Missing > 0 {
				m.waiting = append(m.waiting, entry{len(m.lines), r})
			}
		}
		m.lines = append(m.lines, l)
	}
	slices.SortFunc(m.waiting, byRank)
	return m
}

func byRank(a, b entry) int { return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.Work, b.Work)) }

// round chooses works for slack times the room there is and draws their
// workers. It gives how many works it chose and how many offers it made.
func (m *match) round(slack int) (works, made int) {
	chosen := m.choose(slack)
	order := make([]int, len(m.lines))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(len(m.lines[a].able), len(m.lines[b].able)), cmp.Compare(m.lines[a].class, m.lines[b].class))
	})
	for _, i := range order {
		if len(chosen[i]) == 0 {
			continue
		}
		works += len(chosen[i])
		urn := newUrn(m.workers, m.free, m.lines[i].able)
		for _, work := range chosen[i] {
			offers := m.offers(work, m.lines[i].class, urn)
			if len(offers) == 0 {
				m.limits.hold(work, -1)
			}
			m.spend(work.Requester, len(offers)-work.Missing) // it was counted in full when it was chosen
			m.plan.Offers = append(m.plan.Offers, offers...)
			made += len(offers)
		}
	}
	return works, made
}

// choose takes from the waiting works those to be served next, line by line.
func (m *match) choose(slack int) [][]Ready {
	room, total := make([]int, len(m.lines)), 0
	for i, l := range m.lines {
		for _, w := range l.able {
			room[i] += slack * m.free[w]
		}
	}
	for _, n := range m.free {
		total += slack * n
	}
	chosen := make([][]Ready, len(m.lines))
	var rest []entry
	queues := newShares(m.waiting, m.use)
	for total > 0 && len(queues) > 0 {
		e := queues.next()
		if room[e.line] > 0 && m.limits.allow(e.Ready) {
			m.limits.hold(e.Ready, 1)
			chosen[e.line] = append(chosen[e.line], e.Ready)
			room[e.line] -= e.Missing
			total -= e.Missing
			m.spend(e.Requester, e.Missing)
		} else {
			rest = append(rest, e)
		}
		queues.settle()
	}
	for _, q := range queues {
		rest = append(rest, q.waiting...)
	}
	slices.SortFunc(rest, byRank)
	m.waiting = rest
	return chosen
}

// spend counts assignments as their requester's.
func (m *match) spend(requester pool.AccountID, n int) {
	u := m.use[requester]
	u.Open += n
	m.use[requester] = u
}

// offers draws the workers of one work.
func (m *match) offers(work Ready, class pool.ClassID, urn *urn) []Offer {
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
		return owners[w.Owner] || tried && (t.HoldsOwner() || t.State == pool.Refused && t.Attempt >= m.policy.MaxRefusals) ||
			!w.Capabilities.Requesters.Admit(work.Login)
	}
	var made []Offer
	for range work.Missing {
		i, ok := urn.draw(m.draw, work.Trust > 1, barred)
		if !ok {
			break
		}
		w := m.workers[i]
		last, again := turns[w.ID]
		made = append(made, Offer{
			Work: work.Work, Class: class, Rank: work.Rank, Start: work.Start, Trust: work.Trust, Missing: work.Missing, Requester: work.Requester,
			Worker: w.ID, Owner: w.Owner, Attempt: last.Attempt + 1, Again: again,
			StartBy: m.now.Add(time.Duration(m.policy.StartIntervals) * w.Interval),
		})
		turns[w.ID] = pool.Assignment{Worker: w.ID, Attempt: last.Attempt + 1, State: pool.Offered}
		if work.Trust > 1 {
			owners[w.Owner] = true
		}
	}
	return made
}
