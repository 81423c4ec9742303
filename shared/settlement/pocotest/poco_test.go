package pocotest_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/settlement/pocotest"
)

// The numbers here were measured on the deployed contracts of PoCo v6 or are read
// from their source; the model has to give the same.

const (
	t0      = time.Minute // T of most deals here
	deposit = 1_000_000
)

var (
	epoch   = time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	owner   = pool.Address{0xaa}
	payer   = pool.Address{0xbb}
	right   = pool.Hash{1}
	wrong   = pool.Hash{2}
	results = []byte(`{"storage":"ipfs","location":"/ipfs/b"}`)
)

func worker(n int) pool.Address { return pool.Address{0xcc, byte(n)} }

// bench is one deal with one initialized task.
type bench struct {
	*pocotest.Chain
	t    *testing.T
	deal pool.Deal
	id   pool.Hash
	salt uint64
}

func newBench(t *testing.T, terms pocotest.Terms) *bench {
	t.Helper()
	b := &bench{Chain: pocotest.New(epoch), t: t}
	for _, a := range []pool.Address{owner, payer} {
		b.Deposit(a, deposit)
	}
	for n := range 12 {
		b.Deposit(worker(n), deposit)
	}
	t.Cleanup(func() {
		if err := b.Audit(); err != nil {
			t.Error(err)
		}
	})
	b.next(terms)
	return b
}

func (b *bench) match(terms pocotest.Terms) {
	b.t.Helper()
	terms.Pool.Owner, terms.Payer, terms.T, terms.Tasks = owner, payer, t0, max(terms.Tasks, 1)
	deal, err := b.Match(terms)
	if err != nil {
		b.t.Fatal(err)
	}
	b.deal, b.id = deal, pocotest.TaskID(deal.ID, deal.First)
}

// next makes another deal and initializes its first task.
func (b *bench) next(terms pocotest.Terms) {
	b.t.Helper()
	b.salt++
	terms.Salt = b.salt
	b.match(terms)
	b.good(func() { b.Initialize(b.deal.ID, b.deal.First) })
}

func (b *bench) good(calls func()) {
	b.t.Helper()
	if err := b.Do(calls); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) contribute(digest pool.Hash, workers ...int) {
	b.t.Helper()
	b.good(func() {
		for _, n := range workers {
			b.Contribute(worker(n), b.id, digest)
		}
	})
}

func (b *bench) reveal(workers ...int) {
	b.t.Helper()
	b.good(func() {
		for _, n := range workers {
			b.Reveal(worker(n), b.id, right)
		}
	})
}

func (b *bench) finalize() {
	b.t.Helper()
	b.good(func() { b.Finalize(owner, b.id, results, nil) })
}

// gains are what an account has more than it deposited, and what it has locked.
func (b *bench) gains(a pool.Address, free, locked pool.NRLC) {
	b.t.Helper()
	if f, l := b.Account(a); f != deposit+free || l != locked {
		b.t.Errorf("%s gained %d and has %d locked, want %d and %d", a, f-deposit, l, free, locked)
	}
}

func TestRewards(t *testing.T) {
	t.Parallel()
	b := newBench(t, pocotest.Terms{Pool: pocotest.Resource{Price: 1000}, StakeRatio: 35, RewardRatio: 5, Trust: 4})
	b.gains(payer, -1000, 1000)
	b.gains(owner, -300, 300)
	b.contribute(right, 1)
	b.gains(worker(1), -350, 350)
	b.contribute(right, 2)
	b.reveal(1, 2)
	b.finalize()
	b.gains(payer, -1000, 0)
	b.gains(owner, 50, 0)
	b.gains(worker(1), 475, 0)
	b.gains(worker(2), 475, 0)
	if b.Score(worker(1)) != 1 || b.Task(b.id).Status != pool.TaskCompleted || string(b.Results(b.id)) != string(results) {
		t.Errorf("score %d, task %+v with %q", b.Score(worker(1)), b.Task(b.id), b.Results(b.id))
	}
}

func TestOneRevealerOfFour(t *testing.T) {
	t.Parallel()
	b := newBench(t, pocotest.Terms{Pool: pocotest.Resource{Price: 1000}, StakeRatio: 35, RewardRatio: 5, Trust: 16})
	b.contribute(right, 1, 2, 3, 4)
	b.reveal(3)
	b.Advance(2 * t0)
	b.finalize()
	b.gains(worker(3), 1947, 0)
	b.gains(owner, 103, 0)
	b.gains(worker(1), -350, 0)
}

// earn lets worker 1 and others agree on free tasks until it has a score.
func (b *bench) earn(score int64) {
	b.t.Helper()
	for b.Score(worker(1)) < score {
		b.next(pocotest.Terms{Trust: 8})
		var winners []int
		for _, n := range []int{1, 10, 11} {
			if b.Task(b.id).Status == pool.TaskActive {
				b.contribute(right, n)
				winners = append(winners, n)
			}
		}
		b.reveal(winners...)
		b.finalize()
	}
}

func TestRewardsByWeight(t *testing.T) {
	t.Parallel()
	b := newBench(t, pocotest.Terms{})
	b.earn(15)
	b.next(pocotest.Terms{Pool: pocotest.Resource{Price: 900}, Trust: 8})
	b.contribute(right, 1, 3) // log2 of 4 and of 2
	b.reveal(1, 3)
	b.finalize()
	b.gains(worker(1), 600, 0)
	b.gains(worker(3), 300, 0)
}

func TestWeights(t *testing.T) {
	t.Parallel()
	b := newBench(t, pocotest.Terms{})
	for score, want := range []int64{0: 2, 1: 2, 11: 2, 12: 3, 13: 3, 14: 3, 15: 4, 17: 4, 18: 5} {
		if want == 0 {
			continue
		}
		b.earn(int64(score))
		b.next(pocotest.Terms{Trust: 8})
		b.contribute(right, 1)
		if got := b.Task(b.id).Contributions[0].Weight; got != want || b.Score(worker(1)) != int64(score) {
			t.Errorf("score %d (want %d) has weight %d, want %d", b.Score(worker(1)), score, got, want)
		}
	}
}

func TestScores(t *testing.T) {
	t.Parallel()
	b := newBench(t, pocotest.Terms{Trust: 1})
	b.contribute(right, 1)
	b.reveal(1)
	b.finalize()
	if got := b.Score(worker(1)); got != 0 {
		t.Errorf("alone it earned a score of %d", got)
	}
	for range 5 {
		b.next(pocotest.Terms{Trust: 3})
		b.contribute(right, 1, 2)
		b.reveal(1, 2)
		b.finalize()
	}
	b.next(pocotest.Terms{Trust: 3})
	b.contribute(wrong, 1)
	b.contribute(right, 2, 3, 4)
	b.reveal(3, 4) // one is wrong, one does not reveal
	b.Advance(2 * t0)
	b.finalize()
	if got := []int64{b.Score(worker(1)), b.Score(worker(2)), b.Score(worker(3))}; !slices.Equal(got, []int64{3, 3, 1}) {
		t.Errorf("scores %v of 5, 5 and 0", got)
	}
}

func TestConsensus(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ trust, wrong, need int }{
		{0, 0, 1}, {1, 0, 1}, {2, 0, 1}, {3, 0, 2}, {4, 0, 2}, {5, 0, 3}, {8, 0, 3}, {9, 0, 4}, {100, 0, 7},
		{3, 1, 3}, // two agreeing: 12 > 14 does not hold
	} {
		b := newBench(t, pocotest.Terms{Trust: c.trust})
		for n := range c.wrong {
			b.contribute(wrong, n)
		}
		for n := range c.need {
			if got := b.Task(b.id).Status; got != pool.TaskActive {
				t.Errorf("trust %d, %d wrong: status %d after %d", c.trust, c.wrong, got, n)
			}
			b.contribute(right, c.wrong+n)
		}
		task := b.Task(b.id)
		if task.Status != pool.TaskRevealing || task.Winners != c.need || task.Consensus != pocotest.ResultHash(b.id, right) {
			t.Errorf("trust %d, %d wrong: %+v after %d", c.trust, c.wrong, task, c.need)
		}
		if !task.RevealBy.Equal(b.Head().Time.Add(2 * t0)) {
			t.Errorf("reveal by %v", task.RevealBy)
		}
	}
}

func TestClaimAndKitty(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ price, gets pool.NRLC }{{1000, 300}, {20_000_000_000, 1_000_000_000}, {50_000_000_000, 1_500_000_000}} {
		b := newBench(t, pocotest.Terms{StakeRatio: 35, Trust: 3})
		for _, a := range []pool.Address{owner, payer, worker(1)} {
			b.Deposit(a, 2*c.price)
		}
		b.next(pocotest.Terms{Pool: pocotest.Resource{Price: c.price}, App: pocotest.Resource{Price: 7}, StakeRatio: 35, Trust: 3})
		b.contribute(right, 1)
		b.Advance(10 * t0)
		b.good(func() { b.Claim(b.id) })
		b.gains(payer, 2*c.price, 0)
		b.gains(worker(1), 2*c.price, 0)
		b.gains(owner, 2*c.price-c.price*3/10, 0)
		if b.Kitty() != c.price*3/10 {
			t.Errorf("kitty %d", b.Kitty())
		}
		b.next(pocotest.Terms{Trust: 1})
		b.good(func() { b.ContributeAndFinalize(worker(2), b.id, right, results, nil) })
		b.gains(owner, 2*c.price-c.price*3/10+c.gets, 0)
		if b.Kitty() != c.price*3/10-c.gets {
			t.Errorf("kitty %d of %d after %d", b.Kitty(), c.price*3/10, c.gets)
		}
	}
}

func TestContributeAndFinalize(t *testing.T) {
	t.Parallel()
	b := newBench(t, pocotest.Terms{Pool: pocotest.Resource{Price: 1000}, App: pocotest.Resource{Owner: worker(9), Price: 5}, StakeRatio: 35, RewardRatio: 5, Trust: 1})
	b.good(func() { b.ContributeAndFinalize(worker(1), b.id, right, results, nil) })
	b.gains(worker(1), 950, 0)
	b.gains(owner, 50, 0)
	b.gains(worker(9), 5, 0)
	b.gains(payer, -1005, 0)
	if got := b.Task(b.id); got.Status != pool.TaskCompleted || got.Reveals != 1 || b.Score(worker(1)) != 0 {
		t.Errorf("%+v, score %d", got, b.Score(worker(1)))
	}
}

func TestReopen(t *testing.T) {
	t.Parallel()
	b := newBench(t, pocotest.Terms{Pool: pocotest.Resource{Price: 1000}, StakeRatio: 35, RewardRatio: 5, Trust: 3})
	b.contribute(wrong, 1, 2)
	b.Advance(2 * t0)
	b.good(func() { b.Reopen(owner, b.id) })
	task := b.Task(b.id)
	if task.Status != pool.TaskActive || !task.RevealBy.IsZero() || task.Winners != 0 || !task.Consensus.IsZero() ||
		task.Contributions[0].Status != pool.Rejected || task.Contributions[1].Status != pool.Rejected {
		t.Errorf("%+v", task)
	}
	if err := b.Would(func() { b.Contribute(worker(1), b.id, right) }); err == nil {
		t.Error("whose contribution was rejected contributes again")
	}
	b.gains(worker(1), -350, 350) // until the end
	b.contribute(wrong, 3)        // the rejected weigh no more
	b.contribute(right, 4, 5, 6)
	b.reveal(4, 5, 6)
	b.finalize()
	b.gains(worker(1), -350, 0)
	b.gains(worker(4), (1000+3*350)*95/100/3, 0)
}

// TestForkTakesBack: whatever happened after a block has never happened.
func TestForkTakesBack(t *testing.T) {
	t.Parallel()
	b := newBench(t, pocotest.Terms{Pool: pocotest.Resource{Price: 1000}, StakeRatio: 35, RewardRatio: 5, Trust: 3, Tasks: 2})
	b.contribute(wrong, 1)
	deal, id := b.deal, b.id
	state := func() string {
		out := fmt.Sprint(b.Head(), b.Deal(deal.ID), b.Task(id), b.Results(id), b.Totals(), b.Kitty(), b.Logs(0, 99))
		for n := range 8 {
			free, locked := b.Account(worker(n))
			out += fmt.Sprint(free, locked, b.Score(worker(n)))
		}
		return out
	}
	at, before := b.Head(), state()
	next := b.Advance(t0)
	b.contribute(right, 2, 3, 4)
	b.Advance(2 * t0)
	b.good(func() { b.Reopen(owner, b.id) })
	b.contribute(right, 5, 6, 7)
	b.reveal(5, 6, 7)
	b.finalize()
	last := b.Advance(8 * t0)
	b.good(func() { b.Initialize(deal.ID, 1); b.Claim(pocotest.TaskID(deal.ID, 1)) })
	b.next(pocotest.Terms{})
	if after := b.Logs(at.Number+1, 99); b.Kitty() != 300 || len(after.Deals) != 1 || len(after.Tasks) != 3 || after.To != last.Number {
		t.Fatalf("kitty %d, logs %+v", b.Kitty(), after)
	}
	b.Fork(at.Number)
	if after := state(); after != before {
		t.Errorf("after the fork\n%s\nbefore\n%s", after, before)
	}
	if !b.Deal(b.deal.ID).Start.IsZero() || b.Block(last.Number) != (pool.Block{}) || b.Block(at.Number) != at {
		t.Error("a deal or a block of the other branch is still there")
	}
	if b.Advance(t0).Hash == next.Hash {
		t.Error("a block of the new branch has the hash of one of the old")
	}
}

// TestDoIsAllOrNothing: as a transaction, and as eth_call.
func TestDoIsAllOrNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, pocotest.Terms{Tasks: 3})
	second, third := pocotest.TaskID(b.deal.ID, 1), pocotest.TaskID(b.deal.ID, 2)
	logs := len(b.Logs(0, 9).Tasks)
	if err := b.Do(func() { b.Initialize(b.deal.ID, 1); b.Initialize(b.deal.ID, 0) }); err == nil {
		t.Error("initialized twice")
	}
	if err := b.Would(func() { b.Initialize(b.deal.ID, 2) }); err != nil {
		t.Error(err)
	}
	if b.Task(second).Status != pool.TaskUnset || b.Task(third).Status != pool.TaskUnset || len(b.Logs(0, 9).Tasks) != logs {
		t.Error("a reverted call or a question had an effect")
	}
}
