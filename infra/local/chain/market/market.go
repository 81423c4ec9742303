// Package market plays those whom a pool trades with on a local chain: it makes
// apps, pools and accounts with money, matches their orders to deals, speaks for
// workers, and adds up what became of the money. It owns the other parties' side of
// PoCo; it must not do the pool's thinking.
package market

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"workerpool/infra/local/chain"
	"workerpool/infra/local/chain/contracts"
	"workerpool/infra/local/orders"
	"workerpool/shared/chain/poco"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// Market is the contracts of a chain in use.
type Market struct {
	Chain *chain.Chain
	At    contracts.Addresses
	hub   *poco.Hub
}

// Open makes a Market of contracts that are on the chain.
func Open(on *chain.Chain, at contracts.Addresses) *Market {
	return &Market{Chain: on, At: at, hub: poco.NewHub()}
}

// Start starts a chain with the contracts on it; the chain must be closed.
func Start(ctx context.Context, c chain.Config) (*Market, error) {
	on, err := chain.Start(c)
	if err != nil {
		return nil, err
	}
	at, err := contracts.Deploy(ctx, on)
	if err != nil {
		return nil, errors.Join(err, on.Close())
	}
	return Open(on, at), nil
}

// Domain is where orders of this market are good.
func (m *Market) Domain() ethsig.Domain { return ethsig.Domain{ChainID: m.Chain.ID(), Hub: m.At.Hub} }

// Join gives a key gas for its sendings, and a deposit at the hub.
func (m *Market) Join(ctx context.Context, key ethsig.Signer, deposit pool.NRLC) (*chain.Account, error) {
	account := m.Chain.Account(key)
	if err := m.Chain.Give(ctx, key.Address()); err != nil {
		return nil, fmt.Errorf("giving gas: %w", err)
	}
	token, amount := poco.NewRLC(), big.NewInt(int64(deposit))
	if _, err := m.Chain.Rich().Do(ctx, chain.To(m.At.RLC, token.PackTransfer(common.Address(key.Address()), amount))); err != nil {
		return nil, fmt.Errorf("giving RLC: %w", err)
	}
	if _, err := account.Do(ctx, chain.To(m.At.RLC, token.PackApproveAndCall(common.Address(m.At.Hub), amount, nil))); err != nil {
		return nil, fmt.Errorf("depositing: %w", err)
	}
	return account, nil
}

// App is what its owner says of an app.
type App struct {
	Name  string
	Kind  string // "DOCKER"; of a local pool also "PROCESS"
	Image string // where it lies, or the name of the program
}

// CreateApp registers an app of the owner.
func (m *Market) CreateApp(ctx context.Context, owner *chain.Account, app App) (pool.Address, error) {
	done, err := owner.Do(ctx, chain.To(m.At.AppRegistry,
		poco.NewAppRegistry().PackCreateApp(common.Address(owner.Address()), app.Name, app.Kind, []byte(app.Image), [32]byte{}, nil)))
	if err != nil {
		return pool.Address{}, fmt.Errorf("registering an app: %w", err)
	}
	return registered(done[0], m.At.AppRegistry)
}

// Dataset is what its owner says of a dataset.
type Dataset struct {
	Name string
	At   []byte      // where it lies, as the contracts have it
	Sum  pool.Digest // SHA-256 of its bytes; zero = not said
}

// CreateDataset registers a dataset of the owner.
func (m *Market) CreateDataset(ctx context.Context, owner *chain.Account, set Dataset) (pool.Address, error) {
	done, err := owner.Do(ctx, chain.To(m.At.DatasetRegistry,
		poco.NewDatasetRegistry().PackCreateDataset(common.Address(owner.Address()), set.Name, set.At, set.Sum)))
	if err != nil {
		return pool.Address{}, fmt.Errorf("registering a dataset: %w", err)
	}
	return registered(done[0], m.At.DatasetRegistry)
}

// Policy is what a pool asks of its workers and gives them, in percent.
type Policy struct {
	Stake  int // of the price, locked by each contribution
	Reward int // of the reward, kept by the pool
}

// CreatePool registers a pool of the owner under a policy.
func (m *Market) CreatePool(ctx context.Context, owner *chain.Account, description string, policy Policy) (pool.Address, error) {
	done, err := owner.Do(ctx, chain.To(m.At.WorkerpoolRegistry,
		poco.NewWorkerpoolRegistry().PackCreateWorkerpool(common.Address(owner.Address()), description)))
	if err != nil {
		return pool.Address{}, fmt.Errorf("registering a pool: %w", err)
	}
	at, err := registered(done[0], m.At.WorkerpoolRegistry)
	if err != nil {
		return at, err
	}
	data := poco.NewWorkerpool().PackChangePolicy(big.NewInt(int64(policy.Stake)), big.NewInt(int64(policy.Reward)))
	if _, err := owner.Do(ctx, chain.To(at, data)); err != nil {
		return at, fmt.Errorf("setting the pool's policy: %w", err)
	}
	return at, nil
}

// registered gives what a registry has made: a token (ERC-721) whose number is its
// address.
func registered(done chain.Done, registry pool.Address) (pool.Address, error) {
	transfer := common.Hash(ethsig.Keccak([]byte("Transfer(address,address,uint256)")))
	for _, log := range done.Logs {
		if log.Address == common.Address(registry) && len(log.Topics) == 4 && log.Topics[0] == transfer {
			return pool.Address(log.Topics[3][12:]), nil
		}
	}
	return pool.Address{}, errors.New("the registry has made nothing")
}

// Terms are those of a deal. Price, of one task, goes to the pool and its workers,
// AppPrice and DatasetPrice to the owners of these.
type Terms struct {
	App          pool.Address
	AppOwner     ethsig.Signer
	AppPrice     pool.NRLC
	Dataset      pool.Address // zero = none
	DatasetOwner ethsig.Signer
	DatasetPrice pool.NRLC
	Pool         pool.Address
	PoolOwner    ethsig.Signer
	Price        pool.NRLC
	Requester    *chain.Account // whose deposit pays
	Beneficiary  pool.Address   // zero = the requester
	Callback     pool.Address
	Tasks        int
	Trust        int
	Category     int // time class, by its number
	Tag          pool.Hash
	Params       string
	Salt         pool.Hash // of the orders, which are matched once; zero = new ones
}

// Match has all parties sign orders of one deal, and the requester match them.
func (m *Market) Match(ctx context.Context, t Terms) (pool.Deal, error) {
	salt := t.Salt
	if salt.IsZero() {
		_, _ = rand.Read(salt[:]) // never fails
	}
	if t.Beneficiary.IsZero() {
		t.Beneficiary = t.Requester.Address()
	}
	volume, category, trust := uint64(t.Tasks), uint64(t.Category), uint64(t.Trust)
	app := ethsig.AppOrder{App: t.App, Price: t.AppPrice, Volume: volume, Tag: t.Tag, Salt: salt}
	set := ethsig.DatasetOrder{Dataset: t.Dataset, Price: t.DatasetPrice, Volume: volume, Tag: t.Tag, Salt: salt}
	offer := ethsig.WorkerpoolOrder{Workerpool: t.Pool, Price: t.Price, Volume: volume, Tag: t.Tag, Category: category, Trust: trust, Salt: salt}
	request := ethsig.RequestOrder{
		App: t.App, AppMaxPrice: t.AppPrice, Dataset: t.Dataset, DatasetMaxPrice: t.DatasetPrice, Workerpool: t.Pool, WorkerpoolMaxPrice: t.Price, Requester: t.Requester.Address(),
		Volume: volume, Tag: t.Tag, Category: category, Trust: trust, Beneficiary: t.Beneficiary, Callback: t.Callback, Params: t.Params, Salt: salt,
	}
	var signed [4][65]byte
	for i, party := range []struct {
		order ethsig.Order
		by    ethsig.Signer
	}{{app, t.AppOwner}, {offer, t.PoolOwner}, {request, t.Requester}, {set, t.DatasetOwner}} {
		if party.order == set && t.Dataset.IsZero() {
			continue
		}
		var err error
		if signed[i], err = party.by.Sign(ctx, m.Domain().Hash(party.order)); err != nil {
			return pool.Deal{}, fmt.Errorf("signing an order: %w", err)
		}
	}
	theirs := orders.NoDataset()
	if !t.Dataset.IsZero() {
		theirs = orders.OfDataset(set, signed[3])
	}
	data := m.hub.PackMatchOrders(orders.OfApp(app, signed[0]), theirs, orders.OfWorkerpool(offer, signed[1]), orders.OfRequest(request, signed[2]))
	if _, err := t.Requester.Do(ctx, chain.To(m.At.Hub, data)); err != nil {
		return pool.Deal{}, fmt.Errorf("matching orders: %w", err)
	}
	return m.Deal(ctx, ethsig.DealID(m.Domain().Hash(request), 0))
}

// Deal asks the hub for a deal's terms. Block, Image and AppType are left empty.
func (m *Market) Deal(ctx context.Context, id pool.Hash) (pool.Deal, error) {
	out, err := m.Chain.View(ctx, m.At.Hub, m.hub.PackViewDeal(id))
	if err != nil {
		return pool.Deal{}, err
	}
	d, err := m.hub.UnpackViewDeal(out)
	if err != nil {
		return pool.Deal{}, fmt.Errorf("reading a deal: %w", err)
	}
	if d.StartTime.Sign() == 0 {
		return pool.Deal{}, fmt.Errorf("the hub knows no deal %s", id)
	}
	if out, err = m.Chain.View(ctx, m.At.Hub, m.hub.PackViewCategory(d.Category)); err != nil {
		return pool.Deal{}, err
	}
	category, err := m.hub.UnpackViewCategory(out)
	if err != nil {
		return pool.Deal{}, fmt.Errorf("reading a category: %w", err)
	}
	return pool.Deal{
		ID: id, Start: time.Unix(d.StartTime.Int64(), 0).UTC(), First: int(d.BotFirst.Int64()), Tasks: int(d.BotSize.Int64()),
		T: time.Duration(category.WorkClockTimeRef.Int64()) * time.Second, Trust: int(d.Trust.Int64()), Tag: d.Tag,
		App: pool.Address(d.App.Pointer), Dataset: pool.Address(d.Dataset.Pointer), Owner: pool.Address(d.Workerpool.Owner),
		Requester: pool.Address(d.Requester), Beneficiary: pool.Address(d.Beneficiary), Callback: pool.Address(d.Callback), Params: d.Params,
		Price: pool.NRLC(d.Workerpool.Price.Int64()), Stake: pool.NRLC(d.WorkerStake.Int64()),
	}, nil
}

// Purse is an account's money.
type Purse struct {
	RLC    pool.NRLC // in the account itself
	Stake  pool.NRLC // at the hub, free
	Locked pool.NRLC // at the hub, for what has not ended
}

// Purse asks what an account has.
func (m *Market) Purse(ctx context.Context, of pool.Address) (Purse, error) {
	token := poco.NewRLC()
	has, err := m.Chain.View(ctx, m.At.RLC, token.PackBalanceOf(common.Address(of)))
	if err != nil {
		return Purse{}, err
	}
	balance, err := token.UnpackBalanceOf(has)
	if err != nil {
		return Purse{}, fmt.Errorf("reading a balance: %w", err)
	}
	if has, err = m.Chain.View(ctx, m.At.Hub, m.hub.PackViewAccount(common.Address(of))); err != nil {
		return Purse{}, err
	}
	account, err := m.hub.UnpackViewAccount(has)
	if err != nil {
		return Purse{}, fmt.Errorf("reading an account: %w", err)
	}
	return Purse{RLC: pool.NRLC(balance.Int64()), Stake: pool.NRLC(account.Stake.Int64()), Locked: pool.NRLC(account.Locked.Int64())}, nil
}
