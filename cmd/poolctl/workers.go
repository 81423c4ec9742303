package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"workerpool/cmd/poolctl/page"
	"workerpool/shared/client"
	"workerpool/shared/wire"
)

type workersCommand struct{}

// Run lists all pages of workers.
func (workersCommand) Run(ctx context.Context, p *poolctl) error {
	token, err := p.token(ctx)
	if err != nil {
		return err
	}
	all := wire.Workers{Workers: []wire.Worker{}}
	for worker, err := range p.client.AllWorkers(ctx, token) {
		if err != nil {
			return fmt.Errorf("listing workers: %w", err)
		}
		all.Workers = append(all.Workers, worker)
	}
	return p.print(all, func(t *page.Table) { workerRows(t, all.Workers) })
}

func workerRows(t *page.Table, workers []wire.Worker) {
	t.Row("WORKER", "NAME", "ACCOUNT", "STATE", "LIVE", "OPEN", "QUOTA", "AGREED", "DISAGREED", "FAILED", "LOST", "CAN")
	for _, w := range workers {
		live := "yes"
		if !w.Live {
			live = "no"
		}
		t.Row(w.ID, w.Name, w.Account, w.State, live, fmt.Sprintf("%d/%d", w.Open, w.Slots), w.Quota, w.Agreed, w.Disagreed, w.FailedRuns, w.LostRuns, can(w.Capabilities))
	}
}

// can says shortly what a worker can do.
func can(c wire.Capabilities) string {
	var parts []string
	if c.OS != "" || c.Arch != "" {
		parts = append(parts, c.OS+"/"+c.Arch)
	}
	if c.CPU > 0 {
		parts = append(parts, fmt.Sprintf("%d cpu", c.CPU))
	}
	if c.MemoryMB > 0 {
		parts = append(parts, fmt.Sprintf("%d MB", c.MemoryMB))
	}
	if c.GPU > 0 {
		parts = append(parts, fmt.Sprintf("%d gpu", c.GPU))
	}
	if c.Docker {
		parts = append(parts, "docker")
	}
	return strings.Join(append(parts, c.Programs...), ", ")
}

type drainCommand struct {
	Workers []int64 `arg:"" help:"Ids of the workers." name:"worker"`
}

// Run drains each worker named.
func (c drainCommand) Run(ctx context.Context, p *poolctl) error {
	return p.steer(ctx, c.Workers, "draining", (*client.Client).Drain)
}

type deactivateCommand struct {
	Workers []int64 `arg:"" help:"Ids of the workers." name:"worker"`
}

// Run deactivates each worker named.
func (c deactivateCommand) Run(ctx context.Context, p *poolctl) error {
	return p.steer(ctx, c.Workers, "deactivating", (*client.Client).Deactivate)
}

type activateCommand struct {
	Workers []int64 `arg:"" help:"Ids of the workers." name:"worker"`
}

// Run activates each worker named.
func (c activateCommand) Run(ctx context.Context, p *poolctl) error {
	return p.steer(ctx, c.Workers, "activating", (*client.Client).Activate)
}

type steering func(*client.Client, context.Context, string, int64) (wire.Worker, error)

// steer does one thing to each worker, and goes on after a worker that refused.
func (p *poolctl) steer(ctx context.Context, ids []int64, doing string, do steering) error {
	token, err := p.token(ctx)
	if err != nil {
		return err
	}
	done := wire.Workers{Workers: []wire.Worker{}}
	var faults []error
	for _, id := range ids {
		worker, err := do(p.client, ctx, token, id)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s worker %d: %w", doing, id, err))
			continue
		}
		done.Workers = append(done.Workers, worker)
	}
	return errors.Join(append(faults, p.print(done, func(t *page.Table) { workerRows(t, done.Workers) }))...)
}
