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
	"net/http"
	"net/url"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"workerpool/shared/chain/poco"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

const timeout = 20 * time.Second // of one call of the node

// Config is what an Owner needs.
type Config struct {
	URL string       // of the node; it may hold a key, and no error repeats it
	Hub pool.Address // the contract of deals and tasks
}

// Owner reads and writes by one node. It may be used by several goroutines.
type Owner struct {
	node       *ethclient.Client
	chainID    uint64
	hub        pool.Address
	token      pool.Address
	registry   pool.Address // of workerpools
	stakeRatio int64        // percent of a deal's price that the hub locks of its pool's owner

	contract struct {
		hub      *poco.Hub
		token    *poco.RLC
		registry *poco.WorkerpoolRegistry
		pool     *poco.Workerpool
	}
}

// Open asks the node for its chain and sees that the hub is one. The error is
// pool.Unavailable when the node cannot be reached, else it says what was found.
func Open(ctx context.Context, c Config) (*Owner, error) {
	at, err := url.Parse(c.URL)
	if err != nil || (at.Scheme != "http" && at.Scheme != "https") || at.Host == "" {
		return nil, errors.New("the node's URL is none of http or https") // not repeated: it may hold a key
	}
	client, err := rpc.DialOptions(ctx, c.URL, rpc.WithHTTPClient(&http.Client{Timeout: timeout}))
	if err != nil {
		return nil, failed("opening the node", err)
	}
	o := &Owner{node: ethclient.NewClient(client), hub: c.Hub}
	o.contract.hub, o.contract.token, o.contract.registry, o.contract.pool = poco.NewHub(), poco.NewRLC(), poco.NewWorkerpoolRegistry(), poco.NewWorkerpool()
	id, err := o.node.ChainID(ctx)
	if err != nil {
		return nil, failed("asking the node for its chain", err)
	}
	o.chainID = id.Uint64()
	if err := o.look(ctx); err != nil {
		return nil, err
	}
	return o, nil
}

// look sees that the hub is the hub and asks it for what never changes.
func (o *Owner) look(ctx context.Context) error {
	domain, err := ask(ctx, o, o.hub, o.contract.hub.PackDomain(), o.contract.hub.UnpackDomain)
	if errors.Is(err, bind.ErrNoCode) {
		return fmt.Errorf("chain %d has no contract at %s", o.chainID, o.hub)
	}
	if pool.KindOf(err) == pool.Unavailable {
		return err
	}
	if err != nil || domain.Name != "iExecODB" || domain.VerifyingContract != common.Address(o.hub) {
		return fmt.Errorf("the contract at %s of chain %d is not iExec's hub", o.hub, o.chainID)
	}
	separator, err := ask(ctx, o, o.hub, o.contract.hub.PackEip712domainSeparator(), o.contract.hub.UnpackEip712domainSeparator)
	if err != nil {
		return fmt.Errorf("asking the hub what orders are signed for: %w", err)
	}
	if ours := o.Domain().Separator(); separator != ours {
		return fmt.Errorf("the hub %s takes orders of another domain (%s %s of chain %s): it is not one of PoCo v6", o.hub, domain.Name, domain.Version, domain.ChainId)
	}
	token, err := ask(ctx, o, o.hub, o.contract.hub.PackToken(), o.contract.hub.UnpackToken)
	if err != nil {
		return fmt.Errorf("asking the hub for its token: %w", err)
	}
	registry, err := ask(ctx, o, o.hub, o.contract.hub.PackWorkerpoolregistry(), o.contract.hub.UnpackWorkerpoolregistry)
	if err != nil {
		return fmt.Errorf("asking the hub for its registry of workerpools: %w", err)
	}
	ratio, err := ask(ctx, o, o.hub, o.contract.hub.PackWorkerpoolStakeRatio(), o.contract.hub.UnpackWorkerpoolStakeRatio)
	if err != nil {
		return fmt.Errorf("asking the hub for the stake it wants: %w", err)
	}
	o.token, o.registry, o.stakeRatio = pool.Address(token), pool.Address(registry), ratio.Int64()
	return nil
}

// Close lets the node go.
func (o *Owner) Close() { o.node.Close() }

// Domain is where orders signed for this hub are good.
func (o *Owner) Domain() ethsig.Domain { return ethsig.Domain{ChainID: o.chainID, Hub: o.hub} }

// Token is the contract of the hub's money, RLC.
func (o *Owner) Token() pool.Address { return o.token }

// Stake is what the hub locks of a pool's owner for deals of that price.
func (o *Owner) Stake(price pool.NRLC) pool.NRLC {
	product := new(big.Int).Mul(big.NewInt(int64(price)), big.NewInt(o.stakeRatio))
	return pool.NRLC(product.Div(product, big.NewInt(100)).Int64())
}

// Covers is the price of deals for which a stake suffices.
func (o *Owner) Covers(stake pool.NRLC) pool.NRLC {
	if o.stakeRatio == 0 {
		return stake
	}
	product := new(big.Int).Mul(big.NewInt(int64(stake)), big.NewInt(100))
	return pool.NRLC(product.Div(product, big.NewInt(o.stakeRatio)).Int64())
}

// ask makes a view of a contract at the newest block.
func ask[T any](ctx context.Context, o *Owner, at pool.Address, data []byte, unpack func([]byte) (T, error)) (T, error) {
	contract := bind.NewBoundContract(common.Address(at), o.contract.hub.GetABI(), o.node, o.node, o.node)
	out, err := bind.Call(contract, &bind.CallOpts{Context: ctx}, data, unpack)
	if err != nil {
		return out, failed("asking the chain", err)
	}
	return out, nil
}

// failed tells a node that is away from one that refuses, and says no URL.
func failed(doing string, err error) error {
	var refused rpc.Error
	var status rpc.HTTPError
	var away *url.Error
	switch {
	case errors.As(err, &refused), errors.Is(err, bind.ErrNoCode), errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", doing, err)
	case errors.As(err, &status) && status.StatusCode < http.StatusInternalServerError && status.StatusCode != http.StatusTooManyRequests:
		return fmt.Errorf("%s: the node answers %s", doing, status.Status)
	case errors.As(err, &status), errors.Is(err, context.DeadlineExceeded):
		return pool.Down("the node", err)
	case errors.As(err, &away):
		return pool.Down("the node", away.Err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// nrlc reads an amount of the chain.
func nrlc(n *big.Int) (pool.NRLC, error) {
	if !n.IsInt64() {
		return 0, fmt.Errorf("the chain speaks of %s nRLC, more than there is", n)
	}
	return pool.NRLC(n.Int64()), nil
}
