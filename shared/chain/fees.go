package chain

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"workerpool/shared/chain/node"
	"workerpool/shared/pool"
)

// ErrGasPrice is the cause of an error of kind pool.Unavailable: gas costs more
// than is allowed just now.
var ErrGasPrice = errors.New("gas costs too much")

// market is what the node says of the price of gas.
type market struct {
	block, gas, tip node.Request
	newest          *header
}

func newMarket() *market {
	return &market{
		block: node.Request{Method: "eth_getBlockByNumber", Args: []any{"latest", false}, Into: new(*header)},
		gas:   node.Request{Method: "eth_gasPrice", Into: new(hexutil.Big)},
		tip:   node.Request{Method: "eth_maxPriorityFeePerGas", Into: new(hexutil.Big)},
	}
}

func (m *market) requests() []*node.Request { return []*node.Request{&m.block, &m.gas, &m.tip} }

// fees are wei for a unit of gas.
type fees struct {
	base   *big.Int // nil: the chain knows one price only, which is most
	tip    *big.Int
	most   *big.Int
	lowest *big.Int // most, below which it would not be taken
}

// price finds the fees of a broadcast: twice the base fee and the usual tip, and
// where the chain has no base fee its price. Where gas costs nothing it is nothing.
func (m *market) price(b pool.Broadcast, limit *big.Int) (fees, error) {
	newest, err := readHeader(m.block)
	if err == nil && newest == nil {
		err = errors.New("the node has no newest block")
	}
	if err = errors.Join(err, m.gas.Err); err != nil {
		return fees{}, err
	}
	m.newest = newest
	usual := (*big.Int)(m.gas.Into.(*hexutil.Big))
	out := fees{tip: usual, most: usual, lowest: usual}
	if newest.BaseFee != nil {
		out.base, out.tip = (*big.Int)(newest.BaseFee), new(big.Int)
		switch {
		case m.tip.Err != nil && !node.Says(m.tip.Err, node.NoMethod): // a node without the call knows no tips
			return fees{}, m.tip.Err
		case m.tip.Err == nil && (out.base.Sign() > 0 || usual.Sign() > 0):
			out.tip = (*big.Int)(m.tip.Into.(*hexutil.Big))
		}
		out.most = new(big.Int).Add(new(big.Int).Lsh(out.base, 1), out.tip)
		out.lowest = out.base
	}
	if err := out.replace(b); err != nil {
		return fees{}, err
	}
	return out, out.keepTo(limit)
}

// replace raises the fees for another attempt.
func (f *fees) replace(b pool.Broadcast) error {
	for range b.Attempt - 1 {
		f.tip, f.most = eighthMore(f.tip), eighthMore(f.most)
	}
	if len(b.Raw) == 0 {
		return nil
	}
	before := new(types.Transaction)
	if err := before.UnmarshalBinary(b.Raw); err != nil {
		return fmt.Errorf("reading the attempt before: %w", err)
	}
	if before.Nonce() != b.Nonce {
		return fmt.Errorf("the attempt before has nonce %d, this one %d", before.Nonce(), b.Nonce)
	}
	least := eighthMore(before.GasFeeCap())
	f.tip, f.most, f.lowest = larger(f.tip, eighthMore(before.GasTipCap())), larger(f.most, least), larger(f.lowest, least)
	f.most = larger(f.most, f.tip)
	return nil
}

// keepTo takes care that no more than limit is paid.
func (f *fees) keepTo(limit *big.Int) error {
	if limit == nil || f.most.Cmp(limit) <= 0 {
		return nil
	}
	if f.lowest.Cmp(limit) > 0 {
		return &pool.Error{Kind: pool.Unavailable, Message: fmt.Sprintf("a unit of gas costs %s wei just now, allowed are %s", f.lowest, limit), Cause: ErrGasPrice}
	}
	f.most = limit
	if f.tip.Cmp(limit) > 0 {
		f.tip = limit
	}
	return nil
}

// eighthMore is an eighth more than n, at least 1: nodes take nothing in the place
// of a transaction that pays less than a tenth more (geth's txpool.pricebump).
func eighthMore(n *big.Int) *big.Int {
	more := new(big.Int).Add(n, big.NewInt(7))
	more.Rsh(more, 3)
	if more.Sign() == 0 {
		more.SetInt64(1)
	}
	return more.Add(more, n)
}

func larger(a, b *big.Int) *big.Int {
	if a.Cmp(b) >= 0 {
		return a
	}
	return b
}

func (f fees) transaction(chain, nonce uint64, call Call, gas uint64) *types.Transaction {
	to := common.Address(call.To)
	if f.base == nil {
		return types.NewTx(&types.LegacyTx{Nonce: nonce, GasPrice: f.most, Gas: gas, To: &to, Data: call.Data})
	}
	return types.NewTx(&types.DynamicFeeTx{
		ChainID: new(big.Int).SetUint64(chain), Nonce: nonce, GasTipCap: f.tip, GasFeeCap: f.most, Gas: gas, To: &to, Data: call.Data,
	})
}
