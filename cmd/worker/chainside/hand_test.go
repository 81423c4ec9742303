//go:build linux

package chainside

import (
	"context"
	"errors"
	"log/slog"
	"math/big"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"workerpool/cmd/worker/ledger"
	"workerpool/infra/local/chain/tradetest"
	"workerpool/shared/chain"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// hand is a worker's account on a real chain. Each life of it has the same ledger.
type hand struct {
	*Account
	t     *testing.T
	trade *tradetest.Trade
	key   *ethsig.Key
	books *ledger.Ledger
	ahead atomic.Int64 // nanoseconds, of the worker's clock
	deaf  error        // what sending gives instead of an answer
	dead  bool         // it does not even reach the node
	sent  chan []byte  // what reached it
	end   func()
}

func newHand(t *testing.T, trade *tradetest.Trade, key *ethsig.Key) *hand {
	t.Helper()
	books, err := ledger.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h := &hand{t: t, trade: trade, key: key, books: books, sent: make(chan []byte, 100)}
	h.live()
	t.Cleanup(func() { h.end() })
	return h
}

// live begins a life.
func (h *hand) live() {
	h.t.Helper()
	sent, err := h.books.Sent(h.trade.At.Hub.String(), h.key.Address().String())
	if err != nil {
		h.t.Fatal(err)
	}
	door := h.trade.Door()
	sender := chain.NewSender(chain.SenderConfig{Chain: door, Signer: h.key, MaxGasPrice: big.NewInt(1e12)})
	h.Account, err = New(Config{
		Wallet: h.key.Address(), Node: door, Hub: door, Sender: &doubt{sender, h}, Sent: sent,
		Now: func() time.Time { return time.Now().Add(time.Duration(h.ahead.Load())) }, Log: slog.New(slog.DiscardHandler),
		After: func(time.Duration) <-chan time.Time { return time.After(time.Millisecond) },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.Run(ctx)
	}()
	h.end = func() {
		cancel()
		<-ended
	}
}

// doubt is a sender whose calls may get lost, on the way there or back.
type doubt struct {
	*chain.Sender
	h *hand
}

func (d *doubt) Send(ctx context.Context, raw []byte) error {
	if d.h.dead {
		return d.h.deaf
	}
	d.h.sent <- raw
	return errors.Join(d.Sender.Send(ctx, raw), d.h.deaf)
}

// offer is a run as the pool offers it.
func (h *hand) offer(deal pool.Deal, index int) wire.Run {
	h.t.Helper()
	batch, err := wire.FromDeal(deal)
	if err != nil {
		h.t.Fatal(err)
	}
	spec, err := wire.Spec(batch.Template, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return wire.Run{
		App: wire.App{Type: string(spec.App.Type), Name: spec.App.Name}, Args: spec.Args, Env: spec.Env, RunLimitS: 300,
		Task: &wire.Task{ID: ethsig.TaskID(deal.ID, index).String(), Deal: deal.ID.String(), Index: index},
	}
}

func (h *hand) promise(task pool.Hash, deal pool.Deal, text string) Promise {
	return Promise{
		Deal: deal.ID.String(), Task: task.String(), Owner: h.trade.Owner.Address().String(),
		Authorisation: h.trade.Authorise(h.key.Address(), task), Digest: ethsig.Keccak([]byte(text)).String(),
	}
}

func (h *hand) does(say func(context.Context, Promise) error, p Promise) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := say(ctx, p); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hand) fails(say func(context.Context, Promise) error, p Promise, want string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := say(ctx, p); err == nil || !strings.Contains(err.Error(), want) {
		h.t.Errorf("%v, want %q", err, want)
	}
}

func (h *hand) refuses(deal pool.Deal, index int, want string) {
	h.t.Helper()
	offer, refusal := h.Weigh(context.Background(), h.offer(deal, index))
	if refusal == "" {
		refusal = offer.Lacks(Promised{})
	}
	if (refusal == "") != (want == "") || !strings.Contains(refusal, want) {
		h.t.Errorf("refused for %q, want %q", refusal, want)
	}
}
