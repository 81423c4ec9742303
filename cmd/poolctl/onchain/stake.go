package onchain

import (
	"context"
	"fmt"

	"workerpool/cmd/poolctl/page"
	"workerpool/shared/chain"
	"workerpool/shared/chain/owner"
	"workerpool/shared/pool"
)

type registerCommand struct {
	Description string `arg:"" help:"What the pool is called on the chain. With the wallet it makes the pool's address."`
	WorkerStake *int64 `help:"Percent of a task's price that each contribution locks of its worker; left out it stays, of a new pool it is 30." placeholder:"PERCENT"`
	PoolReward  *int64 `help:"Percent of the workers' reward that the pool keeps; left out it stays, of a new pool it is 1." placeholder:"PERCENT"`
	yes
}

// registered is what register answers.
type registered struct {
	Workerpool string `json:"workerpool"`
	Deeds      []deed `json:"deeds"`
}

// newPolicy is what the registry gives a new pool (Workerpool.initialize of PoCo v6).
var newPolicy = owner.Policy{WorkerStake: 30, PoolReward: 1}

// policy gives the policy that is wanted where there is one already.
func (c registerCommand) policy(now owner.Policy) owner.Policy {
	if c.WorkerStake != nil {
		now.WorkerStake = *c.WorkerStake
	}
	if c.PoolReward != nil {
		now.PoolReward = *c.PoolReward
	}
	return now
}

// Run registers the pool, unless it is, and sets its policy, unless it is so.
func (c registerCommand) Run(ctx context.Context, all *Commands, t Console) error {
	wanted := c.policy(newPolicy)
	for flag, percent := range map[string]int64{"--worker-stake": wanted.WorkerStake, "--pool-reward": wanted.PoolReward} {
		if percent < 0 || percent > 100 {
			return fmt.Errorf("%w: %s is %d, a percentage is wanted", ErrUsage, flag, percent)
		}
	}
	if c.Description == "" {
		return fmt.Errorf("%w: the description is empty", ErrUsage)
	}
	door, err := all.open(ctx, t)
	if err != nil {
		return err
	}
	by, err := all.wallet(ctx, t)
	if err != nil {
		return err
	}
	at, step, err := door.Register(ctx, by.Address, c.Description)
	if err != nil {
		return fmt.Errorf("registering the pool: %w", err)
	}
	if named := pool.Address(all.Workerpool); !named.IsZero() && named != at {
		return fmt.Errorf("--workerpool: it is %s, and this wallet and description make %s: leave it out to register another pool", named, at)
	}
	out := registered{Workerpool: at.String(), Deeds: []deed{}}
	there := owner.Workerpool{Policy: newPolicy}
	if step != nil {
		d, err := c.carry(ctx, door, by, fmt.Sprintf("register the pool %q as %s", c.Description, at), step)
		if err != nil {
			return err
		}
		out.Deeds = append(out.Deeds, d)
	}
	if step == nil || c.Yes {
		if there, err = door.Workerpool(ctx, at); err != nil {
			return err
		}
	}
	wanted = c.policy(there.Policy)
	change := fmt.Sprintf("let deals of %s from now on have a worker stake of %d %% and a reward for the pool of %d %%", at, wanted.WorkerStake, wanted.PoolReward)
	if wanted != there.Policy && there.Registered {
		step, err := door.ChangePolicy(ctx, by.Address, at, wanted)
		if err != nil {
			return fmt.Errorf("changing the policy of %s: %w", at, err)
		}
		d, err := c.carry(ctx, door, by, change, step)
		if err != nil {
			return err
		}
		out.Deeds = append(out.Deeds, d)
	}
	return t.Print(out, func(p *page.Table) {
		for _, d := range out.Deeds {
			d.show(p)
		}
		switch {
		case len(out.Deeds) == 0:
			p.Line("it is so already")
		case wanted != there.Policy && !there.Registered:
			p.Line("and then would %s", change)
		}
		p.Row("WORKERPOOLADDRESS", at)
	})
}

type depositCommand struct {
	Amount amount `arg:"" help:"How much, with its unit: 1.5RLC or 20nRLC."`
	yes
}

// Run deposits.
func (c depositCommand) Run(ctx context.Context, all *Commands, t Console) error {
	return c.move(ctx, all, t, pool.NRLC(c.Amount), mover{
		does: "deposit %s into the account at the hub", has: func(p chain.Purse) pool.NRLC { return p.RLC }, where: "in the wallet %s itself",
		step: (*owner.Owner).Deposit,
	})
}

type withdrawCommand struct {
	Amount amount `arg:"" help:"How much, with its unit: 1.5RLC or 20nRLC. What is locked in deals cannot be withdrawn."`
	yes
}

// Run withdraws.
func (c withdrawCommand) Run(ctx context.Context, all *Commands, t Console) error {
	return c.move(ctx, all, t, pool.NRLC(c.Amount), mover{
		does: "withdraw %s into the wallet", has: func(p chain.Purse) pool.NRLC { return p.Stake }, where: "free in the account of %s at the hub",
		step: (*owner.Owner).Withdraw,
	})
}

// mover is one of the two ways of money.
type mover struct {
	does, where string
	has         func(chain.Purse) pool.NRLC
	step        func(*owner.Owner, context.Context, pool.Address, pool.NRLC) (*owner.Step, error)
}

// moved is what deposit and withdraw answer.
type moved struct {
	deed
	Amount int64 `json:"nrlc"`
	Held   int64 `json:"held_nrlc"` // afterwards, or now when nothing was sent
	Free   int64 `json:"free_nrlc"`
}

func (y yes) move(ctx context.Context, all *Commands, t Console, amount pool.NRLC, m mover) error {
	if amount == 0 {
		return fmt.Errorf("%w: the amount is 0", ErrUsage)
	}
	door, err := all.open(ctx, t)
	if err != nil {
		return err
	}
	by, err := all.wallet(ctx, t)
	if err != nil {
		return err
	}
	purse, _, err := door.Account(ctx, by.Address)
	if err != nil {
		return err
	}
	if has := m.has(purse); has < amount {
		return fmt.Errorf("there is %s "+m.where+", less than %s", rlc(has), by, rlc(amount))
	}
	does := fmt.Sprintf(m.does, rlc(amount))
	step, err := m.step(door, ctx, by.Address, amount)
	if err != nil {
		return fmt.Errorf("%s: %w", does, err)
	}
	out := moved{Amount: int64(amount)}
	if out.deed, err = y.carry(ctx, door, by, does, step); err != nil {
		return err
	}
	if out.Done {
		if purse, _, err = door.Account(ctx, by.Address); err != nil {
			return fmt.Errorf("it was done, in %s; looking at the account afterwards: %w", out.Transaction, err)
		}
	}
	out.Held, out.Free = int64(purse.RLC), int64(purse.Stake)
	return t.Print(out, func(p *page.Table) {
		out.show(p)
		p.Row("in the wallet", rlc(purse.RLC))
		p.Row("free stake", rlc(purse.Stake))
	})
}
