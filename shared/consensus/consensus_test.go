package consensus_test

import (
	"flag"
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"workerpool/shared/consensus"
	"workerpool/shared/pool"
)

// Cases here cost microseconds; -rapid.checks on the command line still wins.
func init() { _ = flag.Set("rapid.checks", "2000") }

func digest(n int) pool.Digest { return pool.Digest{byte(n), 0xd1} }

// vote is one contribution of the model.
type vote struct {
	digest int
	weight int64
}

// model computes everything from scratch from the votes, in rational numbers and
// with no running state: the contract's rule as a sentence.
type model []vote

func (m model) group(d int) *big.Rat {
	product, any := big.NewRat(1, 1), false
	for _, v := range m {
		if v.digest == d {
			product.Mul(product, new(big.Rat).SetInt64(v.weight))
			any = true
		}
	}
	if !any {
		return new(big.Rat)
	}
	return product
}

func (m model) digests() []int {
	var out []int
	seen := map[int]bool{}
	for _, v := range m {
		if !seen[v.digest] {
			seen[v.digest] = true
			out = append(out, v.digest)
		}
	}
	return out
}

// winners gives every digest whose share of the total is above 1 - 1/trust.
func (m model) winners(trust int) []int {
	total := big.NewRat(1, 1)
	for _, d := range m.digests() {
		total.Add(total, m.group(d))
	}
	if trust < 1 {
		trust = 1
	}
	bar := big.NewRat(int64(trust-1), int64(trust))
	var out []int
	for _, d := range m.digests() {
		if new(big.Rat).Quo(m.group(d), total).Cmp(bar) > 0 {
			out = append(out, d)
		}
	}
	return out
}

// joined gives the votes after n more of a weight for a digest.
func (m model) joined(d, n int, weight int64) model {
	out := append(model{}, m...)
	for range n {
		out = append(out, vote{d, weight})
	}
	return out
}

// decidable tells whether n more votes of a weight, all for one digest, give it
// consensus; every digest is tried, and one that nobody has voted for.
func (m model) decidable(trust, n int, weight int64) bool {
	for _, d := range append(m.digests(), -1) {
		after := m.joined(d, n, weight)
		for _, w := range after.winners(trust) {
			if w == d {
				return true
			}
		}
	}
	return false
}

func (m model) tally() *consensus.Tally {
	t := consensus.New()
	for _, v := range m {
		t.Add(digest(v.digest), v.weight)
	}
	return t
}

var trusts = rapid.OneOf(rapid.IntRange(0, 12), rapid.SampledFrom([]int{99, 100, 101, 1 << 13, 10_000, 999_999, pool.MaxTrust}))

// weights reach beyond 64 bits when multiplied.
var weights = rapid.OneOf(rapid.Int64Range(2, 5), rapid.Int64Range(2, 1<<40))

func votes(weight *rapid.Generator[int64]) *rapid.Generator[model] {
	return rapid.Custom(func(t *rapid.T) model {
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) vote {
			return vote{rapid.IntRange(0, 3).Draw(t, "digest"), weight.Draw(t, "weight")}
		}), 0, 9).Draw(t, "votes")
	})
}

func TestWinnerAsInTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m, trust := votes(weights).Draw(t, "votes"), trusts.Draw(t, "trust")
		winners := m.winners(trust)
		if trust > 1 && len(winners) > 1 {
			t.Fatalf("trust %d: %d winners in the model of %v", trust, len(winners), m)
		}
		got, ok := m.tally().Winner(trust)
		if ok != (len(winners) > 0) {
			t.Fatalf("trust %d, votes %v: winner %v, the model says %v", trust, m, ok, winners)
		}
		if ok && got != digest(winners[0]) {
			t.Fatalf("trust %d, votes %v: winner %v, the model says the first of %v", trust, m, got, winners)
		}
		if !ok && !got.IsZero() {
			t.Fatalf("no winner, and yet the digest %v", got)
		}
	})
}

func TestOrderOfVotesDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := votes(weights).Draw(t, "votes")
		shuffled := model(rapid.Permutation(m).Draw(t, "order"))
		trust := rapid.OneOf(rapid.IntRange(2, 12), rapid.Just(10_000)).Draw(t, "trust")
		a, okA := m.tally().Winner(trust)
		b, okB := shuffled.tally().Winner(trust)
		if okA != okB || a != b {
			t.Fatalf("trust %d: %v gives %v %v, %v gives %v %v", trust, m, a, okA, shuffled, b, okB)
		}
		if x, y := m.tally().Wanted(trust, 1, 2), shuffled.tally().Wanted(trust, 1, 2); x != y {
			t.Fatalf("trust %d: wanted %d and %d", trust, x, y)
		}
	})
}

func TestWantedIsTheLeastThatReaches(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m, trust := votes(rapid.Int64Range(2, 6)).Draw(t, "votes"), trusts.Draw(t, "trust")
		pending, weight := rapid.IntRange(0, 6).Draw(t, "pending"), rapid.Int64Range(2, 6).Draw(t, "weight")
		tally := m.tally()
		before, okBefore := tally.Winner(trust)
		n := tally.Wanted(trust, pending, weight)
		if n < 0 {
			t.Fatalf("wanted %d", n)
		}
		if !m.decidable(trust, pending+n, weight) {
			t.Fatalf("trust %d, votes %v, pending %d: %d more of weight %d do not reach", trust, m, pending, n, weight)
		}
		if n > 0 && m.decidable(trust, pending+n-1, weight) {
			t.Fatalf("trust %d, votes %v, pending %d: %d more of weight %d, but %d reach", trust, m, pending, n, weight, n-1)
		}
		if again := tally.Wanted(trust, pending, weight); again != n {
			t.Fatalf("asked twice: %d, then %d", n, again)
		}
		if after, ok := tally.Winner(trust); after != before || ok != okBefore {
			t.Fatal("the question changed the count")
		}
		if okBefore && pending == 0 && n != 0 {
			t.Fatalf("trust %d, votes %v: decided, and yet %d wanted", trust, m, n)
		}
	})
}

// Fresh workers that must agree, as in the security analysis of PoCo.
func TestFreshAgreeingWorkers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ trust, workers int }{
		{-1, 1}, {0, 1}, {1, 1}, {2, 1}, {3, 2}, {4, 2}, {5, 3}, {8, 3}, {9, 4}, {10, 4}, {16, 4}, {17, 5},
		{100, 7}, {128, 7}, {129, 8}, {10_000, 14}, {pool.MaxTrust, 20},
	} {
		t.Run(fmt.Sprint("trust ", c.trust), func(t *testing.T) {
			t.Parallel()
			if n := consensus.New().Wanted(c.trust, 0, consensus.APIWeight); n != c.workers {
				t.Errorf("%d wanted of nobody, not %d", n, c.workers)
			}
			tally := consensus.New()
			for i := range c.workers {
				if _, ok := tally.Winner(c.trust); ok {
					t.Fatalf("decided by %d, not %d", i, c.workers)
				}
				if n := tally.Wanted(c.trust, 0, consensus.APIWeight); n != c.workers-i {
					t.Errorf("after %d: %d more wanted, not %d", i, n, c.workers-i)
				}
				if n := tally.Wanted(c.trust, c.workers-i, consensus.APIWeight); n != 0 {
					t.Errorf("after %d with the others pending: %d more wanted", i, n)
				}
				if n := tally.Wanted(c.trust, c.workers-i-1, consensus.APIWeight); n != 1 {
					t.Errorf("after %d with all others but one pending: %d more wanted", i, n)
				}
				tally.Add(digest(1), consensus.APIWeight)
			}
			if d, ok := tally.Winner(c.trust); !ok || d != digest(1) {
				t.Errorf("not decided by %d", c.workers)
			}
		})
	}
}

// The score at which one worker decides alone, weight = max(score/3, 3) - 1.
func TestOneWorkerAlone(t *testing.T) {
	t.Parallel()
	weight := func(score int64) int64 { return max(score/3, 3) - 1 }
	for _, c := range []struct {
		trust int
		score int64
	}{{2, 0}, {3, 12}, {5, 18}, {10, 33}, {100, 303}, {10_000, 30_003}} {
		alone := func(score int64) bool {
			tally := consensus.New()
			tally.Add(digest(1), weight(score))
			_, ok := tally.Winner(c.trust)
			return ok
		}
		if !alone(c.score) {
			t.Errorf("trust %d: a score of %d does not decide alone", c.trust, c.score)
		}
		if c.score > 0 && alone(c.score-1) {
			t.Errorf("trust %d: a score of %d decides alone", c.trust, c.score-1)
		}
	}
}

func TestAgainstLiars(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		trust        int
		honest, lies int // lies: one vote each for digests of their own
		decided      bool
		wanted       int
	}{
		{"one each", 3, 1, 1, false, 2},
		{"two against one", 3, 2, 1, false, 1}, // 12 > 14 is false
		{"three against one", 3, 3, 1, true, 0},
		{"three against two", 3, 3, 2, false, 1}, // 24 > 26 is false
		{"four against two", 3, 4, 2, true, 0},
		{"a liar costs nothing at trust 2 once three agree", 2, 2, 1, true, 0},
		{"one each at trust 2", 2, 1, 1, false, 1},
		{"the first decides at trust 1", 1, 1, 3, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tally := consensus.New()
			for range c.honest {
				tally.Add(digest(0), consensus.APIWeight)
			}
			for i := range c.lies {
				tally.Add(digest(i+1), consensus.APIWeight)
			}
			d, ok := tally.Winner(c.trust)
			if ok != c.decided || ok && d != digest(0) {
				t.Errorf("decided %v for %v, want %v", ok, d, c.decided)
			}
			if n := tally.Wanted(c.trust, 0, consensus.APIWeight); n != c.wanted {
				t.Errorf("%d more wanted, want %d", n, c.wanted)
			}
		})
	}
}

// An api work's worker must not weigh more than the contract's minimum.
func TestAPIWeight(t *testing.T) {
	t.Parallel()
	if consensus.APIWeight != 2 {
		t.Errorf("weight %d", consensus.APIWeight)
	}
}
