package onchain

import (
	"context"
	"errors"
	"fmt"
	"time"

	"workerpool/cmd/poolctl/page"
	"workerpool/shared/wire"
)

// waiting says how long to wait for what the pool does at its next tick.
type waiting struct {
	Patience time.Duration `help:"How long to wait for the pool, which does it at its next tick." default:"5m"`
}

// pause is between two looks whether it is done.
const pause = 2 * time.Second

// errand asks the pool for an errand, waits until it is done and gives it.
func (w waiting) errand(ctx context.Context, t Console, kind string, from uint64) (wire.Errand, error) {
	pool, token, err := t.Pool(ctx)
	if err != nil {
		return wire.Errand{}, err
	}
	asked, err := pool.Ask(ctx, token, kind, from)
	if err != nil {
		return asked, fmt.Errorf("asking the pool for a %s: %w", kind, err)
	}
	for waited := time.Duration(0); ; waited += pause {
		seen, err := pool.Errand(ctx, token, kind)
		if err != nil {
			return seen, fmt.Errorf("asking what came of the %s: %w", kind, err)
		}
		if seen.Done >= asked.Number && seen.Answer != nil {
			if seen.Answer.Fault != "" {
				err = fmt.Errorf("the %s came to nothing: %s", kind, seen.Answer.Fault)
			}
			return seen, err
		}
		if waited >= w.Patience {
			return seen, fmt.Errorf("the %s was asked for and is not done after %s: asking again goes on waiting", kind, w.Patience)
		}
		if err := t.Wait(ctx, pause); err != nil {
			return seen, err
		}
	}
}

// errDiffers is the answer of diff that a script is to see.
var errDiffers = errors.New("the books differ from the chain")

type diffCommand struct{ waiting }

// Run lets the pool hold its books against the chain, and fails when they differ.
func (c diffCommand) Run(ctx context.Context, t Console) error {
	e, err := c.errand(ctx, t, "diff", 0)
	if err != nil {
		return err
	}
	err = t.Print(e, func(p *page.Table) {
		if e.Answer.Count > 0 {
			p.Row("DEAL", "TASK", "WHAT", "BOOKS", "CHAIN")
		}
		for _, d := range e.Answer.Differences {
			p.Row(d.Deal, d.Task, d.What, d.Books, d.Chain)
		}
		p.Line("%d differences at block %d", e.Answer.Count, e.Answer.Block)
	})
	if err == nil && e.Answer.Count > 0 {
		err = fmt.Errorf("%w in %d places", errDiffers, e.Answer.Count)
	}
	return err
}

type dryRunCommand struct{ waiting }

// Run lets the pool tell what its next pass would store and send.
func (c dryRunCommand) Run(ctx context.Context, t Console) error {
	e, err := c.errand(ctx, t, "dry-run", 0)
	if err != nil {
		return err
	}
	return t.Print(e, func(p *page.Table) {
		for _, line := range e.Answer.Lines {
			p.Line("would %s", line)
		}
		if len(e.Answer.Lines) == 0 {
			p.Line("it would do nothing")
		}
	})
}

type rebuildCommand struct {
	FromBlock uint64 `help:"Where to begin; 0 is the block of the oldest deal in the books." default:"0" placeholder:"BLOCK"`
	waiting
	yes
}

// Run lets the pool follow the chain again.
func (c rebuildCommand) Run(ctx context.Context, t Console) error {
	from := "the block of the oldest deal in the books"
	if c.FromBlock > 0 {
		from = fmt.Sprintf("block %d", c.FromBlock)
	}
	if !c.Yes {
		return t.Print(wire.AskRebuild{FromBlock: c.FromBlock}, func(p *page.Table) {
			p.Line("would let the pool follow the chain again from %s on, and look at every task of its deals anew;", from)
			p.Line("what the chain says takes the place of what the books had, works and assignments stay with the tasks of their ids")
			p.Line("nothing was asked: --yes does it")
		})
	}
	e, err := c.errand(ctx, t, "rebuild", c.FromBlock)
	if err != nil {
		return err
	}
	return t.Print(e, func(p *page.Table) {
		p.Line("the pool follows the chain again from block %d on; \"poolctl chain diff\" tells when its books are whole", e.Answer.Block+1)
	})
}
