// Package pocotest is a model of iExec's PoCo contracts (v6) in memory, for tests:
// what IexecPoco1Facet and IexecPoco2Facet do to tasks and IexecEscrow to money,
// condition by condition, on a chain with a clock of its own that can be
// reorganised. It owns the contract's arithmetic a second time, so that it can
// judge the pool's; it must not share any of it.
//
// Not played: signatures (all are taken as good), order matching (a deal is given
// by its terms), gas. Its ids are SHA-256 where the contract has keccak: all that
// matters here is that they are made of what they contain.
package pocotest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"time"

	"workerpool/shared/pool"
)

// Numbers of the contract (FacetBase.v8.sol).
const (
	stakeRatio   = 30            // percent of the pool's price that it locks
	kittyRatio   = 10            // percent of the kitty for the next pool that succeeds
	kittyMin     = 1_000_000_000 // or this much
	contributeIn = 7             // in units of T, from the deal's start
	finalIn      = 10
	revealIn     = 2 // from the consensus
)

// Revert is why a call had no effect. The contract itself mostly gives no reason.
type Revert string

// Error says it.
func (r Revert) Error() string { return "execution reverted: " + string(r) }

// Totals is what has moved since the beginning. Nothing but this happens to money:
// what was locked is unlocked or seized, and what was seized is paid to somebody.
type Totals struct{ Deposited, Locked, Unlocked, Seized, Paid pool.NRLC }

// kitty is the account that the stakes of failed tasks are locked for.
var kitty = pool.Address{0x99}

// Chain is the chain with its contract. Every call acts in the newest block. It is
// not for several goroutines at once.
type Chain struct {
	blocks []block
	forks  uint64
	undo   []func() // undoes all that happened since the first block, last first
	noted  []note

	free, frozen  map[pool.Address]pool.NRLC
	scores        map[pool.Address]int64
	deals         map[pool.Hash]deal
	tasks         map[pool.Hash]task
	contributions map[of]contribution
	groups        map[group]*big.Int
	totals        map[pool.Hash]*big.Int
	sums          Totals
}

type block struct {
	pool.Block
	undo, noted int // how much there was of these when it began
}

// note is one event, of a deal or of a task.
type note struct {
	block      uint64
	deal, task pool.Hash
}

// New begins a chain whose first block is of this time.
func New(at time.Time) *Chain {
	c := &Chain{
		free: map[pool.Address]pool.NRLC{}, frozen: map[pool.Address]pool.NRLC{}, scores: map[pool.Address]int64{},
		deals: map[pool.Hash]deal{}, tasks: map[pool.Hash]task{}, contributions: map[of]contribution{},
		groups: map[group]*big.Int{}, totals: map[pool.Hash]*big.Int{},
	}
	c.append(at)
	return c
}

func (c *Chain) append(at time.Time) {
	number := uint64(len(c.blocks))
	b := pool.Block{Number: number, Hash: hash([]byte("block"), number, c.forks), Time: at}
	c.blocks = append(c.blocks, block{b, len(c.undo), len(c.noted)})
}

// Head gives the newest block.
func (c *Chain) Head() pool.Block { return c.blocks[len(c.blocks)-1].Block }

// Block gives a block, the zero one when there is none of this number.
func (c *Chain) Block(number uint64) pool.Block {
	if number >= uint64(len(c.blocks)) {
		return pool.Block{}
	}
	return c.blocks[number].Block
}

// Advance adds a block that is so much later than the newest.
func (c *Chain) Advance(by time.Duration) pool.Block {
	c.append(c.Head().Time.Add(by))
	return c.Head()
}

// Fork takes back all blocks after one, with all that happened in them. Blocks
// that come afterwards have other hashes.
func (c *Chain) Fork(number uint64) {
	if number+1 >= uint64(len(c.blocks)) {
		return
	}
	first := c.blocks[number+1]
	c.rewind(first.undo)
	c.noted = c.noted[:first.noted]
	c.blocks = c.blocks[:number+1]
	c.forks++
}

func (c *Chain) rewind(to int) {
	for i := len(c.undo) - 1; i >= to; i-- {
		c.undo[i]()
	}
	c.undo = c.undo[:to]
}

// Do makes one transaction of several calls: all take effect, or none.
func (c *Chain) Do(calls func()) (err error) {
	undo, noted := len(c.undo), len(c.noted)
	defer func() {
		switch fault := recover().(type) {
		case nil:
		case Revert:
			c.rewind(undo)
			c.noted = c.noted[:noted]
			err = fault
		default:
			panic(fault)
		}
	}()
	calls()
	return nil
}

// Would tells what Do would give, as eth_call does, and changes nothing.
func (c *Chain) Would(calls func()) error {
	undo, noted := len(c.undo), len(c.noted)
	err := c.Do(calls)
	c.rewind(undo)
	c.noted = c.noted[:noted]
	return err
}

// Logs gives the deals matched and the tasks touched in blocks from and to,
// both included.
func (c *Chain) Logs(from, to uint64) pool.Logs {
	out := pool.Logs{To: min(to, c.Head().Number)}
	for _, n := range c.noted {
		switch {
		case n.block < from || n.block > to:
		case n.task.IsZero():
			out.Deals = append(out.Deals, pool.Notice{Deal: n.deal, Block: n.block})
		case !slices.Contains(out.Tasks, n.task):
			out.Tasks = append(out.Tasks, n.task)
		}
	}
	return out
}

func (c *Chain) note(deal, task pool.Hash) {
	c.noted = append(c.noted, note{c.Head().Number, deal, task})
}

// require reverts the transaction unless a condition holds.
func require(ok bool, otherwise string) {
	if !ok {
		panic(Revert(otherwise))
	}
}

// put stores a value so that it can be taken back.
func put[K comparable, V any](c *Chain, in map[K]V, key K, value V) {
	old, there := in[key]
	c.undo = append(c.undo, func() {
		if there {
			in[key] = old
		} else {
			delete(in, key)
		}
	})
	in[key] = value
}

// hash is SHA-256 of bytes and numbers.
func hash(text []byte, numbers ...uint64) pool.Hash {
	for _, n := range numbers {
		text = binary.BigEndian.AppendUint64(text, n)
	}
	return sha256.Sum256(text)
}

// Account gives what an account has on deposit: free, and locked.
func (c *Chain) Account(a pool.Address) (free, locked pool.NRLC) { return c.free[a], c.frozen[a] }

// Kitty gives what pools that failed have left for those that will not.
func (c *Chain) Kitty() pool.NRLC { return c.frozen[kitty] }

// Totals gives what has moved so far.
func (c *Chain) Totals() Totals { return c.sums }

// Deposit gives an account money.
func (c *Chain) Deposit(a pool.Address, amount pool.NRLC) {
	c.sum(func(s *Totals) { s.Deposited += amount })
	put(c, c.free, a, c.free[a]+amount)
}

func (c *Chain) sum(change func(*Totals)) {
	old := c.sums
	c.undo = append(c.undo, func() { c.sums = old })
	change(&c.sums)
}

func (c *Chain) lock(a pool.Address, amount pool.NRLC) {
	require(c.free[a] >= amount, "IexecEscrow: Transfer amount exceeds balance")
	put(c, c.free, a, c.free[a]-amount)
	put(c, c.frozen, a, c.frozen[a]+amount)
	c.sum(func(s *Totals) { s.Locked += amount })
}

func (c *Chain) unlock(a pool.Address, amount pool.NRLC) {
	require(c.frozen[a] >= amount, "less is locked than is to be unlocked")
	put(c, c.frozen, a, c.frozen[a]-amount)
	put(c, c.free, a, c.free[a]+amount)
	c.sum(func(s *Totals) { s.Unlocked += amount })
}

// seize takes locked money; reward gives it to somebody.
func (c *Chain) seize(a pool.Address, amount pool.NRLC) {
	require(c.frozen[a] >= amount, "less is locked than is to be seized")
	put(c, c.frozen, a, c.frozen[a]-amount)
	c.sum(func(s *Totals) { s.Seized += amount })
}

func (c *Chain) reward(a pool.Address, amount pool.NRLC) {
	put(c, c.free, a, c.free[a]+amount)
	c.sum(func(s *Totals) { s.Paid += amount })
}

// Audit gives an error when money has come from nowhere, went nowhere or is owed.
func (c *Chain) Audit() error {
	var free, frozen pool.NRLC
	for _, in := range []map[pool.Address]pool.NRLC{c.free, c.frozen} {
		for a, amount := range in {
			if amount < 0 {
				return fmt.Errorf("%s has %d", a, amount)
			}
		}
	}
	for _, amount := range c.free {
		free += amount
	}
	for _, amount := range c.frozen {
		frozen += amount
	}
	s := c.sums
	switch {
	case free+frozen != s.Deposited:
		return fmt.Errorf("%d free and %d locked of %d deposited", free, frozen, s.Deposited)
	case s.Seized != s.Paid:
		return fmt.Errorf("%d seized and %d paid", s.Seized, s.Paid)
	case frozen != s.Locked-s.Unlocked-s.Seized:
		return fmt.Errorf("%d are locked, and %d were, less %d unlocked and %d seized", frozen, s.Locked, s.Unlocked, s.Seized)
	}
	return nil
}
