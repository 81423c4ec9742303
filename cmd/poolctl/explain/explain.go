// Package explain is the part of poolctl that tells why things are as they are. It
// owns how a person reads the pool's reasons; what they are is the pool's.
package explain

import (
	"context"
	"fmt"
	"strings"
	"time"

	"workerpool/cmd/poolctl/page"
	"workerpool/shared/client"
	"workerpool/shared/wire"
)

// Console is what the program offers.
type Console interface {
	// Print writes the answer: value as JSON, or what human makes.
	Print(value any, human func(*page.Table)) error
	// Pool gives the pool's client with a token.
	Pool(ctx context.Context) (*client.Client, string, error)
}

// Commands are those of "poolctl explain".
type Commands struct {
	Work       workCommand       `cmd:"" help:"Tell why a work waits: what is ahead of it, and when its turn is expected."`
	Worker     workerCommand     `cmd:"" help:"Tell why a worker has no more work, and what would change it."`
	Assignment assignmentCommand `cmd:"" help:"Tell how a work came to a worker, by drawing again. For operators."`
}

type workCommand struct {
	Work int64 `arg:"" help:"Id of the work."`
}

// Run explains one work.
func (c workCommand) Run(ctx context.Context, p Console) error {
	to, token, err := p.Pool(ctx)
	if err != nil {
		return err
	}
	e, err := to.ExplainWork(ctx, token, c.Work)
	if err != nil {
		return fmt.Errorf("asking about work:%d: %w", c.Work, err)
	}
	return p.Print(e, func(t *page.Table) { workExplained(t, e) })
}

func workExplained(t *page.Table, e wire.WorkExplained) {
	t.Line("work:%d: %s, %s: %s", e.Work, e.State, e.Reason, e.Words)
	if a := e.Ahead; a != nil {
		t.Line("ahead: %s%d works, which want %d assignments", moreThan(a.More), a.Works, a.Assignments)
	}
	if g := e.Estimate; g != nil {
		t.Line("estimate: in %s, give or take %s (%d assignments in the last %s)",
			seconds(g.Seconds), seconds(g.Error), g.Seen, seconds(g.WindowS))
	}
	if w := e.Workers; w != nil {
		t.Line("workers: %d live, of these %d active, %d able, %d admitting its requester, %d without their turn, %d with a free slot",
			w.Live, w.Active, w.Able, w.Admitting, w.Untried, w.Free)
	}
	if len(e.Unmet) > 0 {
		t.Row("DEMAND", "RULES OUT")
	}
	for _, u := range e.Unmet {
		t.Row(u.Demand, u.Workers)
	}
}

type workerCommand struct {
	Worker int64 `arg:"" help:"Id of the worker."`
}

// Run explains one worker.
func (c workerCommand) Run(ctx context.Context, p Console) error {
	to, token, err := p.Pool(ctx)
	if err != nil {
		return err
	}
	e, err := to.ExplainWorker(ctx, token, c.Worker)
	if err != nil {
		return fmt.Errorf("asking about worker %d: %w", c.Worker, err)
	}
	return p.Print(e, func(t *page.Table) {
		t.Line("worker %d: %s, %s: %s", e.Worker, e.State, e.Reason, e.Words)
		t.Line("assignments: %d, at most %d by its slots and %d by its quota", e.Open, e.Slots, e.Quota)
		if ch := e.Chance; ch != nil {
			t.Line("next draw: %d of %d tickets, %d owners", ch.Tickets, ch.Of, ch.Owners)
		}
		if len(e.Opens) > 0 {
			t.Row("IF IT", "WORKS")
		}
		for _, o := range e.Opens {
			t.Row(o.If, moreThan(o.More)+fmt.Sprint(o.Works))
		}
	})
}

type assignmentCommand struct {
	Work   int64 `arg:"" help:"Id of the work."`
	Worker int64 `arg:"" help:"Id of the worker."`
}

// Run explains one assignment.
func (c assignmentCommand) Run(ctx context.Context, p Console) error {
	to, token, err := p.Pool(ctx)
	if err != nil {
		return err
	}
	e, err := to.ExplainAssignment(ctx, token, c.Work, c.Worker)
	if err != nil {
		return fmt.Errorf("asking how work:%d came to worker %d: %w", c.Work, c.Worker, err)
	}
	return p.Print(e, func(t *page.Table) {
		t.Line("work:%d to worker %d, attempt %d, drawn at %s with seed %s", e.Work, e.Worker, e.Attempt, page.Day(e.At), e.Seed)
		t.Line("%s", e.Words)
	})
}

func moreThan(more bool) string {
	if more {
		return "more than "
	}
	return ""
}

// seconds says a time as a person reads it: "1h2m", "40s".
func seconds(s int64) string {
	text := (time.Duration(s) * time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
