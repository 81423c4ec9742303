package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"workerpool/infra/local/chain"
	"workerpool/infra/local/chain/market"
	"workerpool/infra/local/database"
	"workerpool/infra/local/host"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// trade is a pool that serves deals of a chain, with workers that have wallets.
type trade struct {
	*bench
	market *market.Market
	terms  market.Terms
}

const stake pool.NRLC = 1e9

func startTrade(t *testing.T, ahead time.Duration, workers int) *trade {
	t.Helper()
	b := &trade{}
	var err error
	if b.market, err = market.Start(t.Context(), chain.Config{Ahead: ahead}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.market.Chain.Close(); err != nil {
			t.Error(err)
		}
	})
	owner, requester := keyOf(t, "owner"), keyOf(t, "requester")
	boss := b.join(t, owner)
	app, err := b.market.CreateApp(t.Context(), boss, market.App{Name: "app", Kind: "PROCESS", Image: "app"})
	if err != nil {
		t.Fatal(err)
	}
	at, err := b.market.CreatePool(t.Context(), boss, "pool", market.Policy{Stake: 30, Reward: 1})
	if err != nil {
		t.Fatal(err)
	}
	b.terms = market.Terms{App: app, AppOwner: owner, Pool: at, PoolOwner: owner, Price: 1000, Requester: b.join(t, requester), Trust: 3}
	sealed, err := owner.Seal("open sesame")
	if err != nil {
		t.Fatal(err)
	}
	secret, err := json.Marshal(map[string]string{"keystore": string(sealed), "password": "open sesame"})
	if err != nil {
		t.Fatal(err)
	}
	b.bench = startOn(t, database.Config{Fast: true}, func(c *host.Config) {
		for name, value := range map[string]string{
			"BlockchainEthEnabled": "true", "WorkerpoolAddress": at.String(), "EthNode": b.market.Chain.URL(), "IexecHubContract": b.market.At.Hub.String(),
			"RlcContract": b.market.At.RLC.String(), "WayOut": "nat", "ChainId": fmt.Sprint(b.market.Chain.ID()), "ChainPoll": "1", "ChainFinality": "latest",
		} {
			c.Parameters[name] = value
		}
		c.Secrets["WalletSecret"], c.TickEvery = string(secret), time.Second
	})
	for i := range workers {
		b.hire(fmt.Sprint("trader-", i), nil)
	}
	b.trusted(workers)
	return b
}

// hire is employ with a wallet.
func (b *trade) hire(name string, flags []string, arguments ...string) {
	b.t.Helper()
	key := keyOf(b.t, name)
	b.join(b.t, key)
	file, password := filepath.Join(b.dir, name+".json"), filepath.Join(b.dir, name+".password")
	sealed, err := key.Seal("open sesame")
	if err == nil {
		err = os.WriteFile(file, sealed, 0o600)
	}
	if err == nil {
		err = os.WriteFile(password, []byte("open sesame"), 0o600)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.employ(name, append([]string{
		"-wallet", file, "-wallet-password-file", password, "-node", b.market.Chain.URL(), "-hub", b.market.At.Hub.String(), "-pool-address", b.terms.Pool.String(),
	}, flags...), arguments...)
}

// trusted waits for so many workers with wallets, which have earned the trust for all
// of their slots.
func (b *trade) trusted(workers int) {
	b.t.Helper()
	b.eventually("the workers are registered", func() (bool, string) {
		return b.count("SELECT COUNT(*) FROM worker WHERE wallet IS NOT NULL") == workers, ""
	})
	if _, err := b.books().Exec("UPDATE worker SET quota = slots"); err != nil {
		b.t.Fatal(err)
	}
}

func keyOf(t *testing.T, name string) *ethsig.Key {
	t.Helper()
	raw := ethsig.Keccak([]byte(name))
	key, err := ethsig.NewKey(raw[:])
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (b *trade) join(t *testing.T, key *ethsig.Key) *chain.Account {
	t.Helper()
	account, err := b.market.Join(t.Context(), key, stake)
	if err != nil {
		t.Fatal(err)
	}
	return account
}

// buy has a deal matched.
func (b *trade) buy(tasks int, args string) pool.Deal {
	b.t.Helper()
	terms := b.terms
	terms.Tasks, terms.Params = tasks, fmt.Sprintf(`{"iexec_args":%q}`, args)
	deal, err := b.market.Match(b.t.Context(), terms)
	if err != nil {
		b.t.Fatal(err)
	}
	return deal
}

// all waits until all tasks of a deal have reached a state of the chain.
func (b *trade) all(d pool.Deal, want pool.TaskStatus) {
	b.t.Helper()
	b.eventually(fmt.Sprintf("the tasks are %d", want), func() (bool, string) {
		for i := range d.Tasks {
			task, err := b.market.Task(b.t.Context(), ethsig.TaskID(d.ID, d.First+i))
			if err != nil || task.Status != want {
				return false, fmt.Sprintf("%+v, %v", task, err)
			}
		}
		return true, ""
	})
}

// count asks the books.
func (b *trade) count(query string, args ...any) (n int) {
	b.t.Helper()
	if err := b.books().QueryRow(query, args...).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

// TestChainClock: the clock of the chain is wrong, and jumps while deals run. Their
// deadlines are judged by it; works of the API, leases and sessions do not notice.
func TestChainClock(t *testing.T) {
	clocks := map[string]time.Duration{"an hour ahead": time.Hour, "an hour behind": -time.Hour}
	for name, ahead := range clocks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startTrade(t, ahead, 3)
			gate := filepath.Join(b.dir, "gate")
			session, err := b.client.Session(t.Context(), wire.Login{Login: operatorLogin, Password: b.login[operatorLogin]})
			if err != nil {
				t.Fatal(err)
			}
			// A deal whose tasks begin before the clock jumps and end after it, while there
			// is time; and a work of the API beside it.
			deal := b.buy(3, "-until "+gate+" sold")
			if off := time.Until(deal.Start) - ahead; off.Abs() > 30*time.Minute {
				t.Fatalf("the deal began at %s: the clock of the chain is right", deal.Start)
			}
			b.all(deal, pool.TaskActive)
			api := b.submit(3, wire.Item{Args: []string{"-until", gate, "given"}})
			b.jump(20 * time.Minute)
			if err := os.WriteFile(gate, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			b.all(deal, pool.TaskCompleted)
			if batch := b.wait(api); batch.States["done"] != 1 {
				t.Errorf("%+v", batch)
			}
			if got := b.result(api.FirstWork); got != "given\n" {
				t.Errorf("the result is %q", got)
			}
			// One whose final deadline passes by the chain's clock, though not by any other.
			other := filepath.Join(b.dir, "other")
			late := b.buy(2, "-until "+other+" late")
			also := b.submit(3, wire.Item{Args: []string{"-until", other, "also"}})
			b.all(late, pool.TaskActive)
			b.eventually("the work runs", func() (bool, string) {
				now := b.work(also.FirstWork)
				return len(now.Assignments) > 1 && now.Assignments[0].State == "running" && now.Assignments[1].State == "running", fmt.Sprintf("%+v", now)
			})
			b.jump(pool.FinalAfter * late.T)
			b.all(late, pool.TaskFailed)
			if err := os.WriteFile(other, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if batch := b.wait(also); batch.States["done"] != 1 {
				t.Errorf("%+v", batch)
			}
			if n := b.count("SELECT COUNT(*) FROM past_assignment a JOIN work w ON w.id = a.work_id WHERE a.state = 'expired'"); n != 0 {
				t.Errorf("%d leases ended", n)
			}
			b.eventually("the deals are settled", func() (bool, string) {
				return b.count("SELECT COUNT(*) FROM deal WHERE state = 'settled'") == 2, ""
			})
			if n := b.count("SELECT COUNT(*) FROM beat WHERE until NOT BETWEEN UTC_TIMESTAMP(6) AND UTC_TIMESTAMP(6) + INTERVAL 10 MINUTE"); n != 0 {
				t.Errorf("%d workers' leases are by another clock", n)
			}
			if _, err := b.client.Batch(t.Context(), session.Token, api.Batch); err != nil {
				t.Errorf("a session of before: %v", err)
			}
			sheet, err := b.market.Sheet(t.Context(), deal.ID, late.ID)
			if err == nil {
				err = sheet.Check()
			}
			if err != nil || sheet.Held != 0 || sheet.Lines[b.terms.Requester.Address()].Lost != 3*b.terms.Price {
				t.Errorf("%+v, %v", sheet, err)
			}
			b.check()
		})
	}
}

// jump lets the chain's clock jump.
func (b *trade) jump(by time.Duration) {
	b.t.Helper()
	if err := b.market.Chain.AdjustTime(by); err != nil {
		b.t.Fatal(err)
	}
}
