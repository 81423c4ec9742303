package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"workerpool/shared/pool"
	"workerpool/shared/telemetry"
)

// errands does what operators asked for. What comes to nothing is answered with why;
// only books that cannot be read or written stop a tick.
func (p *pass) errands(ctx context.Context) error {
	for !p.r.late(ctx) {
		e, found, err := p.Books.NextErrand(ctx)
		if err != nil || !found {
			return err
		}
		slog.InfoContext(ctx, "doing an errand", telemetry.KeyAction, string(e.Kind), telemetry.KeyAccount, int64(e.AskedBy))
		answer, err := p.errand(ctx, e)
		if err != nil {
			slog.WarnContext(ctx, "an errand came to nothing", telemetry.KeyAction, string(e.Kind), telemetry.KeyError, err.Error())
			answer = pool.Answer{Fault: words(err)}
		}
		e.Answer = answer
		if err := p.Books.ErrandDone(ctx, p.lease, e); err != nil {
			return err
		}
	}
	return nil
}

// words gives what of an error is meant for people.
func words(err error) string {
	var known *pool.Error
	if errors.As(err, &known) {
		return known.Message
	}
	return "something went wrong; the log of reconcile says what"
}

func (p *pass) errand(ctx context.Context, e pool.Errand) (pool.Answer, error) {
	switch e.Kind {
	case pool.ErrandDiff:
		return p.audit(ctx)
	case pool.ErrandDryRun:
		lines, err := p.r.DryRun(ctx)
		return pool.Answer{Lines: lines}, err
	case pool.ErrandRebuild:
		return p.rebuild(ctx, e)
	}
	return pool.Answer{}, fmt.Errorf("nobody knows the errand %q", e.Kind)
}

// rebuild lets the chain be followed again from a block on, by default from that of
// the oldest deal in the books.
func (p *pass) rebuild(ctx context.Context, e pool.Errand) (pool.Answer, error) {
	first := e.From
	if first == 0 {
		var err error
		if first, err = p.Books.FirstDeal(ctx); err != nil {
			return pool.Answer{}, err
		}
	}
	cursor, err := p.Books.Cursor(ctx)
	if err != nil {
		return pool.Answer{}, err
	}
	if first == 0 || first > cursor.Number {
		return pool.Answer{}, pool.Refuse(pool.Conflict, "", "there is nothing to rebuild: block %d was followed last", cursor.Number)
	}
	to, err := p.Chain.Block(ctx, first-1)
	if err != nil {
		return pool.Answer{}, err
	}
	if to.Hash.IsZero() {
		return pool.Answer{}, pool.Refuse(pool.Conflict, "", "the node does not know block %d", first-1)
	}
	return pool.Answer{Block: to}, p.Books.Rebuild(ctx, p.lease, cursor, to, pool.Trace{Account: e.AskedBy, RequestID: telemetry.RequestID(ctx)})
}
