package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"workerpool/cmd/poolctl/page"
	"workerpool/shared/client"
	"workerpool/shared/wire"
)

type poolCommand struct {
	Show       poolShowCommand       `cmd:"" default:"1" help:"Show the pool; needs no session."`
	Drain      poolDrainCommand      `cmd:"" help:"Let what runs end and assign no more; submissions wait."`
	Deactivate poolDeactivateCommand `cmd:"" help:"Let what runs end, assign no more and take no submissions."`
	Activate   poolActivateCommand   `cmd:"" help:"Take submissions and assign works again."`
}

type poolShowCommand struct{}

// Run shows the public page of the pool.
func (poolShowCommand) Run(ctx context.Context, p *poolctl) error {
	if err := p.open(); err != nil {
		return err
	}
	seen, err := p.client.Pool(ctx)
	if err != nil {
		return fmt.Errorf("asking the pool: %w", err)
	}
	return p.print(seen, func(t *page.Table) {
		t.Row("pool", seen.Name)
		t.Row("chain", seen.Chain)
		t.Row("state", seen.State)
		t.Row("workers", seen.Workers)
		t.Row("slots", fmt.Sprintf("%d, %d assignments open", seen.Slots, seen.Open))
		for _, state := range slices.Sorted(maps.Keys(seen.Works)) {
			t.Row("works "+state, seen.Works[state])
		}
		t.Row("largest file", size(seen.MaxFile))
	})
}

type poolDrainCommand struct{}

// Run drains the pool.
func (poolDrainCommand) Run(ctx context.Context, p *poolctl) error {
	return p.steerPool(ctx, "draining the pool", (*client.Client).DrainPool)
}

type poolDeactivateCommand struct{}

// Run deactivates the pool.
func (poolDeactivateCommand) Run(ctx context.Context, p *poolctl) error {
	return p.steerPool(ctx, "deactivating the pool", (*client.Client).DeactivatePool)
}

type poolActivateCommand struct{}

// Run activates the pool.
func (poolActivateCommand) Run(ctx context.Context, p *poolctl) error {
	return p.steerPool(ctx, "activating the pool", (*client.Client).ActivatePool)
}

func (p *poolctl) steerPool(ctx context.Context, doing string, do func(*client.Client, context.Context, string) (wire.Steered, error)) error {
	token, err := p.token(ctx)
	if err != nil {
		return err
	}
	steered, err := do(p.client, ctx, token)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return p.print(steered, func(t *page.Table) { t.Line("the pool was %s and is %s", steered.Before, steered.State) })
}

type shareCommand struct {
	Login      string `arg:"" help:"Login of the requester."`
	Weight     *int   `help:"Twice the weight gets twice the share while others wait too; for works submitted from now on." placeholder:"N"`
	MaxRunning *int   `help:"Works that may be assigned at once; 0 = no limit." placeholder:"N"`
}

// Run changes what the flags name, and shows what the requester gets.
func (c shareCommand) Run(ctx context.Context, p *poolctl) error {
	token, err := p.token(ctx)
	if err != nil {
		return err
	}
	share, err := p.client.Share(ctx, token, c.Login)
	if err != nil {
		return fmt.Errorf("asking for the share of %s: %w", c.Login, err)
	}
	if c.Weight != nil || c.MaxRunning != nil {
		if c.Weight != nil {
			share.Weight = *c.Weight
		}
		if c.MaxRunning != nil {
			share.MaxRunning = *c.MaxRunning
		}
		if share, err = p.client.SetShare(ctx, token, c.Login, share); err != nil {
			return fmt.Errorf("changing the share of %s: %w", c.Login, err)
		}
	}
	return p.print(share, func(t *page.Table) {
		limit := "no limit"
		if share.MaxRunning > 0 {
			limit = fmt.Sprint(share.MaxRunning)
		}
		t.Row("requester", c.Login)
		t.Row("weight", share.Weight)
		t.Row("works at once", limit)
	})
}
