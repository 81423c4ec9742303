package buyer

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"workerpool/infra/local/chain"
	"workerpool/infra/local/chain/contracts"
	"workerpool/infra/local/chain/market"
	"workerpool/infra/local/mint"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// town is a local chain on which a pool with three workers is played by hand.
type town struct {
	*testing.T
	folder mint.Folder
	mint   *mint.Mint
	market *market.Market
}

var workers = []string{"one", "two", "wrong"}

func build(t *testing.T) town {
	t.Helper()
	folder := mint.Folder(filepath.Join(t.TempDir(), "chain"))
	m, err := mint.Start(t.Context(), mint.Config{Folder: folder, Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return town{T: t, folder: folder, mint: m, market: market.Open(m.Chain, contracts.Addresses{Hub: m.Place.Hub, RLC: m.Place.RLC})}
}

// open opens a buyer who makes a block at each look instead of waiting for one.
func (t town) open() *Buyer {
	t.Helper()
	b, err := Open(t.folder, func(ctx context.Context, _ time.Duration) error {
		t.mint.Chain.Mine(1)
		return ctx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func (t town) key(name string) *ethsig.Key {
	t.Helper()
	w, err := t.folder.Wallet(name)
	if err != nil {
		t.Fatal(err)
	}
	key, err := w.Key()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// does has an account send calls, and makes the block that they are in.
func (t town) does(name string, calls ...chain.Call) {
	t.Helper()
	hashes, err := t.mint.Chain.Account(t.key(name)).Send(t.Context(), calls...)
	if err != nil {
		t.Fatal(err)
	}
	t.mint.Chain.Mine(1)
	for _, hash := range hashes {
		if done, found := t.mint.Chain.Look(hash); !found || !done.Good {
			t.Fatalf("a call of %s: %+v, %v", name, done, found)
		}
	}
}

// contribute has a worker contribute under the pool's word.
func (t town) contribute(name string, task pool.Hash, digest pool.Digest) {
	t.Helper()
	wallet := t.key(name).Address()
	word, err := ethsig.Word{Signer: t.key(mint.PoolOwner)}.Authorise(t.Context(), wallet, task)
	if err != nil {
		t.Fatal(err)
	}
	t.does(name, t.market.Contribute(wallet, task, digest, word))
}

// settle brings a task to its end: wrong lies when there is a lie.
func (t town) settle(deal pool.Hash, index int, lie bool, results []byte) {
	t.Helper()
	id, truth := ethsig.TaskID(deal, index), pool.Digest{1}
	t.does(mint.PoolOwner, t.market.Initialize(deal, index))
	if lie {
		t.contribute("wrong", id, pool.Digest{2})
	}
	winners := []string{"one", "two"}
	if lie {
		winners = append(winners, mint.AppOwner) // one more is needed against a lie
	}
	for _, name := range winners {
		t.contribute(name, id, truth)
	}
	for _, name := range winners {
		t.does(name, t.market.Reveal(id, truth))
	}
	t.does(mint.PoolOwner, t.market.Finalize(id, results))
}

func TestDeal(t *testing.T) {
	town := build(t)
	b := town.open()
	if !b.Runs(t.Context()) {
		t.Error("the chain does not run")
	}
	other, err := b.Buy(t.Context(), 1, 3, "{}")
	if err != nil {
		t.Fatal(err)
	}
	deal, err := b.Buy(t.Context(), 2, 3, `{"iexec_args":"-n 1"}`)
	if err != nil {
		t.Fatal(err)
	}
	if deal.ID == other.ID || deal.Tasks != 2 || deal.Trust != 3 || deal.Params != `{"iexec_args":"-n 1"}` || deal.AppType != "PROCESS" || deal.Image != mint.AppProgram ||
		deal.Requester != town.key(mint.Requester).Address() || deal.Owner != town.key(mint.PoolOwner).Address() || deal.Block <= other.Block || deal.Gas == 0 || len(deal.TaskIDs) != 2 {
		t.Errorf("bought %+v", deal)
	}
	told := []byte(`{"storage":"ipfs","location":"/ipfs/x"}`)
	town.settle(deal.ID, 0, false, told)
	town.settle(deal.ID, 1, true, nil)
	town.settle(other.ID, 0, true, told) // no part of it may be seen

	tasks, err := b.Look(t.Context(), deal)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range []int{2, 4} {
		if tasks[i].ID != deal.TaskIDs[i] || tasks[i].Status != pool.TaskCompleted || len(tasks[i].Contributions) != n {
			t.Errorf("task %d is %+v", i, tasks[i])
		}
	}
	results, err := b.Results(t.Context(), deal)
	if err != nil || !bytes.Equal(results[deal.TaskIDs[0]], told) || len(results[deal.TaskIDs[1]]) != 0 {
		t.Errorf("the results lie at %q, %v", results, err)
	}
	got, err := b.Account(t.Context(), deal)
	if err != nil {
		t.Fatal(err)
	}
	liar := town.key("wrong").Address()
	if len(got.Faulty) != 1 || got.Faulty[liar] != 1 {
		t.Errorf("of whom were contributions wrong: %v", got.Faulty)
	}
	town.calls(got.Calls)
	town.sheet(got.Sheet)
	var steps []Step
	for _, m := range got.Moments {
		if m.Task == deal.TaskIDs[0] {
			steps = append(steps, m.Step)
		}
		if m.At.Before(deal.Start) || m.Block <= deal.Block {
			t.Errorf("before the deal: %+v", m)
		}
	}
	if want := []Step{Initialized, Contributed, Contributed, Agreed, Revealed, Revealed, Finalized}; !slices.Equal(steps, want) {
		t.Errorf("the first task went through %v, want %v", steps, want)
	}
}

func (t town) calls(got []Call) {
	t.Helper()
	type line struct {
		step Step
		by   string
		sent int
	}
	want := map[line]bool{
		{Initialized, mint.PoolOwner, 2}: true, {Finalized, mint.PoolOwner, 2}: true, {Contributed, "one", 2}: true, {Contributed, "two", 2}: true,
		{Contributed, "wrong", 1}: true, {Contributed, mint.AppOwner, 1}: true, {Revealed, "one", 2}: true, {Revealed, "two", 2}: true, {Revealed, mint.AppOwner, 1}: true,
	}
	names, err := t.folder.Names()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range got {
		if !want[line{c.Step, names[c.By], c.Sent}] || c.Steps != c.Sent || c.Gas < int64(c.Sent)*21_000 {
			t.Errorf("%+v by %s", c, names[c.By])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d kinds of calls, want %d", len(got), len(want))
	}
}

// sheet holds the money to the policy of pools: of a price of 1 RLC each worker
// and the pool stake 30 %, and the pool keeps 1 % of what workers share.
func (t town) sheet(got market.Sheet) {
	t.Helper()
	const rlc pool.NRLC = 1e9
	price := 2 * (mint.AppPrice + mint.PoolPrice)
	want := map[string]market.Line{
		mint.Requester: {Locked: price, Lost: price},
		mint.PoolOwner: {Locked: 6 * rlc / 10, Refunded: 6 * rlc / 10, Earned: rlc/100 + 13*rlc/1000},
		"one":          {Locked: 6 * rlc / 10, Refunded: 6 * rlc / 10, Earned: 99*rlc/200 + 1287*rlc/3000},
		"two":          {Locked: 6 * rlc / 10, Refunded: 6 * rlc / 10, Earned: 99*rlc/200 + 1287*rlc/3000},
		mint.AppOwner:  {Locked: 3 * rlc / 10, Refunded: 3 * rlc / 10, Earned: 2*mint.AppPrice + 1287*rlc/3000},
		"wrong":        {Locked: 3 * rlc / 10, Lost: 3 * rlc / 10},
	}
	for name, line := range want {
		if is := got.Lines[t.key(name).Address()]; is != line {
			t.Errorf("%s: %+v, want %+v", name, is, line)
		}
	}
	if err := got.Check(); err != nil || len(got.Lines) != len(want) || got.Seized != 0 {
		t.Errorf("%d accounts, %d seized, %v", len(got.Lines), got.Seized, err)
	}
}

func TestNothingToBuy(t *testing.T) {
	wait := func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	if _, err := Open(mint.Folder(t.TempDir()), wait); !errors.Is(err, mint.ErrNone) {
		t.Errorf("without a chain: %v", err)
	}
	town := build(t)
	b := town.open()
	// More than the requester has: the hub refuses, nothing is sent.
	if _, err := b.Buy(t.Context(), 900_000, 3, "{}"); err == nil || !bytes.Contains([]byte(err.Error()), []byte("matching the orders")) {
		t.Errorf("a deal that cannot be paid: %v", err)
	}
	if n := town.mint.Chain.Waiting(); n != 0 {
		t.Errorf("%d calls were sent", n)
	}
}
