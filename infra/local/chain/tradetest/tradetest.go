// Package tradetest has deals made on a local chain, for tests of those who work
// for them: a pool, an app, a requester and workers with money and stake on the
// real contracts, and what the pool's owner says to the chain. It is imported by
// tests only and decides nothing.
package tradetest

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"workerpool/infra/local/chain"
	"workerpool/infra/local/chain/contracts"
	"workerpool/infra/local/orders"
	doors "workerpool/shared/chain"
	"workerpool/shared/chain/poco"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// Price is what a task pays to the pool and its workers, Stake what the hub locks
// of a worker for it, Deposit what each party has at the hub.
const (
	Price   pool.NRLC = 1000
	Stake   pool.NRLC = Price * 30 / 100
	Deposit pool.NRLC = 1e8
)

// Program is the app's, of type PROCESS.
const Program = "sh"

// Trade is a chain with parties.
type Trade struct {
	Chain     *chain.Chain
	At        contracts.Addresses
	Owner     *ethsig.Key // of the pool and the app
	Requester *ethsig.Key
	Pool      pool.Address
	App       pool.Address

	tb   testing.TB
	salt byte
}

// Key gives the key of somebody.
func Key(tb testing.TB, name string) *ethsig.Key {
	tb.Helper()
	raw := ethsig.Keccak([]byte(name))
	key, err := ethsig.NewKey(raw[:])
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// New starts a chain on which all but strangers have a deposit. It ends with the test.
func New(tb testing.TB, workers ...*ethsig.Key) *Trade {
	tb.Helper()
	t := &Trade{tb: tb, Owner: Key(tb, "owner"), Requester: Key(tb, "requester")}
	parties := append([]*ethsig.Key{t.Owner, t.Requester}, workers...)
	var fund []pool.Address
	for _, key := range parties {
		fund = append(fund, key.Address())
	}
	var err error
	if t.Chain, err = chain.Start(chain.Config{Fund: fund}); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := t.Chain.Close(); err != nil {
			tb.Error(err)
		}
	})
	if t.At, err = contracts.Deploy(tb.Context(), t.Chain); err != nil {
		tb.Fatal(err)
	}
	for _, key := range parties {
		t.Deposit(key.Address(), Deposit)
	}
	pools, apps, owner := poco.NewWorkerpoolRegistry(), poco.NewAppRegistry(), common.Address(t.Owner.Address())
	t.Pool = t.address(pools.UnpackPredictWorkerpool(t.view(t.At.WorkerpoolRegistry, pools.PackPredictWorkerpool(owner, "pool"))))
	t.App = t.address(apps.UnpackPredictApp(t.view(t.At.AppRegistry, apps.PackPredictApp(owner, "app", "PROCESS", []byte(Program), [32]byte{}, nil))))
	t.do(t.Owner, chain.To(t.At.WorkerpoolRegistry, pools.PackCreateWorkerpool(owner, "pool")),
		chain.To(t.At.AppRegistry, apps.PackCreateApp(owner, "app", "PROCESS", []byte(Program), [32]byte{}, nil)))
	return t
}

// Deposit gives an account stake at the hub.
func (t *Trade) Deposit(to pool.Address, amount pool.NRLC) {
	t.tb.Helper()
	n := big.NewInt(int64(amount))
	t.do(t.Chain.Rich(), chain.To(t.At.RLC, poco.NewRLC().PackApprove(common.Address(t.At.Hub), n)))
	t.do(t.Chain.Rich(), chain.To(t.At.Hub, poco.NewHub().PackDepositFor(n, common.Address(to))))
}

// Withdraw takes stake of an account out of the hub.
func (t *Trade) Withdraw(from *ethsig.Key, amount pool.NRLC) {
	t.tb.Helper()
	t.do(from, chain.To(t.At.Hub, poco.NewHub().PackWithdraw(big.NewInt(int64(amount)))))
}

// Dataset registers a dataset of the owner's that lies at a URL.
func (t *Trade) Dataset(url string, sum pool.Digest) pool.Address {
	t.tb.Helper()
	sets, owner := poco.NewDatasetRegistry(), common.Address(t.Owner.Address())
	t.do(t.Owner, chain.To(t.At.DatasetRegistry, sets.PackCreateDataset(owner, "set", []byte(url), sum)))
	return t.address(sets.UnpackPredictDataset(t.view(t.At.DatasetRegistry, sets.PackPredictDataset(owner, "set", []byte(url), sum))))
}

// Match makes a deal of tasks with these arguments, of time class XS.
func (t *Trade) Match(tasks, trust uint64, args string) pool.Deal {
	t.tb.Helper()
	return t.MatchOver(pool.Address{}, tasks, trust, fmt.Sprintf(`{"iexec_args":%q}`, args))
}

// MatchOver makes a deal as Match does, over a dataset, zero for none, and with these
// parameters.
func (t *Trade) MatchOver(set pool.Address, tasks, trust uint64, params string) pool.Deal {
	t.tb.Helper()
	t.salt++
	salt, domain := pool.Hash{t.salt}, ethsig.Domain{ChainID: t.Chain.ID(), Hub: t.At.Hub}
	app := ethsig.AppOrder{App: t.App, Volume: tasks, Salt: salt}
	offer := ethsig.WorkerpoolOrder{Workerpool: t.Pool, Price: Price, Volume: tasks, Trust: trust, Salt: salt}
	theirs, over := orders.NoDataset(), ethsig.DatasetOrder{Dataset: set, Volume: tasks, Salt: salt}
	if !set.IsZero() {
		theirs = orders.OfDataset(over, t.sign(t.Owner, domain.Hash(over)))
	}
	request := ethsig.RequestOrder{
		App: t.App, Dataset: set, Workerpool: t.Pool, WorkerpoolMaxPrice: Price, Requester: t.Requester.Address(), Volume: tasks, Trust: trust,
		Beneficiary: t.Requester.Address(), Params: params, Salt: salt,
	}
	t.do(t.Requester, chain.To(t.At.Hub, poco.NewHub().PackMatchOrders(
		orders.OfApp(app, t.sign(t.Owner, domain.Hash(app))), theirs,
		orders.OfWorkerpool(offer, t.sign(t.Owner, domain.Hash(offer))), orders.OfRequest(request, t.sign(t.Requester, domain.Hash(request))))))
	deals, err := t.Door().Deals(t.tb.Context(), t.Chain.Head().Block, []pool.Hash{ethsig.DealID(domain.Hash(request), 0)})
	if err != nil || len(deals) != 1 {
		t.tb.Fatalf("%d deals, %v", len(deals), err)
	}
	return deals[0]
}

// Initialize makes a task of a deal take contributions, and gives its id.
func (t *Trade) Initialize(deal pool.Deal, index int) pool.Hash {
	t.tb.Helper()
	t.do(t.Owner, chain.To(t.At.Hub, poco.NewHub().PackInitialize(deal.ID, big.NewInt(int64(index)))))
	return ethsig.TaskID(deal.ID, index)
}

// Authorise gives the pool's word that a wallet may contribute, as workers get it.
func (t *Trade) Authorise(wallet pool.Address, task pool.Hash) string {
	t.tb.Helper()
	signature := t.sign(t.Owner, ethsig.AuthorisationHash(wallet, task, pool.Address{}))
	return "0x" + hex.EncodeToString(signature[:])
}

// Finalize ends a task that was revealed.
func (t *Trade) Finalize(task pool.Hash) {
	t.tb.Helper()
	t.do(t.Owner, chain.To(t.At.Hub, poco.NewHub().PackFinalize(task, []byte(`{"storage":"ipfs"}`), nil)))
}

// Task is a task as the newest block shows it.
func (t *Trade) Task(task pool.Hash) pool.Task {
	t.tb.Helper()
	tasks, err := t.Door().Tasks(t.tb.Context(), t.Chain.Head().Block, []pool.Hash{task})
	if err != nil {
		t.tb.Fatal(err)
	}
	return tasks[0]
}

// Purse is what a wallet has at the newest block.
func (t *Trade) Purse(wallet pool.Address) doors.Purse {
	t.tb.Helper()
	purse, err := t.Door().Purse(t.tb.Context(), t.Chain.Head().Block, wallet)
	if err != nil {
		t.tb.Fatal(err)
	}
	return purse
}

// Nonce counts what a wallet has in blocks.
func (t *Trade) Nonce(key *ethsig.Key) uint64 {
	t.tb.Helper()
	lane := doors.NewSender(doors.SenderConfig{Chain: t.Door(), Signer: key})
	nonce, err := lane.Nonce(t.tb.Context(), t.Chain.Head().Block)
	if err != nil {
		t.tb.Fatal(err)
	}
	return nonce
}

// Door is a door to the chain.
func (t *Trade) Door() *doors.Client {
	t.tb.Helper()
	door, err := doors.Open(doors.Config{URL: t.Chain.URL(), Hub: t.At.Hub, Pool: t.Pool})
	if err != nil {
		t.tb.Fatal(err)
	}
	return door
}

func (t *Trade) do(as ethsig.Signer, calls ...chain.Call) {
	t.tb.Helper()
	if _, err := t.Chain.Account(as).Do(t.tb.Context(), calls...); err != nil {
		t.tb.Fatal(err)
	}
}

func (t *Trade) view(contract pool.Address, data []byte) []byte {
	t.tb.Helper()
	out, err := t.Chain.View(t.tb.Context(), contract, data)
	if err != nil {
		t.tb.Fatal(err)
	}
	return out
}

func (t *Trade) address(at common.Address, err error) pool.Address {
	t.tb.Helper()
	if err != nil {
		t.tb.Fatal(err)
	}
	return pool.Address(at)
}

func (t *Trade) sign(by ethsig.Signer, digest pool.Hash) [65]byte {
	t.tb.Helper()
	signature, err := by.Sign(context.Background(), digest)
	if err != nil {
		t.tb.Fatal(err)
	}
	return signature
}
