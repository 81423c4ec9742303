package main

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"workerpool/cmd/poolctl/page"
	"workerpool/cmd/poolctl/progress"
	"workerpool/shared/client"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

type worksCommand struct {
	Batch int64  `help:"Only works of this batch." placeholder:"ID"`
	State string `help:"Only works in this state." enum:",staging,waiting,running,agreed,done,failed,cancelled" default:""`
	After int64  `help:"Only works with higher ids." placeholder:"ID"`
	Limit int    `help:"The most works to list." default:"100"`
	All   bool   `help:"List all of them."`
}

// Run lists works, page by page.
func (c worksCommand) Run(ctx context.Context, p *poolctl) error {
	token, err := p.token(ctx)
	if err != nil {
		return err
	}
	if c.Limit < 1 {
		return fmt.Errorf("%w: --limit is 1 or more", errUsage)
	}
	filter := client.WorksFilter{Batch: c.Batch, State: c.State, After: c.After, Limit: 1000}
	if !c.All {
		filter.Limit = min(c.Limit, filter.Limit)
	}
	list := wire.Works{Works: []wire.Work{}}
	for work, err := range p.client.AllWorks(ctx, token, filter) {
		if err != nil {
			return fmt.Errorf("listing works: %w", err)
		}
		if !c.All && len(list.Works) == c.Limit {
			list.Next = list.Works[len(list.Works)-1].ID
			break
		}
		list.Works = append(list.Works, work)
	}
	return p.print(list, func(t *page.Table) {
		t.Row("WORK", "BATCH", "INDEX", "STATE", "TRUST", "CREATED", "ENDED", "SIZE", "SHA256", "REASON")
		for _, w := range list.Works {
			ended := ""
			if w.Ended != nil {
				ended = page.Day(*w.Ended)
			}
			t.Row(w.ID, w.Batch, w.Index, w.State, w.Trust, page.Day(w.Created), ended, size(w.Size), short(w.SHA256), w.Reason)
		}
		if list.Next != 0 {
			t.Line("there are more: --after %d, or --all", list.Next)
		}
	})
}

type showCommand struct {
	Targets []target `arg:"" name:"target" help:"work:ID or batch:ID."`
}

// Run shows each target.
func (c showCommand) Run(ctx context.Context, p *poolctl) error {
	token, err := p.token(ctx)
	if err != nil {
		return err
	}
	var all []any
	for _, what := range c.Targets {
		one, err := p.look(ctx, token, what)
		if err != nil {
			return fmt.Errorf("asking about %s: %w", what, err)
		}
		all = append(all, one)
	}
	return p.print(all, func(t *page.Table) { showAll(t, all) })
}

// look gives a wire.Work or a wire.Batch.
func (p *poolctl) look(ctx context.Context, token string, what target) (any, error) {
	if what.batch {
		return p.client.Batch(ctx, token, what.id)
	}
	return p.client.Work(ctx, token, what.id)
}

func showAll(t *page.Table, all []any) {
	for _, one := range all {
		switch v := one.(type) {
		case wire.Batch:
			t.Line("batch:%d: works %d to %d, %s", v.ID, v.FirstWork, v.LastWork, progress.Line(v))
		case wire.Work:
			t.Line("work:%d: %s, place %d in batch:%d, trust %d, run limit %d s, deadline %s", v.ID, v.State, v.Index, v.Batch, v.Trust, v.RunLimitS, page.Day(v.Deadline))
			if v.Reason != "" {
				t.Line("reason: %s", v.Reason)
			}
			if v.Unstable {
				t.Line("workers came to three or more results: the application does not give the same bytes each time")
			}
			if v.SHA256 != "" {
				t.Line("result: %d bytes, sha256 %s", v.Size, v.SHA256)
			}
			if len(v.Assignments) > 0 {
				t.Row("WORKER", "ATTEMPT", "STATE", "SHA256", "REASON")
			}
			for _, a := range v.Assignments {
				t.Row(a.Worker, a.Attempt, a.State, short(a.SHA256), a.Reason)
			}
		}
	}
}

type cancelCommand struct {
	Targets []target `arg:"" name:"target" help:"work:ID or batch:ID."`
}

// Run cancels each target, and goes on after a work that refused.
func (c cancelCommand) Run(ctx context.Context, p *poolctl) error {
	token, err := p.token(ctx)
	if err != nil {
		return err
	}
	done := []wire.Cancelled{}
	var faults []error
	for _, what := range c.Targets {
		works, err := p.living(ctx, token, what)
		if err != nil {
			faults = append(faults, fmt.Errorf("finding the works of %s: %w", what, err))
			continue
		}
		for _, id := range works {
			one, err := p.client.Cancel(ctx, token, id)
			if err != nil {
				faults = append(faults, fmt.Errorf("cancelling work:%d: %w", id, err))
				if ctx.Err() != nil {
					break
				}
				continue
			}
			done = append(done, one)
		}
	}
	return errors.Join(append(faults, p.print(done, func(t *page.Table) {
		t.Row("WORK", "WAS", "IS")
		for _, one := range done {
			t.Row(one.Work, one.Before, one.State)
		}
	}))...)
}

// ofBatch gives the works of a batch. One that does not exist is an error, which
// a page without works would not tell.
func (p *poolctl) ofBatch(ctx context.Context, token string, batch int64) iter.Seq2[wire.Work, error] {
	return func(yield func(wire.Work, error) bool) {
		if _, err := p.client.Batch(ctx, token, batch); err != nil {
			yield(wire.Work{}, err)
			return
		}
		p.client.AllWorks(ctx, token, client.WorksFilter{Batch: batch, Limit: 1000})(yield)
	}
}

// living gives the works to cancel: the one named, or those of a batch that have
// not ended.
func (p *poolctl) living(ctx context.Context, token string, what target) ([]int64, error) {
	if !what.batch {
		return []int64{what.id}, nil
	}
	var out []int64
	for work, err := range p.ofBatch(ctx, token, what.id) {
		if err != nil {
			return nil, err
		}
		if !pool.WorkState(work.State).Ended() {
			out = append(out, work.ID)
		}
	}
	return out, nil
}
