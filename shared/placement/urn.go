package placement

import (
	"math/rand/v2"

	"workerpool/shared/pool"
)

// urn holds the eligible workers of a class, each with as many tickets as it has
// free slots. Drawing is proportional to tickets in O(log n).
type urn struct {
	workers []pool.Worker
	free    []int // by worker; shared by all urns of one decision
	able    []int // workers in this urn, grouped by owner
	owner   []int // owner of each place of able
	spans   []span
	places  fenwick // tickets by place
	owners  fenwick // one ticket for each owner with any
}

// span is one owner's part of able.
type span struct{ from, to int }

func newUrn(workers []pool.Worker, free, able []int) *urn {
	u := &urn{workers: workers, free: free}
	byOwner := map[pool.Owner][]int{}
	var order []pool.Owner
	for _, i := range able {
		o := workers[i].Owner
		if byOwner[o] == nil {
			order = append(order, o)
		}
		byOwner[o] = append(byOwner[o], i)
	}
	for n, o := range order {
		u.spans = append(u.spans, span{len(u.able), len(u.able) + len(byOwner[o])})
		for _, i := range byOwner[o] {
			u.able = append(u.able, i)
			u.owner = append(u.owner, n)
		}
	}
	u.places, u.owners = newFenwick(len(u.able)), newFenwick(len(order))
	for place, i := range u.able {
		u.places.add(place, free[i])
		if free[i] > 0 && u.owners.at(u.owner[place]) == 0 {
			u.owners.add(u.owner[place], 1)
		}
	}
	return u
}

func (u *urn) empty() bool { return u.places.total == 0 }

// maxRejections bounds the draws that hit a barred worker before the urn looks
// through everyone: barred workers are few, as a work has few turns.
const maxRejections = 8

// draw takes one ticket of a worker that is not barred. With byOwner the owner
// is drawn first, each owner once whatever the number of its workers.
func (u *urn) draw(r *rand.Rand, byOwner bool, barred func(pool.Worker) bool) (worker int, ok bool) {
	for range maxRejections {
		if u.empty() {
			return 0, false
		}
		place := u.pick(r, byOwner)
		if !barred(u.workers[u.able[place]]) {
			return u.take(place), true
		}
		if byOwner { // the owner keeps its chance if another of its workers may be asked
			if i, ok := u.drawWithin(r, u.spans[u.owner[place]], barred); ok {
				return i, true
			}
		}
	}
	return u.drawAmongAll(r, byOwner, barred)
}

// drawWithin draws by tickets among a span's workers that are not barred.
func (u *urn) drawWithin(r *rand.Rand, s span, barred func(pool.Worker) bool) (int, bool) {
	var places []int
	tickets := 0
	for place := s.from; place < s.to; place++ {
		if u.places.at(place) > 0 && !barred(u.workers[u.able[place]]) {
			places = append(places, place)
			tickets += u.places.at(place)
		}
	}
	if tickets == 0 {
		return 0, false
	}
	ticket := r.IntN(tickets)
	for _, place := range places {
		if ticket -= u.places.at(place); ticket < 0 {
			return u.take(place), true
		}
	}
	return 0, false
}

// pick draws a place without taking its ticket.
func (u *urn) pick(r *rand.Rand, byOwner bool) int {
	if !byOwner {
		return u.places.find(r.IntN(u.places.total))
	}
	owner := u.owners.find(r.IntN(u.owners.total))
	before, tickets := u.tickets(owner)
	return u.places.find(before + r.IntN(tickets))
}

// tickets gives an owner's tickets, and those before its first.
func (u *urn) tickets(owner int) (before, own int) {
	s := u.spans[owner]
	before = u.places.sum(s.from)
	return before, u.places.sum(s.to) - before
}

// drawAmongAll gives the same draw over the workers that are not barred.
func (u *urn) drawAmongAll(r *rand.Rand, byOwner bool, barred func(pool.Worker) bool) (int, bool) {
	if !byOwner {
		return u.drawWithin(r, span{0, len(u.able)}, barred)
	}
	var owners []int
	for place, i := range u.able {
		owner := u.owner[place]
		known := len(owners) > 0 && owners[len(owners)-1] == owner // owners stand together
		if !known && u.places.at(place) > 0 && !barred(u.workers[i]) {
			owners = append(owners, owner)
		}
	}
	if len(owners) == 0 {
		return 0, false
	}
	return u.drawWithin(r, u.spans[owners[r.IntN(len(owners))]], barred)
}

// take removes one ticket of a place and gives its worker.
func (u *urn) take(place int) int {
	i := u.able[place]
	u.free[i]--
	u.places.add(place, -1)
	if _, own := u.tickets(u.owner[place]); own == 0 {
		u.owners.add(u.owner[place], -1)
	}
	return i
}

// fenwick is a binary indexed tree of counts.
type fenwick struct {
	tree  []int
	count []int
	total int
}

func newFenwick(n int) fenwick { return fenwick{tree: make([]int, n+1), count: make([]int, n)} }

func (f *fenwick) add(i, by int) {
	f.count[i] += by
	f.total += by
	for j := i + 1; j < len(f.tree); j += j & -j {
		f.tree[j] += by
	}
}

func (f *fenwick) at(i int) int { return f.count[i] }

// sum gives the counts before i.
func (f *fenwick) sum(i int) int {
	total := 0
	for ; i > 0; i -= i & -i {
		total += f.tree[i]
	}
	return total
}

// find gives the place whose counts hold the nth unit, counted from 0.
func (f *fenwick) find(n int) int {
	place, step := 0, 1
	for step*2 < len(f.tree) {
		step *= 2
	}
	for ; step > 0; step /= 2 {
		if next := place + step; next < len(f.tree) && f.tree[next] <= n {
			place, n = next, n-f.tree[next]
		}
	}
	return place
}
