package chain

import (
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/types"
)

// listen passes on that something was sent. It must never wait: the node would.
func (c *Chain) listen(arrivals <-chan core.NewTxsEvent) {
	for {
		select {
		case <-c.stop:
			return
		case <-arrivals:
			c.look()
		}
	}
}

// look makes mine look whether there is something to put into a block.
func (c *Chain) look() {
	select {
	case c.arrived <- struct{}{}:
	default:
	}
}

// mine makes blocks until the chain ends. The node's own loop could neither be
// paused nor be kept from a block that is just being unmade.
func (c *Chain) mine(period, quiet time.Duration) {
	arrived := c.arrived
	var tick <-chan time.Time
	if period > 0 {
		ticker := time.NewTicker(period)
		defer ticker.Stop()
		arrived, tick = nil, ticker.C
	}
	for {
		select {
		case <-c.stop:
			return
		case <-tick:
			c.mu.Lock()
			if !c.paused && (quiet == 0 || time.Since(c.Head().Time) >= quiet || c.waiting() > 0) {
				c.seal()
			}
			c.mu.Unlock()
		case <-arrived:
			c.mineWaiting()
		}
	}
}

// mineWaiting makes blocks until what waits and fits is in them.
func (c *Chain) mineWaiting() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.paused && c.waiting() > 0 && c.seal() > 0 {
	}
}

// waiting counts what could be in the next block.
func (c *Chain) waiting() int {
	_ = c.eth.TxPool().Sync()
	executable, _ := c.eth.TxPool().Stats()
	return executable
}

// seal makes one block and counts what is in it; the lock is held.
func (c *Chain) seal() int {
	if c.ahead == 0 {
		c.beacon.Commit()
	} else if err := c.commit(); err != nil {
		panic(fmt.Sprintf("a chain that makes no blocks: %v", err))
	}
	// On disk, and not only on its way there. A block that a crash overtakes here was
	// never made, as in a reorganisation.
	if err := c.eth.ChainDb().SyncKeyValue(); err != nil {
		panic(fmt.Sprintf("a chain that cannot keep its blocks: %v", err))
	}
	c.tell()
	head := c.eth.BlockChain().CurrentBlock()
	return len(c.eth.BlockChain().GetBlock(head.Hash(), head.Number.Uint64()).Transactions())
}

// tell wakes those who wait for a block.
func (c *Chain) tell() {
	close(c.mined)
	c.mined = make(chan struct{})
}

// Mine makes n blocks at once, also on a paused chain.
func (c *Chain) Mine(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range n {
		c.seal()
	}
}

// Pause keeps what is sent waiting: no block is made but by Mine, AdjustTime and
// Reorganise.
func (c *Chain) Pause() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paused = true
}

// Resume ends a Pause.
func (c *Chain) Resume() {
	c.mu.Lock()
	c.paused = false
	c.mu.Unlock()
	c.look()
}

// Waiting counts what was sent and is in no block.
func (c *Chain) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	executable := c.waiting()
	_, queued := c.eth.TxPool().Stats()
	return executable + queued
}

// Drop forgets what was sent and is in no block, as a node does that is restarted.
func (c *Chain) Drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.beacon.Rollback()
}

// AdjustTime makes an empty block whose time is d after the newest one's. What
// waits goes on waiting until the block after it.
func (c *Chain) AdjustTime(d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	held, err := c.empty(func() error { return c.beacon.AdjustTime(d) })
	if err != nil {
		return fmt.Errorf("making a block %s later: %w", d, err)
	}
	c.tell()
	return c.give(held)
}

// ErrFinal says that a block can no longer change, or is not there.
var ErrFinal = errors.New("not that many blocks can change")

// Reorganise replaces the newest n blocks by n+1 others of later times. What was
// in them is sent again if keep is true, and is in the first of the new blocks that
// it fits in; else it is gone, together with what waited.
func (c *Chain) Reorganise(n int, keep bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	chain := c.eth.BlockChain()
	head := chain.CurrentBlock().Number.Uint64()
	final := chain.CurrentFinalBlock()
	if n < 1 || uint64(n) > head || (final != nil && head-uint64(n) < final.Number.Uint64()) {
		return fmt.Errorf("replacing %d blocks of %d: %w", n, head, ErrFinal)
	}
	parent := head - uint64(n)
	var again []*types.Transaction
	for number := parent + 1; number <= head; number++ {
		again = append(again, chain.GetBlockByNumber(number).Transactions()...)
	}
	waited, err := c.empty(func() error { return c.beacon.Fork(chain.GetCanonicalHash(parent)) })
	if err != nil {
		return fmt.Errorf("going back %d blocks: %w", n, err)
	}
	// The node has taken back some of what was in them by itself.
	_ = c.eth.TxPool().Sync()
	c.beacon.Rollback()
	if keep {
		if err := c.give(append(again, waited...)); err != nil {
			return err
		}
	}
	for range n + 1 {
		c.seal()
	}
	return nil
}

// empty does what the node does only while nothing waits, and gives what waited;
// the lock is held.
func (c *Chain) empty(do func() error) ([]*types.Transaction, error) {
	var held []*types.Transaction
	for {
		_ = c.eth.TxPool().Sync()
		pending, queued := c.eth.TxPool().Content()
		for _, accounts := range []map[common.Address][]*types.Transaction{pending, queued} {
			for _, sent := range accounts {
				held = append(held, sent...)
			}
		}
		c.beacon.Rollback()
		err := do()
		// Something may have come just now.
		if waiting, _ := c.eth.TxPool().Stats(); err == nil || waiting == 0 {
			return held, err
		}
	}
}

// give gives back what empty has taken, or blocks had. Meanwhile somebody may have
// sent the same, or another with the nonce, which then counts.
func (c *Chain) give(held []*types.Transaction) error {
	for i, err := range c.eth.TxPool().Add(held, true) {
		if err != nil && !errors.Is(err, txpool.ErrAlreadyKnown) && !errors.Is(err, txpool.ErrReplaceUnderpriced) {
			return fmt.Errorf("sending %s again: %w", held[i].Hash(), err)
		}
	}
	return nil
}
