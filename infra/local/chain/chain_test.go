package chain

import (
	"context"
	"errors"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

func started(t *testing.T, c Config) *Chain {
	t.Helper()
	chain, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := chain.Close(); err != nil {
			t.Error(err)
		}
	})
	return chain
}

func newKey(t *testing.T) *ethsig.Key {
	t.Helper()
	key, err := ethsig.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// pay sends 1 wei to a new account and gives what was sent.
func pay(t *testing.T, chain *Chain) pool.Hash {
	t.Helper()
	to := newKey(t).Address()
	sent, err := chain.Rich().Send(t.Context(), Call{To: &to, Value: big.NewInt(1), Gas: 21000})
	if err != nil {
		t.Fatal(err)
	}
	return sent[0]
}

func done(t *testing.T, chain *Chain, hash pool.Hash) Done {
	t.Helper()
	out, err := chain.Done(t.Context(), hash)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestServed asks the chain as any program would.
func TestServed(t *testing.T) {
	funded := newKey(t)
	chain := started(t, Config{ID: 42161, Fund: []pool.Address{funded.Address()}})
	for _, url := range []string{chain.URL(), chain.WSURL()} {
		client, err := ethclient.Dial(url)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		id, err := client.ChainID(t.Context())
		if err != nil || id.Uint64() != 42161 || chain.ID() != 42161 {
			t.Errorf("%s: chain %v: %v", url, id, err)
		}
		balance, err := client.BalanceAt(t.Context(), common.Address(funded.Address()), nil)
		if err != nil || balance.Cmp(wealth) != 0 {
			t.Errorf("%s: a funded account has %v wei, want %v: %v", url, balance, wealth, err)
		}
	}
	client, err := ethclient.Dial(chain.WSURL())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	heads := make(chan *types.Header, 8)
	if _, err := client.SubscribeNewHead(t.Context(), heads); err != nil {
		t.Fatal(err)
	}
	mined := done(t, chain, pay(t, chain))
	select {
	case head := <-heads:
		if pool.Hash(head.Hash()) != mined.Block.Hash {
			t.Errorf("block %s was told of, made was %s", head.Hash(), mined.Block.Hash)
		}
	case <-t.Context().Done():
		t.Error("no block was told of")
	}
	if response, err := http.Get(chain.URL()); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("a look by GET: %v, %v", response, err)
	}
}

func TestAddresses(t *testing.T) {
	one := started(t, Config{})
	addr := strings.TrimPrefix(one.URL(), "http://")
	if _, err := Start(Config{Addr: addr}); err == nil {
		t.Errorf("two chains are served on %s", addr)
	}
	for _, bad := range []string{"0.0.0.0:0", "127.0.0.1", "127.0.0.1:http"} {
		if chain, err := Start(Config{Addr: bad}); err == nil {
			t.Errorf("served on %q: %s", bad, chain.URL())
		}
	}
	if other := started(t, Config{}); other.Rich().Address() != one.Rich().Address() {
		t.Error("the rich account is another one on another chain")
	}
}

func TestBlocks(t *testing.T) {
	chain := started(t, Config{})
	if head := chain.Head(); head.Number != 0 || head.Finalized != 0 || time.Since(head.Time) > time.Minute {
		t.Errorf("at the start: %+v", head)
	}
	first := done(t, chain, pay(t, chain))
	if !first.Good || first.Gas != 21000 || first.Block != chain.Head().Block || first.Block.Number != 1 {
		t.Errorf("a payment: %+v, head %+v", first, chain.Head())
	}
	chain.Mine(40)
	head := chain.Head()
	if head.Number != 41 || head.Finalized != 32 {
		t.Errorf("41 blocks: %+v", head)
	}
	if got := chain.Block(41); got != head.Block {
		t.Errorf("block 41: %+v, want %+v", got, head.Block)
	}
	if got := chain.Block(42); got != (pool.Block{Number: 42}) {
		t.Errorf("a block that is not there: %+v", got)
	}
	if second := chain.Block(2); !second.Time.After(first.Block.Time) {
		t.Errorf("block 2 of %s is not after block 1 of %s", second.Time, first.Block.Time)
	}
}

func TestPeriod(t *testing.T) {
	chain := started(t, Config{Period: 20 * time.Millisecond})
	if err := chain.Wait(t.Context(), chain.Head().Number+1); err != nil {
		t.Fatal(err)
	}
	if got := done(t, chain, pay(t, chain)); !got.Good {
		t.Errorf("a payment: %+v", got)
	}
	chain.Pause()
	held := chain.Head()
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := chain.Wait(short, held.Number); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a paused chain went on from %+v to %+v: %v", held, chain.Head(), err)
	}
	chain.Resume()
	if err := chain.Wait(t.Context(), held.Number); err != nil {
		t.Fatal(err)
	}
}

func TestTime(t *testing.T) {
	chain := started(t, Config{})
	before := chain.Head()
	if err := chain.AdjustTime(10 * time.Hour); err != nil {
		t.Fatal(err)
	}
	after := chain.Head()
	if got := after.Time.Sub(before.Time); got != 10*time.Hour || after.Number != before.Number+1 {
		t.Errorf("the next block is %s later: %+v", got, after)
	}
	if next := done(t, chain, pay(t, chain)); next.Block.Time.Before(after.Time) {
		t.Errorf("the time went back from %s to %s", after.Time, next.Block.Time)
	}
	// Time passes over what waits.
	chain.Pause()
	waiting := pay(t, chain)
	if err := chain.AdjustTime(time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, found := chain.Look(waiting); found || chain.Waiting() != 1 {
		t.Errorf("what waits is in a block: %v, %d wait", found, chain.Waiting())
	}
	chain.Resume()
	if got := done(t, chain, waiting); got.Block.Time.Sub(after.Time) < time.Hour {
		t.Errorf("it is in a block of %s", got.Block.Time)
	}
}

func TestStuck(t *testing.T) {
	chain := started(t, Config{})
	chain.Pause()
	first, second := pay(t, chain), pay(t, chain)
	if _, found := chain.Look(first); found || chain.Waiting() != 2 || chain.Head().Number != 0 {
		t.Errorf("a paused chain: %d wait, head %+v", chain.Waiting(), chain.Head())
	}
	chain.Drop()
	if chain.Waiting() != 0 {
		t.Errorf("%d wait after all was dropped", chain.Waiting())
	}
	third := pay(t, chain)
	chain.Resume()
	done(t, chain, third)
	for _, hash := range []pool.Hash{first, second} {
		if got, found := chain.Look(hash); found {
			t.Errorf("what was dropped is in block %+v", got.Block)
		}
	}
	if chain.Head().Number != 1 {
		t.Errorf("%d blocks for one payment", chain.Head().Number)
	}
}

func TestReorganise(t *testing.T) {
	for name, keep := range map[string]bool{"kept": true, "dropped": false} {
		t.Run(name, func(t *testing.T) {
			chain := started(t, Config{})
			stays := done(t, chain, pay(t, chain))
			one, two := done(t, chain, pay(t, chain)), done(t, chain, pay(t, chain))
			chain.Mine(1)
			old := chain.Head()
			if err := chain.Reorganise(3, keep); err != nil {
				t.Fatal(err)
			}
			head := chain.Head()
			if head.Number != old.Number+1 || !head.Time.After(old.Time) {
				t.Errorf("the head was %+v and is %+v", old, head)
			}
			for n := stays.Block.Number + 1; n <= old.Number; n++ {
				if got := chain.Block(n); got.Hash == one.Block.Hash || got.Hash == two.Block.Hash || got.Hash == old.Hash {
					t.Errorf("block %d is still there", n)
				}
			}
			if got, found := chain.Look(stays.Hash); !found || got.Block != stays.Block {
				t.Errorf("what lies before is in %+v, was in %+v", got.Block, stays.Block)
			}
			for _, was := range []Done{one, two} {
				got, found := chain.Look(was.Hash)
				switch {
				case found != keep:
					t.Errorf("a payment is in a block: %v, want %v", found, keep)
				case keep && (got.Block.Hash == was.Block.Hash || !got.Block.Time.After(old.Time)):
					t.Errorf("a payment was in %+v and is in %+v", was.Block, got.Block)
				}
			}
			if chain.Waiting() != 0 {
				t.Errorf("%d wait", chain.Waiting())
			}
			// The chain goes on.
			done(t, chain, pay(t, chain))
		})
	}
}

func TestReorganiseRefused(t *testing.T) {
	chain := started(t, Config{})
	chain.Mine(34)
	before := chain.Head()
	for _, n := range []int{3, 34, 35} {
		if err := chain.Reorganise(n, true); !errors.Is(err, ErrFinal) {
			t.Errorf("%d blocks of 34 were replaced, 32 of which can no longer change", n)
		}
	}
	if chain.Head() != before {
		t.Errorf("the head went from %+v to %+v", before, chain.Head())
	}
	if err := chain.Reorganise(2, true); err != nil {
		t.Error(err)
	}
}

// TestBusy has the chain do all at once: nothing may hang or be lost.
func TestBusy(t *testing.T) {
	chain := started(t, Config{})
	accounts := make([]*Account, 3)
	for i := range accounts {
		accounts[i] = chain.Account(newKey(t))
		if err := chain.Give(t.Context(), accounts[i].Address()); err != nil {
			t.Fatal(err)
		}
	}
	chain.Mine(32) // so that the gifts stay
	failures := make(chan error, len(accounts)+1)
	for _, account := range accounts {
		go func() {
			to := chain.Rich().Address()
			for range 15 {
				if _, err := account.Send(t.Context(), Call{To: &to, Gas: 21000}); err != nil {
					failures <- err
					return
				}
			}
			failures <- nil
		}()
	}
	go func() {
		for range 5 {
			if err := chain.AdjustTime(time.Minute); err != nil {
				failures <- err
				return
			}
			if err := chain.Reorganise(1, true); err != nil && !errors.Is(err, ErrFinal) {
				failures <- err
				return
			}
		}
		failures <- nil
	}()
	for range cap(failures) {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
	for seen := chain.Head().Number; chain.Waiting() > 0; seen = chain.Head().Number {
		if err := chain.Wait(t.Context(), seen); err != nil {
			t.Fatal(err)
		}
	}
	client := ethclient.NewClient(chain.rpc)
	for _, account := range accounts {
		if n, err := client.NonceAt(t.Context(), common.Address(account.Address()), nil); err != nil || n != 15 {
			t.Errorf("%d of 15 sendings are in blocks: %v", n, err)
		}
	}
}

func TestFailures(t *testing.T) {
	chain := started(t, Config{})
	poor := chain.Account(newKey(t))
	to := newKey(t).Address()
	if _, err := poor.Send(t.Context(), Call{To: &to, Value: big.NewInt(1), Gas: 21000}); err == nil {
		t.Error("an account without money paid")
	}
	if err := chain.Give(t.Context(), poor.Address()); err != nil {
		t.Fatal(err)
	}
	// Code that reverts when it is called: PUSH0 PUSH0 REVERT, put there by a constructor.
	made, err := poor.Do(t.Context(), Call{Data: common.FromHex("625f5ffd5f526003601df3")})
	if err != nil {
		t.Fatal(err)
	}
	at := made[0].Contract
	if _, err := poor.Send(t.Context(), To(at, nil)); err == nil {
		t.Error("a call that must fail was sent")
	}
	forced := To(at, nil)
	forced.Gas = 50000
	if all, err := poor.Try(t.Context(), forced); err != nil || all[0].Good {
		t.Errorf("a call that reverts: %+v, %v", all, err)
	}
	if _, err := poor.Do(t.Context(), forced); err == nil || !strings.Contains(err.Error(), "reverted") {
		t.Errorf("a call that reverts: %v", err)
	}
	if _, err := chain.View(t.Context(), at, nil); err == nil {
		t.Error("asking what reverts gave an answer")
	}
	var failed rpc.Error
	if _, err := chain.View(t.Context(), at, nil); !errors.As(err, &failed) || failed.ErrorCode() != 3 {
		t.Errorf("asking what reverts: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := chain.Done(ended, pool.Hash{1}); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for what was never sent: %v", err)
	}
}
