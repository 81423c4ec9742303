package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"workerpool/shared/consensus"
	"workerpool/shared/life"
	"workerpool/shared/pool"
	"workerpool/shared/telemetry"
	"workerpool/shared/wire"
)

// takeIn makes works of what was matched, a batch at a time.
func (p *pass) takeIn(ctx context.Context) (int, error) {
	taken := 0
	plan := func(part pool.DealPart) (pool.Intake, error) { return p.plan(ctx, part) }
	for !p.r.late(ctx) {
		n, err := p.Books.TakeIn(ctx, p.lease, takeWorks, trace(ctx), plan)
		if taken += n; err != nil || n == 0 {
			return taken, err
		}
	}
	return taken, nil
}

// plan says what becomes of a part of a deal.
func (p *pass) plan(ctx context.Context, part pool.DealPart) (pool.Intake, error) {
	in := pool.Intake{Wanted: consensus.New().Wanted(part.Deal.Trust, 0, consensus.APIWeight), Tasks: make([]pool.Hash, part.Tasks)}
	for i := range in.Tasks {
		in.Tasks[i] = p.TaskID(part.Deal.ID, part.First+i)
	}
	var err error
	in.Batch, err = wire.FromDeal(part.Deal)
	var reason *pool.Error
	switch {
	case errors.As(err, &reason):
		in.Refused = reason.Message
	case err != nil:
		return in, err
	case !p.head.Time.Before(part.Deal.ContributeBy()):
		in.Refused = "it was seen when the time for contributions was over"
	}
	if in.Refused != "" {
		in.Batch = pool.NewBatch{Trust: part.Deal.Trust, Demands: pool.Demands{RunLimit: part.Deal.T}, Template: []byte("{}")}
		slog.WarnContext(ctx, "a deal cannot be served", telemetry.KeyDeal, part.Deal.ID.String(), telemetry.KeyReason, in.Refused)
	}
	return in, nil
}

// refresh looks at the tasks that something happened to or whose deadlines have
// passed, all at the head.
func (p *pass) refresh(ctx context.Context) (int, error) {
	looked := 0
	var last pool.Hash
	for range mostRounds {
		due, err := p.Books.Due(ctx, p.head.Block, lookTasks)
		if err != nil || len(due) == 0 || due[0] == last || p.r.late(ctx) {
			return looked, err
		}
		last = due[0] // again: the view was older than what happened to it
		if err := p.look(ctx, due); err != nil {
			return looked, err
		}
		looked += len(due)
	}
	return looked, nil
}

// look shows tasks to the books as the head has them.
func (p *pass) look(ctx context.Context, ids []pool.Hash) error {
	seen, err := p.Chain.Tasks(ctx, p.head.Block, ids)
	if err != nil {
		return err
	}
	lives, err := p.Books.SettleTasks(ctx, p.lease, seen, p.head, trace(ctx), p.consequences())
	p.note(ctx, lives)
	return err
}

// consequences lets life judge what the chain shows. It is asked again, with the
// same seed, when a transaction is.
func (p *pass) consequences() func(time.Time, []life.Life) {
	seed := p.Seed()
	return func(now time.Time, lives []life.Life) {
		for i := range lives {
			lives[i].Look(now, seed, life.Defaults)
		}
	}
}

// note counts works that ended.
func (p *pass) note(ctx context.Context, lives []life.Life) {
	done, failed := 0, 0
	for _, l := range lives {
		if l.Task == nil || !l.Task.Final {
			continue
		}
		switch l.Work.State {
		case pool.Done:
			done++
		case pool.Failed:
			failed++
		case pool.Staging, pool.Waiting, pool.Running, pool.Agreed, pool.Cancelled:
		}
	}
	if done+failed > 0 {
		p.r.count(ctx, telemetry.N(telemetry.WorksDone, done), telemetry.N(telemetry.WorksFailed, failed))
	}
}

// finish settles what ended in blocks that can no longer change.
func (p *pass) finish(ctx context.Context) (int, error) {
	finished := 0
	for range mostRounds {
		if p.r.late(ctx) {
			return finished, nil
		}
		lives, err := p.Books.Finish(ctx, p.lease, p.head, lookTasks, trace(ctx), p.consequences())
		if err != nil || len(lives) == 0 {
			return finished, err
		}
		p.note(ctx, lives)
		finished += len(lives)
	}
	return finished, nil
}

// forget ends the works of deals that are gone.
func (p *pass) forget(ctx context.Context) (int, error) {
	forgotten := 0
	for range mostRounds {
		if p.r.late(ctx) {
			return forgotten, nil
		}
		n, err := p.Books.Forget(ctx, p.lease, lookTasks, trace(ctx), func(now time.Time, lives []life.Life) {
			for i := range lives {
				if l := &lives[i]; !l.Work.State.Ended() {
					l.Cancel(now)
					l.Work.Reason = "a reorganisation of the chain took its deal away"
				}
			}
		})
		if forgotten += n; err != nil || n == 0 {
			return forgotten, err
		}
	}
	return forgotten, nil
}
