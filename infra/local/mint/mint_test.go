package mint

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"workerpool/infra/local/orders"
	"workerpool/shared/chain"
	"workerpool/shared/chain/fit"
	"workerpool/shared/chain/poco"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

func start(t *testing.T, f Folder, workers ...string) (m *Mint, end func()) {
	t.Helper()
	m, err := Start(t.Context(), Config{Folder: f, Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	return m, func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}

func wallet(t *testing.T, f Folder, name string) Wallet {
	t.Helper()
	w, err := f.Wallet(name)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func purse(t *testing.T, m *Mint, w Wallet) chain.Purse {
	t.Helper()
	door, err := chain.Open(chain.Config{URL: m.Chain.URL(), Hub: m.Place.Hub})
	if err != nil {
		t.Fatal(err)
	}
	has, err := door.Purse(t.Context(), m.Chain.Head().Block, w.Address)
	if err != nil {
		t.Fatal(err)
	}
	return has
}

// TestMadeOnce starts a chain, and again with more workers: all stays, and who is
// new gets money.
func TestMadeOnce(t *testing.T) {
	f := Folder(filepath.Join(t.TempDir(), "chain"))
	first, end := start(t, f, "local-1")
	at := first.Place
	if err := fit.Check(t.Context(), door(t, first), fit.Wanted{ChainID: at.ID, Hub: at.Hub, RLC: at.RLC, Pool: at.Workerpool, Wallet: wallet(t, f, PoolOwner).Address}); err != nil {
		t.Errorf("the pool would not start on it: %v", err)
	}
	before := first.Chain.Head()
	for _, name := range []string{PoolOwner, AppOwner, Requester, "local-1"} {
		if has := purse(t, first, wallet(t, f, name)); has.Stake < leastStake || has.Gas.Cmp(leastGas) < 0 {
			t.Errorf("%s has %+v", name, has)
		}
	}
	if _, err := f.Wallet("local-2"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a wallet that nobody asked for: %v", err)
	}
	end()

	again, end := start(t, f, "local-1", "local-2")
	defer end()
	was, is := first.Place, again.Place
	was.Node, is.Node = "", ""
	if was != is {
		t.Errorf("the chain is at %+v, was at %+v", is, was)
	}
	if got := again.Chain.Block(before.Number); got != before.Block {
		t.Errorf("block %d is %+v, was %+v", before.Number, got, before.Block)
	}
	if has := purse(t, again, wallet(t, f, "local-2")); has.Stake != givenStake || has.Gas.Cmp(leastGas) < 0 {
		t.Errorf("a worker that is new has %+v", has)
	}
	if has := purse(t, again, wallet(t, f, "local-1")); has.Stake != givenStake {
		t.Errorf("who has enough got more: %+v", has)
	}
	names, err := f.Names()
	if err != nil || len(names) != 5 || names[wallet(t, f, "local-2").Address] != "local-2" {
		t.Errorf("the wallets are %v, %v", names, err)
	}
	noted, err := f.Place()
	if err != nil || noted != again.Place {
		t.Errorf("the folder says %+v, %v; want %+v", noted, err, again.Place)
	}
}

func door(t *testing.T, m *Mint) *chain.Client {
	t.Helper()
	door, err := chain.Open(chain.Config{URL: m.Chain.URL(), Hub: m.Place.Hub, Pool: m.Place.Workerpool, Final: "latest"})
	if err != nil {
		t.Fatal(err)
	}
	return door
}

// TestOrders asks the hub whether the published orders could make a deal.
func TestOrders(t *testing.T) {
	f := Folder(t.TempDir())
	m, end := start(t, f)
	defer end()
	var app poco.IexecLibOrdersV5AppOrder
	var offer poco.IexecLibOrdersV5WorkerpoolOrder
	if err := errors.Join(orders.Read(f.AppOrder(), m.Place.ID, orders.App, &app), orders.Read(f.Order(), m.Place.ID, orders.Workerpool, &offer)); err != nil {
		t.Fatal(err)
	}
	requester, err := wallet(t, f, Requester).Key()
	if err != nil {
		t.Fatal(err)
	}
	want := ethsig.RequestOrder{
		App: m.Place.App, AppMaxPrice: AppPrice, WorkerpoolMaxPrice: PoolPrice, Requester: requester.Address(), Beneficiary: requester.Address(),
		Volume: 16, Trust: 3, Params: `{"iexec_args":"-n 4"}`,
	}
	hash := ethsig.Domain{ChainID: m.Place.ID, Hub: m.Place.Hub}.Hash(want)
	signature, err := requester.Sign(t.Context(), hash)
	if err != nil {
		t.Fatal(err)
	}
	hub := poco.NewHub()
	answer, err := m.Chain.View(t.Context(), m.Place.Hub, hub.PackMatchOrders(app, orders.NoDataset(), offer, orders.OfRequest(want, signature)))
	if err != nil {
		t.Fatal(err)
	}
	if deal, err := hub.UnpackMatchOrders(answer); err != nil || deal != ethsig.DealID(hash, 0) {
		t.Errorf("the deal would be %x, %v", deal, err)
	}
}

// TestUnfinished starts where an earlier start did not come to its end.
func TestUnfinished(t *testing.T) {
	f := Folder(t.TempDir())
	if err := os.MkdirAll(f.path("blocks", "chain", "chaindata"), 0o700); err != nil {
		t.Fatal(err)
	}
	m, end := start(t, f)
	defer end()
	if m.Place.Workerpool.IsZero() || m.Place.App.IsZero() {
		t.Errorf("it is at %+v", m.Place)
	}
}

func TestSecrets(t *testing.T) {
	f := Folder(t.TempDir())
	if _, err := f.Place(); !errors.Is(err, ErrNone) {
		t.Errorf("an empty folder: %v", err)
	}
	if err := os.Mkdir(f.path("wallets"), 0o700); err != nil {
		t.Fatal(err)
	}
	made, err := f.wallet("somebody")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{made.File, made.PasswordFile} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s may be read as %v, %v", path, info.Mode(), err)
		}
	}
	if again, err := f.wallet("somebody"); err != nil || again != made || again != wallet(t, f, "somebody") {
		t.Errorf("the wallet is %+v, %v; was %+v", again, err, made)
	}
	secret, err := made.Secret()
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]string
	if err := json.Unmarshal([]byte(secret), &values); err != nil {
		t.Fatal(err)
	}
	if key, err := ethsig.OpenWallet(values); err != nil || key.Address() != made.Address || key.Address() == (pool.Address{}) {
		t.Errorf("the secret holds %v, %v; want the key of %s", key, err, made.Address)
	}
}
