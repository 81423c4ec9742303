// Package owner is the door for what the owner of a pool does on the chain by
// hand: registering the pool, moving its stake, calling off orders. It reads
// what the steps depend on, tells what a step would cost, and sends one when told
// to. It must not decide, keep files or talk to a person. The pool itself does not
// use it: it works while a person waits, without the pool's books.
package owner

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"workerpool/shared/chain"
	"workerpool/shared/chain/poco"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// Config is what an Owner needs.
type Config struct {
	URL string       // of the node; it may hold a key, and no error repeats it
	Hub pool.Address // the contract of deals and tasks

	// Wait pauses between looks for what was sent, and returns early with ctx's
	// error. nil = by the wall clock.
	Wait func(ctx context.Context, pause time.Duration) error
}

// Owner reads and writes by one node.
type Owner struct {
	chain      *chain.Client
	domain     ethsig.Domain
	token      pool.Address
	registry   pool.Address // of workerpools
	stakeRatio int64        // percent of a deal's price that the hub locks of its pool's owner
	wait       func(ctx context.Context, pause time.Duration) error

	hub     *poco.Hub
	rlc     *poco.RLC
	entries *poco.WorkerpoolRegistry
	entry   *poco.Workerpool
}

// Open asks the node for its chain and sees that the hub is one. The error is
// pool.Unavailable when the node cannot be reached, else it says what was found.
func Open(ctx context.Context, c Config) (*Owner, error) {
	if c.Wait == nil {
		c.Wait = waitByClock
	}
	client, err := chain.Open(chain.Config{URL: c.URL, Hub: c.Hub})
	if err != nil {
		return nil, err
	}
	o := &Owner{
		chain: client, domain: ethsig.Domain{Hub: c.Hub}, wait: c.Wait,
		hub: poco.NewHub(), rlc: poco.NewRLC(), entries: poco.NewWorkerpoolRegistry(), entry: poco.NewWorkerpool(),
	}
	if o.domain.ChainID, err = client.ChainID(ctx); err != nil {
		return nil, err
	}
	at, err := o.now(ctx)
	if err != nil {
		return nil, err
	}
	if err := o.look(ctx, at); err != nil {
		return nil, err
	}
	return o, nil
}

func waitByClock(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// look sees that the hub is the hub, of the orders that are signed here, and asks
// it for what never changes.
func (o *Owner) look(ctx context.Context, at pool.Block) error {
	separator, err := ask(ctx, o, at, o.domain.Hub, o.hub.PackEip712domainSeparator(), o.hub.UnpackEip712domainSeparator)
	if pool.KindOf(err) == pool.Unavailable {
		return err
	}
	if err != nil {
		return fmt.Errorf("there is no iExec hub at %s of chain %d: %w", o.domain.Hub, o.domain.ChainID, err)
	}
	if separator != o.domain.Separator() {
		return fmt.Errorf("the contract at %s of chain %d is no hub of PoCo v6: it takes orders of another domain", o.domain.Hub, o.domain.ChainID)
	}
	token, err := ask(ctx, o, at, o.domain.Hub, o.hub.PackToken(), o.hub.UnpackToken)
	if err != nil {
		return fmt.Errorf("asking the hub for its token: %w", err)
	}
	registry, err := ask(ctx, o, at, o.domain.Hub, o.hub.PackWorkerpoolregistry(), o.hub.UnpackWorkerpoolregistry)
	if err != nil {
		return fmt.Errorf("asking the hub for its registry of workerpools: %w", err)
	}
	ratio, err := ask(ctx, o, at, o.domain.Hub, o.hub.PackWorkerpoolStakeRatio(), o.hub.UnpackWorkerpoolStakeRatio)
	if err != nil {
		return fmt.Errorf("asking the hub for the stake it wants: %w", err)
	}
	o.token, o.registry, o.stakeRatio = pool.Address(token), pool.Address(registry), ratio.Int64()
	return nil
}

// Domain is where orders signed for this hub are good.
func (o *Owner) Domain() ethsig.Domain { return o.domain }

// Token is the contract of the hub's money, RLC.
func (o *Owner) Token() pool.Address { return o.token }

// Stake is what the hub locks of a pool's owner for a task of that price.
func (o *Owner) Stake(price pool.NRLC) pool.NRLC { return times(price, o.stakeRatio, 100) }

// Covers is the price for which a stake suffices; all of it where the hub locks
// nothing.
func (o *Owner) Covers(stake pool.NRLC) pool.NRLC {
	if o.stakeRatio == 0 {
		return stake
	}
	return times(stake, 100, o.stakeRatio)
}

func times(n pool.NRLC, by, over int64) pool.NRLC {
	product := new(big.Int).Mul(big.NewInt(int64(n)), big.NewInt(by))
	return pool.NRLC(product.Div(product, big.NewInt(over)).Int64())
}

// now gives the newest block.
func (o *Owner) now(ctx context.Context) (pool.Block, error) {
	head, err := o.chain.Head(ctx)
	return head.Block, err
}

// ask makes a view of a contract.
func ask[T any](ctx context.Context, o *Owner, at pool.Block, to pool.Address, data []byte, unpack func([]byte) (T, error)) (T, error) {
	var none T
	answer, err := o.chain.View(ctx, at, chain.Call{To: to, Data: data})
	if err != nil {
		return none, err
	}
	if len(answer) == 0 {
		return none, errors.New("there is no such contract")
	}
	out, err := unpack(answer)
	if err != nil {
		return none, fmt.Errorf("the contract answers otherwise than is known: %w", err)
	}
	return out, nil
}

func address(a pool.Address) common.Address { return common.Address(a) }
