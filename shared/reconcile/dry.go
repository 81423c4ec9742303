package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"workerpool/shared/life"
	"workerpool/shared/pool"
	"workerpool/shared/settlement"
)

// DryRun makes one pass that reads as every pass does, and tells what it would
// store and send. It stores and sends nothing, so a step does not see what the one
// before it would have stored.
func (r *Reconcile) DryRun(ctx context.Context) (lines []string, err error) {
	if r.Chain == nil {
		return nil, pool.Refuse(pool.Conflict, "", "a pool without a chain has nothing to try")
	}
	deals, err := r.open(ctx)
	if err != nil {
		return nil, err
	}
	told := &telling{}
	dry := *deals
	dry.Books, dry.Sender = dryBooks{deals.Books, told}, drySender{deals.Sender, told}
	silent := Reconcile{Config: r.Config}
	silent.Bell = told
	p := &pass{Deals: &dry, r: &silent, dry: true, vain: map[int64]int{}}
	_, err = p.run(ctx)
	return told.lines, err
}

// telling gathers what would be done.
type telling struct{ lines []string }

const mostLines = 1_000

func (t *telling) would(ctx context.Context, format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	slog.InfoContext(ctx, "would "+line)
	if len(t.lines) < mostLines {
		t.lines = append(t.lines, line)
	}
}

// Ring tells of a ring that would be sent.
func (t *telling) Ring(ctx context.Context) error {
	t.would(ctx, "ring the dispatcher")
	return nil
}

// drySender signs, to see whether that would work, and sends nothing.
type drySender struct {
	Sender
	told *telling
}

func (d drySender) Send(ctx context.Context, raw []byte) error {
	d.told.would(ctx, "send %d bytes", len(raw))
	return nil
}

// dryBooks reads, and stores nothing.
type dryBooks struct {
	DealBooks
	told *telling
}

func (d dryBooks) Followed(ctx context.Context, _ *pool.Lease, f pool.Followed) error {
	d.told.would(ctx, "follow from block %d to %d", f.From.Number, f.To.Number)
	for _, deal := range f.Deals {
		d.told.would(ctx, "note deal %s of %d tasks", deal.ID, deal.Tasks)
	}
	return nil
}

func (d dryBooks) Unwind(ctx context.Context, _ *pool.Lease, from, to pool.Block) error {
	d.told.would(ctx, "go back from block %d to %d", from.Number, to.Number)
	return nil
}

func (d dryBooks) Gone(ctx context.Context, _ *pool.Lease, deals []pool.Hash) error {
	for _, id := range deals {
		d.told.would(ctx, "give up deal %s", id)
	}
	return nil
}

func (dryBooks) TakeIn(context.Context, *pool.Lease, int, pool.Trace, func(pool.DealPart) (pool.Intake, error)) (int, error) {
	return 0, nil
}

func (d dryBooks) SettleTasks(ctx context.Context, _ *pool.Lease, seen []pool.Task, _ pool.Head, _ pool.Trace, _ func(time.Time, []life.Life)) ([]life.Life, error) {
	d.told.would(ctx, "note what the chain shows of %d tasks", len(seen))
	return nil, nil
}

func (dryBooks) Finish(context.Context, *pool.Lease, pool.Head, int, pool.Trace, func(time.Time, []life.Life)) ([]life.Life, error) {
	return nil, nil
}

func (dryBooks) Forget(context.Context, *pool.Lease, int, pool.Trace, func(time.Time, []life.Life)) (int, error) {
	return 0, nil
}

func (d dryBooks) Decided(ctx context.Context, _ *pool.Lease, v settlement.Verdict, _ pool.Trace) error {
	for _, a := range v.Want {
		d.told.would(ctx, "want to %s task %s of work %d", a.Kind, a.Task, a.Work)
	}
	if n := len(v.Done) + len(v.Drop); n > 0 {
		d.told.would(ctx, "have %d actions done or dropped", n)
	}
	return nil
}

func (d dryBooks) Sign(ctx context.Context, _ *pool.Lease, b pool.Broadcast, actions []int64, _ pool.Trace) error {
	d.told.would(ctx, "store a broadcast to %s, nonce %d, attempt %d, actions %v", b.Kind, b.Nonce, b.Attempt, actions)
	return nil
}

func (d dryBooks) Settled(ctx context.Context, _ *pool.Lease, id int64, state pool.BroadcastState, _ pool.Receipt, _ pool.Trace) error {
	d.told.would(ctx, "settle broadcast %d as %s", id, state)
	return nil
}

func (d dryBooks) Recall(ctx context.Context, _ *pool.Lease, _ pool.Address, nonce uint64) error {
	d.told.would(ctx, "send again what has nonce %d and above", nonce)
	return nil
}
