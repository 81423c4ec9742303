package onchain

import (
	"context"
	"errors"
	"fmt"
	"time"

	"workerpool/cmd/poolctl/page"
	"workerpool/shared/chain"
	"workerpool/shared/chain/fit"
	"workerpool/shared/chain/owner"
	"workerpool/shared/pool"
)

type statusCommand struct {
	ChainID uint64  `name:"chain-id" help:"Number that the chain is to have." placeholder:"N" env:"CHAINID"`
	RLC     address `name:"rlc" help:"The token that is to be the hub's." placeholder:"0x..." env:"RLCCONTRACT"`
}

// status is what status answers. Amounts are in nRLC.
type status struct {
	Chain      uint64    `json:"chain"`
	Block      uint64    `json:"block"`
	BlockTime  time.Time `json:"block_time"`
	Hub        string    `json:"hub"`
	Token      string    `json:"token"`
	Wallet     string    `json:"wallet"`
	Held       int64     `json:"held_nrlc"`   // in the wallet, not deposited
	Free       int64     `json:"free_nrlc"`   // stake in no deal
	Locked     int64     `json:"locked_nrlc"` // lost when no open task is finalized
	OpenPrice  int64     `json:"open_price_nrlc"`
	Covers     int64     `json:"covers_nrlc"` // price of further deals that the free stake suffices for
	Gas        string    `json:"gas_wei"`
	Workerpool *standing `json:"workerpool,omitempty"`
	Faults     []string  `json:"faults,omitempty"` // parameters that do not fit, as the pool's start checks say it
}

// standing is the pool in a status.
type standing struct {
	Address     string `json:"address"`
	Registered  bool   `json:"registered"`
	Owner       string `json:"owner,omitempty"`
	Ours        bool   `json:"ours"` // it belongs to the wallet
	Description string `json:"description,omitempty"`
	WorkerStake int64  `json:"worker_stake_percent"`
	PoolReward  int64  `json:"pool_reward_percent"`
}

// Run looks at the wallet of the flags, or without one at the pool's owner.
func (c statusCommand) Run(ctx context.Context, all *Commands, t Console) error {
	door, err := all.open(ctx, t)
	if err != nil {
		return err
	}
	var seen owner.Workerpool
	if !all.Workerpool.isZero() {
		if seen, err = door.Workerpool(ctx, pool.Address(all.Workerpool)); err != nil {
			return err
		}
	}
	by := wallet{Address: seen.Owner}
	if all.Wallet != "" || all.KMS != "" || by.IsZero() {
		if by, err = all.wallet(ctx, t); err != nil {
			return err
		}
	}
	purse, at, err := door.Account(ctx, by.Address)
	if err != nil {
		return err
	}
	out := status{
		Chain: door.Domain().ChainID, Block: at.Number, BlockTime: at.Time, Hub: door.Domain().Hub.String(), Token: door.Token().String(),
		Wallet: by.String(), Held: int64(purse.RLC), Free: int64(purse.Stake), Locked: int64(purse.Locked),
		OpenPrice: int64(door.Covers(purse.Locked)), Covers: int64(door.Covers(purse.Stake)), Gas: purse.Gas.String(),
	}
	if !all.Workerpool.isZero() {
		out.Workerpool = &standing{
			Address: seen.Address.String(), Registered: seen.Registered, Ours: seen.Registered && seen.Owner == by.Address,
			Description: seen.Description, WorkerStake: seen.Policy.WorkerStake, PoolReward: seen.Policy.PoolReward,
		}
		if seen.Registered {
			out.Workerpool.Owner = seen.Owner.String()
		}
	}
	if out.Faults, err = c.faults(ctx, all, door, by.Address); err != nil {
		return err
	}
	return t.Print(out, func(p *page.Table) { out.show(p, purse) })
}

// faults makes the start checks of the pool, when one is named.
func (c statusCommand) faults(ctx context.Context, all *Commands, door *owner.Owner, by pool.Address) (lines []string, err error) {
	if all.Workerpool.isZero() {
		return nil, nil
	}
	var seen fit.Faults
	err = door.Fit(ctx, fit.Wanted{
		Node: all.Node, ChainID: c.ChainID, Hub: pool.Address(all.Hub), RLC: pool.Address(c.RLC), Pool: pool.Address(all.Workerpool), Wallet: by,
	})
	if err == nil || !errors.As(err, &seen) || pool.KindOf(err) == pool.Unavailable {
		return nil, err
	}
	for _, fault := range seen {
		lines = append(lines, fault.String())
	}
	return lines, nil
}

func (s status) show(p *page.Table, purse chain.Purse) {
	p.Row("chain", s.Chain)
	p.Row("newest block", fmt.Sprintf("%d of %s", s.Block, s.BlockTime.Format(time.RFC3339)))
	p.Row("hub", s.Hub)
	p.Row("RLC", s.Token)
	if w := s.Workerpool; w != nil {
		switch {
		case !w.Registered:
			p.Row("workerpool", w.Address+", which is not registered")
		case !w.Ours:
			p.Row("workerpool", fmt.Sprintf("%s, which belongs to %s and not to the wallet", w.Address, w.Owner))
		default:
			p.Row("workerpool", fmt.Sprintf("%s %q, the wallet's", w.Address, w.Description))
		}
		if w.Registered {
			p.Row("policy", fmt.Sprintf("worker stake %d %%, reward for the pool %d %%", w.WorkerStake, w.PoolReward))
		}
	}
	for _, fault := range s.Faults {
		p.Row("does not fit", fault)
	}
	if w := s.Workerpool; w != nil && len(s.Faults) == 0 {
		p.Row("checks", "what is named fits the chain")
	}
	p.Row("wallet", s.Wallet)
	p.Row("held", rlc(purse.RLC)+", not deposited")
	p.Row("stake free", fmt.Sprintf("%s, enough for deals of %s", rlc(purse.Stake), rlc(pool.NRLC(s.Covers))))
	p.Row("stake locked", fmt.Sprintf("%s, lost if no open task is finalized; about %s of price is open", rlc(purse.Locked), rlc(pool.NRLC(s.OpenPrice))))
	p.Row("gas", eth(purse.Gas))
}
