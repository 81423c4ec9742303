//go:build linux

package chainside

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"workerpool/infra/local/chain/tradetest"
	"workerpool/shared/chain"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// Two workers work for a deal at trust 3, from the weighing to the payment.
func TestTwoWorkersAreAgreedAndPaid(t *testing.T) {
	ann, ben := tradetest.Key(t, "ann"), tradetest.Key(t, "ben")
	trade := tradetest.New(t, ann, ben)
	one, two := newHand(t, trade, ann), newHand(t, trade, ben)
	deal := trade.Match(2, 3, "-c true")
	one.refuses(deal, 0, "") // also before it is initialized
	one.refuses(deal, 2, "the deal has the tasks 0 to 1, not 2")
	task := trade.Initialize(deal, 0)
	one.refuses(deal, 0, "")
	for _, h := range []*hand{one, two} {
		p := h.promise(task, deal, "42")
		h.does(h.Contribute, p)
		h.does(h.Contribute, p)
		if c, ok := trade.Task(task).Of(h.Wallet); !ok || c.Status != pool.Contributed || c.Hash != ethsig.ResultHash(task, pool.Digest(ethsig.Keccak([]byte("42")))) {
			t.Errorf("the chain shows %+v", c)
		}
		if purse := trade.Purse(h.Wallet); purse.Locked != tradetest.Stake || purse.Stake != tradetest.Deposit-tradetest.Stake {
			t.Errorf("%d are locked, %d are free", purse.Locked, purse.Stake)
		}
	}
	if seen := trade.Task(task); seen.Status != pool.TaskRevealing {
		t.Fatalf("no consensus: %+v", seen)
	}
	one.refuses(deal, 0, "the task takes no contributions any more")
	for _, h := range []*hand{one, two} {
		h.does(h.Reveal, h.promise(task, deal, "42"))
		h.does(h.Reveal, h.promise(task, deal, "42"))
	}
	trade.Finalize(task)
	if seen := trade.Task(task); seen.Status != pool.TaskCompleted || seen.Reveals != 2 {
		t.Errorf("%+v", seen)
	}
	for _, h := range []*hand{one, two} {
		if purse := trade.Purse(h.Wallet); purse.Locked != 0 || purse.Stake <= tradetest.Deposit {
			t.Errorf("not paid: %+v", purse)
		}
		if n := trade.Nonce(h.key); n != 2 {
			t.Errorf("%d transactions, want one contribution and one reveal", n)
		}
	}
}

// What a wallet must be able to pay for is more than what calls use, with the head
// room that they are sent with.
func TestGasIsEnough(t *testing.T) {
	keys := []*ethsig.Key{tradetest.Key(t, "ann"), tradetest.Key(t, "ben"), tradetest.Key(t, "cleo")}
	trade := tradetest.New(t, keys...)
	deal := trade.Match(1, 5, "-c true")
	task := trade.Initialize(deal, 0)
	var hands []*hand
	for _, key := range keys {
		hands = append(hands, newHand(t, trade, key))
	}
	for _, step := range []struct {
		say  func(*hand) func(context.Context, Promise) error
		most int64
	}{
		{func(h *hand) func(context.Context, Promise) error { return h.Contribute }, contributeGas},
		{func(h *hand) func(context.Context, Promise) error { return h.Reveal }, revealGas},
	} {
		for _, h := range hands {
			h.does(step.say(h), h.promise(task, deal, "42"))
			done, ok := trade.Chain.Look(ethsig.Keccak(<-h.sent))
			if limit := int64(done.Gas) * 13 / 10; !ok || limit > step.most {
				t.Errorf("%d gas used, limited to %d, asked for are %d", done.Gas, limit, step.most)
			}
		}
	}
}

// The contract itself refuses what this side refuses: another's word, another
// wallet's, another task's.
func TestTheContractAgreesOnAuthorisations(t *testing.T) {
	ann, ben := tradetest.Key(t, "ann"), tradetest.Key(t, "ben")
	trade := tradetest.New(t, ann, ben)
	h := newHand(t, trade, ann)
	deal := trade.Match(2, 3, "-c true")
	task, other := trade.Initialize(deal, 0), trade.Initialize(deal, 1)
	for name, c := range map[string]struct{ word string }{
		"forged":         {word(t, ben, ann.Address(), task)},
		"another wallet": {trade.Authorise(ben.Address(), task)},
		"another task":   {trade.Authorise(ann.Address(), other)},
	} {
		p := h.promise(task, deal, "42")
		p.Authorisation = c.word
		h.fails(h.Contribute, p, "the pool's authorisation is not good")
		raw, err := hex.DecodeString(c.word[2:])
		if err != nil {
			t.Fatal(err)
		}
		of := pool.Digest(ethsig.Keccak([]byte("42")))
		_, err = h.lane.send(context.Background(), contribution, task,
			h.Hub.Contribute(task, ethsig.ResultHash(task, of), ethsig.ResultSeal(h.Wallet, task, of), raw))
		if !errors.Is(err, chain.ErrReverts) {
			t.Errorf("%s: the contract says %v", name, err)
		}
	}
	if n := trade.Nonce(ann); n != 0 {
		t.Errorf("%d transactions were sent", n)
	}
	h.does(h.Contribute, h.promise(task, deal, "42"))
}

// A deal of another pool is none for this worker.
func TestAnotherPoolsDeal(t *testing.T) {
	ann := tradetest.Key(t, "ann")
	trade := tradetest.New(t, ann)
	deal := trade.Match(1, 1, "-c true")
	newHand(t, trade, ann).refuses(deal, 0, "")
	elsewhere := *trade
	elsewhere.Pool = trade.App
	newHand(t, &elsewhere, ann).refuses(deal, 0, "the chain knows no deal "+deal.ID.String()+" of this worker's pool")
}

func TestPoorWallets(t *testing.T) {
	ann, ben := tradetest.Key(t, "ann"), tradetest.Key(t, "ben")
	trade := tradetest.New(t, ann)
	deal := trade.Match(1, 3, "-c true")
	task := trade.Initialize(deal, 0)
	h := newHand(t, trade, ann)
	trade.Withdraw(ann, tradetest.Deposit-tradetest.Stake+1)
	h.refuses(deal, 0, "the worker's stake is too low: 299 nRLC are free at the hub, 300 are needed")
	h.fails(h.Contribute, h.promise(task, deal, "42"), "the worker's stake is too low")
	trade.Deposit(ann.Address(), 1)
	h.refuses(deal, 0, "")

	trade.Deposit(ben.Address(), tradetest.Deposit)
	dry := newHand(t, trade, ben)
	dry.refuses(deal, 0, "the worker's wallet is too poor for the gas: it has 0 wei")
	dry.fails(dry.Contribute, dry.promise(task, deal, "42"), "the worker's wallet is too poor for the gas")
	if err := trade.Chain.Give(t.Context(), ben.Address()); err != nil {
		t.Fatal(err)
	}
	dry.refuses(deal, 0, "")
	dry.does(dry.Contribute, dry.promise(task, deal, "42"))
}

// Time is the chain's.
func TestLateByTheChainsClock(t *testing.T) {
	ann := tradetest.Key(t, "ann")
	trade := tradetest.New(t, ann)
	h := newHand(t, trade, ann)
	later := func(d time.Duration) {
		t.Helper()
		if err := trade.Chain.AdjustTime(d); err != nil {
			t.Fatal(err)
		}
	}
	deal := trade.Match(2, 1, "-c true")
	task, second := trade.Initialize(deal, 0), trade.Initialize(deal, 1)
	later(deal.ContributeBy().Add(-6*time.Minute - time.Second).Sub(trade.Chain.Head().Time))
	h.refuses(deal, 0, "")
	later(3 * time.Second)
	h.refuses(deal, 0, "too late: contributions are taken for another 5m58s")
	h.does(h.Contribute, h.promise(task, deal, "42"))
	later(10 * time.Minute)
	h.fails(h.Contribute, h.promise(second, deal, "42"), "too late: contributions were taken until")
	h.fails(h.Reveal, h.promise(task, deal, "42"), "too late: reveals were taken until")
	if n := trade.Nonce(ann); n != 1 {
		t.Errorf("%d transactions, want the one in time", n)
	}
}

// The worker dies between storing and sending, or while it waits for the answer:
// the next life goes on, and the chain has one contribution by one transaction.
func TestContributionOutlivesTheWorker(t *testing.T) {
	for name, reached := range map[string]bool{"before it is sent": false, "before the answer": true} {
		t.Run(name, func(t *testing.T) {
			ann := tradetest.Key(t, "ann")
			trade := tradetest.New(t, ann)
			h := newHand(t, trade, ann)
			deal := trade.Match(1, 1, "-c true")
			task := trade.Initialize(deal, 0)
			trade.Chain.Pause()
			h.end()
			h.end = func() {}
			h.deaf, h.dead = errors.New("killed"), !reached
			ctx, cancel := context.WithCancel(context.Background())
			cancel() // it does not live to hear of it
			h.say(ctx, h.promise(task, deal, "42"))
			if waiting := trade.Chain.Waiting(); (waiting == 1) != reached {
				t.Fatalf("%d transactions wait", waiting)
			}
			h.deaf, h.dead = nil, false
			h.live()
			trade.Chain.Resume()
			h.does(h.Contribute, h.promise(task, deal, "42"))
			h.does(h.Reveal, h.promise(task, deal, "42"))
			if n := trade.Nonce(ann); n != 2 || len(trade.Task(task).Contributions) != 1 {
				t.Errorf("%d transactions: %+v", n, trade.Task(task))
			}
		})
	}
}

// say stores and sends a contribution and does not wait.
func (h *hand) say(ended context.Context, p Promise) {
	h.t.Helper()
	what, digest, err := h.result(p)
	if err != nil {
		h.t.Fatal(err)
	}
	call := h.Hub.Contribute(what.task, ethsig.ResultHash(what.task, digest), ethsig.ResultSeal(h.Wallet, what.task, digest), what.authorisation)
	sent, err := h.lane.send(context.Background(), contribution, what.task, call)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := sent.wait(ended); !errors.Is(err, context.Canceled) {
		h.t.Errorf("%v", err)
	}
}

// A block takes its time, and gas becomes dearer: the same contribution is sent
// again under its nonce for more.
func TestContributionThatIsNotMined(t *testing.T) {
	ann := tradetest.Key(t, "ann")
	trade := tradetest.New(t, ann)
	h := newHand(t, trade, ann)
	deal := trade.Match(1, 1, "-c true")
	task := trade.Initialize(deal, 0)
	trade.Chain.Pause()
	done := make(chan error)
	go func() { done <- h.Contribute(context.Background(), h.promise(task, deal, "42")) }()
	first := <-h.sent
	trade.Chain.Drop() // the node was started anew
	h.ahead.Store(int64(sendAgain))
	if again := <-h.sent; !bytes.Equal(first, again) {
		t.Error("other bytes were sent again")
	}
	h.ahead.Store(int64(payMore))
	if dearer := <-h.sent; bytes.Equal(first, dearer) {
		t.Error("the same bytes were to pay more")
	}
	trade.Chain.Resume()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := trade.Nonce(ann); n != 1 {
		t.Errorf("%d transactions", n)
	}
}

// What a reorganisation takes back is said again when the pool asks again.
func TestContributionTakenBack(t *testing.T) {
	ann := tradetest.Key(t, "ann")
	trade := tradetest.New(t, ann)
	h := newHand(t, trade, ann)
	deal := trade.Match(1, 1, "-c true")
	task := trade.Initialize(deal, 0)
	for _, keep := range []bool{false, true} {
		h.does(h.Contribute, h.promise(task, deal, "42"))
		if err := trade.Chain.Reorganise(1, keep); err != nil {
			t.Fatal(err)
		}
		if n := len(trade.Task(task).Contributions); (n == 1) != keep {
			t.Fatalf("%d contributions after a reorganisation, keep %v", n, keep)
		}
	}
	h.does(h.Contribute, h.promise(task, deal, "42"))
	h.does(h.Reveal, h.promise(task, deal, "42"))
	if err := trade.Chain.Reorganise(1, false); err != nil {
		t.Fatal(err)
	}
	h.does(h.Reveal, h.promise(task, deal, "42"))
	if c, _ := trade.Task(task).Of(h.Wallet); c.Status != pool.Proved {
		t.Errorf("%+v", c)
	}
}
