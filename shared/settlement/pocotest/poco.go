package pocotest

import (
	"math/big"
	"math/bits"
	"slices"
	"time"

	"workerpool/shared/pool"
)

// Resource is an app or a dataset of a deal: whom a task of it pays, and how much.
type Resource struct {
	Owner pool.Address
	Price pool.NRLC
}

// Terms is what matched orders say. Pool's price goes to the pool and its workers.
type Terms struct {
	Pool, App, Dataset Resource
	Payer              pool.Address
	StakeRatio         int64 // percent of the price that a contribution locks of its worker
	RewardRatio        int64 // percent of the pot for the pool
	Trust              int
	T                  time.Duration
	First, Tasks       int
	Callback           pool.Address
	Salt               uint64 // tells equal deals apart
}

type deal struct {
	Terms
	start       time.Time
	block       uint64
	workerStake pool.NRLC
}

type task struct {
	deal                            pool.Hash
	index                           int
	status                          pool.TaskStatus
	contributeBy, revealBy, finalBy time.Time
	consensus, digest               pool.Hash
	reveals, winners                int
	contributors                    []pool.Address // never changed in place: it is kept to be taken back
	results                         []byte
}

// of names a worker's contribution to a task, group those to one result of it.
type (
	of struct {
		task   pool.Hash
		worker pool.Address
	}
	group struct{ task, result pool.Hash }
)

type contribution struct {
	status       pool.ContributionStatus
	result, seal pool.Hash
	weight       int64 // w; the contract keeps log2 of it only
}

// TaskID gives the id of a deal's task.
func TaskID(deal pool.Hash, index int) pool.Hash { return hash(deal[:], uint64(index)) }

// ResultHash gives what all who found a digest contribute to a task.
func ResultHash(task, digest pool.Hash) pool.Hash {
	return hash(slices.Concat(task[:], digest[:]))
}

// Digest gives the digest that data for a callback must have.
func Digest(data []byte) pool.Hash { return hash(data) }

// seal binds a contribution to its worker, so that nobody reveals another's.
func seal(worker pool.Address, task, digest pool.Hash) pool.Hash {
	return hash(slices.Concat(worker[:], task[:], digest[:]))
}

// ID gives the id that a deal of these terms has, whenever it is matched.
func (t Terms) ID() pool.Hash {
	return hash(slices.Concat([]byte("deal"), t.Payer[:], t.Pool.Owner[:]), t.Salt)
}

// Match makes a deal: matchOrders, without the orders.
func (c *Chain) Match(t Terms) (pool.Deal, error) {
	id := t.ID()
	err := c.Do(func() {
		_, there := c.deals[id]
		require(!there, "iExecV5-matchOrders-0x60")
		t.Trust = max(t.Trust, 1)
		c.lock(t.Payer, (t.App.Price+t.Dataset.Price+t.Pool.Price)*pool.NRLC(t.Tasks))
		c.lock(t.Pool.Owner, t.Pool.Price*stakeRatio/100*pool.NRLC(t.Tasks))
		put(c, c.deals, id, deal{t, c.Head().Time, c.Head().Number, t.Pool.Price * pool.NRLC(t.StakeRatio) / 100})
		c.note(id, pool.Hash{})
	})
	return c.Deal(id), err
}

// Deal gives a deal; one without a Start when there is none of this id.
func (c *Chain) Deal(id pool.Hash) pool.Deal {
	d, there := c.deals[id]
	if !there {
		return pool.Deal{ID: id}
	}
	return pool.Deal{
		ID: id, Block: d.block, Start: d.start, First: d.First, Tasks: d.Tasks, T: d.T, Trust: d.Trust,
		Owner: d.Pool.Owner, Requester: d.Payer, Callback: d.Callback, Price: d.Pool.Price, Stake: d.workerStake,
	}
}

// Task gives a task as it stands, with status unset when it is not initialized.
func (c *Chain) Task(id pool.Hash) pool.Task {
	t := c.tasks[id]
	out := pool.Task{
		ID: id, Block: c.Head().Number, Status: t.status, RevealBy: t.revealBy,
		Consensus: t.consensus, Reveals: t.reveals, Winners: t.winners,
	}
	for _, w := range t.contributors {
		x := c.contributions[of{id, w}]
		out.Contributions = append(out.Contributions, pool.Contribution{Wallet: w, Status: x.status, Hash: x.result, Weight: x.weight})
	}
	return out
}

// Results gives what a task was finalized with.
func (c *Chain) Results(id pool.Hash) []byte { return c.tasks[id].results }

// Score gives a worker's score.
func (c *Chain) Score(worker pool.Address) int64 { return c.scores[worker] }

func (c *Chain) now() time.Time { return c.Head().Time }

// The calls of the contract. Each reverts the transaction that it is part of when
// one of its conditions does not hold; see Do.

// Initialize is initialize(deal, index).
func (c *Chain) Initialize(id pool.Hash, index int) {
	d, there := c.deals[id]
	require(there && index >= d.First && index < d.First+d.Tasks, "not a task of the deal")
	name := TaskID(id, index)
	require(c.tasks[name].status == pool.TaskUnset, "initialized already")
	put(c, c.tasks, name, task{
		deal: id, index: index, status: pool.TaskActive,
		contributeBy: d.start.Add(contributeIn * d.T), finalBy: d.start.Add(finalIn * d.T),
	})
	put(c, c.totals, name, big.NewInt(1))
	c.note(pool.Hash{}, name)
}

// Contribute is contribute of the hash of a digest.
func (c *Chain) Contribute(worker pool.Address, id, digest pool.Hash) {
	t := c.tasks[id]
	require(t.status == pool.TaskActive, "the task takes no contributions")
	require(c.now().Before(t.contributeBy), "contribution deadline")
	require(c.contributions[of{id, worker}].status == pool.NotContributed, "contributed already")
	weight := max(c.scores[worker]/3, 3) - 1
	result := ResultHash(id, digest)
	put(c, c.contributions, of{id, worker}, contribution{pool.Contributed, result, seal(worker, id, digest), weight})
	t.contributors = append(slices.Clip(t.contributors), worker)
	c.lock(worker, c.deals[t.deal].workerStake)

	old := c.group(id, result)
	grown := new(big.Int).Mul(atLeastOne(old), big.NewInt(weight))
	total := new(big.Int).Add(c.totals[id], new(big.Int).Sub(grown, old))
	put(c, c.groups, group{id, result}, grown)
	put(c, c.totals, id, total)
	trust := int64(c.deals[t.deal].Trust)
	if new(big.Int).Mul(grown, big.NewInt(trust)).Cmp(new(big.Int).Mul(total, big.NewInt(trust-1))) > 0 {
		t.status, t.consensus, t.revealBy = pool.TaskRevealing, result, c.now().Add(revealIn*c.deals[t.deal].T)
		t.reveals, t.winners = 0, 0
		for _, w := range t.contributors {
			if x := c.contributions[of{id, w}]; x.result == result && x.status == pool.Contributed {
				t.winners++
			}
		}
	}
	put(c, c.tasks, id, t)
	c.note(pool.Hash{}, id)
}

func (c *Chain) group(task, result pool.Hash) *big.Int {
	if g, there := c.groups[group{task, result}]; there {
		return g
	}
	return new(big.Int)
}

func atLeastOne(n *big.Int) *big.Int {
	if n.Sign() == 0 {
		return big.NewInt(1)
	}
	return n
}

// Reveal is reveal(task, digest).
func (c *Chain) Reveal(worker pool.Address, id, digest pool.Hash) {
	t, x := c.tasks[id], c.contributions[of{id, worker}]
	require(t.status == pool.TaskRevealing, "the task takes no reveals")
	require(c.now().Before(t.revealBy), "reveal deadline")
	require(x.status == pool.Contributed, "nothing to reveal")
	require(x.result == t.consensus, "not of the consensus")
	require(x.result == ResultHash(id, digest) && x.seal == seal(worker, id, digest), "not what was contributed")
	x.status = pool.Proved
	put(c, c.contributions, of{id, worker}, x)
	t.reveals, t.digest = t.reveals+1, digest
	put(c, c.tasks, id, t)
	c.note(pool.Hash{}, id)
}

// Reopen is reopen(task), sent by a wallet.
func (c *Chain) Reopen(from pool.Address, id pool.Hash) {
	t := c.tasks[id]
	require(from == c.deals[t.deal].Pool.Owner, "only the pool's owner")
	require(t.status == pool.TaskRevealing, "no consensus")
	require(c.now().Before(t.finalBy), "final deadline")
	require(!c.now().Before(t.revealBy) && t.reveals == 0, "may be or was revealed")
	for _, w := range t.contributors {
		if x := c.contributions[of{id, w}]; x.result == t.consensus {
			x.status = pool.Rejected
			put(c, c.contributions, of{id, w}, x)
		}
	}
	put(c, c.totals, id, new(big.Int).Sub(c.totals[id], c.group(id, t.consensus)))
	put(c, c.groups, group{id, t.consensus}, new(big.Int))
	t.status, t.consensus, t.revealBy, t.winners = pool.TaskActive, pool.Hash{}, time.Time{}, 0
	put(c, c.tasks, id, t)
	c.note(pool.Hash{}, id)
}

// Finalize is finalize(task, results, resultsCallback), sent by a wallet.
func (c *Chain) Finalize(from pool.Address, id pool.Hash, results, callback []byte) {
	t := c.tasks[id]
	d := c.deals[t.deal]
	require(from == d.Pool.Owner, "only the pool's owner")
	require(t.status == pool.TaskRevealing, "no consensus")
	require(c.now().Before(t.finalBy), "final deadline")
	require(t.reveals == t.winners || t.reveals > 0 && !c.now().Before(t.revealBy), "not all have revealed")
	require(d.Callback.IsZero() && len(callback) == 0 || hash(callback) == t.digest, "callback")
	t.status, t.results = pool.TaskCompleted, slices.Clone(results)
	put(c, c.tasks, id, t)
	c.success(d)

	pot, logs := d.Pool.Price, pool.NRLC(0)
	for _, w := range t.contributors {
		if x := c.contributions[of{id, w}]; x.status == pool.Proved {
			logs += log2(x.weight)
		} else {
			pot += d.workerStake
		}
	}
	share := pot * pool.NRLC(100-d.RewardRatio) / 100
	for _, w := range t.contributors {
		x := c.contributions[of{id, w}]
		if x.status != pool.Proved {
			c.seize(w, d.workerStake)
			put(c, c.scores, w, c.scores[w]*2/3)
			continue
		}
		reward := share * log2(x.weight) / logs
		pot -= reward
		c.unlock(w, d.workerStake)
		c.reward(w, reward)
		if len(t.contributors) > 1 {
			put(c, c.scores, w, c.scores[w]+1)
		}
	}
	c.reward(d.Pool.Owner, pot)
	c.note(pool.Hash{}, id)
}

func log2(weight int64) pool.NRLC { return pool.NRLC(bits.Len64(uint64(weight)) - 1) }

// ContributeAndFinalize is contributeAndFinalize of a digest.
func (c *Chain) ContributeAndFinalize(worker pool.Address, id, digest pool.Hash, results, callback []byte) {
	t := c.tasks[id]
	d := c.deals[t.deal]
	require(t.status == pool.TaskActive, "the task takes no contributions")
	require(c.now().Before(t.contributeBy), "contribution deadline")
	require(len(t.contributors) == 0, "somebody has contributed")
	require(d.Trust == 1, "trust")
	require(d.Callback.IsZero() && len(callback) == 0 || hash(callback) == digest, "callback")
	put(c, c.contributions, of{id, worker}, contribution{pool.Proved, ResultHash(id, digest), seal(worker, id, digest), 0})
	t.status, t.consensus, t.revealBy = pool.TaskCompleted, ResultHash(id, digest), c.now().Add(revealIn*d.T)
	t.reveals, t.winners, t.digest, t.results = 1, 1, digest, slices.Clone(results)
	t.contributors = append(slices.Clip(t.contributors), worker)
	put(c, c.tasks, id, t)
	c.success(d)
	reward := d.Pool.Price * pool.NRLC(100-d.RewardRatio) / 100
	c.reward(worker, reward)
	c.reward(d.Pool.Owner, d.Pool.Price-reward)
	c.note(pool.Hash{}, id)
}

// success takes the price and gives the pool its stake back, and of the kitty.
func (c *Chain) success(d deal) {
	c.seize(d.Payer, d.App.Price+d.Dataset.Price+d.Pool.Price)
	c.reward(d.App.Owner, d.App.Price)
	c.reward(d.Dataset.Owner, d.Dataset.Price)
	c.unlock(d.Pool.Owner, d.Pool.Price*stakeRatio/100)
	if all := c.frozen[kitty]; all > 0 {
		some := min(max(all*kittyRatio/100, kittyMin), all)
		c.seize(kitty, some)
		c.reward(d.Pool.Owner, some)
	}
}

// Claim is claim(task).
func (c *Chain) Claim(id pool.Hash) {
	t := c.tasks[id]
	require(t.status == pool.TaskActive || t.status == pool.TaskRevealing, "not initialized or ended")
	require(!c.now().Before(t.finalBy), "final deadline")
	t.status = pool.TaskFailed
	put(c, c.tasks, id, t)
	d := c.deals[t.deal]
	stake := d.Pool.Price * stakeRatio / 100
	c.unlock(d.Payer, d.App.Price+d.Dataset.Price+d.Pool.Price)
	c.seize(d.Pool.Owner, stake)
	c.reward(kitty, stake)
	c.lock(kitty, stake)
	for _, w := range t.contributors {
		c.unlock(w, d.workerStake)
	}
	c.note(pool.Hash{}, id)
}

// Act makes one call of an action of the pool's, sent by a wallet.
func (c *Chain) Act(from pool.Address, a pool.Action) {
	switch a.Kind {
	case pool.Initialize:
		c.Initialize(a.Deal, a.Index)
	case pool.Finalize:
		c.Finalize(from, a.Task, a.Results, a.Callback)
	case pool.Reopen:
		c.Reopen(from, a.Task)
	case pool.Claim:
		c.Claim(a.Task)
	case pool.InitializeClaim:
		c.Initialize(a.Deal, a.Index)
		c.Claim(TaskID(a.Deal, a.Index))
	default:
		panic("no such action: " + string(a.Kind))
	}
}
