package owner

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// Account is what a wallet has.
type Account struct {
	Wallet pool.Address
	Head   pool.Block // at about which it was looked at
	Held   pool.NRLC  // in the wallet itself, not deposited
	Free   pool.NRLC  // deposited, in no deal
	Locked pool.NRLC  // deposited, in deals and contributions that have not ended
	Gas    *big.Int   // wei
}

// Account looks at a wallet.
func (o *Owner) Account(ctx context.Context, wallet pool.Address) (Account, error) {
	none := Account{}
	head, err := o.node.HeaderByNumber(ctx, nil)
	if err != nil {
		return none, failed("asking for the newest block", err)
	}
	staked, err := ask(ctx, o, o.hub, o.contract.hub.PackViewAccount(common.Address(wallet)), o.contract.hub.UnpackViewAccount)
	if err != nil {
		return none, err
	}
	held, err := ask(ctx, o, o.token, o.contract.token.PackBalanceOf(common.Address(wallet)), o.contract.token.UnpackBalanceOf)
	if err != nil {
		return none, err
	}
	gas, err := o.node.BalanceAt(ctx, common.Address(wallet), nil)
	if err != nil {
		return none, failed("asking for the wallet's ETH", err)
	}
	a := Account{Wallet: wallet, Gas: gas, Head: pool.Block{
		Number: head.Number.Uint64(), Hash: pool.Hash(head.Hash()), Time: time.Unix(int64(head.Time), 0).UTC(),
	}}
	for _, amount := range []struct {
		into *pool.NRLC
		from *big.Int
	}{{&a.Held, held}, {&a.Free, staked.Stake}, {&a.Locked, staked.Locked}} {
		if *amount.into, err = nrlc(amount.from); err != nil {
			return none, err
		}
	}
	return a, nil
}

// Workerpool is what the chain keeps of a pool.
type Workerpool struct {
	Address     pool.Address
	Registered  bool // all else is zero when it is not
	Owner       pool.Address
	Description string
	Policy      Policy
}

// Policy is what a pool wants of its workers and leaves to them. A deal keeps
// those that were in force when its orders matched.
type Policy struct {
	WorkerStake int64 // percent of the price that each contribution locks of its worker
	PoolReward  int64 // percent of the reward that the pool keeps
}

// Workerpool looks at a pool.
func (o *Owner) Workerpool(ctx context.Context, address pool.Address) (Workerpool, error) {
	registered, err := ask(ctx, o, o.registry, o.contract.registry.PackIsRegistered(common.Address(address)), o.contract.registry.UnpackIsRegistered)
	if err != nil || !registered {
		return Workerpool{Address: address}, err
	}
	seen, err := ask(ctx, o, o.hub, o.contract.hub.PackViewWorkerpool(common.Address(address)), o.contract.hub.UnpackViewWorkerpool)
	if err != nil {
		return Workerpool{}, err
	}
	return Workerpool{
		Address: address, Registered: true, Owner: pool.Address(seen.Owner), Description: seen.MWorkerpoolDescription,
		Policy: Policy{WorkerStake: seen.MWorkerStakeRatioPolicy.Int64(), PoolReward: seen.MSchedulerRewardRatioPolicy.Int64()},
	}, nil
}

// Category is a time class of the hub.
type Category struct {
	Name string
	T    time.Duration
}

// Category gives a time class; the error says how many there are when there is
// none of that number.
func (o *Owner) Category(ctx context.Context, number uint64) (Category, error) {
	count, err := ask(ctx, o, o.hub, o.contract.hub.PackCountCategory(), o.contract.hub.UnpackCountCategory)
	if err != nil {
		return Category{}, err
	}
	if !count.IsUint64() || number >= count.Uint64() {
		return Category{}, fmt.Errorf("there is no category %d: the hub has the numbers 0 to %s", number, new(big.Int).Sub(count, big.NewInt(1)))
	}
	seen, err := ask(ctx, o, o.hub, o.contract.hub.PackViewCategory(new(big.Int).SetUint64(number)), o.contract.hub.UnpackViewCategory)
	if err != nil {
		return Category{}, err
	}
	return Category{Name: seen.Name, T: time.Duration(seen.WorkClockTimeRef.Int64()) * time.Second}, nil
}

// Consumed gives how many tasks of an order were dealt; all of its volume when it
// was called off.
func (o *Owner) Consumed(ctx context.Context, order ethsig.Order) (uint64, error) {
	hash := o.Domain().Hash(order)
	n, err := ask(ctx, o, o.hub, o.contract.hub.PackViewConsumed(hash), o.contract.hub.UnpackViewConsumed)
	if err != nil {
		return 0, err
	}
	if !n.IsUint64() {
		return 0, fmt.Errorf("the chain speaks of %s tasks dealt of one order", n)
	}
	return n.Uint64(), nil
}
