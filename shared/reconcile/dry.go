package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"workerpool/shared/life"
	"workerpool/shared/pool"
	"workerpool/shared/settlement"
	"workerpool/shared/telemetry"
)

// DryRun makes one pass that reads as every pass does, and says in the log what it
// would store and send. It stores and sends nothing, so a step does not see what
// the one before it would have stored.
func (r *Reconcile) DryRun(ctx context.Context) error {
	if r.Chain == nil {
		slog.InfoContext(ctx, "without a chain there is nothing to try")
		return nil
	}
	deals, err := r.open(ctx)
	if err != nil {
		return err
	}
	dry := *deals
	dry.Books, dry.Sender = dryBooks{deals.Books}, drySender{deals.Sender}
	silent := Reconcile{Config: r.Config}
	silent.Bell = dryBell{}
	p := &pass{Deals: &dry, r: &silent, dry: true, vain: map[int64]int{}}
	if _, err := p.run(ctx); err != nil {
		return fmt.Errorf("trying a pass: %w", err)
	}
	return nil
}

func would(ctx context.Context, what string, more ...any) {
	slog.InfoContext(ctx, "would "+what, more...)
}

type dryBell struct{}

func (dryBell) Ring(ctx context.Context) error {
	would(ctx, "ring")
	return nil
}

// drySender signs, to see whether that would work, and sends nothing.
type drySender struct{ Sender }

func (drySender) Send(ctx context.Context, raw []byte) error {
	would(ctx, "send", telemetry.KeyCount, len(raw))
	return nil
}

// dryBooks reads, and stores nothing.
type dryBooks struct{ DealBooks }

func (dryBooks) Followed(ctx context.Context, _ *pool.Lease, f pool.Followed) error {
	would(ctx, "note the deals and tasks up to a block", telemetry.KeyBlock, f.To.Number, telemetry.KeyCount, len(f.Deals))
	return nil
}

func (dryBooks) Unwind(ctx context.Context, _ *pool.Lease, _, to pool.Block) error {
	would(ctx, "go back to a block", telemetry.KeyBlock, to.Number)
	return nil
}

func (dryBooks) Gone(ctx context.Context, _ *pool.Lease, deals []pool.Hash) error {
	would(ctx, "give up deals", telemetry.KeyCount, len(deals))
	return nil
}

func (dryBooks) TakeIn(context.Context, *pool.Lease, int, pool.Trace, func(pool.DealPart) (pool.Intake, error)) (int, error) {
	return 0, nil
}

func (dryBooks) SettleTasks(ctx context.Context, _ *pool.Lease, seen []pool.Task, _ pool.Head, _ pool.Trace, _ func(time.Time, []life.Life)) ([]life.Life, error) {
	would(ctx, "note what the chain shows of tasks", telemetry.KeyCount, len(seen))
	return nil, nil
}

func (dryBooks) Finish(context.Context, *pool.Lease, pool.Head, int, pool.Trace, func(time.Time, []life.Life)) ([]life.Life, error) {
	return nil, nil
}

func (dryBooks) Forget(context.Context, *pool.Lease, int, pool.Trace, func(time.Time, []life.Life)) (int, error) {
	return 0, nil
}

func (dryBooks) Decided(ctx context.Context, _ *pool.Lease, v settlement.Verdict, _ pool.Trace) error {
	for _, a := range v.Want {
		would(ctx, "want "+string(a.Kind), telemetry.KeyTask, a.Task.String(), telemetry.KeyWork, int64(a.Work))
	}
	would(ctx, "have done or drop actions", telemetry.KeyCount, len(v.Done)+len(v.Drop))
	return nil
}

func (dryBooks) Sign(ctx context.Context, _ *pool.Lease, b pool.Broadcast, actions []int64, _ pool.Trace) error {
	would(ctx, "store a signed broadcast", telemetry.KeyKind, string(b.Kind), telemetry.KeyNonce, b.Nonce, telemetry.KeyCount, len(actions))
	return nil
}

func (dryBooks) Settled(ctx context.Context, _ *pool.Lease, id int64, state pool.BroadcastState, _ pool.Receipt, _ pool.Trace) error {
	would(ctx, "settle a broadcast", telemetry.KeyKind, string(state), telemetry.KeyCount, id)
	return nil
}

func (dryBooks) Recall(ctx context.Context, _ *pool.Lease, _ pool.Address, nonce uint64) error {
	would(ctx, "take back that broadcasts were settled", telemetry.KeyNonce, nonce)
	return nil
}
