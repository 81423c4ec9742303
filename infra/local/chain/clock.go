package chain

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/miner"
)

// commit makes one block by the chain's own clock. The node's way of making blocks
// knows the wall's only.
func (c *Chain) commit() error {
	chain, ctx := c.eth.BlockChain(), context.Background()
	parent := chain.CurrentBlock()
	c.latest = max(uint64(time.Now().Add(c.ahead).Unix()), parent.Time+1, c.latest+1)
	root := common.Hash{}
	args := &miner.BuildPayloadArgs{Parent: parent.Hash(), Timestamp: c.latest, Withdrawals: types.Withdrawals{}, BeaconRoot: &root, Version: engine.PayloadV3}
	_, _ = rand.Read(args.Random[:]) // never fails
	if err := c.eth.TxPool().Sync(); err != nil {
		return fmt.Errorf("waiting for what was sent: %w", err)
	}
	building, err := c.eth.Miner().BuildPayload(ctx, args, false)
	if err != nil {
		return fmt.Errorf("building a block: %w", err)
	}
	built := building.ResolveFull()
	if built == nil {
		return errors.New("building a block: it was given up")
	}
	made, err := engine.ExecutableDataToBlock(*built.ExecutionPayload, []common.Hash{}, &root, built.Requests)
	if err != nil {
		return fmt.Errorf("reading the block that was built: %w", err)
	}
	if _, err := chain.InsertBlockWithoutSetHead(ctx, made, false); err != nil {
		return fmt.Errorf("keeping a block: %w", err)
	}
	if _, err := chain.SetCanonical(made); err != nil {
		return fmt.Errorf("making a block the newest: %w", err)
	}
	final := chain.GetHeaderByNumber(made.NumberU64() / finalEvery * finalEvery)
	chain.SetFinalized(final)
	chain.SetSafe(final)
	return nil
}
