// Package consensus is PoCo's arithmetic: weights, groups, and whether one more
// worker is wanted. It owns the inequality that pool and contract share; it
// knows nothing of time, of assignments' states or of who may run a work.
//
// Source: IexecPoco2Facet.contribute and checkConsensus of iExec PoCo v6. A
// contribution multiplies the weight of its digest's group; the total begins at
// 1 and is the sum of all groups besides; a group has consensus when
// group*trust > total*(trust-1).
package consensus

import (
	"math/big"

	"workerpool/shared/pool"
)

// APIWeight is every worker's weight on api works: the contract's minimum.
// Without a chain there is no score, and a score of our own would let one
// patient liar decide alone.
const APIWeight = 2

// Tally counts the contributions to one work.
type Tally struct {
	groups map[pool.Digest]*big.Int
	total  *big.Int
	first  []pool.Digest // in order of first contribution, so ties fall the same way always
}

// New begins a count with no contribution.
func New() *Tally {
	return &Tally{groups: map[pool.Digest]*big.Int{}, total: big.NewInt(1)}
}

// Add counts one contribution of a weight of at least 2.
func (t *Tally) Add(digest pool.Digest, weight int64) {
	w := big.NewInt(weight)
	group, ok := t.groups[digest]
	if !ok {
		t.groups[digest] = w
		t.first = append(t.first, digest)
		t.total.Add(t.total, w)
		return
	}
	grown := new(big.Int).Mul(group, w)
	t.total.Add(t.total, new(big.Int).Sub(grown, group))
	t.groups[digest] = grown
}

// Winner gives the digest that has consensus at a trust, if any has. At most one
// can: the inequality asks for more than half of the total at trust 2 and above,
// and below that the first contribution decides.
func (t *Tally) Winner(trust int) (pool.Digest, bool) {
	for _, digest := range t.first {
		if reached(t.groups[digest], t.total, trust) {
			return digest, true
		}
	}
	return pool.Digest{}, false
}

// Wanted gives how many more contributions of a weight are needed when pending
// ones of that weight all join the heaviest group: 0 when they suffice.
func (t *Tally) Wanted(trust, pending int, weight int64) int {
	weights := make([]int64, pending)
	for i := range weights {
		weights[i] = weight
	}
	return t.WantedBeside(trust, weights, weight)
}

// WantedBeside is Wanted with pending contributions of different weights.
func (t *Tally) WantedBeside(trust int, pending []int64, weight int64) int {
	best := new(big.Int)
	for _, digest := range t.first {
		if g := t.groups[digest]; g.Cmp(best) > 0 {
			best = g
		}
	}
	others := new(big.Int).Sub(t.total, best)
	group := new(big.Int).Set(best)
	if group.Sign() == 0 {
		group.SetInt64(1) // the contract's max(group, 1) for a group's first member
	}
	contributed := best.Sign() > 0
	for _, p := range pending {
		group.Mul(group, big.NewInt(p))
		contributed = true
	}
	w := big.NewInt(weight)
	more := 0
	for !contributed || !reached(group, new(big.Int).Add(others, group), trust) {
		group.Mul(group, w)
		contributed = true
		more++
	}
	return more
}

// reached is the contract's inequality; a trust of 0 counts as 1.
func reached(group, total *big.Int, trust int) bool {
	trust = max(trust, 1)
	left := new(big.Int).Mul(group, big.NewInt(int64(trust)))
	right := new(big.Int).Mul(total, big.NewInt(int64(trust-1)))
	return left.Cmp(right) > 0
}
