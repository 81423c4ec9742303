//go:build linux

package chainside

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// Gas that an account must be able to pay for: what calls were measured to use,
// 391k and 94k, and half as much again for rollups, where the price of data counts
// as gas.
const (
	contributeGas = 600_000
	revealGas     = 150_000
)

// toContribute is the least that must be left of the time for contributions when
// a run has taken all of its own: for heartbeats and the sending.
const toContribute = time.Minute

// Offer is what a task asks for and what the account has.
type Offer struct {
	Owner pool.Address // of the pool when the deal was made
	Stake pool.NRLC    // that a contribution locks
	Free  pool.NRLC    // of the account's stake at the hub
	Coins *big.Int     // wei that the account has
	Price *big.Int     // wei for a unit of gas
}

// Promised is what was promised before and is not paid yet.
type Promised struct {
	Stake         pool.NRLC
	Contributions int
	Reveals       int
}

// Lacks gives what keeps the account from one more promise; "" = nothing.
func (o Offer) Lacks(p Promised) string {
	if stake := p.Stake + o.Stake; o.Free < stake {
		return fmt.Sprintf("the worker's stake is too low: %d nRLC are free at the hub, %d are needed with what is promised already", o.Free, stake)
	}
	gas := big.NewInt(int64(p.Contributions+1)*contributeGas + int64(p.Reveals+1)*revealGas)
	if wei := gas.Mul(gas, o.Price); o.Coins.Cmp(wei) < 0 {
		return fmt.Sprintf("the worker's wallet is too poor for the gas: it has %d wei, %d are needed with what is promised already", o.Coins, wei)
	}
	return ""
}

// Weigh looks at the chain before anything is promised. It gives what a deal's
// work asks for, or why it is not taken.
func (a *Account) Weigh(ctx context.Context, run wire.Run) (offer Offer, refusal string) {
	offer, refusal, err := a.weigh(ctx, run)
	if err != nil {
		a.Log.Warn("a task is not known on the chain", "task", run.Task.ID, "error", err)
		return Offer{}, "the worker cannot look at the task on the chain: " + err.Error()
	}
	return offer, refusal
}

func (a *Account) weigh(ctx context.Context, run wire.Run) (offer Offer, refusal string, err error) {
	deal, err := pool.ParseHash(run.Task.Deal)
	if err != nil {
		return offer, "", fmt.Errorf("the deal's id: %w", err)
	}
	task := ethsig.TaskID(deal, run.Task.Index)
	if task.String() != run.Task.ID {
		return offer, fmt.Sprintf("task %d of the deal is %s, not %s", run.Task.Index, task, run.Task.ID), nil
	}
	v, err := a.view(ctx, deal, task)
	if err != nil {
		return offer, "", err
	}
	refusal = a.refusal(v, run)
	if refusal != "" {
		return offer, refusal, nil
	}
	offer, err = a.offer(ctx, v)
	return offer, "", err
}

// view is what the head shows of a task.
type view struct {
	head  pool.Head
	known bool // there is such a deal; else the rest is zero
	deal  pool.Deal
	task  pool.Task
	own   pool.Contribution // zero = none
}

func (a *Account) view(ctx context.Context, deal, task pool.Hash) (v view, err error) {
	if v.head, err = a.Node.Head(ctx); err != nil {
		return v, err
	}
	deals, err := a.Node.Deals(ctx, v.head.Block, []pool.Hash{deal})
	if err != nil || len(deals) == 0 {
		return v, err
	}
	tasks, err := a.Node.Tasks(ctx, v.head.Block, []pool.Hash{task})
	if err != nil {
		return v, err
	}
	v.known, v.deal, v.task = true, deals[0], tasks[0]
	v.own, _ = v.task.Of(a.Wallet)
	return v, nil
}

// offer adds what the account has at the same block.
func (a *Account) offer(ctx context.Context, v view) (Offer, error) {
	purse, err := a.Node.Purse(ctx, v.head.Block, a.Wallet)
	if err != nil {
		return Offer{}, err
	}
	price, err := a.Sender.Price(ctx)
	if err != nil {
		return Offer{}, err
	}
	return Offer{Owner: v.deal.Owner, Stake: v.deal.Stake, Free: purse.Stake, Coins: purse.Gas, Price: price}, nil
}

// refusal gives what speaks against a task as the chain shows it; "" = nothing.
func (a *Account) refusal(v view, run wire.Run) string {
	left := v.deal.ContributeBy().Sub(v.head.Time)
	needed := max(v.deal.T, time.Duration(run.RunLimitS)*time.Second) + toContribute
	switch {
	case !v.known:
		return fmt.Sprintf("the chain knows no deal %s of this worker's pool", run.Task.Deal)
	case run.Task.Index < v.deal.First || run.Task.Index-v.deal.First >= v.deal.Tasks:
		return fmt.Sprintf("the deal has the tasks %d to %d, not %d", v.deal.First, v.deal.First+v.deal.Tasks-1, run.Task.Index)
	case v.deal.Tag[31]&1 != 0:
		return "the deal asks for a trusted environment, and contributions from here come without one"
	case v.deal.Price < a.MinPrice:
		return fmt.Sprintf("the deal pays %d nRLC for a task, the worker wants %d", v.deal.Price, a.MinPrice)
	case a.MaxStake > 0 && v.deal.Stake > a.MaxStake:
		return fmt.Sprintf("a contribution locks %d nRLC, the worker gives %d at most", v.deal.Stake, a.MaxStake)
	case v.task.Status > pool.TaskActive:
		return "the task takes no contributions any more"
	case v.own.Status != pool.NotContributed:
		return "the worker's wallet has contributed to the task before"
	case left < needed:
		return fmt.Sprintf("too late: contributions are taken for another %v, a run and the contribution may take %v", max(0, left), needed)
	}
	return foreign(v.deal, run)
}

// foreign tells a run of something else than the deal says: its result would lose
// against the results of honest runs, and the stake with it.
func foreign(deal pool.Deal, run wire.Run) string {
	batch, err := wire.FromDeal(deal)
	if fault := (*pool.Error)(nil); errors.As(err, &fault) {
		return "the deal cannot be served: " + fault.Message
	} else if err != nil {
		return "the deal cannot be read: " + err.Error()
	}
	says, err := wire.Spec(batch.Template, nil)
	if err != nil {
		return "the deal cannot be read: " + err.Error()
	}
	if run.Task.CallsBack == deal.Callback.IsZero() {
		return "the pool and the deal differ on whether its result is called back"
	}
	app := pool.App{Type: pool.AppType(run.App.Type), Name: run.App.Name}
	if says.App != app || !slices.Equal(says.Args, run.Args) || !maps.Equal(says.Env, run.Env) || len(run.Inputs) > 0 ||
		!slices.Equal(wire.FromFetches(says.Fetches), run.Fetch) {
		return "the pool wants something else run than the deal says"
	}
	return ""
}
