// Package mint makes a chain for one machine and what trade on it needs: PoCo's
// contracts, a pool, an app, wallets with money and stake. All of it is kept in a
// folder and goes on at the next start. It owns who is on that chain and what they
// have at first; it must not trade.
//
// The money is play money: whoever runs short gets more at each start.
package mint

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"os"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/params"

	"workerpool/infra/local/chain"
	"workerpool/infra/local/chain/contracts"
	"workerpool/infra/local/orders"
	doors "workerpool/shared/chain"
	"workerpool/shared/chain/poco"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// Names of wallets.
const (
	PoolOwner = "pool"
	AppOwner  = "app"
	Requester = "requester"
)

// AppProgram is the program of the one app, as workers' owners allow it.
const AppProgram = "mandelbrot"

// What is offered: prices of a task, in time class XS (category 0, 5 minutes).
const (
	AppPrice  pool.NRLC = 100_000_000   // 0.1 RLC
	PoolPrice pool.NRLC = 1_000_000_000 // 1 RLC
	volume              = 1_000_000     // tasks by one order
)

// A block each second, as blocks are a second apart at least: faster ones would run
// ahead of the wall clock. While nothing happens one in a while lets the chain's
// clock go on, by which deadlines pass.
const (
	period = time.Second
	quiet  = 15 * time.Second
)

// Config says what is started.
type Config struct {
	Folder  Folder
	Addr    string   // where the chain is asked, 127.0.0.1:<port>
	Workers []string // names of more wallets, those of workers
}

// Mint is what was started.
type Mint struct {
	Chain  *chain.Chain
	Place  Place
	folder Folder
}

// Start makes the chain, or goes on with it. It must be closed.
func Start(ctx context.Context, c Config) (*Mint, error) {
	if err := os.MkdirAll(c.Folder.path("wallets"), 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of the local chain: %w", err)
	}
	names := append([]string{PoolOwner, AppOwner, Requester}, c.Workers...)
	wallets := map[string]Wallet{}
	for _, name := range names {
		var err error
		if wallets[name], err = c.Folder.wallet(name); err != nil {
			return nil, err
		}
	}
	at, err := c.Folder.Place()
	if errors.Is(err, ErrNone) {
		at, err = c.Folder.make(ctx, wallets)
	}
	if err != nil {
		return nil, err
	}
	on, err := chain.Start(chain.Config{ID: at.ID, Addr: c.Addr, Dir: c.Folder.path("blocks"), Period: period, Quiet: quiet})
	if err != nil {
		return nil, fmt.Errorf("starting the local chain: %w", err)
	}
	m := &Mint{Chain: on, Place: at, folder: c.Folder}
	m.Place.Node = on.URL()
	err = provide(ctx, on, m.Place, wallets)
	if err == nil {
		err = c.Folder.note(m.Place)
	}
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// Close ends the chain, which stays in its folder.
func (m *Mint) Close() error { return m.Chain.Close() }

// Order is the file with the pool's order, as iExec's client writes it.
func (f Folder) Order() string { return f.path("workerpool-order.json") }

// AppOrder is the file with the app's order.
func (f Folder) AppOrder() string { return f.path("app-order.json") }

// make makes a chain with contracts, pool and app. What a start that did not come
// to its end has left is of no use.
func (f Folder) make(ctx context.Context, wallets map[string]Wallet) (at Place, err error) {
	if err := os.RemoveAll(f.path("blocks")); err != nil {
		return at, fmt.Errorf("removing an unfinished chain: %w", err)
	}
	// With a block as soon as there is something to put into it: now it is to be quick.
	on, err := chain.Start(chain.Config{Dir: f.path("blocks")})
	if err != nil {
		return at, fmt.Errorf("starting the local chain: %w", err)
	}
	defer func() { err = errors.Join(err, on.Close()) }()
	made, err := contracts.Deploy(ctx, on)
	if err != nil {
		return at, err
	}
	at = Place{ID: on.ID(), Node: on.URL(), Hub: made.Hub, RLC: made.RLC}
	created, err := on.Rich().Do(ctx,
		chain.To(made.WorkerpoolRegistry, poco.NewWorkerpoolRegistry().PackCreateWorkerpool(common.Address(wallets[PoolOwner].Address), "local pool")),
		chain.To(made.AppRegistry, poco.NewAppRegistry().PackCreateApp(common.Address(wallets[AppOwner].Address), AppProgram, "PROCESS", []byte(AppProgram), [32]byte{}, nil)))
	if err != nil {
		return at, fmt.Errorf("registering the pool and the app: %w", err)
	}
	for i, into := range []*pool.Address{&at.Workerpool, &at.App} {
		if *into, err = entry(created[i]); err != nil {
			return at, err
		}
	}
	if err := provide(ctx, on, at, wallets); err != nil {
		return at, err
	}
	if err := f.publish(ctx, at, wallets); err != nil {
		return at, err
	}
	return at, f.note(at)
}

// entry gives what a registry has made: a token (ERC-721) whose number is its address.
func entry(created chain.Done) (pool.Address, error) {
	transfer := common.Hash(ethsig.Keccak([]byte("Transfer(address,address,uint256)")))
	for _, log := range created.Logs {
		if len(log.Topics) == 4 && log.Topics[0] == transfer {
			return pool.Address(log.Topics[3][12:]), nil
		}
	}
	return pool.Address{}, errors.New("a registry has made nothing")
}

// publish signs the orders of the pool and the app. Whoever has them can buy.
func (f Folder) publish(ctx context.Context, at Place, wallets map[string]Wallet) error {
	domain := ethsig.Domain{ChainID: at.ID, Hub: at.Hub}
	salt := func() (s pool.Hash) {
		_, _ = rand.Read(s[:]) // never fails
		return s
	}
	sign := func(name string, order ethsig.Order) ([65]byte, error) {
		key, err := wallets[name].Key()
		if err != nil {
			return [65]byte{}, err
		}
		return key.Sign(ctx, domain.Hash(order))
	}
	offer := ethsig.WorkerpoolOrder{Workerpool: at.Workerpool, Price: PoolPrice, Volume: volume, Trust: pool.MaxTrust, Salt: salt()}
	signature, err := sign(PoolOwner, offer)
	if err != nil {
		return err
	}
	if err := orders.Write(f.Order(), at.ID, orders.Workerpool, orders.OfWorkerpool(offer, signature)); err != nil {
		return err
	}
	app := ethsig.AppOrder{App: at.App, Price: AppPrice, Volume: volume, Salt: salt()}
	if signature, err = sign(AppOwner, app); err != nil {
		return err
	}
	return orders.Write(f.AppOrder(), at.ID, orders.App, orders.OfApp(app, signature))
}

// What everybody has at least after a start, and has been given when it was less.
const (
	leastStake pool.NRLC = 1_000e9
	givenStake pool.NRLC = 10_000e9

	callGas = 200_000 // at most, of a deposit
)

// leastGas is 10 of the chain's own coins, in wei; ten times as many are given.
var leastGas = new(big.Int).Mul(big.NewInt(10), big.NewInt(params.Ether))

// provide gives gas and stake to those who have little.
func provide(ctx context.Context, on *chain.Chain, at Place, wallets map[string]Wallet) error {
	door, err := doors.Open(doors.Config{URL: on.URL(), Hub: at.Hub})
	if err != nil {
		return err
	}
	hub := poco.NewHub()
	var calls []chain.Call
	var sum pool.NRLC
	var dry []pool.Address
	for _, w := range wallets {
		has, err := door.Purse(ctx, on.Head().Block, w.Address)
		if err != nil {
			return fmt.Errorf("looking what %s has: %w", w.File, err)
		}
		if has.Stake < leastStake {
			calls = append(calls, chain.Call{To: &at.Hub, Data: hub.PackDepositFor(big.NewInt(int64(givenStake)), common.Address(w.Address)), Gas: callGas})
			sum += givenStake
		}
		if has.Gas.Cmp(leastGas) < 0 {
			dry = append(dry, w.Address)
		}
	}
	if len(dry) > 0 {
		if err := on.Give(ctx, dry...); err != nil {
			return fmt.Errorf("giving gas: %w", err)
		}
	}
	if len(calls) == 0 {
		return nil
	}
	approve := chain.Call{To: &at.RLC, Data: poco.NewRLC().PackApprove(common.Address(at.Hub), big.NewInt(int64(sum))), Gas: callGas}
	if _, err := on.Rich().Do(ctx, append([]chain.Call{approve}, calls...)...); err != nil {
		return fmt.Errorf("giving stake: %w", err)
	}
	return nil
}
