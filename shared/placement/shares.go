package placement

import (
	"cmp"
	"container/heap"

	"workerpool/shared/pool"
)

// shares are the requesters with works that wait, as a heap: on top who has the
// least of the pool.
type shares []*share

// share is one requester's works, by rank.
type share struct {
	waiting []entry
	use     map[pool.AccountID]Use // of all requesters; changes while choosing
}

// newShares parts works that are in order of rank.
func newShares(waiting []entry, use map[pool.AccountID]Use) shares {
	of := map[pool.AccountID]*share{}
	var all shares
	for _, e := range waiting {
		if of[e.Requester] == nil {
			of[e.Requester] = &share{use: use}
			all = append(all, of[e.Requester])
		}
		of[e.Requester].waiting = append(of[e.Requester].waiting, e)
	}
	heap.Init(&all)
	return all
}

// next takes the first work of the requester on top; settle is to be called
// before the next one.
func (s shares) next() entry {
	e := s[0].waiting[0]
	s[0].waiting = s[0].waiting[1:]
	return e
}

// settle puts the requester on top where it belongs now.
func (s *shares) settle() {
	if len((*s)[0].waiting) == 0 {
		heap.Pop(s)
	} else {
		heap.Fix(s, 0)
	}
}

func (s shares) Len() int      { return len(s) }
func (s shares) Swap(i, j int) { s[i], s[j] = s[j], s[i] }
func (s *shares) Push(x any)   { *s = append(*s, x.(*share)) }

// Less compares what two requesters have by their weights, then the ranks of
// their first works.
func (s shares) Less(i, j int) bool {
	a, b := s[i].waiting[0], s[j].waiting[0]
	u, v := s[i].use[a.Requester], s[j].use[b.Requester]
	return cmp.Or(cmp.Compare(u.Open*v.Weight, v.Open*u.Weight), byRank(a, b)) < 0
}

func (s *shares) Pop() any {
	last := len(*s) - 1
	top := (*s)[last]
	*s = (*s)[:last]
	return top
}
