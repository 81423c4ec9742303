package main

import (
	"context"
	"fmt"
	"time"

	"workerpool/cmd/poolctl/page"
	"workerpool/cmd/poolctl/progress"
	"workerpool/cmd/poolctl/results"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// watching is how to wait, for those who do.
type watching struct {
	Every time.Duration `help:"How often to ask." default:"2s"`
}

type waitCommand struct {
	watching
	Targets []target `arg:"" name:"target" help:"work:ID or batch:ID."`
}

// Run waits for one target after the other. It fails with errNoResult when one
// of the works has none.
func (c waitCommand) Run(ctx context.Context, p *poolctl) error {
	all := []any{}
	var missing error
	for _, what := range c.Targets {
		one, err := p.await(ctx, what, c.Every)
		if err != nil {
			return err
		}
		all = append(all, one)
		if err := resultOf(one); err != nil {
			missing = err
		}
	}
	if err := p.print(all, func(t *page.Table) { showAll(t, all) }); err != nil {
		return err
	}
	return missing
}

// await waits until a work or all works of a batch have ended, and gives it. A
// session that ends meanwhile is renewed when that needs no asking.
func (p *poolctl) await(ctx context.Context, what target, every time.Duration) (any, error) {
	if every < 100*time.Millisecond {
		return nil, fmt.Errorf("%w: --every is 100ms or more", errUsage)
	}
	bar := &progress.Bar{To: p.world.errs, Terminal: p.world.terminal}
	var last any
	watch := progress.Watch{Wait: p.world.wait, Every: every, Bar: bar, Fetch: func(ctx context.Context) (wire.Batch, error) {
		token, err := p.token(ctx)
		if err != nil {
			return wire.Batch{}, err
		}
		if last, err = p.look(ctx, token, what); err != nil {
			return wire.Batch{}, fmt.Errorf("asking about %s: %w", what, err)
		}
		return asBatch(last), nil
	}}
	_, err := watch.Run(ctx)
	return last, err
}

// asBatch gives a batch as it is, and a work as a batch of one.
func asBatch(one any) wire.Batch {
	if work, ok := one.(wire.Work); ok {
		return wire.Batch{ID: work.Batch, Works: 1, States: map[string]int{work.State: 1}}
	}
	return one.(wire.Batch)
}

// resultOf fails when an ended work, or one of an ended batch, has no result.
func resultOf(one any) error {
	b := asBatch(one)
	if n := b.Works - b.States[string(pool.Done)]; n > 0 {
		return fmt.Errorf("%d of %d works ended without: %w", n, b.Works, errNoResult)
	}
	return nil
}

type resultsCommand struct {
	Targets []target `arg:"" name:"target" help:"work:ID or batch:ID."`
	Out     string   `help:"Folder that gets one folder for each work; those that are there are left as they are." default:"." type:"path" short:"o"`
}

// Run fetches what is done, and fails with errNoResult when a work named is not.
func (c resultsCommand) Run(ctx context.Context, p *poolctl) error {
	token, err := p.token(ctx)
	if err != nil {
		return err
	}
	fetcher := results.Fetcher{Client: p.client, Token: p.token, Dir: c.Out, Wait: p.world.wait}
	got := []results.Fetched{}
	var missing error
	for _, what := range c.Targets {
		works := []int64{what.id}
		if what.batch {
			var without int
			if works, without, err = p.done(ctx, token, what.id); err != nil {
				return fmt.Errorf("listing the works of %s: %w", what, err)
			}
			if without > 0 {
				missing = fmt.Errorf("%d works of %s have %w", without, what, errNoResult)
			}
		}
		for _, work := range works {
			one, err := fetcher.Fetch(ctx, work)
			if err != nil {
				return err
			}
			got = append(got, one)
			if !p.line.JSON {
				p.note("work:%d is in %s", work, one.Folder)
			}
		}
	}
	err = p.print(got, func(t *page.Table) { t.Line("%d results in %s", len(got), c.Out) })
	if err != nil {
		return err
	}
	return missing
}

// done gives the works of a batch that have a result, and how many have not.
func (p *poolctl) done(ctx context.Context, token string, batch int64) (works []int64, without int, err error) {
	for work, err := range p.ofBatch(ctx, token, batch) {
		if err != nil {
			return nil, 0, err
		}
		if work.State == string(pool.Done) {
			works = append(works, work.ID)
		} else {
			without++
		}
	}
	return works, without, nil
}
