package owner

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/core/types"

	"workerpool/shared/chain"
	"workerpool/shared/chain/poco"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

const (
	look     = 500 * time.Millisecond // between looks for what was sent
	patience = 3 * time.Minute        // with what was sent, by the pauses taken
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
	Gas   int64 // used
}

// Register makes a pool with that description the wallet's. Its address follows
// from the two, and is told also when it was registered before: then there is no
// step.
func (o *Owner) Register(ctx context.Context, wallet pool.Address, description string) (pool.Address, *Step, error) {
	at, err := o.now(ctx)
	if err != nil {
		return pool.Address{}, nil, err
	}
	predicted, err := ask(ctx, o, at, o.registry, o.entries.PackPredictWorkerpool(address(wallet), description), o.entries.UnpackPredictWorkerpool)
	if err != nil {
		return pool.Address{}, nil, err
	}
	known, err := o.Workerpool(ctx, pool.Address(predicted))
	if err != nil || known.Registered {
		return pool.Address(predicted), nil, err
	}
	step, err := o.step(ctx, wallet, o.registry, o.entries.PackCreateWorkerpool(address(wallet), description))
	return pool.Address(predicted), step, err
}

// ChangePolicy lets a pool's deals from then on have the policy.
func (o *Owner) ChangePolicy(ctx context.Context, wallet, workerpool pool.Address, p Policy) (*Step, error) {
	return o.step(ctx, wallet, workerpool, o.entry.PackChangePolicy(big.NewInt(p.WorkerStake), big.NewInt(p.PoolReward)))
}

// Deposit moves an amount from the wallet into its account at the hub.
func (o *Owner) Deposit(ctx context.Context, wallet pool.Address, amount pool.NRLC) (*Step, error) {
	return o.step(ctx, wallet, o.token, o.rlc.PackApproveAndCall(address(o.domain.Hub), big.NewInt(int64(amount)), nil))
}

// Withdraw moves an amount from the account at the hub into the wallet.
func (o *Owner) Withdraw(ctx context.Context, wallet pool.Address, amount pool.NRLC) (*Step, error) {
	return o.step(ctx, wallet, o.domain.Hub, o.hub.PackWithdraw(big.NewInt(int64(amount))))
}

// closeOrder is the operation of the hub that uses up an order's volume
// (IexecLibOrders_v5.OrderOperationEnum).
const closeOrder = 1

// CallOff makes an order good for nothing from then on.
func (o *Owner) CallOff(ctx context.Context, wallet pool.Address, w ethsig.WorkerpoolOrder) (*Step, error) {
	number := func(n uint64) *big.Int { return new(big.Int).SetUint64(n) }
	return o.step(ctx, wallet, o.domain.Hub, o.hub.PackManageWorkerpoolOrder(poco.IexecLibOrdersV5WorkerpoolOrderOperation{
		Order: poco.IexecLibOrdersV5WorkerpoolOrder{
			Workerpool: address(w.Workerpool), Workerpoolprice: big.NewInt(int64(w.Price)), Volume: number(w.Volume), Tag: w.Tag,
			Category: number(w.Category), Trust: number(w.Trust), Apprestrict: address(w.AppRestrict),
			Datasetrestrict: address(w.DatasetRestrict), Requesterrestrict: address(w.RequesterRestrict), Salt: w.Salt,
		},
		Operation: closeOrder,
	}))
}

// unsigned stands for a wallet whose key is not at hand. Its signature is good for
// nothing: what is composed with it shows what the real one would cost.
type unsigned struct{ wallet pool.Address }

// Sign implements ethsig.Signer.
func (unsigned) Sign(context.Context, [32]byte) ([65]byte, error) {
	return [65]byte{31: 1, 63: 1, 64: 27}, nil
}

// Address implements ethsig.Signer.
func (u unsigned) Address() pool.Address { return u.wallet }

// step asks what a call would take. The error says the chain's reason when it
// would be without effect.
func (o *Owner) step(ctx context.Context, wallet, to pool.Address, data []byte) (*Step, error) {
	s := &Step{From: wallet, To: to, data: data}
	at, err := o.now(ctx)
	if err != nil {
		return nil, err
	}
	composed, err := o.compose(ctx, at, unsigned{wallet}, s)
	if err != nil {
		return nil, err
	}
	tx := new(types.Transaction)
	if err := tx.UnmarshalBinary(composed.Raw); err != nil {
		return nil, fmt.Errorf("reading what was composed: %w", err)
	}
	s.Gas = tx.Gas()
	s.Fee = new(big.Int).Mul(tx.GasFeeCap(), new(big.Int).SetUint64(tx.Gas()))
	purse, err := o.chain.Purse(ctx, at, wallet)
	if err != nil {
		return nil, err
	}
	if purse.Gas.Cmp(s.Fee) < 0 {
		return nil, fmt.Errorf("the wallet %s has %s wei, and the fee may be %s wei", wallet, purse.Gas, s.Fee)
	}
	return s, nil
}

func (o *Owner) compose(ctx context.Context, at pool.Block, signer ethsig.Signer, s *Step) (pool.Broadcast, error) {
	lane := chain.NewSender(chain.SenderConfig{Chain: o.chain, Signer: signer})
	nonce, err := lane.Nonce(ctx, at)
	if err != nil {
		return pool.Broadcast{}, err
	}
	return lane.ComposeCall(ctx, pool.Broadcast{Nonce: nonce, Attempt: 1}, chain.Call{To: s.To, Data: s.data})
}

// Send signs a step, sends it and waits until it is in a block. The nonce is the
// wallet's next as mined: while the pool itself sends by the same wallet, one of the
// two takes the other's, and the error says so.
func (o *Owner) Send(ctx context.Context, signer ethsig.Signer, s *Step) (Done, error) {
	if signer.Address() != s.From {
		return Done{}, fmt.Errorf("the step is of the wallet %s, the key of %s", s.From, signer.Address())
	}
	at, err := o.now(ctx)
	if err != nil {
		return Done{}, err
	}
	composed, err := o.compose(ctx, at, signer, s)
	if err != nil {
		return Done{}, err
	}
	lane := chain.NewSender(chain.SenderConfig{Chain: o.chain, Signer: signer})
	for waited, sent := time.Duration(0), false; ; waited += look {
		var err error
		if !sent {
			err = lane.Send(ctx, composed.Raw) // as often as it takes: the bytes are the same
			sent = err == nil
		}
		if err != nil && pool.KindOf(err) != pool.Unavailable {
			return Done{}, err
		}
		receipts, looking := lane.Receipts(ctx, []pool.Hash{composed.Hash})
		if looking == nil && receipts[0].Found {
			return done(receipts[0])
		}
		if looking != nil && pool.KindOf(looking) != pool.Unavailable {
			return Done{}, fmt.Errorf("%s was sent and may get into a block: %w", composed.Hash, looking)
		}
		if waited >= patience {
			return Done{}, errors.Join(o.lost(ctx, lane, composed), err, looking)
		}
		if err := o.wait(ctx, look); err != nil {
			return Done{}, fmt.Errorf("%s was sent and may get into a block: %w", composed.Hash, err)
		}
	}
}

func done(r pool.Receipt) (Done, error) {
	if !r.Good {
		return Done{}, fmt.Errorf("%s is in block %d and did nothing: what it depends on has changed meanwhile", r.Hash, r.Block)
	}
	return Done{Hash: r.Hash, Block: r.Block, Gas: r.Gas}, nil
}

// lost says what may have become of a step that is in no block.
func (o *Owner) lost(ctx context.Context, lane *chain.Sender, b pool.Broadcast) error {
	at, err := o.now(ctx)
	if err == nil {
		var next uint64
		if next, err = lane.Nonce(ctx, at); err == nil && next > b.Nonce {
			return fmt.Errorf("%s came to nothing: another transaction of the wallet took its place (nonce %d); the pool may have sent it", b.Hash, b.Nonce)
		}
	}
	return errors.Join(fmt.Errorf("%s was sent and is in no block after %s: it may still get into one", b.Hash, patience), err)
}
