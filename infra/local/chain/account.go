package chain

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/params"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// Account sends with a key, for those parties that have no books: the next nonce is
// asked of the node each time. Two programs must not send with one key at once.
type Account struct {
	ethsig.Signer
	chain *Chain
}

// Account makes an Account of a key.
func (c *Chain) Account(key ethsig.Signer) *Account { return &Account{Signer: key, chain: c} }

// Call is what an account does: it sends data and money to a contract.
type Call struct {
	To    *pool.Address // nil = Data makes a contract
	Data  []byte
	Value *big.Int // wei; nil = 0
	Gas   uint64   // at most; 0 = estimated, which fails if the call would fail
}

// To makes a Call of a contract.
func To(contract pool.Address, data []byte) Call { return Call{To: &contract, Data: data} }

// Done is a call in a block.
type Done struct {
	Hash     pool.Hash
	Block    pool.Block
	Gas      uint64       // that it used
	Contract pool.Address // that it made
	Good     bool         // it did not revert
	Logs     []*types.Log
}

// Send sends calls without waiting for blocks, so on a paused chain too. Behind the
// first, Gas must be given unless each could succeed without those before it.
func (a *Account) Send(ctx context.Context, calls ...Call) ([]pool.Hash, error) {
	// The next nonce is known while nobody takes out what waits.
	a.chain.mu.Lock()
	defer a.chain.mu.Unlock()
	client := ethclient.NewClient(a.chain.rpc)
	nonce, err := client.PendingNonceAt(ctx, common.Address(a.Address()))
	if err != nil {
		return nil, fmt.Errorf("asking for the next nonce of %s: %w", a.Address(), err)
	}
	var signed []*types.Transaction
	var hashes []pool.Hash
	for i, call := range calls {
		tx, err := a.sign(ctx, client, nonce+uint64(i), call)
		if err != nil {
			return nil, err
		}
		signed, hashes = append(signed, tx), append(hashes, pool.Hash(tx.Hash()))
	}
	for i, err := range a.chain.eth.TxPool().Add(signed, true) {
		if err != nil {
			return nil, fmt.Errorf("sending call %d of %d of %s: %w", i+1, len(calls), a.Address(), err)
		}
	}
	return hashes, nil
}

func (a *Account) sign(ctx context.Context, client *ethclient.Client, nonce uint64, call Call) (*types.Transaction, error) {
	if call.Value == nil {
		call.Value = new(big.Int)
	}
	if call.Gas == 0 {
		used, err := client.EstimateGas(ctx, ethereum.CallMsg{From: common.Address(a.Address()), To: (*common.Address)(call.To), Data: call.Data, Value: call.Value})
		if err != nil {
			return nil, fmt.Errorf("a call of %s would fail: %w", a.Address(), err)
		}
		// What it takes may grow until it is in a block, by others' calls before it.
		call.Gas = used + used/2
	}
	tx := types.NewTx(&types.DynamicFeeTx{
		ChainID: new(big.Int).SetUint64(a.chain.id), Nonce: nonce, To: (*common.Address)(call.To), Value: call.Value, Data: call.Data,
		Gas: min(call.Gas, params.MaxTxGas), GasTipCap: big.NewInt(leastTip), GasFeeCap: big.NewInt(100 * params.GWei),
	})
	signature, err := a.Sign(ctx, a.chain.signer.Hash(tx))
	if err != nil {
		return nil, fmt.Errorf("signing for %s: %w", a.Address(), err)
	}
	signature[64] -= 27
	return tx.WithSignature(a.chain.signer, signature[:])
}

// Try sends calls and waits until all are in blocks, whether they did what they were
// to or reverted.
func (a *Account) Try(ctx context.Context, calls ...Call) ([]Done, error) {
	hashes, err := a.Send(ctx, calls...)
	if err != nil {
		return nil, err
	}
	var out []Done
	for _, hash := range hashes {
		done, err := a.chain.Done(ctx, hash)
		if err != nil {
			return nil, err
		}
		out = append(out, done)
	}
	return out, nil
}

// Do is Try, and an error if a call reverted.
func (a *Account) Do(ctx context.Context, calls ...Call) ([]Done, error) {
	all, err := a.Try(ctx, calls...)
	if err != nil {
		return nil, err
	}
	for i, done := range all {
		if !done.Good {
			return nil, fmt.Errorf("call %d of %d of %s is in block %d and reverted", i+1, len(calls), a.Address(), done.Block.Number)
		}
	}
	return all, nil
}

// Done waits until a sending is in a block.
func (c *Chain) Done(ctx context.Context, hash pool.Hash) (Done, error) {
	for {
		seen := c.Head().Number
		if done, ok := c.Look(hash); ok {
			return done, nil
		}
		if err := c.Wait(ctx, seen); err != nil {
			return Done{}, fmt.Errorf("%s is in no block: %w", hash, err)
		}
	}
}

// Look gives a sending that is in a block now.
func (c *Chain) Look(hash pool.Hash) (Done, bool) {
	chain := c.eth.BlockChain()
	entry, _ := chain.GetCanonicalTransaction(common.Hash(hash))
	if entry == nil {
		return Done{}, false
	}
	receipts := chain.GetReceiptsByHash(entry.BlockHash)
	header := chain.GetHeaderByHash(entry.BlockHash)
	if header == nil || uint64(len(receipts)) <= entry.Index {
		return Done{}, false
	}
	r := receipts[entry.Index]
	return Done{
		Hash: hash, Block: block(header), Gas: r.GasUsed, Contract: pool.Address(r.ContractAddress),
		Good: r.Status == types.ReceiptStatusSuccessful, Logs: r.Logs,
	}, true
}

// View asks a contract at the newest block; the error holds the reason of a revert.
func (c *Chain) View(ctx context.Context, contract pool.Address, data []byte) ([]byte, error) {
	to := common.Address(contract)
	out, err := ethclient.NewClient(c.rpc).CallContract(ctx, ethereum.CallMsg{To: &to, Data: data}, nil)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", contract, err)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("asking %s: %w", contract, vm.ErrExecutionReverted)
	}
	return out, nil
}

// Logs gives all that a contract told in blocks from..Head with one of the topics.
func (c *Chain) Logs(ctx context.Context, contract pool.Address, from uint64, topics ...pool.Hash) ([]types.Log, error) {
	query := ethereum.FilterQuery{FromBlock: new(big.Int).SetUint64(from), Addresses: []common.Address{common.Address(contract)}, Topics: [][]common.Hash{{}}}
	for _, topic := range topics {
		query.Topics[0] = append(query.Topics[0], common.Hash(topic))
	}
	logs, err := ethclient.NewClient(c.rpc).FilterLogs(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("reading what %s told: %w", contract, err)
	}
	return logs, nil
}

// Give sends each of the accounts 100 of the chain's own money, for gas.
func (c *Chain) Give(ctx context.Context, to ...pool.Address) error {
	var calls []Call
	for _, account := range to {
		calls = append(calls, Call{To: &account, Value: new(big.Int).Mul(big.NewInt(100), big.NewInt(params.Ether)), Gas: params.TxGas})
	}
	_, err := c.rich.Do(ctx, calls...)
	return err
}
