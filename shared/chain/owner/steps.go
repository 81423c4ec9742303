package owner

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"workerpool/shared/chain/poco"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

const (
	// headRoom is what a step may take of gas over its estimate, in percent: on
	// Arbitrum the part for Ethereum moves with Ethereum's price.
	headRoom = 30
	// patience is how long a step is waited for once it was sent.
	patience = 3 * time.Minute
)

// Step is one transaction, not sent. The chain would have done it when it was
// made.
type Step struct {
	From pool.Address
	To   pool.Address
	Gas  uint64   // at most
	Fee  *big.Int // wei, at most
	data []byte
}

// Done is a step that is in a block and did what it was to.
type Done struct {
	Hash  pool.Hash
	Block uint64
	Gas   uint64   // used
	Fee   *big.Int // wei, paid
}

// Register makes a pool with that description the wallet's. Its address follows
// from the two, and is told also when it was registered before: then there is no
// step.
func (o *Owner) Register(ctx context.Context, wallet pool.Address, description string) (pool.Address, *Step, error) {
	data, err := o.contract.registry.TryPackPredictWorkerpool(common.Address(wallet), description)
	if err != nil {
		return pool.Address{}, nil, fmt.Errorf("naming the pool: %w", err)
	}
	address, err := ask(ctx, o, o.registry, data, o.contract.registry.UnpackPredictWorkerpool)
	if err != nil {
		return pool.Address{}, nil, err
	}
	known, err := o.Workerpool(ctx, pool.Address(address))
	if err != nil || known.Registered {
		return pool.Address(address), nil, err
	}
	data, err = o.contract.registry.TryPackCreateWorkerpool(common.Address(wallet), description)
	if err != nil {
		return pool.Address{}, nil, fmt.Errorf("registering the pool: %w", err)
	}
	step, err := o.step(ctx, wallet, o.registry, data)
	return pool.Address(address), step, err
}

// ChangePolicy lets a pool's deals from then on have the policy.
func (o *Owner) ChangePolicy(ctx context.Context, wallet, workerpool pool.Address, p Policy) (*Step, error) {
	return o.step(ctx, wallet, workerpool, o.contract.pool.PackChangePolicy(big.NewInt(p.WorkerStake), big.NewInt(p.PoolReward)))
}

// Deposit moves an amount from the wallet into its account at the hub.
func (o *Owner) Deposit(ctx context.Context, wallet pool.Address, amount pool.NRLC) (*Step, error) {
	return o.step(ctx, wallet, o.token, o.contract.token.PackApproveAndCall(common.Address(o.hub), big.NewInt(int64(amount)), nil))
}

// Withdraw moves an amount from the account at the hub into the wallet.
func (o *Owner) Withdraw(ctx context.Context, wallet pool.Address, amount pool.NRLC) (*Step, error) {
	return o.step(ctx, wallet, o.hub, o.contract.hub.PackWithdraw(big.NewInt(int64(amount))))
}

// closeOrder is the operation of the hub that uses up an order's volume
// (IexecLibOrders_v5.OrderOperationEnum).
const closeOrder = 1

// CallOff makes an order good for nothing from then on.
func (o *Owner) CallOff(ctx context.Context, wallet pool.Address, w ethsig.WorkerpoolOrder) (*Step, error) {
	number := func(n uint64) *big.Int { return new(big.Int).SetUint64(n) }
	data, err := o.contract.hub.TryPackManageWorkerpoolOrder(poco.IexecLibOrdersV5WorkerpoolOrderOperation{
		Order: poco.IexecLibOrdersV5WorkerpoolOrder{
			Workerpool: common.Address(w.Workerpool), Workerpoolprice: big.NewInt(int64(w.Price)), Volume: number(w.Volume), Tag: w.Tag,
			Category: number(w.Category), Trust: number(w.Trust), Apprestrict: common.Address(w.AppRestrict),
			Datasetrestrict: common.Address(w.DatasetRestrict), Requesterrestrict: common.Address(w.RequesterRestrict), Salt: w.Salt,
		},
		Operation: closeOrder,
	})
	if err != nil {
		return nil, fmt.Errorf("writing the order for the hub: %w", err)
	}
	return o.step(ctx, wallet, o.hub, data)
}

// step asks what the transaction would take. The error says the chain's reason
// when it would be without effect, and what is missing when the wallet cannot pay.
func (o *Owner) step(ctx context.Context, wallet, to pool.Address, data []byte) (*Step, error) {
	target := common.Address(to)
	gas, err := o.node.EstimateGas(ctx, ethereum.CallMsg{From: common.Address(wallet), To: &target, Data: data})
	if err != nil {
		return nil, failed("the chain would not do it", err)
	}
	head, err := o.node.HeaderByNumber(ctx, nil)
	if err != nil {
		return nil, failed("asking for the newest block", err)
	}
	price, err := o.node.SuggestGasPrice(ctx)
	if err != nil {
		return nil, failed("asking for the price of gas", err)
	}
	if head.BaseFee != nil { // what a later block may ask for: its fee may double in six
		price.Add(price, head.BaseFee)
	}
	s := &Step{From: wallet, To: to, Gas: gas + gas*headRoom/100, data: data}
	s.Fee = price.Mul(price, new(big.Int).SetUint64(s.Gas))
	balance, err := o.node.BalanceAt(ctx, common.Address(wallet), nil)
	if err != nil {
		return nil, failed("asking for the wallet's ETH", err)
	}
	if balance.Cmp(s.Fee) < 0 {
		return nil, fmt.Errorf("the wallet %s has %s wei and the fee may be up to %s wei", wallet, balance, s.Fee)
	}
	return s, nil
}

// Send signs a step, sends it and waits until it is in a block. The nonce is the
// next one that the node knows of: while the pool itself sends by the same wallet
// one of the two may take the other's, and says so.
func (o *Owner) Send(ctx context.Context, signer ethsig.Signer, s *Step) (Done, error) {
	if signer.Address() != s.From {
		return Done{}, fmt.Errorf("the step is of the wallet %s, the key of %s", s.From, signer.Address())
	}
	contract := bind.NewBoundContract(common.Address(s.To), o.contract.hub.GetABI(), o.node, o.node, o.node)
	by := types.LatestSignerForChainID(new(big.Int).SetUint64(o.chainID))
	sent, err := bind.Transact(contract, &bind.TransactOpts{
		From: common.Address(s.From), GasLimit: s.Gas, Context: ctx,
		Signer: func(_ common.Address, unsigned *types.Transaction) (*types.Transaction, error) {
			signature, err := signer.Sign(ctx, by.Hash(unsigned))
			if err != nil {
				return nil, err
			}
			signature[64] -= 27 // the form of typed transactions
			return unsigned.WithSignature(by, signature[:])
		},
	}, s.data)
	if err != nil {
		return Done{}, failed("sending", err)
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	receipt, err := bind.WaitMined(waiting, o.node, sent.Hash())
	if errors.Is(err, context.DeadlineExceeded) {
		return Done{}, fmt.Errorf("%s was sent and is in no block after %s: it may still get into one", sent.Hash(), patience)
	}
	if err != nil {
		return Done{}, fmt.Errorf("%s was sent and may get into a block: %w", sent.Hash(), err)
	}
	if receipt.Status != types.ReceiptStatusSuccessful {
		return Done{}, fmt.Errorf("%s is in block %s without effect", sent.Hash(), receipt.BlockNumber)
	}
	done := Done{Hash: pool.Hash(sent.Hash()), Block: receipt.BlockNumber.Uint64(), Gas: receipt.GasUsed, Fee: new(big.Int)}
	if receipt.EffectiveGasPrice != nil {
		done.Fee.Mul(receipt.EffectiveGasPrice, new(big.Int).SetUint64(receipt.GasUsed))
	}
	return done, nil
}
