package owner

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"workerpool/shared/chain"
	"workerpool/shared/chain/fit"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// Account gives what a wallet has, and the block at which it was looked at.
func (o *Owner) Account(ctx context.Context, wallet pool.Address) (chain.Purse, pool.Block, error) {
	at, err := o.now(ctx)
	if err != nil {
		return chain.Purse{}, at, err
	}
	purse, err := o.chain.Purse(ctx, at, wallet)
	return purse, at, err
}

// Fit tells whether the pool's parameters fit the chain, as the pool itself asks
// when it starts; the error is fit.Faults.
func (o *Owner) Fit(ctx context.Context, want fit.Wanted) error { return fit.Check(ctx, o.chain, want) }

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
func (o *Owner) Workerpool(ctx context.Context, workerpool pool.Address) (Workerpool, error) {
	at, err := o.now(ctx)
	if err != nil {
		return Workerpool{}, err
	}
	registered, err := ask(ctx, o, at, o.registry, o.entries.PackIsRegistered(address(workerpool)), o.entries.UnpackIsRegistered)
	if err != nil || !registered {
		return Workerpool{Address: workerpool}, err
	}
	seen, err := ask(ctx, o, at, o.domain.Hub, o.hub.PackViewWorkerpool(address(workerpool)), o.hub.UnpackViewWorkerpool)
	if err != nil {
		return Workerpool{}, err
	}
	return Workerpool{
		Address: workerpool, Registered: true, Owner: pool.Address(seen.Owner), Description: seen.MWorkerpoolDescription,
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
	at, err := o.now(ctx)
	if err != nil {
		return Category{}, err
	}
	count, err := ask(ctx, o, at, o.domain.Hub, o.hub.PackCountCategory(), o.hub.UnpackCountCategory)
	if err != nil {
		return Category{}, err
	}
	if !count.IsUint64() || number >= count.Uint64() {
		return Category{}, fmt.Errorf("there is no category %d: the hub has %s, from 0 on", number, count)
	}
	seen, err := ask(ctx, o, at, o.domain.Hub, o.hub.PackViewCategory(new(big.Int).SetUint64(number)), o.hub.UnpackViewCategory)
	if err != nil {
		return Category{}, err
	}
	return Category{Name: seen.Name, T: time.Duration(seen.WorkClockTimeRef.Int64()) * time.Second}, nil
}

// Consumed gives how many tasks of an order were dealt; all of its volume when it
// was called off.
func (o *Owner) Consumed(ctx context.Context, order ethsig.Order) (uint64, error) {
	at, err := o.now(ctx)
	if err != nil {
		return 0, err
	}
	n, err := ask(ctx, o, at, o.domain.Hub, o.hub.PackViewConsumed(o.domain.Hash(order)), o.hub.UnpackViewConsumed)
	if err != nil {
		return 0, err
	}
	if !n.IsUint64() {
		return 0, fmt.Errorf("the chain speaks of %s tasks dealt of one order", n)
	}
	return n.Uint64(), nil
}
