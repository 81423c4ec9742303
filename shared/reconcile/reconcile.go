// Package reconcile is the flow of the minute tick: one ring, so that what is
// over is seen without any traffic, tidying up, and with a chain the passes over
// it: follow it, take deals in, look at their tasks, settle, act. The chain is the
// authority and the books are a cache of it; each step may be the last one before
// the function dies, and may be done twice.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/telemetry"
)

// Books is what is tidied up.
type Books interface {
	// Archive moves what ended works leave behind, of at most limit works, and
	// gives how many rows it moved.
	Archive(ctx context.Context, limit int) (int, error)
	// ForgetDraws removes, of the limit oldest snapshots of dispatch, those that are
	// older than that or beyond the newest so many, and gives how many it removed.
	ForgetDraws(ctx context.Context, older time.Duration, newest, limit int) (int, error)
}

// Bell rings the dispatcher.
type Bell interface {
	Ring(ctx context.Context) error
}

// Config is what Reconcile needs.
type Config struct {
	Books Books
	Bell  Bell
	Meter *telemetry.Meter
	Now   func() time.Time
	// Chain opens what works of deals need, and is asked again until it can; nil =
	// a pool without a chain.
	Chain func(ctx context.Context) (*Deals, error)
}

// Reconcile answers ticks.
type Reconcile struct {
	Config
	opened *Deals // one invocation runs at a time
}

// New makes a Reconcile.
func New(c Config) *Reconcile { return &Reconcile{Config: c} }

const (
	archiveWorks = 500 // in one transaction
	keepDraws    = 7 * 24 * time.Hour
	mostDraws    = 20_000          // passes: of ten thousand workers a snapshot has some 150 KB
	forgetDraws  = 500             // at a time: a snapshot may be large
	forgetTimes  = 20              // in one tick, far more than a minute brings
	margin       = 5 * time.Second // before the function's deadline: nothing more is begun
)

// Tick rings first, so that a fault in tidying up never keeps works waiting. A
// tick may come twice, or twice at once.
func (r *Reconcile) Tick(ctx context.Context) error {
	began := r.Now()
	err := r.Bell.Ring(ctx)
	if err != nil {
		err = fmt.Errorf("ringing the dispatcher: %w", err)
		r.count(ctx, telemetry.N(telemetry.RingsFailed, 1))
	}
	moved, archiving := r.archive(ctx)
	err = errors.Join(err, archiving, r.forget(ctx))
	if r.Chain != nil {
		err = errors.Join(err, r.serve(ctx))
	}
	if err != nil {
		if pool.KindOf(err) == pool.Unavailable {
			r.Meter.DependencyFailed()
		}
		return err
	}
	if moved > 0 {
		slog.InfoContext(ctx, "archived", telemetry.KeyCount, moved)
	}
	r.count(ctx, telemetry.N(telemetry.ReconcileTicks, 1), telemetry.Took(telemetry.ReconcileTime, r.Now().Sub(began)))
	return nil
}

func (r *Reconcile) archive(ctx context.Context) (moved int, err error) {
	for {
		if r.late(ctx) {
			return moved, nil // the next tick goes on
		}
		n, err := r.Books.Archive(ctx, archiveWorks)
		if err != nil {
			return moved, fmt.Errorf("archiving: %w", err)
		}
		if moved += n; n == 0 {
			return moved, nil
		}
	}
}

// forget removes old draws, so many that what a while without ticks left is gone
// after a few.
func (r *Reconcile) forget(ctx context.Context) error {
	for range forgetTimes {
		if r.late(ctx) {
			return nil
		}
		n, err := r.Books.ForgetDraws(ctx, keepDraws, mostDraws, forgetDraws)
		if err != nil {
			return fmt.Errorf("forgetting draws: %w", err)
		}
		if n < forgetDraws {
			return nil
		}
	}
	return nil
}

// late tells that nothing more is begun.
func (r *Reconcile) late(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ok && deadline.Sub(r.Now()) < margin
}

func (r *Reconcile) count(ctx context.Context, values ...telemetry.Value) {
	if err := r.Meter.Record(values...); err != nil {
		slog.WarnContext(ctx, "not counted", telemetry.KeyError, err.Error())
	}
}
