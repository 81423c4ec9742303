package owner_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"workerpool/infra/local/chain"
	"workerpool/infra/local/chain/contracts"
	door "workerpool/shared/chain"
	"workerpool/shared/chain/owner"
	"workerpool/shared/chain/poco"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

const stake = pool.NRLC(1000)

type bench struct {
	*testing.T
	on   *chain.Chain
	at   contracts.Addresses
	key  *ethsig.Key
	own  *owner.Owner
	wait func() error // called in the place of each pause
}

// newBench gives a wallet with 1000 nRLC deposited and 1000 not.
func newBench(t *testing.T) *bench {
	t.Helper()
	key, err := ethsig.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	on, err := chain.Start(chain.Config{Fund: []pool.Address{key.Address()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := on.Close(); err != nil {
			t.Error(err)
		}
	})
	at, err := contracts.Deploy(t.Context(), on)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, on: on, at: at, key: key}
	if _, err := on.Rich().Do(t.Context(), chain.To(at.RLC, poco.NewRLC().PackTransfer([20]byte(key.Address()), big.NewInt(int64(2*stake))))); err != nil {
		t.Fatal(err)
	}
	b.own, err = owner.Open(t.Context(), owner.Config{URL: on.URL(), Hub: at.Hub, Wait: func(ctx context.Context, _ time.Duration) error {
		if b.wait == nil {
			return ctx.Err()
		}
		return b.wait()
	}})
	if err != nil {
		t.Fatal(err)
	}
	b.wait = func() error { b.on.Mine(1); return nil }
	if _, err := b.own.Send(t.Context(), key, b.step(b.own.Deposit(t.Context(), key.Address(), stake))); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) step(s *owner.Step, err error) *owner.Step {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func (b *bench) refused(err error, want string) {
	b.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		b.Errorf("%v, want something with %q", err, want)
	}
}

// What a step would cost is enough for it, and what it did is told.
func TestStep(t *testing.T) {
	b := newBench(t)
	step := b.step(b.own.Withdraw(t.Context(), b.key.Address(), stake))
	done, err := b.own.Send(t.Context(), b.key, step)
	if err != nil {
		t.Fatal(err)
	}
	if seen, ok := b.on.Look(done.Hash); !ok || !seen.Good || seen.Block.Number != done.Block || seen.Gas != uint64(done.Gas) || uint64(done.Gas) > step.Gas {
		t.Errorf("%+v of %+v, the chain has %+v", done, step, seen)
	}
	purse, at, err := b.own.Account(t.Context(), b.key.Address())
	if err != nil || purse.Stake != 0 || purse.RLC != 2*stake || at.Number < done.Block {
		t.Errorf("%+v at %d, %v", purse, at.Number, err)
	}
}

// A step that the chain would not do any more is not sent.
func TestStaleStep(t *testing.T) {
	b := newBench(t)
	first, second := b.step(b.own.Withdraw(t.Context(), b.key.Address(), stake)), b.step(b.own.Withdraw(t.Context(), b.key.Address(), 1))
	if _, err := b.own.Send(t.Context(), b.key, first); err != nil {
		t.Fatal(err)
	}
	before := b.on.Head().Number
	_, err := b.own.Send(t.Context(), b.key, second)
	if !errors.Is(err, door.ErrReverts) || pool.KindOf(err) != pool.Conflict {
		t.Errorf("%v", err)
	}
	_, err = b.own.Withdraw(t.Context(), b.key.Address(), 1)
	if !errors.Is(err, door.ErrReverts) {
		t.Errorf("%v", err)
	}
	stranger, err := ethsig.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.own.Send(t.Context(), stranger, first)
	b.refused(err, "the step is of the wallet")
	if now := b.on.Head().Number; now != before || b.on.Waiting() > 0 {
		t.Errorf("%d blocks were made", now-before)
	}
}

// What is in no block for long may still get into one, and the error says so. What
// another transaction of the wallet took the place of will not.
func TestNotMined(t *testing.T) {
	b := newBench(t)
	b.on.Pause()
	waits := 0
	b.wait = func() error { waits++; return nil }
	_, err := b.own.Send(t.Context(), b.key, b.step(b.own.Withdraw(t.Context(), b.key.Address(), 1)))
	b.refused(err, "is in no block after 3m0s: it may still get into one")
	if waits != 360 || b.on.Waiting() != 1 {
		t.Errorf("%d waits; %d wait on the chain", waits, b.on.Waiting())
	}
	b.on.Drop()
	waits = 0
	b.wait = func() error {
		if waits++; waits == 2 { // the pool itself sends by the wallet
			b.on.Drop()
			if _, err := b.on.Account(b.key).Send(t.Context(), chain.To(b.at.Hub, poco.NewHub().PackWithdraw(big.NewInt(2)))); err != nil {
				return err
			}
			b.on.Mine(1)
		}
		return nil
	}
	_, err = b.own.Send(t.Context(), b.key, b.step(b.own.Withdraw(t.Context(), b.key.Address(), 1)))
	b.refused(err, "came to nothing: another transaction of the wallet took its place")
	b.wait = func() error { return context.Canceled }
	_, err = b.own.Send(t.Context(), b.key, b.step(b.own.Withdraw(t.Context(), b.key.Address(), 1)))
	b.refused(err, "was sent and may get into a block")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// An answer that is lost after the node took the transaction costs nothing: the
// same bytes are sent again, and the receipt is found.
func TestLostAnswers(t *testing.T) {
	b := newBench(t)
	var lost atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		answer, err := http.Post(b.on.URL(), "application/json", bytes.NewReader(text))
		if err != nil {
			t.Error(err)
			return
		}
		defer answer.Body.Close()
		if bytes.Contains(text, []byte("eth_sendRawTransaction")) && lost.Add(1) == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if _, err := io.Copy(w, answer.Body); err != nil {
			t.Error(err)
		}
	}))
	defer proxy.Close()
	b.on.Pause()
	through, err := owner.Open(t.Context(), owner.Config{URL: proxy.URL, Hub: b.at.Hub, Wait: func(context.Context, time.Duration) error {
		b.on.Mine(1)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	step := b.step(through.Withdraw(t.Context(), b.key.Address(), 7))
	done, err := through.Send(t.Context(), b.key, step)
	if err != nil || lost.Load() != 2 {
		t.Fatalf("%+v, %v, sent %d times", done, err, lost.Load())
	}
	if purse, _, err := b.own.Account(t.Context(), b.key.Address()); err != nil || purse.Stake != stake-7 {
		t.Errorf("%+v, %v", purse, err)
	}
}

func TestOpenRefused(t *testing.T) {
	b := newBench(t)
	for name, c := range map[string]struct {
		url  string
		hub  pool.Address
		want string
	}{
		"nobody":           {b.on.URL(), pool.Address{19: 1}, "there is no iExec hub at 0x0000000000000000000000000000000000000001 of chain 31337"},
		"the token":        {b.on.URL(), b.at.RLC, "there is no iExec hub"},
		"no node":          {"http://127.0.0.1:1/secret", b.at.Hub, "the node is not reachable"},
		"another protocol": {"ftp://secret", b.at.Hub, "http"},
	} {
		_, err := owner.Open(t.Context(), owner.Config{URL: c.url, Hub: c.hub})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
		if name == "no node" && pool.KindOf(err) != pool.Unavailable {
			t.Errorf("%s: kind %q", name, pool.KindOf(err))
		}
	}
}
